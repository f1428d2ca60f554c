//! Records feed events while something is being written, and judges whether they reveal someone else's write.
//!
//! Someone else can write between a read and the write that follows it. The API has no versions, so the only trace is one
//! more event for the segment than the own write causes. The number of events per write is not guaranteed, though: some feeds
//! emit two. So it is learnt from own writes and from how the feed reports others' writes.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::remote::{Context, FeedEvent, FeedEventKind};
use crate::segment::SegmentId;

/// Position in the sequence of feed events of this session. Later events have greater numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventMark(u64);

/// An event that named a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamingEvent {
    pub at: EventMark,
    pub kind: FeedEventKind,
}

/// Feed events since the first of the writes under way began.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    last_mark: EventMark,
    recorded_events: HashMap<SegmentId, Vec<NamingEvent>>,
    events_per_write: EventsPerWrite,
}

/// How many events the feed emits per write.
#[derive(Debug, Default)]
struct EventsPerWrite {
    /// Numbers of events for the last own writes.
    own_counts: VecDeque<usize>,
    /// Largest number of events in a row for one write of others, as far as that is certain.
    max_others: usize,
}

/// Events kept per segment; more would add nothing.
const MAX_EVENTS_PER_SEGMENT: usize = 64;
/// Segments whose events are kept.
const MAX_SEGMENTS: usize = 20_000;
/// Own writes that are remembered.
const MAX_OWN_WRITES: usize = 8;
/// Minimum number of runs of equal events for a feed that doubles its events.
const MIN_RUNS: usize = 2;
/// Number of own writes from which the events per write are known.
const MIN_OWN_WRITES: usize = 2;
/// Minimum number of events from which to infer that a feed doubles its events.
const MIN_EVENTS: usize = 4;

impl Hearing {
    /// Takes in a part of the feed. Its events are kept while `writing`.
    pub fn record(&mut self, events: &[(Option<Context>, FeedEvent)], writing: bool) {
        self.events_per_write.learn(events.iter().map(|(_, event)| event));
        if !writing {
            self.recorded_events.clear();
        }
        for (_, FeedEvent { id, kind }) in events {
            self.last_mark.0 += 1;
            if !writing || (self.recorded_events.len() >= MAX_SEGMENTS && !self.recorded_events.contains_key(id)) {
                continue;
            }
            let recorded = self.recorded_events.entry(id.clone()).or_default();
            if recorded.len() < MAX_EVENTS_PER_SEGMENT {
                recorded.push(NamingEvent { at: self.last_mark, kind: *kind });
            }
        }
    }

    /// Learns from events before the followed position. Their segments are not fetched.
    pub fn learn_from(&mut self, past: &[FeedEvent]) {
        self.events_per_write.learn(past.iter());
    }

    /// Position up to which the feed was read.
    pub const fn current_mark(&self) -> EventMark {
        self.last_mark
    }

    /// Returns the events that named a segment after a mark.
    pub fn events_since(&self, id: &SegmentId, since: EventMark) -> impl Iterator<Item = NamingEvent> {
        self.recorded_events.get(id).into_iter().flatten().copied().filter(move |event| event.at > since)
    }

    /// Whether `event_count` events of a segment are more than `own_writes` account for. The numbers are learnt for later
    /// judgements.
    pub fn detect_other_writer(&mut self, event_count: usize, own_writes: usize) -> bool {
        let has_other_writer = self.events_per_write.exceeds_expected(event_count, own_writes);
        self.events_per_write.record_own_write(event_count, own_writes);
        has_other_writer
    }

    /// Same as [`Self::detect_other_writer`] for a write that is only checked on suspicion, from which the usual number can't
    /// be learnt.
    pub fn suspect_other_writer(&self, event_count: usize, own_writes: usize) -> bool {
        self.events_per_write.exceeds_expected(event_count, own_writes)
    }
}

