//! What the system gives the process: few open files, and pipes in place of files.

use std::fs;

use assert_cmd::Command;

use crate::desk::{TIMEOUT, Workspace, output_of};

/// Closes files that the test run may have inherited: they would count.
const INHERITED: &str = "3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";

#[test]
fn few_open_files_are_raised_or_reported_without_a_panic() {
    let workspace = Workspace::new();
    let under = |limit: &str, number: u32| {
        let mut command = Command::new("sh");
        command.env_clear().env("HOME", workspace.home.path()).env("PATH", std::env::var("PATH").unwrap());
        let program = env!("CARGO_BIN_EXE_segtui");
        let script = format!("exec {INHERITED}; ulimit {limit} {number} && exec '{program}' tree --demo");
        output_of(command.args(["-c", &script]))
    };
    for number in 3..24 {
        let (code, stdout, stderr) = under("-n", number);
        assert!(!stderr.contains("panicked"), "{number}: {stderr}");
        assert_eq!((code, stdout.as_str()), (if number < 4 { code } else { 1 }, ""), "{number}: {stderr}");
        // With fewer, no program can load its libraries.
        if number > 4 {
            let words =
                format!("segtui: only {number} files may be open at once and 64 are needed\nhint: raise `ulimit -n`\n");
            assert_eq!(stderr, words);
        }
    }
    let (code, _, stderr) = under("-S -n", 8);
    assert_eq!((code, stderr.as_str()), (0, ""), "it may raise that itself");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_does_not_block() {
    let workspace = Workspace::new();
    let pipe = |place: &str| {
        let path = workspace.home.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let log = pipe(".local/state/segtui/segtui.log");
    let (code, _, stderr) = output_of(workspace.segtui(&["tree", "--demo"]).timeout(TIMEOUT));
    assert_eq!((code, stderr), (0, format!("segtui: logging is off: couldn't open {}: it is a pipe\n", log.display())));
    let (code, _, stderr) =
        output_of(workspace.segtui(&["tree", "--demo", "--log-file", log.to_str().unwrap()]).timeout(TIMEOUT));
    assert_eq!(code, 1, "{stderr}");
    fs::remove_file(log).unwrap();
    let config = pipe(".config/segtui/config.toml");
    let (code, _, stderr) = output_of(workspace.segtui(&["tree"]).timeout(TIMEOUT));
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains(&format!("couldn't read the configuration {}: it is a pipe", config.display())),
        "{stderr}"
    );
}
