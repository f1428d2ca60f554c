//! Finding segments by what is written in them, where they stand, and the state they are in.
//!
//! What a query asks falls into two parts. Texts and what is known from outside are seen in a segment by itself, by any thread:
//! [`Query::rank`]. What is asked of its place in the tree (`path:`, and `is:` an orphan, a leaf or a duplicate) only the tree can
//! tell: [`Query::asks_the_tree`]. See `search` for what each costs.

mod needle;
mod state;
mod terms;
mod text;

use std::cmp::Reverse;
use std::ops::Range;

use crate::segment::Segment;

use needle::Needle;
use terms::{Word, words};
use text::{Place, Text};

pub(super) use needle::Scratch;
pub use state::{ExternalFlags, StateFilter};
pub use terms::QueryFault;

/// What a person looks for: terms that all have to hold. Diacritics make no difference, and case does only in words with a capital.
///
/// A term is a text to be found in the name, the external id or, when it is the only one, the id; `name:`, `ext:` and `id:` before
/// it say where, `path:` in the name of the segment or of any above it. Three letters and more may have others between them in
/// names and external ids. `is:` and a state asks for that. `!` before all that turns it around. Blanks separate terms, except
/// between double quotes, and what is quoted is found as it stands only.
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
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Text(Text),
    Path(Needle),
    StateFilter(StateFilter),
}

/// How well a segment is meant, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A text is all of its name, external id or id.
    Exact,
    /// One of these begins with it.
    Prefix,
    /// It stands in the name.
    Substring,
    /// It stands in the external id or the id.
    OtherField,
    /// Its letters stand there with others between.
    Fuzzy,
}

impl Rank {
    pub const COUNT: usize = 5;
}

/// How well a segment is meant among those of its rank: what is smaller is better.
pub(super) type Worth = (Reverse<u32>, usize);

impl Query {
    /// What can go before a text or a state in a query, each with its colon.
    pub const FIELDS: [&'static str; 5] = terms::FIELDS;

    /// Takes what a person typed; `None` when there is nothing to look for, as after `!` or `name:` alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut terms: Vec<Term> = words(text).iter().filter_map(Word::term).collect();
        if terms.len() > 1 {
            // Short words stand in a good many UUIDs.
            for term in &mut terms {
                if let Test::Text(Text { place, .. }) = &mut term.test
                    && *place == Place::Anywhere
                {
                    *place = Place::Readable;
                }
            }
        }
        (!terms.is_empty()).then(|| Self { terms, known: ExternalFlags::default() })
    }

    /// Takes what a script or a file says: every word has to be a whole one, and what only a session knows can't be asked for.
    /// While a person types, [`Query::parse`] leaves out what is only begun; where nobody looks, that would find more than was
    /// meant.
    ///
    /// # Errors
    ///
    /// The first word that is none.
    pub fn parse_strict(text: &str) -> Result<Self, QueryFault> {
        if text.matches('"').count() % 2 == 1 {
            return Err(QueryFault::Unclosed);
        }
        if let Some(fault) = words(text).iter().find_map(Word::fault) {
            return Err(fault);
        }
        Self::parse(text).ok_or(QueryFault::Empty)
    }