impl EventsPerWrite {
    /// A segment is created or deleted only once, so a feed that reports either twice in a row emits two events per write. So
    /// does a feed in which at least half of the events equal the one before.
    fn learn<'a>(&mut self, events: impl Iterator<Item = &'a FeedEvent>) {
        let (mut count, mut doubled, mut run, mut longest, mut runs) = (0, 0, 1, 1, 0);
        let mut before: Option<&FeedEvent> = None;
        for event in events {
            count += 1;
            if before == Some(event) {
                doubled += 1;
                run += 1;
                runs += usize::from(run == 2);
                longest = longest.max(run);
                if event.kind != FeedEventKind::Updated {
                    self.max_others = self.max_others.max(run);
                }
            } else {
                run = 1;
            }
            before = Some(event);
        }
        // Someone saving one segment repeatedly says nothing about how the feed reports others' writes.
        if count >= MIN_EVENTS && runs >= MIN_RUNS && doubled * 2 >= count {
            self.max_others = self.max_others.max(longest.min(doubled.div_ceil((count - doubled).max(1)) + 1));
        }
    }

    fn exceeds_expected(&self, event_count: usize, own_writes: usize) -> bool {
        // A single own write may have been overwritten by someone else.
        let own = self.own_counts.iter().copied().min().filter(|_| self.own_counts.len() >= MIN_OWN_WRITES);
        let expected = own.unwrap_or(1).max(self.max_others).max(1);
        event_count > expected.saturating_mul(own_writes)
    }

    fn record_own_write(&mut self, event_count: usize, own_writes: usize) {
        if event_count > 0 && own_writes == 1 {
            self.own_counts.truncate(MAX_OWN_WRITES - 1);
            self.own_counts.push_front(event_count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: FeedEventKind) -> FeedEvent {
        FeedEvent { id: SegmentId::new(id).unwrap(), kind }
    }

    fn record_all(hearing: &mut Hearing, events: &[FeedEvent]) {
        let events: Vec<_> = events.iter().map(|event| (None, event.clone())).collect();
        hearing.record(&events, true);
    }

    #[test]
    fn a_second_event_for_one_write_means_someone_else_wrote() {
        let mut hearing = Hearing::default();
        assert!(!hearing.detect_other_writer(0, 1), "a feed that lags");
        assert!(!hearing.detect_other_writer(1, 1));
        assert!(hearing.detect_other_writer(2, 1));
        assert!(!hearing.detect_other_writer(1, 1));
        assert!(hearing.detect_other_writer(3, 1));
    }

    #[test]
    fn checks_made_on_suspicion_are_not_learnt_as_usual() {
        let mut hearing = Hearing::default();
        for _ in 0..5 {
            assert!(hearing.suspect_other_writer(2, 1));
        }
        assert!(hearing.detect_other_writer(2, 1));
    }

    #[test]
    fn a_feed_that_doubles_events_raises_no_suspicion() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "b", "c", "c"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        for _ in 0..5 {
            assert!(!hearing.detect_other_writer(2, 1));
        }
        assert!(hearing.detect_other_writer(3, 1), "one write more than usual");
        let mut fresh = Hearing::default();
        record_all(&mut fresh, &[event("a", FeedEventKind::Deleted), event("a", FeedEventKind::Deleted)]);
        assert!(!fresh.detect_other_writer(2, 1), "nothing goes twice");
        let mut unknown = Hearing::default();
        for _ in 0..MIN_OWN_WRITES {
            assert!(unknown.detect_other_writer(2, 1), "with nothing to go by");
        }
        assert!(!unknown.detect_other_writer(2, 1), "once it is known to be usual");
    }

    #[test]
    fn repeated_saves_of_one_segment_are_not_doubling() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "c", "d", "a", "e"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        assert!(hearing.detect_other_writer(2, 1));
        let saved_again: Vec<_> = ["a", "a", "a", "b"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&saved_again);
        assert!(hearing.detect_other_writer(2, 1));
    }

    #[test]
    fn events_are_kept_during_writes_and_counted_from_a_mark() {
        let mut hearing = Hearing::default();
        record_all(&mut hearing, &[event("a", FeedEventKind::Updated)]);
        let mark = hearing.current_mark();
        record_all(&mut hearing, &[event("b", FeedEventKind::Updated), event("a", FeedEventKind::Deleted)]);
        let a = SegmentId::new("a").unwrap();
        assert_eq!(
            hearing.events_since(&a, mark).map(|event| event.kind).collect::<Vec<_>>(),
            [FeedEventKind::Deleted]
        );
        hearing.record(&[], false);
        assert_eq!(hearing.events_since(&a, EventMark::default()).count(), 0);
    }
}
