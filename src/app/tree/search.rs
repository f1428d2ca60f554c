//! Searching: the prompt, the matches, and moving from one to the next.
//!
//! While the text is typed, the tree is filtered by it. A small tree is searched at once; in a large one, the matches arrive in
//! the background.

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

/// The search whose matches are shown.
#[derive(Debug, Clone)]
pub struct Search {
    /// The parsed query.
    pub query: Query,
    /// The text of the query.
    pub text: String,
    /// The number of matches so far.
    pub matches: usize,
    /// Whether the whole tree has been searched.
    pub ended: bool,
    /// The number of the selected match, from 1; `None` also if there are too many matches to count quickly.
    pub current: Option<usize>,
    /// Whether “no matches” still has to be reported if nothing is found.
    reports_no_matches: bool,
}

/// The prompt in which a search is typed.
#[derive(Debug, Clone)]
pub struct FindPrompt {
    /// The typed text.
    pub text: TextField,
    /// The search shown before, and whether its filter was kept.
    previous: Option<Search>,
    was_kept: bool,
    /// How many steps back in the filter history the prompt is, and the text typed before going back.
    history_offset: usize,
    typed_text: String,
}

/// Number of matches above which the selected one's number is not counted.
const MAX_NUMBERED_MATCHES: usize = 20_000;

/// Runs a search at once, or in the background if the tree is large.
pub(in crate::app) fn run(state: &mut State, job: SearchJob) -> Vec<Effect> {
    if !state.tree.forest.is_searched_at_once() {
        return vec![Effect::Search(job)];
    }
    job.for_each(|batch| on_search_batch(state, batch));
    Vec::new()
}

/// Takes a batch of matches.
pub(in crate::app) fn on_search_batch(state: &mut State, batch: SearchBatch) {
    let kind = batch.kind();
    state.tree.forest.apply_search_batch(batch);
    match kind {
        SearchKind::Tree => update_matches(state),
        SearchKind::Parents => {
            for layer in &mut state.screen.layers {
                if let Layer::Parents(picker) = layer {
                    picker.refresh(&state.tree.forest);
                }
            }
        }
    }
}

pub(in crate::app) fn open_prompt(state: &mut State) {
    let was_kept = filter::is_kept(&state.tree);
    // A kept filter stays until something is typed.
    let previous = if was_kept { state.tree.search.clone() } else { state.tree.search.take() };
    let prompt =
        FindPrompt { text: TextField::default(), previous, was_kept, history_offset: 0, typed_text: String::new() };
    state.screen.layers.push(Layer::Find(prompt));
}

