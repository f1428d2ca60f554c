//! The plans that are not over, and what is asked of them all the time, counted along: how many operations stand where, and which
//! of them refer to a segment that the server has given no id yet. Operations are changed here only, so neither goes wrong, and
//! nothing takes longer than the operations that it concerns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::changes::Operation;
use crate::changes::{OpId, PlanId};
use crate::segment::SegmentId;

use super::{Purpose, Standing, Step, Tally, Title};
use crate::app::activity::FieldChange;
use crate::app::history::Made;
use crate::app::{Layer, is_provisional};

/// A plan that is not over.
#[derive(Debug, Clone)]
pub struct Write {
    steps: Vec<Step>,
    tally: Tally,
    /// How it is spoken of.
    pub title: Title,
    pub(super) origin: Option<Layer>,
    /// The segment that it was about, and what it changed there.
    pub(super) subject: Option<SegmentId>,
    pub(super) fields: Vec<FieldChange>,
    pub(super) made: Vec<Made>,
    pub(in crate::app) purpose: Purpose,
    /// The operation that is given up when this is sent.
    pub(super) instead_of: Option<OpId>,
}

/// Plans by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans {
    writes: BTreeMap<PlanId, Write>,
    tally: Tally,
    /// The operations that are not over, by each provisional id that they refer to.
    referring: HashMap<SegmentId, BTreeSet<OpId>>,
}

impl Write {
    pub(super) fn new(steps: Vec<Step>, title: Title, origin: Option<Layer>, purpose: Purpose) -> Self {
        let (fields, made) = (Vec::new(), Vec::new());
        // It is counted when it is taken in.
        let tally = Tally::default();
        Self { steps, tally, title, origin, subject: None, fields, made, purpose, instead_of: None }
    }

    /// Its operations and where each stands.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many of them stand where.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether nothing more comes of any.
    pub(super) const fn is_over(&self) -> bool {
        self.tally.total() == self.tally.done
    }

    /// The places of those in a list, in their order.
    pub(super) fn places(&self, list: List) -> impl Iterator<Item = usize> {
        let listed = self.steps.iter().enumerate().filter(move |(_, step)| list.has(&step.standing));
        listed.map(|(place, _)| place)
    }
}

/// A list of operations that a person looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum List {
    /// Those that wait for the person's word.
    Staged,
    /// Those that were not given up.
    Kept,
}

impl List {
    const fn has(self, standing: &Standing) -> bool {
        match self {
            Self::Staged => matches!(standing, Standing::Staged),
            Self::Kept => !matches!(standing, Standing::Dropped),
        }
    }

    /// How many of a plan it has.
    pub(super) const fn count(self, write: &Write) -> usize {
        match self {
            Self::Staged => write.tally.staged,
            Self::Kept => write.tally.total(),
        }
    }

    /// A part of what it has of some plans. Of those before the part, only the counts are looked at.
    pub(in crate::app) fn part<'a>(
        self,
        plans: impl Iterator<Item = (PlanId, &'a Write)>,
        part: Range<usize>,
    ) -> Vec<OpId> {
        let (mut before, mut listed) = (0, Vec::new());
        for (plan_id, write) in plans {
            let count = self.count(write);
            let wanted = part.len() - listed.len();
            if wanted > 0 && before + count > part.start {
                let places = write.places(self).skip(part.start.saturating_sub(before)).take(wanted);
                listed.extend(places.map(|index| OpId { plan_id, index }));
            }
            before += count;
        }
        listed
    }
}

impl Plans {
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (PlanId, &Write)> {
        self.writes.iter().map(|(plan_id, write)| (*plan_id, write))
    }

    pub fn get(&self, plan_id: PlanId) -> Option<&Write> {
        self.writes.get(&plan_id)
    }

