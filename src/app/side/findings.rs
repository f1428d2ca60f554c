//! Findings: violations of the profile's rules in the tree. Checks run in the background, again after every change while the list
//! is open.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::check::{CheckJob, CheckResult, Finding, Level, Rule, Rules};
use crate::segment::SegmentId;

use crate::app::{Effect, Layer, List, State};

/// The latest findings and the chosen one.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The rules to check.
    pub rules: Rules,
    /// The result of the last check.
    checked: Option<CheckResult>,
    /// When the check in progress started.
    started_at: Option<Timestamp>,
    /// No check starts before this time.
    next_check_at: Option<Timestamp>,
    /// The index of the chosen finding.
    pub list: List,
    /// The segment whose fix was opened: the user expects its finding to go away.
    pub(in crate::app) fixing: Option<SegmentId>,
    /// Whether another finding took the chosen place by itself.
    pub(in crate::app) is_replaced: bool,
}

impl Findings {
    /// Returns the findings of the last check, most severe first; `None` before the first check has finished.
    #[must_use]
    pub fn all(&self) -> Option<&[Finding]> {
        self.checked.as_ref().map(|checked| &*checked.findings)
    }

    /// Returns the chosen finding.
    #[must_use]
    pub fn chosen(&self) -> Option<&Finding> {
        self.all()?.get(self.list.chosen)
    }

    /// Chooses the finding of a rule about a segment. Returns whether it was chosen already, or `None` if there is no such
    /// finding.
    pub(in crate::app) fn choose(&mut self, rule: Rule, id: &SegmentId) -> Option<bool> {
        let at = self.all()?.iter().position(|finding| finding.rule == rule && finding.segment.id == *id)?;
        let was_chosen = self.list.chosen == at;
        (self.list.chosen, self.is_replaced, self.fixing) = (at, false, None);
        Some(was_chosen)
    }

    /// Returns the number of findings of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        // The findings are sorted by level, most severe first.
        let all = self.all().unwrap_or_default();
        all.partition_point(|finding| finding.level >= level) - all.partition_point(|finding| finding.level > level)
    }

    /// Whether a check is in progress.
    #[must_use]
    pub const fn is_checking(&self) -> bool {
        self.started_at.is_some()
    }

    /// Returns when the next check may start, if it has to wait.
    pub(in crate::app) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.next_check_at.filter(|until| *until > now)
    }

    /// Drops the findings of a tree that was replaced.
    pub(in crate::app) fn forget(&mut self) {
        self.checked = None;
    }

    /// Takes the result of a check. The chosen finding stays chosen if it still exists; otherwise the one now in its place is.
    fn apply_result(&mut self, checked: CheckResult, now: Timestamp) {
        // Pausing for as long as the check took limits the load of a large tree that changes constantly to half the time.
        let took = self.started_at.take().map_or(SignedDuration::ZERO, |started_at| now.duration_since(started_at));
        self.next_check_at = now.checked_add(took).ok();
        let previous = self.chosen().map(|finding| (finding.rule, finding.segment.id.clone()));
        self.checked = Some(checked);
        let all = self.all().unwrap_or_default();
        let is_previous = |finding: &Finding, previous: &(_, SegmentId)| {
            (finding.rule, &finding.segment.id) == (previous.0, &previous.1)
        };
        let place =
            previous.as_ref().and_then(|previous| all.iter().position(|finding| is_previous(finding, previous)));
        let last = all.len().saturating_sub(1);
        self.is_replaced |= place.is_none() && previous.is_some_and(|(_, id)| self.fixing.as_ref() != Some(&id));
        self.list = List { chosen: place.unwrap_or(self.list.chosen).min(last) };
    }
}

/// Starts a check if the list is open and the tree has changed since the last one.
pub(in crate::app) fn check_if_stale(state: &mut State) -> Option<Effect> {
    if !state.screen.layers.iter().any(Layer::is_findings) {
        return None;
    }
    let (findings, revision, now) = (&mut state.side.findings, state.tree.forest.revision(), state.clock.now);
    let is_known = findings.checked.as_ref().is_some_and(|checked| checked.revision == revision);
    if is_known || findings.is_checking() || findings.next_wake(now).is_some() {
        return None;
    }
    findings.started_at = Some(now);
    findings.next_check_at = None;
    let snapshot = state.tree.forest.snapshot();
    Some(Effect::Check(Box::new(CheckJob { revision, snapshot, rules: findings.rules.clone() })))
}

/// Takes the result of a check.
pub(in crate::app) fn on_checked(state: &mut State, checked: CheckResult) {
    state.side.findings.apply_result(checked, state.clock.now);
}

/// Returns the present path of a segment's ancestors; `None` for a root or an unknown segment.
#[must_use]
pub fn path_above(state: &State, id: &SegmentId) -> Option<String> {
    let path = state.tree.forest.path(id);
    let (_, above) = path.split_last()?;
    let names: Vec<&str> = above.iter().map(|segment: &&Arc<_>| segment.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(" › "))
}
