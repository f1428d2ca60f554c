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
/// By how much the next probe is farther while the steps are too old for the server to remember.
const LEAP_OVER_THE_FORGOTTEN: i64 = 8;

/// Probes of one round, which are asked together.
const PROBES: i64 = 3;
/// A part of the feed that is shorter than this is its end: what comes after it happened meanwhile.
const SHORT_PART: i64 = 100;

/// Finds where the feed ends in a number of questions that grows with the logarithm of its length: each round of probes cuts
/// the range in which the end must be. Ends with a walk, which is short when the answers made sense and right when they did
/// not. On a tenant that never rests the end moves on while it is looked for, so it is not chased: any step that was the end a
/// moment ago is as good.
pub(super) async fn end<R: Remote>(remote: &R) -> Result<End, RemoteError> {
    let mut before = match first_remembered(remote).await? {
        Ok(step) => step,
        Err(error) => return Ok(End::Unavailable(error)),
    };
    // A short feed has come whole by now.
    let Some(next) = after(remote, before).await? else { return Ok(End::At(Step(before))) };
    let mut longest = next - before;
    before = next;
    let mut past = BEYOND;
    while past - before > 1 {
        let probes = probes(before, past);
        let answers = try_join_all(probes.iter().map(|probe| after(remote, *probe))).await?;
        let parts = probes.iter().zip(answers);
        let (mut farthest, mut silent) = (None, past);
        for (probe, next) in parts {
            match next {
                Some(next) => farthest = farthest.max(Some((next, next - probe))),
                None => silent = silent.min(*probe),
            }
        }
        if let Some((next, length)) = farthest.filter(|(next, _)| *next > before) {
            before = next;
            if length < longest {
                // Shorter than others, so probably the last.
                let Some(next) = after(remote, before).await? else { return Ok(End::At(Step(before))) };
                before = next;
            }
            longest = longest.max(length);
        }
        past = if silent > before { silent } else { past.max(before) };
    }
    while let Some(next) = after(remote, before).await? {
        let walked = next - before;
        before = next;
        if walked < SHORT_PART {
            break;
        }
    }
    Ok(End::At(Step(before)))
}

/// Steps between two others: their logarithms are evenly apart while the range is wide, and they themselves when it is narrow.
fn probes(before: i64, past: i64) -> Vec<i64> {
    const WIDE: i64 = 4;
    let inner = |at: i64| {
        if past / before >= WIDE {
            let parts = i64::from(past.ilog2() - before.ilog2()) * at / (PROBES + 1);
            before << parts.max(1)
        } else {
            before + ((past - before) / (PROBES + 1)).max(1) * at
        }
    };
    let mut probes: Vec<i64> = (1..=PROBES).map(inner).filter(|probe| (before + 1..past).contains(probe)).collect();
    probes.dedup();
    probes
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
    /// The steps of the longest part that was ever seen.
    pub longest: i64,
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
/// Parts after which it is, so that what trickles in is not waited for.
const PARTS: usize = 8;

/// Reads the feed from a position on, until it ends or enough is to be looked at. It has ended where nothing follows, and also
/// where a short part comes, shorter than one that came before (`longest`, in steps): on a tenant that never rests, something
/// always follows.
pub(super) async fn stretch<R: Remote>(remote: &R, from: &Position, longest: i64) -> Result<Stretch, RemoteError> {
    let most = STRETCH / from.places().count();
    let parts = try_join_all(from.places().map(|(only, step)| read(remote, only, step, most, longest))).await?;
    let next = Position::of(parts.iter().map(|part| (part.only, part.next)).collect());
    let mut stretch = Stretch {
        named: Vec::new(),
        next: next.unwrap_or_else(|| from.clone()),
        ended: parts.iter().all(|part| part.ended),
        quiet: parts.iter().all(|part| part.quiet),
        setbacks: parts.iter().filter_map(|part| part.setback).collect(),
        longest: parts.iter().map(|part| part.longest).fold(longest, i64::max),
    };
    let mut places: HashMap<SegmentId, usize> = HashMap::new();
    for Read { only, events, .. } in parts {
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

/// What was read of one context's feed; of everybody's, without one.
#[derive(Debug)]
struct Read {
    only: Option<Context>,
    events: Vec<FeedEvent>,
    next: Step,
    ended: bool,
    quiet: bool,
    setback: Option<Setback>,
    longest: i64,
}

async fn read<R: Remote>(
    remote: &R,
    only: Option<Context>,
    from: Step,
    most: usize,
    longest: i64,
) -> Result<Read, RemoteError> {
    let mut read = Read { only, events: Vec::new(), next: from, ended: false, quiet: true, setback: None, longest };
    let mut named = HashSet::new();
    for _ in 0..PARTS {
        let changes = remote.changes(read.next, only).await?;
        let next = advance(read.next, &changes);
        read.quiet &= changes.events.is_empty();
        read.setback = changes.next.filter(|said| *said < read.next).map(|said| Setback { only, said });
        read.events.extend(changes.events.into_iter().filter(|event| named.insert(event.id.clone())));
        let steps = next.map_or(0, |next| next.0 - read.next.0);
        read.ended = next.is_none() || steps < read.longest.min(SHORT_PART);
        read.longest = read.longest.max(steps);
        read.next = next.unwrap_or(read.next);
        if read.ended || named.len() >= most.max(1) {
            break;
        }
    }
    Ok(read)
}

/// Whether the feed ends before a position that was read already, so that what it tells from there on is another story. It
/// does not while it still tells of the last step before the position.
pub(super) async fn was_put_back<R: Remote>(remote: &R, position: &Position) -> Result<bool, RemoteError> {
    let latest = position.places().map(|(_, step)| step).max().unwrap_or(Step::FIRST);
    let last = latest.0.saturating_sub(1);
    Ok(last >= Step::FIRST.0 && after(remote, last).await?.is_none())
}