    pub fn get_mut(&mut self, plan_id: PlanId) -> Option<&mut Write> {
        self.writes.get_mut(&plan_id)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Write> {
        self.writes.values_mut()
    }

    pub fn step(&self, op: OpId) -> Option<&Step> {
        self.writes.get(&op.plan_id)?.steps.get(op.index)
    }

    pub fn insert(&mut self, plan_id: PlanId, mut write: Write) {
        self.remove(plan_id);
        write.tally = Tally::default();
        for (index, step) in write.steps.iter().enumerate() {
            write.tally.count(&step.standing);
            self.tally.count(&step.standing);
            refer(&mut self.referring, OpId { plan_id, index }, step);
        }
        self.writes.insert(plan_id, write);
    }

    pub fn remove(&mut self, plan_id: PlanId) -> Option<Write> {
        let write = self.writes.remove(&plan_id)?;
        for (index, step) in write.steps.iter().enumerate() {
            self.tally.discount(&step.standing);
            forget(&mut self.referring, OpId { plan_id, index }, step);
        }
        Some(write)
    }

    /// An operation stands elsewhere.
    pub fn stand(&mut self, op: OpId, standing: Standing) {
        let Self { writes, tally, referring } = self;
        let Some(write) = writes.get_mut(&op.plan_id) else { return };
        let Some(step) = write.steps.get_mut(op.index) else { return };
        for tally in [tally, &mut write.tally] {
            tally.discount(&step.standing);
            tally.count(&standing);
        }
        if step.standing.is_over() == standing.is_over() {
            step.standing = standing;
        } else {
            forget(referring, op, step);
            step.standing = standing;
            refer(referring, op, step);
        }
    }

    /// Another operation stands in the place of one.
    pub fn replace(&mut self, op: OpId, operation: Operation) {
        let step = self.writes.get_mut(&op.plan_id).and_then(|write| write.steps.get_mut(op.index));
        let Some(step) = step.filter(|step| step.operation != operation) else { return };
        forget(&mut self.referring, op, step);
        step.operation = operation;
        refer(&mut self.referring, op, step);
    }

    /// Lets each operation of a plan stand where it should by now. Answers which those are that stood elsewhere.
    pub fn stand_each(
        &mut self,
        plan_id: PlanId,
        mut standing: impl FnMut(usize, &Step) -> Option<Standing>,
    ) -> Vec<OpId> {
        let steps = self.writes.get(&plan_id).map_or(&[][..], |write| &write.steps).iter().enumerate();
        let changed = steps.filter_map(|(index, step)| Some((OpId { plan_id, index }, standing(index, step)?)));
        let changed: Vec<(OpId, Standing)> = changed.collect();
        changed
            .into_iter()
            .map(|(op, standing)| {
                self.stand(op, standing);
                op
            })
            .collect()
    }

    /// The operations that are not over and refer to a segment that is not created yet.
    pub fn referring_to(&self, provisional: &SegmentId) -> impl Iterator<Item = (OpId, &Step)> {
        let referring = self.referring.get(provisional).into_iter().flatten();
        referring.filter_map(|op| Some((*op, self.step(*op)?)))
    }
}

/// Notes an operation that is not over under each provisional id that it refers to.
fn refer(referring: &mut HashMap<SegmentId, BTreeSet<OpId>>, op: OpId, step: &Step) {
    if !step.standing.is_over() {
        for id in references(&step.operation) {
            referring.entry(id.clone()).or_default().insert(op);
        }
    }
}

fn forget(referring: &mut HashMap<SegmentId, BTreeSet<OpId>>, op: OpId, step: &Step) {
    if step.standing.is_over() {
        return;
    }
    for id in references(&step.operation) {
        if let Some(others) = referring.get_mut(id) {
            others.remove(&op);
            if others.is_empty() {
                referring.remove(id);
            }
        }
    }
}

/// The provisional ids that an operation refers to.
fn references(operation: &Operation) -> impl Iterator<Item = &SegmentId> {
    let (base, leaving): (_, &[SegmentId]) = match operation {
        Operation::Create { .. } => (None, &[]),
        Operation::Update { base, .. } => (Some(base), &[]),
        Operation::Delete { base, leaving } => (Some(base), leaving),
    };
    let of_base = base.into_iter().flat_map(|base| [Some(&base.id), base.parent.as_ref()]).flatten();
    of_base.chain(operation.destination()).chain(leaving).filter(|id| is_provisional(id))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::segment::{Draft, Segment};

    const TICKETS: u64 = 4;
    const STEPS: usize = 4;

    fn op(at: usize) -> OpId {
        OpId { plan_id: PlanId(at as u64 / STEPS as u64), index: at % STEPS }
    }

    fn segment(id: SegmentId, parent: Option<SegmentId>) -> Segment {
        Segment { name: id.to_string().into(), id, external_id: None, parent }
    }

    /// An operation that may refer to what others are to create.
    fn operation((kind, one, other): (u8, usize, usize)) -> Operation {
        let (id, parent) = (op(one).provisional_id(), op(other).provisional_id());
        let base = Arc::new(segment(id, Some(parent.clone())));
        match kind {
            0 => Operation::Create { draft: Draft::of(&base) },
            1 => Operation::Update { draft: Draft { parent: None, ..Draft::of(&base) }, base },
            _ => Operation::Delete { base, leaving: vec![parent] },
        }
    }

    fn standing(at: u8) -> Standing {
        let all = [Standing::Staged, Standing::Waiting, Standing::Held, Standing::Running, Standing::Done];
        all.get(usize::from(at)).cloned().unwrap_or(Standing::Dropped)
    }

    proptest! {
        /// Whatever is done: what is counted along is what counting anew comes to.
        #[test]
        fn what_is_counted_along_is_what_is_there(
            first in 0_usize..20,
            most in 0_usize..20,
            does in prop::collection::vec((0_u8..4, 0_usize..16, 0_u8..6, (0_u8..3, 0_usize..16, 0_usize..16)), 1..60),
        ) {
            let mut plans = Plans::default();
            for (what, at, stands, draft) in does {
                let at = op(at);
                match what {
                    0 => {
                        let step = || Step { operation: operation(draft), standing: standing(stands) };
                        let steps = (0..STEPS).map(|_| step()).collect();
                        let title = Title { done: String::new(), failed: String::new() };
                        plans.insert(at.plan_id, Write::new(steps, title, None, Purpose::Ordinary));
                    }
                    1 => plans.stand(at, standing(stands)),
                    2 => plans.replace(at, operation(draft)),
                    _ => {
                        plans.remove(at.plan_id);
                    }
                }
            }
            let mut tally = Tally::default();
            let mut referring: HashMap<SegmentId, BTreeSet<OpId>> = HashMap::new();
            for plan_id in (0..TICKETS).map(PlanId) {
                let mut own = Tally::default();
                for (index, step) in plans.get(plan_id).map_or(&[][..], Write::steps).iter().enumerate() {
                    tally.count(&step.standing);
                    own.count(&step.standing);
                    refer(&mut referring, OpId { plan_id, index }, step);
                }
                prop_assert_eq!(plans.get(plan_id).map_or(own, Write::tally), own);
            }
            prop_assert_eq!(plans.tally(), tally);
            prop_assert_eq!(&plans.referring, &referring);
            for list in [List::Staged, List::Kept] {
                let whiches = (0..4 * STEPS).map(op);
                let whole = whiches.filter(|op| plans.step(*op).is_some_and(|step| list.has(&step.standing)));
                let part: Vec<OpId> = whole.skip(first).take(most).collect();
                prop_assert_eq!(list.part(plans.iter(), first..first + most), part);
            }
        }
    }
}
