//! The review of plans before they are sent: all their operations, to be checked, excluded, sent or dropped.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use crate::app::messages::Topic;
use std::ops::Range;
use std::path::PathBuf;

use crate::action::Action;
use crate::changes::{OpGroup, OpId, Operation, PlanId, is_provisional};
use crate::keymap::Key;
use crate::segment::{Field, SegmentId};

use super::submitting::Replacement;
use super::{discard, send_replacement, submit, unstage, words};
use crate::app::words::with_text_kept;
use crate::app::{Effect, State, TextField};
use crate::changes::{Confirmation, TypedPhrase, confirmation, left_to_the_server, managed};

/// A review of plans that wait for the user's confirmation.
#[derive(Debug, Clone)]
pub struct Review {
    pub(in crate::app) plan_ids: Vec<PlanId>,
    /// The replacement of a failed operation; reviewed instead of plans.
    replacement: Option<Box<Replacement>>,
    /// The selected operation.
    pub list: List,
    /// The confirmation phrases to type before it is sent.
    pub confirmation: Confirmation,
    /// The text typed so far.
    pub typed: TextField,
    /// Whether keys go to the text field.
    pub typing: bool,
    /// The warnings.
    pub warnings: Vec<String>,
    counts: OperationCounts,
    /// The reason for each operation, by its index in the plan; empty where it is obvious.
    pub reasons: Vec<String>,
    /// The file of the edited text that the plan came from, removed when the plan is sent.
    pub(in crate::app) text: Option<PathBuf>,
    /// Whether plans that are not sent stay staged.
    pub is_staged: bool,
    /// Whether a segment in it changed while it was open and the user has not confirmed having seen it.
    pub changed: bool,
}

/// The number of operations of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OperationCounts {
    /// Created segments.
    pub created: usize,
    /// Segments with changed fields, without the moved ones.
    pub changed: usize,
    /// Moved segments.
    pub moved: usize,
    /// Deleted segments.
    pub deleted: usize,
}

impl Review {
    pub(in crate::app) fn of(state: &State, plan_ids: Vec<PlanId>) -> Self {
        Self::new(state, plan_ids, None)
    }

    /// Creates a review of staged plans, which stay staged if they are not sent.
    pub(in crate::app) fn of_staged(state: &State, plan_ids: Vec<PlanId>) -> Self {
        Self { is_staged: true, ..Self::of(state, plan_ids) }
    }

    pub(in crate::app) fn of_replacement(state: &State, replacement: Replacement) -> Self {
        Self::new(state, Vec::new(), Some(Box::new(replacement)))
    }

    fn new(state: &State, plan_ids: Vec<PlanId>, replacement: Option<Box<Replacement>>) -> Self {
        let (confirmation, warnings) = (Confirmation::default(), Vec::new());
        let typed = TextField::new("");
        let mut review = Self {
            plan_ids,
            replacement,
            list: List::default(),
            confirmation,
            typed,
            typing: false,
            warnings,
            counts: OperationCounts::default(),
            reasons: Vec::new(),
            text: None,
            is_staged: state.changes.staging,
            changed: false,
        };
        review.recompute(state);
        // If a confirmation phrase is needed, its first letters must not be taken for keys.
        review.typing = review.confirmation.next().is_some();
        review
    }

    /// Applies a change of a segment by someone else: if the review includes it, the user must look again before sending.
    pub(in crate::app) fn changed_elsewhere(&mut self, state: &State, id: &SegmentId) {
        let is_replaced_subject = self
            .replacement
            .as_ref()
            .is_some_and(|replacement| replacement.operation.subject().is_some_and(|subject| subject == id));
        if is_replaced_subject || state.changes.queue.plans_on(id).any(|plan_id| self.plan_ids.contains(&plan_id)) {
            self.recompute(state);
            self.changed = true;
        }
    }

