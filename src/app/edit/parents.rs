//! Choosing a parent by typing a part of its name, external id or id; places that are not possible are shown with the reason.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use std::sync::Arc;

use crate::forest::{Forest, Query, SearchJob, SearchKind};
use crate::keymap::Key;
use crate::segment::{Segment, SegmentId};

use crate::app::dialogs::closeness::Closeness;

use crate::app::edit::{changing, words};
use crate::app::{State, TextField};

/// The choice of a parent for some segments.
#[derive(Debug, Clone)]
pub struct ParentPicker {
    /// What gets the new parent; empty for a segment that does not exist yet.
    pub moving: Vec<Arc<Segment>>,
    /// Who wants to know.
    pub(in crate::app) asker: Asker,
    /// The text by which the places are filtered.
    pub filter: TextField,
    /// The places that match, the best first, cut at some hundred.
    pub candidates: Vec<Candidate>,
    /// How many more places match.
    pub more: usize,
    /// Which candidate is chosen.
    pub list: List,
    /// Whether a person went to it, and did not take what was offered.
    stepped: bool,
}

/// Who asked for a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Asker {
    /// A move: choosing carries it out.
    Move,
    /// The form below: choosing fills its field.
    Form,
}

/// A place to stand under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The parent, `None` for the top level.
    pub parent: Option<SegmentId>,
    /// Its name.
    pub name: String,
    /// Where it is: the names above it. Nothing in the whole tree, where its indentation shows that.
    pub path: String,
    /// Its level, from 0; 0 for all that were found by a text.
    pub depth: u32,
    /// Why it is not possible.
    pub refusal: Option<&'static str>,
}

/// More can't be read anyway: one types a letter more.
const SHOWN: usize = 300;

impl ParentPicker {
    /// A choice for these segments, filtered by a text; the places are still to be searched.
    pub(in crate::app) fn new(moving: Vec<Arc<Segment>>, asker: Asker, filter: &str) -> Self {
        let filter = TextField::new(filter);
        Self { moving, asker, filter, candidates: Vec::new(), more: 0, list: List::default(), stepped: false }
    }

    /// Whether the choice only fills in a form.
    pub(in crate::app) fn is_for_form(&self) -> bool {
        self.asker == Asker::Form
    }

    /// Begins to look for the places that match, after the text changed.
    pub(in crate::app) fn search(&mut self, forest: &mut Forest) -> Option<SearchJob> {
        self.stepped = false;
        let query = Query::parse(self.filter.text());
        if query.is_none() {
            forest.end_search(SearchKind::Parents);
        }
        let job = query.map(|query| forest.search(SearchKind::Parents, query));
        self.show(forest);
        job
    }

    /// Shows the places that match as far as they were found. Chooses the first that is possible, and before anything is typed, the
    /// present place.
    fn show(&mut self, forest: &Forest) {
        let unfiltered = self.filter.text().trim().is_empty();
        let of = if unfiltered { forest.len() } else { forest.match_count(SearchKind::Parents) };
        self.more = of.saturating_sub(SHOWN);
        let top = unfiltered.then(|| Candidate {
            parent: None,
            name: words::TOP_LEVEL.into(),
            path: String::new(),
            depth: 0,
            refusal: self.refusal(forest, None),
        });
        if unfiltered {
            let all = forest.preorder().take(SHOWN).map(|(depth, segment)| self.in_tree(forest, segment, depth));
            self.candidates = top.into_iter().chain(all).collect();
            self.choose_present_place();
            return;
        }
        let places = forest.best_matches(SearchKind::Parents, SHOWN);
        let mut places: Vec<&Arc<Segment>> = places.into_iter().filter_map(|id| forest.get(id)).collect();
        // The search takes each word by itself; whoever types a whole name means that.
        places.sort_by_cached_key(|place| {
            let external_id = place.external_id.as_deref().unwrap_or_default();
            Closeness::of(self.filter.text(), [&place.name, external_id, &place.id.text()])
        });
        self.candidates = places.into_iter().map(|place| self.candidate(forest, place)).collect();
        self.choose_first_possible();
    }

    /// Nobody has said yet where to, so Enter is to change nothing. Of several places, that of the first segment.
    fn choose_present_place(&mut self) {
        let Some(first) = self.moving.first() else { return self.choose_first_possible() };
        let present = self.candidates.iter().position(|candidate| candidate.parent == first.parent);
        match present {
            Some(at) => self.list.chosen = at,
            None => self.choose_first_possible(),
        }
    }

    fn choose_first_possible(&mut self) {
        let possible = |candidate: &Candidate| candidate.refusal.is_none();
        self.list.chosen = self.candidates.iter().position(possible).unwrap_or(0);
    }

    /// The tree changed, or more was found: shows the places anew and keeps the choice where it was, if a person has made one.
    pub(in crate::app) fn follow(&mut self, forest: &Forest) {
        let chosen = self.choice().filter(|_| self.stepped).map(|candidate| candidate.parent.clone());
        self.show(forest);
        if let Some(at) = chosen.and_then(|parent| self.candidates.iter().position(|other| other.parent == parent)) {
            self.list.chosen = at;
        }
    }

    fn in_tree(&self, forest: &Forest, segment: &Segment, depth: u32) -> Candidate {
        Candidate {
            parent: Some(segment.id.clone()),
            name: segment.name.to_string(),
            path: String::new(),
            depth,
            refusal: self.refusal(forest, Some(&segment.id)),
        }
    }

    fn candidate(&self, forest: &Forest, segment: &Segment) -> Candidate {
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

    /// Chooses the place with that parent. Whether it was chosen before; `None` where there is none by now.
    pub(in crate::app) fn choose(&mut self, parent: Option<&SegmentId>) -> Option<bool> {
        let at = self.candidates.iter().position(|other| other.parent.as_ref() == parent)?;
        let was_chosen = self.list.chosen == at;
        self.stepped = true;
        self.list.chosen = at;
        Some(was_chosen)
    }

    pub(in crate::app) fn step(&mut self, by: isize) {
        self.stepped = true;
        self.list.go(by, self.candidates.len());
    }
}

/// Why these segments can't stand under that parent.
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
            return match picker.asker {
                Asker::Move => changing::move_to_choice(state, picker),
                Asker::Form => changing::fill_parent(state, picker),
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
