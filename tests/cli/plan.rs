//! `segtui plan`: what a file would change, and every reason to refuse it.

use std::fs;

use insta::assert_snapshot;

use crate::desk::{Fixture, output_of, tenant_of};

const TENANT: &[[&str; 4]] = &[
    ["h", "Hurtownie", "H", ""],
    ["h1", "Łódź", "007", "h"],
    ["h2", "Kraków", "PL-12", "h"],
    ["h21", "Podgórze", "PL-12-1", "h2"],
    ["d", "Detal", "D", ""],
    ["segment", "segment", "", ""],
];

/// Runs `plan` on a file with these bytes.
fn plan(fixture: &Fixture, name: &str, bytes: &[u8], flags: &[&str]) -> (i32, String, String) {
    let folder = fixture.workspace.home.path();
    let file = folder.join(name);
    fs::write(&file, bytes).unwrap();
    let (code, stdout, stderr) = output_of(fixture.segtui(&["plan"]).arg(&file).args(flags));
    let folder = format!("{}/", folder.display());
    let masked =
        |text: String| text.replace(&fixture.server.base_url()["http://".len()..], "HOST").replace(&folder, "");
    (code, masked(stdout), masked(stderr))
}

/// The output of a command, for a snapshot.
fn normalized_output((code, stdout, stderr): (i32, String, String)) -> String {
    format!("{stdout}--- stderr\n{stderr}--- exit code {code}")
}

const DESIRED: &str = "externalId,name,parentExternalId\n\
    H,Hurt,\n007,Łódź,D\nD,Detal,\nN,Nowe,PL-12\nN1,Stare/Nowe,N\nPL-12,Kraków,H\n";

#[test]
fn a_plan_shows_each_operation_by_path_and_the_sum() {
    let fixture = Fixture::with(tenant_of(TENANT));
    assert_snapshot!(normalized_output(plan(&fixture, "a.csv", DESIRED.as_bytes(), &["--all", "--prune"])));
    assert!(fixture.server.history().is_empty(), "nothing was written");
}

#[test]
fn a_plan_in_json_has_the_form_of_the_contract() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let (code, stdout, stderr) =
        plan(&fixture, "a.csv", DESIRED.as_bytes(), &["--all", "--prune", "-o", "json", "--exit-code"]);
    let mut read: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    read["made_at"] = "TIME".into();
    assert_snapshot!(normalized_output((code, serde_json::to_string_pretty(&read).unwrap() + "\n", stderr)));
}

#[test]
fn exit_code_three_means_changes_only_on_request() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let same = b"externalId,name\n007,\xc5\x81\xc3\xb3d\xc5\xba\n";
    for (file, flags, expected) in [
        (same.as_slice(), ["--exit-code"].as_slice(), 0),
        (b"externalId,name\n007,Other\n", &["--exit-code"], 3),
        (b"externalId,name\n007,Other\n", &[], 0),
    ] {
        let (code, stdout, stderr) = plan(&fixture, "a.csv", file, flags);
        assert_eq!((code, stderr.as_str()), (expected, ""), "{stdout}");
    }
}

#[test]
fn faults_are_told_all_at_once_with_their_lines() {
    let fixture = Fixture::with(tenant_of(TENANT));
    assert_snapshot!(normalized_output(plan(&fixture, "a.csv", b"name;kod\nA;1\nB\nC;2;3\n", &[])));
    assert!(fixture.server.requests().is_empty(), "the server wasn't asked anything");
    let file = "externalId;name;parentExternalId\n7;Łódź;H\nX;;nowhere\n007;A;7\n";
    assert_snapshot!(normalized_output(plan(&fixture, "a.csv", file.as_bytes(), &[])));
    let json = plan(&fixture, "a.csv", file.as_bytes(), &["-o", "json"]);
    assert_snapshot!(normalized_output(json));
}