    /// Recomputes the warnings, counts and confirmation for the remaining operations, and starts the confirmation over.
    fn recompute(&mut self, state: &State) {
        let operations = self.operations(state, 0..usize::MAX).into_iter().map(|(_, operation)| operation);
        let operations: Vec<&Operation> = operations.collect();
        let counts = count(&operations);
        let warnings = warnings(state, &operations);
        self.confirmation = confirmation(&state.session.safeguards(), &state.tree.forest, &operations);
        (self.warnings, self.counts) = (warnings, counts);
        self.typed = TextField::new("");
    }

    /// Returns a range of the operations, in order.
    #[must_use]
    pub fn operations<'a>(&'a self, state: &'a State, part: Range<usize>) -> Vec<(OpId, &'a Operation)> {
        if let Some(replacement) = &self.replacement {
            return vec![(replacement.op, &replacement.operation)];
        }
        let plans = self.plan_ids.iter().filter_map(|plan_id| Some((*plan_id, state.changes.queue.plan(*plan_id)?)));
        let listed = OpGroup::Staged.part(plans, part).into_iter();
        listed.filter_map(|op| Some((op, &state.changes.queue.op(op)?.operation))).collect()
    }

    /// Returns the number of operations.
    #[must_use]
    pub fn count(&self, state: &State) -> usize {
        let plans = self.plan_ids.iter().filter_map(|plan_id| state.changes.queue.plan(*plan_id));
        usize::from(self.replacement.is_some()) + plans.map(|plan| plan.counts().staged).sum::<usize>()
    }

    /// Whether it has a single change, so that nothing can be scrolled or excluded.
    #[must_use]
    pub fn is_single(&self, state: &State) -> bool {
        self.count(state) == 1
    }

    /// Whether it has warnings or a confirmation phrase.
    pub(in crate::app) fn needs_review(&self) -> bool {
        self.confirmation.next().is_some() || !self.warnings.is_empty()
    }

    /// Returns the number of operations of each kind.
    #[must_use]
    pub const fn counts(&self) -> OperationCounts {
        self.counts
    }
}

fn count(operations: &[&Operation]) -> OperationCounts {
    let mut counts = OperationCounts::default();
    for operation in operations {
        match operation {
            Operation::Create { .. } => counts.created += 1,
            Operation::Update { .. } if operation.is_move() => counts.moved += 1,
            Operation::Update { .. } => counts.changed += 1,
            Operation::Delete { .. } => counts.deleted += 1,
        }
    }
    counts
}

/// Returns warnings about deletions, segments that are left to the server or managed by another system, and duplicate external
/// ids.
fn warnings(state: &State, operations: &[&Operation]) -> Vec<String> {
    let mut warnings = Vec::new();
    if operations.iter().any(|operation| matches!(operation, Operation::Delete { .. })) {
        warnings.push(words::deletions_can_be_undone(state.key(Action::Undo)));
    }
    let left = left_to_the_server(&state.tree.forest, operations);
    if left > 0 {
        warnings.push(words::left_to_the_server(left));
    }
    // For a single one, the confirmation phrase says it.
    let managed_count = managed(&state.session.safeguards(), &state.tree.forest, operations).len();
    if managed_count > 1 {
        warnings.push(words::managed_by_another_system(managed_count));
    }
    let mut seen = std::collections::HashSet::new();
    for operation in operations {
        let (draft, own_id) = match operation {
            Operation::Create { draft } => (draft, None),
            Operation::Update { base, draft } if draft.changes(base).contains(&Field::ExternalId) => {
                (draft, Some(&base.id))
            }
            _ => continue,
        };
        let Some(external_id) = &draft.external_id else { continue };
        let text = external_id.as_str();
        let is_in_use = |own_id| {
            state
                .tree
                .forest
                .with_external_id(text)
                .any(|other| Some(&other.id) != own_id && !is_provisional(&other.id))
        };
        if !seen.insert(text) || is_in_use(own_id) {
            warnings.push(words::external_id_of_several(text));
        }
        if warnings.len() > 3 {
            break;
        }
    }
    warnings
}

