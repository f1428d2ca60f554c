//! Loading everything once, for subcommands.

use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr, eyre};
use tokio::time::Instant;

use crate::changes::Recovered;
use crate::forest::{Change, Forest};
use crate::numbers::{Noun, counted};
use crate::segment::Step;
use crate::sync::{self, Command, Event, ListProgress, Notice, Phase, SegmentChange, Settings, SyncHandle};

use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;
use super::notes::{Notes, ProgressLine};

/// Lists after which a tenant that changes all the time is taken as it is.
const LISTS: usize = 3;
/// The longest wait that a server may ask for, and how often, before that is taken for a failure.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(60);
const WAITS: u32 = 5;
/// How long what happens while everything is loaded is waited for, once it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is on the server.
pub(super) struct Loaded {
    pub forest: Forest,
    pub tenant: String,
    pub host: String,
    /// The step of the feed up to which everything is known, if there is a feed.
    pub step: Option<Step>,
    /// Why segments may be missing; `None` when everything is there.
    lacking: Option<Lacking>,
}

/// Why segments may be missing, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lacking {
    why: String,
    hint: &'static str,
}

/// The segments, and whether that is all of them.
struct Listing {
    forest: Forest,
    step: Option<Step>,
    lacking: Option<Lacking>,
}

impl Listing {
    const fn incomplete(forest: Forest, why: String, hint: &'static str) -> Self {
        Self { forest, step: None, lacking: Some(Lacking { why, hint }) }
    }

    /// Of a tenant that never stood still.
    fn of_changing(forest: Forest) -> Self {
        let why = "the tenant changed during loading, so a few segments may be missing or outdated";
        Self::incomplete(forest, why.into(), "try again when less is changing")
    }
}

impl Loaded {
    /// Refuses what can't be done with a part of the segments, as its consequence says.
    pub fn require_all(&self, consequence: &str) -> Result<(), Failure> {
        let Some(Lacking { why, hint }) = &self.lacking else { return Ok(()) };
        Err(Failure::new(Exit::Incomplete, format_args!("{consequence}: {why}")).hint(hint))
    }

    /// Whether everything is there.
    pub const fn is_complete(&self) -> bool {
        self.lacking.is_none()
    }

    /// How the program ends that has done something with it.
    pub const fn exit(&self) -> Exit {
        if self.is_complete() { Exit::Done } else { Exit::Incomplete }
    }
}

/// A tenant that is loaded, and goes on being followed.
pub(super) struct Session {
    pub loaded: Loaded,
    pub sync: SyncHandle,
    /// What an earlier session left in the journal, and what has become of it.
    pub recovered: Vec<Recovered>,
    /// Why nothing can be written into the journal.
    pub unjournalled: Option<Notice>,
}

/// Everything that is on the server, for those who can do with a part of it: whether it is one is said.
pub(super) async fn everything(link: &Link, notes: Notes) -> Result<Loaded, Failure> {
    let loaded = session(link, link.sync_settings(), notes).await?.loaded;
    if let Some(Lacking { why, hint }) = &loaded.lacking {
        notes.failure(&Failure::new(Exit::Incomplete, why).hint(hint));
    }
    Ok(loaded)
}

/// Everything that is on the server, or nothing: then the consequence is said.
pub(super) async fn all_or_nothing(link: &Link, notes: Notes, consequence: &str) -> Result<Loaded, Failure> {
    let loaded = session(link, link.sync_settings(), notes).await?.loaded;
    loaded.require_all(consequence)?;
    Ok(loaded)
}

/// Everything that is on the server, and the way to follow and change it.
pub(super) async fn session(link: &Link, settings: Settings, notes: Notes) -> Result<Session, Failure> {
    let (tenant, host) = (link.connection.tenant.clone(), link.connection.base_url.host());
    notes.detail(format_args!("loading the segments of {tenant} from {host}"));
    let begun = Instant::now();
    let mut sync = sync::start(link.client.clone(), settings);
    let mut journal = LeftBehind::default();
    let listed = list(&mut sync, &mut journal, notes).await;
    let Listing { forest, step, lacking } = listed.wrap_err("couldn't load the segments")?;
    let seconds = begun.elapsed().as_secs_f64();
    notes.detail(format_args!("loaded {} in {seconds:.1} s", counted(forest.len(), Noun::Segment)));
    let loaded = Loaded { forest, tenant, host, step, lacking };
    let LeftBehind { recovered, unjournalled, .. } = journal;
    Ok(Session { loaded, sync, recovered: recovered.unwrap_or_default(), unjournalled })
}

/// What is learnt of the journal while everything is loaded.
#[derive(Debug, Default)]
struct LeftBehind {
    /// Whether an earlier session has left something.
    something: bool,
    recovered: Option<Vec<Recovered>>,
    unjournalled: Option<Notice>,
}

impl LeftBehind {
    const fn is_known(&self) -> bool {
        !self.something || self.recovered.is_some()
    }
}

