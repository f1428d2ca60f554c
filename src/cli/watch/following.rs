//! How far a tenant was followed, and the lines for its changes.

use std::sync::Arc;

use color_eyre::eyre::Report;

use crate::clock;
use crate::numbers::{Noun, counted};
use crate::remote::RemoteError;
use crate::segment::Step;
use crate::sync::{Event, Notice, Phase, SegmentChange};

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::notes::Notes;
use super::line::{Line, Source};

/// Turns sync events into lines and notes.
pub(super) struct Following {
    source: Arc<Source>,
    /// The step to start from, if one was given or saved.
    since: Option<Step>,
    /// The step to resume from after the lines so far.
    pub step: Option<Step>,
    synchronised: bool,
    offline: bool,
    /// The step that the feed refused, until it is known whether the step was dropped or the feed is gone.
    refused_step: Option<Step>,
    /// The last reported number of unread changes.
    last_backlog: usize,
    notes: Notes,
}

/// The failure for a tenant whose feed can't be fetched, and why.
pub(super) fn no_feed(tenant: &str, error: &RemoteError) -> Failure {
    Failure::failed(format_args!("couldn't watch {tenant}: it has no change feed ({error})"))
        .hint("check the base URL and the tenant with `segtui doctor`; without a feed, compare two exports with `segtui diff`")
}

/// The failure for a tenant whose feed was there before and is gone.
fn feed_gone(tenant: &str, error: &RemoteError) -> Failure {
    Failure::new(Exit::Unreachable, format_args!("couldn't watch {tenant} any longer: its change feed is gone ({error})"))
        .hint("run it again to continue, with --state or from the step that was last; `segtui doctor` shows whether the feed is back")
}

/// The failure for a step that is no longer in the feed: changes may have been missed.
pub(super) fn step_expired(step: Step) -> Failure {
    let hint =
        "start without --since, or with another --state, to continue from now; compare with an export what was missed";
    Failure::failed(format_args!("step {step} is no longer in the feed")).hint(hint)
}

impl Following {
    pub fn new(source: Source, since: Option<Step>, notes: Notes) -> Self {
        let source = Arc::new(source);
        Self {
            source,
            since,
            step: since,
            synchronised: false,
            offline: false,
            refused_step: None,
            last_backlog: 0,
            notes,
        }
    }

    /// Returns the lines for an event. Notes for people go to stderr.
    pub fn on_sync_event(&mut self, event: Event) -> Result<Vec<Line>, Failure> {
        match event {
            Event::Listed { different } => return Ok(self.lines(different, None)),
            Event::Changed { seen, next } => return Ok(self.lines(seen, next)),
            Event::Synchronised { next, .. } => {
                self.step = Some(next);
                if !self.synchronised {
                    self.synchronised = true;
                    let from = self.since.unwrap_or(next);
                    self.notes.note(format_args!("watching {} from step {from}", self.source.tenant));
                }
            }
            Event::PhaseChanged(Phase::Offline { error, .. } | Phase::Stalled { error, .. }) => {
                if !self.synchronised && !error.fault.is_transient() {
                    return Err(Report::new(error).into());
                }
                if !std::mem::replace(&mut self.offline, true) {
                    self.notes.note(format_args!("{error}; retrying"));
                }
            }
            Event::PhaseChanged(Phase::Silent { call, since }) => {
                self.notes.note(format_args!("no response for {} s while trying to {call}", since.as_secs()));
            }
            Event::PhaseChanged(Phase::Live) => {
                self.last_backlog = 0;
                if std::mem::take(&mut self.offline) {
                    self.notes.note(format_args!("reconnected"));
                }
            }
            Event::PhaseChanged(Phase::Behind { waiting }) if waiting >= 2 * self.last_backlog => {
                self.last_backlog = waiting;
                self.notes.note(format_args!("{} to read", counted(waiting, Noun::Change)));
            }
            Event::PhaseChanged(Phase::Loading(_) | Phase::Resyncing(_)) => {
                if let Some(step) = self.refused_step.take() {
                    if !self.synchronised && self.since.is_some() {
                        return Err(step_expired(step));
                    }
                    self.notes.note(Notice::StepRefused { step });
                }
            }
            Event::Noticed(Notice::FeedUnavailable { error }) => {
                let fail = if self.synchronised { feed_gone } else { no_feed };
                return Err(fail(&self.source.tenant, &error));
            }
            Event::Noticed(Notice::StepRefused { step }) => self.refused_step = Some(step),
            Event::Noticed(Notice::SegmentUnreadable { error }) => {
                let step =
                    self.step.map(|step| format!("; until then it resumes from step {step}")).unwrap_or_default();
                self.notes.note(format_args!("{error}; trying again{step}"));
            }
            Event::Noticed(notice) => self.notes.note(notice),
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Returns a line per change. Only the last line of a batch has the step after the batch.
    fn lines(&self, seen: Vec<SegmentChange>, next: Option<Step>) -> Vec<Line> {
        let time = clock::now();
        let mut lines: Vec<Line> = seen.into_iter().map(|one| Line::of(one, time, &self.source, self.step)).collect();
        if let (Some(last), Some(_)) = (lines.last_mut(), next) {
            last.step = next;
        }
        lines
    }
}
