//! The filter history, named filters, and completion of a filter being typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forest::StateFilter;

/// Recent filters, most recent last, and named filters. Kept from one session to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    recent: Vec<String>,
    saved: BTreeMap<String, String>,
}

/// How many recent and how many named filters are kept.
const MAX_RECENT: usize = 100;
const MAX_SAVED: usize = 200;

impl Filters {
    /// Moves a used filter to the end of the history, without duplicates.
    pub(in crate::app) fn record_use(&mut self, text: &str) {
        self.recent.retain(|other| other != text);
        self.recent.push(text.to_owned());
        let surplus = self.recent.len().saturating_sub(MAX_RECENT);
        self.recent.drain(..surplus);
    }

    /// Returns the filter `back` steps back in the history; 1 is the most recent.
    pub(in crate::app) fn recent(&self, back: usize) -> Option<&str> {
        let at = self.recent.len().checked_sub(back)?;
        self.recent.get(at).map(String::as_str)
    }

    /// Saves a filter under a name; `false` if there are too many already.
    pub(in crate::app) fn save(&mut self, name: &str, text: &str) -> bool {
        if self.saved.len() >= MAX_SAVED && !self.saved.contains_key(name) {
            return false;
        }
        self.saved.insert(name.to_owned(), text.to_owned());
        true
    }

    /// Returns the filter saved under a name.
    pub(in crate::app) fn saved(&self, name: &str) -> Option<&str> {
        self.saved.get(name).map(String::as_str)
    }
}

/// Prefixes that a term can have.
const FIELD_PREFIXES: [&str; 5] = ["ext:", "id:", "is:", "name:", "path:"];

/// Returns the texts with the last word completed, sorted; none if the word is complete.
pub(in crate::app) fn completions(text: &str) -> Vec<String> {
    let start =
        text.rfind(char::is_whitespace).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let (head, word) = text.split_at(start);
    let (negated, word) = word.strip_prefix('!').map_or(("", word), |word| ("!", word));
    let mut found: Vec<String> = match word.strip_prefix("is:") {
        Some(state) => {
            let states = StateFilter::NAMED.into_iter().map(|(name, _)| name);
            states.filter(|name| name.starts_with(state)).map(|name| format!("is:{name}")).collect()
        }
        None if word.is_empty() => Vec::new(),
        None => FIELD_PREFIXES.into_iter().filter(|field| field.starts_with(word)).map(str::to_owned).collect(),
    };
    found.retain(|candidate| candidate != word);
    found.sort_unstable();
    found.into_iter().map(|candidate| format!("{head}{negated}{candidate}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_completed_by_fields_and_states() {
        assert_eq!(completions("lodz i"), ["lodz id:", "lodz is:"]);
        assert_eq!(completions("!is:or"), ["!is:orphan"]);
        assert_eq!(
            completions("is:"),
            ["changed", "duplicate", "leaf", "marked", "orphan", "pending"].map(|state| format!("is:{state}"))
        );
        assert_eq!(completions("is:leaf"), Vec::<String>::new());
        assert_eq!(completions("Łódź"), Vec::<String>::new());
        assert_eq!(completions(""), Vec::<String>::new());
        assert_eq!(completions("Łódź\u{a0}e"), ["Łódź\u{a0}ext:"]);
    }

    #[test]
    fn a_reused_filter_moves_to_the_front_and_old_ones_go() {
        let mut filters = Filters::default();
        for number in 0..MAX_RECENT + 5 {
            filters.record_use(&number.to_string());
        }
        filters.record_use("50");
        assert_eq!((filters.recent(1), filters.recent(2)), (Some("50"), Some("104")));
        assert_eq!(
            (filters.recent(MAX_RECENT), filters.recent(MAX_RECENT + 1), filters.recent(0)),
            (Some("5"), None, None)
        );
        assert!(filters.save("mine", "is:orphan"));
        assert_eq!(filters.saved("mine"), Some("is:orphan"));
    }
}
