//! `segtui export`: its forms, its part of the tree, and where it writes to.

use std::fs;

use segtui::segment::Segment;

use crate::desk::{Fixture, Workspace, start_server};

#[test]
fn export_writes_every_segment_with_parents_first() {
    let (_runtime, server) = start_server();
    let workspace = Workspace::new();
    let connection = ["--base-url", &server.base_url(), "--tenant", server.tenant(), "--api-key", server.api_key()];
    let (code, stdout, stderr) = workspace.run(&[&["export", "--format", "json"], &connection[..]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let mut exported: Vec<Segment> = serde_json::from_str(&stdout).unwrap();
    for (at, segment) in exported.iter().enumerate() {
        let parent = segment.parent.as_ref().and_then(|id| exported.iter().position(|other| other.id == *id));
        assert!(parent.is_none_or(|parent| parent < at), "{segment:?} stands before its parent");
    }
    let mut there = server.segments();
    exported.sort_by(|a, b| a.id.cmp(&b.id));
    there.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(exported, there);
}

#[test]
fn export_to_a_file_is_silent_and_replaces_it_whole() {
    let workspace = Workspace::new();
    let path = workspace.home.path().join("segments.json");
    fs::write(&path, "former").unwrap();
    let (code, stdout, _) = workspace.run(&["export", "--demo", "--output", path.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    let exported: Vec<Segment> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(exported.len() >= 280);
}

#[test]
fn export_writes_a_part_of_the_tree() {
    let workspace = Workspace::new();
    let (code, stdout, stderr) = workspace.run(&["export", "--demo", "--root", "PL-10"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let exported: Vec<Segment> = serde_json::from_str(&stdout).unwrap();
    assert_eq!(exported[0].name, "Łódzkie");
    for segment in &exported[1..] {
        assert!(exported.iter().any(|other| Some(&other.id) == segment.parent.as_ref()), "{segment:?}");
    }
    let (code, by_id, _) = workspace.run(&["export", "--demo", "--root", &exported[0].id.text()]);
    assert_eq!((code, by_id), (0, stdout));
    let (code, stdout, stderr) = workspace.run(&["export", "--demo", "--root", "nowhere"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.starts_with("segtui: no segment has the ID or external ID nowhere\nhint: "), "{stderr}");
}

#[test]
fn export_draws_the_tree_in_each_form() {
    let workspace = Workspace::new();
    let drawn = |form: &str| {
        let (code, stdout, stderr) = workspace.run(&["export", "--demo", "--format", form]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{form}");
        assert!(stdout.contains("Łódź Bałuty") && stdout.contains("parent missing"), "{form}: {stdout}");
        stdout
    };
    assert!(drawn("mermaid").starts_with("flowchart LR\n  n0"));
    let graph = drawn("dot");
    assert!(graph.starts_with("digraph segments {\n") && graph.ends_with("}\n"), "{graph}");
    let picture = drawn("svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.contains("Segments of demo-wholesale"), "{picture}");
    let page = drawn("html");
    assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'"), "{page}");
    assert_eq!(page, drawn("html"));
}

#[test]
fn closing_stdout_during_a_picture_is_no_failure() {
    use std::process::{Command as Process, Stdio};

    let workspace = Workspace::new();
    for form in ["mermaid", "dot", "svg", "html"] {
        let mut child = Process::new(env!("CARGO_BIN_EXE_segtui"))
            .args(["export", "--demo", "--format", form])
            .env_clear()
            .env("HOME", workspace.home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{form}: {output:?}");
    }
}

#[cfg(unix)]
#[test]
fn export_into_a_pipe_or_through_a_link_replaces_neither() {
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, symlink};

    let workspace = Workspace::new();
    let (pipe, target, link) =
        (workspace.home.path().join("pipe"), workspace.home.path().join("target"), workspace.home.path().join("link"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut text = String::new();
            fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        })
    };
    assert_eq!(workspace.run(&["export", "--demo", "--output", pipe.to_str().unwrap()]).0, 0);
    assert!(serde_json::from_str::<Vec<Segment>>(&reader.join().unwrap()).is_ok());
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    fs::write(&target, "former").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(workspace.run(&["export", "--demo", "--output", link.to_str().unwrap()]).0, 0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(serde_json::from_str::<Vec<Segment>>(&fs::read_to_string(&target).unwrap()).is_ok());

    let log = workspace.home.path().join("log");
    fs::write(&log, "former\n").unwrap();
    let mut appending = std::process::Command::new(env!("CARGO_BIN_EXE_segtui"));
    appending.env_clear().env("HOME", workspace.home.path()).args(["export", "--demo", "--output", "/dev/stdout"]);
    appending.stdout(fs::OpenOptions::new().append(true).open(&log).unwrap());
    assert!(appending.status().unwrap().success());
    let text = fs::read_to_string(&log).unwrap();
    let segments = text.strip_prefix("former\n").expect("what was there stays");
    assert!(serde_json::from_str::<Vec<Segment>>(segments).is_ok());
    let (code, stdout, stderr) = workspace.run(&["export", "--demo", "--output", "/dev/stdout"]);
    assert!(code == 0 && stdout.starts_with('['), "{code} {stderr}");

    let (code, stdout, _) = workspace.run(&["export", "--demo", "--output", "-"]);
    assert!(code == 0 && stdout.starts_with('['), "{code}");
    assert!(!std::path::Path::new("-").exists());
}

#[test]
fn the_file_extension_sets_the_format_unless_a_flag_does() {
    let fixture = Fixture::new();
    let path = |name: &str| fixture.workspace.home.path().join(name).to_str().unwrap().to_owned();
    let begins = |name: &str, flags: &[&str], with: &str| {
        let file = path(name);
        let (code, _, stderr) = fixture.run(&[&["export", "-o", &file], flags].concat());
        assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.trim_start_matches('\u{feff}').starts_with(with), "{name}: {text}");
    };
    begins("a.csv", &[], "id,name,");
    begins("a.ndjson", &[], "{\"");
    begins("a.json", &[], "[");
    begins("a", &[], "[");
    begins("a.csv", &["--format", "json"], "[");
    begins("a.txt", &["--excel"], "id;name;");
    let (code, _, stderr) = fixture.run(&["export", "--excel", "--format", "json"]);
    assert!(code == 2 && stderr.contains("--excel writes CSV"), "{stderr}");
}
