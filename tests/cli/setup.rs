//! `segtui config`, `segtui profiles` and `--version`: how the program is set up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::desk::{Fixture, Workspace, in_terminal, output_of};

const FILE: &str = r#"default_profile = "prod"

[profiles.prod]
base_url = "https://one.example/api"
tenant = "acme"
api_key = "hunter2"
read_only = true
protected = true

[profiles.test]
base_url = "https://test.example"
tenant = "acme-test"
api_key_command = ["false"]
"#;

/// An editor that runs a shell script, in which `$1` is the file.
fn editor(workspace: &Workspace, script: &str) -> String {
    let path = workspace.home.path().join("editor");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The copies of the configuration that edits have left.
fn drafts(workspace: &Workspace) -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace.home.path().join(".config/segtui")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("config-edit-")).collect()
}

#[test]
fn the_version_has_the_commit_and_the_target() {
    let (code, stdout, _) = Workspace::new().run(&["--version"]);
    let parts: Vec<&str> = stdout.trim_end().splitn(3, ' ').collect();
    assert_eq!((code, parts[0], parts[1]), (0, "segtui", env!("CARGO_PKG_VERSION")));
    let (commit, target) = parts[2].trim_matches(['(', ')']).split_once(", ").unwrap();
    assert!(
        commit == "unknown" || commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{stdout}"
    );
    assert!(target.split('-').count() >= 3, "{stdout}");
}

#[test]
fn the_config_path_is_printed_even_if_the_file_is_missing() {
    let workspace = Workspace::new();
    let usual = workspace.home.path().join(".config/segtui/config.toml");
    assert_eq!(workspace.run(&["config", "path"]), (0, format!("{}\n", usual.display()), String::new()));
    assert_eq!(workspace.run(&["config", "path", "--config", "/x/y"]).1, "/x/y\n");
    assert_eq!(output_of(workspace.segtui(&["config", "path"]).env("SEGTUI_CONFIG", "/z")).1, "/z\n");
}

#[test]
fn config_show_prints_values_and_origins_without_the_key() {
    let workspace = Workspace::new();
    workspace.configure(FILE);
    let (code, stdout, stderr) =
        output_of(workspace.segtui(&["config", "show", "--page-size", "50"]).env("SEGTUI_TENANT", "other"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line = |key: &str| {
        let mut words = stdout.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().skip(1);
        (words.next().unwrap().to_owned(), words.collect::<Vec<_>>().join(" "))
    };
    let is = |key: &str, value: &str, origin: &str| assert_eq!(line(key), (value.into(), origin.into()), "{stdout}");
    is("base_url", "\"https://one.example/api\"", "line 4 of the file");
    is("tenant", "\"other\"", "SEGTUI_TENANT");
    is("api_key", "(hidden)", "line 6 of the file");
    is("page_size", "50", "--page-size");
    is("concurrency", "6", "default");
    is("poll", "-", "not set");
    is("profile", "prod", "");
    assert!(!stdout.contains("hunter2"));
    let (code, stdout, _) = workspace.run(&["config", "show", "-o", "json", "--profile", "test"]);
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &shown["format_version"], &shown["profile"]), (0, &json!(1), &json!("test")));
    let key = shown["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == "api_key_command").unwrap();
    assert_eq!(key, &json!({ "key": "api_key_command", "value": ["false"], "origin": { "kind": "file", "line": 13 } }));
    let (code, stdout, stderr) = workspace.run(&["config", "show", "--profile", "nowhere"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("no profile nowhere") && stderr.contains("prod, test"), "{stderr}");
}

#[test]
fn all_faults_of_a_file_are_listed_with_their_lines() {
    let workspace = Workspace::new();
    let path = workspace.configure("theme = \"neon\"\n[profiles.a]\npage_size = 0\ntenent = \"x\"\n");
    let (code, stdout, stderr) = workspace.run(&["config", "check"]);
    assert_eq!((code, stderr.as_str()), (2, ""));
    let lines: Vec<&str> = stdout.lines().collect();
    let begins = |line: usize, what: &str| {
        assert!(lines[line].starts_with(&format!("{}:{what}", path.display())), "{stdout}");
    };
    begins(0, "1:9: unknown theme `neon`");
    begins(1, "3:13: `page_size` is 0");
    begins(2, "4:1: unknown field `tenent`");
    assert_eq!(lines.len(), 3);
    let (code, stdout, _) = workspace.run(&["config", "check", "-o", "json"]);
    let checked: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, checked["faults"].as_array().unwrap().len()), (2, 3));
    assert_eq!((&checked["faults"][1]["line"], &checked["faults"][1]["column"]), (&json!(3), &json!(13)));
}

