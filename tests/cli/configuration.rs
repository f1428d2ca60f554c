//! Arguments, configuration and environment: what is refused, and how.

use std::fs;

use crate::desk::{Workspace, output_of, start_server};

#[test]
fn usage_and_configuration_errors_exit_with_two() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["tree", "--no-such-flag\u{1b}"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "segtui: unexpected argument '--no-such-flag' found\nhint: usage: segtui tree [OPTIONS] [REF]\n"
    );
    assert_eq!(workspace.run(&["export", "--format", "xml"]).0, 2);
    assert_eq!(workspace.run(&["export"]).0, 2);
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[profiles.a]\ntenant = 7\n").unwrap();
    let (code, _, stderr) = workspace.run(&["export"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("config.toml:2:10: expected a text in quotes, not a whole number"), "{stderr}");
    let (code, _, stderr) = workspace.run(&[
        "tree",
        "--base-url",
        "http://one.example",
        "--tenant",
        "t",
        "--api-key",
        "k",
        "--config",
        "/dev/null",
    ]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--insecure-http"), "{stderr}");
}

#[test]
fn the_interface_needs_a_terminal() {
    let (code, _, stderr) = Workspace::new().run(&["--demo"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("needs a terminal"), "{stderr}");
}

#[test]
fn the_demo_also_reports_faults_in_keys_and_themes() {
    let workspace = Workspace::new();
    let folder = workspace.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    for (text, expected) in [
        ("[keys]\nfimd = \"f\"\n", "config.toml:2:1: unknown action `fimd`; did you mean `find`?"),
        ("theme = \"neon\"\n", "config.toml:1:9: unknown theme `neon`; expected dark"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = workspace.run(&["--demo"]);
        assert_eq!(code, 2);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_themes_are_in_the_help() {
    let (_, stdout, _) = Workspace::new().run(&["--help"]);
    assert!(stdout.contains("--theme <NAME>") && stdout.contains("high-contrast"), "{stdout}");
    assert!(stdout.contains("SEGTUI_THEME"), "{stdout}");
    assert_eq!(Workspace::new().run(&["--theme", "neon", "--demo"]).0, 2);
}

#[test]
fn the_environment_is_enough() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    let mut command = workspace.segtui(&["export"]);
    command.env("SEGTUI_BASE_URL", server.base_url() + "/api/v1/account/integrations/auth-required/");
    command.env("SEGTUI_TENANT", server.tenant()).env("SEGTUI_API_KEY", server.api_key());
    assert_eq!(output_of(&mut command).0, 0);
}

#[test]
fn without_a_terminal_a_missing_configuration_is_an_error() {
    let workspace = Workspace::new();
    for arguments in [&[][..], &["tree"], &["export"]] {
        let (code, stdout, stderr) = workspace.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("no tenant is configured yet") && stderr.contains("SEGTUI_BASE_URL"), "{stderr}");
        assert!(stderr.contains("start segtui in a terminal"), "{stderr}");
    }
}
