//! The texts of editing: what is wrong with an input or a choice, why something can't be moved, and the titles of plans.
//!
//! Each function takes the varying parts, with names and keys already in words, and returns the whole sentence.

use std::path::Path;

use crate::app::edit::deletion::Policy;
use crate::app::edit::outline::EditorFault;
use crate::app::words::with_text_kept;
use crate::changes::Title;
use crate::formats::outline;
use crate::numbers::{Agreeing, Noun, counted};
use crate::segment::{Field, FieldFault};

pub(super) const NO_CHANGES: &str = "No changes";

// Plans.

/// The title of a plan that updates several segments.
pub(super) fn update_of_several(count: usize) -> Title {
    let subject = counted(count, Noun::Segment);
    Title {
        imperative: format!("update {subject}"),
        done: format!("Updated {subject}"),
        failed: format!("Couldn't update {subject}"),
    }
}

pub(super) fn move_of(subject: &str, place: &str) -> Title {
    Title {
        imperative: format!("move {subject} to {place}"),
        done: format!("Moved {subject} to {place}"),
        failed: format!("Couldn't move {subject} to {place}"),
    }
}

/// The title of a deletion. `roots` counts the segments that the user chose, `descendants` those below them.
pub(super) fn deletion_of(subject: &str, policy: Policy, roots: usize, descendants: usize) -> Title {
    let (below, their) = (counted(descendants, Noun::Descendant), Agreeing::Their.with(roots));
    let (imperative, done) = match policy {
        Policy::Subtree => (format!("delete {subject} + {below}"), format!("Deleted {subject} and {their} {below}")),
        Policy::Promote => (format!("delete {subject}"), format!("Deleted {subject}; {their} children moved up")),
        Policy::OnlyThis => (format!("delete {subject}"), format!("Deleted {subject}")),
    };
    Title { imperative, done, failed: format!("Couldn't delete {subject}") }
}

pub(super) fn text_edit(count: usize) -> Title {
    let changes = counted(count, Noun::Change);
    Title {
        imperative: format!("apply {changes} from text edit"),
        done: format!("Applied {changes} from text edit"),
        failed: "Some changes from the text edit failed".to_owned(),
    }
}

// Places.

pub(super) const TOP_LEVEL: &str = "top level";
pub(super) const OWN_PARENT: &str = "a segment can't be its own parent";
pub(super) const INSIDE_OWN_SUBTREE: &str = "it would be inside its own subtree";
pub(super) const ALREADY_HERE: &str = "it is already here";
pub(super) const CUT_IS_GONE: &str = "The cut segment no longer exists";
pub(super) const FORMER_PARENT_IS_GONE: &str = "The segment it was moved to no longer exists";

pub(super) fn cut(subject: &str, paste: &str, dismiss: &str) -> String {
    format!("Cut {subject}. Press {paste} to paste here as a child, {dismiss} to cancel")
}

pub(super) fn cannot_choose(name: &str, reason: &str) -> String {
    format!("Can't choose {name}: {reason}")
}

pub(super) fn cannot_move_to(name: &str, reason: &str) -> String {
    format!("Can't move to {name}: {reason}")
}

pub(super) fn cannot_move_here(reason: &str) -> String {
    format!("Can't move here: {reason}")
}

pub(super) fn cannot_drop_here(subject: &str, reason: &str) -> String {
    format!("Can't move {subject} here: {reason}")
}

pub(super) fn cannot_paste_here(subject: &str, reason: &str) -> String {
    format!("Can't paste {subject} here: {reason}")
}

// Fields.

pub(super) const JUST_DELETED: &str = "Someone just deleted it";
pub(super) const PARENT_IS_GONE: &str = "That segment no longer exists. Choose another";

pub(super) fn just_changed(value: &str) -> String {
    format!("Someone just changed it to {value}")
}

pub(super) fn just_renamed(name: &str) -> String {
    format!("Someone just renamed it to {name}")
}

pub(super) fn external_id_in_use(external_id: &str, name: &str) -> String {
    format!("“{external_id}” is already used by {name}")
}

/// What is wrong with the new values of one segment among several.
pub(super) fn fault_of_one(name: &str, fault: FieldFault) -> String {
    format!("{name}: {fault}")
}

pub(super) const NOTHING_TO_CHANGE: &str = "Nothing to change";

// Deletions.

pub(super) const DESCENDANTS_CHANGED: &str = "Its descendants just changed";
pub(super) const PARENT_CHANGED: &str = "Its parent just changed";

pub(super) fn was_deleted(name: &str) -> String {
    format!("{name} was just deleted")
}

/// `fields` are the changed fields with their present values.
pub(super) fn was_changed(name: &str, fields: &[(Field, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(field, value)| format!("{field} {value}")).collect();
    format!("{name} was just changed: {}", fields.join(", "))
}

pub(super) fn nothing_left_to_delete(difference: &str) -> String {
    format!("{difference}; nothing left to delete")
}

pub(super) fn review_again(difference: &str) -> String {
    format!("{difference}. Please review again")
}

// Findings.

pub(super) const SEGMENT_IS_GONE: &str = "This segment no longer exists";
pub(super) const NOTHING_TO_FIX: &str = "Nothing in the name to fix. Press e to edit the segment";

pub(super) fn finding_is_gone(key: &str) -> String {
    format!("The finding you selected is gone. Press {key} again for this one")
}

// Segments as text.

pub(super) fn fault_in_line(fault: &outline::Fault) -> String {
    format!("line {}: {}", fault.line, fault.problem)
}

/// The editor failed. `file` holds the text, if there is a file.
pub(super) fn editor_failed(fault: &EditorFault, file: Option<&Path>) -> String {
    let words = format!("No changes: {fault}");
    match file {
        Some(file) => with_text_kept(&words, file),
        None => words,
    }
}
