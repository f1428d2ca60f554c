//! Texts without case and diacritics, for finding: `Łódź` and `lodz` are the same.

use nucleo_matcher::chars;

/// A text, folded: two texts that a search takes for the same are the same.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(fold)
}

/// One character, folded. It may become two (`ß`) or none (a combining accent).
pub(super) fn fold(character: char) -> impl Iterator<Item = char> + Clone {
    let (first, second) = match character {
        'A'..='Z' => (Some(character.to_ascii_lowercase()), None),
        _ if character.is_ascii() => (Some(character), None),
        '\u{300}'..='\u{36f}' => (None, None),
        'ß' | 'ẞ' => (Some('s'), Some('s')),
        'æ' | 'Æ' | 'ǽ' | 'Ǽ' => (Some('a'), Some('e')),
        'œ' | 'Œ' => (Some('o'), Some('e')),
        'þ' | 'Þ' => (Some('t'), Some('h')),
        'ł' | 'Ł' => (Some('l'), None),
        'ø' | 'Ø' | 'ǿ' | 'Ǿ' => (Some('o'), None),
        'đ' | 'Đ' | 'ð' | 'Ð' => (Some('d'), None),
        'ı' | 'İ' => (Some('i'), None),
        _ => (Some(chars::normalize(chars::to_lower_case(character))), None),
    };
    first.into_iter().chain(second)
}

/// Whether case makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Ignored,
    Kept,
}

/// One character without its diacritics, and without its case where that makes no difference.
pub(super) fn spelt(character: char, case: Case) -> impl Iterator<Item = char> + Clone {
    let capital = case == Case::Kept && character.is_uppercase();
    fold(character).map(move |plain| if capital { plain.to_uppercase().next().unwrap_or(plain) } else { plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.chars().flat_map(fold).collect()
    }

    #[test]
    fn diacritics_and_case_make_no_difference() {
        assert_eq!(plain("Łódź"), "lodz");
        assert_eq!(plain("ŻÓŁĆ zażółć gęślą jaźń"), "zolc zazolc gesla jazn");
        assert_eq!(plain("Großhandel Österreich"), "grosshandel osterreich");
        assert_eq!(plain("Æblehøj"), "aeblehoj");
        assert_eq!(plain("Č\u{30c}eský Türkiye İstanbul"), "cesky turkiye istanbul");
    }

    #[test]
    fn case_can_be_kept_where_diacritics_are_not() {
        let spelt: String = "Łódź GROẞ Ωμ".chars().flat_map(|character| spelt(character, Case::Kept)).collect();
        assert_eq!(spelt, "Lodz GROSS Ωμ");
    }

    #[test]
    fn an_accent_of_its_own_is_as_good_as_a_joined_one() {
        assert_eq!(plain("Lo\u{301}dz\u{301}"), plain("Łódź"));
    }

    #[test]
    fn other_scripts_stay_as_they_are_but_for_their_case() {
        assert_eq!(plain("日本"), "日本");
        assert_eq!(plain("ΕΛΛΑΔΑ"), "ελλαδα");
    }
}
