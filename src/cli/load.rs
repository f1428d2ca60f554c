//! Loads all segments of a tenant, for subcommands.

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

/// Lists after which loading stops if the tenant keeps changing.
const MAX_LISTS: usize = 3;
/// The longest wait that the server may ask for, and how many such waits are accepted before loading fails.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
const MAX_WAITS: u32 = 5;
/// How long to wait, after the first list, for changes made during loading.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The segments of a tenant.
pub(super) struct Loaded {
    pub forest: Forest,
    pub tenant: String,
    pub host: String,
    /// The feed step up to which everything is known, if there is a feed.
    pub step: Option<Step>,
    /// Why segments may be missing; `None` if the list is complete.
    incompleteness: Option<Incompleteness>,
}

/// Why segments may be missing, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Incompleteness {
    reason: String,
    hint: &'static str,
}

/// The segments, and whether the list is complete.
struct Listing {
    forest: Forest,
    step: Option<Step>,
    incompleteness: Option<Incompleteness>,
}

impl Listing {
    const fn incomplete(forest: Forest, reason: String, hint: &'static str) -> Self {
        Self { forest, step: None, incompleteness: Some(Incompleteness { reason, hint }) }
    }

    /// The segments of a tenant that kept changing.
    fn of_changing(forest: Forest) -> Self {
        let reason = "the tenant changed during loading, so a few segments may be missing or outdated";
        Self::incomplete(forest, reason.into(), "try again when less is changing")
    }
}

impl Loaded {
    /// Fails if segments may be missing. `consequence` says what is not done because of it.
    pub fn require_all(&self, consequence: &str) -> Result<(), Failure> {
        let Some(Incompleteness { reason, hint }) = &self.incompleteness else { return Ok(()) };
        Err(Failure::new(Exit::Incomplete, format_args!("{consequence}: {reason}")).hint(hint))
    }

    /// Whether the list is complete.
    pub const fn is_complete(&self) -> bool {
        self.incompleteness.is_none()
    }

    /// Returns the exit code of a command that used these segments successfully.
    pub const fn exit(&self) -> Exit {
        if self.is_complete() { Exit::Done } else { Exit::Incomplete }
    }
}

/// A tenant that is loaded and still followed.
pub(super) struct Session {
    pub loaded: Loaded,
    pub sync: SyncHandle,
    /// Operations that an earlier session left in the journal, and their state.
    pub recovered: Vec<Recovered>,
    /// Why the journal can't be written.
    pub journal_notice: Option<Notice>,
}

/// Loads all segments, for commands that can use an incomplete list: whether it is one is reported.
pub(super) async fn load_segments(link: &Link, notes: Notes) -> Result<Loaded, Failure> {
    let loaded = start_session(link, link.sync_settings(), notes).await?.loaded;
    if let Some(Incompleteness { reason, hint }) = &loaded.incompleteness {
        notes.failure(&Failure::new(Exit::Incomplete, reason).hint(hint));
    }
    Ok(loaded)
}

/// Loads all segments, or fails with the consequence if the list is incomplete.
pub(super) async fn load_complete(link: &Link, notes: Notes, consequence: &str) -> Result<Loaded, Failure> {
    let loaded = start_session(link, link.sync_settings(), notes).await?.loaded;
    loaded.require_all(consequence)?;
    Ok(loaded)
}

/// Loads all segments and keeps the sync actor running, to follow and change the tenant.
pub(super) async fn start_session(link: &Link, settings: Settings, notes: Notes) -> Result<Session, Failure> {
    let (tenant, host) = (link.connection.tenant.clone(), link.connection.base_url.host());
    notes.detail(format_args!("loading the segments of {tenant} from {host}"));
    let started = Instant::now();
    let mut sync = sync::start(link.client.clone(), settings);
    let mut journal = JournalState::default();
    let listed = load_list(&mut sync, &mut journal, notes).await;
    let Listing { forest, step, incompleteness } = listed.wrap_err("couldn't load the segments")?;
    let seconds = started.elapsed().as_secs_f64();
    notes.detail(format_args!("loaded {} in {seconds:.1} s", counted(forest.len(), Noun::Segment)));
    let loaded = Loaded { forest, tenant, host, step, incompleteness };
    let JournalState { recovered, journal_notice, .. } = journal;
    Ok(Session { loaded, sync, recovered: recovered.unwrap_or_default(), journal_notice })
}

/// What is found in the journal during loading.
#[derive(Debug, Default)]
struct JournalState {
    /// Whether an earlier session has left operations.
    has_leftovers: bool,
    recovered: Option<Vec<Recovered>>,
    journal_notice: Option<Notice>,
}

impl JournalState {
    const fn is_known(&self) -> bool {
        !self.has_leftovers || self.recovered.is_some()
    }
}

