//! [`Closeness`]: how near a line of a list is to what was typed. What was typed exactly comes first in every list.

/// How near, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) enum Closeness {
    /// One of its texts is just that.
    Exact,
    /// One of its texts begins with it.
    Prefix,
    /// One of its texts has a word that begins with it.
    WordPrefix,
    /// It is in one of its texts.
    Within,
    /// It has what was typed in some other way.
    Fuzzy,
}

impl Closeness {
    /// How near what was typed is to the nearest of some texts. Capital letters make no difference.
    pub fn of<'a>(typed: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let typed = typed.trim().to_lowercase();
        let near = |text: &str| {
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
        texts.into_iter().map(near).min().unwrap_or(Self::Fuzzy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_comes_before_what_begins_with_it_and_that_before_what_contains_it() {
        let of = |text: &str| Closeness::of("Ro", [text]);
        let mut texts = ["prod", "x y", "my-road", "rome", "ro"];
        texts.sort_by_key(|text| of(text));
        assert_eq!(texts, ["ro", "rome", "my-road", "prod", "x y"]);
        assert_eq!(Closeness::of("ro", ["prod", "RO"]), Closeness::Exact);
    }
}
