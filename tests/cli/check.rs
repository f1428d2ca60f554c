//! `check`: what it writes, to the letter, and how it ends.

use crate::desk::Office;

#[test]
fn check_writes_each_of_its_forms_and_ends_with_the_code_that_was_asked_for() {
    let transcript = Office::new().transcript(&[
        &["check"],
        &["check", "--exit-code"],
        &["check", "-o", "json", "--rule", "duplicate-external-id", "--rule", "orphan=warning"],
        &["check", "--rule", "padded-name", "--exit-code"],
        &["check", "--rule", "too-deep", "--max-depth", "2", "--exit-code", "--color", "always"],
        &["check", "--rule", "padded-name", "-o", "json"],
    ]);
    insta::assert_snapshot!(transcript);
}

#[test]
fn check_refuses_what_is_no_rule_and_no_level() {
    let transcript = Office::new().transcript(&[
        &["check", "--rule", "orfan"],
        &["check", "--rule", "orphan=fatal"],
        &["check", "--max-depth", "0"],
    ]);
    insta::assert_snapshot!(transcript);
}
