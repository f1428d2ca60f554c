//! Commands whose output a person reads in a terminal: colours, progress, and nothing that the terminal would obey.

use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields, Options};

use crate::Demo;
use crate::pty::Pty;

const WITHOUT_COLOURS: [(&str, String); 1] = [("NO_COLOR", String::new())];

impl Demo {
    /// What a command has said to the terminal, and its exit code.
    fn said(&self, arguments: &[&str], variables: &[(&'static str, String)]) -> (String, u32) {
        let mut pty = Pty::start(200, 40, arguments, &[&self.variables(), variables].concat());
        let code = pty.exit_code();
        (pty.said_in_all(), code)
    }
}

#[test]
fn a_person_sees_colours_and_how_far_it_is() {
    let demo = Demo::with(Options { latency: Duration::from_millis(100), ..Options::default() });
    let (said, code) = demo.said(&["find", "lodz"], &[]);
    assert_eq!(code, 0);
    assert!(said.contains("\x1b[1;4mŁódz\x1b[0mkie") && said.contains("\x1b[1mNAME\x1b[0m"), "{said:?}");
    assert!(said.contains("\r\x1b[Kloading 290 segments · 1 page · "), "{said:?}");
    // The line that says how far it is is gone before anything else is written.
    assert!(said.contains("\r\x1b[K\x1b[1mNAME"), "{said:?}");

    let (said, _) = demo.said(&["find", "lodz", "--no-progress", "--color", "never"], &[]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
    let (said, _) = demo.said(&["find", "lodz", "--quiet"], &[("NO_COLOR", "1".into())]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
    let (said, _) = demo.said(&["find", "lodz", "-q"], &[("TERM", "dumb".into())]);
    assert!(said.starts_with("NAME ") && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn a_person_who_finds_nothing_is_told_so() {
    let demo = Demo::start();
    let (said, code) = demo.said(&["find", "xyzzy"], &[]);
    assert_eq!(code, 0);
    assert!(said.ends_with("segtui: no matches for “xyzzy”\r\n"), "{said:?}");
    let (said, _) = demo.said(&["export", "--match", "xyzzy", "-o", "/dev/null"], &[]);
    assert!(said.ends_with("segtui: no matches\r\n"), "{said:?}");
    assert_eq!(demo.said(&["find", "xyzzy", "-q"], &WITHOUT_COLOURS).0, "");
}

#[test]
fn what_others_wrote_is_not_obeyed_in_any_form() {
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
fn the_interface_has_no_colours_where_none_are_wanted() {
    let demo = Demo::start();
    for (arguments, coloured) in [(&[][..], true), (&["--color", "never"], false)] {
        let pty = demo.open(arguments);
        assert_eq!(pty.said().contains("\x1b[38;5;"), coloured, "{arguments:?}: {:?}", pty.said());
    }
}
