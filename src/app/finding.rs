//! Searching: the text being typed, the matches, and going from one to the next.
//!
//! A small tree is searched at once; in a large one the matches come while the person goes on.

use crate::forest::{Finds, Purpose, Query, RowId, SearchJob};
use crate::keymap::Key;
use crate::segment::SegmentId;

use super::tree_view::{self, Direction, TreeView};
use super::{Effect, Layer, State, TextField};

/// A search whose matches are shown.
#[derive(Debug, Clone)]
pub struct Search {
    /// What is searched.
    pub query: Query,
    /// The text it was read from.
    pub text: String,
    /// How many segments matched when last looked.
    pub matches: usize,
    /// Whether all segments were looked at.
    pub ended: bool,
    /// Which of the matches is selected, from 1; `None` also for one of so many that counting up to it would take long.
    pub current: Option<usize>,
    /// Where a match is still to be gone to.
    going: Option<Going>,
}

/// A way to the first match that is taken as matches come.
#[derive(Debug, Clone)]
struct Going {
    /// From where the first match is looked for.
    from: Option<RowId>,
    /// Where it has led so far. A person who is elsewhere by then is left there.
    at: Option<RowId>,
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

/// Segments that are searched at once: that takes no longer than a frame may.
const AT_ONCE: usize = if cfg!(test) { 3 } else { 20_000 };
/// Matches of which each is told its number.
const NUMBERED: usize = 20_000;

/// Carries out a search, or has it carried out where that takes longer than a person should wait.
pub(super) fn carry_out(state: &mut State, job: SearchJob) -> Vec<Effect> {
    if state.forest.len() > AT_ONCE {
        return vec![Effect::Search(job)];
    }
    job.for_each(|finds| take_finds(state, finds));
    Vec::new()
}

/// Takes in what was found.
pub(super) fn take_finds(state: &mut State, finds: Finds) {
    let purpose = finds.purpose();
    state.forest.take_finds(finds);
    match purpose {
        Purpose::Tree => follow(state),
        Purpose::Parents => {
            for layer in &mut state.layers {
                if let Layer::Parents(picker) = layer {
                    picker.follow(&state.forest);
                }
            }
        }
    }
}

pub(super) fn begin(state: &mut State) {
    let prompt = FindPrompt { text: TextField::default(), origin: state.tree.clone(), former: state.search.take() };
    state.layers.push(Layer::Find(prompt));
}

/// Takes a key while the search is typed.
pub(super) fn press(state: &mut State, mut prompt: FindPrompt, key: Key) -> Vec<Effect> {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => {
            state.search = prompt.former;
            go_back(state, &prompt.origin);
            return resume(state);
        }
        "enter" => {
            if prompt.text.text().trim().is_empty() {
                state.search = prompt.former;
                return resume(state);
            }
            warn_of_none(state);
        }
        "down" | "ctrl-n" => {
            step(state, Direction::Next);
            state.layers.push(Layer::Find(prompt));
        }
        "up" | "ctrl-p" => {
            step(state, Direction::Previous);
            state.layers.push(Layer::Find(prompt));
        }
        "backspace" if prompt.text.text().is_empty() => {
            state.search = prompt.former;
            return resume(state);
        }
        _ => {
            if prompt.text.press(key) {
                return look(state, prompt);
            }
            state.layers.push(Layer::Find(prompt));
        }
    }
    Vec::new()
}

pub(super) fn paste(state: &mut State, mut prompt: FindPrompt, text: &str) -> Vec<Effect> {
    prompt.text.paste(text);
    look(state, prompt)
}

/// Searches for what is typed and goes to the first match from where the person was.
fn look(state: &mut State, prompt: FindPrompt) -> Vec<Effect> {
    let text = prompt.text.text().to_owned();
    go_back(state, &prompt.origin);
    state.layers.push(Layer::Find(prompt));
    let Some(query) = Query::parse(&text) else {
        end(state);
        return Vec::new();
    };
    let going = Some(Going { from: state.tree.selected.clone(), at: state.tree.selected.clone() });
    let job = state.forest.search(Purpose::Tree, query.clone());
    state.search = Some(Search { query, text, matches: 0, ended: false, current: None, going });
    carry_out(state, job)
}