#[test]
fn faults_among_the_rows_are_reported_without_the_server() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = b"externalId;name;parentExternalId\nA;A;B\nB;B;A\nC;C;\nC;C;\nD;D\n1,23E+05;E;\n";
    let (code, stdout, stderr) = plan(&fixture, "a.csv", file, &["--base-url", "http://127.0.0.1:1"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for words in [
        "has 5 faults",
        "line 2: it would be its own",
        "line 5: externalId C is in line 4",
        "line 6: 2 cells",
        "line 7: 1,23E+05",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert!(fixture.server.requests().is_empty());
}

#[test]
fn an_empty_file_blows_a_fuse_whatever_its_form() {
    let fixture = Fixture::with(tenant_of(TENANT));
    for name in ["a.csv", "a.json", "a.ndjson", "a.outline"] {
        let (code, _, stderr) = plan(&fixture, name, b"", &[]);
        assert!(code == 6 && stderr.contains("the file has no segments"), "{name}: {stderr}");
    }
}

#[test]
fn a_file_in_another_encoding_is_shown_in_those_it_may_be_in() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = b"name;externalId\r\nKrak\xf3w;PL-12\r\n\xa3\xf3d\x9f;'007\r\n";
    assert_snapshot!(normalized_output(plan(&fixture, "a.csv", file, &[])));
    let (code, stdout, stderr) = plan(&fixture, "a.csv", file, &["--encoding", "windows-1250"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "acme on HOST: nothing to do\n", ""));
}

#[test]
fn other_headings_are_named_by_a_flag() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = "NAZWA\tKOD\tKOD_NADRZEDNY\tRABAT\nŁódź\t007\tH\t5\nWola\tN\tPL-12\t7\n";
    let columns = "name=NAZWA,ext=KOD,parent-ext=KOD_NADRZEDNY";
    let (code, stdout, stderr) = plan(&fixture, "a.tsv", file.as_bytes(), &["--columns", columns]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "+ create  /Hurtownie/Kraków/Wola  [N]\nacme on HOST: 1 to create\n");
    let objects = "[{\"NAZWA\": \"Wola\", \"KOD\": \"N\", \"KOD_NADRZEDNY\": \"PL-12\", \"RABAT\": 7}]";
    let (code, in_json, _) = plan(&fixture, "a.json", objects.as_bytes(), &["--columns", columns]);
    assert_eq!((code, in_json), (0, stdout.clone()));
    // The profile can name them too.
    let config = fixture.workspace.home.path().join(".config/segtui/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let profile = |columns: &str| {
        let url = fixture.server.base_url();
        format!("[profiles.a]\nbase_url = \"{url}\"\ntenant = \"acme\"\ncolumns = {{ {columns} }}\n")
    };
    fs::write(&config, profile("name = 'NAZWA', ext = 'KOD', parent-ext = 'KOD_NADRZEDNY'")).unwrap();
    let by_profile = plan(&fixture, "a.tsv", file.as_bytes(), &["--profile", "a"]);
    assert_eq!((by_profile.0, by_profile.1.as_str()), (0, stdout.as_str()), "{}", by_profile.2);
    fs::write(&config, profile("kod = 'KOD'")).unwrap();
    let (code, _, stderr) = plan(&fixture, "a.tsv", file.as_bytes(), &["--profile", "a"]);
    assert!(code == 2 && stderr.contains("config.toml:4:11: “kod” is no column"), "{stderr}");
}

#[test]
fn what_looks_like_a_rename_is_left_to_a_person() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = "externalId,name,parentExternalId\nH,Hurtownie,\nPL-12-1,Podgórze,K\nK,Kraków,H\n007,Łódź,H\nD,Detal,\n";
    let prune = ["--all", "--prune"];
    let run = |flags: &[&str]| normalized_output(plan(&fixture, "a.csv", file.as_bytes(), &[&prune, flags].concat()));
    assert_snapshot!(run(&[]));
    assert_snapshot!(run(&["--renamed", "ext=PL-12=K"]));
    assert_snapshot!(run(&["--recreate", "PL-12"]));
    assert_snapshot!(run(&["--renamed", "PL-12=nowhere"]));
}

