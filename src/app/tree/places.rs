//! Navigation history, bookmarks, and jumps to an exact id.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use std::collections::BTreeMap;

use crate::action::Action;
use crate::forest::RowId;
use crate::keymap::Key;
use crate::segment::SegmentId;

use crate::app::tree::{viewport, words};
use crate::app::{State, TextField};

/// The navigation history and the bookmarks.
#[derive(Debug, Clone, Default)]
pub struct Locations {
    /// Segments that were selected before a jump, oldest first.
    visited: Vec<SegmentId>,
    /// The present index in `visited`; its length unless the user has gone back.
    at: usize,
    /// Bookmarked segments by letter.
    pub(in crate::app) bookmarks: BTreeMap<char, SegmentId>,
}

/// History entries to keep.
const MAX_VISITED: usize = 100;

/// What the next letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// Sets a bookmark.
    Bookmark,
    /// Goes to a bookmark.
    GoTo,
}

impl Locations {
    /// Replaces a provisional id with the real one.
    pub(in crate::app) fn rename(&mut self, provisional: &SegmentId, id: &SegmentId) {
        for known in self.visited.iter_mut().chain(self.bookmarks.values_mut()).filter(|known| *known == provisional) {
            *known = id.clone();
        }
    }

    /// Whether there are any bookmarks.
    #[must_use]
    pub fn has_bookmarks(&self) -> bool {
        !self.bookmarks.is_empty()
    }

    /// Returns the bookmarks, sorted by letter.
    pub fn bookmarks(&self) -> impl Iterator<Item = (char, &SegmentId)> {
        self.bookmarks.iter().map(|(letter, id)| (*letter, id))
    }
}

fn selected_id(state: &State) -> Option<SegmentId> {
    match &state.tree.view.selected {
        Some(RowId::Segment(id)) => Some(id.clone()),
        _ => None,
    }
}

/// Adds the selected segment to the history before a jump.
pub(in crate::app) fn record_position(state: &mut State) {
    let Some(here) = selected_id(state) else { return };
    let places = &mut state.tree.picks.places;
    places.visited.truncate(places.at);
    if places.visited.last() != Some(&here) {
        places.visited.push(here);
    }
    if places.visited.len() > MAX_VISITED {
        places.visited.remove(0);
    }
    places.at = places.visited.len();
}

/// Goes back in the history, skipping segments that no longer exist.
pub(in crate::app) fn back(state: &mut State) {
    let here = selected_id(state);
    let places = &mut state.tree.picks.places;
    if places.at == places.visited.len() {
        // Going forward will lead back here.
        let present = here.clone().filter(|here| places.visited.last() != Some(here));
        places.visited.extend(present);
        places.at = places.visited.len().saturating_sub(1);
        if places.visited.get(places.at) != here.as_ref() {
            places.at = places.visited.len();
        }
    }
    let at = state.tree.picks.places.at;
    let earlier = (0..at).rev().find(|place| state.tree.forest.contains(&state.tree.picks.places.visited[*place]));
    go_to_visited(state, earlier, words::OLDEST_POSITION);
}

/// Goes forward in the history.
pub(in crate::app) fn forward(state: &mut State) {
    let places = &state.tree.picks.places;
    let later = (places.at + 1..places.visited.len()).find(|place| state.tree.forest.contains(&places.visited[*place]));
    go_to_visited(state, later, words::NEWEST_POSITION);
}

fn go_to_visited(state: &mut State, place: Option<usize>, otherwise: &str) {
    match place.and_then(|place| Some((place, state.tree.picks.places.visited.get(place)?.clone()))) {
        Some((place, id)) => {
            state.tree.picks.places.at = place;
            viewport::go_to(state, &id);
        }
        None => state.warn(otherwise),
    }
}

/// Handles the letter of a bookmark.
pub(in crate::app) fn press_letter(state: &mut State, purpose: Letter, key: Key) -> KeyResult {
    let Some(letter) = key.typed().filter(|letter| letter.is_alphanumeric()) else { return KeyResult::Close };
    match purpose {
        Letter::Bookmark => {
            let Some(segment) = state.selected_segment().cloned() else { return KeyResult::Close };
            state.tree.picks.places.bookmarks.insert(letter, segment.id.clone());
            let text = words::bookmark_set(letter, &segment.name, state.key(Action::GoToBookmark));
            state.inform_about(Topic::Segment(segment.id.clone()), text);
        }
        Letter::GoTo => match state.tree.picks.places.bookmarks.get(&letter).cloned() {
            Some(id) if state.tree.forest.contains(&id) => {
                record_position(state);
                viewport::go_to(state, &id);
            }
            Some(id) => state.warn_about(Topic::Gone(id), words::bookmark_gone(letter)),
            None => state.warn(words::no_bookmark(letter, state.key(Action::Bookmark))),
        },
    }
    KeyResult::Close
}

/// Handles a key while an exact id is typed.
pub(in crate::app) fn press_jump(state: &mut State, text: &mut TextField, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => KeyResult::Close,
        "enter" if jump(state, text.text()) => KeyResult::Close,
        "enter" => KeyResult::Stay,
        _ => {
            text.press(key);
            KeyResult::Stay
        }
    }
}

/// Goes to the segment with exactly that external id, or else that id. Returns whether there is one.
pub(in crate::app) fn jump(state: &mut State, text: &str) -> bool {
    let query = text.trim();
    let by_external_id = || state.tree.forest.with_external_id(query).map(|segment| segment.id.clone());
    let found: Vec<SegmentId> = by_external_id().collect();
    let by_id = SegmentId::new(query).filter(|id| state.tree.forest.contains(id));
    let Some(id) = found.first().cloned().or(by_id) else {
        state.warn_about(Topic::ExternalIdCount(query.into(), 0), words::no_such_id(query, state.link.listed));
        return false;
    };
    record_position(state);
    viewport::go_to(state, &id);
    if found.len() > 1 {
        state.warn_about(Topic::ExternalIdCount(query.into(), found.len()), words::one_of_several(query, found.len()));
    }
    true
}