#[test]
fn config_check_finds_what_a_connection_would_refuse() {
    let workspace = Workspace::new();
    let of = |profile: &str| {
        workspace.configure(&format!("[profiles.a]\n{profile}\n"));
        let (code, stdout, stderr) = workspace.run(&["config", "check"]);
        assert_eq!(stderr, "");
        (code, stdout.lines().map(|line| line.split_once("config.toml:").unwrap().1.to_owned()).collect::<Vec<_>>())
    };
    let refused = |profile: &str, expected: &str| {
        let (code, faults) = of(profile);
        assert_eq!((code, faults.len()), (2, 1), "{faults:?}");
        assert!(faults[0].starts_with(expected), "{faults:?}");
    };
    refused("base_url = \"::not a url::\"", "2:12: invalid `base_url`: not a valid URL");
    refused("base_url = \"http://example.com\"", "2:12: `base_url` would expose the API key on the network");
    refused("tenant = \"\"", "2:10: `tenant` is empty");
    // Whether the files that it names exist is for `doctor` to find out.
    let missing = "base_url = \"https://one.example\"\nca_file = \"gone.pem\"\napi_key_file = \"gone\"";
    for profile in [missing, "base_url = \"http://example.com\"\ninsecure_http = true"] {
        assert_eq!(of(profile), (0, vec![" no faults".to_owned()]), "{profile}");
    }
}

#[test]
fn config_check_reports_no_faults_but_a_key_others_can_read() {
    let workspace = Workspace::new();
    let path = workspace.configure(FILE);
    let expected = (0, format!("{}: no faults\n", path.display()), String::new());
    assert_eq!(workspace.run(&["config", "check"]), expected);
    let other = workspace.home.path().join("other.toml");
    fs::copy(&path, &other).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, stdout, stderr) = workspace.run(&["config", "check", other.to_str().unwrap()]);
    assert_eq!((code, stdout), (0, format!("{}: no faults\n", other.display())));
    assert!(stderr.contains("has an API key and others can access it (mode 0644); run `chmod 600"), "{stderr}");
    let (code, stdout, stderr) = workspace.run(&["config", "check", "/nonexistent/c.toml"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("segtui: couldn't read /nonexistent/c.toml: "), "{stderr}");
    let (code, stdout, stderr) = workspace.run(&["config", "check", "/nonexistent/c.toml", "-o", "json"]);
    let error: Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((code, stdout.as_str(), &error["code"]), (2, "", &json!(2)));
}