#[test]
fn a_renamed_segment_without_external_id_is_never_deleted() {
    let fixture = Fixture::with(tenant_of(&[
        ["h", "Hurtownie", "H", ""],
        ["s1", "Sklep A", "", "h"],
        ["s2", "Sklep B", "", "h"],
        ["x", "Detal", "D", ""],
    ]));
    let file = "externalId,name,parentExternalId\nH,Hurtownie,\n,Sklep A1,H\n,Sklep B,H\nD,Detal,\n";
    let run = |flags: &[&str]| plan(&fixture, "a.csv", file.as_bytes(), &[&["--all", "--prune"], flags].concat());
    let (code, stdout, _) = run(&[]);
    assert_eq!(code, 0);
    assert_eq!(
        stdout,
        "! conflict  line 3: Sklep A1: perhaps a rename: the parent is the same, and no external ID says otherwise; the segment is /Hurtownie/Sklep A (id=s1)\n            \
         --renamed id=s1=line=3 if it is the same, --recreate id=s1 if it is another one\n\
         \x20 keep    /Hurtownie/Sklep A  (perhaps renamed)\n\
         acme on HOST: 1 in conflict, 1 kept\n"
    );
    let (_, stdout, _) = run(&["--renamed", "id=s1=line=3"]);
    assert!(stdout.ends_with("1 to update\n"), "{stdout}");
    let (_, stdout, _) = run(&["--recreate", "id=s1"]);
    assert!(stdout.ends_with("1 to create, 1 to delete\n"), "{stdout}");
}

#[test]
fn each_rename_names_one_segment_and_one_line() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = "externalId,name,parentExternalId\nH,Hurtownie,\nK,Kraków,H\nK2,Kraków 2,H\n007,Łódź,H\n";
    let refused = |flags: &[&str]| {
        let (code, stdout, stderr) = plan(&fixture, "a.csv", file.as_bytes(), flags);
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags:?}");
        stderr
    };
    let words = refused(&["--renamed", "PL-12=K", "--renamed", "PL-12=K2"]);
    assert!(words.contains("names the segment id=h2 twice"), "{words}");
    let words = refused(&["--renamed", "PL-12=K", "--renamed", "PL-12-1=K"]);
    assert!(words.contains("names line 3 twice, for id=h2 as well"), "{words}");
    let words = refused(&["--renamed", "007=K"]);
    assert!(words.contains("line 5: externalId 007 is a segment that --renamed gives to line 3"), "{words}");
    let words = refused(&["--renamed", "PL-12=K", "--recreate", "PL-12"]);
    assert!(words.contains("--renamed and --recreate both name the segment id=h2"), "{words}");
    let words = refused(&["--renamed", "PL-12=line=99"]);
    assert!(words.contains("no row begins on line=99"), "{words}");
    let (code, stdout, stderr) = plan(&fixture, "a.csv", file.as_bytes(), &["--recreate", "nosuch"]);
    assert!(code == 1 && stdout.is_empty() && stderr.contains("nosuch"), "{stderr}");
}

#[test]
fn an_outline_of_a_branch_leaves_the_branch_where_it_is() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let outline = fixture.workspace.home.path().join("part.outline");
    let path = outline.to_str().unwrap();
    for part in [&["--root", "PL-12"][..], &["--match", "krak"], &[]] {
        let (code, _, stderr) = fixture.run(&[&["export", "--format", "outline", "-o", path], part].concat());
        assert_eq!((code, stderr.as_str()), (0, ""));
        let (code, stdout, stderr) = fixture.run(&["plan", path]);
        assert!(code == 0 && stdout.ends_with(": nothing to do\n"), "{part:?}: {stdout}{stderr}");
    }
    fs::write(&outline, "Kraków  [PL-12]\nDetal  [D]\n").unwrap();
    let (_, stdout, _) = fixture.run(&["plan", path, "--all"]);
    assert!(stdout.contains("> move    /Hurtownie/Kraków → /Kraków"), "{stdout}");
}

#[test]
fn an_ignored_path_is_reported() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let table = fixture.workspace.home.path().join("all.csv");
    let path = table.to_str().unwrap();
    assert_eq!(fixture.run(&["export", "--format", "csv", "-o", path]).0, 0);
    let (_, stdout, _) = fixture.run(&["plan", path]);
    assert!(stdout.ends_with(": nothing to do\n"), "{stdout}");
    // A renamed parent doesn't outdate the paths below it.
    let exported = fs::read_to_string(&table).unwrap();
    fs::write(&table, exported.replace(",Hurtownie,H", ",Hurt,H")).unwrap();
    let (_, stdout, _) = fixture.run(&["plan", path]);
    assert!(stdout.ends_with(": 1 to update\n"), "{stdout}");
    fs::write(&table, exported.replace("/Hurtownie/Kraków\n", "/Detal/Kraków\n")).unwrap();
    let (_, stdout, _) = fixture.run(&["plan", path]);
    assert!(stdout.contains("differs from what name and parent say, and was ignored"), "{stdout}");
    let (_, stdout, _) = fixture.run(&["plan", path, "-o", "json"]);
    let read: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(read["ignored_paths"].as_array().map(Vec::len), Some(1));
}

