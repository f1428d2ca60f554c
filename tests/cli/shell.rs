//! `segtui completions` and `segtui man`: what a shell completes, and the manual.

use std::fs;
use std::process::Command as Process;

use segtui::demo::Server;

use crate::desk::{Workspace, output_of, start_server};

/// The completions of the last of these words.
fn completed(workspace: &Workspace, words: &[&str]) -> Vec<String> {
    let mut command = workspace.segtui(&["--", "segtui"]);
    command.args(words).env("SEGTUI_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let (code, stdout, stderr) = output_of(command.env("_CLAP_IFS", "\n"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout.lines().map(str::to_owned).collect()
}

/// Writes a configuration with a profile for a server, and another profile.
fn visited(workspace: &Workspace, server: &Server) {
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[profiles.acme]\nbase_url = \"{}\"\ntenant = \"{}\"\napi_key_command = [\"touch\", \"/nonexistent/asked\"]\n\
         [profiles.other]\nbase_url = \"https://one.example\"\ntenant = \"x\"\napi_key = \"hunter2\"\n",
        server.base_url(),
        server.tenant(),
    );
    fs::write(folder.join("config.toml"), text).unwrap();
}

/// Fills the cache as the interface does, by running sync.
fn cached(workspace: &Workspace, runtime: &tokio::runtime::Runtime, server: &Server) {
    use secrecy::SecretString;
    use segtui::api::{Client, Settings as ApiSettings};
    use segtui::remote::{BaseUrl, InsecureHttp};
    use segtui::sync::{self, Event, Settings};

    let (code, stdout, _) = workspace.run(&["doctor", "--json", "--profile", "acme"]);
    assert_eq!(code, 2, "the key command fails");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "store").unwrap();
    let path = check["message"].as_str().unwrap().strip_suffix(" doesn't exist yet").unwrap().to_owned();
    let base_url = BaseUrl::parse(&server.base_url(), InsecureHttp::Refused).unwrap();
    let key = SecretString::from(server.api_key().to_owned());
    runtime.block_on(async {
        let client = Client::new(ApiSettings::new(base_url, server.tenant(), key)).unwrap();
        let settings = Settings { store: Some(path.clone().into()), ..Settings::default() };
        let mut sync = sync::start(client.into(), settings);
        while !matches!(sync.events.recv().await.unwrap(), Event::Synchronised { .. }) {}
        drop(sync.commands);
        while sync.events.recv().await.is_some() {}
    });
    assert!(fs::metadata(path).unwrap().len() > 0);
}

#[test]
fn commands_flags_and_values_are_completed() {
    let workspace = Workspace::new();
    assert_eq!(completed(&workspace, &["exp"]), ["export"]);
    assert!(completed(&workspace, &["export", "--fo"]).contains(&"--format".to_owned()));
    let forms = completed(&workspace, &["export", "--format", ""]);
    assert!(forms.contains(&"mermaid".to_owned()) && forms.contains(&"csv".to_owned()), "{forms:?}");
    assert_eq!(completed(&workspace, &["config", "sh"]), ["show"]);
}

#[test]
fn profiles_and_segments_are_completed_from_local_data() {
    let (runtime, server) = start_server();
    let workspace = Workspace::new();
    visited(&workspace, &server);
    assert_eq!(completed(&workspace, &["--profile", ""]), ["acme", "other"]);
    assert_eq!(completed(&workspace, &["tree", "--profile", "o"]), ["other"]);
    assert!(completed(&workspace, &["--profile", "acme", "get", "PL-1"]).is_empty(), "nothing was seen yet");
    cached(&workspace, &runtime, &server);
    let before = server.requests().len();
    let found = completed(&workspace, &["get", "--profile", "acme", "PL-1"]);
    assert!(found.len() > 1 && found.iter().all(|text| text.starts_with("PL-1")), "{found:?}");
    assert!(found.contains(&"PL-10".to_owned()), "{found:?}");
    assert_eq!(completed(&workspace, &["--profile", "acme", "tree", "PL-10"]).first().unwrap(), "PL-10");
    assert!(completed(&workspace, &["--profile", "other", "tree", "PL-1"]).is_empty());
    assert_eq!(server.requests().len(), before, "the server is not asked");
}

#[test]
fn completion_ignores_a_faulty_configuration() {
    let workspace = Workspace::new();
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "not toml at all [").unwrap();
    assert!(completed(&workspace, &["--profile", ""]).is_empty());
    assert!(completed(&workspace, &["get", "PL"]).is_empty());
    let mut command = workspace.segtui(&["--", "segtui", ""]);
    let (code, stdout, stderr) = output_of(command.env("SEGTUI_COMPLETE", "no-such-shell"));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

#[test]
fn each_shell_has_a_dynamic_and_a_static_script() {
    let workspace = Workspace::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, asking, _) = workspace.run(&["completions", shell]);
        assert!(code == 0 && asking.contains("SEGTUI_COMPLETE"), "{shell}");
        let (code, fixed, _) = workspace.run(&["completions", shell, "--static"]);
        assert!(code == 0 && !fixed.contains("SEGTUI_COMPLETE") && fixed.contains("serve-demo"), "{shell}");
    }
    let (code, _, stderr) = workspace.run(&["completions", "cmd"]);
    assert_eq!(code, 2, "{stderr}");
}

