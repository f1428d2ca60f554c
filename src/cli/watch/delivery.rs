//! Handing each change to a command or to an address, in order: a change is dealt with before the next one begins.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::api::webhook::Webhook;
use crate::terminal::{self, Signal};

use super::super::arguments::OnError;
use super::command::ShellCommand;
use super::signals::Signals;

/// How often a change is tried in all where it isn't tried for as long as it takes.
const TRIES: u32 = 3;
/// The pause before the second time, which doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Long enough not to be in the way of a receiver that is being mended, short enough not to be forgotten by it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A receiver that asks for more is asked again after this.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(3_600);

/// Who is handed the changes.
#[derive(Debug)]
pub(super) enum Hook {
    Command(ShellCommand),
    /// An address, and what tells the deliveries of this run from those of others.
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

/// Why a change was not taken.
struct Fault {
    what: String,
    /// How long the receiver asks to wait.
    asked: Option<Duration>,
}

impl Hook {
    async fn once(&self, json: &str, number: u64) -> Result<(), Fault> {
        match self {
            Self::Command(command) => command.run(json).await.map_err(|what| Fault { what, asked: None }),
            Self::Post { webhook, run } => {
                let posted = webhook.post(json.to_owned(), &format!("{run:016x}-{number}")).await;
                posted.map_err(|fault| Fault { what: fault.what, asked: fault.retry_after })
            }
        }
    }
}

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// It was taken, or is passed over as was wished: the next one may come.
    DealtWith,
    /// It is time to end, and it is to come again.
    NotYet,
    /// It is to end here, for this reason, and the change is to come again.
    GivenUp(String),
}

/// Hands over changes, one after the other.
#[derive(Debug)]
pub(super) struct Delivery {
    hook: Hook,
    on_error: OnError,
    /// How many changes there were.
    number: u64,
}

impl Delivery {
    pub const fn new(hook: Hook, on_error: OnError) -> Self {
        Self { hook, on_error, number: 0 }
    }

    /// Hands over a change. When a signal comes, what is under way is waited for, and not begun again; a second one ends it.
    pub async fn deliver(&mut self, json: &str, signals: &mut Signals) -> io::Result<Delivered> {
        self.number += 1;
        let mut failures = 0;
        loop {
            let Some(outcome) = self.attempt(json, signals).await? else { return Ok(Delivered::NotYet) };
            let Err(fault) = outcome else {
                if failures > 0 && self.on_error == OnError::Retry {
                    terminal::complain(format_args!("{} works again", self.hook));
                }
                return Ok(Delivered::DealtWith);
            };
            failures += 1;
            let times = if failures == 1 { String::new() } else { format!(" {failures} times,") };
            let told = format!("{} {},{times} for this change: {json}", self.hook, fault.what);
            if signals.received().is_some() {
                terminal::complain(told);
                return Ok(Delivered::NotYet);
            }
            let wait = pause(failures, fault.asked, fastrand::f64());
            match self.on_error {
                OnError::Retry => {
                    let seconds = wait.as_secs_f64();
                    terminal::complain(format_args!("{} {}; retrying in {seconds:.1} s", self.hook, fault.what));
                }
                OnError::Skip | OnError::Stop if failures < TRIES => {}
                OnError::Skip => {
                    terminal::complain(told);
                    return Ok(Delivered::DealtWith);
                }
                OnError::Stop => return Ok(Delivered::GivenUp(told)),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                signal = signals.next() => {
                    signal?;
                    terminal::complain(told);
                    return Ok(Delivered::NotYet);
                }
            }
        }
    }

    /// One attempt, `None` where it was ended before it came to anything.
    async fn attempt(&self, json: &str, signals: &mut Signals) -> io::Result<Option<Result<(), Fault>>> {
        let mut attempt = std::pin::pin!(self.hook.once(json, self.number));
        loop {
            let is_second = signals.received().is_some();
            tokio::select! {
                biased;
                outcome = &mut attempt => return Ok(Some(outcome)),
                signal = signals.next() => {
                    let signal: Signal = signal?;
                    if is_second {
                        terminal::complain(format_args!("{} was ended before it was done, for this change: {json}", self.hook));
                        return Ok(None);
                    }
                    tracing::info!(?signal, "waiting for the hook");
                    terminal::complain(format_args!("waiting for {} to end; a second signal ends it", self.hook));
                }
            }
        }
    }
}

/// How long to wait after so many failures: what is asked for, else longer each time. `jitter` is from 0 to 1 and keeps many programs from
/// asking all at once.
fn pause(failures: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let own = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE);
    asked.map_or_else(|| own.mul_f64(0.75 + jitter / 4.0), |asked| asked.clamp(FIRST_PAUSE, LONGEST_ASKED_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute_and_what_is_asked_for_goes_over_them() {
        let of = |failures, asked| pause(failures, asked, 1.0);
        let milliseconds = [1, 2, 3, 7, 8, 1_000].map(|failures| of(failures, None).as_millis());
        assert_eq!(milliseconds, [500, 1_000, 2_000, 32_000, 60_000, 60_000]);
        assert_eq!(pause(3, None, 0.0), Duration::from_millis(1_500));
        assert_eq!(of(1, Some(Duration::from_secs(120))), Duration::from_secs(120));
        assert_eq!(of(9, Some(Duration::ZERO)), FIRST_PAUSE);
        assert_eq!(of(1, Some(Duration::MAX)), LONGEST_ASKED_PAUSE);
    }
}