#[test]
fn nothing_is_moved_out_of_the_scope() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = b"externalId,name,parentExternalId\nPL-12,Krak\xc3\xb3w,D\n";
    let (code, _, stderr) = plan(&fixture, "a.csv", file, &["--root", "H"]);
    assert!(code == 2 && stderr.contains("line 2: it would leave the scope"), "{stderr}");
    let (code, stdout, _) = plan(&fixture, "a.csv", file, &[]);
    assert!(code == 0 && stdout.contains("> move"), "{stdout}");
}

#[test]
fn a_first_external_id_with_a_new_name_may_be_a_rename() {
    let fixture =
        Fixture::with(tenant_of(&[["h", "Hurtownie", "H", ""], ["s1", "Sklep A", "", "h"], ["s2", "Inny", "", "h"]]));
    let file = "externalId,name,parentExternalId\nH,Hurtownie,\nI,Inny!,H\nS,Sklep A1,H\n";
    let (code, stdout, _) = plan(&fixture, "a.csv", file.as_bytes(), &["--all", "--prune"]);
    assert_eq!(code, 0);
    assert!(!stdout.contains("- delete") && !stdout.contains("+ create"), "{stdout}");
    // Each is offered the row that is most like it.
    assert!(stdout.contains("--renamed id=s1=line=4") && stdout.contains("--renamed id=s2=line=3"), "{stdout}");
}

#[test]
fn fuses_blow_with_six_and_a_flag_sets_other_limits() {
    let segments: Vec<[String; 4]> =
        (0..40).map(|at| [format!("s{at}"), format!("S{at}"), format!("X{at}"), String::new()]).collect();
    let segments: Vec<[&str; 4]> = segments.iter().map(|segment| segment.each_ref().map(String::as_str)).collect();
    let fixture = Fixture::with(tenant_of(&segments));
    let rows: String = (0..15).flat_map(|at| [format!("X{at},S{at}\n")]).collect();
    let file = format!("externalId,name\n{rows}");
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("plan.json");
    let flags = ["--all", "--prune", "--out", out.to_str().unwrap()];
    let (code, stdout, stderr) = plan(&fixture, "a.csv", file.as_bytes(), &flags);
    assert_eq!(code, 6, "{stdout}");
    assert!(stdout.ends_with("acme on HOST: 25 to delete\n"), "{stdout}");
    assert_snapshot!(stderr);
    assert!(!out.exists(), "a plan that was refused isn't saved");
    for limit in ["25", "70%"] {
        let (code, _, stderr) =
            plan(&fixture, "a.csv", file.as_bytes(), &[&flags, &["--max-deletes", limit][..]].concat());
        assert_eq!((code, stderr.as_str()), (0, ""));
    }
    assert!(out.exists());
    // A limit as large as the tenant was meant for another one.
    let (code, _, stderr) = plan(&fixture, "a.csv", file.as_bytes(), &["--all", "--prune", "--max-deletes", "40"]);
    assert!(code == 6 && stderr.contains("such as 75%"), "{stderr}");
    let (code, _, stderr) = plan(&fixture, "a.csv", b"externalId,name\n", &["--all", "--prune"]);
    assert_eq!(code, 6, "{stderr}");
    assert!(stderr.contains("the file has no segments"), "{stderr}");
}

