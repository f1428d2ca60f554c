//! Guards cells against spreadsheets: a text that a spreadsheet would run, or convert to a number or a date and save in another
//! form, gets an apostrophe in front.
//!
//! The guard survives opening and saving in a spreadsheet, where it is a character like any other. [`unguard`] removes exactly
//! what [`guard`] adds: an apostrophe before a text that needs no guard is part of the text. So every text is read back
//! unchanged.

use std::borrow::Cow;

/// The character that is put in front.
const GUARD: char = '\'';
/// Characters that begin a formula, including the full-width forms that some spreadsheets accept.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// The longest number that spreadsheets don't show and save in scientific notation, such as 1,23E+11.
const MAX_NUMBER_LEN: usize = 11;
/// Texts that spreadsheets read as true or false, in English and Polish.
const BOOLEANS: [&str; 4] = ["true", "false", "prawda", "fałsz"];
/// The abbreviations of months, in English, Polish and German.
const MONTHS: [&str; 26] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "sty", "lut", "kwi", "maj",
    "cze", "lip", "sie", "wrz", "paź", "lis", "gru", "mär", "okt", "dez",
];
/// The full names of months with more than four letters.
const FULL_MONTHS: [&str; 31] = [
    "january",
    "february",
    "march",
    "april",
    "august",
    "september",
    "october",
    "november",
    "december",
    "styczeń",
    "stycznia",
    "lutego",
    "marzec",
    "marca",
    "kwiecień",
    "kwietnia",
    "czerwiec",
    "czerwca",
    "lipiec",
    "lipca",
    "sierpień",
    "sierpnia",
    "wrzesień",
    "września",
    "październik",
    "października",
    "listopad",
    "listopada",
    "grudzień",
    "grudnia",
    "dezember",
];

/// The text as a cell that a spreadsheet does not change.
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    if needs_guard(text) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell that may be guarded. A cell without a guard is the text itself.
#[must_use]
pub fn unguard(cell: &str) -> &str {
    cell.strip_prefix(GUARD).filter(|text| needs_guard(text)).unwrap_or(cell)
}

/// Whether a spreadsheet would change a text, or the text looks like a guarded one.
fn needs_guard(text: &str) -> bool {
    is_changed_by_spreadsheets(text.trim_start_matches(GUARD))
}

/// Whether a spreadsheet would run a text, or might convert it to a number, a date or a truth value and save it in another form.
#[must_use]
pub fn is_changed_by_spreadsheets(text: &str) -> bool {
    let trimmed = text.trim();
    text.starts_with(FORMULA_STARTS) || looks_like_number(trimmed) || looks_like_date(trimmed) || is_boolean(trimmed)
}

/// Whether a text consists of digits and the signs of numbers, dates, times and amounts. A short whole number without leading
/// zeros is safe.
fn looks_like_number(text: &str) -> bool {
    let is_plain = text.len() <= MAX_NUMBER_LEN
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    let is_numeric = |text: &str| {
        text.contains(|character: char| character.is_ascii_digit())
            && text.chars().all(|character| {
                character.is_ascii_digit() || character.is_whitespace() || "+-.,:/%()$€£".contains(character)
            })
    };
    // Scientific notation: 12E3.
    let (mantissa, exponent) = text.split_once(['e', 'E', 'd', 'D']).unwrap_or((text, "0"));
    !is_plain && is_numeric(mantissa) && is_numeric(exponent)
}

/// Whether it is the name of a month with digits: SEPT2, 1 mar, May-05.
fn looks_like_date(text: &str) -> bool {
    if !text.contains(|character: char| character.is_ascii_digit()) {
        return false;
    }
    let is_figure = |character: char| character.is_ascii_digit() || character.is_whitespace();
    let between = |character: char| is_figure(character) || "-./,".contains(character);
    let mut words = text.split(between).filter(|word| !word.is_empty());
    match (words.next(), words.next()) {
        (Some(word), None) => is_month(&word.to_lowercase()),
        _ => false,
    }
}

fn is_month(word: &str) -> bool {
    let is_short = word.chars().count() <= 4;
    FULL_MONTHS.contains(&word) || (is_short && MONTHS.iter().any(|month| word.starts_with(month)))
}

fn is_boolean(text: &str) -> bool {
    // The length check avoids lowercasing longer texts.
    text.len() <= 7 && BOOLEANS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_a_spreadsheet_would_change_are_guarded() {
        for text in [
            "=1+1",
            "+48 600",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "＝1",
            "00123",
            "000",
            "123456789012",
            "1.10",
            "1,5",
            "12E3",
            "1e-5",
            "3/4",
            "2024-01-05",
            "12:30",
            "5%",
            "1 000",
            "SEPT2",
            "1 mar",
            "May-05",
            "paź 5",
            "5 października",
            "TRUE",
            "fałsz",
            " 007 ",
        ] {
            assert_eq!(guard(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn texts_that_a_spreadsheet_keeps_are_not_guarded() {
        for text in [
            "",
            "0",
            "123",
            "12345678901",
            "PL-10",
            "Łódź",
            "VIP 1",
            "Marketing 10",
            "A&B",
            "O'Neil",
            "'quoted'",
            "10th",
            "b2b",
        ] {
            assert_eq!(guard(text), text, "{text:?}");
        }
    }

    #[test]
    fn an_apostrophe_that_is_no_guard_is_part_of_the_text() {
        assert_eq!(unguard("'quoted'"), "'quoted'");
        assert_eq!(unguard("'007"), "007");
        assert_eq!(guard("'007"), "''007");
        assert_eq!(unguard("''007"), "'007");
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_unchanged(text in "\\PC{0,12}|'{0,3}[-=+@0-9eE.,/ \t]{0,8}|'{0,2}(sep|MAR|true)[0-9 ]{0,3}") {
            let cell = guard(&text);
            prop_assert_eq!(unguard(&cell), text.as_str());
            prop_assert!(!cell.starts_with(FORMULA_STARTS), "{}", cell);
        }
    }
}
