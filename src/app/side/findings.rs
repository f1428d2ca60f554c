//! What is wrong with the tree, by the rules of the profile: looked at beside everything else, anew after every change while somebody
//! reads it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::check::{CheckJob, Checked, Finding, Level, Rule, Rules};
use crate::segment::SegmentId;

use crate::app::{Effect, Layer, List, State};

/// What was found, and which of it is chosen.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What is looked for.
    pub rules: Rules,
    /// What was found last.
    checked: Option<Checked>,
    /// When what is under way was begun.
    begun: Option<Timestamp>,
    /// Nothing is begun before then.
    rest_until: Option<Timestamp>,
    /// The chosen finding, by its place.
    pub list: List,
    /// The segment that was about to be mended: when its finding goes, that is no surprise.
    pub(in crate::app) mending: Option<SegmentId>,
    /// Whether another finding has come to the chosen place by itself.
    pub(in crate::app) replaced: bool,
}

impl Findings {
    /// What was found last, the gravest first; `None` before the first look has ended.
    #[must_use]
    pub fn all(&self) -> Option<&[Finding]> {
        self.checked.as_ref().map(|checked| &*checked.findings)
    }

    /// The chosen finding.
    #[must_use]
    pub fn chosen(&self) -> Option<&Finding> {
        self.all()?.get(self.list.chosen)
    }

    /// Chooses the finding of a rule about a segment. Whether it was chosen before; `None` where there is no such finding.
    pub(in crate::app) fn choose(&mut self, rule: Rule, id: &SegmentId) -> Option<bool> {
        let at = self.all()?.iter().position(|finding| finding.rule == rule && finding.segment.id == *id)?;
        let was_chosen = self.list.chosen == at;
        (self.list.chosen, self.replaced, self.mending) = (at, false, None);
        Some(was_chosen)
    }

    /// How many there are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        // The graver ones stand first.
        let all = self.all().unwrap_or_default();
        all.partition_point(|finding| finding.level >= level) - all.partition_point(|finding| finding.level > level)
    }

    /// Whether the tree is being looked at.
    #[must_use]
    pub const fn is_checking(&self) -> bool {
        self.begun.is_some()
    }

    /// When there is to be another look, if that has to wait.
    pub(in crate::app) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| *until > now)
    }

    /// The tree is another one, of which nothing is known.
    pub(in crate::app) fn forget(&mut self) {
        self.checked = None;
    }

    /// Takes in what was found. What was chosen stays so wherever it has come to; where it has gone, what has come there is chosen.
    fn take(&mut self, checked: Checked, now: Timestamp) {
        // A large tree that changes all the time is looked at half of the time.
        let took = self.begun.take().map_or(SignedDuration::ZERO, |begun| now.duration_since(begun));
        self.rest_until = now.checked_add(took).ok();
        let former = self.chosen().map(|finding| (finding.rule, finding.segment.id.clone()));
        self.checked = Some(checked);
        let all = self.all().unwrap_or_default();
        let is_former =
            |finding: &Finding, former: &(_, SegmentId)| (finding.rule, &finding.segment.id) == (former.0, &former.1);
        let place = former.as_ref().and_then(|former| all.iter().position(|finding| is_former(finding, former)));
        let last = all.len().saturating_sub(1);
        self.replaced |= place.is_none() && former.is_some_and(|(_, id)| self.mending.as_ref() != Some(&id));
        self.list = List { chosen: place.unwrap_or(self.list.chosen).min(last) };
    }
}

/// Looks at the tree once more while the findings are open and it is another one than that which was looked at.
pub(in crate::app) fn look_again(state: &mut State) -> Option<Effect> {
    if !state.screen.layers.iter().any(Layer::is_findings) {
        return None;
    }
    let (findings, revision, now) = (&mut state.side.findings, state.tree.forest.revision(), state.clock.now);
    let is_known = findings.checked.as_ref().is_some_and(|checked| checked.revision == revision);
    if is_known || findings.is_checking() || findings.next_wake(now).is_some() {
        return None;
    }
    findings.begun = Some(now);
    findings.rest_until = None;
    let snapshot = state.tree.forest.snapshot();
    Some(Effect::Check(Box::new(CheckJob { revision, snapshot, rules: findings.rules.clone() })))
}

/// Takes in what a look has found.
pub(in crate::app) fn take_checked(state: &mut State, checked: Checked) {
    state.side.findings.take(checked, state.clock.now);
}

/// The path of a segment as it is now, without its own name; `None` where it is at the top or has gone.
#[must_use]
pub fn path_above(state: &State, id: &SegmentId) -> Option<String> {
    let path = state.tree.forest.path(id);
    let (_, above) = path.split_last()?;
    let names: Vec<&str> = above.iter().map(|segment: &&Arc<_>| segment.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(" › "))
}
