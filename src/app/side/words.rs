//! The texts of the side panes: details of the selected row, activity entries and requests.
//!
//! Each function takes the varying parts, with names and keys already in words, and returns the whole sentence. Labels such as
//! `External ID` are written where the line is built.

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

/// A word, since screen readers skip a dash.
pub(super) const NONE: &str = "none";
pub(super) const NO_PARENT_ALOUD: &str = "none, it is at the top level";

pub(super) fn details_of(name: &str) -> String {
    format!("Details of {name}")
}

/// Lists the number of descendants at each level, nearest first.
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

/// Explains a heading. Before the whole list is loaded, a parent may only seem to be missing.
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

/// Returns the number of children, and that of descendants if it is higher.
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

/// The server does not always say who made a change.
pub(super) fn by_another(at: impl Display, contexts: Contexts) -> String {
    if contexts.is_empty() { at.to_string() } else { format!("{at} by {contexts}") }
}

pub(super) fn change_of_field(field: Field, before: &str, now: &str) -> String {
    format!("{field}: {before} → {now}")
}

pub(in crate::app) fn change_of_field_aloud(change: &FieldChange) -> String {
    format!("{} {} to {}", change.field, value_aloud(&change.before), value_aloud(&change.now))
}

/// Spells out a field's value as formatted by [`shown`](super::activity::shown).
fn value_aloud(value: &str) -> &str {
    if value == NO_VALUE { NONE } else { value }
}

// The activity.

/// Stands for a missing value.
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

/// Why there is no valid response, in a word or two.
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
