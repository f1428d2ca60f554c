//! Arguments, configuration and environment: what is refused, and how.

use std::fs;

use crate::desk::{Desk, serving, told};

#[test]
fn usage_and_configuration_errors_exit_with_two() {
    let desk = Desk::new();
    let (code, stdout, stderr) = desk.run(&["tree", "--no-such-flag\u{1b}"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "segtui: unexpected argument '--no-such-flag' found\nhint: usage: segtui tree [OPTIONS] [REF]\n"
    );
    assert_eq!(desk.run(&["export", "--format", "xml"]).0, 2);
    assert_eq!(desk.run(&["export"]).0, 2);
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[profiles.a]\ntenant = 7\n").unwrap();
    let (code, _, stderr) = desk.run(&["export"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("config.toml:2:10: expected a text in quotes, not a whole number"), "{stderr}");
    let (code, _, stderr) = desk.run(&[
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
    let (code, _, stderr) = Desk::new().run(&["--demo"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("needs a terminal"), "{stderr}");
}

#[test]
fn the_demo_also_reports_faults_in_keys_and_themes() {
    let desk = Desk::new();
    let folder = desk.home.path().join(".config/segtui");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    for (text, expected) in [
        ("[keys]\nfimd = \"f\"\n", "config.toml:2:1: unknown action `fimd`; did you mean `find`?"),
        ("theme = \"neon\"\n", "config.toml:1:9: unknown theme `neon`; expected dark"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = desk.run(&["--demo"]);
        assert_eq!(code, 2);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_themes_are_in_the_help() {
    let (_, stdout, _) = Desk::new().run(&["--help"]);
    assert!(stdout.contains("--theme <NAME>") && stdout.contains("high-contrast"), "{stdout}");
    assert!(stdout.contains("SEGTUI_THEME"), "{stdout}");
    assert_eq!(Desk::new().run(&["--theme", "neon", "--demo"]).0, 2);
}

#[test]
fn the_environment_is_enough() {
    let (_runtime, server) = serving();
    let desk = Desk::new();
    let mut command = desk.segtui(&["export"]);
    command.env("SEGTUI_BASE_URL", server.base_url() + "/api/v1/account/integrations/auth-required/");
    command.env("SEGTUI_TENANT", server.tenant()).env("SEGTUI_API_KEY", server.api_key());
    assert_eq!(told(&mut command).0, 0);
}

#[test]
fn without_a_terminal_a_missing_configuration_is_an_error() {
    let desk = Desk::new();
    for arguments in [&[][..], &["tree"], &["export"]] {
        let (code, stdout, stderr) = desk.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("no tenant is configured yet") && stderr.contains("SEGTUI_BASE_URL"), "{stderr}");
        assert!(stderr.contains("start segtui in a terminal"), "{stderr}");
    }
}
