//! What `find`, `get`, `tree` and `export` write, verbatim: docs/contract.md promises the forms for programs.

use segtui::demo::Options;
use segtui::segment::Segment;

use crate::desk::{Fixture, troubled};

#[test]
fn find_writes_each_of_its_forms() {
    let transcript = Fixture::new().transcript(&[
        &["find", "is:leaf", "!is:orphan"],
        &["find", "-o", "tree", "ext:PL"],
        &["find", "-o", "json", "twin"],
        &["find", "-o", "ndjson", "is:orphan"],
        &["find", "-o", "csv", "path:vip"],
        &["find", "-o", "ids", "polska"],
        &["find", "-o", "ids", "ext:P"],
        &["find", "-o", "ids", "ext:\"P\""],
        &["find", "lodz"],
        &["find", "\"two\""],
        &["find", "Lodz"],
        &["find", "-o", "json", "xyzzy"],
        &["find", "-o", "csv", "xyzzy"],
        &["find", "-o", "ids", "xyzzy"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn get_writes_each_of_its_forms() {
    let transcript = Fixture::new().transcript(&[
        &["get", "PL-10"],
        &["get", "007", "ext=PL", "id:orphan"],
        &["get", "/Polska/Łódzkie", "--above"],
        &["get", "/A//B; \"VIP\", <new>", "--below"],
        &["get", "007", "PL-10", "--above", "--below", "-o", "ndjson"],
        &["get", "hen", "-o", "json"],
        &["get", "ext:SEPT2", "--output=csv"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn the_tree_is_written_for_reading() {
    let transcript = Fixture::new().transcript(&[
        &["tree"],
        &["tree", "--depth", "1", "--ids"],
        &["tree", "PL", "--ascii"],
        &["tree", "gone"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn export_writes_each_form_that_can_be_read_again() {
    let transcript = Fixture::new().transcript(&[
        &["export"],
        &["export", "--format", "ndjson"],
        &["export", "--format", "csv"],
        &["export", "--format", "outline"],
        &["export", "--format", "csv", "--root", "PL-10"],
        &["export", "--format", "json", "--match", "ext:P"],
        &["export", "--format", "outline", "--match", "lodz"],
        &["export", "--format", "csv", "--match", "xyzzy"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn export_for_spreadsheets_guards_what_they_would_change() {
    let fixture = Fixture::new();
    let (code, stdout, stderr) = fixture.run(&["export", "--excel"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let text = stdout.strip_prefix('\u{feff}').expect("a byte order mark");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "id;name;externalId;parentId;parentExternalId;path");
    assert_eq!(lines.len(), troubled().len() + 1);
    for line in [
        "pl-10-1;Łódź;'007;pl-10;PL-10;/Polska/Łódzkie/Łódź",
        "vip;\"A/B; \"\"VIP\"\", <new>\";'=1+1;;;\"/A//B; \"\"VIP\"\", <new>\"",
        "smile;\"Smile 🙂 two\nlines\";'SEPT2;vip;'=1+1;\"/A//B; \"\"VIP\"\", <new>/Smile 🙂 two\nlines\"",
    ] {
        assert!(lines.contains(&line), "{line} is not in {text}");
    }
    assert_eq!(fixture.run(&["export", "--excel", "--format", "csv"]).1, stdout);
}

#[test]
fn drawings_of_matches_say_what_they_show() {
    let fixture = Fixture::new();
    for format in ["html", "svg", "mermaid", "dot"] {
        let (code, stdout, stderr) = fixture.run(&["export", "--format", format, "--match", "ext:007"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{format}");
        assert!(stdout.contains("Łódź") && stdout.contains("Polska"), "{format}: {stdout}");
        assert!(!stdout.contains("Śląskie") && !stdout.contains("Orphan"), "{format}: {stdout}");
        if matches!(format, "html" | "svg") {
            assert!(stdout.contains("Matches in demo-wholesale"), "{format}: {stdout}");
        }
    }
}

#[test]
fn an_exported_tree_can_be_served_and_exported_again() {
    let exported = Fixture::new().run(&["export"]).1;
    let load: Vec<Segment> = serde_json::from_str(&exported).unwrap();
    let again = Fixture::with(Options { load: Some(load), ..Options::default() });
    assert_eq!(again.run(&["export"]).1, exported);
}
