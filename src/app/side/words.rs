//! The sentences of the wing beside the tree: what the details say of the selected row, what the activity says of an entry, and what
//! is said of a request.
//!
//! A sentence takes what varies in it, already in words where that is a name or a key, and says it whole. What stands before a value,
//! as `External ID`, is a label and stands where the line is made.

use std::fmt::Display;

use crate::forest::Heading;
use crate::numbers::{Agreeing, Noun, counted, grouped};
use crate::remote::{Contexts, Fault};
use crate::segment::Field;

use super::activity::FieldChange;

// The details.

pub(super) const NO_SEGMENTS: &str = "No segments yet";
pub(super) const WAITING: &str = "Waiting for the server…";
pub(super) const MISSING_PARENT: &str = "Missing parent";
pub(super) const NO_CHILDREN: &str = "no children";
pub(super) const NO_DESCENDANTS: &str = "none";
pub(super) const NO_PARENT: &str = "– (top level)";
pub(super) const NO_ID_YET: &str = "assigned by the server";
pub(super) const NOT_THIS_SESSION: &str = "not this session";

/// In words, since a sign in the place of a value is not read.
pub(super) const NONE: &str = "none";
pub(super) const NO_PARENT_ALOUD: &str = "none, it is at the top level";

pub(super) fn details_of(name: &str) -> String {
    format!("Details of {name}")
}

/// How many descendants there are at each level, the nearest first.
pub(super) fn by_depth_aloud(levels: &[usize]) -> String {
    levels.iter().map(|count| grouped(*count)).collect::<Vec<_>>().join(", then ")
}

pub(super) const STAGED: &str = "staged";
pub(super) const CREATING: &str = "creating…";
pub(super) const SAVING: &str = "saving…";
pub(super) const DELETING: &str = "deleting…";

pub(super) fn failed(resolve: &str) -> String {
    format!("failed, press {resolve} to resolve")
}

pub(super) fn tenant_is_empty(add: &str) -> String {
    format!("This tenant has none. Press {add} to add the first.")
}

/// What a heading is for. A parent may be missing only because not everything is loaded.
pub(super) const fn about(heading: Heading, listed: bool) -> &'static str {
    match heading {
        Heading::MissingParents if !listed => {
            "Still loading. These segments move into place once their parents arrive."
        }
        Heading::MissingParents => {
            "These segments refer to a parent that doesn't exist on the server. They stay here until it appears or you move them."
        }
        Heading::Circles => {
            "These segments are each other's ancestors, so none of them reaches the top level. Move any one of them to break the loop."
        }
    }
}

pub(super) fn missing_parent_of(children: usize) -> String {
    let (refer, their) = (Agreeing::Refer.with(children), Agreeing::Their.with(children));
    let segments = counted(children, Noun::Segment);
    format!("This segment doesn't exist on the server, but {segments} {refer} to it as {their} parent.")
}

pub(super) fn managed_by(owner: &str) -> String {
    format!("managed by {owner}")
}

/// How many children there are, and how many descendants where that is more.
pub(super) fn below(children: usize, all: usize) -> String {
    match children {
        0 => NO_DESCENDANTS.into(),
        _ if children == all => counted(children, Noun::Child),
        _ => format!("{} · {} in all", counted(children, Noun::Child), grouped(all)),
    }
}

pub(super) fn not_counted_above(most: usize) -> String {
    format!("not counted above {}", grouped(most))
}

pub(super) fn by_you(at: impl Display) -> String {
    format!("{at} by you")
}

/// The server does not always say by whom.
pub(super) fn by_another(at: impl Display, contexts: Contexts) -> String {
    if contexts.is_empty() { at.to_string() } else { format!("{at} by {contexts}") }
}

pub(super) fn change_of_field(field: Field, before: &str, now: &str) -> String {
    format!("{field}: {before} → {now}")
}

pub(in crate::app) fn change_of_field_aloud(change: &FieldChange) -> String {
    format!("{} {} to {}", change.field, value_aloud(&change.before), value_aloud(&change.now))
}

/// A value of a field as [`shown`](super::activity::shown) has it.
fn value_aloud(value: &str) -> &str {
    if value == NO_VALUE { NONE } else { value }
}

// The activity.

/// In the place of a value, where there is none.
pub(in crate::app) const NO_VALUE: &str = "–";
pub(super) const CREATED: &str = "created";
pub(super) const CHANGED: &str = "changed";
pub(super) const DELETED: &str = "deleted";
pub(super) const FOUND_ON_VERIFY: &str = "found on verify";
pub(super) const TOP_LEVEL: &str = "top level";

// Requests.

pub(super) const NO_RESPONSE: &str = "none";
pub(super) const EMPTY_BODY: &str = "nothing";

pub(super) fn bytes_not_kept(bytes: usize) -> String {
    format!("… {} more bytes not kept", grouped(bytes))
}

/// Why there is no response, in a word or two.
pub(super) const fn fault_in_short(fault: &Fault) -> &'static str {
    match fault {
        Fault::Refused { .. } => "rejected",
        Fault::Unreachable { .. } => "unreachable",
        Fault::TimedOut { .. } => "timeout",
        Fault::Broken { .. } => "dropped",
        Fault::InvalidResponse { .. } => "invalid",
        Fault::TooLong { .. } => "too long",
        Fault::Redirected { .. } => "redirect",
        Fault::InvalidRequest { .. } | Fault::ReadOnly => "not sent",
    }
}
