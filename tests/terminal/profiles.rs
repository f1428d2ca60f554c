//! The form for a first profile, and switching between profiles, on real demo servers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::http::Method;
use segtui::demo::{InjectedFault, Options, Server};
use tempfile::TempDir;

use crate::pty::Pty;
use crate::{CTRL_U, Demo, ENTER, TAB};

const CTRL_S: &str = "\x13";
const CTRL_T: &str = "\x14";
const ESC: &str = "\x1b";
const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";

/// A home folder for one test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_config(text: &str) -> Self {
        let home = Self::new();
        fs::create_dir_all(home.config().parent().unwrap()).unwrap();
        fs::write(home.config(), text).unwrap();
        home
    }

    fn config(&self) -> PathBuf {
        self.0.path().join(".config/segtui/config.toml")
    }

    /// Starts the program without any keyring tool, unless the environment brings one.
    fn start(&self, environment: &[(&'static str, String)]) -> Pty {
        let home = self.0.path().to_str().unwrap().to_owned();
        let nowhere = ("PATH", "/nonexistent".to_owned());
        Pty::start(100, 30, &[], &[&[("HOME", home), nowhere], environment].concat())
    }

    /// All files in the home that contain a text.
    fn holding(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
                    found.push(path);
                }
            }
        }
        found
    }
}

