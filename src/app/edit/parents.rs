//! Choosing a parent by typing part of its name, external id or id. Impossible parents are shown with the reason.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use std::sync::Arc;

use crate::forest::{Forest, Query, SearchJob, SearchKind};
use crate::keymap::Key;
use crate::segment::{Segment, SegmentId};

use crate::app::dialogs::closeness::Closeness;

use crate::app::edit::{changing, words};
use crate::app::{State, TextField};

/// The dialog that chooses a parent for some segments.
#[derive(Debug, Clone)]
pub struct ParentPicker {
    /// The segments that get the new parent; empty for a segment that does not exist yet.
    pub moving: Vec<Arc<Segment>>,
    /// What the choice is for.
    pub(in crate::app) purpose: PickerPurpose,
    /// The filter text.
    pub filter: TextField,
    /// The matching parents, best first, cut off after a few hundred.
    pub candidates: Vec<Candidate>,
    /// How many more parents match.
    pub more: usize,
    /// The chosen candidate.
    pub list: List,
    /// Whether the user moved the choice instead of keeping the default.
    is_user_choice: bool,
}

/// What the chosen parent is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum PickerPurpose {
    /// Moves the segments.
    Move,
    /// Fills in the parent field of the form below.
    Form,
}

/// A possible parent, or one that is shown as impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The parent, `None` for the top level.
    pub parent: Option<SegmentId>,
    /// Its name, or “top level”.
    pub name: String,
    /// The names of its ancestors; empty in the unfiltered tree, where the indentation shows them.
    pub path: String,
    /// Its depth in the tree, from 0; always 0 in filtered results.
    pub depth: u32,
    /// Why it can't be chosen.
    pub refusal: Option<&'static str>,
}

/// Candidates to show. Nobody reads further: typing another letter is quicker.
const MAX_CANDIDATES: usize = 300;

impl ParentPicker {
    /// Creates a picker for these segments with a filter text. The candidates are not searched yet.
    pub(in crate::app) fn new(moving: Vec<Arc<Segment>>, purpose: PickerPurpose, filter: &str) -> Self {
        let filter = TextField::new(filter);
        Self { moving, purpose, filter, candidates: Vec::new(), more: 0, list: List::default(), is_user_choice: false }
    }

    /// Whether the chosen parent only fills in a form.
    pub(in crate::app) fn is_for_form(&self) -> bool {
        self.purpose == PickerPurpose::Form
    }

    /// Starts the search for matching parents after the filter text changed.
    pub(in crate::app) fn search(&mut self, forest: &mut Forest) -> Option<SearchJob> {
        self.is_user_choice = false;
        let query = Query::parse(self.filter.text());
        if query.is_none() {
            forest.end_search(SearchKind::Parents);
        }
        let job = query.map(|query| forest.search(SearchKind::Parents, query));
        self.update_candidates(forest);
        job
    }

    /// Shows the matches found so far. Chooses the first possible one or, with an empty filter, the present parent.
    fn update_candidates(&mut self, forest: &Forest) {
        let unfiltered = self.filter.text().trim().is_empty();
        let total = if unfiltered { forest.len() } else { forest.match_count(SearchKind::Parents) };
        self.more = total.saturating_sub(MAX_CANDIDATES);
        let top_level = unfiltered.then(|| Candidate {
            parent: None,
            name: words::TOP_LEVEL.into(),
            path: String::new(),
            depth: 0,
            refusal: self.refusal(forest, None),
        });
        if unfiltered {
            let all = forest
                .preorder()
                .take(MAX_CANDIDATES)
                .map(|(depth, segment)| self.tree_candidate(forest, segment, depth));
            self.candidates = top_level.into_iter().chain(all).collect();
            self.choose_current_parent();
            return;
        }
        let places = forest.best_matches(SearchKind::Parents, MAX_CANDIDATES);
        let mut places: Vec<&Arc<Segment>> = places.into_iter().filter_map(|id| forest.get(id)).collect();
        // The search matches each word on its own, but a name that was typed in full should come first.
        places.sort_by_cached_key(|place| {
            let external_id = place.external_id.as_deref().unwrap_or_default();
            Closeness::of(self.filter.text(), [&place.name, external_id, &place.id.text()])
        });
        self.candidates = places.into_iter().map(|place| self.match_candidate(forest, place)).collect();
        self.choose_first_allowed();
    }

