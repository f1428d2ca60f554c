//! Reading the feed: where it ends at present, and what it names from a step on.

use futures::future::try_join_all;
use hashbrown::{HashMap, HashSet};

use crate::remote::{Changes, Context, FeedEvent, Position, Remote, RemoteError};
use crate::segment::{SegmentId, Step};

use super::message::Mention;

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
        match remote.changes(step, None).await {
            Ok(changes) => return Ok(Ok(advance(step, &changes).unwrap_or(step).0)),
            Err(error) if refuses(&error) && step.0 >= BEYOND => return Ok(Err(error)),
            Err(error) if refuses(&error) => step = Step(step.0.saturating_mul(LEAP_OVER_THE_FORGOTTEN)),
            Err(error) => return Err(error),
        }
    }
}

/// The step that follows what the feed holds from `step` on; `None` at or past its end.
async fn after<R: Remote>(remote: &R, step: i64) -> Result<Option<i64>, RemoteError> {
    match remote.changes(Step(step), None).await {
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
    pub named: Vec<(SegmentId, Mention)>,
    /// Where to go on from.
    pub next: Position,
    /// Whether the feed ended here.
    pub ended: bool,
    /// Whether nothing at all happened.
    pub quiet: bool,
    /// Where the feed called an earlier step the next one.
    pub setbacks: Vec<Setback>,
}

/// The feed called a step the next one that is earlier than the one it was asked from. Some servers say so when nothing
/// happened; one that was put back to an earlier state does, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setback {
    only: Option<Context>,
    said: Step,
}

/// Segments after which a stretch is taken in before the feed is read on.
const STRETCH: usize = 500;

/// Reads the feed from a position on, until it ends or enough is to be looked at.
pub(super) async fn stretch<R: Remote>(remote: &R, from: &Position) -> Result<Stretch, RemoteError> {
    let most = STRETCH / from.places().count();
    let parts = try_join_all(from.places().map(|(only, step)| part(remote, only, step, most))).await?;
    let next = Position::of(parts.iter().map(|part| (part.only, part.next)).collect());
    let mut stretch = Stretch {
        named: Vec::new(),
        next: next.unwrap_or_else(|| from.clone()),
        ended: parts.iter().all(|part| part.ended),
        quiet: parts.iter().all(|part| part.quiet),
        setbacks: parts.iter().filter_map(|part| part.setback).collect(),
    };
    let mut places: HashMap<SegmentId, usize> = HashMap::new();
    for Part { only, events, .. } in parts {
        for FeedEvent { id, kind } in events {
            let place = *places.entry(id).or_insert_with_key(|id| {
                stretch.named.push((id.clone(), Mention { kind: Some(kind), ..Mention::default() }));
                stretch.named.len() - 1
            });
            stretch.named[place].1.contexts.extend(only);
        }
    }
    Ok(stretch)
}

/// What one context's part of the feed holds; everybody's, without one.
#[derive(Debug)]
struct Part {
    only: Option<Context>,
    events: Vec<FeedEvent>,
    next: Step,
    ended: bool,
    quiet: bool,
    setback: Option<Setback>,
}

async fn part<R: Remote>(remote: &R, only: Option<Context>, from: Step, most: usize) -> Result<Part, RemoteError> {
    let mut part = Part { only, events: Vec::new(), next: from, ended: false, quiet: true, setback: None };
    let mut named = HashSet::new();
    while named.len() < most.max(1) && !part.ended {
        let changes = remote.changes(part.next, only).await?;
        let next = advance(part.next, &changes);
        part.quiet &= changes.events.is_empty();
        part.setback = changes.next.filter(|said| *said < part.next).map(|said| Setback { only, said });
        part.events.extend(changes.events.into_iter().filter(|event| named.insert(event.id.clone())));
        match next {
            Some(next) => part.next = next,
            None => part.ended = true,
        }
    }
    Ok(part)
}

/// Whether the feed ends before a position that was read already, so that what it tells from there on is another story. It
/// does not while it still tells of the last step before the position.
pub(super) async fn was_put_back<R: Remote>(remote: &R, position: &Position) -> Result<bool, RemoteError> {
    let latest = position.places().map(|(_, step)| step).max().unwrap_or(Step::FIRST);
    let last = latest.0.saturating_sub(1);
    Ok(last >= Step::FIRST.0 && after(remote, last).await?.is_none())
}