/// The segments, followed until they are known to be all of them. How far it is goes to stderr when that is a terminal.
async fn list(sync: &mut SyncHandle, journal: &mut LeftBehind, notes: Notes) -> Result<Listing, Report> {
    let mut progress = notes.progress();
    let mut forest = Forest::new();
    let mut lists = 0;
    let mut has_feed = true;
    let mut waits = 0;
    let mut until: Option<Instant> = None;
    // Once everything is there, up to which step.
    let mut complete: Option<Option<Step>> = None;
    loop {
        let patience = until.unwrap_or_else(|| Instant::now() + PATIENCE);
        let event = tokio::select! {
            event = sync.events.recv() => event,
            () = tokio::time::sleep_until(patience), if until.is_some() && complete.is_none() => {
                progress.clear();
                return Ok(Listing::of_changing(forest));
            }
        };
        let Some(event) = event else { break };
        match event {
            Event::PageReceived(segments) => forest.apply(segments.into_iter().map(Change::Upsert).collect()),
            Event::Listed { different } => {
                lists += 1;
                until = until.or_else(|| Some(Instant::now() + PATIENCE));
                take(&mut forest, different);
            }
            Event::Changed { seen, .. } => take(&mut forest, seen),
            Event::Synchronised { lacking: Some(suspicion), .. } => {
                progress.clear();
                let why = format!("the list of segments is incomplete: {suspicion}");
                let hint = "try again; if that doesn't help, the server's list has a fault";
                return Ok(Listing::incomplete(forest, why, hint));
            }
            Event::Synchronised { complete: true, next, .. } => complete = Some(Some(next)),
            Event::Synchronised { .. } if complete.is_some() => {}
            Event::Synchronised { .. } if lists >= LISTS => {
                progress.clear();
                return Ok(Listing::of_changing(forest));
            }
            Event::Synchronised { .. } => sync.commands.send(Command::Reload).await?,
            // Without a feed there is nothing to wait for after the list.
            Event::PhaseChanged(Phase::Live) if lists > 0 && !has_feed => complete = Some(None),
            // The first page of the first list may come twice, and is there once.
            Event::PhaseChanged(Phase::Loading(far)) => show(&mut progress, forest.len(), &far),
            Event::PhaseChanged(Phase::Resyncing(far)) => show(&mut progress, far.segments, &far),
            Event::PhaseChanged(Phase::Silent { call, since }) => {
                progress.clear();
                notes.note(format_args!("no response for {} s while trying to {call}", since.as_secs()));
            }
            Event::PhaseChanged(Phase::Offline { error, retry_in } | Phase::Stalled { error, retry_in, .. }) => {
                progress.clear();
                // What the server asks for itself is no failure, as long as somebody would wait for it.
                if error.fault.retry_after().is_none_or(|asked| asked > LONGEST_ASKED_WAIT) || waits == WAITS {
                    return Err(error.into());
                }
                waits += 1;
                notes.note(format_args!("{error}; retrying in {} s", retry_in.as_secs()));
            }
            Event::Recovered(recovered) => journal.recovered = Some(recovered),
            // It is said with what comes of it.
            Event::Noticed(Notice::ListIncomplete { .. }) => {}
            Event::Noticed(notice @ (Notice::NotJournalled | Notice::NotStored { .. })) => {
                journal.unjournalled = Some(notice);
                progress.clear();
                // Nothing will be sent, so nothing more has to be known.
                return Ok(Listing::incomplete(forest, "the journal can't be used".into(), "try again"));
            }
            // What has become of it is said once that is known.
            Event::Noticed(Notice::LeftOver { .. }) => journal.something = true,
            Event::Noticed(notice) => {
                has_feed &= !matches!(notice, Notice::FeedUnavailable { .. });
                progress.clear();
                notes.note(as_note(&notice));
            }
            _ => {}
        }
        if let Some(step) = complete.filter(|_| journal.is_known()) {
            progress.clear();
            return Ok(Listing { forest, step, lacking: None });
        }
    }
    Err(eyre!("internal error: the sync task stopped; see the log"))
}

fn show(progress: &mut ProgressLine, segments: usize, far: &ListProgress) {
    let pages = counted(usize::try_from(far.pages).unwrap_or(usize::MAX), Noun::Page);
    let (segments, seconds) = (counted(segments, Noun::Segment), far.elapsed.as_secs_f64());
    progress.show(format_args!("loading {segments} · {pages} · {seconds:.1} s"));
}

/// A message of the interface as a note, which begins in lower case.
fn as_note(notice: &Notice) -> String {
    let words = notice.to_string();
    let mut letters = words.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => words,
    }
}

fn take(forest: &mut Forest, seen: Vec<SegmentChange>) {
    let change = |seen: SegmentChange| seen.now.map_or(Change::Remove(seen.id), Change::Upsert);
    forest.apply(seen.into_iter().map(change).collect());
}
