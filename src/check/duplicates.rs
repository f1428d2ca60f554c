//! Rules about values that should be unique: external ids, and names among siblings.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::{Evidence, Found, Rule};
use crate::forest::folded;
use crate::printable::is_hidden;
use crate::segment::Segment;

/// Checks for shared external ids and for siblings with the same name.
pub(super) fn check(segments: &[Arc<Segment>], found: &mut Found<'_>) {
    if found.wants(Rule::DuplicateExternalId) {
        let groups = several(segments, |segment| segment.external_id.as_deref().filter(|text| !text.is_empty()));
        report(groups, Rule::DuplicateExternalId, Evidence::SameExternalId, found);
    }
    if found.wants(Rule::SameNameSiblings) {
        // Blank names are equal too, but have a rule of their own.
        let name = |segment: &Arc<Segment>| Some(plain(&segment.name)).filter(|name| !name.is_empty());
        let groups = several(segments, |segment| Some((segment.parent.as_ref(), name(segment)?)));
        report(groups, Rule::SameNameSiblings, Evidence::SameName, found);
    }
}

/// Returns the groups of two or more segments with the same key, each sorted by id.
fn several<'a, Same: Eq + Hash>(
    segments: &'a [Arc<Segment>],
    what: impl Fn(&'a Arc<Segment>) -> Option<Same>,
) -> impl Iterator<Item = Arc<[Arc<Segment>]>> {
    let mut places: HashMap<Same, usize> = HashMap::with_capacity(segments.len());
    // Most keys are unique, so a group is created only for the second segment.
    let mut groups: Vec<Vec<Arc<Segment>>> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (at, segment) in segments.iter().enumerate() {
        let Some(same) = what(segment) else { continue };
        let first = *places.entry(same).or_insert(at);
        if first == at {
            continue;
        }
        let group = *group_of.entry(first).or_insert_with(|| {
            groups.push(vec![Arc::clone(&segments[first])]);
            groups.len() - 1
        });
        groups[group].push(Arc::clone(segment));
    }
    groups.into_iter().map(|mut group| {
        group.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        group.into()
    })
}

fn report(
    groups: impl Iterator<Item = Arc<[Arc<Segment>]>>,
    rule: Rule,
    evidence: impl Fn(Arc<[Arc<Segment>]>) -> Evidence,
    found: &mut Found<'_>,
) {
    for group in groups {
        for segment in group.iter() {
            found.add(rule, segment, evidence(Arc::clone(&group)));
        }
    }
}

/// Returns a name without case, accents, invisible characters and repeated spaces, to compare it.
fn plain(name: &str) -> String {
    let visible: String = name.chars().filter(|character| !is_hidden(*character)).collect();
    let mut plain = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.extend(folded(word));
    }
    plain
}
