//! Reads the feed: where it currently ends, what a part of it names, and whether it is still the same feed.

use futures_util::future::try_join_all;

use crate::remote::{Changes, Context, FeedEvent, Landmark, Position, Remote, RemoteError};
use crate::segment::{SegmentId, Step};

/// Where the feed ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The step that will happen next, and the last events before it.
    At(Step, Option<Past>),
    /// The feed can't be read at all, for this reason.
    Unavailable(RemoteError),
}

/// A part of the feed from before the followed position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Past {
    /// The requested step.
    pub from: Step,
    /// The next step that the feed returned.
    pub next: Step,
    /// Its events.
    pub events: Vec<FeedEvent>,
}

/// Greater than any step that a feed will ever reach: a thousand changes a second for more than a thousand years.
pub const BEYOND: i64 = 1 << 45;
/// Factor between probes while the steps are too old for the server to remember.
const LEAP_OVER_THE_FORGOTTEN: i64 = 8;
/// Concurrent probes in one round.
const PROBES: i64 = 3;
/// A part shorter than this is the end of the feed: what follows has happened meanwhile.
const SHORT_PART: i64 = 100;
/// Requests after which the search for the end is given up. A consistent feed takes about 30.
const QUESTIONS: u32 = 48;
/// Number of segments by which a part of the feed is recognised.
const NAMES: usize = 32;

/// Finds the end of the feed. The number of requests grows with the logarithm of its length and is bounded for an
/// inconsistent feed: each round of probes narrows the range that must contain the end. The search finishes with a walk,
/// which is short if the responses were consistent and corrects the result if not. On a busy tenant the end moves on during
/// the search. It is not chased: any step that was the end a moment ago is as good.
pub(super) async fn end<R: Remote>(remote: &R) -> Result<End, RemoteError> {
    let mut search = Search { remote, asked: 0, past: None };
    match search.first_remembered().await? {
        Ok(step) => Ok(End::At(Step(search.end_after(step).await?), search.past)),
        Err(error) => Ok(End::Unavailable(error)),
    }
}

/// Returns the step that will happen next; `None` if there is no feed.
///
/// # Errors
///
/// If the server can't be reached.
pub async fn feed_end<R: Remote>(remote: &R) -> Result<Option<Step>, RemoteError> {
    Ok(match end(remote).await? {
        End::At(step, _) => Some(step),
        End::Unavailable(_) => None,
    })
}

/// The search for the end of a feed.
struct Search<'a, R> {
    remote: &'a R,
    asked: u32,
    /// The latest part with events.
    past: Option<Past>,
}

impl<R: Remote> Search<'_, R> {
    /// Returns the step after the first part of the feed that the server still has.
    async fn first_remembered(&mut self) -> Result<Result<i64, RemoteError>, RemoteError> {
        let mut step = Step::FIRST;
        loop {
            match self.remote.changes(step, None).await {
                Ok(changes) => {
                    self.note(step, &changes);
                    return Ok(Ok(advance(step, &changes).unwrap_or(step).0));
                }
                Err(error) if refuses(&error) && step.0 >= BEYOND => return Ok(Err(error)),
                Err(error) if refuses(&error) => step = Step(step.0.saturating_mul(LEAP_OVER_THE_FORGOTTEN)),
                Err(error) => return Err(error),
            }
        }
    }

    async fn end_after(&mut self, first: i64) -> Result<i64, RemoteError> {
        let mut before = first;
        // A short feed is complete by now.
        let Some(next) = self.after(before).await? else { return Ok(before) };
        let mut longest = next - before;
        before = next;
        let mut past = BEYOND;
        while past - before > 1 && self.asked < QUESTIONS {
            let probes = probes(before, past);
            let remote = self.remote;
            let answers = try_join_all(probes.iter().map(|probe| ask(remote, *probe))).await?;
            self.asked = self.asked.saturating_add(u32::try_from(probes.len()).unwrap_or(QUESTIONS));
            let (mut farthest, mut silent) = (None, past);
            for (probe, changes) in probes.iter().zip(answers) {
                self.note(Step(*probe), &changes);
                match advance(Step(*probe), &changes) {
                    Some(next) => farthest = farthest.max(Some((next.0, next.0 - probe))),
                    None => silent = silent.min(*probe),
                }
            }
            if let Some((next, length)) = farthest.filter(|(next, _)| *next > before) {
                before = next;
                if length < longest {
                    // Shorter than other parts, so probably the last one.
                    let Some(next) = self.after(before).await? else { return Ok(before) };
                    before = next;
                }
                longest = longest.max(length);
            }
            past = if silent > before { silent } else { past.max(before) };
        }
        while self.asked < QUESTIONS
            && let Some(next) = self.after(before).await?
        {
            let walked = next - before;
            before = next;
            if walked < SHORT_PART {
                break;
            }
        }
        Ok(before)
    }

    /// Returns the step that follows the part at `step`; `None` at or past the end.
    async fn after(&mut self, step: i64) -> Result<Option<i64>, RemoteError> {
        self.asked += 1;
        let changes = ask(self.remote, step).await?;
        self.note(Step(step), &changes);
        Ok(advance(Step(step), &changes).map(|next| next.0))
    }

    fn note(&mut self, from: Step, changes: &Changes) {
        if !changes.events.is_empty() && self.past.as_ref().is_none_or(|past| past.from <= from) {
            let next = advance(from, changes).unwrap_or(from);
            self.past = Some(Past { from, next, events: changes.events.clone() });
        }
    }
}

