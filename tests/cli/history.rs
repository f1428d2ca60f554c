//! `segtui history REF`: which segments a reference names, and the error for one that names none.

use segtui::demo::Options;

use crate::desk::{Fixture, output_of};

fn fixture() -> Fixture {
    let fixture = Fixture::with(Options { segments: Some(5), ..Options::default() });
    apply(&fixture, "externalId,name\nGONE,Gone\nKEPT,Kept\n");
    let id = fixture.run(&["find", "-o", "ids", "ext:\"GONE\""]).1;
    let (code, _, stderr) = fixture.run(&["undo", "--yes"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!id.trim().is_empty());
    fixture
}

fn apply(fixture: &Fixture, csv: &str) {
    let (code, _, stderr) = output_of(fixture.segtui(&["apply", "--yes", "--format", "csv", "-"]).write_stdin(csv));
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn history_of_a_reference_that_names_nothing_is_an_error() {
    let fixture = fixture();
    for reference in ["nope", "id=nope", "ext=nope", "/nope"] {
        for form in ["text", "json", "ndjson"] {
            let (code, stdout, stderr) = fixture.run(&["history", reference, "-o", form]);
            assert_eq!((code, stdout.as_str()), (1, ""), "{reference} {form}: {stderr}");
            assert!(stderr.contains("no segment has the ") && stderr.contains("hint"), "{stderr}");
            assert_eq!(stderr.starts_with('{'), form == "json", "{stderr}");
        }
    }
}

#[test]
fn history_finds_a_deleted_segment_by_its_id_and_external_id() {
    let fixture = fixture();
    let (code, stdout, _) = fixture.run(&["history", "-o", "ndjson", "ext=GONE"]);
    assert_eq!((code, stdout.lines().count()), (0, 2), "{stdout}");
    let change: serde_json::Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    let id = change["id"].as_str().unwrap();
    assert_eq!(fixture.run(&["get", id]).0, 1, "it is deleted");
    for reference in [id, &format!("id={id}"), "GONE"] {
        assert_eq!(fixture.run(&["history", "-o", "ndjson", reference]).1, stdout, "{reference}");
    }
    // No change since then is no error: the segment is known.
    let (code, stdout, stderr) = fixture.run(&["history", "-o", "ndjson", "GONE", "--since", "2100-01-01T00:00:00Z"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

#[test]
fn history_of_a_segment_that_was_never_changed_here_is_empty() {
    let fixture = fixture();
    let id = fixture.run(&["find", "-o", "ids", "is:leaf"]).1.lines().next().unwrap().to_owned();
    let (code, stdout, stderr) = fixture.run(&["history", &id]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}
