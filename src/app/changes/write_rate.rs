//! [`WriteRate`]: how fast pending writes are done, sampled from time to time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::changes::QueueCounts;

/// The writes done since a batch began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteRate {
    batch_start: Option<(Timestamp, usize)>,
    sampled_at: Option<Timestamp>,
    done: usize,
}

/// The minimum time between two samples.
const MIN_SAMPLE_INTERVAL: SignedDuration = SignedDuration::from_millis(250);

impl WriteRate {
    /// Takes a sample of the counts, unless the last one is too recent.
    pub(super) fn measure(&mut self, now: Timestamp, counts: QueueCounts) {
        if self.sampled_at.is_some_and(|sampled_at| now.duration_since(sampled_at).abs() < MIN_SAMPLE_INTERVAL) {
            return;
        }
        self.sampled_at = Some(now);
        if counts.queued == 0 {
            self.batch_start = None;
        } else if self.batch_start.is_none() || counts.done < self.done {
            self.batch_start = Some((now, counts.done));
        }
        self.done = counts.done;
    }

    /// Returns how many writes of the batch are done, and in what time; `None` while nothing is queued.
    #[must_use]
    pub fn progress(&self, done: usize, now: Timestamp) -> Option<(usize, Duration)> {
        let (since, before) = self.batch_start?;
        let elapsed = Duration::try_from(now.duration_since(since)).ok()?;
        Some((done.checked_sub(before)?, elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_covers_only_the_current_batch() {
        let begin: Timestamp = "2026-11-23T12:41:00Z".parse().unwrap();
        let at = |seconds| begin + SignedDuration::from_secs(seconds);
        let counts = |queued, done| QueueCounts { queued, done, ..QueueCounts::default() };
        let mut pace = WriteRate::default();
        assert_eq!(pace.progress(0, at(0)), None);
        pace.measure(at(0), counts(10, 0));
        pace.measure(at(5), counts(6, 4));
        assert_eq!(pace.progress(4, at(5)), Some((4, Duration::from_secs(5))));
        // A plan has finished, and its operations are no longer counted.
        pace.measure(at(9), counts(5, 1));
        assert_eq!(pace.progress(3, at(10)), Some((2, Duration::from_secs(1))));
        pace.measure(at(12), counts(0, 3));
        assert_eq!(pace.progress(3, at(12)), None);
    }
}
