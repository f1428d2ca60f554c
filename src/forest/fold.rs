//! Text without case and diacritics, for searching: `Łódź` and `lodz` are equal.

use nucleo_matcher::chars;

/// Folds a text: texts that a search treats as equal are equal.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(fold)
}

/// Folds a character. The result can be two characters (`ß`) or none (a combining accent).
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

/// Whether case matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Insensitive,
    Sensitive,
}

/// Removes the diacritics of a character, and its case if that doesn't matter.
pub(super) fn without_diacritics(character: char, case: Case) -> impl Iterator<Item = char> + Clone {
    let capital = case == Case::Sensitive && character.is_uppercase();
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
    fn case_can_be_kept_while_diacritics_are_removed() {
        let spelt: String =
            "Łódź GROẞ Ωμ".chars().flat_map(|character| without_diacritics(character, Case::Sensitive)).collect();
        assert_eq!(spelt, "Lodz GROSS Ωμ");
    }

    #[test]
    fn a_combining_accent_equals_a_precomposed_one() {
        assert_eq!(plain("Lo\u{301}dz\u{301}"), plain("Łódź"));
    }

    #[test]
    fn other_scripts_only_lose_their_case() {
        assert_eq!(plain("日本"), "日本");
        assert_eq!(plain("ΕΛΛΑΔΑ"), "ελλαδα");
    }
}