/// Fills in the form that has just opened, with the key kept as plain text, and submits it.
fn fill_in(pty: &mut Pty, base_url: &str, tenant: &str, key: &str) {
    pty.wait_for("Let's connect to your tenant");
    pty.type_text(&format!("{CTRL_U}{base_url}{TAB}{tenant}{TAB}first{TAB}{key}{TAB}"));
    pty.type_text(LEFT);
    pty.wait_for("config file (plain text)");
    pty.type_text(ENTER);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_first_profile_is_tested_then_saved_privately_and_opened() {
    let demo = Demo::start();
    let home = Home::new();
    let mut pty = home.start(&[]);
    fill_in(&mut pty, &demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    pty.wait_for("290 segments   ● live");
    pty.wait_for("· first");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert_eq!(home.holding(demo.server.api_key()), [home.config()]);
    assert_eq!(mode(&home.config()), 0o600);
    assert!(!pty.output().contains(demo.server.api_key()));

    let mut pty = home.start(&[]);
    pty.wait_for("290 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_key_that_others_can_read_is_reported_at_startup() {
    let demo = Demo::start();
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    let profile = format!("[profiles.a]\nbase_url = \"{url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n");
    let home = Home::with_config(&profile);
    for (mode, is_named) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(home.config(), fs::Permissions::from_mode(mode)).unwrap();
        let mut pty = home.start(&[]);
        pty.wait_for("290 segments   ● live");
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
        let output = pty.complete_output();
        let before = output.split("\x1b[?1049h").next().unwrap();
        assert_eq!(before.contains("has an API key and others can access it (mode 0644)"), is_named, "{before}");
    }
}

#[test]
fn a_key_from_a_variable_or_a_command_is_in_no_file() {
    let demo = Demo::start();
    let tools = tempfile::tempdir().unwrap();
    let script = format!("#!/bin/sh\necho '{}'\n", demo.server.api_key());
    let tool = executable(tools.path(), "tell-key", &script);
    for (moves, leads) in [(RIGHT, "ACME_KEY".to_owned()), ("\x1b[C\x1b[C", tool)] {
        let home = Home::new();
        let mut pty = home.start(&[("ACME_KEY", demo.server.api_key().to_owned())]);
        pty.wait_for("Let's connect to your tenant");
        let (url, tenant) = (demo.server.base_url(), demo.server.tenant());
        pty.type_text(&format!("{CTRL_U}{url}{TAB}{tenant}{TAB}{TAB}{TAB}{moves}{TAB}{leads}{ENTER}"));
        pty.wait_for("290 segments   ● live");
        pty.type_text("q");
        assert_eq!(pty.exit_code(), 0);
        assert!(home.holding(demo.server.api_key()).is_empty());
        assert!(fs::read_to_string(home.config()).unwrap().contains(&leads));
    }
}

fn executable(folder: &Path, name: &str, script: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_key_for_one_session_is_in_no_file_and_asked_for_again() {
    let demo = Demo::start();
    let second = second(&demo);
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    let home = Home::new();
    let mut pty = home.start(&[]);
    pty.wait_for("this session only");
    pty.type_text(&format!("{CTRL_U}{url}{TAB}{tenant}{TAB}one{TAB}{key}{ENTER}"));
    pty.wait_for("290 segments   ● live");
    pty.wait_for("· one");
    assert!(fs::read_to_string(home.config()).unwrap().contains("[profiles.one]"));
    assert!(home.holding(key).is_empty());

    // A second profile with its own key, and back to the first: neither key is asked for again.
    pty.type_text(&format!("Pnew{ENTER}"));
    pty.wait_for("New profile");
    let (other_url, other_tenant, other_key) = (second.base_url(), second.tenant(), second.api_key());
    pty.type_text(&format!("{other_url}{TAB}{other_tenant}{TAB}two{TAB}{other_key}{ENTER}"));
    pty.wait_for("12 segments   ● live");
    for (name, shown) in [("one", "290 segments   ● live"), ("two", "12 segments   ● live")] {
        pty.type_text(&format!("P{name}{ENTER}"));
        pty.wait_for(shown);
        pty.wait_for(&format!("· {name}"));
    }
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(home.holding(key).is_empty() && home.holding(other_key).is_empty());
    assert!(!pty.output().contains(key));

    // The next session starts by asking for the first profile's key.
    let mut pty = home.start(&[]);
    pty.wait_for("API key for one");
    pty.wait_for("http://127.0.0.1");
    pty.type_text(&format!("wrong:key{ENTER}"));
    pty.wait_for("rejected the key");
    pty.type_text(&format!("{CTRL_U}{key}{ENTER}"));
    pty.wait_for("290 segments   ● live");
    // The other profile's key is asked for on the first switch to it; cancelling stays in the current profile.
    pty.type_text(&format!("Ptwo{ENTER}"));
    pty.wait_for("API key for two");
    pty.type_text(ESC);
    pty.wait_for("290 segments   ● live");
    pty.wait_for("· one");
    pty.type_text(&format!("Ptwo{ENTER}"));
    pty.wait_for("API key for two");
    pty.type_text(&format!("{other_key}{ENTER}"));
    pty.wait_for("12 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(home.holding(key).is_empty() && home.holding(other_key).is_empty());
    assert!(!pty.output().contains(key));
}

#[test]
fn cancelling_the_key_prompt_at_startup_ends_the_program() {
    let home = Home::with_config("[profiles.one]\nbase_url = \"https://one.example\"\ntenant = \"acme\"\n");
    let mut pty = home.start(&[]);
    pty.wait_for("API key for one");
    pty.type_text(ESC);
    assert_eq!(pty.exit_code(), 0);
}

/// Stands in for `secret-tool`: stores what it is given, and prints it on lookup.
const KEYRING: &str = r#"#!/bin/sh
case "$1" in
    store) /bin/cat > "$KEYRING_FILE" ;;
    lookup) /bin/cat "$KEYRING_FILE" ;;
esac
"#;

#[cfg(not(target_os = "macos"))]
#[test]
fn a_key_in_the_keyring_is_in_no_file_and_read_at_each_start() {
    let demo = Demo::start();
    let home = Home::new();
    let tools = tempfile::tempdir().unwrap();
    executable(tools.path(), "secret-tool", KEYRING);
    let environment = [
        ("PATH", tools.path().to_str().unwrap().to_owned()),
        ("KEYRING_FILE", tools.path().join("kept").to_str().unwrap().to_owned()),
    ];
    let mut pty = home.start(&environment);
    pty.wait_for("system keyring");
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    pty.type_text(&format!("{CTRL_U}{url}{TAB}{tenant}{TAB}{TAB}{key}{ENTER}"));
    pty.wait_for("290 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(home.holding(key).is_empty());
    assert_eq!(fs::read_to_string(tools.path().join("kept")).unwrap(), key);

    let mut pty = home.start(&environment);
    pty.wait_for("290 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_failing_keyring_is_reported_and_nothing_is_written() {
    let demo = Demo::start();
    let home = Home::new();
    let tools = tempfile::tempdir().unwrap();
    executable(tools.path(), "secret-tool", "#!/bin/sh\necho 'Cannot autolaunch D-Bus' >&2\nexit 1\n");
    let mut pty = home.start(&[("PATH", tools.path().to_str().unwrap().to_owned())]);
    pty.wait_for("system keyring");
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    pty.type_text(&format!("{CTRL_U}{url}{TAB}{tenant}{TAB}{TAB}{key}{ENTER}"));
    pty.wait_for("autolaunch D-Bus");
    pty.wait_for("another place");
    assert!(!home.config().exists());
    pty.type_text(ESC);
    assert_eq!(pty.exit_code(), 0);
    assert!(!home.config().exists() && home.holding(key).is_empty());
}

#[test]
fn each_connection_failure_has_a_message_and_writes_nothing() {
    let demo = Demo::start();
    let (url, tenant, key) = (demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let path = format!("{url}/elsewhere");
    let tls = url.replace("http://", "https://");
    for (url, tenant, key, words) in [
        (url.as_str(), tenant, "wrong:key", "rejected the key "),
        (&url, "nobody", key, "rejected tenant "),
        (&path, tenant, key, "There is a server at "),
        (&nobody, tenant, key, "Connection refused: "),
        (&tls, tenant, key, "it seems to speak plain"),
        ("https://no-such-host.invalid", tenant, key, "Host not found: "),
    ] {
        let home = Home::new();
        let mut pty = home.start(&[]);
        fill_in(&mut pty, url, tenant, key);
        pty.wait_for(words);
        pty.type_text(ESC);
        assert_eq!(pty.exit_code(), 0);
        assert!(!home.config().parent().unwrap().exists());
        assert!(home.holding(key).is_empty());
    }
}

#[test]
fn a_profile_that_failed_its_test_can_be_saved_anyway() {
    let demo = Demo::start();
    let home = Home::new();
    let mut pty = home.start(&[]);
    let refuse = InjectedFault::Refuse { on: (Method::GET, "segments?"), status: 500, retry_after: None };
    demo.server.inject_fault(refuse);
    fill_in(&mut pty, &demo.server.base_url(), demo.server.tenant(), demo.server.api_key());
    pty.wait_for("internal error (500");
    assert!(!home.config().exists());
    pty.type_text(CTRL_S);
    pty.wait_for("290 segments   ● live");
    assert!(home.config().exists());
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn cancelling_the_form_leaves_only_the_log() {
    for key in [ESC, "\x03"] {
        let home = Home::new();
        let mut pty = home.start(&[]);
        pty.wait_for("Let's connect to your tenant");
        pty.type_text("one.example");
        pty.type_text(key);
        assert_eq!(pty.exit_code(), 0);
        let left: Vec<_> = fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".local"]);
        assert!(home.holding("one.example").is_empty());
    }
}

#[test]
fn one_key_opens_the_demo_instead() {
    let home = Home::new();
    let mut pty = home.start(&[]);
    pty.wait_for("Let's connect to your tenant");
    pty.type_text(CTRL_T);
    pty.wait_for("demo-wholesale · 127.0.0.1");
    pty.wait_for("● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(!home.config().exists());
}

/// A second server with its own tenant.
fn second(demo: &Demo) -> Server {
    let options = Options { tenant: "second-tenant".into(), segments: Some(12), ..Options::default() };
    demo.runtime.block_on(Server::start(options)).unwrap()
}

fn two_profiles(first: &Server, second: &Server) -> String {
    let profile = |name: &str, server: &Server| {
        let (url, tenant, key) = (server.base_url(), server.tenant(), server.api_key());
        format!("[profiles.{name}]\nbase_url = \"{url}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\npoll = 0.2\n")
    };
    format!("default_profile = \"one\"\n\n{}\n{}", profile("one", first), profile("two", second))
}

#[test]
fn switching_profiles_asks_about_unsent_changes_first() {
    let demo = Demo::start();
    let second = second(&demo);
    let home = Home::with_config(&two_profiles(&demo.server, &second));
    let mut pty = home.start(&[]);
    pty.wait_for("290 segments   ● live");
    pty.type_text("P");
    pty.wait_for("Switch profile");
    pty.type_text(&format!("second{ENTER}"));
    pty.wait_for("12 segments   ● live");
    pty.wait_for("second-tenant");
    pty.type_text(&format!("Pone{ENTER}"));
    pty.wait_for("290 segments   ● live");

    // A change that the server refuses and that stays pending.
    let refuse = InjectedFault::Refuse { on: (Method::PUT, ""), status: 409, retry_after: None };
    demo.server.inject_fault(refuse);
    pty.type_text("/vip client\r");
    pty.wait_for("/ vip client · 1 of");
    pty.type_text(&format!("r!{ENTER}"));
    // No dialog opens by itself, so the keys go to the tree.
    pty.wait_for("Couldn't rename");
    pty.type_text(&format!("Ptwo{ENTER}"));
    pty.wait_for("Switch?");
    pty.type_text(ESC);
    pty.wait_until_gone("Switch?");
    pty.type_text(&format!("Ptwo{ENTER}"));
    pty.wait_for("Switch?");
    pty.type_text("s");
    pty.wait_for("12 segments   ● live");
    assert!(!pty.output().contains("\x1b[?1049l"), "the alternate screen was left in between");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_profile_that_cannot_be_opened_keeps_the_current_one() {
    let demo = Demo::start();
    let second = second(&demo);
    let text = two_profiles(&demo.server, &second)
        + "[profiles.broken]\nbase_url = \"https://x.example\"\ntenant = \"x\"\napi_key_env = \"NOT_SET\"\n";
    let home = Home::with_config(&text);
    let mut pty = home.start(&[]);
    pty.wait_for("290 segments   ● live");
    pty.type_text(&format!("Pbroken{ENTER}"));
    pty.wait_for("Couldn't open broken: the API key comes from the environment variable NOT_SET");
    pty.wait_for("290 segments   ● live");
    pty.type_text(ESC);
    pty.wait_until_gone("environment variable NOT_SET");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn adding_a_profile_keeps_the_rest_of_the_config() {
    let demo = Demo::start();
    let second = second(&demo);
    let before = format!("# mine\n{}", two_profiles(&demo.server, &second));
    let home = Home::with_config(&before);
    let mut pty = home.start(&[("ACME_KEY", second.api_key().to_owned())]);
    pty.wait_for("290 segments   ● live");
    pty.type_text(&format!("Pnew{ENTER}"));
    // Not the form's title, since the list has an entry of that name.
    pty.wait_for("The connection is tested");
    pty.type_text(ESC);
    pty.wait_for("290 segments   ● live");
    pty.type_text(&format!("Pnew{ENTER}"));
    // Not the form's title, since the list has an entry of that name.
    pty.wait_for("The connection is tested");
    let (url, tenant) = (second.base_url(), second.tenant());
    pty.type_text(&format!("{CTRL_U}{url}{TAB}{tenant}{TAB}third{TAB}{TAB}{RIGHT}{TAB}ACME_KEY{ENTER}"));
    pty.wait_for("12 segments   ● live");
    pty.wait_for("· third");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
    let after = fs::read_to_string(home.config()).unwrap();
    assert!(after.starts_with(before.trim_end()), "{after}");
}

#[test]
fn keys_typed_ahead_of_the_form_do_not_reach_the_tree() {
    let demo = Demo::start();
    let second = second(&demo);
    let home = Home::with_config(&two_profiles(&demo.server, &second));
    let mut pty = home.start(&[]);
    pty.wait_for("290 segments   ● live");
    pty.type_text(&format!("/zgierz{ENTER}"));
    pty.wait_for("/ zgierz · 1 of 1");
    pty.type_text(&format!("r{CTRL_U}Renamed{ENTER}"));
    pty.wait_for("Renamed Zgierz");
    pty.type_text(&format!("Pnew{ENTER}uuu"));
    pty.wait_for("New profile");
    pty.type_text(ESC);
    pty.wait_for("● live");
    assert!(demo.named("Renamed").is_some());
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn an_exact_profile_name_wins_over_a_protected_partial_match() {
    let demo = Demo::start();
    let second = second(&demo);
    let config = two_profiles(&demo.server, &second)
        .replace("default_profile = \"one\"", "default_profile = \"prod\"")
        .replace("[profiles.one]", "[profiles.prod]\nprotected = true")
        .replace("[profiles.two]", "[profiles.ro]");
    let home = Home::with_config(&config);
    let mut pty = home.start(&[]);
    pty.wait_for("290 segments   ● live");
    pty.type_text("P");
    pty.wait_for("Switch profile");
    pty.type_text(&format!("ro{ENTER}"));
    pty.wait_for("12 segments   ● live");
    pty.wait_for("second-tenant");
    pty.wait_until_gone("protected");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
