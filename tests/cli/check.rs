//! `check`: what it writes, verbatim, and its exit codes.

use segtui::demo::Options;

use crate::desk::{Fixture, Workspace, output_of};

#[test]
fn check_refuses_a_tenant_in_place_of_a_file() {
    let workspace = Workspace::new();
    let expected = "segtui: check takes a file, and profile:prod is none\nhint: check the tenant of a profile with --profile prod\n";
    assert_eq!(workspace.run(&["check", "profile:prod"]), (2, String::new(), expected.to_owned()));
}

#[test]
fn invisible_characters_are_escaped_in_json() {
    let hidden = "{\"id\":\"a\",\"name\":\"A\\u200bB\\u202eC\",\"externalId\":\"X\",\"parentSegmentId\":null}";
    let load = vec![serde_json::from_str(hidden).unwrap()];
    let fixture = Fixture::with(Options { load: Some(load), ..Options::default() });
    let one = fixture.workspace.home.path().join("one.json");
    std::fs::write(&one, format!("[{hidden}]")).unwrap();
    let two = fixture.workspace.home.path().join("two.json");
    std::fs::write(&two, "[]").unwrap();
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    for arguments in
        [&["export"][..], &["check", "-o", "json"], &["check", one, "-o", "json"], &["diff", two, one, "-o", "json"]]
    {
        let (code, stdout, stderr) = fixture.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
        assert!(
            stdout.contains(r"A\u200bB\u202eC") && !stdout.contains(['\u{200b}', '\u{202e}']),
            "{arguments:?}: {stdout}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&stdout).is_ok(), "{stdout}");
    }
}

#[test]
fn check_writes_each_format_and_exits_as_asked() {
    let transcript = Fixture::new().transcript(&[
        &["check"],
        &["check", "--exit-code"],
        &["check", "-o", "json", "--rule", "duplicate-external-id", "--rule", "orphan=warning"],
        &["check", "--rule", "padded-name", "--exit-code"],
        &["check", "--rule", "too-deep", "--max-depth", "2", "--exit-code", "--color", "always"],
        &["check", "--rule", "padded-name", "-o", "json"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn check_refuses_what_is_no_rule_and_no_level() {
    let transcript = Fixture::new().transcript(&[
        &["check", "--rule", "orfan"],
        &["check", "--rule", "orphan=fatal"],
        &["check", "--max-depth", "0"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn check_reads_files_and_says_their_lines() {
    let workspace = Workspace::new();
    let folder = workspace.home.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("groups.csv", "name;externalId;parentExternalId\nPolska;PL;\nŁódź ;PL-10;PL\nlodz;PL-10;PL\nLost;X;GONE\n");
    write("tree.json", r#"[{"id":"a","name":"A","externalId":null,"parentSegmentId":"a"}]"#);
    write("twice.csv", "id,name\na,A\na,B\n");
    write("codes.csv", "externalId\nPL\n");
    write("config.toml", "[profiles.acme.check]\norphan = \"off\"\n");
    let mut transcript = String::new();
    for arguments in [
        &["check", "groups.csv", "--exit-code"][..],
        &["check", "tree.json", "-o", "json"],
        &["check", "twice.csv"],
        &["check", "codes.csv", "--rule", "missing-external-id"],
        &["check", "codes.csv"],
        &["check", "groups.csv", "--config", "config.toml", "--rule", "padded-name=off"],
        &["check", "nothing.csv"],
    ] {
        let (code, stdout, stderr) = output_of(workspace.segtui(arguments).current_dir(folder));
        transcript.extend(["$ segtui ", &arguments.join(" "), "\n", &stdout, &stderr]);
        transcript.extend(["exit: ", &code.to_string(), "\n\n"]);
    }
    insta::assert_snapshot!(transcript);
}
