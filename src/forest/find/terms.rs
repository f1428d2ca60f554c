//! Parsing of queries: words, quotes and prefixes.

use super::needle::Needle;
use super::state::StateFilter;
use super::text::{SearchedFields, Text};
use super::{Condition, Term};

/// Prefix of a text to find in the names of a segment and its ancestors.
const PATH: &str = "path:";
/// Prefix of a state.
const IS: &str = "is:";
/// All prefixes.
pub(super) const FIELDS: [&str; 5] =
    [SearchedFields::NAMED[0].0, SearchedFields::NAMED[1].0, SearchedFields::NAMED[2].0, PATH, IS];

/// A word of a query.
#[derive(Debug, Default)]
pub(super) struct Word {
    text: String,
    /// The length of the text before the first quote.
    quoted_from: Option<usize>,
}

/// Splits a query at blanks outside double quotes. An unclosed quote extends to the end, since the user is still typing.
pub(super) fn words(text: &str) -> Vec<Word> {
    let (mut words, mut word, mut quoted) = (Vec::new(), Word::default(), false);
    for character in text.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                word.quoted_from = word.quoted_from.or(Some(word.text.len()));
            }
            blank if blank.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            other => word.text.push(other),
        }
    }
    words.push(word);
    words
}

/// Why a text is not a valid strict query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    /// The query has no words.
    #[error("the query is empty")]
    Empty,
    /// A word has only a prefix, such as `ext:`.
    #[error("nothing follows `{0}`")]
    Incomplete(String),
    /// `is:` with an unknown state.
    #[error("unknown state `{0}`; is: takes orphan, leaf or duplicate")]
    UnknownState(String),
    /// A state that is only known in the interface.
    #[error("`is:{0}` works only in the interface")]
    SessionOnly(String),
    /// An unclosed double quote.
    #[error("a double quote isn't closed")]
    Unclosed,
}

impl Word {
    /// Returns what is wrong with the word if it has to be complete.
    pub fn fault(&self) -> Option<QueryFault> {
        if self.text.is_empty() && self.quoted_from.is_none() {
            return None;
        }
        if let Some(name) = self.state_name().filter(|name| !name.is_empty()) {
            return match StateFilter::named(name) {
                None => Some(QueryFault::UnknownState(name.into())),
                Some(StateFilter::Changed | StateFilter::Pending | StateFilter::Marked) => {
                    Some(QueryFault::SessionOnly(name.into()))
                }
                Some(StateFilter::Orphan | StateFilter::Leaf | StateFilter::Duplicate) => None,
            };
        }
        let quotes = if self.quoted_from.is_some() { "\"\"" } else { "" };
        self.term().is_none().then(|| QueryFault::Incomplete(format!("{}{quotes}", self.text)))
    }

    /// Returns what follows a prefix, and where. Quoted text is never a prefix.
    fn strip_prefix_at(&self, from: usize, prefix: &str) -> Option<(usize, &str)> {
        let rest = self.text.get(from..)?.strip_prefix(prefix)?;
        let at = from + prefix.len();
        self.quoted_from.is_none_or(|quoted| quoted >= at).then_some((at, rest))
    }

    fn text_start(&self) -> usize {
        self.strip_prefix_at(0, "!").map_or(0, |(at, _)| at)
    }

    /// Returns what follows `is:`.
    fn state_name(&self) -> Option<&str> {
        Some(self.strip_prefix_at(self.text_start(), IS)?.1)
    }

    /// Whether the word asks for an unknown or incomplete state.
    pub fn has_unknown_state(&self) -> bool {
        self.state_name().is_some_and(|name| StateFilter::named(name).is_none())
    }

    pub fn term(&self) -> Option<Term> {
        let from = self.text_start();
        let negated = from > 0;
        if let Some(name) = self.state_name() {
            return Some(Term { negated, condition: Condition::StateFilter(StateFilter::named(name)?) });
        }
        if let Some((_, text)) = self.strip_prefix_at(from, PATH) {
            return Some(Term { negated, condition: Condition::Path(Needle::of(text)?) });
        }
        let named = SearchedFields::NAMED
            .into_iter()
            .find_map(|(name, fields)| Some((fields, self.strip_prefix_at(from, name)?.1)));
        let (fields, text) = named.unwrap_or((SearchedFields::Anywhere, self.text.get(from..)?));
        let needle = Needle::of(text)?;
        let needle = if self.quoted_from.is_some() { needle } else { needle.allowing_fuzzy() };
        Some(Term {
            negated,
            condition: Condition::Text(Text { fields, needle, id_needle: Needle::without_case(text)? }),
        })
    }
}
