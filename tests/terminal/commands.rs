//! Commands at a terminal: colours, progress, and no control characters from the data.

use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields, Options};

use crate::Demo;
use crate::pty::Pty;

const WITHOUT_COLOURS: [(&str, String); 1] = [("NO_COLOR", String::new())];

impl Demo {
    /// The output of a command at a terminal, and its exit code.
    fn said(&self, arguments: &[&str], variables: &[(&'static str, String)]) -> (String, u32) {
        let mut pty = Pty::start(200, 40, arguments, &[&self.variables(), variables].concat());
        let code = pty.exit_code();
        (pty.said_in_all(), code)
    }
}

#[test]
fn a_terminal_gets_colours_and_progress() {
    let demo = Demo::with(Options { latency: Duration::from_millis(100), ..Options::default() });
    let (said, code) = demo.said(&["find", "lodz"], &[]);
    assert_eq!(code, 0);
    assert!(said.contains("\x1b[1;4mŁódz\x1b[0mkie") && said.contains("\x1b[1mNAME\x1b[0m"), "{said:?}");
    assert!(said.contains("\r\x1b[Kloading 290 segments · 1 page · "), "{said:?}");
    // The progress line is erased before anything else is written.
    assert!(said.contains("\r\x1b[K\x1b[1mNAME"), "{said:?}");

    let (said, _) = demo.said(&["find", "lodz", "--no-progress", "--color", "never"], &[]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
    let (said, _) = demo.said(&["find", "lodz", "--quiet"], &[("NO_COLOR", "1".into())]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
    let (said, _) = demo.said(&["find", "lodz", "-q"], &[("TERM", "dumb".into())]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn no_matches_are_reported_at_a_terminal() {
    let demo = Demo::start();
    let (said, code) = demo.said(&["find", "xyzzy"], &[]);
    assert_eq!(code, 0);
    assert!(said.ends_with("segtui: no matches for “xyzzy”\r\n"), "{said:?}");
    let (said, _) = demo.said(&["export", "--match", "xyzzy", "-o", "/dev/null"], &[]);
    assert!(said.ends_with("segtui: no matches\r\n"), "{said:?}");
    assert_eq!(demo.said(&["find", "xyzzy", "-q"], &WITHOUT_COLOURS).0, "");
}

#[test]
fn control_characters_in_names_are_never_printed() {
    let demo = Demo::with(Options { load: Some(Vec::new()), ..Options::default() });
    let name = "Esc\u{1b}[2J\u{9b}31m\u{202e}gnp.exe".into();
    demo.change(ChangeRequest::Create(Fields { name, external_id: Some("\u{1b}]0;title\u{7}".into()), parent: None }));
    for arguments in [
        &["find", "esc", "-o", "table"][..],
        &["find", "esc", "-o", "tree"],
        &["find", "esc", "-o", "csv"],
        &["find", "esc", "-o", "json"],
        &["get", "/Esc"],
        &["tree"],
        &["export", "--excel"],
        &["export", "--format", "outline"],
        &["export", "--format", "html"],
        &["export", "--format", "mermaid"],
    ] {
        let (said, _) = demo.said(&[arguments, &["-q", "--color", "never"]].concat(), &[]);
        assert!(said.contains("Esc"), "{arguments:?}: {said:?}");
        let hidden = |character: char| character.is_control() && !matches!(character, '\r' | '\n');
        assert!(!said.contains(hidden) && !said.contains('\u{202e}'), "{arguments:?}: {said:?}");
    }
}

#[test]
fn color_never_turns_the_interfaces_colours_off() {
    let demo = Demo::start();
    for (arguments, coloured) in [(&[][..], true), (&["--color", "never"], false)] {
        let pty = demo.open(arguments);
        assert_eq!(pty.said().contains("\x1b[38;5;"), coloured, "{arguments:?}: {:?}", pty.said());
    }
}
