//! The texts of the tree: marks, searches, places and sorting.
//!
//! Each function takes the varying parts, with names and keys already in words, and returns the whole sentence.

use crate::forest::Order;
use crate::numbers::{Noun, counted};

pub(super) const OLDEST_POSITION: &str = "Already at the oldest position";
pub(super) const NEWEST_POSITION: &str = "Already at the newest position";

pub(super) fn marked(count: usize) -> String {
    format!("Marked {count}")
}

pub(super) fn marked_so_far(count: usize) -> String {
    format!("Marked {count} so far; still searching. Press again when the search is done")
}

pub(super) fn marking_a_range(range: &str, dismiss: &str) -> String {
    format!("Marking a range: move, then {range} to finish, {dismiss} to cancel")
}

pub(super) fn bookmark_set(letter: char, name: &str, go: &str) -> String {
    format!("Bookmark {letter} set to {name}. Press {go} {letter} to go there")
}

pub(super) fn bookmark_gone(letter: char) -> String {
    format!("The segment bookmarked as {letter} no longer exists")
}

pub(super) fn no_bookmark(letter: char, bookmark: &str) -> String {
    format!("No bookmark {letter}. Press {bookmark} {letter} to set it here")
}

/// No segment has that id. Before the whole list is loaded, it may still arrive.
pub(super) fn no_such_id(wanted: &str, listed: bool) -> String {
    let more = if listed { "" } else { " (or it hasn't loaded yet)" };
    format!("No segment with ID or external ID “{wanted}”{more}")
}

pub(super) fn one_of_several(wanted: &str, count: usize) -> String {
    format!("“{wanted}” is used by {}; showing one of them", counted(count, Noun::Segment))
}

pub(super) fn unknown_state(states: &[&str]) -> String {
    format!("Unknown state. Use {}", states.join(", "))
}

pub(super) fn no_matches(text: &str) -> String {
    format!("No matches for “{text}”")
}

pub(super) fn sorting(order: Order) -> String {
    format!("Sorting by {}…", order_name(order))
}

pub(super) fn sorted(order: Order) -> String {
    format!("Sorted by {}", order_name(order))
}

const fn order_name(order: Order) -> &'static str {
    match order {
        Order::Name => "name",
        Order::ExternalId => "external ID",
        Order::Descendants => "size (descendants)",
        Order::Recent => "last changed",
    }
}

pub(super) fn children_do_not_match(fold: &str, clear: &str) -> String {
    format!("Its children don't match the filter. Press {fold} to see it in the tree, {clear} to clear the filter")
}
