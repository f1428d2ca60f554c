//! The form for creating a segment and for editing all fields of an existing one.

use crate::app::State;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::edit::{changing, words};
use crate::app::words::sentence;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::changes::OpId;
use crate::changes::Operation;
use crate::forest::Forest;
use crate::keymap::Key;
use crate::segment::{Draft, ExternalId, Field, Name, Segment, SegmentId};

use crate::app::TextField;
use crate::app::side::activity::shown;

/// The form's input and the messages shown with it.
#[derive(Debug, Clone)]
pub struct Form {
    /// Whether the form creates or edits a segment.
    pub kind: FormKind,
    /// The name as typed.
    pub name: TextField,
    /// The external id as typed.
    pub external_id: TextField,
    /// The chosen parent, `None` for the top level.
    pub parent: Option<SegmentId>,
    /// The focused field.
    pub focus: Field,
    /// What is wrong with a field, or how it changed elsewhere.
    pub faults: BTreeMap<Field, String>,
    /// Why the server rejected the operation, in its own words, or that the segment was deleted.
    pub refusal: Option<String>,
    /// The failed operation that saving replaces.
    pub(in crate::app) failed_op: Option<OpId>,
    /// The operation that is discarded when the form is submitted.
    pub(in crate::app) discarded_op: Option<OpId>,
}

/// Whether a form creates or edits a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormKind {
    /// Creates a segment.
    Create,
    /// Edits a segment.
    Edit {
        /// The segment as the user saw it.
        base: Arc<Segment>,
    },
}

impl Form {
    /// Creates an empty form for a child of `parent`.
    #[must_use]
    pub fn create(parent: Option<SegmentId>) -> Self {
        Self::new(FormKind::Create, "", "", parent)
    }

    /// Creates the form that edits an existing segment.
    #[must_use]
    pub fn edit(base: &Arc<Segment>) -> Self {
        let external_id = base.external_id.as_deref().unwrap_or_default();
        Self::new(FormKind::Edit { base: Arc::clone(base) }, &base.name, external_id, base.parent.clone())
    }

    /// Creates an edit form with the user's values, to replace an operation.
    pub(in crate::app) fn for_failed_update(base: &Arc<Segment>, mine: &Segment, op: OpId) -> Self {
        let external_id = mine.external_id.as_deref().unwrap_or_default();
        let kind = FormKind::Edit { base: Arc::clone(base) };
        Self { failed_op: Some(op), ..Self::new(kind, &mine.name, external_id, mine.parent.clone()) }
    }

    /// Creates the form for a segment that could not be created.
    pub(in crate::app) fn for_failed_create(draft: &Draft, op: OpId, refusal: &str) -> Self {
        let external_id = draft.external_id.as_ref().map(ExternalId::as_str).unwrap_or_default();
        let form = Self::new(FormKind::Create, draft.name.as_str(), external_id, draft.parent.clone());
        Self { failed_op: Some(op), refusal: Some(refusal.to_owned()), ..form }
    }

    /// Creates the form that re-creates a deleted segment. If its parent is gone too, the form shows that at once.
    pub(in crate::app) fn for_recreation(mine: &Segment, gone: OpId, forest: &Forest) -> Self {
        let external_id = mine.external_id.as_deref().unwrap_or_default();
        let form = Self::new(FormKind::Create, &mine.name, external_id, mine.parent.clone());
        let mut form = Self { discarded_op: Some(gone), ..form };
        if let Some(fault) = form.parent_fault(forest) {
            form.faults.insert(Field::Parent, fault);
            form.focus = Field::Parent;
        }
        form
    }

    fn new(kind: FormKind, name: &str, external_id: &str, parent: Option<SegmentId>) -> Self {
        Self {
            kind,
            name: TextField::new(name),
            external_id: TextField::new(external_id),
            parent,
            focus: Field::Name,
            faults: BTreeMap::new(),
            refusal: None,
            failed_op: None,
            discarded_op: None,
        }
    }

    /// Returns the segment that the form edits.
    #[must_use]
    pub fn subject(&self) -> Option<&SegmentId> {
        match &self.kind {
            FormKind::Create => None,
            FormKind::Edit { base } => Some(&base.id),
        }
    }

    /// Returns a warning if another segment has the external id, since external systems identify segments by it.
    #[must_use]
    pub fn warning(&self, forest: &Forest) -> Option<String> {
        let external_id = self.external_id.text().trim();
        if external_id.is_empty() {
            return None;
        }
        let other = forest.with_external_id(external_id).find(|other| Some(&other.id) != self.subject())?;
        Some(words::external_id_in_use(external_id, &other.name))
    }

    /// Returns the parent's path for display, or its id if it is unknown.
    #[must_use]
    pub fn parent_text(&self, forest: &Forest) -> String {
        match &self.parent {
            None => words::TOP_LEVEL.into(),
            Some(id) => {
                let path = forest.path(id);
                let names: Vec<&str> = path.iter().map(|segment| segment.name.as_str()).collect();
                if names.is_empty() { id.to_string() } else { names.join(" › ") }
            }
        }
    }

