//! Rules about values that should be unique: external ids, and names among siblings.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::{Evidence, FindingCollector, Rule};
use crate::forest::folded;
use crate::printable::is_hidden;
use crate::segment::Segment;

/// Checks for shared external ids and for siblings with the same name.
pub(super) fn check(segments: &[Arc<Segment>], collector: &mut FindingCollector<'_>) {
    if collector.is_enabled(Rule::DuplicateExternalId) {
        let groups = groups_by_key(segments, |segment| segment.external_id.as_deref().filter(|text| !text.is_empty()));
        report_groups(groups, Rule::DuplicateExternalId, Evidence::SameExternalId, collector);
    }
    if collector.is_enabled(Rule::SameNameSiblings) {
        // Blank names are equal too, but have a rule of their own.
        let name = |segment: &Arc<Segment>| Some(normalized(&segment.name)).filter(|name| !name.is_empty());
        let groups = groups_by_key(segments, |segment| Some((segment.parent.as_ref(), name(segment)?)));
        report_groups(groups, Rule::SameNameSiblings, Evidence::SameName, collector);
    }
}

/// Returns the groups of two or more segments with the same key, each sorted by id.
fn groups_by_key<'a, Key: Eq + Hash>(
    segments: &'a [Arc<Segment>],
    key_of: impl Fn(&'a Arc<Segment>) -> Option<Key>,
) -> impl Iterator<Item = Arc<[Arc<Segment>]>> {
    let mut first_indices: HashMap<Key, usize> = HashMap::with_capacity(segments.len());
    // Most keys are unique, so a group is created only for the second segment.
    let mut groups: Vec<Vec<Arc<Segment>>> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (at, segment) in segments.iter().enumerate() {
        let Some(key) = key_of(segment) else { continue };
        let first = *first_indices.entry(key).or_insert(at);
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

fn report_groups(
    groups: impl Iterator<Item = Arc<[Arc<Segment>]>>,
    rule: Rule,
    evidence: impl Fn(Arc<[Arc<Segment>]>) -> Evidence,
    collector: &mut FindingCollector<'_>,
) {
    for group in groups {
        for segment in group.iter() {
            collector.add(rule, segment, evidence(Arc::clone(&group)));
        }
    }
}

/// Returns a name without case, accents, invisible characters and repeated spaces, to compare it.
fn normalized(name: &str) -> String {
    let visible: String = name.chars().filter(|character| !is_hidden(*character)).collect();
    let mut normalized = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !normalized.is_empty() {
            normalized.push(' ');
        }
        normalized.extend(folded(word));
    }
    normalized
}
