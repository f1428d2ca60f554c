//! What the feed said while something was being written, and whether it names somebody else's write.
//!
//! Between looking and writing there is a moment in which somebody else can write too. The API has no versions, so the only
//! trace of that is that the feed names the segment once more than for the write itself. How often a feed names one write is not
//! promised, though: some name each twice. So it is learnt, from own writes and from how the feed tells of others.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::remote::{Context, FeedEvent, FeedEventKind};
use crate::segment::SegmentId;

/// A place in what was heard of the feed in this session. Later ones are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Heard(u64);

/// One naming of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Naming {
    pub at: Heard,
    pub kind: FeedEventKind,
}

/// What was heard of the feed since the first of the writes under way began.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    last: Heard,
    namings: HashMap<SegmentId, Vec<Naming>>,
    echo: Echo,
}

/// How often the feed names one write.
#[derive(Debug, Default)]
struct Echo {
    /// How often it named the last own writes.
    own: VecDeque<usize>,
    /// How often it named one write of others in a row, at most, where that is certain.
    others: usize,
}

/// Namings kept of one segment. More than these say nothing more.
const NAMINGS: usize = 64;
/// Segments of which namings are kept.
const SEGMENTS: usize = 20_000;
/// Own writes that are remembered.
const WRITES: usize = 8;
/// Segments that are named again right away, at least.
const RUNS: usize = 2;
/// Own writes from which on it is known how often the feed names one.
const CERTAIN: usize = 2;
/// Events of others that say whether a feed doubles what it tells, at least.
const TELLING: usize = 4;

impl Hearing {
    /// A part of the feed came. It is kept while `writing`.
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

    /// How the past of the feed was told, which nobody looks at.
    pub fn learn_from(&mut self, past: &[FeedEvent]) {
        self.echo.learn(past.iter());
    }

    /// Up to where the feed was heard.
    pub const fn now(&self) -> Heard {
        self.last
    }

    /// How a segment was named since.
    pub fn since(&self, id: &SegmentId, since: Heard) -> impl Iterator<Item = Naming> {
        self.namings.get(id).into_iter().flatten().copied().filter(move |naming| naming.at > since)
    }

    /// Whether so many namings of a segment that was written here are more than so many own writes account for. The next ones are
    /// judged by these, too.
    pub fn somebody_else(&mut self, namings: usize, own_writes: usize) -> bool {
        let judged = self.echo.judge(namings, own_writes);
        self.echo.take(namings, own_writes);
        judged
    }

    /// The same of a write of which it is asked only where something speaks for somebody else: what is usual can't be learnt from such.
    pub fn probably_somebody_else(&self, namings: usize, own_writes: usize) -> bool {
        self.echo.judge(namings, own_writes)
    }
}

impl Echo {
    /// A segment comes and goes only once, so a feed that says so twice in a row tells one write twice. So does one in which
    /// most events are the same as the one before.
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
        // Somebody who saves one segment again and again says nothing of how the feed tells of others.
        if count >= TELLING && runs >= RUNS && doubled * 2 >= count {
            self.others = self.others.max(longest.min(doubled.div_ceil((count - doubled).max(1)) + 1));
        }
    }

    fn judge(&self, namings: usize, own_writes: usize) -> bool {
        // One write by itself may be one that somebody else has written over.
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
    fn one_naming_is_the_write_itself_and_a_second_somebody_else() {
        let mut hearing = Hearing::default();
        assert!(!hearing.somebody_else(0, 1), "a feed that lags");
        assert!(!hearing.somebody_else(1, 1));
        assert!(hearing.somebody_else(2, 1));
        assert!(!hearing.somebody_else(1, 1));
        assert!(hearing.somebody_else(3, 1));
    }

    #[test]
    fn what_is_asked_only_where_somebody_else_is_suspected_is_not_taken_for_usual() {
        let mut hearing = Hearing::default();
        for _ in 0..5 {
            assert!(hearing.probably_somebody_else(2, 1));
        }
        assert!(hearing.somebody_else(2, 1));
    }

    #[test]
    fn a_feed_that_names_every_write_twice_accuses_nobody() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "b", "c", "c"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        for _ in 0..5 {
            assert!(!hearing.somebody_else(2, 1));
        }
        assert!(hearing.somebody_else(3, 1), "one write more than usual");
        let mut fresh = Hearing::default();
        heard(&mut fresh, &[event("a", FeedEventKind::Deleted), event("a", FeedEventKind::Deleted)]);
        assert!(!fresh.somebody_else(2, 1), "nothing goes twice");
        let mut unknown = Hearing::default();
        for _ in 0..CERTAIN {
            assert!(unknown.somebody_else(2, 1), "with nothing to go by");
        }
        assert!(!unknown.somebody_else(2, 1), "once it is known to be usual");
    }

    #[test]
    fn what_a_busy_segment_is_called_twice_in_a_row_is_no_doubling() {
        let mut hearing = Hearing::default();
        let past: Vec<_> = ["a", "a", "b", "c", "d", "a", "e"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&past);
        assert!(hearing.somebody_else(2, 1));
        let saved_again: Vec<_> = ["a", "a", "a", "b"].map(|id| event(id, FeedEventKind::Updated)).into();
        hearing.learn_from(&saved_again);
        assert!(hearing.somebody_else(2, 1));
    }

    #[test]
    fn namings_are_kept_while_something_is_written_and_counted_from_a_mark_on() {
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
