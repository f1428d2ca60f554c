//! Searching: the text being typed, the matches, and going from one to the next.
//!
//! While the text is typed, the tree is filtered by it. A small tree is searched at once; in a large one the matches come while the
//! person goes on.

use crate::app::ParentPicker;
use crate::app::Tree;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::messages::Topic;
use crate::forest::{Query, RowId, SearchBatch, SearchJob, SearchKind, StateFilter};
use crate::keymap::Key;
use crate::segment::SegmentId;

use crate::app::tree::viewport::{self, Direction};
use crate::app::tree::{filter, filters, search_flags, words};
use crate::app::{Effect, Layer, State, TextField};

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
    /// Whether it is still to be said if nothing is found.
    fresh: bool,
}

/// The line in which a search is typed.
#[derive(Debug, Clone)]
pub struct FindPrompt {
    /// The text as typed.
    pub text: TextField,
    /// The search that was shown before, and whether its filter stayed.
    former: Option<Search>,
    kept: bool,
    /// How many filters of earlier were gone back, and what had been typed before that.
    back: usize,
    typed: String,
}

/// Matches of which each is told its number.
const NUMBERED: usize = 20_000;

/// Carries out a search, or has it carried out where that takes longer than a person should wait.
pub(in crate::app) fn carry_out(state: &mut State, job: SearchJob) -> Vec<Effect> {
    if !state.tree.forest.is_searched_at_once() {
        return vec![Effect::Search(job)];
    }
    job.for_each(|finds| take_finds(state, finds));
    Vec::new()
}

/// Takes in what was found.
pub(in crate::app) fn take_finds(state: &mut State, finds: SearchBatch) {
    let purpose = finds.kind();
    state.tree.forest.take_finds(finds);
    match purpose {
        SearchKind::Tree => follow(state),
        SearchKind::Parents => {
            for layer in &mut state.screen.layers {
                if let Layer::Parents(picker) = layer {
                    picker.follow(&state.tree.forest);
                }
            }
        }
    }
}

pub(in crate::app) fn begin(state: &mut State) {
    let kept = filter::is_kept(&state.tree);
    // A filter that stays is shown until something is typed.
    let former = if kept { state.tree.search.clone() } else { state.tree.search.take() };
    let prompt = FindPrompt { text: TextField::default(), former, kept, back: 0, typed: String::new() };
    state.screen.layers.push(Layer::Find(prompt));
}

/// Takes a key while the search is typed.
pub(in crate::app) fn press(state: &mut State, prompt: &mut FindPrompt, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Do(leave(state, prompt)),
        "backspace" if prompt.text.text().is_empty() => return KeyResult::Do(leave(state, prompt)),
        "enter" => return KeyResult::Do(stay(state, prompt)),
        "ctrl-n" => filter::step(state, Direction::Next),
        "ctrl-p" => filter::step(state, Direction::Previous),
        "up" => return recall(state, prompt, prompt.back + 1),
        "down" => return recall(state, prompt, prompt.back.saturating_sub(1)),
        "tab" => return complete(state, prompt),
        "pagedown" => filter::page(state, page(state)),
        "pageup" => filter::page(state, -page(state)),
        _ => {
            let before = prompt.text.text().to_owned();
            if prompt.text.press(key) && prompt.text.text() != before {
                return KeyResult::StayAndDo(start(state, prompt));
            }
        }
    }
    KeyResult::Stay
}

/// Puts a filter of earlier into the prompt, or what was typed before that.
fn recall(state: &mut State, prompt: &mut FindPrompt, back: usize) -> KeyResult {
    if prompt.back == 0 {
        prompt.typed = prompt.text.text().to_owned();
    }
    let text = if back == 0 { Some(prompt.typed.as_str()) } else { state.tree.filters.recent(back) };
    let Some(text) = text.map(str::to_owned) else { return KeyResult::Stay };
    prompt.back = back;
    prompt.text.set(&text);
    KeyResult::StayAndDo(start(state, prompt))
}

/// Completes the last word, or the part of it that all its completions have in common.
fn complete(state: &mut State, prompt: &mut FindPrompt) -> KeyResult {
    let found = filters::completions(prompt.text.text());
    let Some(first) = found.first() else { return KeyResult::Stay };
    let common = found.iter().skip(1).fold(first.as_str(), |common, other| {
        let equal = common.char_indices().zip(other.chars()).take_while(|((_, one), other)| one == other);
        &common[..equal.last().map_or(0, |((at, one), _)| at + one.len_utf8())]
    });
    if common.len() <= prompt.text.text().len() {
        return KeyResult::Stay;
    }
    prompt.text.set(common);
    KeyResult::StayAndDo(start(state, prompt))
}

