//! What is known of every segment, and to which question it was the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::{HashMap, HashSet};

use crate::segment::{Segment, SegmentId};

use super::message::{Mention, Seen};

/// The number of a question. A later question has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked(u64);

/// Numbers the questions, in whichever task they are asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Questions {
    last: Arc<AtomicU64>,
}

impl Questions {
    /// The number of the question that is asked now.
    pub fn next(&self) -> Asked {
        Asked(self.last.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// What the server said about one segment.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub id: SegmentId,
    /// `None`: there is no such segment.
    pub now: Option<Arc<Segment>>,
    pub asked: Asked,
    /// How the feed named it, where that was why it was asked for.
    pub mention: Mention,
}

#[derive(Debug)]
struct Known {
    now: Option<Arc<Segment>>,
    asked: Asked,
}

/// What a list came to.
#[derive(Debug)]
pub(super) struct TakenList {
    /// Everything that exists as far as is known.
    pub segments: Vec<Arc<Segment>>,
    /// Those of them that the list lacks although they were known before: they are gone, or have slipped from page to page.
    pub absent: Vec<SegmentId>,
    /// What the list has otherwise than it was known.
    pub different: Vec<Seen>,
}

/// Everything that is known, what is gone included: a late answer must not bring it back.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    known: HashMap<SegmentId, Known>,
    /// The question with which the last list began.
    last_list: Option<Asked>,
}

impl Ledger {
    /// Takes in an answer unless a later question was answered already. Tells what is different now.
    pub fn take(&mut self, answer: Answer) -> Option<Seen> {
        let Answer { id, now, asked, mention } = answer;
        if self.known.get(&id).is_some_and(|known| known.asked > asked) {
            return None;
        }
        let before = match (self.known.get(&id).and_then(|known| known.now.clone()), &now) {
            // The same again: whoever shares the old one goes on sharing it.
            (Some(before), Some(now)) if before == *now => {
                self.known.insert(id, Known { now: Some(before), asked });
                return None;
            }
            (before, _) => before,
        };
        self.known.insert(id.clone(), Known { now: now.clone(), asked });
        (before.is_some() || now.is_some()).then_some(Seen { id, before, now, mention })
    }

    /// Begins with these as answers to one question; each id once.
    pub fn begin_with(&mut self, segments: Vec<Arc<Segment>>, asked: Asked) {
        let known = segments.into_iter().map(|now| (now.id.clone(), Known { now: Some(now), asked }));
        self.known.extend(known);
    }

    /// Takes in a list that was begun with the question `begun`.
    pub fn take_list(&mut self, list: Vec<Answer>, begun: Asked) -> TakenList {
        let first = self.known.is_empty();
        let listed: HashSet<SegmentId> = list.iter().map(|answer| answer.id.clone()).collect();
        let mut different = Vec::new();
        for answer in list {
            let seen = self.take(answer);
            different.extend(seen.filter(|_| !first));
        }
        // No answer is so late that it was asked for before the list before this one.
        let long_ago = self.last_list.replace(begun);
        self.known.retain(|_, known| known.now.is_some() || Some(known.asked) >= long_ago);
        let lacking =
            |known: &Known, id: &SegmentId| known.asked < begun && known.now.is_some() && !listed.contains(id);
        let absent = self.known.iter().filter(|(id, known)| lacking(known, id)).map(|(id, _)| id.clone()).collect();
        TakenList { segments: self.segments().cloned().collect(), absent, different }
    }

    /// A segment as it is known now.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.known.get(id)?.now.as_ref()
    }

    /// Whether anything was learnt of a segment, be it that it is gone.
    pub fn knows(&self, id: &SegmentId) -> bool {
        self.known.contains_key(id)
    }

    /// The segments that exist.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.known.values().filter_map(|known| known.now.as_ref())
    }

    /// The segments that name one as their parent.
    pub fn children(&self, parent: &SegmentId) -> Vec<SegmentId> {
        self.segments()
            .filter(|segment| segment.parent.as_ref() == Some(parent))
            .map(|segment| segment.id.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: Option<&str>, asked: u64) -> Answer {
        let id = SegmentId::new("vip").unwrap();
        let segment =
            |name: &str| Arc::new(Segment { id: id.clone(), name: name.into(), external_id: None, parent: None });
        Answer { now: name.map(segment), id: id.clone(), asked: Asked(asked), mention: Mention::default() }
    }

    fn names(ledger: &Ledger) -> Vec<String> {
        ledger.segments().map(|segment| segment.name.to_string()).collect()
    }

    #[test]
    fn a_late_answer_does_not_bring_the_dead_back() {
        let mut ledger = Ledger::default();
        ledger.take(answer(Some("old"), 1));
        ledger.take(answer(None, 3));
        assert_eq!(ledger.take(answer(Some("ghost"), 2)), None);
        assert_eq!(ledger.segments().count(), 0);
    }

    #[test]
    fn the_same_again_is_no_change() {
        let mut ledger = Ledger::default();
        assert!(ledger.take(answer(Some("a"), 1)).is_some());
        assert_eq!(ledger.take(answer(Some("a"), 2)), None);
        assert_eq!(ledger.take(answer(None, 3)).unwrap().before.unwrap().name, "a");
        assert_eq!(ledger.take(answer(None, 4)), None);
    }

    #[test]
    fn a_list_tells_what_it_lacks_and_overrides_nothing_that_was_learnt_meanwhile() {
        let mut ledger = Ledger::default();
        ledger.take(answer(Some("before"), 1));
        let taken = ledger.take_list(Vec::new(), Asked(2));
        assert_eq!((taken.segments.len(), taken.absent.len()), (1, 1));
        ledger.take(answer(None, 2));
        assert_eq!(names(&ledger), [""; 0]);
        ledger.take(answer(Some("meanwhile"), 5));
        let taken = ledger.take_list(vec![answer(Some("stale"), 4)], Asked(3));
        assert_eq!((names(&ledger), taken.absent.len(), taken.different.len()), (vec!["meanwhile".to_owned()], 0, 0));
        ledger.take(answer(None, 8));
        ledger.take_list(vec![answer(Some("ghost"), 7)], Asked(6));
        assert_eq!(names(&ledger), [""; 0]);
    }
}
