//! Limits the rate of requests, whatever the server responds.
//!
//! A token bucket: a burst is free, then so many requests per second. The time is passed in as a value.

use tokio::time::{Duration, Instant};

/// Requests that may still be sent.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    burst: f64,
    a_second: f64,
    left: f64,
    counted: Instant,
}

impl Budget {
    /// Allows `burst` requests at once, then `a_second` per second.
    pub fn new(burst: u32, a_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { burst, a_second: f64::from(a_second.max(1)), left: burst, counted: now }
    }

    /// Counts a request. More can be counted than are left; later requests wait correspondingly longer.
    pub fn spend(&mut self, now: Instant) {
        self.refill(now);
        // The debt is bounded, so that a burst of unavoidable requests doesn't block everything for long.
        self.left = (self.left - 1.0).max(-self.burst);
    }

    /// Returns when the next request may be sent.
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
    fn a_burst_is_free_and_later_requests_are_spread_out() {
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
    fn a_pause_restores_one_burst_and_no_more() {
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
