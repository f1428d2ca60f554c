//! Ways to a server: private certificate authorities, proxies, and where the key comes from. Each with the real
//! program.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]
#![cfg(unix)]

mod fronts;
#[path = "../common/site.rs"]
mod site;

use std::fs;
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use segtui::demo::Options;
use tempfile::TempDir;

use fronts::{Asking, Certificate, Socks, Tls};
use site::ServerRuntime;

/// A demo server, and an empty home.
struct Workspace {
    site: ServerRuntime,
    home: TempDir,
}

impl Deref for Workspace {
    type Target = ServerRuntime;

    fn deref(&self) -> &ServerRuntime {
        &self.site
    }
}

impl Workspace {
    fn new() -> Self {
        Self { site: ServerRuntime::with(Options::default()), home: tempfile::tempdir().unwrap() }
    }

    fn address(&self) -> SocketAddr {
        self.server.base_url().strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap()
    }

    fn tls(&self, certificate: Certificate) -> Tls {
        self.runtime.block_on(Tls::start(certificate, self.address()))
    }

    fn socks(&self) -> Socks {
        self.runtime.block_on(Socks::start(self.address()))
    }

    /// The program with a tenant and no other setting in its environment.
    fn segtui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segtui"));
        command.env_clear().env("HOME", self.home.path()).env("SEGTUI_TENANT", self.server.tenant()).args(arguments);
        command
    }

    fn with_key(&self, arguments: &[&str]) -> Command {
        let mut command = self.segtui(arguments);
        // The URL is that of the front before the server.
        command.envs(self.variables()).env_remove("SEGTUI_BASE_URL");
        command
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

/// Exit code, stdout and stderr.
fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn succeeds(command: &mut Command) {
    let (code, stdout, stderr) = outcome(command);
    assert_eq!((code, stdout.contains("Podhurt")), (0, true), "{stderr}");
}

/// The stderr of a failed command, which never contains the key.
fn refusal(workspace: &Workspace, command: &mut Command, expected: i32) -> String {
    let (code, stdout, stderr) = outcome(command);
    assert_eq!((code, stdout.as_str()), (expected, ""), "{stderr}");
    assert!(!stderr.contains(workspace.server.api_key()), "{stderr}");
    stderr
}

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/connection/ca.pem");

#[test]
fn a_ca_file_is_trusted_by_flag_variable_or_profile() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let url = format!("https://localhost:{}", front.port());
    succeeds(&mut workspace.with_key(&["tree", "--base-url", &url, "--ca-file", CA]));
    succeeds(workspace.with_key(&["tree", "--base-url", &url]).env("SEGTUI_CA_FILE", CA));
    fs::copy(CA, workspace.file(".config/segtui/own/ca.pem", "", 0o600)).unwrap();
    // Relative to the file that names it, wherever the program is started.
    let profile = format!("[profiles.acme]\nbase_url = \"{url}\"\nca_file = \"own/ca.pem\"\n");
    workspace.file(".config/segtui/config.toml", &profile, 0o600);
    succeeds(workspace.with_key(&["tree"]).current_dir("/"));
    workspace.file(".config/segtui/config.toml", &profile.replace("own/", "~/.config/segtui/own/"), 0o600);
    succeeds(&mut workspace.with_key(&["tree"]));
}

