//! Reading what a person typed: words, quotes, and what stands before a colon.

use super::needle::Needle;
use super::state::StateFilter;
use super::text::{Place, Text};
use super::{Term, Test};

/// What stands between blanks.
#[derive(Debug, Default)]
pub(super) struct Word {
    text: String,
    /// How many bytes stand before the first quote.
    quoted_from: Option<usize>,
}

/// What stands between blanks, or between double quotes. A quote that is not closed reaches to the end, since it is being typed.
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

impl Word {
    /// What follows a word of the language. What is quoted is never one.
    fn after(&self, from: usize, lead: &str) -> Option<(usize, &str)> {
        let rest = self.text.get(from..)?.strip_prefix(lead)?;
        let at = from + lead.len();
        self.quoted_from.is_none_or(|quoted| quoted >= at).then_some((at, rest))
    }

    fn begins(&self) -> usize {
        self.after(0, "!").map_or(0, |(at, _)| at)
    }

    /// What follows `is:`.
    fn after_is(&self) -> Option<&str> {
        Some(self.after(self.begins(), "is:")?.1)
    }

    /// Whether a state is asked for that does not exist, or not yet.
    pub fn wants_a_state(&self) -> bool {
        self.after_is().is_some_and(|name| StateFilter::named(name).is_none())
    }

    pub fn term(&self) -> Option<Term> {
        let from = self.begins();
        let negated = from > 0;
        if let Some(name) = self.after_is() {
            return Some(Term { negated, test: Test::StateFilter(StateFilter::named(name)?) });
        }
        if let Some((_, text)) = self.after(from, "path:") {
            return Some(Term { negated, test: Test::Path(Needle::of(text)?) });
        }
        let named = Place::NAMED.into_iter().find_map(|(name, place)| Some((place, self.after(from, name)?.1)));
        let (place, text) = named.unwrap_or((Place::Anywhere, self.text.get(from..)?));
        let needle = Needle::of(text)?;
        let needle = if self.quoted_from.is_some() { needle } else { needle.loosened() };
        Some(Term { negated, test: Test::Text(Text { place, needle, in_ids: Needle::without_case(text)? }) })
    }
}
