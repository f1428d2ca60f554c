//! The texts about changes: staging, holding, reviewing, sending and results.
//!
//! A function takes the variable parts of a sentence, names and keys already as text, and returns the whole sentence.

use std::time::Duration;

use crate::app::grouped;
use crate::app::words::{sentence, title};
use crate::changes::{Recovered, RecoveredState, Title, WriteError};
use crate::numbers::{Agreeing, Noun, counted};
use crate::remote::{Fault, RemoteError};
use crate::segment::Field;

// Staging.

pub(super) fn staging_on(key: &str) -> String {
    format!("Staging on: changes are collected. Press {key} to review and send")
}

pub(super) const STAGING_OFF: &str = "Staging off: changes are sent immediately";

pub(super) fn staging_off_with_staged(count: usize, key: &str) -> String {
    format!("Staging off. Still staged: {}. Press {key} to review", counted(count, Noun::Change))
}

pub(super) fn staged(count: usize, key: &str) -> String {
    format!("Staged ({count}). Press {key} to review and send")
}

pub(super) fn still_staged(key: &str) -> String {
    format!("Still staged. Press {key} to review")
}

pub(super) const STAGED_DISCARDED: &str = "Discarded. It was staged only, so it can't be undone";

pub(super) fn all_staged_discarded(count: usize) -> String {
    format!("Discarded: {}. Staged only, so this can't be undone", counted(count, Noun::Change))
}

/// One change was discarded, and `count` others that depend on it.
pub(super) fn discarded_with(count: usize, was_staged: bool) -> String {
    let others = counted(count, Noun::Change);
    let need = if count == 1 { "needs" } else { "need" };
    let undo = if was_staged { ". Staged only, so this can't be undone" } else { "" };
    format!("Discarded, with {others} that {need} it{undo}")
}

pub(super) fn needs_a_staged_segment(key: &str) -> String {
    format!("Not sent: it needs a segment that is still staged. Press {key} to send both")
}

pub(super) fn parent_still_staged(key: &str) -> String {
    format!("Its new parent is still staged. Press {key} to send it")
}

// Holding.

/// Why nothing was put on hold.
pub(in crate::app) const NOTHING_TO_HOLD: &str = "Nothing to pause: only queued changes can be put on hold";
pub(super) const ONLY_QUEUED_CAN_BE_HELD: &str = "Only queued changes can be put on hold";
pub(super) const ON_HOLD: &str = "On hold. Press r to resume";

pub(super) fn on_hold(count: usize) -> String {
    format!("On hold: {}. Press r to resume", counted(count, Noun::Change))
}

// Reviewing.

pub(super) const REVIEW_KEYS: &str = "Press y to send, esc to cancel";
pub(super) const REVIEW_AGAIN: &str = "Something here just changed on the server. Please review again";
pub(super) const NOTHING_LEFT_TO_SEND: &str = "Nothing left to send";
pub(super) const NOTHING_SENT: &str = "Nothing sent";

pub(super) fn type_to_continue(phrase: &str) -> String {
    format!("Type {phrase} to continue, or press esc")
}

pub(super) fn deletions_can_be_undone(undo: &str) -> String {
    format!("Deletions can be undone ({undo}); segments get new IDs.")
}

pub(super) fn left_to_the_server(count: usize) -> String {
    let (left, are) = (counted(count, Noun::Descendant), Agreeing::Are.with(count));
    format!("{left} {are} left to the server; this can't be undone.")
}

/// Used for several segments only.
pub(super) fn managed_by_another_system(count: usize) -> String {
    format!("{} are managed by another system.", counted(count, Noun::Segment))
}

pub(super) fn external_id_of_several(external_id: &str) -> String {
    format!("“{external_id}” would be the external ID of more than one segment.")
}

// Resolving failed changes.

pub(super) const ALREADY_RESOLVED: &str = "Already resolved";
pub(super) const KEPT_THEIRS: &str = "Kept the server's version";
pub(super) const CHILDREN_NOT_LOADED: &str = "The new children aren't loaded yet. Try again in a moment";
pub(super) const HAS_NOT_FAILED: &str = "It hasn't failed; nothing to retry";
pub(super) const ONLY_FAILED_CAN_BE_EDITED: &str =
    "Only failed changes can be edited here. Press d to discard, r to resume";
pub(super) const MAY_HAVE_BEEN_CREATED: &str =
    "Not retried: it may already have been created. Press enter on it to decide";

pub(super) fn conflict_changed(key: &str) -> String {
    format!("It just changed on the server. Please check, then press {key} again")
}

pub(super) fn unresolved(resolve: &str) -> String {
    format!("Unresolved. Press {resolve} to come back to it")
}

pub(super) fn chosen_change_gone(key: &str) -> String {
    format!("The change you selected is gone. Press {key} again for this one")
}