#[test]
fn a_ca_file_applies_to_profiles_named_as_arguments() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let profile = |name: &str| {
        let (port, tenant, key) = (front.port(), workspace.server.tenant(), workspace.server.api_key());
        format!(
            "[profiles.{name}]\nbase_url = \"https://localhost:{port}\"\ntenant = \"{tenant}\"\napi_key = \"{key}\"\n"
        )
    };
    workspace.file(".config/segtui/config.toml", &(profile("one") + &profile("two")), 0o600);
    let file = workspace.file("new.csv", "externalId,name\nNEW-1,New\n", 0o600);
    let plan = ["plan", file.to_str().unwrap(), "--to", "one"];
    for arguments in [&plan[..], &["diff", "profile:one", "profile:two"]] {
        let (code, stdout, stderr) = outcome(&mut workspace.segtui(&[arguments, &["--ca-file", CA]].concat()));
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}: {stdout}");
        let (code, stdout, stderr) = outcome(workspace.segtui(arguments).env("SEGTUI_CA_FILE", CA));
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}: {stdout}");
    }
    // So does `--insecure-http`, which the refusal names.
    let http = "[profiles.one]\nbase_url = \"http://192.0.2.7\"\ntenant = \"t\"\napi_key = \"k\"\n";
    workspace.file(".config/segtui/config.toml", http, 0o600);
    assert!(refusal(&workspace, &mut workspace.segtui(&plan), USAGE).contains("--insecure-http"));
    let proxy = workspace.socks();
    let mut allowed = workspace.segtui(&[&plan[..], &["--insecure-http"]].concat());
    outcome(allowed.env("http_proxy", format!("socks5://127.0.0.1:{}", proxy.port())));
    assert!(proxy.targets().contains(&"192.0.2.7:80".to_owned()));
}

#[test]
fn unknown_issuers_and_expired_certificates_are_refused() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let url = format!("https://localhost:{}", front.port());
    // Only another authority is trusted, so that the system's store does not matter.
    let nothing = workspace.file("roots.pem", &fs::read_to_string("src/config/roots/test-ca.pem").unwrap(), 0o600);
    let stderr = refusal(
        &workspace,
        workspace.with_key(&["tree", "--base-url", &url]).env("SSL_CERT_FILE", nothing),
        UNREACHABLE,
    );
    assert!(
        stderr.contains("the certificate's issuer isn't trusted") && stderr.contains("hint: if a company or"),
        "{stderr}"
    );
    let front = workspace.tls(Certificate::Expired);
    let url = format!("https://localhost:{}", front.port());
    let stderr =
        refusal(&workspace, &mut workspace.with_key(&["tree", "--base-url", &url, "--ca-file", CA]), UNREACHABLE);
    assert!(
        stderr.contains("the certificate has expired") && stderr.contains("hint: the server needs a new"),
        "{stderr}"
    );
    assert!(workspace.server.requests().is_empty(), "nothing is sent to a server that is not trusted");
}

