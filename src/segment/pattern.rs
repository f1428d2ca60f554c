//! [`Pattern`]: which segments belong to another system, told by how their ids look.

use std::fmt;

use super::Segment;

/// The id of the root that the platform itself puts into every tenant.
const BUILT_IN_ID: &str = "segment";

/// Segments that are somebody else's: those whose id or external id looks like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    BuiltIn,
    Glob(Box<str>),
    /// Of the id alone.
    IdGlob(Box<str>),
    /// Of the external id alone.
    ExternalIdGlob(Box<str>),
}

impl Pattern {
    /// The root that the platform itself puts into every tenant.
    pub const BUILT_IN: Self = Self(Form::BuiltIn);

    /// Ids and external ids that look like the text, in which `*` stands for any characters, none included, and `?` for
    /// any one; upper and lower case differ. After `id:` or `id=` it is about ids only, after `ext:` or `ext=` about external ids only,
    /// as in references. `None` for an empty text: there is no empty id.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let after = |prefixes: [&str; 2]| prefixes.into_iter().find_map(|prefix| text.strip_prefix(prefix));
        let form = match (after(["id:", "id="]), after(["ext:", "ext="])) {
            (Some(glob), _) => Form::IdGlob(glob.into()),
            (_, Some(glob)) => Form::ExternalIdGlob(glob.into()),
            (None, None) => Form::Glob(text.into()),
        };
        let (Form::Glob(glob) | Form::IdGlob(glob) | Form::ExternalIdGlob(glob)) = &form else { return None };
        (!glob.is_empty()).then_some(Self(form))
    }

    /// Whether the segment is one of them.
    #[must_use]
    pub fn matches(&self, segment: &Segment) -> bool {
        let by_id = |glob: &str| segment.id.with_text(|id| looks_like(glob, id));
        let by_external_id = |glob: &str| segment.external_id.as_deref().is_some_and(|id| looks_like(glob, id));
        match &self.0 {
            Form::BuiltIn => segment.id.with_text(|id| id == BUILT_IN_ID),
            Form::Glob(glob) => by_id(glob) || by_external_id(glob),
            Form::IdGlob(glob) => by_id(glob),
            Form::ExternalIdGlob(glob) => by_external_id(glob),
        }
    }

    /// Whose the segments are, to go on from "owned by" with.
    #[must_use]
    pub fn owner(&self) -> String {
        match &self.0 {
            Form::BuiltIn => "the platform (built in)".into(),
            Form::Glob(_) | Form::IdGlob(_) | Form::ExternalIdGlob(_) => format!("another system (matches {self})"),
        }
    }
}

/// As in a configuration file.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::BuiltIn => f.pad("built in"),
            Form::Glob(glob) => f.pad(glob),
            Form::IdGlob(glob) => f.pad(&format!("id:{glob}")),
            Form::ExternalIdGlob(glob) => f.pad(&format!("ext:{glob}")),
        }
    }
}

/// Where the text does not fit what follows a `*`, that one takes a character more. Only the last one ever has to: what the
/// stars before it left over is all the more room for it. So the time is the product of both lengths at worst.
fn looks_like(glob: &str, text: &str) -> bool {
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
            assert!(looks_like(glob, text), "{glob} {text}");
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
            assert!(!looks_like(glob, text), "{glob} {text}");
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
    fn many_stars_take_no_time() {
        assert!(!looks_like(&"*a".repeat(50), &format!("{}b", "a".repeat(5_000))));
    }

    #[test]
    fn the_id_and_the_external_id_tell_the_owner_and_the_name_does_not() {
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

    /// What [`looks_like`] means, told as slowly as it can be.
    fn meant(glob: &[char], text: &[char]) -> bool {
        match (glob, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| meant(rest, &text[taken..])),
            (['?', glob @ ..], [_, text @ ..]) => meant(glob, text),
            ([wanted, glob @ ..], [found, text @ ..]) => wanted == found && meant(glob, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_quick_answer_is_the_right_one(glob in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (slow_glob, slow_text): (Vec<_>, Vec<_>) = (glob.chars().collect(), text.chars().collect());
            prop_assert_eq!(looks_like(&glob, &text), meant(&slow_glob, &slow_text));
        }
    }
}
