//! Reading the feed: where it ends at present, and what it names from a step on.

use hashbrown::HashSet;

use crate::remote::{Changes, Context, FeedEvent, Remote, RemoteError};
use crate::segment::{SegmentId, Step};

/// Where the feed ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The step that will be the next to happen.
    At(Step),
    /// The feed can't be read at all, for this reason.
    Unavailable(RemoteError),
}

/// Beyond any step that a feed will ever reach: a thousand changes a second for more than a thousand years.
const BEYOND: i64 = 1 << 45;
/// By how much the next probe is farther.
const LEAP: i64 = 2;
/// The same while the steps are too old for the server to remember.
const LEAP_OVER_THE_FORGOTTEN: i64 = 8;

/// Finds where the feed ends in a number of questions that grows with the logarithm of its length: leaping ahead until past
/// the end, then halving. Ends with a walk, which is short when the answers made sense and right when they did not.
pub(super) async fn end<R: Remote>(remote: &R) -> Result<End, RemoteError> {
    let mut before = match first_remembered(remote).await? {
        Ok(step) => step,
        Err(error) => return Ok(End::Unavailable(error)),
    };
    let mut past = BEYOND;
    let mut probe = before.saturating_mul(LEAP);
    while probe < past {
        if let Some(next) = after(remote, probe).await? {
            before = next;
            probe = if past == BEYOND { next.saturating_mul(LEAP) } else { next.midpoint(past) };
        } else {
            past = probe;
            probe = before.midpoint(past);
            if probe == before {
                break;
            }
        }
    }
    while let Some(next) = after(remote, before).await? {
        before = next;
    }
    Ok(End::At(Step(before)))
}

/// The step after the first part of the feed that the server still remembers.
async fn first_remembered<R: Remote>(remote: &R) -> Result<Result<i64, RemoteError>, RemoteError> {
    let mut step = Step::FIRST;
    loop {
        match remote.changes(step).await {
            Ok(changes) => return Ok(Ok(advance(step, &changes).unwrap_or(step).0)),
            Err(error) if refuses(&error) && step.0 >= BEYOND => return Ok(Err(error)),
            Err(error) if refuses(&error) => step = Step(step.0.saturating_mul(LEAP_OVER_THE_FORGOTTEN)),
            Err(error) => return Err(error),
        }
    }
}

/// The step that follows what the feed holds from `step` on; `None` at or past its end.
async fn after<R: Remote>(remote: &R, step: i64) -> Result<Option<i64>, RemoteError> {
    match remote.changes(Step(step)).await {
        Ok(changes) => Ok(advance(Step(step), &changes).map(|next| next.0)),
        Err(error) if error.fault.rejects_step() => Ok(None),
        Err(error) => Err(error),
    }
}

fn refuses(error: &RemoteError) -> bool {
    error.fault.rejects_step() || matches!(error.fault, crate::remote::Fault::Refused { status: 405 | 501, .. })
}

/// Where to go on: only ever forward, and never by own counting.
fn advance(from: Step, changes: &Changes) -> Option<Step> {
    changes.next.filter(|next| *next > from)
}

/// What the feed named in one stretch, each segment once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// In the order in which they were first named.
    pub named: Vec<(SegmentId, Option<Context>)>,
    /// The step to go on from.
    pub next: Step,
    /// Whether the feed ended here.
    pub ended: bool,
    /// Whether nothing at all happened.
    pub quiet: bool,
}

/// Segments after which a stretch is taken in before the feed is read on.
const STRETCH: usize = 500;

/// Reads the feed from a step on, until it ends or enough is to be looked at.
pub(super) async fn stretch<R: Remote>(remote: &R, from: Step) -> Result<Stretch, RemoteError> {
    let mut stretch = Stretch { named: Vec::new(), next: from, ended: false, quiet: true };
    let mut seen = HashSet::new();
    while stretch.named.len() < STRETCH && !stretch.ended {
        let changes = remote.changes(stretch.next).await?;
        let next = advance(stretch.next, &changes);
        stretch.quiet &= changes.events.is_empty();
        let fresh = changes.events.into_iter().map(|FeedEvent { id, .. }| id).filter(|id| seen.insert(id.clone()));
        stretch.named.extend(fresh.map(|id| (id, None)));
        match next {
            Some(next) => stretch.next = next,
            None => stretch.ended = true,
        }
    }
    Ok(stretch)
}
