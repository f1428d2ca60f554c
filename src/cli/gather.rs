//! Loading everything once, for subcommands.

use std::io::{self, IsTerminal, Write};

use color_eyre::eyre::{Report, eyre};

use crate::forest::{Change, Forest};
use crate::mirror::{self, Command, Event, ListProgress, Notice, Phase, Seen};

use super::link::Link;

/// Lists after which a tenant that changes all the time is taken as it is.
const LISTS: usize = 3;

/// Everything that is on the server. How far it is goes to stderr when that is a terminal.
pub(super) async fn everything(link: &Link) -> Result<Forest, Report> {
    let mut mirror = mirror::start(link.client.clone(), link.mirror_settings());
    let mut progress = ProgressLine { shown: false };
    let mut forest = Forest::new();
    let mut lists = 0;
    let mut has_feed = true;
    while let Some(event) = mirror.events.recv().await {
        match event {
            Event::Gathered(segments) => forest.apply(segments.into_iter().map(Change::Upsert).collect()),
            Event::Listed { different } => {
                lists += 1;
                take(&mut forest, different);
            }
            Event::Changed { seen, .. } => take(&mut forest, seen),
            Event::Synchronised { complete, .. } if complete || lists == LISTS => {
                progress.clear();
                if !complete {
                    eprintln!("segtui: the tenant kept changing while it was loaded; a few segments may be missing");
                }
                return Ok(forest);
            }
            Event::Synchronised { .. } => mirror.commands.send(Command::Reload).await?,
            // Without a feed there is nothing to wait for after the list.
            Event::PhaseChanged(Phase::Live) if lists > 0 && !has_feed => {
                progress.clear();
                return Ok(forest);
            }
            Event::PhaseChanged(Phase::Loading(far) | Phase::Resyncing(far)) => progress.show(&far),
            Event::PhaseChanged(Phase::Offline { error, .. } | Phase::Stalled { error, .. }) => {
                progress.clear();
                return Err(error.into());
            }
            Event::Noticed(notice) => {
                has_feed &= !matches!(notice, Notice::FeedUnavailable { .. });
                progress.clear();
                eprintln!("segtui: {notice}");
            }
            _ => {}
        }
    }
    Err(eyre!("the part that talks to the server has ended unexpectedly; the log says more"))
}

fn take(forest: &mut Forest, seen: Vec<Seen>) {
    let change = |seen: Seen| seen.now.map_or(Change::Remove(seen.id), Change::Upsert);
    forest.apply(seen.into_iter().map(change).collect());
}

/// One line on stderr that is written over again and again.
struct ProgressLine {
    shown: bool,
}

impl ProgressLine {
    fn show(&mut self, far: &ListProgress) {
        if io::stderr().is_terminal() {
            self.shown = true;
            let seconds = far.elapsed.as_secs_f64();
            write(&format!("\r\x1b[Kloading {} segments · {} pages · {seconds:.1} s", far.segments, far.pages));
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut stderr = io::stderr();
    // A line that nobody can see is no reason to stop.
    if let Err(error) = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()) {
        tracing::debug!(%error, "progress can't be shown");
    }
}
