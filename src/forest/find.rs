//! Finding segments by what is written in them.

use std::ops::Range;

use crate::segment::Segment;

use super::fold::{fold, folded};

/// What a person looks for: terms that all have to hold. Case and diacritics make no difference.
///
/// A term is a text to be found in the name, the external id or, when it is the only one, the id; `name:`, `ext:` and `id:` before it say where; `!` before
/// all that turns it around. Blanks separate terms, except between double quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    place: Place,
    negated: bool,
    text: Needle,
}

/// Where a text is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// In the name or the external id.
    Readable,
    Name,
    ExternalId,
    Id,
}

impl Place {
    /// The words by which a place is named.
    const NAMED: [(&'static str, Self); 3] = [("name:", Self::Name), ("ext:", Self::ExternalId), ("id:", Self::Id)];
}

impl Query {
    /// Takes what a person typed; `None` when there is nothing to look for, as after `!` or `name:` alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut terms: Vec<Term> = words(text).iter().filter_map(|word| Term::parse(word)).collect();
        if terms.len() > 1 {
            // Short words stand in a good many UUIDs.
            for term in terms.iter_mut().filter(|term| term.place == Place::Anywhere) {
                term.place = Place::Readable;
            }
        }
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// Whether a segment is meant.
    #[must_use]
    pub fn matches(&self, segment: &Segment) -> bool {
        self.terms.iter().all(|term| term.holds(segment))
    }

    /// Whether a name begins with the first text that is looked for in names.
    #[must_use]
    pub fn begins(&self, name: &str) -> bool {
        let in_name =
            |term: &&Term| !term.negated && matches!(term.place, Place::Anywhere | Place::Readable | Place::Name);
        self.terms.iter().find(in_name).is_some_and(|term| term.text.begins(name))
    }

    /// Where in a name the texts stand that are looked for there: ranges of bytes that begin and end between characters, in order
    /// and apart from each other.
    #[must_use]
    pub fn ranges(&self, name: &str) -> Vec<Range<usize>> {
        self.ranges_of(name, Place::Name)
    }

    /// The same for an external id.
    #[must_use]
    pub fn ranges_in_external_id(&self, external_id: &str) -> Vec<Range<usize>> {
        self.ranges_of(external_id, Place::ExternalId)
    }

    fn ranges_of(&self, text: &str, place: Place) -> Vec<Range<usize>> {
        let here = self.terms.iter().filter(|term| {
            !term.negated && (matches!(term.place, Place::Anywhere | Place::Readable) || term.place == place)
        });
        let mut ranges: Vec<Range<usize>> = here.flat_map(|term| term.text.ranges(text)).collect();
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

/// What stands between blanks, or between double quotes. A quote that is not closed reaches to the end, since it is being typed.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            blank if blank.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    words
}

impl Term {
    fn parse(word: &str) -> Option<Self> {
        let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
        let named = Place::NAMED.into_iter().find_map(|(name, place)| Some((place, word.strip_prefix(name)?)));
        let (place, text) = named.unwrap_or((Place::Anywhere, word));
        Some(Self { place, negated, text: Needle::of(text)? })
    }

    fn holds(&self, segment: &Segment) -> bool {
        let found = match self.place {
            Place::Anywhere => {
                self.text.is_in(&segment.name) || self.is_in_external_id(segment) || self.is_in_id(segment)
            }
            Place::Readable => self.text.is_in(&segment.name) || self.is_in_external_id(segment),
            Place::Name => self.text.is_in(&segment.name),
            Place::ExternalId => self.is_in_external_id(segment),
            Place::Id => self.is_in_id(segment),
        };
        found != self.negated
    }

    fn is_in_external_id(&self, segment: &Segment) -> bool {
        segment.external_id.as_deref().is_some_and(|external_id| self.text.is_in(external_id))
    }

    fn is_in_id(&self, segment: &Segment) -> bool {
        (self.text.fits_uuid || !segment.id.is_uuid()) && segment.id.with_text(|id| self.text.is_in(id))
    }
}

/// A text to be found in others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Needle {
    characters: Vec<char>,
    /// The same where it is nothing but ASCII: most texts are as well, and byte by byte it is found in a fraction of the time.
    ascii: Option<Vec<u8>>,
    /// Whether a UUID can hold it.
    fits_uuid: bool,
}

impl Needle {
    fn of(text: &str) -> Option<Self> {
        let characters: Vec<char> = folded(text.trim()).collect();
        let ascii = characters.iter().map(|character| u8::try_from(*character).ok().filter(u8::is_ascii)).collect();
        let fits_uuid = characters.iter().all(|character| matches!(character, '0'..='9' | 'a'..='f' | '-'));
        (!characters.is_empty()).then_some(Self { characters, ascii, fits_uuid })
    }

    fn begins(&self, text: &str) -> bool {
        let mut characters = folded(text);
        self.characters.iter().all(|expected| characters.next() == Some(*expected))
    }

    /// Ranges of bytes that begin and end between characters, apart from each other.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let all: Vec<(char, usize, usize)> = text
            .char_indices()
            .flat_map(|(start, character)| {
                fold(character).map(move |plain| (plain, start, start + character.len_utf8()))
            })
            .collect();
        let mut ranges = Vec::new();
        let mut at = 0;
        while let Some(window) = all.get(at..at + self.characters.len()) {
            if window.iter().map(|(plain, ..)| plain).eq(&self.characters) {
                let start = window.first().map_or(0, |(_, start, _)| *start);
                let end = window.last().map_or(start, |(.., end)| *end);
                ranges.push(start..end);
                at += self.characters.len();
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
        let Some((first, rest)) = self.characters.split_first() else { return false };
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

    fn query(text: &str) -> Needle {
        Needle::of(text).unwrap()
    }

    fn finds(text: &str, name: &str, external_id: &str) -> bool {
        let id = crate::segment::SegmentId::new("ab9e32db-48a1-47b3-9fda-975b9ed8a9d6").unwrap();
        let segment = Segment { id, name: name.into(), external_id: Some(external_id.into()), parent: None };
        Query::parse(text).unwrap().matches(&segment)
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
    }

    #[test]
    fn what_is_only_begun_looks_for_nothing_yet() {
        for text in ["", " ", "!", "name:", "!ext:", "\"", "\"\""] {
            assert_eq!(Query::parse(text), None, "{text}");
        }
        assert_eq!(Query::parse("vip !"), Query::parse("vip"));
        assert_eq!(Query::parse("\"vip pol"), Query::parse("\"vip pol\""));
    }

    #[test]
    fn every_text_that_is_looked_for_stands_out_where_it_is_looked_for() {
        let query = Query::parse("po ol !x ext:lska").unwrap();
        assert_eq!(query.ranges("Polska Polska"), [0..3, 7..10]);
        assert_eq!(query.ranges_in_external_id("Polska-lska"), [0..6, 7..11]);
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
