//! `segtui completions` and `segtui man`: what a shell completes, and the manual.

use std::fs;
use std::process::Command as Process;

use segtui::demo::Server;

use crate::desk::{Desk, serving, told};

/// What is offered for the last of these words.
fn completed(desk: &Desk, words: &[&str]) -> Vec<String> {
    let mut command = desk.segtui(&["--", "segtui"]);
    command.args(words).env("SEGTUI_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let (code, stdout, stderr) = told(command.env("_CLAP_IFS", "\n"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout.lines().map(str::to_owned).collect()
}

/// A home with a profile for a server, of which the cache knows everything.
fn visited(desk: &Desk, server: &Server) {
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[profiles.acme]\nbase_url = \"{}\"\ntenant = \"{}\"\napi_key_command = [\"touch\", \"/nonexistent/asked\"]\n\
         [profiles.other]\nbase_url = \"https://one.example\"\ntenant = \"x\"\napi_key = \"hunter2\"\n",
        server.base_url(),
        server.tenant(),
    );
    fs::write(folder.join("config.toml"), text).unwrap();
}

/// Fills the cache as the interface does: it is the same actor.
fn cached(desk: &Desk, runtime: &tokio::runtime::Runtime, server: &Server) {
    use secrecy::SecretString;
    use segtui::api::{Client, Settings as ApiSettings};
    use segtui::remote::{BaseUrl, InsecureHttp};
    use segtui::sync::{self, Event, Settings};

    let (code, stdout, _) = desk.run(&["doctor", "--json", "--profile", "acme"]);
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
    let desk = Desk::new();
    assert_eq!(completed(&desk, &["exp"]), ["export"]);
    assert!(completed(&desk, &["export", "--fo"]).contains(&"--format".to_owned()));
    let forms = completed(&desk, &["export", "--format", ""]);
    assert!(forms.contains(&"mermaid".to_owned()) && forms.contains(&"csv".to_owned()), "{forms:?}");
    assert_eq!(completed(&desk, &["config", "sh"]), ["show"]);
}

#[test]
fn profiles_and_segments_are_completed_from_what_is_on_this_machine() {
    let (runtime, server) = serving();
    let desk = Desk::new();
    visited(&desk, &server);
    assert_eq!(completed(&desk, &["--profile", ""]), ["acme", "other"]);
    assert_eq!(completed(&desk, &["tree", "--profile", "o"]), ["other"]);
    assert!(completed(&desk, &["--profile", "acme", "get", "PL-1"]).is_empty(), "nothing was seen yet");
    cached(&desk, &runtime, &server);
    let before = server.requests().len();
    let found = completed(&desk, &["get", "--profile", "acme", "PL-1"]);
    assert!(found.len() > 1 && found.iter().all(|text| text.starts_with("PL-1")), "{found:?}");
    assert!(found.contains(&"PL-10".to_owned()), "{found:?}");
    assert_eq!(completed(&desk, &["--profile", "acme", "tree", "PL-10"]).first().unwrap(), "PL-10");
    assert!(completed(&desk, &["--profile", "other", "tree", "PL-1"]).is_empty());
    assert_eq!(server.requests().len(), before, "the server is not asked");
}

#[test]
fn a_faulty_configuration_says_nothing_into_the_line() {
    let desk = Desk::new();
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "not toml at all [").unwrap();
    assert!(completed(&desk, &["--profile", ""]).is_empty());
    assert!(completed(&desk, &["get", "PL"]).is_empty());
    let mut command = desk.segtui(&["--", "segtui", ""]);
    let (code, stdout, stderr) = told(command.env("SEGTUI_COMPLETE", "no-such-shell"));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

#[test]
fn each_shell_has_a_script_that_asks_and_one_that_does_not() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, asking, _) = desk.run(&["completions", shell]);
        assert!(code == 0 && asking.contains("SEGTUI_COMPLETE"), "{shell}");
        let (code, fixed, _) = desk.run(&["completions", shell, "--static"]);
        assert!(code == 0 && !fixed.contains("SEGTUI_COMPLETE") && fixed.contains("serve-demo"), "{shell}");
    }
    let (code, _, stderr) = desk.run(&["completions", "cmd"]);
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn bash_completes_with_both_scripts() {
    let desk = Desk::new();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_segtui")).parent().unwrap().to_str().unwrap();
    for (flags, function) in [(&[][..], "_clap_complete_segtui"), (&["--static"], "_segtui")] {
        let (_, script, _) = desk.run(&[&["completions", "bash"], flags].concat());
        let file = desk.home.path().join("script");
        fs::write(&file, script).unwrap();
        let line = format!(
            "source '{}'; COMP_WORDS=(segtui serve-d); COMP_CWORD=1; {function} segtui serve-d segtui; echo \"${{COMPREPLY[*]}}\"",
            file.display()
        );
        let output = Process::new("bash")
            .args(["--norc", "-c", &line])
            .env_clear()
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .env("HOME", desk.home.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "serve-demo\n", "{flags:?}");
    }
}

#[test]
fn the_manual_has_a_page_for_the_program_and_for_each_command() {
    let desk = Desk::new();
    let (code, page, stderr) = desk.run(&["man"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(page.contains(".TH segtui 1") && page.contains("Exit codes") && page.contains("segtui\\-watch"), "{page}");
    let (code, page, _) = desk.run(&["man", "config", "show"]);
    assert!(code == 0 && page.contains(".SH SYNOPSIS") && page.contains("\\-\\-output"), "{page}");
    let (code, stdout, stderr) = desk.run(&["man", "nothing"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("segtui: there is no command nothing\nhint: commands: "), "{stderr}");
    // Neither is there yet.
    let folder = desk.home.path().join("share/man1");
    assert_eq!(desk.run(&["man", "--dir", folder.to_str().unwrap()]).0, 0);
    for name in ["segtui.1", "segtui-watch.1", "segtui-config-show.1"] {
        assert!(fs::metadata(folder.join(name)).unwrap().len() > 200, "{name}");
    }
    let file = folder.join("segtui.1");
    let (code, _, stderr) = desk.run(&["man", "--dir", file.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("couldn't write the manual into {}", file.display())), "{stderr}");
}
