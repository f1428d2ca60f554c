//! The screen-reader mode in a real terminal: the hardware cursor, the last line, and nothing that moves.

use std::thread;
use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields};

use super::pty::{Pty, eventually};
use super::{Demo, ENTER};

fn read_aloud(demo: &Demo, arguments: &[&str]) -> Pty {
    let pty = Pty::start(80, 24, arguments, &demo.variables());
    pty.wait_for("290 segments, live");
    pty
}

#[test]
fn the_terminals_cursor_is_on_the_selected_row_or_in_a_field() {
    let demo = Demo::start();
    let mut pty = read_aloud(&demo, &["--accessible", "--poll", "0.2"]);
    pty.wait_for("Loaded 290 segments. Press ? for help");
    pty.wait_for_cursor_on("Akcje sezonowe, ");
    pty.type_text("j");
    pty.wait_for_cursor_on("Archiwum, collapsed");
    pty.wait_for("Archiwum, level 1, 7 children, collapsed");
    pty.type_text("gg");
    pty.wait_for_cursor_on("Akcje sezonowe, collapsed");
    pty.type_text("l");
    pty.wait_for_cursor_on("Akcje sezonowe, expanded");
    pty.type_text("h");
    pty.wait_for_cursor_on("Akcje sezonowe, collapsed");
    pty.wait_for("Akcje sezonowe, level 1, ");
    // In a list with a text field, the cursor follows the keys.
    pty.type_text(":undo");
    pty.wait_for("Commands");
    pty.wait_for_cursor_after(": undo");
    pty.type_text("\x1b[B");
    pty.wait_for_cursor_on("Expand all below");
    pty.type_text("\x1b");
    pty.wait_until_gone("Commands");
    pty.type_text("r");
    pty.wait_for_cursor_after("Akcje sezonowe");
    pty.type_text(&format!(" 2{ENTER}"));
    pty.wait_for("Renamed Akcje sezonowe to Akcje sezonowe 2");
    eventually(|| demo.named("Akcje sezonowe 2"));
    let signs = "─│┬┴├╭╮╰╯▌▾▸●◌✎◆✓⚠█";
    let screen = pty.lines().join("\n");
    assert!(!screen.contains(|sign| signs.contains(sign)), "{screen}");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

/// Longer than a message is shown outside the accessible mode.
const SILENCE: Duration = Duration::from_secs(7);

/// Asserts that nothing is written while nothing happens.
#[track_caller]
fn assert_silent(pty: &Pty) {
    let before = settled(pty);
    thread::sleep(SILENCE);
    assert_eq!(pty.output().len(), before, "{}", &pty.output()[before..]);
}

/// The number of bytes written once output has stopped for a second: the frame that a text was found in is complete,
/// and the list that follows the first one has arrived.
fn settled(pty: &Pty) -> usize {
    let mut length = pty.output().len();
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = pty.output().len();
        if now == length {
            return now;
        }
        length = now;
    }
}

#[test]
fn an_idle_screen_is_silent_and_a_change_is_one_line() {
    let demo = Demo::start();
    let mut pty = read_aloud(&demo, &["--accessible", "--poll", "0.2"]);
    pty.wait_for("Loaded 290 segments. Press ? for help");
    assert_silent(&pty);
    let season = demo.named("Akcje sezonowe").unwrap();
    let fields = Fields { name: "Akcje całoroczne".into(), ..Fields::of(&season) };
    demo.change(ChangeRequest::Update(season.id, fields));
    pty.wait_for("Akcje całoroczne was changed: name Akcje sezonowe to Akcje całoroczne");
    pty.wait_for_cursor_on("Akcje całoroczne, ");
    // The first line may report that the list is read again; the last one stays as it is until a key.
    thread::sleep(SILENCE);
    assert!(pty.lines().join("\n").contains("Akcje całoroczne was changed"), "{}", pty.lines().join("\n"));
    pty.type_text("j");
    pty.wait_for("Archiwum, level 1, ");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
