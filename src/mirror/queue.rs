//! Which writes may run: several at once, but never two that concern the same segment.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use crate::plan::Plan;
use crate::segment::SegmentId;

use super::message::Ticket;

/// Writes that run, and those that wait for them.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    running: HashMap<Ticket, HashSet<SegmentId>>,
    waiting: VecDeque<(Ticket, Plan)>,
}

impl WriteQueue {
    pub fn push(&mut self, ticket: Ticket, plan: Plan) {
        self.waiting.push_back((ticket, plan));
    }

    /// The next write that may begin: the oldest that concerns no segment of one that runs or of an older one that waits.
    pub fn begin(&mut self, at_once: usize) -> Option<(Ticket, Plan)> {
        if self.running.len() >= at_once.max(1) {
            return None;
        }
        let (ticket, plan) = self.waiting.remove(self.next()?)?;
        self.running.insert(ticket, concerns(&plan).into_iter().cloned().collect());
        Some((ticket, plan))
    }

    fn next(&self) -> Option<usize> {
        let mut taken: HashSet<&SegmentId> = self.running.values().flatten().collect();
        for (at, (_, plan)) in self.waiting.iter().enumerate() {
            let concerns = concerns(plan);
            if concerns.iter().all(|id| !taken.contains(id)) {
                return Some(at);
            }
            taken.extend(concerns);
        }
        None
    }

    pub fn end(&mut self, ticket: Ticket) {
        self.running.remove(&ticket);
    }
}

fn concerns(plan: &Plan) -> Vec<&SegmentId> {
    plan.operations.iter().filter_map(|operation| operation.subject()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::plan::Operation;
    use crate::segment::Segment;

    use super::*;

    fn delete(id: &str) -> Plan {
        let id = SegmentId::new(id).unwrap();
        let base = Segment { id, name: "x".into(), external_id: None, parent: None };
        Plan::single(Operation::Delete { base: Arc::new(base) })
    }

    #[test]
    fn writes_on_the_same_segment_go_in_order_and_others_overtake_them() {
        let mut queue = WriteQueue::default();
        for (ticket, id) in [(1, "a"), (2, "a"), (3, "b"), (4, "c")] {
            queue.push(Ticket(ticket), delete(id));
        }
        let begin = |queue: &mut WriteQueue| queue.begin(2).map(|(ticket, _)| ticket.0);
        assert_eq!(begin(&mut queue), Some(1));
        assert_eq!(begin(&mut queue), Some(3));
        assert_eq!(begin(&mut queue), None, "two run at once at most");
        queue.end(Ticket(3));
        assert_eq!(begin(&mut queue), Some(4));
        queue.end(Ticket(1));
        assert_eq!(begin(&mut queue), Some(2));
    }
}