#[test]
fn a_plan_that_was_refused_is_not_applied_either() {
    let segments: Vec<[String; 4]> =
        (0..40).map(|at| [format!("s{at}"), format!("S{at}"), format!("X{at}"), String::new()]).collect();
    let segments: Vec<[&str; 4]> = segments.iter().map(|segment| segment.each_ref().map(String::as_str)).collect();
    let fixture = Fixture::with(tenant_of(&segments));
    let rows: String = (0..25).flat_map(|at| [format!("X{at},S{at}\n")]).collect();
    let file = format!("externalId,name\n{rows}");
    let flags = ["--all", "--prune", "-o", "json"];
    let (code, stdout, _) = plan(&fixture, "a.csv", file.as_bytes(), &flags);
    assert_eq!(code, 6);
    let printed = fixture.workspace.home.path().join("printed.json");
    fs::write(&printed, stdout).unwrap();
    let run = fixture.run(&["apply", printed.to_str().unwrap(), "--yes"]);
    assert_eq!(run.0, 6, "{run:?}");
    assert!(run.2.contains("the plan was refused: 15 deletions"), "{run:?}");
    let (code, stdout, _) = plan(&fixture, "a.csv", file.as_bytes(), &[&flags[..], &["--max-deletes", "15"]].concat());
    assert_eq!(code, 0);
    let host = &fixture.server.base_url()["http://".len()..];
    fs::write(&printed, stdout.replace("HOST", host)).unwrap();
    let run = fixture.run(&["apply", printed.to_str().unwrap(), "--yes"]);
    assert_eq!(run.0, 0, "{run:?}");
    assert_eq!(fixture.server.segments().len(), 25);
}

#[test]
fn segments_kept_anyway_do_not_blow_the_size_fuse() {
    let fixture = Fixture::with(tenant_of(&[
        ["e", "ERP", "ERP", ""],
        ["o1", "Eksport", "E1", "e"],
        ["o2", "Eksport 2", "E2", "e"],
        ["a", "A", "A", "e"],
    ]));
    let (code, stdout, stderr) = plan(
        &fixture,
        "a.csv",
        b"externalId,name,parentExternalId\nN,Nowy,ERP\nA,A,ERP\n",
        &["--root", "ERP", "--prune", "--max-deletes", "1"],
    );
    assert_eq!(code, 6, "{stdout}{stderr}");
    assert!(stderr.contains("2 deletions, and --max-deletes allows 1"), "{stderr}");
    let fixture = Fixture::with(tenant_of(&[["e", "ERP", "ERP", ""]]));
    let (code, stdout, stderr) =
        plan(&fixture, "a.csv", b"externalId,name,parentExternalId\nN,Nowy,ERP\n", &["--root", "ERP", "--prune"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

#[test]
fn a_plan_never_overwrites_its_input() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let file = fixture.workspace.home.path().join("a.csv");
    fs::write(&file, "externalId,name\n007,X\n").unwrap();
    let path = file.to_str().unwrap();
    let run = fixture.run(&["plan", path, "--out", path]);
    assert!(run.0 == 2 && run.2.contains("would overwrite the file that is read"), "{run:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "externalId,name\n007,X\n");
    let run = fixture.run(&["plan", path, "--out", "-"]);
    assert!(run.0 == 2 && run.2.contains("would mix with"), "{run:?}");
}

#[test]
fn a_scope_is_what_is_pruned_and_what_may_be_changed() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let run = |flags: &[&str]| plan(&fixture, "a.csv", b"externalId,name\nPL-12,Krk\n", flags);
    let (code, stdout, _) = run(&["--root", "PL-12", "--prune"]);
    assert_eq!(code, 0);
    assert_eq!(
        stdout,
        "~ update  /Hurtownie/Kraków\n            name: Kraków → Krk\n- delete  /Hurtownie/Kraków/Podgórze\n\
         acme on HOST: 1 to update, 1 to delete\n"
    );
    let (code, stdout, _) = run(&["--match", "ext:\"PL-12-\"", "--prune"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "it is outside what it speaks for");
    for (flags, words) in [
        (["--prune"].as_slice(), "say what the file speaks for"),
        (&["--match", "ext:PLN", "--prune"], "quote each word"),
        (&["--root", "nowhere", "--prune"], "no segment has the ID or external ID nowhere"),
        (&["--key", "path"], "no column path, which --key asks for"),
    ] {
        let (code, stdout, stderr) = run(flags);
        assert!(code != 0 && stdout.is_empty() && stderr.contains(words), "{code} {stderr}");
    }
}

#[test]
fn every_format_of_an_export_plans_nothing() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let run = |arguments: &[&str]| fixture.run(arguments);
    for format in ["csv", "json", "ndjson", "outline"] {
        let file = fixture.workspace.home.path().join(format!("a.{format}"));
        let file = file.to_str().unwrap();
        assert_eq!(run(&["export", "--format", format, "-o", file]).0, 0);
        let (code, stdout, stderr) = run(&["plan", file, "--all", "--prune"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{format}: {stdout}");
        assert!(stdout.ends_with(": nothing to do\n"), "{format}: {stdout}");
    }
    let file = fixture.workspace.home.path().join("a.csv");
    assert_eq!(run(&["export", "--excel", "-o", file.to_str().unwrap()]).0, 0);
    assert!(run(&["plan", file.to_str().unwrap(), "--all", "--prune"]).1.ends_with(": nothing to do\n"));
}

#[test]
fn stdin_is_read_only_with_a_format() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let run = |flags: &[&str]| {
        output_of(
            fixture.segtui(&["plan", "-"]).args(flags).write_stdin("{\"externalId\":\"007\",\"name\":\"Lodz\"}\n"),
        )
    };
    assert!(run(&["--format", "ndjson"]).1.contains("name: Łódź → Lodz"));
    let (code, _, stderr) = run(&[]);
    assert!(code == 2 && stderr.contains("--format csv, json, ndjson or outline"), "{stderr}");
}

#[test]
fn a_saved_plan_is_recognised_by_its_content() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let folder = fixture.workspace.home.path();
    let (rows, plan) = (folder.join("f.csv"), folder.join("tfplan"));
    fs::write(&rows, "externalId,name\nNEW,Nowe\n").unwrap();
    let (code, _, stderr) = output_of(fixture.segtui(&["plan", "--out"]).arg(&plan).arg(&rows));
    assert_eq!(code, 0, "{stderr}");
    let text = fs::read_to_string(&plan).unwrap();
    // A truncated plan is reported as such, wherever it is cut.
    for (name, end) in [("cut", text.len() / 2), ("cut.json", text.len() - 3), ("cut.csv", text.len() - 3)] {
        let cut = folder.join(name);
        fs::write(&cut, &text[..end]).unwrap();
        let (code, stdout, stderr) = output_of(fixture.segtui(&["apply", "--yes"]).arg(&cut));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains("couldn't use the plan") && stderr.contains("it is no whole plan"), "{stderr}");
        assert!(stderr.contains("hint: make the plan again"), "{stderr}");
    }
    assert!(fixture.server.history().is_empty());
    let (code, stdout, stderr) = output_of(fixture.segtui(&["apply", "--yes"]).arg(&plan));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("1 created"), "{stdout}");
}