fn page(state: &State) -> isize {
    isize::try_from(viewport::height(state).saturating_sub(1).max(1)).unwrap_or(isize::MAX)
}

pub(in crate::app) fn paste(state: &mut State, prompt: &mut FindPrompt, text: &str) -> KeyResult {
    prompt.text.paste(text);
    KeyResult::StayAndDo(start(state, prompt))
}

/// Searches for what is typed, and filters the tree by it.
fn start(state: &mut State, prompt: &FindPrompt) -> Vec<Effect> {
    let text = prompt.text.text().to_owned();
    let Some(query) = Query::parse(&text) else {
        filter::clear(state);
        end(&mut state.tree);
        return Vec::new();
    };
    filter::apply(&mut state.tree);
    let known = search_flags::known(state, &query);
    let query = query.knowing(known);
    let job = state.tree.forest.search(SearchKind::Tree, query.clone());
    state.tree.search = Some(Search { query, text, matches: 0, ended: false, current: None, fresh: true });
    carry_out(state, job)
}

/// Back to where the person was, and to the search or the filter that was shown before.
fn leave(state: &mut State, prompt: &mut FindPrompt) -> Vec<Effect> {
    state.tree.search = prompt.former.take();
    if prompt.kept && state.tree.search.is_some() {
        filter::apply(&mut state.tree);
        filter::keep(&mut state.tree);
    } else {
        filter::clear(state);
    }
    resume(state)
}

/// Closes the prompt. The filter stays.
fn stay(state: &mut State, prompt: &mut FindPrompt) -> Vec<Effect> {
    let Some(search) = &state.tree.search else {
        if Query::wants_a_state(prompt.text.text()) {
            let states: Vec<&str> = StateFilter::NAMED.into_iter().map(|(name, _)| name).collect();
            state.warn(words::unknown_state(&states));
        }
        prompt.kept = false;
        return leave(state, prompt);
    };
    state.tree.filters.used(&search.text.clone());
    if search.ended && search.matches == 0 {
        filter::clear(state);
        warn_of_none(state);
        return Vec::new();
    }
    filter::keep(&mut state.tree);
    Vec::new()
}

/// Filters the tree by a text, as if it had been typed.
pub(in crate::app) fn filter_by(state: &mut State, text: &str) -> Vec<Effect> {
    let former = state.tree.search.take();
    let kept = filter::is_kept(&state.tree);
    let mut prompt = FindPrompt { text: TextField::new(text), former, kept, back: 0, typed: String::new() };
    let mut effects = start(state, &prompt);
    effects.extend(stay(state, &mut prompt));
    effects
}

/// Clears the filter that stays: the tree is as it was, and the matches are marked in it. Returns whether there was one.
pub(in crate::app) fn clear_filter(state: &mut State) -> bool {
    let is_kept = filter::is_kept(&state.tree);
    if is_kept {
        filter::clear(state);
        number_current(state);
    }
    is_kept
}

/// Looks for the matches of the search that is shown in the tree that is there now, without going anywhere.
pub(in crate::app) fn resume(state: &mut State) -> Vec<Effect> {
    let Some(search) = &mut state.tree.search else {
        state.tree.forest.end_search(SearchKind::Tree);
        return Vec::new();
    };
    search.ended = false;
    let query = search.query.clone();
    filter::await_matches(&mut state.tree);
    let job = state.tree.forest.search(SearchKind::Tree, query);
    carry_out(state, job)
}

/// Ends the search that is shown, and tells whether there was one.
pub(in crate::app) fn end(tree: &mut Tree) -> bool {
    tree.forest.end_search(SearchKind::Tree);
    tree.search.take().is_some()
}

/// Brings the matches up to date with the tree; called after every event.
pub(in crate::app) fn refresh_search(state: &mut State) -> Vec<Effect> {
    let mut effects = search_flags::learn(state);
    if state.tree.forest.wants_search(SearchKind::Parents) {
        effects.extend(search_parents(state));
    }
    filter::refresh(state);
    let (matches, ended) =
        (state.tree.forest.match_count(SearchKind::Tree), state.tree.forest.is_searched(SearchKind::Tree));
    let number = state.tree.filter.is_some().then(|| filter::number(state));
    if let Some(search) = &mut state.tree.search {
        (search.matches, search.ended) = (matches, ended);
        search.current = number.unwrap_or(search.current);
    }
    effects
}

