//! Confirmation before sending: the more damage operations could do, the more the user has to type.

use std::collections::HashSet;
use std::sync::Arc;

use crate::forest::Forest;
use crate::segment::{Pattern, Segment, SegmentId};

use super::model::{OpId, Operation, PlanId};

/// The safeguards of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Safeguards<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// Whether any change needs the tenant typed as a phrase, as on a production tenant.
    pub protected: bool,
    /// Patterns of segments that other systems manage, besides the built-in one.
    pub owned: &'a [Pattern],
}

impl<'a> Safeguards<'a> {
    /// Returns the pattern by which another system manages a segment, `None` if there is none. The built-in pattern always
    /// applies.
    #[must_use]
    pub fn owner_of(&self, segment: &Segment) -> Option<&'a Pattern> {
        [&Pattern::BUILT_IN].into_iter().chain(self.owned).find(|pattern| pattern.matches(segment))
    }
}

/// The phrases to type before something is sent, one after the other. Without any, a key press is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    phrases: Vec<TypedPhrase>,
    confirmed_count: usize,
}

/// A confirmation phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedPhrase {
    /// The tenant, because its profile is protected or because many segments are concerned.
    Tenant(String),
    /// The name of the only managed segment.
    Name {
        /// The name, or the id if the name is blank.
        name: String,
        /// The system that manages it.
        owner: String,
    },
    /// The number of managed segments, if there are several.
    Count(usize),
}

/// More segments than this need a phrase.
const MAX_WITHOUT_PHRASE: usize = 50;

impl TypedPhrase {
    /// Returns the text to type.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Tenant(text) | Self::Name { name: text, .. } => text.trim().to_owned(),
            Self::Count(count) => count.to_string(),
        }
    }
}

impl Confirmation {
    /// Returns the next phrase to type, `None` if a key press is enough.
    #[must_use]
    pub fn next(&self) -> Option<&TypedPhrase> {
        self.phrases.get(self.confirmed_count)
    }

    /// Returns the number of the next phrase, from 1, and how many there are; `None` for less than two.
    #[must_use]
    pub const fn progress(&self) -> Option<(usize, usize)> {
        if self.phrases.len() > 1 { Some((self.confirmed_count + 1, self.phrases.len())) } else { None }
    }

    /// Whether the next phrase is the last one.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.confirmed_count + 1 >= self.phrases.len()
    }

    /// Compares what was typed with the next phrase, and goes on to the one after it if they match. Returns whether they do.
    pub fn submit_phrase(&mut self, typed: &str) -> bool {
        let matches = self.next().is_none_or(|phrase| phrase.text() == typed.trim());
        self.confirmed_count += usize::from(matches);
        matches
    }
}

/// Returns the phrases to type before operations are sent.
#[must_use]
pub fn confirmation(safeguards: &Safeguards<'_>, forest: &Forest, operations: &[&Operation]) -> Confirmation {
    let concerned: usize = operations.len() + left_to_the_server(forest, operations);
    let mut phrases = Vec::new();
    if safeguards.protected || concerned > MAX_WITHOUT_PHRASE {
        phrases.push(TypedPhrase::Tenant(safeguards.tenant.to_owned()));
    }
    match managed(safeguards, forest, operations).as_slice() {
        [] => {}
        [(segment, pattern)] => phrases.push(TypedPhrase::Name { name: display_name(segment), owner: pattern.owner() }),
        several => phrases.push(TypedPhrase::Count(several.len())),
    }
    Confirmation { phrases, confirmed_count: 0 }
}

fn display_name(segment: &Segment) -> String {
    if segment.has_blank_name() { segment.id.to_string() } else { segment.name.to_string() }
}

/// Returns the number of descendants of deleted segments that are left to the server, which may delete them too.
#[must_use]
pub fn left_to_the_server(forest: &Forest, operations: &[&Operation]) -> usize {
    children_left(operations).map(|child| usize::from(forest.contains(child)) + forest.descendant_count(child)).sum()
}

fn children_left<'a>(operations: &'a [&Operation]) -> impl Iterator<Item = &'a SegmentId> {
    operations.iter().flat_map(|operation| match operation {
        Operation::Delete { leaving, .. } => leaving.as_slice(),
        Operation::Create { .. } | Operation::Update { .. } => &[],
    })
}

/// Returns the managed segments that operations concern, before or after, each with the pattern that matches it.
#[must_use]
pub fn managed<'a>(
    safeguards: &Safeguards<'a>,
    forest: &Forest,
    operations: &[&Operation],
) -> Vec<(Arc<Segment>, &'a Pattern)> {
    let left_segments = children_left(operations).flat_map(|child| {
        let deeper = forest.descendants(child).map(|(_, segment)| segment);
        forest.get(child).into_iter().chain(deeper).cloned()
    });
    let direct = operations.iter().enumerate().flat_map(|(at, operation)| before_and_after(at, operation));
    let mut seen_ids = HashSet::new();
    let owned = direct.flatten().chain(left_segments);
    let owned = owned.filter_map(|segment| safeguards.owner_of(&segment).map(|owner| (segment, owner)));
    owned.filter(|(segment, _)| seen_ids.insert(segment.id.clone())).collect()
}

/// Returns the segment of an operation before and after it. A segment that does not exist yet gets a provisional id.
fn before_and_after(at: usize, operation: &Operation) -> [Option<Arc<Segment>>; 2] {
    match operation {
        Operation::Create { draft } => {
            let id = OpId { plan_id: PlanId(0), index: at }.provisional_id();
            [None, Some(Arc::new(draft.clone().into_segment(id)))]
        }
        Operation::Update { base, draft } => {
            [Some(Arc::clone(base)), Some(Arc::new(draft.clone().into_segment(base.id.clone())))]
        }
        Operation::Delete { base, .. } => [Some(Arc::clone(base)), None],
    }
}