#[test]
fn each_connection_obstacle_has_plain_words_and_a_hint() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let says = |command: &mut Command, why: &str, hint: &str| {
        let stderr = refusal(&workspace, command, UNREACHABLE);
        assert!(stderr.contains(why) && stderr.contains(&format!("\nhint: {hint}")), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    };
    let tree = |url: &str| workspace.with_key(&["tree", "--ca-file", CA, "--insecure-http", "--base-url", url]);
    let proxy = workspace.runtime.block_on(Socks::start(front.address()));
    says(
        tree("https://other.example").env("ALL_PROXY", format!("socks5h://127.0.0.1:{}", proxy.port())),
        "not for other.example",
        "check the host in the base URL",
    );
    let (plain, tls) = (workspace.address().port(), front.port());
    says(
        &mut tree(&format!("https://localhost:{plain}")),
        "what answers there is not encrypted",
        "check that the base URL is https on the right port",
    );
    says(
        &mut tree(&format!("http://localhost:{tls}")),
        "doesn't speak HTTP",
        "check the base URL: start it with https",
    );
    // A proxy that requires authentication.
    let asking = workspace.runtime.block_on(Asking::start());
    let address = format!("http://me:hunter2@127.0.0.1:{}", asking.port());
    for url in ["https://one.example", "http://one.example"] {
        says(tree(url).env("ALL_PROXY", &address), "", "put the user name and password into the variable");
    }
    let (code, report, text) = diagnosis(
        workspace.with_key(&["doctor", "--json", "--base-url", "https://one.example"]).env("HTTPS_PROXY", &address),
    );
    let seen = check(&report, "tls");
    assert_eq!(code, UNREACHABLE, "{text}");
    assert!(seen["message"].as_str().unwrap().contains("it wants a user name and a password"), "{seen}");
    assert!(seen["hint"].as_str().unwrap().starts_with("put the user name and password"), "{seen}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn an_unusable_proxy_is_an_error_and_not_skipped() {
    let workspace = Workspace::new();
    let tree = ["tree", "--base-url", "https://one.example"];
    for (variable, value) in [("HTTPS_PROXY", "ftp://me:hunter2@p.example"), ("all_proxy", "gibberish::hunter2")] {
        let stderr = refusal(&workspace, workspace.with_key(&tree).env(variable, value), USAGE);
        assert!(stderr.starts_with(&format!("segtui: {variable} names no proxy that can be used: ")), "{stderr}");
        assert!(stderr.contains("\nhint: ") && !stderr.contains("hunter2"), "{stderr}");
        let mut doctor = workspace.with_key(&["doctor", "--json", "--base-url", "https://one.example"]);
        let (code, report, text) = diagnosis(doctor.env(variable, value));
        assert_eq!((code, &check(&report, "proxy")["status"]), (USAGE, &"failed".into()), "{text}");
        assert_eq!(check(&report, "page")["status"], "skipped", "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    // It doesn't matter where no proxy is used.
    succeeds(
        workspace.with_key(&["tree", "--base-url", &workspace.server.base_url()]).env("ALL_PROXY", "ftp://p.example"),
    );
    let mut excepted = workspace.with_key(&tree);
    excepted.env("HTTPS_PROXY", "ftp://p.example").env("NO_PROXY", "one.example");
    assert!(!refusal(&workspace, &mut excepted, UNREACHABLE).contains("PROXY names"));
}

#[test]
fn an_unusable_ca_file_is_named_with_the_reason() {
    let workspace = Workspace::new();
    let run = |path: &Path| {
        let flags = ["tree", "--base-url", "https://localhost:1", "--ca-file", path.to_str().unwrap()];
        refusal(&workspace, &mut workspace.with_key(&flags), USAGE)
    };
    let stderr = run(Path::new("/nonexistent/ca.pem"));
    assert!(stderr.contains("couldn't use the CA file /nonexistent/ca.pem"), "{stderr}");
    let stderr = run(&workspace.file("key.pem", include_str!("server.key"), 0o600));
    assert!(stderr.contains("it holds a private key, not a certificate"), "{stderr}");
}

#[test]
fn a_key_file_is_named_by_a_variable_or_the_profile() {
    let workspace = Workspace::new();
    let url = workspace.server.base_url();
    let file = workspace.file("secrets/key", &format!("{}\n# the ERP's\n", workspace.server.api_key()), 0o600);
    succeeds(workspace.segtui(&["tree", "--base-url", &url]).env("SEGTUI_API_KEY_FILE", &file));
    let profile = format!("[profiles.acme]\nbase_url = \"{url}\"\napi_key_file = \"~/secrets/key\"\n");
    workspace.file(".config/segtui/config.toml", &profile, 0o600);
    succeeds(&mut workspace.segtui(&["tree"]));
    let stderr = refusal(&workspace, workspace.with_key(&["tree"]).env("SEGTUI_API_KEY_FILE", &file), USAGE);
    assert!(
        stderr.contains("both SEGTUI_API_KEY and SEGTUI_API_KEY_FILE are set\nhint: unset SEGTUI_API_KEY or"),
        "{stderr}"
    );
    // A flag overrides both.
    succeeds(workspace.with_key(&["tree", "--api-key", workspace.server.api_key()]).env("SEGTUI_API_KEY_FILE", &file));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let workspace = Workspace::new();
    let url = workspace.server.base_url();
    let file = workspace.file("key", workspace.server.api_key(), 0o644);
    let stderr =
        refusal(&workspace, workspace.segtui(&["tree", "--base-url", &url]).env("SEGTUI_API_KEY_FILE", &file), USAGE);
    assert!(stderr.contains("others can access it (mode 0644); run `chmod 600 "), "{stderr}");
    // A link is judged by the file that it leads to.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let link = workspace.home.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    succeeds(workspace.segtui(&["tree", "--base-url", &url]).env("SEGTUI_API_KEY_FILE", &link));
}

#[test]
fn a_socks_proxy_is_used_and_resolves_names_if_asked_to() {
    let workspace = Workspace::new();
    let proxy = workspace.socks();
    let run = |url: &str, variable: &str, scheme: &str| {
        succeeds(
            workspace
                .with_key(&["tree", "--insecure-http", "--base-url", url])
                .env(variable, format!("{scheme}://127.0.0.1:{}", proxy.port())),
        );
        proxy.targets()
    };
    let by_name = run("http://segments.test:8080", "ALL_PROXY", "socks5h");
    assert!(!by_name.is_empty() && by_name.iter().all(|target| target == "segments.test:8080"), "{by_name:?}");
    let by_address = run("http://192.0.2.7", "http_proxy", "socks5");
    assert!(!by_address.is_empty() && by_address.iter().all(|target| target == "192.0.2.7:80"), "{by_address:?}");
    // This machine is reached without a proxy.
    succeeds(&mut {
        let mut command = workspace.with_key(&["tree", "--base-url", &workspace.server.base_url()]);
        command.env("ALL_PROXY", format!("socks5h://127.0.0.1:{}", proxy.port()));
        command
    });
    assert!(proxy.targets().is_empty());
}

#[test]
fn tls_goes_through_a_socks_proxy() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let proxy = workspace.runtime.block_on(Socks::start(front.address()));
    succeeds(
        workspace
            .with_key(&["tree", "--base-url", "https://segments.test", "--ca-file", CA])
            .env("https_proxy", format!("socks5h://127.0.0.1:{}", proxy.port())),
    );
    assert!(proxy.targets().contains(&"segments.test:443".to_owned()));
}

const USAGE: i32 = 2;
const UNREACHABLE: i32 = 7;

/// The exit code of `doctor --json`, its report, and the report as text.
fn diagnosis(command: &mut Command) -> (i32, serde_json::Value, String) {
    let (code, stdout, stderr) = outcome(command);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic_with(&stdout, &stderr));
    (code, report, stdout)
}

fn panic_with(stdout: &str, stderr: &str) -> serde_json::Value {
    unreachable!("no JSON: {stdout}\n{stderr}")
}

fn check<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    report["checks"].as_array().unwrap().iter().rfind(|check| check["name"] == name).unwrap()
}

