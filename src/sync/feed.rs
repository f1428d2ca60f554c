//! Reads the feed: where it currently ends, what a part of it names, and whether it is still the same feed.

use futures_util::future::try_join_all;

use crate::remote::{Changes, Context, FeedEvent, Landmark, Position, Remote, RemoteError};
use crate::segment::{SegmentId, Step};

/// Where the feed ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FeedEnd {
    /// The step that will happen next, and the last events before it.
    At(Step, Option<PastPart>),
    /// The feed can't be read at all, for this reason.
    Unavailable(RemoteError),
}

/// A part of the feed from before the followed position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PastPart {
    /// The requested step.
    pub from: Step,
    /// The next step that the feed returned.
    pub next: Step,
    /// Its events.
    pub events: Vec<FeedEvent>,
}

/// Greater than any step that a feed will ever reach: a thousand changes a second for more than a thousand years.
pub const BEYOND_ANY_STEP: i64 = 1 << 45;
/// Factor between probes while the steps are too old for the server to remember.
const EXPIRED_STEP_FACTOR: i64 = 8;
/// Concurrent probes in one round.
const PROBES_PER_ROUND: i64 = 3;
/// A part shorter than this is the end of the feed: what follows has happened meanwhile.
const SHORT_PART: i64 = 100;
/// Requests after which the search for the end is given up. A consistent feed takes about 30.
const MAX_SEARCH_REQUESTS: u32 = 48;
/// Number of segments by which a part of the feed is recognised.
const MAX_LANDMARK_SEGMENTS: usize = 32;

/// Finds the end of the feed. The number of requests grows with the logarithm of its length and is bounded for an
/// inconsistent feed: each round of probes narrows the range that must contain the end. The search finishes with a walk,
/// which is short if the responses were consistent and corrects the result if not. On a busy tenant the end moves on during
/// the search. It is not chased: any step that was the end a moment ago is as good.
pub(super) async fn find_end<R: Remote>(remote: &R) -> Result<FeedEnd, RemoteError> {
    let mut search = EndSearch { remote, requests: 0, last_events: None };
    match search.first_available().await? {
        Ok(step) => Ok(FeedEnd::At(Step(search.end_after(step).await?), search.last_events)),
        Err(error) => Ok(FeedEnd::Unavailable(error)),
    }
}

/// Returns the step that will happen next; `None` if there is no feed.
///
/// # Errors
///
/// If the server can't be reached.
pub async fn feed_end<R: Remote>(remote: &R) -> Result<Option<Step>, RemoteError> {
    Ok(match find_end(remote).await? {
        FeedEnd::At(step, _) => Some(step),
        FeedEnd::Unavailable(_) => None,
    })
}

/// The search for the end of a feed.
struct EndSearch<'a, R> {
    remote: &'a R,
    requests: u32,
    /// The latest part with events.
    last_events: Option<PastPart>,
}

impl<R: Remote> EndSearch<'_, R> {
    /// Returns the step after the first part of the feed that the server still has.
    async fn first_available(&mut self) -> Result<Result<i64, RemoteError>, RemoteError> {
        let mut step = Step::FIRST;
        loop {
            match self.remote.changes(step, None).await {
                Ok(changes) => {
                    self.record(step, &changes);
                    return Ok(Ok(advance(step, &changes).unwrap_or(step).0));
                }
                Err(error) if is_refusal(&error) && step.0 >= BEYOND_ANY_STEP => return Ok(Err(error)),
                Err(error) if is_refusal(&error) => step = Step(step.0.saturating_mul(EXPIRED_STEP_FACTOR)),
                Err(error) => return Err(error),
            }
        }
    }

    async fn end_after(&mut self, first: i64) -> Result<i64, RemoteError> {
        let mut lower = first;
        // A short feed is complete by now.
        let Some(next) = self.step_after(lower).await? else { return Ok(lower) };
        let mut max_steps = next - lower;
        lower = next;
        let mut upper = BEYOND_ANY_STEP;
        while upper - lower > 1 && self.requests < MAX_SEARCH_REQUESTS {
            let probes = probes(lower, upper);
            let remote = self.remote;
            let responses = try_join_all(probes.iter().map(|probe| fetch_changes(remote, *probe))).await?;
            self.requests = self.requests.saturating_add(u32::try_from(probes.len()).unwrap_or(MAX_SEARCH_REQUESTS));
            let (mut farthest, mut first_empty) = (None, upper);
            for (probe, changes) in probes.iter().zip(responses) {
                self.record(Step(*probe), &changes);
                match advance(Step(*probe), &changes) {
                    Some(next) => farthest = farthest.max(Some((next.0, next.0 - probe))),
                    None => first_empty = first_empty.min(*probe),
                }
            }
            if let Some((next, length)) = farthest.filter(|(next, _)| *next > lower) {
                lower = next;
                if length < max_steps {
                    // Shorter than other parts, so probably the last one.
                    let Some(next) = self.step_after(lower).await? else { return Ok(lower) };
                    lower = next;
                }
                max_steps = max_steps.max(length);
            }
            upper = if first_empty > lower { first_empty } else { upper.max(lower) };
        }
        while self.requests < MAX_SEARCH_REQUESTS
            && let Some(next) = self.step_after(lower).await?
        {
            let walked = next - lower;
            lower = next;
            if walked < SHORT_PART {
                break;
            }
        }
        Ok(lower)
    }

    /// Returns the step that follows the part at `step`; `None` at or past the end.
    async fn step_after(&mut self, step: i64) -> Result<Option<i64>, RemoteError> {
        self.requests += 1;
        let changes = fetch_changes(self.remote, step).await?;
        self.record(Step(step), &changes);
        Ok(advance(Step(step), &changes).map(|next| next.0))
    }

    fn record(&mut self, from: Step, changes: &Changes) {
        if !changes.events.is_empty() && self.last_events.as_ref().is_none_or(|last| last.from <= from) {
            let next = advance(from, changes).unwrap_or(from);
            self.last_events = Some(PastPart { from, next, events: changes.events.clone() });
        }
    }
}

