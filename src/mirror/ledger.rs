//! What is known of every segment, and to which question it was the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;

use crate::segment::{Segment, SegmentId};

use super::message::{Mention, Seen};
use super::register::{Entered, Register};

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
    known: Register,
    /// What is known not to be there, and the question that told.
    gone: HashMap<SegmentId, Asked>,
    /// The question with which the last list began.
    last_list: Option<Asked>,
}

impl Ledger {
    /// Takes in an answer unless a later question was answered already. Tells what is different now.
    pub fn take(&mut self, answer: Answer) -> Option<Seen> {
        let Answer { id, now, asked, mention } = answer;
        let Some(known) = self.known.get_mut(&id) else {
            if self.gone.get(&id).is_some_and(|gone| *gone > asked) {
                return None;
            }
            let Some(segment) = now else {
                self.gone.insert(id, asked);
                return None;
            };
            self.gone.remove(&id);
            self.known.put(Entered { segment: Arc::clone(&segment), asked });
            return Some(Seen { id, before: None, now: Some(segment), mention });
        };
        if known.asked > asked {
            return None;
        }
        known.asked = asked;
        match now {
            // The same again: whoever shares the old one goes on sharing it.
            Some(segment) if segment == known.segment => None,
            Some(segment) => {
                let before = std::mem::replace(&mut known.segment, Arc::clone(&segment));
                Some(Seen { id, before: Some(before), now: Some(segment), mention })
            }
            None => {
                let before = Some(Arc::clone(&known.segment));
                self.known.remove(&id);
                self.gone.insert(id.clone(), asked);
                Some(Seen { id, before, now: None, mention })
            }
        }
    }

    /// Begins with these as answers to one question; each id once.
    pub fn begin_with(&mut self, segments: Vec<Arc<Segment>>, asked: Asked) {
        self.known = segments.into_iter().map(|segment| Entered { segment, asked }).collect();
    }

    /// Takes in a list that was begun with the question `begun`.
    pub fn take_list(&mut self, list: Register, begun: Asked) -> TakenList {
        let mut different = Vec::new();
        if self.known.len() == 0 && self.gone.is_empty() {
            self.known = list;
        } else {
            let first = self.known.len() == 0;
            for Entered { segment, asked } in list {
                let id = segment.id.clone();
                let seen = self.take(Answer { id, now: Some(segment), asked, mention: Mention::default() });
                different.extend(seen.filter(|_| !first));
            }
        }
        // No answer is so late that it was asked for before the list before this one.
        let long_ago = self.last_list.replace(begun);
        self.gone.retain(|_, asked| Some(*asked) >= long_ago);
        // What the list has was asked for after it began.
        let lacking = self.known.iter().filter(|entered| entered.asked < begun);
        let absent = lacking.map(|entered| entered.segment.id.clone()).collect();
        TakenList { segments: self.segments().cloned().collect(), absent, different }
    }

    /// A segment as it is known now.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        Some(&self.known.get(id)?.segment)
    }

    /// Whether anything was learnt of a segment, be it that it is gone.
    pub fn knows(&self, id: &SegmentId) -> bool {
        self.known.get(id).is_some() || self.gone.contains_key(id)
    }

    /// The segments that exist.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.known.iter().map(|entered| &entered.segment)
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

    fn list(answers: Vec<Answer>) -> Register {
        let entered = |answer: Answer| Some(Entered { segment: answer.now?, asked: answer.asked });
        answers.into_iter().filter_map(entered).collect()
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
        let taken = ledger.take_list(Register::default(), Asked(2));
        assert_eq!((taken.segments.len(), taken.absent.len()), (1, 1));
        ledger.take(answer(None, 2));
        assert_eq!(names(&ledger), [""; 0]);
        ledger.take(answer(Some("meanwhile"), 5));
        let taken = ledger.take_list(list(vec![answer(Some("stale"), 4)]), Asked(3));
        assert_eq!((names(&ledger), taken.absent.len(), taken.different.len()), (vec!["meanwhile".to_owned()], 0, 0));
        ledger.take(answer(None, 8));
        ledger.take_list(list(vec![answer(Some("ghost"), 7)]), Asked(6));
        assert_eq!(names(&ledger), [""; 0]);
    }
}
