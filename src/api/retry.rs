//! How often and when a failed call is made again. Waiting is a value here: nothing in this file sleeps or sends.
//!
//! The one rule that matters: a create is repeated only if it was never sent because no connection was made. And a write that is
//! based on what was read is never repeated here: someone else may have changed the segment during the pause.

use std::time::Duration;

use crate::remote::Fault;

/// Whether a call may be made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetrySafety {
    /// Idempotent: a second call changes nothing more.
    Idempotent,
    /// A second call would do it again, such as create a second segment.
    NotIdempotent,
    /// It is based on what was read, so the caller must read again before retrying.
    NeedsReread,
}

/// When and how often to retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The total number of tries, including the first.
    pub tries: u32,
    /// The pause before the second try; it doubles with each further one.
    pub initial_backoff: Duration,
    /// The upper bound of a pause.
    pub max_backoff: Duration,
    /// The longest server-requested wait that is observed here. If the server asks for more, the error is returned at once, so that
    /// the caller can report the wait.
    pub max_retry_after: Duration,
}

impl Default for Policy {
    /// Rides out a restart of the service (a few seconds) without keeping a person waiting much longer than that.
    fn default() -> Self {
        Self {
            tries: 5,
            initial_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(2),
        }
    }
}

impl Policy {
    /// How long to wait before the next try after `failures` failures, the last of them `fault`; `None` if there is no further
    /// try.
    ///
    /// `jitter`, from 0 to 1, spreads clients that failed together: half of the pause is fixed, up to half is added. What the
    /// server asks for is never undercut.
    #[must_use]
    pub fn backoff(&self, fault: &Fault, retry_safety: RetrySafety, failures: u32, jitter: f64) -> Option<Duration> {
        if failures >= self.tries || !is_retryable(fault, retry_safety) {
            return None;
        }
        let doublings = failures.saturating_sub(1).min(u32::BITS - 1);
        let full = self.initial_backoff.saturating_mul(1 << doublings).min(self.max_backoff);
        let pause = full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        match fault.retry_after() {
            Some(requested) if requested > self.max_retry_after => None,
            Some(requested) => Some(pause.max(requested)),
            None => Some(pause),
        }
    }
}

fn is_retryable(fault: &Fault, retry_safety: RetrySafety) -> bool {
    if matches!(fault, Fault::Unreachable { reason } if reason.kind.is_permanent()) {
        return false;
    }
    match retry_safety {
        RetrySafety::Idempotent => fault.is_transient(),
        RetrySafety::NeedsReread => false,
        RetrySafety::NotIdempotent => matches!(fault, Fault::Unreachable { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{ConnectError, ObstacleKind};

    const NO_JITTER: f64 = 1.0;

    fn refused(status: u16, retry_after: Option<u64>) -> Fault {
        Fault::Refused { status, message: String::new(), retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_end_after_the_last_try() {
        let policy = Policy { tries: 8, ..Policy::default() };
        let pauses: Vec<_> = (1..=8)
            .map(|failures| policy.backoff(&refused(500, None), RetrySafety::Idempotent, failures, NO_JITTER))
            .collect();
        let millis = |ms| Some(Duration::from_millis(ms));
        let expected =
            [millis(250), millis(500), millis(1000), millis(2000), millis(4000), millis(8000), millis(8000), None];
        assert_eq!(pauses, expected);
    }

    #[test]
    fn jitter_shortens_a_pause_by_half_at_most() {
        let fault = Fault::Unreachable { reason: ConnectError::default() };
        let policy = Policy::default();
        assert_eq!(policy.backoff(&fault, RetrySafety::Idempotent, 2, 0.0), Some(Duration::from_millis(250)));
        assert_eq!(policy.backoff(&fault, RetrySafety::Idempotent, 2, 0.5), Some(Duration::from_millis(375)));
    }

    #[test]
    fn a_retry_never_comes_before_the_server_allows_it() {
        let policy = Policy::default();
        let pause = |requested| policy.backoff(&refused(429, Some(requested)), RetrySafety::Idempotent, 1, NO_JITTER);
        assert_eq!(pause(1), Some(Duration::from_secs(1)));
        assert_eq!(pause(0), Some(Duration::from_millis(250)), "and not at once either");
        assert_eq!(pause(2), Some(Duration::from_secs(2)));
        assert_eq!(pause(3), None);
    }

    #[test]
    fn a_create_is_repeated_only_if_it_was_never_sent() {
        let policy = Policy::default();
        let repeated = |fault: &Fault| policy.backoff(fault, RetrySafety::NotIdempotent, 1, NO_JITTER).is_some();
        assert!(repeated(&Fault::Unreachable { reason: ConnectError::default() }));
        for status in [400, 408, 409, 425, 429, 500, 502, 503, 504] {
            for requested in [None, Some(0), Some(1)] {
                assert!(!repeated(&refused(status, requested)), "{status}");
            }
        }
        assert!(!repeated(&Fault::TimedOut { after: Duration::ZERO }));
        assert!(!repeated(&Fault::Broken { reason: String::new() }));
        assert!(!repeated(&Fault::InvalidResponse { reason: String::new() }));
    }

    #[test]
    fn a_final_refusal_is_never_repeated() {
        for status in [400, 401, 403, 404, 409, 422, 501] {
            let pause = Policy::default().backoff(&refused(status, Some(1)), RetrySafety::Idempotent, 1, NO_JITTER);
            assert_eq!(pause, None, "{status}");
        }
    }

    #[test]
    fn an_untrusted_certificate_is_not_retried() {
        let repeated = |kind| {
            let fault = Fault::Unreachable { reason: ConnectError::new(kind, "") };
            [RetrySafety::Idempotent, RetrySafety::NotIdempotent]
                .map(|retry_safety| Policy::default().backoff(&fault, retry_safety, 1, NO_JITTER).is_some())
        };
        for kind in [ObstacleKind::UnknownIssuer, ObstacleKind::Expired, ObstacleKind::NotTls, ObstacleKind::ProxyLogin]
        {
            assert_eq!(repeated(kind), [false; 2], "{kind:?}");
        }
        for kind in [ObstacleKind::Refused, ObstacleKind::NoSuchHost, ObstacleKind::Tls, ObstacleKind::TimedOut] {
            assert_eq!(repeated(kind), [true; 2], "{kind:?}");
        }
    }
}
