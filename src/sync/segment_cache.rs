//! The cache of all segments, each with the sequence number of the request that returned it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::{HashMap, HashSet};

use crate::segment::{Segment, SegmentId};

use super::id_map::{Cached, CachedMut, IdMap};
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
    pub seq: RequestSeq,
    /// How the feed named it, if that is why it was fetched.
    pub feed_source: FeedSource,
}

/// The result of a list.
#[derive(Debug)]
pub(super) struct ListDiff {
    /// Known segments that the list did not contain: they are deleted, or have moved between pages.
    pub missing: Vec<SegmentId>,
    /// Differences from what was known.
    pub different: Vec<SegmentChange>,
    /// Number of repeated entries.
    pub repeated: usize,
}

/// A list that is being received.
#[derive(Debug)]
struct ListInProgress {
    /// Sequence number of the request that started the list.
    start_seq: RequestSeq,
    /// Segments that differ from what is known. They are applied all at once when the list is complete.
    staged: HashMap<SegmentId, Cached>,
    /// Number of distinct segments so far.
    count: usize,
    /// Number of entries so far.
    entries: usize,
    /// Segments that were fetched since the list began, and that it has not contained since.
    fetched_meanwhile: HashSet<SegmentId>,
}

impl ListInProgress {
    /// Whether the list contains a segment for the first time. `known` is the last request that returned the segment.
    fn is_new(&mut self, id: &SegmentId, known: Option<RequestSeq>) -> bool {
        self.fetched_meanwhile.remove(id) || known.is_none_or(|known| known < self.start_seq)
    }
}

/// Everything that is known, including deleted segments: a late response must not restore them.
#[derive(Debug, Default)]
pub(super) struct SegmentCache {
    known: IdMap,
    /// Segments known not to exist, and the request that showed it.
    tombstones: HashMap<SegmentId, RequestSeq>,
    /// Sequence number of the request that started the last complete list.
    last_list: Option<RequestSeq>,
    /// Segments found not to exist by a request before this one have been forgotten.
    pruned_before: Option<RequestSeq>,
    current_list: Option<ListInProgress>,
}

impl SegmentCache {
    /// Applies a response unless a later request was already answered. Returns the change, if any.
    pub fn apply(&mut self, response: Fetched) -> Option<SegmentChange> {
        if let Some(list) = &mut self.current_list {
            list.fetched_meanwhile.insert(response.id.clone());
        }
        self.apply_response(response)
    }

    fn apply_response(&mut self, response: Fetched) -> Option<SegmentChange> {
        let Fetched { id, now, seq, feed_source } = response;
        let Some(mut known) = self.known.get_mut(&id) else {
            // The request is so old that it is no longer known whether the segment was deleted since.
            if self.tombstones.get(&id).is_some_and(|deleted_at| *deleted_at > seq)
                || self.pruned_before.is_some_and(|then| seq < then)
            {
                return None;
            }
            let Some(segment) = now else {
                self.tombstones.insert(id, seq);
                return None;
            };
            self.tombstones.remove(&id);
            self.known.insert(Cached { segment: Arc::clone(&segment), seq });
            return Some(SegmentChange { id, before: None, now: Some(segment), feed_source });
        };
        if known.seq() > seq {
            return None;
        }
        known.confirm(seq);
        match now {
            // Unchanged: those who share the old allocation go on sharing it.
            Some(segment) if segment == *known.segment => None,
            Some(segment) => {
                let before = std::mem::replace(known.segment, Arc::clone(&segment));
                Some(SegmentChange { id, before: Some(before), now: Some(segment), feed_source })
            }
            None => {
                let before = Some(Arc::clone(known.segment));
                self.known.remove(&id);
                self.tombstones.insert(id.clone(), seq);
                Some(SegmentChange { id, before, now: None, feed_source })
            }
        }
    }

