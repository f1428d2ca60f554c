//! Queries: finding segments by their text, their position in the tree, and their state.
//!
//! A query has two parts. Texts and externally known states are matched on a segment alone, in any thread: [`Query::rank`]. Terms
//! about the position in the tree (`path:`, `is:orphan`, `is:leaf`, `is:duplicate`) need the tree: [`Query::needs_tree`]. See
//! `search` for the cost of each.

mod needle;
mod state;
mod terms;
mod text;

use std::cmp::Reverse;
use std::ops::Range;

use crate::segment::Segment;

use needle::Needle;
use terms::{Word, words};
use text::{SearchedFields, Text};

pub(super) use needle::Scratch;
pub use state::{ExternalFlags, StateFilter};
pub use terms::QueryFault;

/// A search query: terms that must all match. Diacritics are ignored, and so is case, except in a term with a capital letter.
///
/// A term is a text to find in the name, in the external id or, if it is the only term, in the id. The prefixes `name:`, `ext:`
/// and `id:` restrict it to one field, and `path:` to the names of the segment and its ancestors. A text of three letters or more
/// also matches fuzzily in names and external ids, with other letters in between. `is:` takes a state. A leading `!` negates the
/// term. Blanks separate terms, except between double quotes; quoted text only matches literally.
///
/// ```
/// use segtui::forest::Query;
///
/// let query = Query::parse("who ext:erp").unwrap();
/// assert_eq!(query.ranges("Wholesale"), [0..3]);
/// assert_eq!(query.ranges_in_external_id("erp-7"), [0..3]);
///
/// assert!(Query::parse("name:").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
    known: ExternalFlags,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    condition: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Text(Text),
    Path(Needle),
    StateFilter(StateFilter),
}

/// How well a segment matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A text equals the name, the external id or the id.
    Exact,
    /// One of these starts with the text.
    Prefix,
    /// The name contains the text.
    Substring,
    /// The external id or the id contains the text.
    OtherField,
    /// The text matches fuzzily.
    Fuzzy,
}

impl Rank {
    pub const COUNT: usize = 5;
}

/// How well a segment matches among those of its rank; smaller is better.
pub(super) type TieBreaker = (Reverse<u32>, usize);

impl Query {
    /// The prefixes of terms, with their colons.
    pub const FIELDS: [&'static str; 5] = terms::FIELDS;

    /// Parses what the user typed; `None` if there is nothing to search for, as after `!` or `name:` alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut terms: Vec<Term> = words(text).iter().filter_map(Word::term).collect();
        if terms.len() > 1 {
            // Short words occur in many UUIDs.
            for term in &mut terms {
                if let Condition::Text(Text { fields, .. }) = &mut term.condition
                    && *fields == SearchedFields::Anywhere
                {
                    *fields = SearchedFields::Readable;
                }
            }
        }
        (!terms.is_empty()).then(|| Self { terms, known: ExternalFlags::default() })
    }

    /// Parses a query from a script or a file: every word has to be complete, and states that only a session knows are refused.
    /// While the user types, [`Query::parse`] ignores incomplete words; in a script, that would match more than was meant.
    ///
    /// # Errors
    ///
    /// The first invalid word.
    pub fn parse_strict(text: &str) -> Result<Self, QueryFault> {
        if text.matches('"').count() % 2 == 1 {
            return Err(QueryFault::Unclosed);
        }
        if let Some(fault) = words(text).iter().find_map(Word::fault) {
            return Err(fault);
        }
        Self::parse(text).ok_or(QueryFault::Empty)
    }

