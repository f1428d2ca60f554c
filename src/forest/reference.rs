//! References: texts that name one segment, as `id=…`, `ext=…`, a path of names, or a word that is an id or an external id.
//!
//! Nothing is guessed: a reference that matches no segment, or several, is an error. Near matches are only listed as hints.

use std::fmt;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use super::Forest;
use super::arena::NodeIndex;
use super::fold;

/// A text that names one segment.
///
/// ```
/// use segtui::forest::Reference;
///
/// assert_eq!(Reference::parse("ext=PL-10"), Ok(Reference::ExternalId("PL-10".into())));
/// assert_eq!(Reference::parse("/Polska/A//B"), Ok(Reference::Path("/Polska/A//B".into())));
/// assert!(Reference::parse("id=").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `id=…`: exactly that ID.
    Id(SegmentId),
    /// `ext=…`: exactly that external ID.
    ExternalId(String),
    /// `/Path/To/It`: the names from the top, with a `/` in a name written as `//`.
    Path(String),
    /// Anything else: exactly that ID, or else exactly that external ID.
    Word(String),
}

/// Why a text can't be a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFault {
    /// The text is empty.
    #[error("the reference is empty")]
    Empty,
    /// `id=` or `ext=` alone.
    #[error("nothing follows `{0}` in the reference")]
    NothingFollows(&'static str),
    /// A path without names.
    #[error("the path names no segment")]
    EmptyPath,
}

impl Reference {
    /// Parses a reference. `:` can be used for `=`.
    ///
    /// # Errors
    ///
    /// A text that can't be a reference.
    pub fn parse(text: &str) -> Result<Self, ReferenceFault> {
        if let Some(id) = text.strip_prefix("id=").or_else(|| text.strip_prefix("id:")) {
            return SegmentId::new(id).map(Self::Id).ok_or(ReferenceFault::NothingFollows("id="));
        }
        match text.strip_prefix("ext=").or_else(|| text.strip_prefix("ext:")) {
            Some("") => return Err(ReferenceFault::NothingFollows("ext=")),
            Some(external_id) => return Ok(Self::ExternalId(external_id.into())),
            None => {}
        }
        match text {
            "" => Err(ReferenceFault::Empty),
            "/" => Err(ReferenceFault::EmptyPath),
            path if path.starts_with('/') => Ok(Self::Path(path.into())),
            word => Ok(Self::Word(word.into())),
        }
    }
}

/// Displays the reference in the form that is parsed.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id={id}"),
            Self::ExternalId(external_id) => write!(f, "ext={external_id}"),
            Self::Path(text) | Self::Word(text) => f.write_str(text),
        }
    }
}

/// Why a reference does not resolve to one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// It matches no segment.
    NotFound {
        /// A few segments whose name, path, id or external id differs only in case and diacritics, in tree order.
        near: Vec<SegmentId>,
    },
    /// It matches several segments.
    Ambiguous {
        /// All of them, in tree order.
        candidates: Vec<SegmentId>,
    },
}

/// Maximum number of near matches.
const MAX_NEAR: usize = 5;
/// Deeper segments have no path text: in a chain, most of the output would be paths.
const MAX_PATH_DEPTH: usize = 200;

/// Returns the text of a path of names.
#[must_use]
pub fn path_text<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(path_step).collect()
}

fn path_step(name: &str) -> String {
    format!("/{}", name.replace('/', "//"))
}