/// Bash's completions after these pieces of a line, with the script that these flags give. Bash itself splits the line
/// at `=` and `:`.
fn in_bash(workspace: &Workspace, flags: &[&str], pieces: &[&str], line: &str) -> Vec<String> {
    let function = if flags.is_empty() { "_clap_complete_segtui" } else { "_segtui" };
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_segtui")).parent().unwrap().to_str().unwrap();
    let (_, script, _) = workspace.run(&[&["completions", "bash"], flags].concat());
    let file = workspace.home.path().join("script");
    fs::write(&file, script).unwrap();
    let (last, before) = pieces.split_last().unwrap();
    let current = if matches!(*last, "=" | ":") { "" } else { last };
    let script = format!(
        "source '{file}'; COMP_WORDS=({words}); COMP_CWORD={index}; COMP_LINE='{line}'; COMP_POINT={point}; \
         {function} segtui '{current}' '{previous}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file = file.display(),
        words = pieces.iter().map(|piece| format!("'{piece}'")).collect::<Vec<_>>().join(" "),
        index = before.len(),
        point = line.len(),
        previous = before.last().unwrap(),
    );
    let output = Process::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .env("PATH", format!("{bin}:/usr/bin:/bin"))
        .env("HOME", workspace.home.path())
        .current_dir(workspace.home.path())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_with_both_scripts() {
    let workspace = Workspace::new();
    for flags in [&[][..], &["--static"]] {
        assert_eq!(in_bash(&workspace, flags, &["segtui", "serve-d"], "segtui serve-d"), ["serve-demo"], "{flags:?}");
    }
}

#[test]
fn bash_completes_what_it_splits_at_colons_and_equals_signs() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    visited(&workspace, &server);
    let reply = |pieces: &[&str], line: &str| in_bash(&workspace, &[], pieces, line);
    assert_eq!(reply(&["segtui", "plan", "profile", ":"], "segtui plan profile:"), ["acme", "other"]);
    assert_eq!(reply(&["segtui", "diff", "store", ":", "o"], "segtui diff store:o"), ["other"]);
    assert_eq!(reply(&["segtui", "tree", "--profile", "=", "o"], "segtui tree --profile=o"), ["other"]);
    let levels = reply(&["segtui", "check", "--rule", "cycle", "="], "segtui check --rule cycle=");
    assert_eq!(levels, ["off", "warning", "error"]);
}

#[test]
fn targets_sources_rules_and_pages_are_completed() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    visited(&workspace, &server);
    assert_eq!(completed(&workspace, &["apply", "x.csv", "--to", ""]), ["acme", "other"]);
    assert_eq!(completed(&workspace, &["plan", "profile:"]), ["profile:acme", "profile:other"]);
    assert_eq!(completed(&workspace, &["diff", "a.csv", "store:o"]), ["store:other"]);
    // Files are offered as well.
    let folder = workspace.home.path().display().to_string();
    fs::write(workspace.home.path().join("groups.csv"), "").unwrap();
    assert_eq!(completed(&workspace, &["plan", &format!("{folder}/gr")]), [format!("{folder}/groups.csv")]);
    assert_eq!(completed(&workspace, &["plan", "--key", ""]), ["id", "ext", "path"]);
    assert_eq!(completed(&workspace, &["plan", "--encoding", "win"]), ["windows-1250"]);
    assert_eq!(completed(&workspace, &["check", "--rule", "cy"]), ["cycle"]);
    assert_eq!(completed(&workspace, &["check", "--rule", "orphan=e"]), ["orphan=error"]);
    assert_eq!(completed(&workspace, &["man", "serve"]), ["serve-demo"]);
    assert_eq!(completed(&workspace, &["man", "config", "sc"]), ["schema"]);
}

#[test]
fn static_scripts_offer_files_only_for_file_flags() {
    let (_, script, _) = Workspace::new().run(&["completions", "zsh", "--static"]);
    let kind = |flag: &str| {
        let lines: Vec<&str> = script.lines().filter(|line| line.contains(flag)).collect();
        assert!(!lines.is_empty(), "{flag}");
        lines.iter().all(|line| line.contains(":_files") || line.contains(":_default"))
    };
    for flag in ["--profile=[", "--tenant=[", "--to=[", "--approve=[", "--match=[", "--api-key=["] {
        assert!(!kind(flag), "{flag}");
    }
    for flag in ["--ca-file=[", "--rejects=[", "--config=["] {
        assert!(kind(flag), "{flag}");
    }
}

#[test]
fn the_manual_has_a_page_for_the_program_and_for_each_command() {
    let workspace = Workspace::new();
    let (code, page, stderr) = workspace.run(&["man"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        page.contains(".TH segtui 1")
            && page.contains(".SH \"EXIT STATUS\"\n.PP\n.nf\n  0  done")
            && page.contains("segtui\\-watch"),
        "{page}"
    );
    let (code, page, _) = workspace.run(&["man", "config", "show"]);
    assert!(code == 0 && page.contains(".SH SYNOPSIS") && page.contains("\\-\\-output"), "{page}");
    // Commands and tables of the help keep their layout in the page.
    let (_, page, _) = workspace.run(&["man", "find"]);
    for part in [
        ".SH \"EXAMPLES\"\n.PP\n.nf\n  segtui find vip",
        ".SH \"HOW TO SEARCH (QUERY), AS WITH / IN THE TREE\"\n.PP\n.nf\n",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let (code, stdout, stderr) = workspace.run(&["man", "nothing"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("segtui: there is no command nothing\nhint: commands: "), "{stderr}");
    // Neither folder exists yet.
    let folder = workspace.home.path().join("share/man1");
    assert_eq!(workspace.run(&["man", "--dir", folder.to_str().unwrap()]).0, 0);
    for name in ["segtui.1", "segtui-watch.1", "segtui-config-show.1"] {
        assert!(fs::metadata(folder.join(name)).unwrap().len() > 200, "{name}");
    }
    let file = folder.join("segtui.1");
    let (code, _, stderr) = workspace.run(&["man", "--dir", file.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("couldn't write the manual into {}", file.display())), "{stderr}");
}