#[test]
fn editing_replaces_the_file_only_by_one_without_faults() {
    let workspace = Workspace::new();
    let path = workspace.configure(FILE);
    let edit = |script: &str| {
        output_of(
            workspace
                .segtui(&["config", "edit"])
                .env("EDITOR", editor(&workspace, script))
                .env("PATH", "/usr/bin:/bin"),
        )
    };
    let (code, stdout, stderr) = edit("sed -i 's/acme-test/acme-neu/' \"$1\"");
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, FILE.replace("acme-test", "acme-neu"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(drafts(&workspace).is_empty());

    let (code, _, stderr) = edit("echo 'colour = 7' >> \"$1\"; [ -z \"$SEGTUI_API_KEY\" ]");
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains(&format!("{}:14:10: expected a text in quotes, not a whole number", path.display())),
        "{stderr}"
    );
    assert!(
        stderr.contains("is unchanged: the edited copy has 1 fault\nhint: run `segtui config edit` in"),
        "{stderr}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let [draft] = drafts(&workspace).try_into().unwrap();
    assert!(fs::read_to_string(&draft).unwrap().ends_with("colour = 7\n"));
    assert_eq!(fs::metadata(&draft).unwrap().permissions().mode() & 0o777, 0o600);
    // Without a terminal, the copy is reported, and the edit starts from the file.
    let (code, _, stderr) = edit("true");
    let left = format!("segtui: an earlier edit left {}, which isn't used\n", draft.display());
    assert_eq!((code, stderr), (0, format!("{left}segtui: nothing was changed\n")));
    fs::remove_file(draft).unwrap();

    let (code, _, stderr) = edit("true");
    assert_eq!((code, stderr.as_str()), (0, "segtui: nothing was changed\n"));
    let (code, _, stderr) = edit("exit 3");
    assert_eq!(code, 1);
    assert!(stderr.contains("exit code 3") && stderr.ends_with("hint: set VISUAL or EDITOR\n"), "{stderr}");
    assert!(drafts(&workspace).is_empty(), "no copy of the key stays that says nothing new");
    let (code, _, stderr) = output_of(workspace.segtui(&["config", "edit"]).env("EDITOR", "/nonexistent/editor"));
    assert_eq!((code, drafts(&workspace).len()), (1, 0), "{stderr}");
    let why = "segtui: couldn't start the editor /nonexistent/editor (there is no such program)";
    assert!(stderr.starts_with(why) && stderr.contains("\nhint: set VISUAL or EDITOR"), "{stderr}");
    let (code, _, stderr) = edit("echo '# mine' >> \"$1\"; exit 3");
    assert_eq!((code, drafts(&workspace).len()), (1, 1), "{stderr}");
    assert!(stderr.contains("; what was edited is "), "{stderr}");
}

#[test]
fn an_emptied_file_counts_as_unchanged() {
    let workspace = Workspace::new();
    let path = workspace.configure(FILE);
    let emptying = editor(&workspace, ": > \"$1\"");
    let (code, _, stderr) = output_of(workspace.segtui(&["config", "edit"]).env("EDITOR", &emptying));
    assert!(code == 0 && stderr.contains("nothing was changed"), "{stderr}");
    assert_eq!(fs::read_to_string(path).unwrap(), FILE);
}

#[test]
fn a_leftover_edit_is_offered_at_the_next_one() {
    let workspace = Workspace::new();
    let path = workspace.configure(FILE);
    let failing = editor(&workspace, "echo '# mine' >> \"$1\"; exit 3");
    let leave = || assert_eq!(output_of(workspace.segtui(&["config", "edit"]).env("EDITOR", &failing)).0, 1);
    let answered = |answer: &str| {
        let variables = [("EDITOR", "true".to_owned()), ("PATH", "/usr/bin:/bin".to_owned())];
        in_terminal(&workspace, &["config", "edit"], &variables, answer)
    };
    leave();
    let (code, output) = answered("n\n");
    assert!(code == 0 && output.contains("Go on with it?") && output.contains("nothing was changed"), "{output}");
    assert!(drafts(&workspace).is_empty());
    leave();
    let (code, output) = answered("y\n");
    assert_eq!((code, fs::read_to_string(&path).unwrap()), (0, format!("{FILE}# mine\n")), "{output}");
    assert!(drafts(&workspace).is_empty());
    // A copy of an earlier version would revert later changes.
    leave();
    fs::write(&path, format!("{FILE}# theirs\n")).unwrap();
    let (code, output) = answered("y\n");
    assert!(code == 0 && !output.contains("Go on with it?"), "{output}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{FILE}# theirs\n"));
}

#[test]
fn an_edit_does_not_overwrite_another_programs_change() {
    let workspace = Workspace::new();
    let path = workspace.configure(FILE);
    let script = format!("echo '# theirs' >> '{}'; echo '# mine' >> \"$1\"", path.display());
    let (code, _, stderr) = output_of(workspace.segtui(&["config", "edit"]).env("EDITOR", editor(&workspace, &script)));
    assert_eq!(code, 1);
    assert!(stderr.contains("was changed by another program while you edited it"), "{stderr}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{FILE}# theirs\n"));
    assert!(fs::read_to_string(&drafts(&workspace)[0]).unwrap().ends_with("# mine\n"));
}

#[test]
fn editing_creates_a_missing_file() {
    let workspace = Workspace::new();
    let script = "echo 'theme = \"light\"' >> \"$1\"";
    let (code, _, stderr) = output_of(workspace.segtui(&["config", "edit"]).env("EDITOR", editor(&workspace, script)));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let path = workspace.home.path().join(".config/segtui/config.toml");
    assert!(fs::read_to_string(&path).unwrap().ends_with("theme = \"light\"\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(workspace.run(&["config", "check"]).0, 0);
}

#[test]
fn no_path_is_invented_without_a_home() {
    let run = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_segtui"));
        let (code, stdout, stderr) = output_of(command.env_clear().args(arguments));
        assert!(!format!("{stdout}{stderr}").contains("/nonexistent"), "{stdout}{stderr}");
        (code, stdout, stderr)
    };
    let (code, stdout, _) = run(&["config", "show"]);
    assert!(code == 0 && stdout.starts_with("file     none: there is no home folder (set HOME or "), "{stdout}");
    let (code, _, stderr) = run(&["profiles"]);
    assert_eq!(code, 0);
    assert!(stderr.starts_with("segtui: configuration: none: there is no home folder (set HOME or "), "{stderr}");
    for arguments in [["config", "show", "-o", "json"].as_slice(), &["profiles", "-o", "json"]] {
        let (code, stdout, _) = run(arguments);
        let shown: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((code, &shown["file"]), (0, &Value::Null), "{arguments:?}");
    }
}

#[test]
fn a_missing_subcommand_is_reported_with_the_choices() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["--ascii", "config"]);
    let expected = "segtui: a subcommand is missing behind `segtui config`: path, show, check, edit, schema\n\
                hint: `segtui config --help` says what each of them does\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (2, "", expected));
}

