//! The tree filtered as the user types.

use crate::{Demo, ENTER};

const ESC: &str = "\x1b";

#[test]
fn a_filter_shows_only_matching_branches_and_enter_keeps_it() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    pty.wait_for("Akcje sezonowe");
    pty.type_text("/lodz");
    pty.wait_for("3 of 6");
    pty.wait_for("Lodziarnie");
    pty.wait_for("Łódź Widzew");
    pty.wait_until_gone("Akcje sezonowe");
    pty.wait_until_gone("Mazowieckie");
    pty.type_text(ENTER);
    pty.wait_for("/ lodz · 3 of 6");
    pty.wait_for("External ID  PL-10-1\n");
    pty.type_text("n");
    pty.wait_for("/ lodz · 4 of 6");
    // The whole tree is shown again, at the match.
    pty.type_text(ENTER);
    pty.wait_for("Kujawsko-Pomorskie");
    pty.wait_for("“lodz” 4 of 6");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn esc_restores_the_tree_as_it_was() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    pty.type_text("jjj");
    pty.wait_for("4 of ");
    let before = pty.lines();
    pty.type_text("/lodz");
    pty.wait_for("3 of 6");
    pty.wait_until_gone("Akcje sezonowe");
    pty.type_text(ESC);
    pty.wait_for_screen(&before);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}
