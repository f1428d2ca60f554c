//! How much a person has to do before something is sent: the more it could damage, the more.

use std::collections::HashSet;
use std::sync::Arc;

use crate::forest::Forest;
use crate::segment::{Pattern, Segment, SegmentId};

use super::model::{OpId, Operation, PlanId};

/// What is to be taken care of before something is sent to a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Safeguards<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// Whether changes there are grave, as on a production tenant.
    pub protected: bool,
    /// Whose segments are another system's, beside what is built in.
    pub owned: &'a [Pattern],
}

impl<'a> Safeguards<'a> {
    /// By which pattern a segment is managed by another system, `None` when it is the tenant's own. What is built in is so whatever
    /// is configured.
    #[must_use]
    pub fn owner_of(&self, segment: &Segment) -> Option<&'a Pattern> {
        [&Pattern::BUILT_IN].into_iter().chain(self.owned).find(|pattern| pattern.matches(segment))
    }
}

/// What has to be typed before something is sent: words that are asked for one after the other. Without any, a key is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    words: Vec<TypedPhrase>,
    met: usize,
}

/// A word that has to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedPhrase {
    /// The tenant, since the profile is protected or since it is about many.
    Tenant(String),
    /// The name of what belongs to another system.
    Name {
        /// The name, or the id of what has none.
        name: String,
        /// Whose it is.
        owner: String,
    },
    /// How many of them belong to other systems.
    Count(usize),
}

/// More segments than these want a word typed.
const MANY: usize = 50;

impl TypedPhrase {
    /// What is to be typed.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Tenant(text) | Self::Name { name: text, .. } => text.trim().to_owned(),
            Self::Count(count) => count.to_string(),
        }
    }
}

impl Confirmation {
    /// The word that has to be typed next, `None` when a key is enough.
    #[must_use]
    pub fn next(&self) -> Option<&TypedPhrase> {
        self.words.get(self.met)
    }

    /// Which word it is that has to be typed next, counted from 1, and of how many; `None` when there are not several.
    #[must_use]
    pub const fn progress(&self) -> Option<(usize, usize)> {
        if self.words.len() > 1 { Some((self.met + 1, self.words.len())) } else { None }
    }

    /// Whether the word that has to be typed next is the last one.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.met + 1 >= self.words.len()
    }

    /// Takes what was typed for the next word. Answers whether it is that.
    pub fn meet(&mut self, typed: &str) -> bool {
        let met = self.next().is_none_or(|word| word.text() == typed.trim());
        self.met += usize::from(met);
        met
    }
}

/// What has to be typed before operations are sent.
#[must_use]
pub fn confirmation(safeguards: &Safeguards<'_>, forest: &Forest, operations: &[&Operation]) -> Confirmation {
    let concerned: usize = operations.len() + left_to_the_server(forest, operations);
    let mut words = Vec::new();
    if safeguards.protected || concerned > MANY {
        words.push(TypedPhrase::Tenant(safeguards.tenant.to_owned()));
    }
    match managed(safeguards, forest, operations).as_slice() {
        [] => {}
        [(segment, pattern)] => words.push(TypedPhrase::Name { name: called(segment), owner: pattern.owner() }),
        several => words.push(TypedPhrase::Count(several.len())),
    }
    Confirmation { words, met: 0 }
}

fn called(segment: &Segment) -> String {
    if segment.has_blank_name() { segment.id.to_string() } else { segment.name.to_string() }
}

/// How many segments stand below what is deleted and are left to the server, which may take them too.
#[must_use]
pub fn left_to_the_server(forest: &Forest, operations: &[&Operation]) -> usize {
    left(operations).map(|child| usize::from(forest.contains(child)) + forest.descendant_count(child)).sum()
}

fn left<'a>(operations: &'a [&Operation]) -> impl Iterator<Item = &'a SegmentId> {
    operations.iter().flat_map(|operation| match operation {
        Operation::Delete { leaving, .. } => leaving.as_slice(),
        Operation::Create { .. } | Operation::Update { .. } => &[],
    })
}

/// What of all that operations are about belongs to another system, before or after them, and by which pattern.
#[must_use]
pub fn managed<'a>(
    safeguards: &Safeguards<'a>,
    forest: &Forest,
    operations: &[&Operation],
) -> Vec<(Arc<Segment>, &'a Pattern)> {
    let left = left(operations).flat_map(|child| {
        let deeper = forest.descendants(child).map(|(_, segment)| segment);
        forest.get(child).into_iter().chain(deeper).cloned()
    });
    let named = operations.iter().enumerate().flat_map(|(at, operation)| before_and_after(at, operation));
    let mut counted = HashSet::new();
    let owned = named.flatten().chain(left);
    let owned = owned.filter_map(|segment| safeguards.owner_of(&segment).map(|owner| (segment, owner)));
    owned.filter(|(segment, _)| counted.insert(segment.id.clone())).collect()
}

/// The segment that an operation is about, as it was and as it will be. One that does not exist yet is told by its place in the plan.
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