/// Reads a part of the feed. A step that the server refuses counts as past the end.
async fn fetch_changes<R: Remote>(remote: &R, step: i64) -> Result<Changes, RemoteError> {
    match remote.changes(Step(step), None).await {
        Err(error) if error.fault.rejects_step() => Ok(Changes::default()),
        response => response,
    }
}

/// Returns steps between two others: evenly spaced by logarithm while the range is wide, linearly when it is narrow.
fn probes(lower: i64, upper: i64) -> Vec<i64> {
    const WIDE: i64 = 4;
    let probe_at = |at: i64| {
        if upper / lower >= WIDE {
            let parts = i64::from(upper.ilog2() - lower.ilog2()) * at / (PROBES_PER_ROUND + 1);
            lower << parts.max(1)
        } else {
            lower + ((upper - lower) / (PROBES_PER_ROUND + 1)).max(1) * at
        }
    };
    let mut probes: Vec<i64> =
        (1..=PROBES_PER_ROUND).map(probe_at).filter(|probe| (lower + 1..upper).contains(probe)).collect();
    probes.dedup();
    probes
}

fn is_refusal(error: &RemoteError) -> bool {
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
    pub reached_end: bool,
    /// Next steps that were earlier than the requested ones.
    pub rewinds: Vec<PositionRewind>,
    /// Length in steps of the longest part ever seen.
    pub max_steps: i64,
    /// Landmarks of the part, one for each context that had events.
    pub landmarks: Vec<Landmark>,
}

/// A next step that is earlier than the requested one. Some servers return that when nothing happened; so does one that was
/// restored from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PositionRewind {
    only: Option<Context>,
    returned: Step,
}

/// Reads one part of the feed, with one concurrent request for each context that is followed separately. The feed ends where
/// nothing follows, and also at a short part that is shorter than an earlier one (`max_steps`, in steps): on a busy tenant,
/// something always follows.
pub(super) async fn read_part<R: Remote>(remote: &R, from: &Position, max_steps: i64) -> Result<Part, RemoteError> {
    let responses = try_join_all(from.entries().map(|(only, step)| async move {
        let changes = remote.changes(step, only).await?;
        Ok::<_, RemoteError>((only, step, changes))
    }));
    let mut part = Part {
        events: Vec::new(),
        next: from.clone(),
        reached_end: true,
        rewinds: Vec::new(),
        max_steps,
        landmarks: Vec::new(),
    };
    let mut positions = Vec::new();
    for (only, step, changes) in responses.await? {
        let next = advance(step, &changes);
        part.rewinds
            .extend(changes.next.filter(|returned| *returned < step).map(|returned| PositionRewind { only, returned }));
        let steps = next.map_or(0, |next| next.0 - step.0);
        part.reached_end &= next.is_none() || steps < part.max_steps.min(SHORT_PART);
        part.max_steps = part.max_steps.max(steps);
        positions.push((only, next.unwrap_or(step)));
        part.landmarks.extend(landmark(only, step, next.unwrap_or(step), &changes.events));
        part.events.extend(changes.events.into_iter().map(|event| (only, event)));
    }
    part.next = Position::from_entries(positions).unwrap_or(part.next);
    Ok(part)
}

/// Returns the landmark of a part of the feed; `None` if it has no events.
pub(super) fn landmark(only: Option<Context>, from: Step, next: Step, events: &[FeedEvent]) -> Option<Landmark> {
    let mut named: Vec<SegmentId> = Vec::new();
    for event in events {
        if named.len() == MAX_LANDMARK_SEGMENTS {
            break;
        }
        if !named.contains(&event.id) {
            named.push(event.id.clone());
        }
    }
    (!named.is_empty()).then_some(Landmark { only, from, next, named })
}

/// Replaces landmarks by newer ones of the same context.
pub(super) fn replace_landmarks(landmarks: &mut Vec<Landmark>, newer: Vec<Landmark>) {
    landmarks.retain(|old| newer.iter().all(|new| new.only != old.only));
    landmarks.extend(newer);
}

/// Whether the feed still has the events of each landmark. A landmark that is too old for the server proves nothing.
pub(super) async fn has_all_landmarks<R: Remote>(remote: &R, landmarks: &[Landmark]) -> Result<bool, RemoteError> {
    let checks = landmarks.iter().map(|landmark| has_landmark(remote, landmark));
    Ok(try_join_all(checks).await?.into_iter().all(|same| same))
}

/// Whether the feed names the same segments and reaches as far. It may be split into other parts than before.
async fn has_landmark<R: Remote>(remote: &R, landmark: &Landmark) -> Result<bool, RemoteError> {
    const MAX_PARTS: usize = 8;
    let (mut step, mut missing) = (landmark.from, landmark.named.clone());
    for _ in 0..MAX_PARTS {
        let changes = match remote.changes(step, landmark.only).await {
            Err(error) if error.fault.rejects_step() => return Ok(true),
            response => response?,
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
pub(super) async fn was_rewound<R: Remote>(remote: &R, position: &Position) -> Result<bool, RemoteError> {
    let latest = position.entries().map(|(_, step)| step).max().unwrap_or(Step::FIRST);
    let last = latest.0.saturating_sub(1);
    if last < Step::FIRST.0 {
        return Ok(false);
    }
    Ok(advance(Step(last), &fetch_changes(remote, last).await?).is_none())
}
