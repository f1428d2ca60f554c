//! A model tenant that executes operations as scripted: applied, refused, with the response lost, or unreachable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::changes::{Evidence, Execution, ExecutionResult, OpId, Operation, WriteError, WriteResult, Written};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::{Draft, Segment, SegmentId};

/// The outcome of sending an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Taken,
    Refused,
    /// Applied, but the response is lost.
    Lost,
    NotReached,
}

#[derive(Debug, Default)]
pub struct Model {
    pub segments: BTreeMap<SegmentId, Arc<Segment>>,
    /// The segment that each create made.
    made: BTreeMap<OpId, SegmentId>,
    ids: usize,
}

impl Model {
    pub fn put(&mut self, draft: &Draft) -> Arc<Segment> {
        self.ids += 1;
        let id = SegmentId::new(&format!("s{}", self.ids)).unwrap();
        let segment = Arc::new(draft.clone().into_segment(id.clone()));
        self.segments.insert(id, Arc::clone(&segment));
        segment
    }

    /// Executes an operation. Also returns the segment that it concerned, unless nothing was applied.
    pub fn execute(&mut self, execution: &Execution, delivery: Delivery) -> (ExecutionResult, Option<SegmentId>) {
        let Execution { op, operation, evidence } = execution;
        match delivery {
            Delivery::NotReached => {
                let error = error(Fault::Unreachable { reason: "no route".into() });
                let retry_in = Duration::from_secs(1);
                (ExecutionResult::Unreached { error, retry_in, evidence: evidence.clone() }, None)
            }
            Delivery::Refused => {
                let fault = Fault::Refused { status: 422, message: "no".into(), retry_after: None };
                let error = WriteError::Refused(error(fault));
                (ExecutionResult::Failed { error, evidence: evidence.clone() }, None)
            }
            Delivery::Taken | Delivery::Lost => match self.apply(*op, operation, evidence.is_some()) {
                Err(error) => (ExecutionResult::Failed { error, evidence: evidence.clone() }, None),
                Ok((result, id)) if delivery == Delivery::Taken => (ExecutionResult::Done(result), Some(id)),
                Ok((_, id)) => {
                    let error = WriteError::InDoubt(error(Fault::TimedOut { after: Duration::from_secs(30) }));
                    let drafts = match operation {
                        Operation::Create { draft } => vec![draft.clone()],
                        _ => Vec::new(),
                    };
                    let evidence = Some(Evidence { drafts, ..Evidence::default() });
                    (ExecutionResult::Failed { error, evidence }, Some(id))
                }
            },
        }
    }

    fn apply(&mut self, op: OpId, operation: &Operation, before: bool) -> Result<(WriteResult, SegmentId), WriteError> {
        match operation {
            Operation::Create { draft } => {
                if let Some(id) = self.made.get(&op).filter(|_| before).cloned() {
                    let segment = self.segments.get(&id).cloned();
                    let gone = || WriteError::InDoubt(error(Fault::InvalidResponse { reason: "gone".into() }));
                    return Ok((WriteResult::Created(written(segment.ok_or_else(gone)?)), id));
                }
                if draft.parent.as_ref().is_some_and(|parent| !self.segments.contains_key(parent)) {
                    return Err(WriteError::ParentMissing);
                }
                let segment = self.put(draft);
                self.made.insert(op, segment.id.clone());
                let id = segment.id.clone();
                Ok((WriteResult::Created(written(segment)), id))
            }
            Operation::Update { base, draft } => {
                let Some(now) = self.segments.get(&base.id).cloned() else {
                    return Err(WriteError::Conflict { theirs: None, fields: Vec::new() });
                };
                let (mine, theirs) = (draft.changes(base), base.differing_fields(&now));
                let both: Vec<_> = theirs.iter().copied().filter(|field| mine.contains(field)).collect();
                let both: Vec<_> = both.into_iter().filter(|field| draft.changes(&now).contains(field)).collect();
                if !both.is_empty() {
                    return Err(WriteError::Conflict { theirs: Some(now), fields: both });
                }
                let wanted = draft.clone().into_segment(base.id.clone());
                let after = Arc::new((*now).clone().with_fields_of(&wanted, &mine));
                if after.parent != now.parent {
                    self.fits_below(&after)?;
                }
                let written_fields = after.differing_fields(&now);
                self.segments.insert(base.id.clone(), Arc::clone(&after));
                let merged = theirs.into_iter().filter(|field| !mine.contains(field)).collect();
                let written = Written { merged, written: written_fields, ..written(after) };
                Ok((WriteResult::Updated(written), base.id.clone()))
            }
            Operation::Delete { base, leaving } => {
                let id = base.id.clone();
                let Some(now) = self.segments.get(&id) else {
                    return Ok((WriteResult::Deleted { id: id.clone(), found: before, concurrent_write: false }, id));
                };
                let fields = base.differing_fields(now);
                if !fields.is_empty() {
                    return Err(WriteError::Conflict { theirs: Some(Arc::clone(now)), fields });
                }
                let below = self.segments.values().filter(|segment| segment.parent.as_ref() == Some(&id));
                let new_children: Vec<_> =
                    below.map(|segment| segment.id.clone()).filter(|child| !leaving.contains(child)).collect();
                if !new_children.is_empty() {
                    return Err(WriteError::NewChildren { new_children });
                }
                self.segments.remove(&id);
                Ok((WriteResult::Deleted { id: id.clone(), found: true, concurrent_write: false }, id))
            }
        }
    }

    fn fits_below(&self, segment: &Segment) -> Result<(), WriteError> {
        let Some(parent) = &segment.parent else { return Ok(()) };
        let mut at = self.segments.get(parent).ok_or(WriteError::ParentMissing)?;
        for _ in 0..self.segments.len() {
            if at.id == segment.id {
                return Err(WriteError::WouldCreateCycle);
            }
            match at.parent.as_ref().and_then(|above| self.segments.get(above)) {
                Some(above) => at = above,
                None => break,
            }
        }
        Ok(())
    }
}

fn error(fault: Fault) -> RemoteError {
    RemoteError { call: Call::One(SegmentId::new("any").unwrap()), fault }
}

fn written(segment: Arc<Segment>) -> Written {
    Written {
        segment,
        merged: Vec::new(),
        ignored: Vec::new(),
        written: Vec::new(),
        concurrent_write: false,
        existed: false,
    }
}