    pub(in crate::app) fn next_field(&mut self) {
        self.focus = match self.focus {
            Field::Name => Field::ExternalId,
            Field::ExternalId => Field::Parent,
            Field::Parent => Field::Name,
        };
    }

    pub(in crate::app) fn previous_field(&mut self) {
        self.focus = match self.focus {
            Field::Name => Field::Parent,
            Field::ExternalId => Field::Name,
            Field::Parent => Field::ExternalId,
        };
    }

    /// Returns the focused text field; `None` for the parent, which is picked from a list.
    pub(in crate::app) fn text_field(&mut self) -> Option<&mut TextField> {
        match self.focus {
            Field::Name => Some(&mut self.name),
            Field::ExternalId => Some(&mut self.external_id),
            Field::Parent => None,
        }
    }

    pub(in crate::app) fn type_key(&mut self, key: Key) {
        let focus = self.focus;
        if self.text_field().is_some_and(|field| field.press(key)) {
            self.faults.remove(&focus);
        }
    }

    pub(in crate::app) fn set_parent(&mut self, parent: Option<SegmentId>) {
        self.parent = parent;
        self.faults.remove(&Field::Parent);
    }

    /// Returns the operation to submit, `Ok(None)` when nothing would change. On an error, every fault is shown at its field and
    /// the first such field gets the focus.
    pub(in crate::app) fn operation(&mut self, forest: &Forest) -> Result<Option<Operation>, ()> {
        self.faults.clear();
        self.refusal = None;
        let name = Name::parse(self.name.text());
        let external_id = ExternalId::parse(self.external_id.text());
        if let Err(fault) = &name {
            self.faults.insert(Field::Name, fault.to_string());
        }
        if let Err(fault) = &external_id {
            self.faults.insert(Field::ExternalId, fault.to_string());
        }
        if let Some(fault) = self.parent_fault(forest) {
            self.faults.insert(Field::Parent, fault);
        }
        let (Ok(name), Ok(external_id), None) = (name, external_id, self.faults.keys().next().copied()) else {
            self.focus = self.faults.keys().next().copied().unwrap_or(self.focus);
            return Err(());
        };
        let draft = Draft { name, external_id, parent: self.parent.clone() };
        Ok(match &self.kind {
            FormKind::Create => Some(Operation::Create { draft }),
            FormKind::Edit { base } if draft.changes(base).is_empty() => None,
            FormKind::Edit { base } => Some(Operation::Update { base: Arc::clone(base), draft }),
        })
    }

    fn parent_fault(&self, forest: &Forest) -> Option<String> {
        let parent = self.parent.as_ref()?;
        let unchanged = matches!(&self.kind, FormKind::Edit { base } if base.parent.as_ref() == Some(parent));
        if unchanged {
            return None;
        }
        if !forest.contains(parent) {
            return Some(words::PARENT_IS_GONE.into());
        }
        let subject = self.subject()?;
        if parent == subject {
            return Some(sentence(words::OWN_PARENT));
        }
        forest.is_below(parent, subject).then(|| sentence(words::INSIDE_OWN_SUBTREE))
    }

    /// Shows at the fields what changed elsewhere while the form is open. The input stays.
    pub(in crate::app) fn changed_elsewhere(&mut self, forest: &Forest, now: Option<&Segment>) {
        let FormKind::Edit { base } = &self.kind else { return };
        let Some(now) = now else {
            self.refusal = Some(words::JUST_DELETED.into());
            return;
        };
        for field in base.differing_fields(now) {
            self.faults.insert(field, words::just_changed(&shown(forest, now, field)));
        }
    }

    /// Shows the server's reason for rejecting the operation. Saving again replaces the failed operation.
    pub(in crate::app) fn refuse(&mut self, message: &str, failed_op: Option<OpId>) {
        self.refusal = Some(message.to_owned());
        self.failed_op = failed_op;
    }

    /// Switches from the provisional id to the created segment, and shows where the server's values differ from those the user
    /// saw.
    pub(in crate::app) fn replace_provisional(&mut self, forest: &Forest, provisional: &SegmentId, segment: &Segment) {
        let real_id = |id: &SegmentId| (id == provisional).then(|| segment.id.clone());
        if let Some(parent) = self.parent.as_ref().and_then(real_id) {
            self.parent = Some(parent);
        }
        let FormKind::Edit { base } = &mut self.kind else { return };
        let is_subject = base.id == *provisional;
        if let Some(renamed) = base.with_ids(&real_id) {
            *base = Arc::new(renamed);
        }
        if is_subject {
            self.changed_elsewhere(forest, Some(segment));
        }
    }
}

pub(in crate::app) fn press(state: &mut State, form: &mut Form, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => return changing::save_form(state, form),
        "tab" | "down" => form.next_field(),
        "backtab" | "up" => form.previous_field(),
        "ctrl-u" | "backspace" | "delete" if form.focus == Field::Parent => form.set_parent(None),
        _ if form.focus == Field::Parent => {
            let Some(begun) = key.typed() else { return KeyResult::Stay };
            return KeyResult::StayAndDo(changing::choose_parent_for_form(state, form, begun.to_string().trim()));
        }
        _ => form.type_key(key),
    }
    KeyResult::Stay
}
