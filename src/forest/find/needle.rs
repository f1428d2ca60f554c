//! A text to search for, literally or fuzzily (with other letters between its own).
//!
//! Nearly all texts searched do not match, so that is found out first and cheaply: byte by byte if both are ASCII, and without
//! calling the fuzzy matcher unless the letters occur in order.

use std::ops::Range;

use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::forest::fold::{Case, without_diacritics};

/// A text to search for. Diacritics are ignored, and so is case, unless the text has a capital letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    characters: Vec<char>,
    /// The same text if it is ASCII: so are most of the texts searched, and comparing bytes takes a fraction of the time.
    ascii: Option<Vec<u8>>,
    case: Case,
    /// Whether a UUID can contain it.
    fits_uuid: bool,
    /// Whether it may match fuzzily.
    fuzzy: bool,
}

/// Where a text matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hit {
    /// The whole text.
    Exact,
    /// Its beginning.
    Prefix,
    Inside,
}

/// The memory that matching needs, allocated on first use.
#[derive(Debug, Default)]
pub(in crate::forest) struct Scratch {
    matcher: Option<Matcher>,
    letters: Vec<char>,
}

/// Minimum number of letters for a fuzzy match: fewer occur in nearly every name.
const MIN_FUZZY_LETTERS: usize = 3;
/// The matcher's score for a letter. A fuzzy match has to score at least this per letter, so that bonuses for word starts and
/// consecutive letters make up for the gaps. Otherwise long names would match almost anything.
const SCORE_PER_LETTER: usize = 16;

impl Needle {
    /// Returns the needle for a text, `None` if it is blank.
    pub fn of(text: &str) -> Option<Self> {
        let case = if text.chars().any(char::is_uppercase) { Case::Sensitive } else { Case::Insensitive };
        Self::with_case(text, case)
    }

    /// Returns the same needle, but always ignoring case.
    pub fn without_case(text: &str) -> Option<Self> {
        Self::with_case(text, Case::Insensitive)
    }

    fn with_case(text: &str, case: Case) -> Option<Self> {
        let characters: Vec<char> =
            text.trim().chars().flat_map(|character| without_diacritics(character, case)).collect();
        let ascii = characters.iter().map(|character| u8::try_from(*character).ok().filter(u8::is_ascii)).collect();
        let fits_uuid = characters.iter().all(|character| matches!(character, '0'..='9' | 'a'..='f' | '-'));
        (!characters.is_empty()).then_some(Self { characters, ascii, case, fits_uuid, fuzzy: false })
    }

    /// Allows fuzzy matches if the text is long enough for them to mean anything.
    pub fn allowing_fuzzy(mut self) -> Self {
        self.fuzzy = self.characters.iter().filter(|character| character.is_alphabetic()).count() >= MIN_FUZZY_LETTERS;
        self
    }

    /// Whether it may match fuzzily.
    pub const fn is_fuzzy(&self) -> bool {
        self.fuzzy
    }

    pub const fn fits_uuid(&self) -> bool {
        self.fits_uuid
    }

    /// Returns where it matches a text literally, if it does.
    pub fn hit(&self, text: &str) -> Option<Hit> {
        if let Some(needle) = self.ascii.as_deref().filter(|_| text.is_ascii()) {
            let at = self.find_bytes(text.as_bytes(), needle)?;
            return Some(match at {
                0 if text.len() == needle.len() => Hit::Exact,
                0 => Hit::Prefix,
                _ => Hit::Inside,
            });
        }
        let (first, rest) = self.characters.split_first()?;
        let mut characters = self.normalized(text);
        let mut before = 0;
        while let Some(character) = characters.next() {
            if character == *first {
                let mut following = characters.clone();
                if rest.iter().all(|expected| following.next() == Some(*expected)) {
                    return Some(match (before, following.next()) {
                        (0, None) => Hit::Exact,
                        (0, Some(_)) => Hit::Prefix,
                        _ => Hit::Inside,
                    });
                }
            }
            before += 1;
        }
        None
    }

