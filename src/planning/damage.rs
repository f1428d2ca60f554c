//! Recognises what spreadsheets do to external ids: leading zeros dropped, long numbers rounded, fractions added.

use hashbrown::HashMap;

use super::Problem;

/// Known external ids, indexed by their value without leading zeros.
pub(super) struct KnownIds<'a> {
    by_normalized: HashMap<&'a str, &'a str>,
}

impl<'a> KnownIds<'a> {
    pub fn of(known: impl Iterator<Item = &'a str>) -> Self {
        let mut by_normalized: HashMap<&str, &str> = HashMap::new();
        for external_id in known {
            // Of several, always the same one.
            let chosen = by_normalized.entry(without_leading_zeros(external_id)).or_insert(external_id);
            *chosen = (*chosen).min(external_id);
        }
        Self { by_normalized }
    }

    /// What is wrong with an external id that is not a known one.
    pub fn damage(&self, found: &str) -> Option<Problem> {
        let damaged = |text: &str, how: &'static str| {
            let known = *self.by_normalized.get(without_leading_zeros(text))?;
            Some(Problem::DamagedId { found: found.to_owned(), known: known.to_owned(), how })
        };
        if is_rounded(found) {
            return Some(Problem::RoundedId(found.to_owned()));
        }
        if let Some(rest) = found.strip_prefix(['\'', '=']) {
            return damaged(rest.trim_matches('"'), "with a sign of a spreadsheet before it");
        }
        let whole = found
            .split_once(['.', ','])
            .filter(|(_, zeros)| !zeros.is_empty() && zeros.bytes().all(|zero| zero == b'0'));
        if let Some((whole, _)) = whole.filter(|(whole, _)| is_number(whole)) {
            return damaged(whole, "as a number with a fraction");
        }
        damaged(found, "with more or fewer zeros in front").filter(|_| is_number(found))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// A number without leading zeros; any other text unchanged.
fn without_leading_zeros(text: &str) -> &str {
    if !is_number(text) {
        return text;
    }
    let stripped = text.trim_start_matches('0');
    if stripped.is_empty() { "0" } else { stripped }
}

/// Whether it is a number in scientific notation, such as `1,23E+05`.
pub(super) fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let Some(digits) = exponent.strip_prefix(['+', '-']) else { return false };
    let fraction = mantissa.split_once(['.', ',']).map_or((mantissa, "0"), |parts| parts);
    is_number(digits) && is_number(fraction.0) && is_number(fraction.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_damaged_by_a_spreadsheet_is_recognised() {
        let known = KnownIds::of(["007", "PL-10", "123456", "0"].into_iter());
        for (found, meant) in [
            ("7", "007"),
            ("0007", "007"),
            ("7.0", "007"),
            ("123456,00", "123456"),
            ("'007", "007"),
            ("=\"007\"", "007"),
            ("00", "0"),
            ("'PL-10", "PL-10"),
        ] {
            let Some(Problem::DamagedId { known, .. }) = known.damage(found) else { panic!("{found}") };
            assert_eq!(known, meant, "{found}");
        }
        for rounded in ["1,23E+05", "1.23456E+11", "9E-7"] {
            assert_eq!(known.damage(rounded), Some(Problem::RoundedId(rounded.into())));
        }
        for other in ["8", "PL-1", "8.0", "7.5", "E+5", "PL-10.0", "'x", "1E5", "VIP.0", "a0"] {
            assert_eq!(known.damage(other), None, "{other}");
        }
    }
}