/// Reads a part of the feed. A step that the server refuses counts as past the end.
async fn ask<R: Remote>(remote: &R, step: i64) -> Result<Changes, RemoteError> {
    match remote.changes(Step(step), None).await {
        Err(error) if error.fault.rejects_step() => Ok(Changes::default()),
        answer => answer,
    }
}

/// Returns steps between two others: evenly spaced by logarithm while the range is wide, linearly when it is narrow.
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

fn refuses(error: &RemoteError) -> bool {
    error.fault.rejects_step() || matches!(error.fault, crate::remote::Fault::Refused { status: 405 | 501, .. })
}

/// Returns the step to continue from: only ever forward, and never computed here.
fn advance(from: Step, changes: &Changes) -> Option<Step> {
    changes.next.filter(|next| *next > from)
}

/// One part of the feed, for each context that is followed separately.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its events, the oldest first within each context.
    pub events: Vec<(Option<Context>, FeedEvent)>,
    /// Position to continue from.
    pub next: Position,
    /// Whether the feed ended here.
    pub ended: bool,
    /// Next steps that were earlier than the requested ones.
    pub setbacks: Vec<PositionRewind>,
    /// Length in steps of the longest part ever seen.
    pub longest: i64,
    /// Landmarks of the part, one for each context that had events.
    pub landmarks: Vec<Landmark>,
}

/// A next step that is earlier than the requested one. Some servers return that when nothing happened; so does one that was
/// restored from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PositionRewind {
    only: Option<Context>,
    said: Step,
}

/// Reads one part of the feed, with one concurrent request for each context that is followed separately. The feed ends where
/// nothing follows, and also at a short part that is shorter than an earlier one (`longest`, in steps): on a busy tenant,
/// something always follows.
pub(super) async fn part<R: Remote>(remote: &R, from: &Position, longest: i64) -> Result<Part, RemoteError> {
    let answers = try_join_all(from.places().map(|(only, step)| async move {
        let changes = remote.changes(step, only).await?;
        Ok::<_, RemoteError>((only, step, changes))
    }));
    let mut part = Part {
        events: Vec::new(),
        next: from.clone(),
        ended: true,
        setbacks: Vec::new(),
        longest,
        landmarks: Vec::new(),
    };
    let mut places = Vec::new();
    for (only, step, changes) in answers.await? {
        let next = advance(step, &changes);
        part.setbacks.extend(changes.next.filter(|said| *said < step).map(|said| PositionRewind { only, said }));
        let steps = next.map_or(0, |next| next.0 - step.0);
        part.ended &= next.is_none() || steps < part.longest.min(SHORT_PART);
        part.longest = part.longest.max(steps);
        places.push((only, next.unwrap_or(step)));
        part.landmarks.extend(landmark(only, step, next.unwrap_or(step), &changes.events));
        part.events.extend(changes.events.into_iter().map(|event| (only, event)));
    }
    part.next = Position::of(places).unwrap_or(part.next);
    Ok(part)
}

/// Returns the landmark of a part of the feed; `None` if it has no events.
pub(super) fn landmark(only: Option<Context>, from: Step, next: Step, events: &[FeedEvent]) -> Option<Landmark> {
    let mut named: Vec<SegmentId> = Vec::new();
    for event in events {
        if named.len() == NAMES {
            break;
        }
        if !named.contains(&event.id) {
            named.push(event.id.clone());
        }
    }
    (!named.is_empty()).then_some(Landmark { only, from, next, named })
}

/// Replaces landmarks by newer ones of the same context.
pub(super) fn renew(landmarks: &mut Vec<Landmark>, newer: Vec<Landmark>) {
    landmarks.retain(|old| newer.iter().all(|new| new.only != old.only));
    landmarks.extend(newer);
}

/// Whether the feed still has the events of each landmark. A landmark that is too old for the server proves nothing.
pub(super) async fn is_the_same<R: Remote>(remote: &R, landmarks: &[Landmark]) -> Result<bool, RemoteError> {
    let looks = landmarks.iter().map(|landmark| still_tells(remote, landmark));
    Ok(try_join_all(looks).await?.into_iter().all(|same| same))
}

/// Whether the feed names the same segments and reaches as far. It may be split into other parts than before.
async fn still_tells<R: Remote>(remote: &R, landmark: &Landmark) -> Result<bool, RemoteError> {
    const PARTS: usize = 8;
    let (mut step, mut missing) = (landmark.from, landmark.named.clone());
    for _ in 0..PARTS {
        let changes = match remote.changes(step, landmark.only).await {
            Err(error) if error.fault.rejects_step() => return Ok(true),
            answer => answer?,
        };
        missing.retain(|id| changes.events.iter().all(|event| event.id != *id));
        let next = advance(step, &changes);
        step = next.unwrap_or(step);
        if step >= landmark.next && missing.is_empty() {
            return Ok(true);
        }
        if next.is_none() {
            break;
        }
    }
    Ok(false)
}

/// Whether the feed ends before a position that was already read, so that from there on it is a different one. It doesn't if
/// it still has the last step before the position.
pub(super) async fn was_put_back<R: Remote>(remote: &R, position: &Position) -> Result<bool, RemoteError> {
    let latest = position.places().map(|(_, step)| step).max().unwrap_or(Step::FIRST);
    let last = latest.0.saturating_sub(1);
    if last < Step::FIRST.0 {
        return Ok(false);
    }
    Ok(advance(Step(last), &ask(remote, last).await?).is_none())
}
