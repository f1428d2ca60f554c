//! The cache of all segments, each stamped with the number of the request whose answer it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::{HashMap, HashSet};

use crate::segment::{Segment, SegmentId};

use super::id_map::{Cached, IdMap, KnownMut};
use super::message::{FeedSource, SegmentChange};

/// The number of a question. A later question has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestSeq(pub(super) u64);

/// Numbers the questions, in whichever task they are asked.
#[derive(Debug, Clone, Default)]
pub(super) struct SequenceCounter {
    last: Arc<AtomicU64>,
}

impl SequenceCounter {
    /// The number of the question that is asked now.
    pub fn next(&self) -> RequestSeq {
        RequestSeq(self.last.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// What the server said about one segment.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub id: SegmentId,
    /// `None`: there is no such segment.
    pub now: Option<Arc<Segment>>,
    pub asked: RequestSeq,
    /// How the feed named it, where that was why it was asked for.
    pub mention: FeedSource,
}

/// What a list came to.
#[derive(Debug)]
pub(super) struct ListDiff {
    /// What was known before and the list lacks: it is gone, or has slipped from page to page.
    pub absent: Vec<SegmentId>,
    /// What the list has otherwise than it was known.
    pub different: Vec<SegmentChange>,
    /// How often it had a segment that it had had before.
    pub repeated: usize,
}

/// A list that is being taken in.
#[derive(Debug)]
struct ListInProgress {
    /// The number of the request with which the list began.
    begun: RequestSeq,
    /// What it has otherwise than it is known. It shows all at once, when the list is complete.
    aside: HashMap<SegmentId, Cached>,
    /// How many segments it has had so far, each counted once.
    count: usize,
    /// How many entries it has had so far.
    entries: usize,
    /// Segments that were learnt of in another way since it was begun, and that it has not had since.
    otherwise: HashSet<SegmentId>,
}

impl ListInProgress {
    /// Whether the list has not had a segment yet, of which is known when it was asked for last.
    fn is_new(&mut self, id: &SegmentId, known: Option<RequestSeq>) -> bool {
        self.otherwise.remove(id) || known.is_none_or(|known| known < self.begun)
    }
}

/// Everything that is known, what is gone included: a late answer must not bring it back.
#[derive(Debug, Default)]
pub(super) struct SegmentCache {
    known: IdMap,
    /// What is known not to be there, and the question that told.
    gone: HashMap<SegmentId, RequestSeq>,
    /// The question with which the last list began that is complete.
    last_list: Option<RequestSeq>,
    /// Of what was known to be gone by a question before this one, nothing is known any more.
    forgotten: Option<RequestSeq>,
    taking: Option<ListInProgress>,
}

impl SegmentCache {
    /// Takes in an answer unless a later question was answered already. Tells what is different now.
    pub fn take(&mut self, answer: Fetched) -> Option<SegmentChange> {
        if let Some(taking) = &mut self.taking {
            taking.otherwise.insert(answer.id.clone());
        }
        self.enter(answer)
    }

    fn enter(&mut self, answer: Fetched) -> Option<SegmentChange> {
        let Fetched { id, now, asked, mention } = answer;
        let Some(mut known) = self.known.get_mut(&id) else {
            // Of what was asked so long ago it is not known any more whether the segment has gone since.
            if self.gone.get(&id).is_some_and(|gone| *gone > asked) || self.forgotten.is_some_and(|then| asked < then) {
                return None;
            }
            let Some(segment) = now else {
                self.gone.insert(id, asked);
                return None;
            };
            self.gone.remove(&id);
            self.known.put(Cached { segment: Arc::clone(&segment), asked });
            return Some(SegmentChange { id, before: None, now: Some(segment), mention });
        };
        if known.asked() > asked {
            return None;
        }
        known.confirm(asked);
        match now {
            // The same again: whoever shares the old one goes on sharing it.
            Some(segment) if segment == *known.segment => None,
            Some(segment) => {
                let before = std::mem::replace(known.segment, Arc::clone(&segment));
                Some(SegmentChange { id, before: Some(before), now: Some(segment), mention })
            }
            None => {
                let before = Some(Arc::clone(known.segment));
                self.known.remove(&id);
                self.gone.insert(id.clone(), asked);
                Some(SegmentChange { id, before, now: None, mention })
            }
        }
    }

    /// Begins with these as answers to one question; each id once.
    pub fn begin_with(&mut self, known: IdMap) {
        self.known = known;
    }

    /// A list is begun with a question.
    pub fn begin_list(&mut self, begun: RequestSeq) {
        self.taking =
            Some(ListInProgress { begun, aside: HashMap::new(), count: 0, entries: 0, otherwise: HashSet::new() });
    }

    /// How many segments the list that is being taken in has had.
    pub fn count_of_list(&self) -> usize {
        self.taking.as_ref().map_or(0, |taking| taking.count)
    }

    /// Takes in a page of the first list at once. Answers what is news.
    pub fn take_first_page(&mut self, segments: Vec<Arc<Segment>>, asked: RequestSeq) -> Vec<Arc<Segment>> {
        let mut news = segments;
        if let Some(taking) = &mut self.taking {
            taking.entries += news.len();
        }
        self.known.look_ahead(&news);
        news.retain(|segment| {
            // As nearly all are; what is below comes to the same and looks the id up again and again.
            if self.gone.is_empty() && self.known.put_new(Cached { segment: Arc::clone(segment), asked }) {
                if let Some(taking) = &mut self.taking {
                    taking.count += 1;
                }
                return true;
            }
            let known = self.known.get(&segment.id).map(|known| known.asked);
            if let Some(taking) = &mut self.taking {
                taking.count += usize::from(taking.is_new(&segment.id, known));
            }
            let (id, now) = (segment.id.clone(), Some(Arc::clone(segment)));
            self.enter(Fetched { id, now, asked, mention: FeedSource::default() }).is_some()
        });
        news
    }

    /// Takes in a page of a later list. What it has as it is known is confirmed, and only the rest is kept, aside.
    pub fn take_page(&mut self, segments: Vec<Arc<Segment>>, asked: RequestSeq) {
        let Some(taking) = &mut self.taking else { return };
        taking.entries += segments.len();
        for segment in segments {
            let known = self.known.get_mut(&segment.id);
            let first_time = taking.is_new(&segment.id, known.as_ref().map(KnownMut::asked))
                && !taking.aside.contains_key(&segment.id);
            taking.count += usize::from(first_time);
            match known {
                Some(known) if known.asked() > asked => {}
                Some(mut known) if *known.segment == segment => {
                    known.confirm(asked);
                    if taking.aside.get(&segment.id).is_some_and(|aside| aside.asked < asked) {
                        taking.aside.remove(&segment.id);
                    }
                }
                // Of the same segment on two pages, the one asked for later is the newer.
                _ if taking.aside.get(&segment.id).is_some_and(|aside| aside.asked > asked) => {}
                _ => {
                    taking.aside.insert(segment.id.clone(), Cached { segment, asked });
                }
            }
        }
    }

    /// The list is complete.
    pub fn end_list(&mut self) -> ListDiff {
        let Some(ListInProgress { begun, aside, count, entries, .. }) = self.taking.take() else {
            return ListDiff { absent: Vec::new(), different: Vec::new(), repeated: 0 };
        };
        let answers = aside.into_iter().map(|(id, Cached { segment, asked })| Fetched {
            id,
            now: Some(segment),
            asked,
            mention: FeedSource::default(),
        });
        let different = answers.filter_map(|answer| self.enter(answer)).collect();
        // Hardly any answer is so late that it was asked for before the list before this one.
        let long_ago = self.last_list.replace(begun);
        self.gone.retain(|_, asked| Some(*asked) >= long_ago);
        self.forgotten = long_ago;
        // What the list has was asked for after it began.
        let lacking = self.known.iter().filter(|entered| entered.asked < begun);
        let absent = lacking.map(|entered| entered.segment.id.clone()).collect();
        ListDiff { absent, different, repeated: entries.saturating_sub(count) }
    }

    /// A segment as it is known now.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        Some(self.known.get(id)?.segment)
    }

    /// How many segments exist, as far as is known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it is known how a segment was after a question was asked.
    pub fn knows_since(&self, id: &SegmentId, asked: RequestSeq) -> bool {
        self.known.get(id).is_some_and(|known| known.asked > asked)
            || self.gone.get(id).is_some_and(|gone| *gone > asked)
    }

    /// Whether a segment was there, and is known not to be any more.
    pub fn is_gone(&self, id: &SegmentId) -> bool {
        self.gone.contains_key(id)
    }

    /// The segments that exist.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.known.segments()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: Option<&str>, asked: u64) -> Fetched {
        let id = SegmentId::new("vip").unwrap();
        let segment =
            |name: &str| Arc::new(Segment { id: id.clone(), name: name.into(), external_id: None, parent: None });
        Fetched { now: name.map(segment), id: id.clone(), asked: RequestSeq(asked), mention: FeedSource::default() }
    }

