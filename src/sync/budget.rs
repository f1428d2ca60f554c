//! How often a server is asked, whatever it answers.
//!
//! A token bucket: a burst is free, and after it there is so much a second. Time comes in as a value.

use tokio::time::{Duration, Instant};

/// Questions that may still be asked.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    burst: f64,
    a_second: f64,
    left: f64,
    counted: Instant,
}

impl Budget {
    /// So many at once, and so many a second after that.
    pub fn new(burst: u32, a_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { burst, a_second: f64::from(a_second.max(1)), left: burst, counted: now }
    }

    /// Counts a question. More can be counted than there are left; that is made up for later.
    pub fn spend(&mut self, now: Instant) {
        self.refill(now);
        // What is owed is bounded, so that a burst of what had to be asked doesn't silence everything for long.
        self.left = (self.left - 1.0).max(-self.burst);
    }

    /// When the next question may be asked.
    pub fn next(&mut self, now: Instant) -> Instant {
        self.refill(now);
        if self.left >= 1.0 { now } else { now + Duration::from_secs_f64((1.0 - self.left) / self.a_second) }
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.counted = now;
        self.left = (self.left + passed * self.a_second).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_follows_is_spread() {
        let begun = Instant::now();
        let mut budget = Budget::new(10, 4, begun);
        let mut now = begun;
        let mut asked = 0;
        while now < begun + Duration::from_secs(10) {
            now = budget.next(now);
            budget.spend(now);
            asked += 1;
        }
        assert!((10 + 39..=10 + 42).contains(&asked), "{asked} questions in ten seconds");
    }

    #[test]
    fn rest_brings_back_the_burst_and_no_more() {
        let begun = Instant::now();
        let mut budget = Budget::new(3, 1, begun);
        let later = begun + Duration::from_secs(86_400);
        for _ in 0..3 {
            assert_eq!(budget.next(later), later);
            budget.spend(later);
        }
        assert!(budget.next(later) > later);
    }
}