/// Looks for the places that match once more, where a parent is being chosen.
pub(in crate::app) fn search_parents(state: &mut State) -> Vec<Effect> {
    let mut jobs = Vec::new();
    for layer in &mut state.screen.layers {
        if let Layer::Parents(picker) = layer {
            jobs.extend(picker.search(&mut state.tree.forest));
        }
    }
    jobs.into_iter().flat_map(|job| carry_out(state, job)).collect()
}

/// Looks for the places that match what is typed in a choice of a parent.
pub(in crate::app) fn search_places(tree: &mut Tree, picker: &mut ParentPicker) -> Vec<Effect> {
    let Some(job) = picker.search(&mut tree.forest) else { return Vec::new() };
    if !tree.forest.is_searched_at_once() {
        return vec![Effect::Search(job)];
    }
    job.for_each(|finds| tree.forest.take_finds(finds));
    picker.follow(&tree.forest);
    Vec::new()
}

/// Matches have come.
fn follow(state: &mut State) {
    let (matches, ended) =
        (state.tree.forest.match_count(SearchKind::Tree), state.tree.forest.is_searched(SearchKind::Tree));
    let Some(search) = &mut state.tree.search else { return };
    (search.matches, search.ended) = (matches, ended);
    if !ended {
        return;
    }
    let fresh = std::mem::take(&mut search.fresh);
    if filter::is_kept(&state.tree) && matches == 0 && fresh {
        filter::clear(state);
        warn_of_none(state);
    }
    if state.tree.filter.is_none() {
        number_current(state);
    }
}

/// Where a person presses a key, they mean what is selected now: no match that is found later takes its place.
pub(in crate::app) fn cancel_jump(state: &mut State) {
    filter::take_selection(state);
}

fn warn_of_none(state: &mut State) {
    if let Some(search) = state.tree.search.as_ref().filter(|search| search.matches == 0 && search.ended) {
        let (topic, text) = (Topic::NoMatches(search.text.clone()), words::no_matches(&search.text));
        state.warn_about(topic, text);
    }
}

/// Goes to the next or previous match, around the end if need be.
pub(in crate::app) fn step(state: &mut State, direction: Direction) {
    if state.tree.search.is_none() {
        return;
    }
    if filter::is_kept(&state.tree) {
        return filter::step(state, direction);
    }
    let from = state.tree.view.selected.clone();
    let found = next(&mut state.tree, from.as_ref(), direction);
    if let Some(id) = &found {
        viewport::go_to(state, id);
    }
    if let Some(search) = &mut state.tree.search {
        search.matches = state.tree.forest.match_count(SearchKind::Tree);
    }
    number_current(state);
}

fn next(tree: &mut Tree, from: Option<&RowId>, direction: Direction) -> Option<SegmentId> {
    let forest = &mut tree.forest;
    match direction {
        Direction::Next => {
            forest.match_after(SearchKind::Tree, from).or_else(|| forest.match_after(SearchKind::Tree, None))
        }
        Direction::Previous => {
            forest.match_before(SearchKind::Tree, from).or_else(|| forest.match_before(SearchKind::Tree, None))
        }
    }
}

/// Counts which of the matches is selected.
fn number_current(state: &mut State) {
    let selected = state.tree.view.selected.as_ref().filter(|row| is_match(state, row)).and_then(segment_of);
    let countable = selected.filter(|_| state.tree.forest.match_count(SearchKind::Tree) <= NUMBERED);
    let number = countable.and_then(|id| state.tree.forest.matches(SearchKind::Tree).position(|other| *other == id));
    if let Some(search) = &mut state.tree.search {
        search.current = number.map(|number| number + 1);
    }
}

fn is_match(state: &State, row: &RowId) -> bool {
    segment_of(row).is_some_and(|id| state.tree.forest.is_match(SearchKind::Tree, &id))
}

fn segment_of(row: &RowId) -> Option<SegmentId> {
    match row {
        RowId::Segment(id) => Some(id.clone()),
        RowId::Heading(_) => None,
    }
}
