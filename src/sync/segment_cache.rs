//! The cache of all segments, each with the sequence number of the request that returned it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::{HashMap, HashSet};

use crate::segment::{Segment, SegmentId};

use super::id_map::{Cached, IdMap, KnownMut};
use super::message::{FeedSource, SegmentChange};

/// Sequence number of a request. A later request has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestSeq(pub(super) u64);

/// Numbers requests across all tasks.
#[derive(Debug, Clone, Default)]
pub(super) struct SequenceCounter {
    last: Arc<AtomicU64>,
}

impl SequenceCounter {
    /// Returns the number of the request that is sent now.
    pub fn next(&self) -> RequestSeq {
        RequestSeq(self.last.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// The response about one segment.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub id: SegmentId,
    /// `None` if there is no such segment.
    pub now: Option<Arc<Segment>>,
    pub asked: RequestSeq,
    /// How the feed named it, if that is why it was fetched.
    pub mention: FeedSource,
}

/// The result of a list.
#[derive(Debug)]
pub(super) struct ListDiff {
    /// Known segments that the list did not contain: they are deleted, or have moved between pages.
    pub absent: Vec<SegmentId>,
    /// Differences from what was known.
    pub different: Vec<SegmentChange>,
    /// Number of repeated entries.
    pub repeated: usize,
}

/// A list that is being received.
#[derive(Debug)]
struct ListInProgress {
    /// Sequence number of the request that started the list.
    begun: RequestSeq,
    /// Segments that differ from what is known. They are applied all at once when the list is complete.
    aside: HashMap<SegmentId, Cached>,
    /// Number of distinct segments so far.
    count: usize,
    /// Number of entries so far.
    entries: usize,
    /// Segments that were fetched since the list began, and that it has not contained since.
    otherwise: HashSet<SegmentId>,
}

impl ListInProgress {
    /// Whether the list contains a segment for the first time. `known` is the last request that returned the segment.
    fn is_new(&mut self, id: &SegmentId, known: Option<RequestSeq>) -> bool {
        self.otherwise.remove(id) || known.is_none_or(|known| known < self.begun)
    }
}

/// Everything that is known, including deleted segments: a late response must not restore them.
#[derive(Debug, Default)]
pub(super) struct SegmentCache {
    known: IdMap,
    /// Segments known not to exist, and the request that showed it.
    gone: HashMap<SegmentId, RequestSeq>,
    /// Sequence number of the request that started the last complete list.
    last_list: Option<RequestSeq>,
    /// Segments found not to exist by a request before this one have been forgotten.
    forgotten: Option<RequestSeq>,
    taking: Option<ListInProgress>,
}

impl SegmentCache {
    /// Applies a response unless a later request was already answered. Returns the change, if any.
    pub fn take(&mut self, answer: Fetched) -> Option<SegmentChange> {
        if let Some(taking) = &mut self.taking {
            taking.otherwise.insert(answer.id.clone());
        }
        self.enter(answer)
    }

    fn enter(&mut self, answer: Fetched) -> Option<SegmentChange> {
        let Fetched { id, now, asked, mention } = answer;
        let Some(mut known) = self.known.get_mut(&id) else {
            // The request is so old that it is no longer known whether the segment was deleted since.
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
            // Unchanged: those who share the old allocation go on sharing it.
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

    /// Starts with these segments, as responses to one request.
    pub fn begin_with(&mut self, known: IdMap) {
        self.known = known;
    }

    /// Begins a list with its first request.
    pub fn begin_list(&mut self, begun: RequestSeq) {
        self.taking =
            Some(ListInProgress { begun, aside: HashMap::new(), count: 0, entries: 0, otherwise: HashSet::new() });
    }

    /// Number of distinct segments in the list so far.
    pub fn count_of_list(&self) -> usize {
        self.taking.as_ref().map_or(0, |taking| taking.count)
    }

    /// Applies a page of the first list at once. Returns the segments that are new or changed.
    pub fn take_first_page(&mut self, segments: Vec<Arc<Segment>>, asked: RequestSeq) -> Vec<Arc<Segment>> {
        let mut news = segments;
        if let Some(taking) = &mut self.taking {
            taking.entries += news.len();
        }
        self.known.look_ahead(&news);
        news.retain(|segment| {
            // The usual case. The code below has the same effect, but looks up the id several times.
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

    /// Takes in a page of a later list. Unchanged segments are confirmed; only the others are kept, aside.
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
                // If a segment is on two pages, the one requested later is newer.
                _ if taking.aside.get(&segment.id).is_some_and(|aside| aside.asked > asked) => {}
                _ => {
                    taking.aside.insert(segment.id.clone(), Cached { segment, asked });
                }
            }
        }
    }

    /// Completes the list.
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
        // Hardly any response is so late that it was requested before the previous list.
        let long_ago = self.last_list.replace(begun);
        self.gone.retain(|_, asked| Some(*asked) >= long_ago);
        self.forgotten = long_ago;
        // What the list contains was requested after it began.
        let lacking = self.known.iter().filter(|entered| entered.asked < begun);
        let absent = lacking.map(|entered| entered.segment.id.clone()).collect();
        ListDiff { absent, different, repeated: entries.saturating_sub(count) }
    }

    /// Returns a segment as currently known.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        Some(self.known.get(id)?.segment)
    }

    /// Number of segments known to exist.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether the state of a segment is known from a request after `asked`.
    pub fn knows_since(&self, id: &SegmentId, asked: RequestSeq) -> bool {
        self.known.get(id).is_some_and(|known| known.asked > asked)
            || self.gone.get(id).is_some_and(|gone| *gone > asked)
    }

    /// Whether a segment is known not to exist.
    pub fn is_gone(&self, id: &SegmentId) -> bool {
        self.gone.contains_key(id)
    }

    /// The segments known to exist.
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
    fn a_late_response_does_not_restore_a_deleted_segment() {
        let mut ledger = SegmentCache::default();
        ledger.take(answer(Some("old"), 1));
        ledger.take(answer(None, 3));
        assert_eq!(ledger.take(answer(Some("ghost"), 2)), None);
        assert_eq!(ledger.segments().count(), 0);
    }

    #[test]
    fn an_unchanged_segment_is_no_change() {
        let mut ledger = SegmentCache::default();
        assert!(ledger.take(answer(Some("a"), 1)).is_some());
        assert_eq!(ledger.take(answer(Some("a"), 2)), None);
        assert_eq!(ledger.take(answer(None, 3)).unwrap().before.unwrap().name, "a");
        assert_eq!(ledger.take(answer(None, 4)), None);
    }

    #[test]
    fn a_list_reports_missing_segments_and_keeps_newer_state() {
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
    fn a_later_list_applies_at_once_and_confirms_unchanged() {
        let mut ledger = SegmentCache::default();
        ledger.take(answer(Some("a"), 1));
        ledger.begin_list(RequestSeq(2));
        ledger.take_page(answer(Some("b"), 4).now.into_iter().collect(), RequestSeq(4));
        assert_eq!((names(&ledger), ledger.count_of_list()), (vec!["a".to_owned()], 1));
        // On another page, requested earlier, it is unchanged.
        ledger.take_page(answer(Some("a"), 3).now.into_iter().collect(), RequestSeq(3));
        assert_eq!(ledger.count_of_list(), 1);
        let taken = ledger.end_list();
        assert_eq!((taken.absent.len(), taken.different.len()), (0, 1));
        assert_eq!(names(&ledger), ["b"]);
    }
}
