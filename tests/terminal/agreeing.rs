//! Commands that change something ask first at a terminal.

use std::fs;

use segtui::demo::{Options, Server};
use segtui::segment::{Segment, SegmentId};

use super::pty::Pty;
use super::{CTRL_U, Demo};

#[test]
fn apply_asks_first_and_protected_profiles_need_the_tenant() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let id = SegmentId::new("vip").unwrap();
    let vip = Segment { id, name: "VIP".into(), external_id: Some("V".into()), parent: None };
    let options = Options { load: Some(vec![vip]), tenant: "acme".into(), ..Options::default() };
    let server = runtime.block_on(Server::start(options)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/segtui");
    fs::create_dir_all(&config).unwrap();
    let profile = |name: &str, protected: bool| {
        format!(
            "[profiles.{name}]\nbase_url = \"{}\"\ntenant = \"acme\"\napi_key_env = \"SEGTUI_API_KEY\"\nprotected = {protected}\n",
            server.base_url()
        )
    };
    fs::write(config.join("config.toml"), profile("test", false) + &profile("prod", true)).unwrap();
    let file = |name: &str| {
        let path = home.path().join("a.csv");
        fs::write(&path, format!("externalId,name\nV,{name}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let environment =
        [("SEGTUI_API_KEY", server.api_key().to_owned()), ("HOME", home.path().to_str().unwrap().to_owned())];
    let apply = |name: &str, profile: &str, question: &str, answer: &str| {
        let path = file(name);
        let mut pty = Pty::start(100, 30, &["apply", &path, "--profile", profile], &environment);
        pty.wait_for(&format!("name: VIP → {name}"));
        pty.wait_for(question);
        pty.type_text(answer);
        pty.exit_code()
    };
    let name = || server.segments()[0].name.to_string();
    assert_eq!(apply("Best", "test", "Apply 1 change to acme? [y/N]", "\r"), 6);
    assert_eq!(apply("Best", "prod", "Type the tenant's name (acme):", "yes\r"), 6);
    assert_eq!(name(), "VIP");
    assert!(server.history().is_empty());
    assert_eq!(apply("Best", "prod", "Type the tenant's name (acme):", "acme\r"), 0);
    assert_eq!(name(), "Best");
    let mut undo = Pty::start(100, 30, &["undo", "--profile", "test"], &environment);
    undo.wait_for("name: Best → VIP");
    undo.wait_for("Apply 1 change to acme? [y/N]");
    undo.type_text("y\r");
    assert_eq!(undo.exit_code(), 0);
    assert_eq!(name(), "VIP");
}

#[test]
fn commands_list_and_undo_changes_made_in_the_interface() {
    let (home, demo) = (tempfile::tempdir().unwrap(), Demo::start());
    let mut environment = demo.variables().to_vec();
    environment.push(("HOME", home.path().to_str().unwrap().to_owned()));
    let mut tree = Pty::start(140, 40, &["--poll", "0.2"], &environment);
    tree.wait_for("● live");
    tree.type_text("/zgierz\r");
    tree.wait_for("Zgierz");
    tree.type_text("r");
    tree.type_text(CTRL_U);
    tree.type_text("Mine\r");
    tree.wait_for("Renamed");
    // While the tree is open, a command reads what it has written.
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(super::pty::program());
        command.env_clear().envs(environment.clone()).args(arguments);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stdout, stderr) = run(&["history"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("1 updated") && stdout.to_lowercase().contains("zgierz"), "{stdout}");
    let (code, stdout, stderr) = run(&["undo", "--yes"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    tree.wait_for("Zgierz");
    assert!(demo.server.segments().iter().any(|segment| segment.name == "Zgierz"));
    tree.type_text("q");
    assert_eq!(tree.exit_code(), 0);
}