    fn find_bytes(&self, text: &[u8], needle: &[u8]) -> Option<usize> {
        let (first, rest) = needle.split_first()?;
        let starts = text.get(..=text.len().checked_sub(needle.len())?)?;
        let fits = |at: usize| {
            let following = text.get(at + 1..at + needle.len()).unwrap_or_default();
            match self.case {
                Case::Insensitive => following.eq_ignore_ascii_case(rest),
                Case::Sensitive => following == rest,
            }
        };
        let other = self.other_case(*first);
        (0..).zip(starts).find(|(at, byte)| (**byte == *first || **byte == other) && fits(*at)).map(|(at, _)| at)
    }

    const fn other_case(&self, byte: u8) -> u8 {
        match self.case {
            Case::Insensitive => byte.to_ascii_uppercase(),
            Case::Sensitive => byte,
        }
    }

    fn normalized<'a>(&self, text: &'a str) -> impl Iterator<Item = char> + Clone + use<'a> {
        let case = self.case;
        text.chars().flat_map(move |character| without_diacritics(character, case))
    }

    /// Whether it matches a text fuzzily with a sufficient score.
    pub fn matches_fuzzily(&self, text: &str, scratch: &mut Scratch) -> bool {
        self.fuzzy && self.may_match_fuzzily(text) && self.fuzzy_score(text, scratch).is_some()
    }

    /// Whether its letters occur in a text in order.
    fn may_match_fuzzily(&self, text: &str) -> bool {
        if text.len() < self.characters.len() {
            return false;
        }
        if text.is_ascii() {
            let Some(needle) = &self.ascii else { return false };
            let mut bytes = text.bytes();
            return needle.iter().all(|wanted| {
                let other = self.other_case(*wanted);
                bytes.any(|byte| byte == *wanted || byte == other)
            });
        }
        let mut letters = self.normalized(text);
        self.characters.iter().all(|wanted| letters.any(|letter| letter == *wanted))
    }

    fn fuzzy_score(&self, text: &str, scratch: &mut Scratch) -> Option<u16> {
        let score = self.call_matcher(text, scratch, Matcher::fuzzy_match)?;
        (usize::from(score) >= SCORE_PER_LETTER * self.characters.len()).then_some(score)
    }

    /// Returns the score of its match in a text, literal or fuzzy: higher is better, 0 is no match.
    pub fn score(&self, text: &str, scratch: &mut Scratch) -> u16 {
        let score = match self.hit(text) {
            Some(_) => self.call_matcher(text, scratch, Matcher::substring_match),
            None if self.fuzzy => self.fuzzy_score(text, scratch),
            None => None,
        };
        score.unwrap_or(0)
    }

    /// Calls the matcher with a text folded in the same way as the needle.
    fn call_matcher<T>(
        &self,
        text: &str,
        scratch: &mut Scratch,
        call: impl FnOnce(&mut Matcher, Utf32Str<'_>, Utf32Str<'_>) -> Option<T>,
    ) -> Option<T> {
        let Scratch { matcher, letters } = scratch;
        letters.clear();
        letters.extend(self.normalized(text));
        let matcher = matcher.get_or_insert_with(|| {
            let mut config = Config::DEFAULT;
            (config.normalize, config.ignore_case) = (false, false);
            Matcher::new(config)
        });
        call(matcher, Utf32Str::Unicode(letters), Utf32Str::Unicode(&self.characters))
    }

    /// Returns its matches in a text: byte ranges on character boundaries, sorted and disjoint.
    pub fn ranges(&self, text: &str, scratch: &mut Scratch) -> Vec<Range<usize>> {
        let all: Vec<(char, Range<usize>)> = text
            .char_indices()
            .flat_map(|(start, character)| {
                let bytes = start..start + character.len_utf8();
                without_diacritics(character, self.case).map(move |plain| (plain, bytes.clone()))
            })
            .collect();
        let literal = self.literal_ranges(&all);
        if !literal.is_empty() || !self.fuzzy || !self.may_match_fuzzily(text) {
            return literal;
        }
        let mut indices = Vec::new();
        let score =
            self.call_matcher(text, scratch, |matcher, text, needle| matcher.fuzzy_indices(text, needle, &mut indices));
        if score.is_none_or(|score| usize::from(score) < SCORE_PER_LETTER * self.characters.len()) {
            return literal;
        }
        indices.sort_unstable();
        let ranges = indices.iter().filter_map(|index| all.get(usize::try_from(*index).ok()?));
        let mut ranges: Vec<Range<usize>> = ranges.map(|(_, bytes)| bytes.clone()).collect();
        ranges.dedup();
        ranges
    }

    fn literal_ranges(&self, all: &[(char, Range<usize>)]) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while let Some(window) = all.get(at..at + self.characters.len()) {
            if window.iter().map(|(plain, _)| plain).eq(&self.characters) {
                let start = window.first().map_or(0, |(_, bytes)| bytes.start);
                let end = window.last().map_or(start, |(_, bytes)| bytes.end);
                ranges.push(start..end);
                at += self.characters.len();
            } else {
                at += 1;
            }
        }
        // A character that folds into two can end one match and start the next.
        ranges.dedup_by(|next, previous| next.start < previous.end);
        ranges
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needle(text: &str) -> Needle {
        Needle::of(text).unwrap().allowing_fuzzy()
    }

    fn is_in(needle: &Needle, text: &str) -> bool {
        needle.hit(text).is_some()
    }

    fn fuzzily(text: &str, name: &str) -> bool {
        needle(text).matches_fuzzily(name, &mut Scratch::default())
    }

    #[test]
    fn accents_are_ignored() {
        assert!(is_in(&needle("lodz"), "Województwo Łódzkie, Łódź"));
        assert!(is_in(&needle("łódź"), "lodz"));
        assert!(is_in(&needle("aab"), "aaab"));
        assert!(!is_in(&needle("lodx"), "Łódź"));
    }

    #[test]
    fn a_capital_letter_makes_the_match_case_sensitive() {
        assert!(is_in(&needle("Łodz"), "Łódź") && is_in(&needle("Lodz"), "Łódź"));
        assert!(!is_in(&needle("Lodz"), "łódź") && !is_in(&needle("VIP"), "vip client"));
        assert!(is_in(&needle("vip"), "VIP Client"));
    }

    #[test]
    fn a_hit_is_exact_a_prefix_or_inside() {
        assert_eq!(needle("lodz").hit("Łódź"), Some(Hit::Exact));
        assert_eq!(needle("vip").hit("VIP Client"), Some(Hit::Prefix));
        assert_eq!(needle("lodz").hit("Stara Łódź"), Some(Hit::Inside));
        assert_eq!(needle("client").hit("VIP Client"), Some(Hit::Inside));
    }

    #[test]
    fn letters_may_be_left_out_but_not_scattered() {
        assert!(fuzzily("hrtwnie", "Hurtownie"));
        assert!(fuzzily("mzwckie", "Województwo Mazowieckie"));
        assert!(fuzzily("ldzk", "Łódzkie"));
        assert!(fuzzily("vipg", "VIP Gold"));
        assert!(!fuzzily("vi", "V something I"), "two letters stand in nearly everything");
        assert!(!fuzzily("ocuj", "Województwo kujawsko-pomorskie, okolice Bydgoszczy"));
        assert!(!fuzzily("eit", "Hurtownie"), "not in this order");
    }

    #[test]
    fn matches_are_byte_ranges_of_the_original() {
        let mut scratch = Scratch::default();
        assert_eq!(needle("odz").ranges("Łódź, łodzie", &mut scratch), [2..7, 11..14]);
        assert!(needle("x").ranges("Łódź", &mut scratch).is_empty());
        assert_eq!(needle("ldz").ranges("Łódź", &mut scratch), [0..2, 4..5, 5..7]);
    }

    proptest! {
        #[test]
        fn a_text_that_matches_has_a_range(text in "[ałŁßs1]{1,4}", name in "[ałŁßs1 ]{0,12}") {
            let mut scratch = Scratch::default();
            let needle = needle(&text);
            let ranges = needle.ranges(&name, &mut scratch);
            prop_assert_eq!(is_in(&needle, &name) || needle.matches_fuzzily(&name, &mut scratch), !ranges.is_empty());
            prop_assert!(ranges.iter().all(|range| name.get(range.clone()).is_some()));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }

        #[test]
        fn bytes_and_characters_compare_equally(text in "[abAB1]{1,3}", name in "[abAB1 ]{0,8}") {
            let bytewise = needle(&text);
            let letterwise = Needle { ascii: None, ..bytewise.clone() };
            // Without the ASCII form, the text is compared character by character.
            prop_assert_eq!(is_in(&bytewise, &name), is_in(&letterwise, &name));
            prop_assert_eq!(bytewise.hit(&name), letterwise.hit(&name));
        }
    }
}
