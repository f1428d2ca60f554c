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
pub(super) struct Heard(u64);

/// An event that named a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Naming {
    pub at: Heard,
    pub kind: FeedEventKind,
}

/// Feed events since the first of the writes under way began.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    last: Heard,
    namings: HashMap<SegmentId, Vec<Naming>>,
    echo: Echo,
}

/// How many events the feed emits per write.
#[derive(Debug, Default)]
struct Echo {
    /// Numbers of events for the last own writes.
    own: VecDeque<usize>,
    /// Largest number of events in a row for one write of others, as far as that is certain.
    others: usize,
}

/// Events kept per segment; more would add nothing.
const NAMINGS: usize = 64;
/// Segments whose events are kept.
const SEGMENTS: usize = 20_000;
/// Own writes that are remembered.
const WRITES: usize = 8;
/// Minimum number of runs of equal events for a feed that doubles its events.
const RUNS: usize = 2;
/// Number of own writes from which the events per write are known.
const CERTAIN: usize = 2;
/// Minimum number of events from which to infer that a feed doubles its events.
const TELLING: usize = 4;

impl Hearing {
    /// Takes in a part of the feed. Its events are kept while `writing`.
    pub fn hear(&mut self, events: &[(Option<Context>, FeedEvent)], writing: bool) {
        self.echo.learn(events.iter().map(|(_, event)| event));
        if !writing {
            self.namings.clear();
        }
        for (_, FeedEvent { id, kind }) in events {
            self.last.0 += 1;
            if !writing || (self.namings.len() >= SEGMENTS && !self.namings.contains_key(id)) {
                continue;
            }
            let namings = self.namings.entry(id.clone()).or_default();
            if namings.len() < NAMINGS {
                namings.push(Naming { at: self.last, kind: *kind });
            }
        }
    }

    /// Learns from events before the followed position. Their segments are not fetched.
    pub fn learn_from(&mut self, past: &[FeedEvent]) {
        self.echo.learn(past.iter());
    }

    /// Position up to which the feed was read.
    pub const fn now(&self) -> Heard {
        self.last
    }

    /// Returns the events that named a segment after a mark.
    pub fn since(&self, id: &SegmentId, since: Heard) -> impl Iterator<Item = Naming> {
        self.namings.get(id).into_iter().flatten().copied().filter(move |naming| naming.at > since)
    }

    /// Whether `namings` events of a segment are more than `own_writes` account for. The numbers are learnt for later
    /// judgements.
    pub fn someone_else(&mut self, namings: usize, own_writes: usize) -> bool {
        let judged = self.echo.judge(namings, own_writes);
        self.echo.take(namings, own_writes);
        judged
    }

    /// Same as [`Self::someone_else`] for a write that is only checked on suspicion, from which the usual number can't be
    /// learnt.
    pub fn probably_someone_else(&self, namings: usize, own_writes: usize) -> bool {
        self.echo.judge(namings, own_writes)
    }
}

impl Echo {
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
                    self.others = self.others.max(run);
                }
            } else {
                run = 1;
            }
            before = Some(event);
        }
        // Someone saving one segment repeatedly says nothing about how the feed reports others' writes.
        if count >= TELLING && runs >= RUNS && doubled * 2 >= count {
            self.others = self.others.max(longest.min(doubled.div_ceil((count - doubled).max(1)) + 1));
        }
    }

    fn judge(&self, namings: usize, own_writes: usize) -> bool {
        // A single own write may have been overwritten by someone else.
        let own = self.own.iter().copied().min().filter(|_| self.own.len() >= CERTAIN);
        let usual = own.unwrap_or(1).max(self.others).max(1);
        namings > usual.saturating_mul(own_writes)
    }

    fn take(&mut self, namings: usize, own_writes: usize) {
        if namings > 0 && own_writes == 1 {
            self.own.truncate(WRITES - 1);
            self.own.push_front(namings);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: FeedEventKind) -> FeedEvent {
        FeedEvent { id: SegmentId::new(id).unwrap(), kind }
    }

    fn heard(hearing: &mut Hearing, events: &[FeedEvent]) {
        let events: Vec<_> = events.iter().map(|event| (None, event.clone())).collect();
        hearing.hear(&events, true);
    }

    #[test]
    fn a_second_event_for_one_write_means_someone_else_wrote() {
        let mut hearing = Hearing::default();
        assert!(!hearing.someone_else(0, 1), "a feed that lags");
        assert!(!hearing.someone_else(1, 1));
        assert!(hearing.someone_else(2, 1));
        assert!(!hearing.someone_else(1, 1));
        assert!(hearing.someone_else(3, 1));
    }

    #[test]
    fn checks_made_on_suspicion_are_not_learnt_as_usual() {
        let mut hearing = Hearing::default();
        for _ in 0..5 {
            assert!(hearing.probably_someone_else(2, 1));
        }
        assert!(hearing.someone_else(2, 1));
    }

    #[test]
    fn a_feed_that_doubles_events_raises_no_suspicion() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "b", "c", "c"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        for _ in 0..5 {
            assert!(!hearing.someone_else(2, 1));
        }
        assert!(hearing.someone_else(3, 1), "one write more than usual");
        let mut fresh = Hearing::default();
        heard(&mut fresh, &[event("a", FeedEventKind::Deleted), event("a", FeedEventKind::Deleted)]);
        assert!(!fresh.someone_else(2, 1), "nothing goes twice");
        let mut unknown = Hearing::default();
        for _ in 0..CERTAIN {
            assert!(unknown.someone_else(2, 1), "with nothing to go by");
        }
        assert!(!unknown.someone_else(2, 1), "once it is known to be usual");
    }

    #[test]
    fn repeated_saves_of_one_segment_are_not_doubling() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "c", "d", "a", "e"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        assert!(hearing.someone_else(2, 1));
        let saved_again: Vec<_> = ["a", "a", "a", "b"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&saved_again);
        assert!(hearing.someone_else(2, 1));
    }

    #[test]
    fn events_are_kept_during_writes_and_counted_from_a_mark() {
        let mut hearing = Hearing::default();
        heard(&mut hearing, &[event("a", FeedEventKind::Updated)]);
        let mark = hearing.now();
        heard(&mut hearing, &[event("b", FeedEventKind::Updated), event("a", FeedEventKind::Deleted)]);
        let a = SegmentId::new("a").unwrap();
        assert_eq!(hearing.since(&a, mark).map(|naming| naming.kind).collect::<Vec<_>>(), [FeedEventKind::Deleted]);
        hearing.hear(&[], false);
        assert_eq!(hearing.since(&a, Heard::default()).count(), 0);
    }
}