    /// Whether a text may also match fuzzily, which a script that deletes segments may not want.
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.condition, Condition::Text(text) if text.needle.is_fuzzy()))
    }

    /// Whether a query contains `is:` with an unknown or incomplete state.
    #[must_use]
    pub fn wants_a_state(text: &str) -> bool {
        words(text).iter().any(Word::has_unknown_state)
    }

    /// Returns the query with its external flags set.
    #[must_use]
    pub fn with_external_flags(mut self, known: ExternalFlags) -> Self {
        self.known = known;
        self
    }

    /// Whether the query has a term for a state.
    #[must_use]
    pub fn has_state_term(&self, state: StateFilter) -> bool {
        self.terms.iter().any(|term| term.condition == Condition::StateFilter(state))
    }

    /// The external flags.
    #[must_use]
    pub const fn external_flags(&self) -> &ExternalFlags {
        &self.known
    }

    /// Whether the query has terms that need the tree.
    pub(super) fn needs_tree(&self) -> bool {
        self.has_path_terms()
            || [StateFilter::Orphan, StateFilter::Leaf, StateFilter::Duplicate]
                .into_iter()
                .any(|state| self.has_state_term(state))
    }

    pub(super) fn has_path_terms(&self) -> bool {
        self.paths().next().is_some()
    }

    /// Returns how well a segment matches, `None` if it does not. Terms that need the tree are ignored.
    pub(super) fn rank(&self, segment: &Segment, scratch: &mut Scratch) -> Option<Rank> {
        let mut rank = Rank::Exact;
        for term in &self.terms {
            let (holds, found) = match &term.condition {
                Condition::Text(text) => {
                    let found = if term.negated { text.literal_rank(segment) } else { text.rank(segment, scratch) };
                    (found.is_some(), found)
                }
                Condition::Path(_) => continue,
                Condition::StateFilter(state) => match self.known.ids_in(*state) {
                    Some(known) => (known.contains(&segment.id), None),
                    None => continue,
                },
            };
            if holds == term.negated {
                return None;
            }
            rank = rank.max(found.unwrap_or(rank));
        }
        Some(rank)
    }

    /// Returns how well a segment matches among those of its rank: by the matcher's score for names and external ids, then by the
    /// length of the name.
    pub(super) fn tie_breaker(&self, segment: &Segment, scratch: &mut Scratch) -> TieBreaker {
        let texts = self.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.condition {
            Condition::Text(text) => Some(text.score(segment, scratch)),
            Condition::Path(_) | Condition::StateFilter(_) => None,
        });
        (Reverse(texts.sum()), segment.name.chars().count())
    }

    /// The states that need the tree, each with whether it has to hold.
    pub(super) fn tree_states(&self) -> impl Iterator<Item = (StateFilter, bool)> {
        self.terms.iter().filter_map(|term| match term.condition {
            Condition::StateFilter(state) if self.known.ids_in(state).is_none() => Some((state, !term.negated)),
            _ => None,
        })
    }

    /// The `path:` terms: whether a name matches, and whether some name on the path has to.
    pub(super) fn paths(&self) -> impl Iterator<Item = (impl Fn(&str) -> bool, bool)> {
        self.terms.iter().filter_map(|term| match &term.condition {
            Condition::Path(needle) => Some((|name: &str| needle.hit(name).is_some(), !term.negated)),
            Condition::Text(_) | Condition::StateFilter(_) => None,
        })
    }

    /// Returns the matches of the query's texts in a name: byte ranges on character boundaries, sorted and disjoint.
    #[must_use]
    pub fn ranges(&self, name: &str) -> Vec<Range<usize>> {
        self.ranges_of(name, SearchedFields::includes_names)
    }

    /// Returns the matches of the query's texts in an external id, in the same form.
    #[must_use]
    pub fn ranges_in_external_id(&self, external_id: &str) -> Vec<Range<usize>> {
        self.ranges_of(external_id, SearchedFields::includes_external_ids)
    }

    fn ranges_of(&self, text: &str, includes: fn(SearchedFields) -> bool) -> Vec<Range<usize>> {
        let mut scratch = Scratch::default();
        let mut ranges = Vec::new();
        for term in self.terms.iter().filter(|term| !term.negated) {
            match &term.condition {
                Condition::Text(text_term) if includes(text_term.fields) => {
                    ranges.extend(text_term.needle.ranges(text, &mut scratch));
                }
                Condition::Path(needle) if includes(SearchedFields::Name) => {
                    ranges.extend(needle.ranges(text, &mut scratch));
                }
                _ => {}
            }
        }
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(name: &str, external_id: &str) -> Segment {
        let id = crate::segment::SegmentId::new("ab9e32db-48a1-47b3-9fda-975b9ed8a9d6").unwrap();
        Segment { id, name: name.into(), external_id: Some(external_id.into()), parent: None }
    }

    fn rank(text: &str, name: &str, external_id: &str) -> Option<Rank> {
        Query::parse(text).unwrap().rank(&segment(name, external_id), &mut Scratch::default())
    }

    fn finds(text: &str, name: &str, external_id: &str) -> bool {
        rank(text, name, external_id).is_some()
    }

    #[test]
    fn all_terms_have_to_match() {
        assert!(finds("polska vip", "VIP Polska", "PL-1"));
        assert!(!finds("polska vip", "VIP Niemcy", "DE-1"));
        assert!(finds("vip !niem", "VIP Polska", "PL-1"));
        assert!(!finds("vip !pl-1", "VIP Polska", "PL-1"));
        assert!(finds("\"vip polska\"", "VIP Polska", "PL-1"));
        assert!(!finds("\"polska vip\"", "VIP Polska", "PL-1"));
        assert!(finds("48a1", "VIP Polska", "PL-1") && !finds("vip 48a1", "VIP Polska", "PL-1"));
        assert!(finds("vip id:48a1", "VIP Polska", "PL-1"));
    }

    #[test]
    fn a_prefix_restricts_a_term_to_one_field() {
        assert!(finds("ext:pl", "VIP", "PL-1") && !finds("ext:vip", "VIP", "PL-1"));
        assert!(finds("name:vip", "VIP", "PL-1") && !finds("name:pl", "VIP", "PL-1"));
        assert!(finds("id:ab9e", "VIP", "PL-1") && !finds("!id:ab9e", "VIP", "PL-1"));
        assert!(finds("id:AB9E32DB", "VIP", "PL-1"), "ids have no case");
    }

    #[test]
    fn incomplete_words_are_ignored() {
        for text in ["", " ", "!", "name:", "!ext:", "path:", "is:", "is:lea", "!is:", "\"", "\"\""] {
            assert_eq!(Query::parse(text), None, "{text}");
        }
        assert_eq!(Query::parse("vip !"), Query::parse("vip"));
        assert_eq!(Query::parse("\"vip pol"), Query::parse("\"vip pol\""));
        assert!(Query::wants_a_state("is:lea vip") && !Query::wants_a_state("vip is:leaf"));
        assert!(Query::parse("is:Leaf").unwrap().has_state_term(StateFilter::Leaf));
    }

    #[test]
    fn strict_parsing_reports_invalid_words() {
        let fault = |text: &str| Query::parse_strict(text).unwrap_err();
        assert_eq!(fault("  "), QueryFault::Empty);
        assert_eq!(fault("\"\""), QueryFault::Incomplete("\"\"".into()));
        assert_eq!(fault("vip ext:"), QueryFault::Incomplete("ext:".into()));
        assert_eq!(fault("vip !"), QueryFault::Incomplete("!".into()));
        assert_eq!(fault("!is:lea"), QueryFault::UnknownState("lea".into()));
        assert_eq!(fault("is:Marked vip"), QueryFault::SessionOnly("Marked".into()));
        assert_eq!(fault("\"vip"), QueryFault::Unclosed);
        assert_eq!(Query::parse_strict(" vip  !is:leaf "), Ok(Query::parse("vip !is:leaf").unwrap()));
        assert!(Query::parse_strict("\"is:marked\" ext:\"a b\"").is_ok());
    }

    #[test]
    fn quoted_text_matches_literally() {
        assert!(finds("polka", "VIP Polska", "") && !finds("\"polka\"", "VIP Polska", ""));
        assert!(finds("\"is:leaf\"", "what is:leaf means", ""));
        assert!(finds("\"!vip\"", "not !vip", "") && !finds("\"!vip\"", "x", ""));
        assert!(finds("name:\"vip pol\"", "VIP Polska", "") && !finds("name:\"vip pola\"", "VIP Polska", ""));
    }

    #[test]
    fn literal_matches_rank_before_fuzzy_ones() {
        assert_eq!(rank("vip", "VIP", "1"), Some(Rank::Exact));
        assert_eq!(rank("pl-1", "VIP", "PL-1"), Some(Rank::Exact));
        assert_eq!(rank("vip", "VIP Polska", "1"), Some(Rank::Prefix));
        assert_eq!(rank("polska", "VIP Polska", "1"), Some(Rank::Substring));
        assert_eq!(rank("48a1", "VIP", "1"), Some(Rank::OtherField));
        assert_eq!(rank("polka", "VIP Polska", "1"), Some(Rank::Fuzzy));
        assert_eq!(rank("vip !polka", "VIP Polska", "1"), Some(Rank::Prefix), "what is negated is not loose");
    }

    #[test]
    fn matches_are_highlighted_in_the_fields_searched() {
        let query = Query::parse("po ol !x ext:lska").unwrap();
        assert_eq!(query.ranges("Polska Polska"), [0..3, 7..10]);
        assert_eq!(query.ranges_in_external_id("Polska-lska"), [0..6, 7..11]);
        assert_eq!(Query::parse("plska").unwrap().ranges("Polska"), [0..1, 2..3, 3..4, 4..5, 5..6]);
    }
}