/// Collects the segments until the list is known to be complete. Progress is shown on stderr if that is a terminal.
async fn load_list(sync: &mut SyncHandle, journal: &mut JournalState, notes: Notes) -> Result<Listing, Report> {
    let mut progress = notes.progress();
    let mut forest = Forest::new();
    let mut list_count = 0;
    let mut has_feed = true;
    let mut wait_count = 0;
    let mut deadline: Option<Instant> = None;
    // The step up to which everything is known, once the list is complete.
    let mut complete: Option<Option<Step>> = None;
    loop {
        let wait_until = deadline.unwrap_or_else(|| Instant::now() + SETTLE_TIMEOUT);
        let event = tokio::select! {
            event = sync.events.recv() => event,
            () = tokio::time::sleep_until(wait_until), if deadline.is_some() && complete.is_none() => {
                progress.clear();
                return Ok(Listing::of_changing(forest));
            }
        };
        let Some(event) = event else { break };
        match event {
            Event::PageReceived(segments) => forest.apply(segments.into_iter().map(Change::Upsert).collect()),
            Event::Listed { different } => {
                list_count += 1;
                deadline = deadline.or_else(|| Some(Instant::now() + SETTLE_TIMEOUT));
                apply_changes(&mut forest, different);
            }
            Event::Changed { seen, .. } => apply_changes(&mut forest, seen),
            Event::Synchronised { incomplete_reason: Some(suspicion), .. } => {
                progress.clear();
                let reason = format!("the list of segments is incomplete: {suspicion}");
                let hint = "try again; if that doesn't help, the server's list has a fault";
                return Ok(Listing::incomplete(forest, reason, hint));
            }
            Event::Synchronised { complete: true, next, .. } => complete = Some(Some(next)),
            Event::Synchronised { .. } if complete.is_some() => {}
            Event::Synchronised { .. } if list_count >= MAX_LISTS => {
                progress.clear();
                return Ok(Listing::of_changing(forest));
            }
            Event::Synchronised { .. } => sync.commands.send(Command::Reload).await?,
            // Without a feed, there is nothing to wait for after the list.
            Event::PhaseChanged(Phase::Live) if list_count > 0 && !has_feed => complete = Some(None),
            // The first page of the first list may be received twice, but is counted once.
            Event::PhaseChanged(Phase::Loading(list_progress)) => show(&mut progress, forest.len(), &list_progress),
            Event::PhaseChanged(Phase::Resyncing(list_progress)) => {
                show(&mut progress, list_progress.segments, &list_progress);
            }
            Event::PhaseChanged(Phase::Silent { call, since }) => {
                progress.clear();
                notes.note(format_args!("no response for {} s while trying to {call}", since.as_secs()));
            }
            Event::PhaseChanged(Phase::Offline { error, retry_in } | Phase::Stalled { error, retry_in, .. }) => {
                progress.clear();
                // A wait that the server asks for is not a failure, as long as it is not too long.
                if error.fault.retry_after().is_none_or(|retry_after| retry_after > MAX_RETRY_AFTER)
                    || wait_count == MAX_WAITS
                {
                    return Err(error.into());
                }
                wait_count += 1;
                notes.note(format_args!("{error}; retrying in {} s", retry_in.as_secs()));
            }
            Event::Recovered(recovered) => journal.recovered = Some(recovered),
            // Reported with its consequence.
            Event::Noticed(Notice::ListIncomplete { .. }) => {}
            Event::Noticed(notice @ (Notice::NotJournalled | Notice::NotStored { .. })) => {
                journal.journal_notice = Some(notice);
                progress.clear();
                // Nothing will be sent, so nothing more needs to be loaded.
                return Ok(Listing::incomplete(forest, "the journal can't be used".into(), "try again"));
            }
            // Their state is reported once it is known.
            Event::Noticed(Notice::LeftOver { .. }) => journal.has_leftovers = true,
            Event::Noticed(notice) => {
                has_feed &= !matches!(notice, Notice::FeedUnavailable { .. });
                progress.clear();
                notes.note(note_text(&notice));
            }
            _ => {}
        }
        if let Some(step) = complete.filter(|_| journal.is_known()) {
            progress.clear();
            return Ok(Listing { forest, step, incompleteness: None });
        }
    }
    Err(eyre!("internal error: the sync task stopped; see the log"))
}

fn show(progress: &mut ProgressLine, segments: usize, list_progress: &ListProgress) {
    let pages = counted(usize::try_from(list_progress.pages).unwrap_or(usize::MAX), Noun::Page);
    let (segments, seconds) = (counted(segments, Noun::Segment), list_progress.elapsed.as_secs_f64());
    progress.show(format_args!("loading {segments} · {pages} · {seconds:.1} s"));
}

/// Converts a message of the interface to a note, which begins in lower case.
fn note_text(notice: &Notice) -> String {
    let words = notice.to_string();
    let mut letters = words.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => words,
    }
}

fn apply_changes(forest: &mut Forest, seen: Vec<SegmentChange>) {
    let change = |seen: SegmentChange| seen.now.map_or(Change::Remove(seen.id), Change::Upsert);
    forest.apply(seen.into_iter().map(change).collect());
}
