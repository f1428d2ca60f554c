//! What `--version` says of the build besides the version: the commit and the target. Needs neither git nor a network: where the
//! source is no checkout, a packager may say the commit in `SEGTUI_COMMIT`, and else it is unknown.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SEGTUI_COMMIT");
    let said = env::var("SEGTUI_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let commit = said.or_else(of_checkout).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=SEGTUI_BUILD_COMMIT={}", commit.trim());
    println!("cargo::rustc-env=SEGTUI_BUILD_TARGET={}", env::var("TARGET").unwrap_or_else(|_| "unknown".into()));
}

/// The commit of the checkout that this package is the root of. One of another repository, into which the source was unpacked, says
/// nothing.
fn of_checkout() -> Option<String> {
    let root = env::var("CARGO_MANIFEST_DIR").ok()?;
    if !Path::new(&root).join(".git").exists() {
        return None;
    }
    // Each commit adds a line to it, and so the build follows. Without one, it is not known when to look again.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
