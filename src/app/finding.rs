//! Searching: the text being typed, the matches, and going from one to the next.

use crate::forest::{Query, RowId};
use crate::keymap::Key;
use crate::segment::SegmentId;

use super::tree_view::{self, Direction, TreeView};
use super::{Layer, State, TextField};

/// A search whose matches are shown.
#[derive(Debug, Clone)]
pub struct Search {
    /// What is searched.
    pub query: Query,
    /// The text it was read from.
    pub text: String,
    /// How many segments matched when last looked.
    pub matches: usize,
    /// Which of them is selected, from 1.
    pub current: Option<usize>,
}

/// The line in which a search is typed.
#[derive(Debug, Clone)]
pub struct FindPrompt {
    /// The text as typed.
    pub text: TextField,
    /// Where the person was, to go back on Esc.
    origin: TreeView,
    /// The search that was shown before.
    former: Option<Search>,
}

pub(super) fn begin(state: &mut State) {
    let prompt = FindPrompt { text: TextField::default(), origin: state.tree.clone(), former: state.search.take() };
    state.layers.push(Layer::Find(prompt));
}

/// Takes a key while the search is typed.
pub(super) fn press(state: &mut State, mut prompt: FindPrompt, key: Key) {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => {
            state.search = prompt.former;
            go_back(state, &prompt.origin);
        }
        "enter" => {
            if prompt.text.text().trim().is_empty() {
                state.search = prompt.former;
            } else if let Some(search) = state.search.as_ref().filter(|search| search.matches == 0) {
                state.warn(format!("nothing has “{}” in its name, external id or id", search.text));
            }
        }
        "down" | "ctrl-n" => {
            step(state, Direction::Next);
            state.layers.push(Layer::Find(prompt));
        }
        "up" | "ctrl-p" => {
            step(state, Direction::Previous);
            state.layers.push(Layer::Find(prompt));
        }
        "backspace" if prompt.text.text().is_empty() => state.search = prompt.former,
        _ => {
            prompt.text.press(key);
            look(state, &prompt);
            state.layers.push(Layer::Find(prompt));
        }
    }
}

pub(super) fn paste(state: &mut State, mut prompt: FindPrompt, text: &str) {
    prompt.text.paste(text);
    look(state, &prompt);
    state.layers.push(Layer::Find(prompt));
}

/// Searches for what is typed and goes to the first match from where the person was.
fn look(state: &mut State, prompt: &FindPrompt) {
    let text = prompt.text.text().to_owned();
    state.search = Query::parse(&text).map(|query| Search { query, text, matches: 0, current: None });
    go_back(state, &prompt.origin);
    to_match(state, Direction::Next, Origin::Included);
}

/// Goes to where the person was, or to what is left there.
fn go_back(state: &mut State, origin: &TreeView) {
    state.tree.clone_from(origin);
    tree_view::steady(state, |_| {});
}

/// Goes to the next or previous match, around the end if need be.
pub(super) fn step(state: &mut State, direction: Direction) {
    to_match(state, direction, Origin::Excluded);
}

/// Whether the selected segment itself counts as a match to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Included,
    Excluded,
}

fn to_match(state: &mut State, direction: Direction, origin: Origin) {
    let Some(search) = &state.search else { return };
    // In the order of the whole tree, so that the selected segment has a place among the matches even if it is none itself.
    let here = match &state.tree.selected {
        Some(RowId::Segment(id)) => Some(id.clone()),
        _ => None,
    };
    let (matches, place) = places(state, &search.query, here.as_ref());
    let count = matches.len();
    let on_match = here.as_ref().is_some_and(|here| matches.get(place) == Some(here));
    let target = match (direction, origin) {
        _ if count == 0 => None,
        (Direction::Next, Origin::Included) => Some(place % count),
        (Direction::Next, Origin::Excluded) => Some((place + usize::from(on_match)) % count),
        (Direction::Previous, _) => Some((place + count - 1) % count),
    };
    if let Some(search) = &mut state.search {
        search.matches = count;
        search.current = target.map(|target| target + 1);
    }
    let Some(id) = target.and_then(|target| matches.get(target).cloned()) else { return };
    tree_view::go_to(state, &id);
}

/// All matches in the order of the tree, and how many of them stand before the given segment.
fn places(state: &State, query: &Query, here: Option<&SegmentId>) -> (Vec<SegmentId>, usize) {
    let mut matches = Vec::new();
    let mut place = None;
    for (_, segment) in state.forest.preorder() {
        if Some(&segment.id) == here {
            place = Some(matches.len());
        }
        if query.matches(segment) {
            matches.push(segment.id.clone());
        }
    }
    let place = place.unwrap_or(0);
    (matches, place)
}
