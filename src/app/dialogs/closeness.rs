//! [`Closeness`] ranks the lines of a list by how well they match the typed text. Exact matches come first in every list.

/// How well a line matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) enum Closeness {
    /// One of its texts equals the typed text.
    Exact,
    /// One of its texts starts with it.
    Prefix,
    /// One of its texts has a word that starts with it.
    WordPrefix,
    /// One of its texts contains it.
    Within,
    /// It matches in some other way.
    Fuzzy,
}

impl Closeness {
    /// Returns the closeness of the best match among some texts, ignoring case.
    pub fn of<'a>(typed: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let typed = typed.trim().to_lowercase();
        let closeness = |text: &str| {
            let text = text.to_lowercase();
            if text == typed {
                Self::Exact
            } else if text.starts_with(&typed) {
                Self::Prefix
            } else if text.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(&typed)) {
                Self::WordPrefix
            } else if text.contains(&typed) {
                Self::Within
            } else {
                Self::Fuzzy
            }
        };
        texts.into_iter().map(closeness).min().unwrap_or(Self::Fuzzy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_matches_rank_before_prefixes_before_substrings() {
        let of = |text: &str| Closeness::of("Ro", [text]);
        let mut texts = ["prod", "x y", "my-road", "rome", "ro"];
        texts.sort_by_key(|text| of(text));
        assert_eq!(texts, ["ro", "rome", "my-road", "prod", "x y"]);
        assert_eq!(Closeness::of("ro", ["prod", "RO"]), Closeness::Exact);
    }
}
