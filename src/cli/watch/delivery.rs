//! Delivers each change to a command or a URL, in order: a change is handled before the next one begins.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::api::webhook::Webhook;
use crate::terminal::{self, Signal};

use super::super::arguments::OnError;
use super::command::ShellCommand;
use super::signals::Signals;

/// Attempts per change, unless it is retried without limit.
const MAX_ATTEMPTS: u32 = 3;
/// The pause before the second attempt; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
/// The longest back-off: long enough not to disturb a receiver that is being repaired, short enough to notice soon that it works
/// again.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The longest pause that a receiver can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// Where changes are delivered to.
#[derive(Debug)]
pub(super) enum Hook {
    Command(ShellCommand),
    /// A URL, and a number that distinguishes this run's deliveries from those of others.
    Post {
        webhook: Webhook,
        run: u64,
    },
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "`{}`", command.text),
            Self::Post { webhook, .. } => write!(f, "{}", webhook.url()),
        }
    }
}

/// Why a delivery failed.
struct Fault {
    what: String,
    /// The pause that the receiver asks for.
    retry_after: Option<Duration>,
}

impl Hook {
    async fn call(&self, json: &str, number: u64) -> Result<(), Fault> {
        match self {
            Self::Command(command) => command.run(json).await.map_err(|what| Fault { what, retry_after: None }),
            Self::Post { webhook, run } => {
                let posted = webhook.post(json.to_owned(), &format!("{run:016x}-{number}")).await;
                posted.map_err(|fault| Fault { what: fault.what, retry_after: fault.retry_after })
            }
        }
    }
}

/// The result of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeliveryOutcome {
    /// It was accepted, or skipped as configured: the next change may follow.
    Handled,
    /// A signal ended it; the change will be delivered again.
    Interrupted,
    /// Watching ends for this reason; the change will be delivered again.
    Failed(String),
}

/// Delivers changes, one after the other.
#[derive(Debug)]
pub(super) struct Delivery {
    hook: Hook,
    on_error: OnError,
    /// How many changes there were so far.
    number: u64,
}

impl Delivery {
    pub const fn new(hook: Hook, on_error: OnError) -> Self {
        Self { hook, on_error, number: 0 }
    }

    /// Delivers a change. After a signal, the current attempt is finished and not repeated; a second signal ends it.
    pub async fn deliver(&mut self, json: &str, signals: &mut Signals) -> io::Result<DeliveryOutcome> {
        self.number += 1;
        let mut failures = 0;
        loop {
            let Some(outcome) = self.attempt(json, signals).await? else { return Ok(DeliveryOutcome::Interrupted) };
            let Err(fault) = outcome else {
                if failures > 0 && self.on_error == OnError::Retry {
                    terminal::print_message(format_args!("{} works again", self.hook));
                }
                return Ok(DeliveryOutcome::Handled);
            };
            failures += 1;
            let times = if failures == 1 { String::new() } else { format!(" {failures} times,") };
            let message = format!("{} {},{times} for this change: {json}", self.hook, fault.what);
            if signals.received().is_some() {
                terminal::print_message(message);
                return Ok(DeliveryOutcome::Interrupted);
            }
            let delay = backoff(failures, fault.retry_after, fastrand::f64());
            match self.on_error {
                OnError::Retry => {
                    let seconds = delay.as_secs_f64();
                    terminal::print_message(format_args!("{} {}; retrying in {seconds:.1} s", self.hook, fault.what));
                }
                OnError::Skip | OnError::Stop if failures < MAX_ATTEMPTS => {}
                OnError::Skip => {
                    terminal::print_message(message);
                    return Ok(DeliveryOutcome::Handled);
                }
                OnError::Stop => return Ok(DeliveryOutcome::Failed(message)),
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                signal = signals.next() => {
                    signal?;
                    terminal::print_message(message);
                    return Ok(DeliveryOutcome::Interrupted);
                }
            }
        }
    }

    /// Makes one attempt. Returns `None` if a second signal ended it.
    async fn attempt(&self, json: &str, signals: &mut Signals) -> io::Result<Option<Result<(), Fault>>> {
        let mut attempt = std::pin::pin!(self.hook.call(json, self.number));
        loop {
            let is_second = signals.received().is_some();
            tokio::select! {
                biased;
                outcome = &mut attempt => return Ok(Some(outcome)),
                signal = signals.next() => {
                    let signal: Signal = signal?;
                    if is_second {
                        terminal::print_message(format_args!("{} was ended before it was done, for this change: {json}", self.hook));
                        return Ok(None);
                    }
                    tracing::info!(?signal, "waiting for the hook");
                    terminal::print_message(format_args!("waiting for {} to end; a second signal ends it", self.hook));
                }
            }
        }
    }
}

/// Returns the pause after a number of failures: what the receiver asks for, else a back-off. `jitter` is from 0 to 1 and keeps
/// many programs from retrying at the same time.
fn backoff(failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let exponential = MIN_BACKOFF.saturating_mul(1 << (failures - 1).min(16)).min(MAX_BACKOFF);
    retry_after.map_or_else(
        || exponential.mul_f64(0.75 + jitter / 4.0),
        |retry_after| retry_after.clamp(MIN_BACKOFF, MAX_RETRY_AFTER),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_is_at_most_a_minute_unless_more_is_asked_for() {
        let of = |failures, retry_after| backoff(failures, retry_after, 1.0);
        let milliseconds = [1, 2, 3, 7, 8, 1_000].map(|failures| of(failures, None).as_millis());
        assert_eq!(milliseconds, [500, 1_000, 2_000, 32_000, 60_000, 60_000]);
        assert_eq!(backoff(3, None, 0.0), Duration::from_millis(1_500));
        assert_eq!(of(1, Some(Duration::from_secs(120))), Duration::from_secs(120));
        assert_eq!(of(9, Some(Duration::ZERO)), MIN_BACKOFF);
        assert_eq!(of(1, Some(Duration::MAX)), MAX_RETRY_AFTER);
    }
}