    /// Whether a text may also be found with other letters between its own, which is more than a script that deletes may want.
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Text(text) if text.needle.is_loose()))
    }

    /// Whether a state is asked for that does not exist, or is not typed to its end.
    #[must_use]
    pub fn wants_a_state(text: &str) -> bool {
        words(text).iter().any(Word::wants_a_state)
    }

    /// The same with what has to be known from outside.
    #[must_use]
    pub fn knowing(mut self, known: ExternalFlags) -> Self {
        self.known = known;
        self
    }

    /// Whether it matters which segments are in a state.
    #[must_use]
    pub fn asks(&self, state: StateFilter) -> bool {
        self.terms.iter().any(|term| term.test == Test::StateFilter(state))
    }

    /// What is known from outside.
    #[must_use]
    pub const fn known(&self) -> &ExternalFlags {
        &self.known
    }

    /// Whether it asks for anything that only the tree can tell.
    pub(super) fn asks_the_tree(&self) -> bool {
        self.asks_for_paths()
            || [StateFilter::Orphan, StateFilter::Leaf, StateFilter::Duplicate]
                .into_iter()
                .any(|state| self.asks(state))
    }

    pub(super) fn asks_for_paths(&self) -> bool {
        self.paths().next().is_some()
    }

    /// Whether a segment is meant as far as can be seen without the tree, and how well.
    pub(super) fn rank(&self, segment: &Segment, scratch: &mut Scratch) -> Option<Rank> {
        let mut rank = Rank::Exact;
        for term in &self.terms {
            let (holds, found) = match &term.test {
                Test::Text(text) => {
                    let found = if term.negated { text.strict_rank(segment) } else { text.rank(segment, scratch) };
                    (found.is_some(), found)
                }
                Test::Path(_) => continue,
                Test::StateFilter(state) => match self.known.with(*state) {
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

    /// How well a segment is meant among those of its rank: by where in names and external ids the texts stand, then by how little
    /// else is in the name.
    pub(super) fn worth(&self, segment: &Segment, scratch: &mut Scratch) -> Worth {
        let texts = self.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.test {
            Test::Text(text) => Some(text.score(segment, scratch)),
            Test::Path(_) | Test::StateFilter(_) => None,
        });
        (Reverse(texts.sum()), segment.name.chars().count())
    }

    /// The states that only the tree can tell, and whether they are to hold.
    pub(super) fn tree_states(&self) -> impl Iterator<Item = (StateFilter, bool)> {
        self.terms.iter().filter_map(|term| match term.test {
            Test::StateFilter(state) if self.known.with(state).is_none() => Some((state, !term.negated)),
            _ => None,
        })
    }

    /// What is looked for in paths, each with whether it is to be there: whether a name on the way is meant by it.
    pub(super) fn paths(&self) -> impl Iterator<Item = (impl Fn(&str) -> bool, bool)> {
        self.terms.iter().filter_map(|term| match &term.test {
            Test::Path(needle) => Some((|name: &str| needle.hit(name).is_some(), !term.negated)),
            Test::Text(_) | Test::StateFilter(_) => None,
        })
    }

    /// Where in a name the texts stand that are looked for there: ranges of bytes that begin and end between characters, in order
    /// and apart from each other.
    #[must_use]
    pub fn ranges(&self, name: &str) -> Vec<Range<usize>> {
        self.ranges_of(name, Place::reads_names)
    }

    /// The same for an external id.
    #[must_use]
    pub fn ranges_in_external_id(&self, external_id: &str) -> Vec<Range<usize>> {
        self.ranges_of(external_id, Place::reads_external_ids)
    }

    fn ranges_of(&self, text: &str, reads: fn(Place) -> bool) -> Vec<Range<usize>> {
        let mut scratch = Scratch::default();
        let mut ranges = Vec::new();
        for term in self.terms.iter().filter(|term| !term.negated) {
            match &term.test {
                Test::Text(looked_for) if reads(looked_for.place) => {
                    ranges.extend(looked_for.needle.ranges(text, &mut scratch));
                }
                Test::Path(needle) if reads(Place::Name) => ranges.extend(needle.ranges(text, &mut scratch)),
                _ => {}
            }
        }
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
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
    fn all_terms_have_to_hold() {
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
    fn a_place_can_be_named() {
        assert!(finds("ext:pl", "VIP", "PL-1") && !finds("ext:vip", "VIP", "PL-1"));
        assert!(finds("name:vip", "VIP", "PL-1") && !finds("name:pl", "VIP", "PL-1"));
        assert!(finds("id:ab9e", "VIP", "PL-1") && !finds("!id:ab9e", "VIP", "PL-1"));
        assert!(finds("id:AB9E32DB", "VIP", "PL-1"), "ids have no case");
    }

    #[test]
    fn what_is_only_begun_looks_for_nothing_yet() {
        for text in ["", " ", "!", "name:", "!ext:", "path:", "is:", "is:lea", "!is:", "\"", "\"\""] {
            assert_eq!(Query::parse(text), None, "{text}");
        }
        assert_eq!(Query::parse("vip !"), Query::parse("vip"));
        assert_eq!(Query::parse("\"vip pol"), Query::parse("\"vip pol\""));
        assert!(Query::wants_a_state("is:lea vip") && !Query::wants_a_state("vip is:leaf"));
        assert!(Query::parse("is:Leaf").unwrap().asks(StateFilter::Leaf));
    }

    #[test]
    fn a_script_is_told_of_every_word_that_is_none() {
        let fault = |text: &str| Query::parse_strict(text).unwrap_err();
        assert_eq!(fault("  "), QueryFault::Empty);
        assert_eq!(fault("\"\""), QueryFault::Begun("\"\"".into()));
        assert_eq!(fault("vip ext:"), QueryFault::Begun("ext:".into()));
        assert_eq!(fault("vip !"), QueryFault::Begun("!".into()));
        assert_eq!(fault("!is:lea"), QueryFault::UnknownState("lea".into()));
        assert_eq!(fault("is:Marked vip"), QueryFault::SessionOnly("Marked".into()));
        assert_eq!(fault("\"vip"), QueryFault::Unclosed);
        assert_eq!(Query::parse_strict(" vip  !is:leaf "), Ok(Query::parse("vip !is:leaf").unwrap()));
        assert!(Query::parse_strict("\"is:marked\" ext:\"a b\"").is_ok());
    }

    #[test]
    fn what_is_quoted_is_found_as_it_stands() {
        assert!(finds("polka", "VIP Polska", "") && !finds("\"polka\"", "VIP Polska", ""));
        assert!(finds("\"is:leaf\"", "what is:leaf means", ""));
        assert!(finds("\"!vip\"", "not !vip", "") && !finds("\"!vip\"", "x", ""));
        assert!(finds("name:\"vip pol\"", "VIP Polska", "") && !finds("name:\"vip pola\"", "VIP Polska", ""));
    }

    #[test]
    fn what_stands_there_as_it_is_ranks_before_what_is_there_loosely() {
        assert_eq!(rank("vip", "VIP", "1"), Some(Rank::Exact));
        assert_eq!(rank("pl-1", "VIP", "PL-1"), Some(Rank::Exact));
        assert_eq!(rank("vip", "VIP Polska", "1"), Some(Rank::Prefix));
        assert_eq!(rank("polska", "VIP Polska", "1"), Some(Rank::Substring));
        assert_eq!(rank("48a1", "VIP", "1"), Some(Rank::OtherField));
        assert_eq!(rank("polka", "VIP Polska", "1"), Some(Rank::Fuzzy));
        assert_eq!(rank("vip !polka", "VIP Polska", "1"), Some(Rank::Prefix), "what is negated is not loose");
    }

    #[test]
    fn every_text_that_is_looked_for_stands_out_where_it_is_looked_for() {
        let query = Query::parse("po ol !x ext:lska").unwrap();
        assert_eq!(query.ranges("Polska Polska"), [0..3, 7..10]);
        assert_eq!(query.ranges_in_external_id("Polska-lska"), [0..6, 7..11]);
        assert_eq!(Query::parse("plska").unwrap().ranges("Polska"), [0..1, 2..3, 3..4, 4..5, 5..6]);
    }
}