/// Splits a path into names. Each run of slashes is read from the left: two are a slash in a name, one ends the name.
///
/// It is the inverse of [`path_text`], except for names that are empty or start with a slash. So look up a path with
/// [`Forest::resolve`] rather than splitting it.
#[must_use]
pub fn path_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut characters = text.strip_prefix('/').unwrap_or(text).chars().peekable();
    let mut name = String::new();
    while let Some(character) = characters.next() {
        match character {
            '/' if characters.next_if_eq(&'/').is_some() => name.push('/'),
            '/' => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}

impl Forest {
    /// Returns the one segment that a reference names.
    ///
    /// # Errors
    ///
    /// It names no segment, or several.
    pub fn resolve(&self, reference: &Reference) -> Result<&Arc<Segment>, Unresolved> {
        let found = match reference {
            Reference::Id(id) => self.get(id).into_iter().collect(),
            Reference::ExternalId(external_id) => self.with_external_id(external_id).collect(),
            Reference::Path(path) => self.at_path(path, str::to_owned),
            Reference::Word(word) => match SegmentId::new(word).and_then(|id| self.get(&id)) {
                Some(segment) => vec![segment],
                None => self.with_external_id(word).collect(),
            },
        };
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(Unresolved::NotFound { near: self.near(reference) }),
            several => {
                let in_order = self.in_order(several.iter().map(|segment| &segment.id));
                Err(Unresolved::Ambiguous { candidates: in_order.into_iter().map(|found| found.id.clone()).collect() })
            }
        }
    }

    /// Returns the path of a segment in the form of [`Reference::Path`]; `None` if it does not exist or is very deep. A missing
    /// parent has no name, so the path of an orphan starts with its own.
    #[must_use]
    pub fn path_text(&self, id: &SegmentId) -> Option<String> {
        let segment = self.get(id)?;
        let mut names = vec![segment.name.as_str()];
        for above in self.ancestors(id) {
            names.push(&above.name);
            if names.len() > MAX_PATH_DEPTH {
                return None;
            }
        }
        Some(path_text(names.into_iter().rev()))
    }

    /// Whether an id is that of a missing parent.
    #[must_use]
    pub fn is_missing_parent(&self, id: &SegmentId) -> bool {
        !self.contains(id) && self.child_count(id) > 0
    }

    /// Returns the segments with a path text, with names spelt by `normalize`. Only the children of segments on the path are
    /// visited. Names that start or end with slashes can give several segments the same path text; all of them are returned.
    fn at_path(&self, path: &str, normalize: fn(&str) -> String) -> Vec<&Arc<Segment>> {
        let mut found = Vec::new();
        let mut stack: Vec<(NodeIndex, &str)> = self.topmost().map(|node| (node, path)).collect();
        while let Some((node, text)) = stack.pop() {
            let Some(segment) = self.arena.segment(node) else { continue };
            match text.strip_prefix(path_step(&normalize(&segment.name)).as_str()) {
                Some("") => found.push(segment),
                Some(rest) if rest.starts_with('/') => {
                    stack.extend(self.arena.children(node).map(|child| (child, rest)));
                }
                _ => {}
            }
        }
        found
    }

    /// The segments that a path can start with: roots, orphans, and those where a cycle was cut.
    fn topmost(&self) -> impl Iterator<Item = NodeIndex> {
        let orphans = self.arena.children(NodeIndex::MISSING).flat_map(|missing| self.arena.children(missing));
        self.arena.children(NodeIndex::TOP).chain(orphans).chain(self.arena.children(NodeIndex::CIRCLES))
    }

    fn near(&self, reference: &Reference) -> Vec<SegmentId> {
        let text = match reference {
            Reference::Id(id) => id.to_string(),
            Reference::ExternalId(text) | Reference::Word(text) => text.clone(),
            Reference::Path(path) => {
                let near = self.at_path(&folded(path), folded);
                if !near.is_empty() {
                    let near = self.in_order(near.into_iter().map(|segment| &segment.id));
                    return near.into_iter().take(MAX_NEAR).map(|segment| segment.id.clone()).collect();
                }
                path_names(path).pop().unwrap_or_default()
            }
        };
        let wanted = folded(&text);
        let is_near = |segment: &Segment| {
            let external_id = segment.external_id.as_deref();
            folded(&segment.name) == wanted
                || external_id.is_some_and(|external_id| folded(external_id) == wanted)
                || segment.id.with_text(|id| folded(id) == wanted)
        };
        let near = self.preorder().map(|(_, segment)| segment).filter(|segment| is_near(segment));
        near.take(MAX_NEAR).map(|segment| segment.id.clone()).collect()
    }
}