    fn take_list(ledger: &mut SegmentCache, page: Vec<Fetched>, begun: u64) -> ListDiff {
        ledger.begin_list(RequestSeq(begun));
        for answer in page {
            ledger.take_page(answer.now.into_iter().collect(), answer.asked);
        }
        ledger.end_list()
    }

    fn names(ledger: &SegmentCache) -> Vec<String> {
        ledger.segments().map(|segment| segment.name.to_string()).collect()
    }

    #[test]
    fn a_late_answer_does_not_bring_the_dead_back() {
        let mut ledger = SegmentCache::default();
        ledger.take(answer(Some("old"), 1));
        ledger.take(answer(None, 3));
        assert_eq!(ledger.take(answer(Some("ghost"), 2)), None);
        assert_eq!(ledger.segments().count(), 0);
    }

    #[test]
    fn the_same_again_is_no_change() {
        let mut ledger = SegmentCache::default();
        assert!(ledger.take(answer(Some("a"), 1)).is_some());
        assert_eq!(ledger.take(answer(Some("a"), 2)), None);
        assert_eq!(ledger.take(answer(None, 3)).unwrap().before.unwrap().name, "a");
        assert_eq!(ledger.take(answer(None, 4)), None);
    }

    #[test]
    fn a_list_tells_what_it_lacks_and_overrides_nothing_that_was_learnt_meanwhile() {
        let mut ledger = SegmentCache::default();
        ledger.take(answer(Some("before"), 1));
        assert_eq!(take_list(&mut ledger, Vec::new(), 2).absent.len(), 1);
        assert_eq!(names(&ledger), ["before"]);
        ledger.take(answer(None, 2));
        assert_eq!(names(&ledger), [""; 0]);
        ledger.take(answer(Some("meanwhile"), 5));
        let taken = take_list(&mut ledger, vec![answer(Some("stale"), 4)], 3);
        assert_eq!((names(&ledger), taken.absent.len(), taken.different.len()), (vec!["meanwhile".to_owned()], 0, 0));
        ledger.take(answer(None, 8));
        take_list(&mut ledger, vec![answer(Some("ghost"), 7)], 6);
        assert_eq!(names(&ledger), [""; 0]);
    }
    #[test]
    fn a_later_list_shows_all_at_once_and_confirms_what_is_the_same() {
        let mut ledger = SegmentCache::default();
        ledger.take(answer(Some("a"), 1));
        ledger.begin_list(RequestSeq(2));
        ledger.take_page(answer(Some("b"), 4).now.into_iter().collect(), RequestSeq(4));
        assert_eq!((names(&ledger), ledger.count_of_list()), (vec!["a".to_owned()], 1));
        // On another page that was asked for earlier it is as it was.
        ledger.take_page(answer(Some("a"), 3).now.into_iter().collect(), RequestSeq(3));
        assert_eq!(ledger.count_of_list(), 1);
        let taken = ledger.end_list();
        assert_eq!((taken.absent.len(), taken.different.len()), (0, 1));
        assert_eq!(names(&ledger), ["b"]);
    }
}