#[test]
fn faults_of_unusual_file_forms_come_with_a_remedy() {
    let fixture = Fixture::with(tenant_of(TENANT));
    let utf16: Vec<u8> = "name;externalId\nŁódź;007\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "twice.json",
            b"[\n{\"externalId\": \"D\",\n \"name\": \"A\", \"name\": \"B\"}\n]",
            "line 2: column name appears twice",
        ),
        (
            "twice.ndjson",
            b"\n{\"externalId\": \"D\", \"name\": \"A\", \"name\": \"B\"}\n",
            "line 2: column name appears twice",
        ),
        ("cut.json", b"[\n{\"name\": \"A\"", "line 2: not valid JSON: an object isn't closed"),
        ("cut.ndjson", b"{\"name\": \"A", "line 1: not valid JSON: a text isn't closed"),
        (
            "pipe.csv",
            b"sep=|\nname|externalId\nA|D\n",
            "line 1: \u{201c}sep=|\u{201d} names a delimiter that isn't read; save the file with `;`, `,` or tab",
        ),
        ("wide.csv", &utf16, "as utf-16: name;externalId"),
        ("wide.json", &utf16, "hint: pass --encoding utf-16 if that shows"),
    ];
    for (name, bytes, expected_message) in cases {
        let (code, stdout, stderr) = plan(&fixture, name, bytes, &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{name}: {stderr}");
        assert!(stderr.contains(expected_message) && !stderr.contains("EOF"), "{name}: {stderr}");
    }
    let (code, stdout, stderr) = plan(&fixture, "wide.csv", &utf16, &["--encoding", "utf-16"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
}