fn statuses(report: &serde_json::Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|check| format!("{} {}", check["name"].as_str().unwrap(), check["status"].as_str().unwrap())).collect()
}

#[test]
fn doctor_shows_a_certificates_issuer_and_days_left() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let url = format!("https://localhost:{}", front.port());
    let (code, report, text) =
        diagnosis(&mut workspace.with_key(&["doctor", "--json", "--base-url", &url, "--ca-file", CA]));
    assert_eq!((code, &report["ok"], &report["format_version"]), (0, &true.into(), &1.into()), "{text}");
    let tls = check(&report, "tls");
    assert_eq!(tls["status"], "ok", "{tls}");
    assert!(tls["details"]["issuer"].as_str().unwrap().contains("CN="), "{tls}");
    assert!(tls["details"]["days_left"].as_i64().unwrap() > 300, "{tls}");
    for name in ["tcp", "tls", "page", "feed"] {
        assert!(check(&report, name)["milliseconds"].as_f64().unwrap() > 0.0, "{name}");
    }
    assert_eq!(check(&report, "api-key")["message"], "from SEGTUI_API_KEY");
    assert!(!text.contains(workspace.server.api_key()), "{text}");
}

#[test]
fn doctor_shows_an_untrusted_certificate_and_sends_nothing() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let url = format!("https://localhost:{}", front.port());
    let nothing = workspace.file("roots.pem", &fs::read_to_string("src/config/roots/test-ca.pem").unwrap(), 0o600);
    let mut command = workspace.with_key(&["doctor", "-o", "json", "--base-url", &url]);
    let (code, report, text) = diagnosis(command.env("SSL_CERT_FILE", nothing));
    assert_eq!((code, &report["ok"]), (UNREACHABLE, &false.into()), "{text}");
    let tls = check(&report, "tls");
    assert_eq!((&tls["status"], &tls["code"]), (&"failed".into(), &UNREACHABLE.into()));
    assert!(tls["message"].as_str().unwrap().contains("the certificate's issuer isn't trusted"), "{tls}");
    assert!(tls["details"]["issuer"].is_string() && tls["hint"].as_str().unwrap().contains("--ca-file"), "{tls}");
    assert_eq!(check(&report, "page")["status"], "skipped");
    let front = workspace.tls(Certificate::Expired);
    let url = format!("https://localhost:{}", front.port());
    let (_, report, _) = diagnosis(&mut workspace.with_key(&["doctor", "--json", "--base-url", &url, "--ca-file", CA]));
    let tls = check(&report, "tls");
    assert!(tls["message"].as_str().unwrap().contains("expired"), "{tls}");
    assert!(
        tls["details"]["days_left"].as_i64().unwrap() < 0 && tls["hint"].as_str().unwrap().contains("clock"),
        "{tls}"
    );
    assert!(workspace.server.requests().is_empty());
}

