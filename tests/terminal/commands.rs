//! Commands at a terminal: colours, progress, and no control characters from the data.

use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields, Options};

use crate::Demo;
use crate::pty::Pty;

const WITHOUT_COLOURS: [(&str, String); 1] = [("NO_COLOR", String::new())];

impl Demo {
    /// The output of a command at a terminal, and its exit code.
    fn output_of(&self, arguments: &[&str], variables: &[(&'static str, String)]) -> (String, u32) {
        let mut pty = Pty::start(200, 40, arguments, &[&self.variables(), variables].concat());
        let code = pty.exit_code();
        (pty.complete_output(), code)
    }
}

#[test]
fn a_terminal_gets_colours_and_progress() {
    let demo = Demo::with(Options { latency: Duration::from_millis(100), ..Options::default() });
    let (output, code) = demo.output_of(&["find", "lodz"], &[]);
    assert_eq!(code, 0);
    assert!(output.contains("\x1b[1;4mŁódz\x1b[0mkie") && output.contains("\x1b[1mNAME\x1b[0m"), "{output:?}");
    assert!(output.contains("\r\x1b[Kloading 290 segments · 1 page · "), "{output:?}");
    // The progress line is erased before anything else is written.
    assert!(output.contains("\r\x1b[K\x1b[1mNAME"), "{output:?}");

    let (output, _) = demo.output_of(&["find", "lodz", "--no-progress", "--color", "never"], &[]);
    assert!(output.starts_with("NAME ") && !output.contains('\x1b'), "{output:?}");
    let (output, _) = demo.output_of(&["find", "lodz", "--quiet"], &[("NO_COLOR", "1".into())]);
    assert!(output.starts_with("NAME ") && !output.contains('\x1b'), "{output:?}");
    let (output, _) = demo.output_of(&["find", "lodz", "-q"], &[("TERM", "dumb".into())]);
    assert!(output.starts_with("NAME ") && !output.contains('\x1b'), "{output:?}");
}

#[test]
fn no_matches_are_reported_at_a_terminal() {
    let demo = Demo::start();
    let (output, code) = demo.output_of(&["find", "xyzzy"], &[]);
    assert_eq!(code, 0);
    assert!(output.ends_with("segtui: no matches for “xyzzy”\r\n"), "{output:?}");
    let (output, _) = demo.output_of(&["export", "--match", "xyzzy", "-o", "/dev/null"], &[]);
    assert!(output.ends_with("segtui: no matches\r\n"), "{output:?}");
    assert_eq!(demo.output_of(&["find", "xyzzy", "-q"], &WITHOUT_COLOURS).0, "");
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
        let (output, _) = demo.output_of(&[arguments, &["-q", "--color", "never"]].concat(), &[]);
        assert!(output.contains("Esc"), "{arguments:?}: {output:?}");
        let hidden = |character: char| character.is_control() && !matches!(character, '\r' | '\n');
        assert!(!output.contains(hidden) && !output.contains('\u{202e}'), "{arguments:?}: {output:?}");
    }
}

#[test]
fn color_never_turns_the_interfaces_colours_off() {
    let demo = Demo::start();
    for (arguments, coloured) in [(&[][..], true), (&["--color", "never"], false)] {
        let pty = demo.open(arguments);
        assert_eq!(pty.output().contains("\x1b[38;5;"), coloured, "{arguments:?}: {:?}", pty.output());
    }
}