fn folded(text: &str) -> String {
    fold::folded(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn forest(segments: &[[&str; 4]]) -> Forest {
        let segment = |[id, name, external_id, parent]: &[&str; 4]| {
            let external_id = Some(*external_id).filter(|text| !text.is_empty()).map(Into::into);
            let parent = SegmentId::new(parent);
            Arc::new(Segment { id: SegmentId::new(id).unwrap(), name: (*name).into(), external_id, parent })
        };
        segments.iter().map(segment).collect()
    }

    fn sample() -> Forest {
        forest(&[
            ["pl", "Polska", "PL", ""],
            ["lodz", "Łódź", "PL-10", "pl"],
            ["a-b", "A/B", "", "pl"],
            ["twin-1", "Twin", "TWIN", "lodz"],
            ["twin-2", "Twin", "TWIN", "lodz"],
            ["PL-10", "Misleading", "other", ""],
            ["orphan", "Orphan", "", "gone"],
            ["c1", "Egg", "", "c2"],
            ["c2", "Chicken", "", "c1"],
        ])
    }

    fn resolved(forest: &Forest, text: &str) -> Result<String, Unresolved> {
        forest.resolve(&Reference::parse(text).unwrap()).map(|segment| segment.id.to_string())
    }

    #[test]
    fn a_segment_is_named_by_id_external_id_path_or_a_word() {
        let forest = sample();
        for (text, id) in [
            ("id=lodz", "lodz"),
            ("id:lodz", "lodz"),
            ("ext=PL-10", "lodz"),
            ("ext:PL-10", "lodz"),
            ("PL-10", "PL-10"),
            ("PL", "pl"),
            ("/Polska", "pl"),
            ("/Polska/Łódź", "lodz"),
            ("/Polska/A//B", "a-b"),
            ("/Orphan", "orphan"),
            ("/Egg/Chicken", "c2"),
        ] {
            assert_eq!(resolved(&forest, text).as_deref(), Ok(id), "{text}");
        }
    }

    #[test]
    fn an_ambiguous_reference_lists_all_candidates() {
        let forest = sample();
        for text in ["TWIN", "ext=TWIN", "/Polska/Łódź/Twin"] {
            let Err(Unresolved::Ambiguous { candidates }) = resolved(&forest, text) else { unreachable!("{text}") };
            assert_eq!(candidates.iter().map(ToString::to_string).collect::<Vec<_>>(), ["twin-1", "twin-2"], "{text}");
        }
    }

    #[test]
    fn an_unknown_reference_lists_near_matches() {
        let forest = sample();
        for (text, expected) in [
            ("/polska/lodz", vec!["lodz"]),
            ("/Nowhere/egg", vec!["c1"]),
            ("LODZ", vec!["lodz"]),
            ("ext=pl", vec!["pl"]),
            ("polska", vec!["pl"]),
            ("twin", vec!["twin-1", "twin-2"]),
            ("/Polska/", vec![]),
            ("Polska ", vec![]),
            ("x", vec![]),
        ] {
            let Err(Unresolved::NotFound { near }) = resolved(&forest, text) else { unreachable!("{text}") };
            assert_eq!(near.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn an_empty_reference_is_refused() {
        assert_eq!(Reference::parse(""), Err(ReferenceFault::Empty));
        assert_eq!(Reference::parse("/"), Err(ReferenceFault::EmptyPath));
        assert_eq!(Reference::parse("ext:"), Err(ReferenceFault::NothingFollows("ext=")));
        assert_eq!(Reference::parse("id="), Err(ReferenceFault::NothingFollows("id=")));
    }

    #[test]
    fn names_with_slashes_at_their_ends_can_be_ambiguous() {
        let forest = forest(&[["a", "a", "", ""], ["b", "/b", "", "a"], ["a/", "a/", "", ""], ["c", "b", "", "a/"]]);
        assert_eq!(forest.path_text(&SegmentId::new("b").unwrap()), forest.path_text(&SegmentId::new("c").unwrap()));
        assert!(
            matches!(resolved(&forest, "/a///b"), Err(Unresolved::Ambiguous { candidates }) if candidates.len() == 2)
        );
    }

    #[test]
    fn a_deep_chain_resolves_but_has_no_path_text() {
        let ids: Vec<String> = (0..20_000).map(|at| format!("s{at}")).collect();
        let parents = std::iter::once("").chain(ids.iter().map(String::as_str));
        let rows: Vec<[&str; 4]> = ids.iter().zip(parents).map(|(id, parent)| [id, "x", "", parent]).collect();
        let forest = forest(&rows);
        let path = "/x".repeat(MAX_PATH_DEPTH);
        assert_eq!(resolved(&forest, &path), Ok(format!("s{}", MAX_PATH_DEPTH - 1)));
        let id = |at: usize| SegmentId::new(&ids[at]).unwrap();
        assert_eq!(forest.path_text(&id(MAX_PATH_DEPTH - 1)), Some(path));
        assert_eq!(forest.path_text(&id(MAX_PATH_DEPTH)), None);
        assert_eq!(resolved(&forest, &"/x".repeat(20_000)), Ok("s19999".into()));
    }

    proptest! {
        #[test]
        fn a_path_splits_into_its_names(names in prop::collection::vec("[a-z ]([a-z/ ]{0,4})", 1..4)) {
            let text = path_text(names.iter().map(String::as_str));
            prop_assert_eq!(path_names(&text), names);
        }

        #[test]
        fn every_path_leads_to_its_segment(names in prop::collection::vec(("[ab/]{0,3}", 0_usize..8), 1..12)) {
            let ids: Vec<String> = (0..names.len()).map(|at| format!("s{at}")).collect();
            let parent = |at: usize, choice: usize| choice.checked_sub(1).filter(|parent| *parent < at).map_or("", |parent| &ids[parent]);
            let rows: Vec<[&str; 4]> =
                names.iter().enumerate().map(|(at, (name, choice))| [ids[at].as_str(), name, "", parent(at, *choice)]).collect();
            let forest = forest(&rows);
            for id in &ids {
                let id = SegmentId::new(id).unwrap();
                let path = forest.path_text(&id).unwrap();
                let Ok(reference) = Reference::parse(&path) else {
                    prop_assert_eq!(path, "/");
                    continue;
                };
                match forest.resolve(&reference) {
                    Ok(segment) => prop_assert_eq!(&segment.id, &id),
                    Err(Unresolved::Ambiguous { candidates }) => prop_assert!(candidates.contains(&id)),
                    Err(other) => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