/// Looks for the matches of the search that is shown in the tree that is there now, without going anywhere.
pub(super) fn resume(state: &mut State) -> Vec<Effect> {
    let Some(search) = &mut state.search else {
        state.forest.end_search(Purpose::Tree);
        return Vec::new();
    };
    search.going = None;
    let job = state.forest.search(Purpose::Tree, search.query.clone());
    carry_out(state, job)
}

/// Ends the search that is shown, and tells whether there was one.
pub(super) fn end(state: &mut State) -> bool {
    state.forest.end_search(Purpose::Tree);
    state.search.take().is_some()
}

/// Goes back to where the person was, or to what is left there.
fn go_back(state: &mut State, origin: &TreeView) {
    state.tree.clone_from(origin);
    tree_view::steady(state, |_| {});
}

/// Matches have come: goes to the first that came at all, and to the first of all at the end.
fn follow(state: &mut State) {
    let (matches, ended) = (state.forest.match_count(Purpose::Tree), state.forest.is_searched(Purpose::Tree));
    let Some(search) = &mut state.search else { return };
    let first_ones = search.matches == 0 && matches > 0;
    // A former search that is shown again was told of before.
    let fresh = search.going.is_some();
    search.matches = matches;
    search.ended = ended;
    if (first_ones || ended)
        && let Some(going) = search.going.take()
    {
        go_on(state, going, ended);
    }
    if ended {
        number_current(state);
        if fresh && state.layers.iter().all(|layer| !matches!(layer, Layer::Find(_))) {
            warn_of_none(state);
        }
    }
}

fn go_on(state: &mut State, mut going: Going, ended: bool) {
    if state.tree.selected != going.at {
        return;
    }
    let here = going.from.as_ref().filter(|from| is_match(state, from)).and_then(segment_of);
    let target = here.or_else(|| next(state, going.from.as_ref(), Direction::Next));
    if let Some(id) = target {
        tree_view::go_to(state, &id);
        going.at.clone_from(&state.tree.selected);
    }
    if let Some(search) = state.search.as_mut().filter(|_| !ended) {
        search.going = Some(going);
    }
}

fn warn_of_none(state: &mut State) {
    if let Some(search) = state.search.as_ref().filter(|search| search.matches == 0 && search.ended) {
        state.warn(format!("nothing has “{}” in its name, external id or id", search.text));
    }
}

/// Goes to the next or previous match, around the end if need be.
pub(super) fn step(state: &mut State, direction: Direction) {
    if state.search.is_none() {
        return;
    }
    let from = state.tree.selected.clone();
    let found = next(state, from.as_ref(), direction);
    if let Some(id) = &found {
        tree_view::go_to(state, id);
    }
    if let Some(search) = &mut state.search {
        if found.is_some() {
            search.going = None;
        }
        search.matches = state.forest.match_count(Purpose::Tree);
    }
    number_current(state);
}

fn next(state: &mut State, from: Option<&RowId>, direction: Direction) -> Option<SegmentId> {
    let forest = &mut state.forest;
    match direction {
        Direction::Next => forest.match_after(Purpose::Tree, from).or_else(|| forest.match_after(Purpose::Tree, None)),
        Direction::Previous => {
            forest.match_before(Purpose::Tree, from).or_else(|| forest.match_before(Purpose::Tree, None))
        }
    }
}

/// Counts which of the matches is selected.
fn number_current(state: &mut State) {
    let selected = state.tree.selected.as_ref().filter(|row| is_match(state, row)).and_then(segment_of);
    let countable = selected.filter(|_| state.forest.match_count(Purpose::Tree) <= NUMBERED);
    let number = countable.and_then(|id| state.forest.matches(Purpose::Tree).position(|other| *other == id));
    if let Some(search) = &mut state.search {
        search.current = number.map(|number| number + 1);
    }
}

fn is_match(state: &State, row: &RowId) -> bool {
    segment_of(row).is_some_and(|id| state.forest.is_match(Purpose::Tree, &id))
}

fn segment_of(row: &RowId) -> Option<SegmentId> {
    match row {
        RowId::Segment(id) => Some(id.clone()),
        RowId::Heading(_) => None,
    }
}