    /// Chooses the present parent, that of the first of several segments, so that Enter changes nothing by default.
    fn choose_current_parent(&mut self) {
        let Some(first) = self.moving.first() else { return self.choose_first_allowed() };
        let present = self.candidates.iter().position(|candidate| candidate.parent == first.parent);
        match present {
            Some(at) => self.list.chosen = at,
            None => self.choose_first_allowed(),
        }
    }

    fn choose_first_allowed(&mut self) {
        let is_allowed = |candidate: &Candidate| candidate.refusal.is_none();
        self.list.chosen = self.candidates.iter().position(is_allowed).unwrap_or(0);
    }

    /// Updates the candidates after the tree changed or more matches arrived. Keeps the choice if the user made it.
    pub(in crate::app) fn refresh(&mut self, forest: &Forest) {
        let chosen = self.choice().filter(|_| self.is_user_choice).map(|candidate| candidate.parent.clone());
        self.update_candidates(forest);
        if let Some(at) = chosen.and_then(|parent| self.candidates.iter().position(|other| other.parent == parent)) {
            self.list.chosen = at;
        }
    }

    fn tree_candidate(&self, forest: &Forest, segment: &Segment, depth: u32) -> Candidate {
        Candidate {
            parent: Some(segment.id.clone()),
            name: segment.name.to_string(),
            path: String::new(),
            depth,
            refusal: self.refusal(forest, Some(&segment.id)),
        }
    }

    fn match_candidate(&self, forest: &Forest, segment: &Segment) -> Candidate {
        let mut above: Vec<&str> = forest.ancestors(&segment.id).take(12).map(|parent| parent.name.as_str()).collect();
        above.reverse();
        Candidate {
            parent: Some(segment.id.clone()),
            name: segment.name.to_string(),
            path: above.join(" › "),
            depth: 0,
            refusal: self.refusal(forest, Some(&segment.id)),
        }
    }

    fn refusal(&self, forest: &Forest, parent: Option<&SegmentId>) -> Option<&'static str> {
        refusal(forest, &self.moving, parent)
    }

    pub(in crate::app) fn choice(&self) -> Option<&Candidate> {
        self.candidates.get(self.list.chosen)
    }

    /// Chooses the candidate with that parent. Returns whether it was chosen already, or `None` when it is no longer listed.
    pub(in crate::app) fn choose(&mut self, parent: Option<&SegmentId>) -> Option<bool> {
        let at = self.candidates.iter().position(|other| other.parent.as_ref() == parent)?;
        let was_chosen = self.list.chosen == at;
        self.is_user_choice = true;
        self.list.chosen = at;
        Some(was_chosen)
    }

    pub(in crate::app) fn step(&mut self, by: isize) {
        self.is_user_choice = true;
        self.list.go(by, self.candidates.len());
    }
}

/// Returns why these segments can't move under that parent.
pub(in crate::app) fn refusal(
    forest: &Forest,
    moving: &[Arc<Segment>],
    parent: Option<&SegmentId>,
) -> Option<&'static str> {
    if let Some(parent) = parent {
        if moving.iter().any(|segment| segment.id == *parent) {
            return Some(words::OWN_PARENT);
        }
        if moving.iter().any(|segment| forest.is_below(parent, &segment.id)) {
            return Some(words::INSIDE_OWN_SUBTREE);
        }
    }
    let there_already = !moving.is_empty() && moving.iter().all(|segment| segment.parent.as_ref() == parent);
    there_already.then_some(words::ALREADY_HERE)
}

pub(in crate::app) fn press(state: &mut State, picker: &mut ParentPicker, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => {
            return match picker.purpose {
                PickerPurpose::Move => changing::move_to_choice(state, picker),
                PickerPurpose::Form => changing::fill_parent(state, picker),
            };
        }
        text => match ListKeys::BesideText.distance(text) {
            Some(by) => picker.step(by),
            None if picker.filter.press(key) => return changing::refilter(state, picker),
            None => {}
        },
    }
    KeyResult::Stay
}