/// Handles a key in the prompt.
pub(in crate::app) fn press(state: &mut State, prompt: &mut FindPrompt, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::CloseAndDo(cancel(state, prompt)),
        "backspace" if prompt.text.text().is_empty() => return KeyResult::CloseAndDo(cancel(state, prompt)),
        "enter" => return KeyResult::CloseAndDo(confirm(state, prompt)),
        "ctrl-n" => filter::step(state, Direction::Next),
        "ctrl-p" => filter::step(state, Direction::Previous),
        "up" => return recall(state, prompt, prompt.history_offset + 1),
        "down" => return recall(state, prompt, prompt.history_offset.saturating_sub(1)),
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

/// Puts an earlier filter into the prompt, or the text typed before going back.
fn recall(state: &mut State, prompt: &mut FindPrompt, history_offset: usize) -> KeyResult {
    if prompt.history_offset == 0 {
        prompt.typed_text = prompt.text.text().to_owned();
    }
    let text =
        if history_offset == 0 { Some(prompt.typed_text.as_str()) } else { state.tree.filters.recent(history_offset) };
    let Some(text) = text.map(str::to_owned) else { return KeyResult::Stay };
    prompt.history_offset = history_offset;
    prompt.text.set(&text);
    KeyResult::StayAndDo(start(state, prompt))
}

/// Completes the last word, as far as its completions agree.
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

/// Searches for the typed text and filters the tree by it.
fn start(state: &mut State, prompt: &FindPrompt) -> Vec<Effect> {
    let text = prompt.text.text().to_owned();
    let Some(query) = Query::parse(&text) else {
        filter::clear(state);
        end(&mut state.tree);
        return Vec::new();
    };
    filter::apply(&mut state.tree);
    let external_flags = search_flags::external_flags(state, &query);
    let query = query.with_external_flags(external_flags);
    let job = state.tree.forest.search(SearchKind::Tree, query.clone());
    state.tree.search = Some(Search { query, text, matches: 0, ended: false, current: None, reports_no_matches: true });
    run(state, job)
}

/// Closes the prompt and restores the previous view with its search or filter.
fn cancel(state: &mut State, prompt: &mut FindPrompt) -> Vec<Effect> {
    state.tree.search = prompt.previous.take();
    if prompt.was_kept && state.tree.search.is_some() {
        filter::apply(&mut state.tree);
        filter::keep(&mut state.tree);
    } else {
        filter::clear(state);
    }
    resume(state)
}

/// Closes the prompt and keeps the filter.
fn confirm(state: &mut State, prompt: &mut FindPrompt) -> Vec<Effect> {
    let Some(search) = &state.tree.search else {
        if Query::wants_a_state(prompt.text.text()) {
            let states: Vec<&str> = StateFilter::NAMED.into_iter().map(|(name, _)| name).collect();
            state.warn(words::unknown_state(&states));
        }
        prompt.was_kept = false;
        return cancel(state, prompt);
    };
    state.tree.filters.record_use(&search.text.clone());
    if search.ended && search.matches == 0 {
        filter::clear(state);
        warn_no_matches(state);
        return Vec::new();
    }
    filter::keep(&mut state.tree);
    Vec::new()
}

/// Filters the tree by a text, as if it had been typed and confirmed.
pub(in crate::app) fn filter_by(state: &mut State, text: &str) -> Vec<Effect> {
    let previous = state.tree.search.take();
    let was_kept = filter::is_kept(&state.tree);
    let mut prompt =
        FindPrompt { text: TextField::new(text), previous, was_kept, history_offset: 0, typed_text: String::new() };
    let mut effects = start(state, &prompt);
    effects.extend(confirm(state, &mut prompt));
    effects
}

/// Clears a kept filter. The whole tree is shown again, with the matches highlighted. Returns whether there was one.
pub(in crate::app) fn clear_filter(state: &mut State) -> bool {
    let is_kept = filter::is_kept(&state.tree);
    if is_kept {
        filter::clear(state);
        update_current_number(state);
    }
    is_kept
}

/// Repeats the current search on the present tree without moving the selection.
pub(in crate::app) fn resume(state: &mut State) -> Vec<Effect> {
    let Some(search) = &mut state.tree.search else {
        state.tree.forest.end_search(SearchKind::Tree);
        return Vec::new();
    };
    search.ended = false;
    let query = search.query.clone();
    filter::mark_outdated(&mut state.tree);
    let job = state.tree.forest.search(SearchKind::Tree, query);
    run(state, job)
}

/// Ends the current search. Returns whether there was one.
pub(in crate::app) fn end(tree: &mut Tree) -> bool {
    tree.forest.end_search(SearchKind::Tree);
    tree.search.take().is_some()
}

/// Updates the search after every event: external flags, filtered rows and counts.
pub(in crate::app) fn refresh_search(state: &mut State) -> Vec<Effect> {
    let mut effects = search_flags::refresh_flags(state);
    if state.tree.forest.wants_search(SearchKind::Parents) {
        effects.extend(search_parents(state));
    }
    filter::refresh(state);
    let (matches, ended) =
        (state.tree.forest.match_count(SearchKind::Tree), state.tree.forest.is_searched(SearchKind::Tree));
    let number = state.tree.filter.is_some().then(|| filter::match_number(state));
    if let Some(search) = &mut state.tree.search {
        (search.matches, search.ended) = (matches, ended);
        search.current = number.unwrap_or(search.current);
    }
    effects
}

/// Repeats the search for matching parents in an open picker.
pub(in crate::app) fn search_parents(state: &mut State) -> Vec<Effect> {
    let mut jobs = Vec::new();
    for layer in &mut state.screen.layers {
        if let Layer::Parents(picker) = layer {
            jobs.extend(picker.search(&mut state.tree.forest));
        }
    }
    jobs.into_iter().flat_map(|job| run(state, job)).collect()
}

/// Searches for the parents that match the picker's text.
pub(in crate::app) fn search_candidates(tree: &mut Tree, picker: &mut ParentPicker) -> Vec<Effect> {
    let Some(job) = picker.search(&mut tree.forest) else { return Vec::new() };
    if !tree.forest.is_searched_at_once() {
        return vec![Effect::Search(job)];
    }
    job.for_each(|batch| tree.forest.apply_search_batch(batch));
    picker.refresh(&tree.forest);
    Vec::new()
}

/// Updates the search after more matches arrived.
fn update_matches(state: &mut State) {
    let (matches, ended) =
        (state.tree.forest.match_count(SearchKind::Tree), state.tree.forest.is_searched(SearchKind::Tree));
    let Some(search) = &mut state.tree.search else { return };
    (search.matches, search.ended) = (matches, ended);
    if !ended {
        return;
    }
    let reports_no_matches = std::mem::take(&mut search.reports_no_matches);
    if filter::is_kept(&state.tree) && matches == 0 && reports_no_matches {
        filter::clear(state);
        warn_no_matches(state);
    }
    if state.tree.filter.is_none() {
        update_current_number(state);
    }
}

/// Keeps the selection where it is when the user presses a key, whatever is found later.
pub(in crate::app) fn pin_selection(state: &mut State) {
    filter::pin_selection(state);
}

fn warn_no_matches(state: &mut State) {
    if let Some(search) = state.tree.search.as_ref().filter(|search| search.matches == 0 && search.ended) {
        let (topic, text) = (Topic::NoMatches(search.text.clone()), words::no_matches(&search.text));
        state.warn_about(topic, text);
    }
}

/// Goes to the next or previous match, wrapping around.
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
    update_current_number(state);
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

/// Counts the number of the selected match.
fn update_current_number(state: &mut State) {
    let selected = state.tree.view.selected.as_ref().filter(|row| is_match(state, row)).and_then(segment_of);
    let countable = selected.filter(|_| state.tree.forest.match_count(SearchKind::Tree) <= MAX_NUMBERED_MATCHES);
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