#[test]
fn every_command_shows_examples_in_its_help() {
    let workspace = Workspace::new();
    let commands = |arguments: &[&str]| -> Vec<String> {
        let help = workspace.run(&[arguments, &["--help"]].concat()).1;
        let listed = help.split_once("Commands:\n").map(|(_, rest)| rest.split("\n\n").next().unwrap().to_owned());
        let names = listed.iter().flat_map(|listed| listed.lines()).filter(|line| !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        names.map(str::to_owned).collect()
    };
    let all = commands(&[]);
    assert!(all.len() > 10, "{all:?}");
    for command in &all {
        for arguments in std::iter::once(vec![]).chain(commands(&[command]).into_iter().map(|below| vec![below])) {
            let arguments: Vec<&str> =
                std::iter::once(command.as_str()).chain(arguments.iter().map(String::as_str)).collect();
            let help = workspace.run(&[&arguments[..], &["--help"]].concat()).1;
            assert!(help.contains("Examples:\n  "), "{arguments:?}: {help}");
        }
    }
}

#[test]
fn the_schema_needs_no_home() {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_segtui"));
    let (code, stdout, _) = output_of(command.env_clear().args(["config", "schema"]));
    let schema: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &schema["title"]), (0, &json!("segtui configuration")));
    let profile = &schema["properties"]["profiles"]["additionalProperties"]["properties"];
    assert_eq!(profile["page_size"]["maximum"], json!(10_000));
}

#[test]
fn profiles_are_listed_with_what_tells_them_apart() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["profiles"]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.contains("there are no profiles in "), "{stderr}");
    workspace.configure(FILE);
    let (code, stdout, stderr) = workspace.run(&["profiles"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let expected = "prod  acme       one.example   read-only, protected, used by default\n\
                    test  acme-test  test.example\n";
    assert_eq!(stdout, expected);
    let (code, stdout, _) = output_of(workspace.segtui(&["profiles", "-o", "json"]).env("SEGTUI_PROFILE", "test"));
    let listed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &listed["format_version"]), (0, &json!(1)));
    let prod = json!({
        "name": "prod", "tenant": "acme", "host": "one.example", "read_only": true, "protected": true, "used": false,
    });
    assert_eq!(listed["profiles"][0], prod);
    assert_eq!(listed["profiles"][1]["used"], json!(true));
    assert!(!stdout.contains("hunter2"));
}

#[test]
fn each_command_warns_once_of_a_key_that_others_can_read() {
    let fixture = Fixture::new();
    let [(_, base_url), (_, tenant), (_, key)] = fixture.variables();
    let profile = |name: &str| {
        format!("[profiles.{name}]\nbase_url = \"{base_url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n")
    };
    let path = fixture.workspace.configure(&(profile("one") + &profile("other")));
    let state = fixture.workspace.home.path().join("state");
    fs::write(&state, "no state").unwrap();
    let state = state.to_str().unwrap();
    let commands: [&[&str]; 5] = [
        &["tree", "--profile", "one"],
        &["find", "--profile", "one", "Polska"],
        &["history", "--profile", "one"],
        &["diff", "profile:one", "profile:other"],
        // It is reported before anything else can fail.
        &["watch", "--profile", "one", "--state", state],
    ];
    let note = format!(
        "segtui: {path} has an API key and others can access it (mode 0644); run `chmod 600 {path}`",
        path = path.display()
    );
    for (mode, times) in [(0o600, 0), (0o644, 1)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for arguments in commands {
            let (_, _, stderr) = fixture.workspace.run(arguments);
            assert_eq!(stderr.lines().filter(|line| *line == note).count(), times, "{arguments:?}: {stderr}");
        }
    }
    // The key comes from elsewhere, the file isn't used for one, or only errors are wanted.
    for arguments in
        [&["tree", "--profile", "one", "--api-key", &key][..], &["profiles"], &["tree", "-q", "--profile", "one"]]
    {
        let (code, _, stderr) = fixture.workspace.run(arguments);
        assert!(code == 0 && !stderr.contains("others can access"), "{arguments:?}: {stderr}");
    }
}
