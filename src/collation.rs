//! The sort order of names in a language: UAX #10 with the rules of CLDR, and numbers by their value.
//!
//! One language applies to the whole program. It is set once, before any forest is built, since a tree must not mix two orders.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::sync::OnceLock;

use icu_collator::CollationKeySink;
use icu_collator::options::CollatorOptions;
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

/// Polish: the platform's home market.
pub const DEFAULT_LANGUAGE: &str = "pl";

/// An invalid language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid language `{0}`; expected a tag such as pl, de or en-GB")]
pub struct NoLanguage(pub String);

/// `None` only if the compiled-in rules can't be loaded; texts are then sorted by code points.
type Collator = Option<CollatorBorrowed<'static>>;

static COLLATOR: OnceLock<Collator> = OnceLock::new();

/// Sets the language by which names are sorted. Does nothing if the language was already set or anything was sorted.
///
/// # Errors
///
/// An invalid language tag. A language without its own rules is sorted by the root rules.
pub fn set_language(tag: &str) -> Result<(), NoLanguage> {
    let locale = parse_language(tag)?;
    COLLATOR.get_or_init(|| of(&locale));
    Ok(())
}

/// Parses a language tag.
///
/// # Errors
///
/// An invalid tag.
pub fn parse_language(tag: &str) -> Result<Locale, NoLanguage> {
    Locale::try_from_str(tag).map_err(|_| NoLanguage(tag.to_owned()))
}

fn of(locale: &Locale) -> Collator {
    let mut preferences = CollatorPreferences::from(locale);
    preferences.numeric_ordering = Some(CollationNumericOrdering::True);
    CollatorBorrowed::try_new(preferences, CollatorOptions::default()).ok()
}

fn collator() -> Option<&'static CollatorBorrowed<'static>> {
    COLLATOR.get_or_init(|| of(&parse_language(DEFAULT_LANGUAGE).unwrap_or(Locale::UNKNOWN))).as_ref()
}

/// Compares two texts in the order of the language.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    collator().map_or_else(|| a.cmp(b), |collator| collator.compare(a, b))
}

/// The beginning of a text's sort key, as a number that never contradicts [`compare`]; equal numbers are inconclusive.
#[must_use]
pub fn beginning(text: &str) -> u128 {
    let Some(collator) = collator() else { return 0 };
    let mut beginning = Beginning::default();
    match collator.write_sort_key_to(text, &mut beginning) {
        Ok(()) => u128::from_be_bytes(beginning.bytes),
        Err(never) => match never {},
    }
}

/// Keeps the first bytes of a sort key and discards the rest.
#[derive(Default)]
struct Beginning {
    bytes: [u8; 16],
    length: usize,
}

impl CollationKeySink for Beginning {
    type Error = Infallible;
    type State = ();
    type Output = ();

    fn write(&mut self, (): &mut (), bytes: &[u8]) -> Result<(), Infallible> {
        let room = &mut self.bytes[self.length..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.length += taken;
        Ok(())
    }

    fn finish(&mut self, (): ()) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_in_a_polish_dictionary_with_numbers_by_value() {
        let mut names =
            ["Zgierz", "Łódź", "Lublin", "łaty", "VIP 10", "VIP 9", "ćma", "CNC", "Ćma", "Źródło", "Żabka", "Zebra"];
        names.sort_by(|a, b| compare(a, b));
        let expected =
            ["CNC", "ćma", "Ćma", "Lublin", "łaty", "Łódź", "VIP 9", "VIP 10", "Zebra", "Zgierz", "Źródło", "Żabka"];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_language_is_a_tag() {
        assert!(parse_language("de-AT").is_ok());
        assert_eq!(
            parse_language("polish please").unwrap_err().to_string(),
            "invalid language `polish please`; expected a tag such as pl, de or en-GB"
        );
    }
}