pub(in crate::app) fn press(state: &mut State, review: &mut Review, key: Key) -> KeyResult {
    if review.typing {
        return press_typing(state, review, key);
    }
    let count = review.count(state);
    let text = key.to_string();
    match text.as_str() {
        "esc" | "q" | "n" | "ctrl-c" => return close(state, review, false),
        "d" if count == 1 => return close(state, review, true),
        "d" => return exclude_selected(state, review),
        "y" if review.changed => reject_stale_key(state, review),
        "y" if review.confirmation.next().is_none() => return KeyResult::CloseAndDo(send(state, review)),
        "y" => review.typing = true,
        "enter" => state.warn(words::REVIEW_KEYS),
        key => {
            review.list.press(key, count, ListKeys::Letters);
        }
    }
    KeyResult::Stay
}

fn exclude_selected(state: &mut State, review: &mut Review) -> KeyResult {
    let selected = review.operations(state, review.list.chosen..review.list.chosen + 1).first().map(|(op, _)| *op);
    let effects = selected.into_iter().flat_map(|op| discard(state, op)).collect();
    if review.is_staged {
        state.inform(words::STAGED_DISCARDED);
    }
    let remaining = review.count(state);
    if remaining == 0 {
        report_dropped(state, review, words::NOTHING_LEFT_TO_SEND);
        return KeyResult::CloseAndDo(effects);
    }
    review.list.go(0, remaining);
    review.recompute(state);
    KeyResult::StayAndDo(effects)
}

fn press_typing(state: &mut State, review: &mut Review, key: Key) -> KeyResult {
    let single = review.is_single(state);
    match key.to_string().as_str() {
        "esc" | "ctrl-c" if single => return close(state, review, false),
        "down" | "up" if single => {}
        "esc" | "ctrl-c" | "down" | "up" => review.typing = false,
        "enter" if review.changed => reject_stale_key(state, review),
        "enter" if review.confirmation.submit_phrase(review.typed.text()) => {
            if review.confirmation.next().is_none() {
                return KeyResult::CloseAndDo(send(state, review));
            }
            review.typed = TextField::new("");
        }
        "enter" => {
            let phrase = review.confirmation.next().map(TypedPhrase::text).unwrap_or_default();
            state.warn(words::type_to_continue(&phrase));
        }
        _ => {
            review.typed.press(key);
        }
    }
    KeyResult::Stay
}

/// Rejects a key that was meant for the version before.
fn reject_stale_key(state: &mut State, review: &mut Review) {
    review.changed = false;
    state.warn(words::REVIEW_AGAIN);
}

fn send(state: &mut State, review: &mut Review) -> Vec<Effect> {
    if let Some(replacement) = review.replacement.take() {
        return send_replacement(state, *replacement);
    }
    let mut effects = submit(state, &review.plan_ids);
    effects.extend(review.text.take().map(Effect::RemoveText));
    effects
}

/// Closes the review without sending. The dialog that the plan came from reopens with its input; staged plans stay staged unless
/// `discards`.
fn close(state: &mut State, review: &mut Review, discards: bool) -> KeyResult {
    if let Some(replacement) = review.replacement.take() {
        return replacement.origin.map_or_else(
            || {
                let text = words::unresolved(state.key(Action::Resolve));
                state.inform_about(Topic::Problem(replacement.op), text);
                KeyResult::Close
            },
            KeyResult::replace,
        );
    }
    if review.is_staged && !discards {
        state.inform_about(Topic::AnyStaged, words::still_staged(state.key(Action::Stage)));
        return KeyResult::Close;
    }
    let origin = match review.plan_ids.as_slice() {
        [only] if !discards => state.changes.origins.get(only).cloned(),
        _ => None,
    };
    let effects = review.plan_ids.iter().flat_map(|plan_id| unstage(state, *plan_id)).collect();
    report_dropped(state, review, words::NOTHING_SENT);
    state.screen.layers.extend(origin);
    KeyResult::CloseAndDo(effects)
}

/// Reports that the plan was dropped. An edited text is kept, as it may have been much work, and its file is named.
fn report_dropped(state: &mut State, review: &Review, outcome: &str) {
    match &review.text {
        Some(file) => state.warn(with_text_kept(outcome, file)),
        None => state.inform(outcome),
    }
}
