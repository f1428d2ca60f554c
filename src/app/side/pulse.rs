//! [`Pulse`]: how many changes by others were seen in each of the last minutes, by kind. Its size does not depend on how many
//! there were.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::app::EntryKind;

/// The kinds of changes to count.
pub const KINDS: [EntryKind; 3] = [EntryKind::Created, EntryKind::Changed, EntryKind::Deleted];
/// Minutes to keep.
pub const MINUTES: usize = 10;

/// Seconds per bucket. The boundary of a minute is off by at most this much.
const BUCKET_SECONDS: i64 = 10;
const BUCKETS_PER_MINUTE: i64 = 60 / BUCKET_SECONDS;
const MAX_BUCKETS: usize = MINUTES * 6;

/// Counts per time bucket, newest first.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    buckets: VecDeque<(i64, [usize; KINDS.len()])>,
}

impl Pulse {
    pub(in crate::app) fn record(&mut self, at: Timestamp, kind: EntryKind) {
        let Some(kind) = KINDS.iter().position(|known| *known == kind) else { return };
        let bucket = at.as_second().div_euclid(BUCKET_SECONDS);
        // With a clock that was set back, changes count towards the newest bucket.
        if self.buckets.front().is_none_or(|(newest, _)| *newest < bucket) {
            self.buckets.truncate(MAX_BUCKETS - 1);
            self.buckets.push_front((bucket, [0; KINDS.len()]));
        }
        if let Some((_, counts)) = self.buckets.front_mut() {
            counts[kind] += 1;
        }
    }

    /// Returns the counts of a kind for the last `minutes` minutes up to `now`, oldest first.
    #[must_use]
    pub fn minutes(&self, kind: EntryKind, now: Timestamp, minutes: usize) -> Vec<usize> {
        let mut counts = vec![0; minutes];
        let Some(kind) = KINDS.iter().position(|known| *known == kind) else { return counts };
        let newest = now.as_second().div_euclid(BUCKET_SECONDS);
        for (bucket, of_kinds) in &self.buckets {
            let ago = usize::try_from((newest - bucket).max(0) / BUCKETS_PER_MINUTE).unwrap_or(usize::MAX);
            if let Some(count) = minutes.checked_sub(ago.saturating_add(1)).and_then(|at| counts.get_mut(at)) {
                *count += of_kinds[kind];
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn changes_are_counted_by_minute_and_kind_and_then_dropped() {
        let begin: Timestamp = "2026-11-23T12:41:00Z".parse().unwrap();
        let at = |seconds| begin + SignedDuration::from_secs(seconds);
        let mut pulse = Pulse::default();
        for seconds in [0, 1, 2, 70, 130] {
            pulse.record(at(seconds), EntryKind::Changed);
        }
        pulse.record(at(135), EntryKind::Created);
        pulse.record(at(135), EntryKind::Notice);
        assert_eq!(pulse.minutes(EntryKind::Changed, at(139), 4), [0, 3, 1, 1]);
        assert_eq!(pulse.minutes(EntryKind::Created, at(139), 1), [1]);
        assert_eq!(pulse.minutes(EntryKind::Deleted, at(139), 3), [0, 0, 0]);
        assert_eq!(pulse.minutes(EntryKind::Notice, at(139), 1), [0]);
        assert_eq!(pulse.minutes(EntryKind::Changed, at(900), MINUTES), [0; MINUTES]);
        assert_eq!(pulse.minutes(EntryKind::Changed, at(139), 0), Vec::<usize>::new());
    }

    #[test]
    fn many_changes_take_no_more_memory() {
        let mut pulse = Pulse::default();
        for second in 0..10_000 {
            pulse.record(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second), EntryKind::Created);
        }
        assert_eq!(pulse.buckets.len(), MAX_BUCKETS);
    }
}
