//! The plans that are not over, and what is asked of them all the time, counted along: how many operations stand where, and which
//! of them refer to a segment that the server has given no id yet. Operations are changed here only, so neither goes wrong, and
//! nothing takes longer than the operations that it concerns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::mirror::{Ticket, Which};
use crate::plan::Operation;
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
    pub(super) instead_of: Option<Which>,
}

/// Plans by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans {
    writes: BTreeMap<Ticket, Write>,
    tally: Tally,
    /// The operations that are not over, by each provisional id that they refer to.
    referring: HashMap<SegmentId, BTreeSet<Which>>,
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
        plans: impl Iterator<Item = (Ticket, &'a Write)>,
        part: Range<usize>,
    ) -> Vec<Which> {
        let (mut before, mut listed) = (0, Vec::new());
        for (ticket, write) in plans {
            let count = self.count(write);
            let wanted = part.len() - listed.len();
            if wanted > 0 && before + count > part.start {
                let places = write.places(self).skip(part.start.saturating_sub(before)).take(wanted);
                listed.extend(places.map(|index| Which { ticket, index }));
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

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Ticket, &Write)> {
        self.writes.iter().map(|(ticket, write)| (*ticket, write))
    }

    pub fn get(&self, ticket: Ticket) -> Option<&Write> {
        self.writes.get(&ticket)
    }

    pub fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Write> {
        self.writes.get_mut(&ticket)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Write> {
        self.writes.values_mut()
    }

    pub fn step(&self, which: Which) -> Option<&Step> {
        self.writes.get(&which.ticket)?.steps.get(which.index)
    }

    pub fn insert(&mut self, ticket: Ticket, mut write: Write) {
        self.remove(ticket);
        write.tally = Tally::default();
        for (index, step) in write.steps.iter().enumerate() {
            write.tally.count(&step.standing);
            self.tally.count(&step.standing);
            refer(&mut self.referring, Which { ticket, index }, step);
        }
        self.writes.insert(ticket, write);
    }

    pub fn remove(&mut self, ticket: Ticket) -> Option<Write> {
        let write = self.writes.remove(&ticket)?;
        for (index, step) in write.steps.iter().enumerate() {
            self.tally.discount(&step.standing);
            forget(&mut self.referring, Which { ticket, index }, step);
        }
        Some(write)
    }

    /// An operation stands elsewhere.
    pub fn stand(&mut self, which: Which, standing: Standing) {
        let Self { writes, tally, referring } = self;
        let Some(write) = writes.get_mut(&which.ticket) else { return };
        let Some(step) = write.steps.get_mut(which.index) else { return };
        for tally in [tally, &mut write.tally] {
            tally.discount(&step.standing);
            tally.count(&standing);
        }
        if step.standing.is_over() == standing.is_over() {
            step.standing = standing;
        } else {
            forget(referring, which, step);
            step.standing = standing;
            refer(referring, which, step);
        }
    }

    /// Another operation stands in the place of one.
    pub fn replace(&mut self, which: Which, operation: Operation) {
        let step = self.writes.get_mut(&which.ticket).and_then(|write| write.steps.get_mut(which.index));
        let Some(step) = step.filter(|step| step.operation != operation) else { return };
        forget(&mut self.referring, which, step);
        step.operation = operation;
        refer(&mut self.referring, which, step);
    }

    /// Lets each operation of a plan stand where it should by now. Answers which those are that stood elsewhere.
    pub fn stand_each(
        &mut self,
        ticket: Ticket,
        mut standing: impl FnMut(usize, &Step) -> Option<Standing>,
    ) -> Vec<Which> {
        let steps = self.writes.get(&ticket).map_or(&[][..], |write| &write.steps).iter().enumerate();
        let changed = steps.filter_map(|(index, step)| Some((Which { ticket, index }, standing(index, step)?)));
        let changed: Vec<(Which, Standing)> = changed.collect();
        changed
            .into_iter()
            .map(|(which, standing)| {
                self.stand(which, standing);
                which
            })
            .collect()
    }

    /// The operations that are not over and refer to a segment that is not created yet.
    pub fn referring_to(&self, provisional: &SegmentId) -> impl Iterator<Item = (Which, &Step)> {
        let referring = self.referring.get(provisional).into_iter().flatten();
        referring.filter_map(|which| Some((*which, self.step(*which)?)))
    }
}

/// Notes an operation that is not over under each provisional id that it refers to.
fn refer(referring: &mut HashMap<SegmentId, BTreeSet<Which>>, which: Which, step: &Step) {
    if !step.standing.is_over() {
        for id in references(&step.operation) {
            referring.entry(id.clone()).or_default().insert(which);
        }
    }
}

fn forget(referring: &mut HashMap<SegmentId, BTreeSet<Which>>, which: Which, step: &Step) {
    if step.standing.is_over() {
        return;
    }
    for id in references(&step.operation) {
        if let Some(others) = referring.get_mut(id) {
            others.remove(&which);
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

    fn which(at: usize) -> Which {
        Which { ticket: Ticket(at as u64 / STEPS as u64), index: at % STEPS }
    }

    fn segment(id: SegmentId, parent: Option<SegmentId>) -> Segment {
        Segment { name: id.to_string().into(), id, external_id: None, parent }
    }

    /// An operation that may refer to what others are to create.
    fn operation((kind, one, other): (u8, usize, usize)) -> Operation {
        let (id, parent) = (which(one).provisional_id(), which(other).provisional_id());
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
                let at = which(at);
                match what {
                    0 => {
                        let step = || Step { operation: operation(draft), standing: standing(stands) };
                        let steps = (0..STEPS).map(|_| step()).collect();
                        let title = Title { done: String::new(), failed: String::new() };
                        plans.insert(at.ticket, Write::new(steps, title, None, Purpose::Ordinary));
                    }
                    1 => plans.stand(at, standing(stands)),
                    2 => plans.replace(at, operation(draft)),
                    _ => {
                        plans.remove(at.ticket);
                    }
                }
            }
            let mut tally = Tally::default();
            let mut referring: HashMap<SegmentId, BTreeSet<Which>> = HashMap::new();
            for ticket in (0..TICKETS).map(Ticket) {
                let mut own = Tally::default();
                for (index, step) in plans.get(ticket).map_or(&[][..], Write::steps).iter().enumerate() {
                    tally.count(&step.standing);
                    own.count(&step.standing);
                    refer(&mut referring, Which { ticket, index }, step);
                }
                prop_assert_eq!(plans.get(ticket).map_or(own, Write::tally), own);
            }
            prop_assert_eq!(plans.tally(), tally);
            prop_assert_eq!(&plans.referring, &referring);
            for list in [List::Staged, List::Kept] {
                let whiches = (0..4 * STEPS).map(which);
                let whole = whiches.filter(|which| plans.step(*which).is_some_and(|step| list.has(&step.standing)));
                let part: Vec<Which> = whole.skip(first).take(most).collect();
                prop_assert_eq!(list.part(plans.iter(), first..first + most), part);
            }
        }
    }
}
