//! [`Pattern`]: selects segments managed by another system, by their ids.

use std::fmt;

use super::Segment;

/// Id of the root that the platform creates in every tenant.
const BUILT_IN_ID: &str = "segment";

/// Matches segments managed by another system by id or external id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(PatternKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternKind {
    BuiltIn,
    Glob(Box<str>),
    /// Matches the id only.
    IdGlob(Box<str>),
    /// Matches the external id only.
    ExternalIdGlob(Box<str>),
}

impl Pattern {
    /// Matches the root that the platform creates in every tenant.
    pub const BUILT_IN: Self = Self(PatternKind::BuiltIn);

    /// Parses a pattern for ids and external ids, in which `*` stands for any number of characters and `?` for exactly one;
    /// case-sensitive. With the prefix `id:` or `id=` it matches ids only, with `ext:` or `ext=` external ids only, as in
    /// references. `None` if the pattern is empty: there are no empty ids.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let after = |prefixes: [&str; 2]| prefixes.into_iter().find_map(|prefix| text.strip_prefix(prefix));
        let kind = match (after(["id:", "id="]), after(["ext:", "ext="])) {
            (Some(glob), _) => PatternKind::IdGlob(glob.into()),
            (_, Some(glob)) => PatternKind::ExternalIdGlob(glob.into()),
            (None, None) => PatternKind::Glob(text.into()),
        };
        let (PatternKind::Glob(glob) | PatternKind::IdGlob(glob) | PatternKind::ExternalIdGlob(glob)) = &kind else {
            return None;
        };
        (!glob.is_empty()).then_some(Self(kind))
    }

    /// Whether the pattern matches a segment.
    #[must_use]
    pub fn matches(&self, segment: &Segment) -> bool {
        let by_id = |glob: &str| segment.id.with_text(|id| glob_matches(glob, id));
        let by_external_id = |glob: &str| segment.external_id.as_deref().is_some_and(|id| glob_matches(glob, id));
        match &self.0 {
            PatternKind::BuiltIn => segment.id.with_text(|id| id == BUILT_IN_ID),
            PatternKind::Glob(glob) => by_id(glob) || by_external_id(glob),
            PatternKind::IdGlob(glob) => by_id(glob),
            PatternKind::ExternalIdGlob(glob) => by_external_id(glob),
        }
    }

    /// Returns who manages the segments, to follow the words "owned by".
    #[must_use]
    pub fn owner(&self) -> String {
        match &self.0 {
            PatternKind::BuiltIn => "the platform (built in)".into(),
            PatternKind::Glob(_) | PatternKind::IdGlob(_) | PatternKind::ExternalIdGlob(_) => {
                format!("another system (matches {self})")
            }
        }
    }
}

/// Formats the pattern as in a configuration file.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PatternKind::BuiltIn => f.pad("built in"),
            PatternKind::Glob(glob) => f.pad(glob),
            PatternKind::IdGlob(glob) => f.pad(&format!("id:{glob}")),
            PatternKind::ExternalIdGlob(glob) => f.pad(&format!("ext:{glob}")),
        }
    }
}

/// Matches a text against a glob. At a mismatch, the last `*` takes one more character; earlier ones never have to, since the
/// last one can take everything that they could. So the time is at worst the product of both lengths.
fn glob_matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    let mut last_star = None;
    loop {
        let here = text.clone();
        match (glob.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = here.clone();
                last_star = Some((glob.clone(), here));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => {
                let Some((after, taken)) = &mut last_star else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (glob, text) = (after.clone(), taken.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::segment::SegmentId;

    fn segment(id: &str, external_id: Option<&str>) -> Segment {
        let id = SegmentId::new(id).unwrap();
        Segment { id, name: "ERP-1".into(), external_id: external_id.map(Into::into), parent: None }
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_any_one_character() {
        for (glob, text) in [
            ("ERP-*", "ERP-1"),
            ("ERP-*", "ERP-"),
            ("segment-1?", "segment-12"),
            ("?", "Ł"),
            ("*", ""),
            ("**", "a"),
            ("*a*b", "xaxbxb"),
            ("*aab", "aaab"),
            ("a*", "a*"),
        ] {
            assert!(glob_matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [
            ("ERP-*", "erp-1"),
            ("ERP-*", "X-ERP-1"),
            ("segment-1?", "segment-1"),
            ("segment-1?", "segment-123"),
            ("?", ""),
            ("*a*b", "xbxa"),
            ("a", "ab"),
            ("ab", "a"),
        ] {
            assert!(!glob_matches(glob, text), "{glob} {text}");
        }
    }

    #[test]
    fn a_prefix_says_which_of_the_two_ids_is_meant() {
        let segment = segment("A1", Some("E1"));
        for (text, matches) in
            [("ext:E*", true), ("ext=E*", true), ("ext:A*", false), ("id:A*", true), ("id:E*", false), ("E*", true)]
        {
            assert_eq!(Pattern::new(text).unwrap().matches(&segment), matches, "{text}");
        }
        assert_eq!(Pattern::new("ext:"), None);
        assert_eq!(Pattern::new("ext=E*").unwrap().to_string(), "ext:E*");
    }

    #[test]
    fn many_stars_are_matched_quickly() {
        assert!(!glob_matches(&"*a".repeat(50), &format!("{}b", "a".repeat(5_000))));
    }

    #[test]
    fn a_pattern_matches_ids_but_not_names() {
        let erp = Pattern::new("ERP-*").unwrap();
        assert!(erp.matches(&segment("ERP-7", None)));
        assert!(erp.matches(&segment("7", Some("ERP-7"))));
        assert!(!erp.matches(&segment("7", Some("PL-7"))));
        assert!(!erp.matches(&segment("7", None)));
        let uuid = Pattern::new("ab9e32db-*").unwrap();
        assert!(uuid.matches(&segment("ab9e32db-48a1-47b3-9fda-975b9ed8a9d6", None)));
    }

    #[test]
    fn only_the_root_of_that_id_is_built_in() {
        assert!(Pattern::BUILT_IN.matches(&segment("segment", None)));
        assert!(!Pattern::BUILT_IN.matches(&segment("vip", Some("segment"))));
        assert_eq!(Pattern::BUILT_IN.to_string(), "built in");
    }

    #[test]
    fn an_empty_text_is_no_pattern() {
        assert_eq!(Pattern::new(""), None);
    }

    /// A naive implementation of [`glob_matches`].
    fn reference_matches(glob: &[char], text: &[char]) -> bool {
        match (glob, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| reference_matches(rest, &text[taken..])),
            (['?', glob @ ..], [_, text @ ..]) => reference_matches(glob, text),
            ([wanted, glob @ ..], [found, text @ ..]) => wanted == found && reference_matches(glob, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn fast_matching_agrees_with_the_naive_one(glob in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (slow_glob, slow_text): (Vec<_>, Vec<_>) = (glob.chars().collect(), text.chars().collect());
            prop_assert_eq!(glob_matches(&glob, &text), reference_matches(&slow_glob, &slow_text));
        }
    }
}