#[test]
fn doctor_goes_through_the_proxy_and_names_its_variable() {
    let workspace = Workspace::new();
    let front = workspace.tls(Certificate::Valid);
    let proxy = workspace.runtime.block_on(Socks::start(front.address()));
    let address = format!("socks5h://user:hunter2@127.0.0.1:{}", proxy.port());
    let arguments = ["doctor", "--json", "--base-url", "https://segments.test", "--ca-file", CA];
    let plain = format!("socks5h://127.0.0.1:{}", proxy.port());
    let (code, report, text) = diagnosis(workspace.with_key(&arguments).env("https_proxy", &plain));
    assert_eq!(code, 0, "{text}");
    let found = check(&report, "proxy");
    assert_eq!(found["details"], serde_json::json!({ "address": plain, "variable": "https_proxy" }));
    assert_eq!(check(&report, "tls")["status"], "ok");
    assert!(proxy.targets().iter().all(|target| target == "segments.test:443"));
    // The proxy's password is never shown. (This proxy doesn't ask for one, so it isn't reached with one.)
    let (_, report, text) =
        diagnosis(workspace.with_key(&["doctor", "--json", "--base-url", "https://x.test"]).env("ALL_PROXY", address));
    assert_eq!(check(&report, "proxy")["details"]["variable"], "ALL_PROXY");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn doctor_distinguishes_a_wrong_name_port_and_key() {
    let workspace = Workspace::new();
    let (code, report, _) =
        diagnosis(&mut workspace.with_key(&["doctor", "--json", "--base-url", "https://nowhere.invalid"]));
    assert_eq!(code, UNREACHABLE);
    assert_eq!(statuses(&report)[5..10], ["dns failed", "tcp skipped", "tls skipped", "page skipped", "feed skipped"]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, report, _) =
        diagnosis(&mut workspace.with_key(&["doctor", "--json", "--base-url", &format!("http://{closed}")]));
    assert_eq!((code, &check(&report, "tcp")["status"]), (UNREACHABLE, &"failed".into()));
    assert!(check(&report, "tcp")["message"].as_str().unwrap().contains("connection refused"));
    let url = workspace.server.base_url();
    let mut wrong = workspace.segtui(&["doctor", "--json", "--base-url", &url]);
    let (code, report, text) = diagnosis(wrong.env("SEGTUI_API_KEY", "hunter2"));
    assert_eq!((code, &check(&report, "page")["code"]), (4, &4.into()), "{text}");
    assert!(!text.contains("hunter2"));
    // Without a key, the way to the server is still checked.
    let file = "[profiles.acme]\nbase_url = \"URL\"\napi_key_command = [\"false\"]\n".replace("URL", &url);
    workspace.file(".config/segtui/config.toml", &file, 0o600);
    let before = workspace.server.requests().len();
    let (code, report, text) = diagnosis(&mut workspace.segtui(&["doctor", "--json"]));
    assert_eq!((code, &check(&report, "api-key")["status"]), (USAGE, &"failed".into()), "{text}");
    assert_eq!(check(&report, "tcp")["status"], "ok");
    assert_eq!(check(&report, "page")["message"], "there is no API key");
    assert_eq!(workspace.server.requests().len(), before);
}
