//! The order of a language in which names are sorted: UAX #10 with the rules of CLDR, numbers by their value.
//!
//! One language holds for the whole program. It is chosen once, before any forest is built, since no two orders may meet in one
//! tree.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::sync::OnceLock;

use icu_collator::CollationKeySink;
use icu_collator::options::CollatorOptions;
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

/// The platform's home.
pub const DEFAULT_LANGUAGE: &str = "pl";

/// A text that is no language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid language `{0}`; expected a tag such as pl, de or en-GB")]
pub struct NoLanguage(pub String);

/// `None` only where the rules that are compiled in can't be read, which leaves the order of code points.
type Collator = Option<CollatorBorrowed<'static>>;

static COLLATOR: OnceLock<Collator> = OnceLock::new();

/// Chooses the language by which names are sorted. Once anything was sorted, or chosen before, the call changes nothing.
///
/// # Errors
///
/// A text that is no language tag. A language without rules of its own is sorted by those of all.
pub fn set_language(tag: &str) -> Result<(), NoLanguage> {
    let locale = parse_language(tag)?;
    COLLATOR.get_or_init(|| of(&locale));
    Ok(())
}

/// Reads a language tag.
///
/// # Errors
///
/// A text that is none.
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

/// Compares two texts.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    collator().map_or_else(|| a.cmp(b), |collator| collator.compare(a, b))
}

/// The beginning of a text's sort key, as a number that never contradicts [`compare`]; equal numbers decide nothing.
#[must_use]
pub fn beginning(text: &str) -> u128 {
    let Some(collator) = collator() else { return 0 };
    let mut beginning = Beginning::default();
    match collator.write_sort_key_to(text, &mut beginning) {
        Ok(()) => u128::from_be_bytes(beginning.bytes),
        Err(never) => match never {},
    }
}

/// Takes the first bytes of a sort key and lets the others go.
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