pub(super) fn deletion_failed(error: &WriteError) -> String {
    format!("{} · press r to retry, d to discard", sentence(&error.to_string()))
}

pub(super) fn deletion_with_new_children(name: &str) -> Title {
    Title {
        imperative: format!("delete {name} and its new children"),
        done: format!("Deleted {name} and its new children"),
        failed: format!("Couldn't delete {name}"),
    }
}

// Undoing.

pub(in crate::app) const STILL_SENDING: &str = "Still sending. Try again in a moment";
pub(in crate::app) const NOTHING_TO_UNDO: &str = "Nothing to undo";
pub(in crate::app) const NOTHING_TO_REDO: &str = "Nothing to redo";
pub(super) const NOT_DONE_HERE: &str = "This wasn't done here, so it can't be undone here";
pub(super) const ALREADY_UNDONE: &str = "Already undone";

pub(super) fn remaining_discarded(title: &Title) -> String {
    format!("{}: remaining steps discarded", title.failed)
}

// Results.

/// The server could not be reached. `title` is that of the plan, if it still exists.
pub(super) fn unreached(title: Option<&Title>, error: &RemoteError, retry_in: Duration, queue: &str) -> String {
    let failed =
        title.map_or_else(|| sentence(&error.to_string()), |title| format!("{}: {}", title.failed, error.fault));
    let when = when(&error.fault, retry_in);
    format!("{failed}. Your changes are kept and sent {when} · press {queue} to see them")
}

fn when(fault: &Fault, retry_in: Duration) -> String {
    match fault.retry_after() {
        Some(_) => format!("again in {} s", retry_in.as_secs()),
        None => "when the server responds".into(),
    }
}

/// `kept` is the fields, each with the server's value.
pub(super) fn server_kept(name: &str, kept: &[(Field, String)]) -> String {
    let kept: Vec<String> = kept.iter().map(|(field, value)| format!("{field} {value}")).collect();
    format!("{name}: the server kept {}", kept.join(" and the "))
}

pub(super) fn kept_newer(name: &str, fields: &[Field]) -> String {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    format!("{name}: kept someone else's newer {}", fields.join(" and "))
}

pub(super) fn existed(name: &str) -> String {
    format!("{name} already existed: the server returned it instead of creating a new one")
}

pub(super) fn concurrent_write(name: &str) -> String {
    format!("{name}: someone else changed it at the same moment; their change may be lost. Please check with them")
}

pub(super) fn reverted(name: &str, field: Field, from: Option<&str>, to: Option<&str>) -> String {
    let value = |text: Option<&str>| text.map_or_else(|| "none".into(), |text| format!("“{text}”"));
    format!("{name}: someone reverted your change to {field} ({} → {})", value(from), value(to))
}

/// A plan is done, except for operations that were discarded.
pub(super) fn done(title: Title, done: usize, total: usize) -> String {
    if done == total { title.done } else { format!("{} ({done} of {total} applied, the rest discarded)", title.done) }
}

pub(super) fn failed(title: &Title, done: usize, total: usize, error: &WriteError) -> String {
    let progress = if total > 1 { format!(" ({done} of {total} applied)") } else { String::new() };
    format!("{}{progress}: {error}", title.failed)
}

pub(super) fn to_resolve(failed: &str, resolve: &str) -> String {
    format!("{failed} · press {resolve} to resolve")
}

pub(super) fn to_review_and_retry(failed: &str, queue: &str) -> String {
    format!("{failed} · press {queue} to review and retry")
}

pub(super) const TOO_MANY_PENDING: &str = "Too many pending changes. Try again in a moment";

// What the last session left over.

pub(super) fn last_session() -> Title {
    Title {
        imperative: "finish changes from last session".into(),
        done: "Finished changes from last session".into(),
        failed: "Some changes from last session couldn't be applied".into(),
    }
}

pub(super) fn left_over(first: &str, more: usize, queue: &str) -> String {
    let others = if more == 0 { String::new() } else { format!(" and {} more", grouped(more)) };
    format!("Left over from last session: {first}{others} · press {queue} to see it")
}

/// The state of an operation of an earlier session.
pub(super) fn recovered(recovered: &Recovered) -> String {
    let Title { imperative, done, .. } = title(&recovered.operation);
    let imperative = sentence(&imperative);
    match &recovered.state {
        RecoveredState::Applied(_) => format!("{done}: applied"),
        RecoveredState::Staged => format!("{imperative}: still staged"),
        RecoveredState::NotSent => format!("{imperative}: not sent yet"),
        RecoveredState::NotApplied => format!("{imperative}: sent but not applied"),
        RecoveredState::NotFound => format!("{imperative}: sent, not found on the server so far; still checking"),
        RecoveredState::Unknown(error) => format!("{imperative}: sent, result unknown: {error}"),
    }
}