    /// Starts with these segments, as responses to one request.
    pub fn restore(&mut self, known: IdMap) {
        self.known = known;
    }

    /// Begins a list with its first request.
    pub fn begin_list(&mut self, start_seq: RequestSeq) {
        self.current_list = Some(ListInProgress {
            start_seq,
            staged: HashMap::new(),
            count: 0,
            entries: 0,
            fetched_meanwhile: HashSet::new(),
        });
    }

    /// Number of distinct segments in the list so far.
    pub fn listed_count(&self) -> usize {
        self.current_list.as_ref().map_or(0, |list| list.count)
    }

    /// Applies a page of the first list at once. Returns the segments that are new or changed.
    pub fn apply_page(&mut self, segments: Vec<Arc<Segment>>, seq: RequestSeq) -> Vec<Arc<Segment>> {
        let mut updated = segments;
        if let Some(list) = &mut self.current_list {
            list.entries += updated.len();
        }
        self.known.prefetch(&updated);
        updated.retain(|segment| {
            // The usual case. The code below has the same effect, but looks up the id several times.
            if self.tombstones.is_empty() && self.known.insert_new(Cached { segment: Arc::clone(segment), seq }) {
                if let Some(list) = &mut self.current_list {
                    list.count += 1;
                }
                return true;
            }
            let known = self.known.get(&segment.id).map(|known| known.seq);
            if let Some(list) = &mut self.current_list {
                list.count += usize::from(list.is_new(&segment.id, known));
            }
            let (id, now) = (segment.id.clone(), Some(Arc::clone(segment)));
            self.apply_response(Fetched { id, now, seq, feed_source: FeedSource::default() }).is_some()
        });
        updated
    }

    /// Takes in a page of a later list. Unchanged segments are confirmed; only the others are kept, aside.
    pub fn stage_page(&mut self, segments: Vec<Arc<Segment>>, seq: RequestSeq) {
        let Some(list) = &mut self.current_list else { return };
        list.entries += segments.len();
        for segment in segments {
            let known = self.known.get_mut(&segment.id);
            let first_time =
                list.is_new(&segment.id, known.as_ref().map(CachedMut::seq)) && !list.staged.contains_key(&segment.id);
            list.count += usize::from(first_time);
            match known {
                Some(known) if known.seq() > seq => {}
                Some(mut known) if *known.segment == segment => {
                    known.confirm(seq);
                    if list.staged.get(&segment.id).is_some_and(|staged| staged.seq < seq) {
                        list.staged.remove(&segment.id);
                    }
                }
                // If a segment is on two pages, the one requested later is newer.
                _ if list.staged.get(&segment.id).is_some_and(|staged| staged.seq > seq) => {}
                _ => {
                    list.staged.insert(segment.id.clone(), Cached { segment, seq });
                }
            }
        }
    }

    /// Completes the list.
    pub fn end_list(&mut self) -> ListDiff {
        let Some(ListInProgress { start_seq, staged, count, entries, .. }) = self.current_list.take() else {
            return ListDiff { missing: Vec::new(), different: Vec::new(), repeated: 0 };
        };
        let responses = staged.into_iter().map(|(id, Cached { segment, seq })| Fetched {
            id,
            now: Some(segment),
            seq,
            feed_source: FeedSource::default(),
        });
        let different = responses.filter_map(|response| self.apply_response(response)).collect();
        // Hardly any response is so late that it was requested before the previous list.
        let previous_list = self.last_list.replace(start_seq);
        self.tombstones.retain(|_, seq| Some(*seq) >= previous_list);
        self.pruned_before = previous_list;
        // What the list contains was requested after it began.
        let unlisted = self.known.iter().filter(|cached| cached.seq < start_seq);
        let missing = unlisted.map(|cached| cached.segment.id.clone()).collect();
        ListDiff { missing, different, repeated: entries.saturating_sub(count) }
    }

