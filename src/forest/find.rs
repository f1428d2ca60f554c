//! Finding segments by what is written in them.

use std::ops::Range;

use crate::segment::Segment;

use super::fold::{fold, folded};

/// A text to be found in names, external ids and ids; case and diacritics make no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    needle: Vec<char>,
    /// The same where it is nothing but ASCII: most texts are as well, and byte by byte it is found in a fraction of the time.
    ascii: Option<Vec<u8>>,
    /// Whether a UUID can hold it.
    fits_uuid: bool,
}

impl Query {
    /// Takes what a person typed; `None` when there is nothing to look for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let needle: Vec<char> = folded(text.trim()).collect();
        let ascii = needle.iter().map(|character| u8::try_from(*character).ok().filter(u8::is_ascii)).collect();
        let fits_uuid = needle.iter().all(|character| matches!(character, '0'..='9' | 'a'..='f' | '-'));
        (!needle.is_empty()).then_some(Self { needle, ascii, fits_uuid })
    }

    /// Whether a segment is meant.
    #[must_use]
    pub fn matches(&self, segment: &Segment) -> bool {
        self.is_in(&segment.name)
            || segment.external_id.as_deref().is_some_and(|external_id| self.is_in(external_id))
            || (self.fits_uuid || !segment.id.is_uuid()) && segment.id.with_text(|id| self.is_in(id))
    }

    /// Whether a text begins with it.
    #[must_use]
    pub fn begins(&self, text: &str) -> bool {
        let mut characters = folded(text);
        self.needle.iter().all(|expected| characters.next() == Some(*expected))
    }

    /// Where in a text it stands: ranges of bytes that begin and end between characters, apart from each other.
    #[must_use]
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let characters: Vec<(char, usize, usize)> = text
            .char_indices()
            .flat_map(|(start, character)| {
                fold(character).map(move |plain| (plain, start, start + character.len_utf8()))
            })
            .collect();
        let mut ranges = Vec::new();
        let mut at = 0;
        while let Some(window) = characters.get(at..at + self.needle.len()) {
            if window.iter().map(|(plain, ..)| plain).eq(&self.needle) {
                let start = window.first().map_or(0, |(_, start, _)| *start);
                let end = window.last().map_or(start, |(.., end)| *end);
                ranges.push(start..end);
                at += self.needle.len();
            } else {
                at += 1;
            }
        }
        // A character that folds into two can be the end of one match and the beginning of the next.
        ranges.dedup_by(|next, previous| next.start < previous.end);
        ranges
    }

    fn is_in(&self, text: &str) -> bool {
        if let Some(needle) = self.ascii.as_deref().filter(|_| text.is_ascii()) {
            let mut windows = text.as_bytes().windows(needle.len());
            return windows.any(|window| window.eq_ignore_ascii_case(needle));
        }
        let Some((first, rest)) = self.needle.split_first() else { return false };
        let mut characters = folded(text);
        while characters.any(|character| character == *first) {
            let mut following = characters.clone();
            if rest.iter().all(|expected| following.next() == Some(*expected)) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn a_query_finds_names_whatever_their_accents() {
        assert!(query("lodz").is_in("Województwo Łódzkie, Łódź"));
        assert!(query("ŁÓDŹ").is_in("lodz"));
        assert!(query("aab").is_in("aaab"));
        assert!(!query("lodx").is_in("Łódź"));
    }

    #[test]
    fn a_blank_query_is_none() {
        assert_eq!(Query::parse("  "), None);
    }

    #[test]
    fn what_matched_is_told_in_bytes_of_the_original() {
        assert_eq!(query("odz").ranges("Łódź, łodzie"), [2..7, 11..14]);
        assert!(query("x").ranges("Łódź").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_in_a_text_has_a_range_in_it(needle in "[ałŁßs1]{1,3}", text in "[ałŁßs1 ]{0,12}") {
            let query = query(&needle);
            let ranges = query.ranges(&text);
            prop_assert_eq!(query.is_in(&text), !ranges.is_empty());
            prop_assert!(ranges.iter().all(|range| text.get(range.clone()).is_some()));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
