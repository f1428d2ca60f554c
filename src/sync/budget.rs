//! Limits the rate of requests, whatever the server responds.
//!
//! A token bucket: a burst is free, then so many requests per second. The time is passed in as a value.

use tokio::time::{Duration, Instant};

/// Requests that may still be sent.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    last_refill: Instant,
}

impl TokenBucket {
    /// Allows `burst` requests at once, then `per_second` per second.
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { burst, per_second: f64::from(per_second.max(1)), tokens: burst, last_refill: now }
    }

    /// Counts a request. More can be counted than are left; later requests wait correspondingly longer.
    pub fn consume(&mut self, now: Instant) {
        self.refill(now);
        // The debt is bounded, so that a burst of unavoidable requests doesn't block everything for long.
        self.tokens = (self.tokens - 1.0).max(-self.burst);
    }

    /// Returns when the next request may be sent.
    pub fn next_allowed(&mut self, now: Instant) -> Instant {
        self.refill(now);
        if self.tokens >= 1.0 { now } else { now + Duration::from_secs_f64((1.0 - self.tokens) / self.per_second) }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.last_refill).as_secs_f64();
        self.last_refill = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_later_requests_are_spread_out() {
        let begun = Instant::now();
        let mut bucket = TokenBucket::new(10, 4, begun);
        let mut now = begun;
        let mut asked = 0;
        while now < begun + Duration::from_secs(10) {
            now = bucket.next_allowed(now);
            bucket.consume(now);
            asked += 1;
        }
        assert!((10 + 39..=10 + 42).contains(&asked), "{asked} questions in ten seconds");
    }

    #[test]
    fn a_pause_restores_one_burst_and_no_more() {
        let begun = Instant::now();
        let mut bucket = TokenBucket::new(3, 1, begun);
        let later = begun + Duration::from_secs(86_400);
        for _ in 0..3 {
            assert_eq!(bucket.next_allowed(later), later);
            bucket.consume(later);
        }
        assert!(bucket.next_allowed(later) > later);
    }
}