    /// Returns a segment as currently known.
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        Some(self.known.get(id)?.segment)
    }

    /// Number of segments known to exist.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether the state of a segment is known from a request after `seq`.
    pub fn is_known_since(&self, id: &SegmentId, seq: RequestSeq) -> bool {
        self.known.get(id).is_some_and(|known| known.seq > seq)
            || self.tombstones.get(id).is_some_and(|deleted_at| *deleted_at > seq)
    }

    /// Whether a segment is known not to exist.
    pub fn is_deleted(&self, id: &SegmentId) -> bool {
        self.tombstones.contains_key(id)
    }

    /// The segments known to exist.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.known.segments()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(name: Option<&str>, seq: u64) -> Fetched {
        let id = SegmentId::new("vip").unwrap();
        let segment =
            |name: &str| Arc::new(Segment { id: id.clone(), name: name.into(), external_id: None, parent: None });
        Fetched { now: name.map(segment), id: id.clone(), seq: RequestSeq(seq), feed_source: FeedSource::default() }
    }

    fn take_list(cache: &mut SegmentCache, page: Vec<Fetched>, start_seq: u64) -> ListDiff {
        cache.begin_list(RequestSeq(start_seq));
        for response in page {
            cache.stage_page(response.now.into_iter().collect(), response.seq);
        }
        cache.end_list()
    }

    fn names(cache: &SegmentCache) -> Vec<String> {
        cache.segments().map(|segment| segment.name.to_string()).collect()
    }

    #[test]
    fn a_late_response_does_not_restore_a_deleted_segment() {
        let mut cache = SegmentCache::default();
        cache.apply(response(Some("old"), 1));
        cache.apply(response(None, 3));
        assert_eq!(cache.apply(response(Some("ghost"), 2)), None);
        assert_eq!(cache.segments().count(), 0);
    }

    #[test]
    fn an_unchanged_segment_is_no_change() {
        let mut cache = SegmentCache::default();
        assert!(cache.apply(response(Some("a"), 1)).is_some());
        assert_eq!(cache.apply(response(Some("a"), 2)), None);
        assert_eq!(cache.apply(response(None, 3)).unwrap().before.unwrap().name, "a");
        assert_eq!(cache.apply(response(None, 4)), None);
    }

    #[test]
    fn a_list_reports_missing_segments_and_keeps_newer_state() {
        let mut cache = SegmentCache::default();
        cache.apply(response(Some("before"), 1));
        assert_eq!(take_list(&mut cache, Vec::new(), 2).missing.len(), 1);
        assert_eq!(names(&cache), ["before"]);
        cache.apply(response(None, 2));
        assert_eq!(names(&cache), [""; 0]);
        cache.apply(response(Some("meanwhile"), 5));
        let diff = take_list(&mut cache, vec![response(Some("stale"), 4)], 3);
        assert_eq!((names(&cache), diff.missing.len(), diff.different.len()), (vec!["meanwhile".to_owned()], 0, 0));
        cache.apply(response(None, 8));
        take_list(&mut cache, vec![response(Some("ghost"), 7)], 6);
        assert_eq!(names(&cache), [""; 0]);
    }
    #[test]
    fn a_later_list_applies_at_once_and_confirms_unchanged() {
        let mut cache = SegmentCache::default();
        cache.apply(response(Some("a"), 1));
        cache.begin_list(RequestSeq(2));
        cache.stage_page(response(Some("b"), 4).now.into_iter().collect(), RequestSeq(4));
        assert_eq!((names(&cache), cache.listed_count()), (vec!["a".to_owned()], 1));
        // On another page, requested earlier, it is unchanged.
        cache.stage_page(response(Some("a"), 3).now.into_iter().collect(), RequestSeq(3));
        assert_eq!(cache.listed_count(), 1);
        let diff = cache.end_list();
        assert_eq!((diff.missing.len(), diff.different.len()), (0, 1));
        assert_eq!(names(&cache), ["b"]);
    }
}
