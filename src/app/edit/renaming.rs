//! Renaming in place: the row itself becomes the input.

use crate::app::State;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::edit::{changing, words};
use crate::keymap::Key;
use std::sync::Arc;

use crate::changes::OpId;
use crate::segment::{Draft, FieldFault, Name, Segment, SegmentId};

use crate::app::TextField;

/// A name being edited in its row.
#[derive(Debug, Clone)]
pub struct Renaming {
    /// The segment as the user saw it.
    pub base: Arc<Segment>,
    /// The name as typed.
    pub name: TextField,
    /// What is wrong with the name, what changed elsewhere, or why the server rejected it.
    pub fault: Option<String>,
    /// The failed operation that saving replaces.
    pub(in crate::app) failed_op: Option<OpId>,
}

impl Renaming {
    /// Returns the input for a segment's row, filled in with its name.
    #[must_use]
    pub fn of(base: &Arc<Segment>) -> Self {
        Self { base: Arc::clone(base), name: TextField::new(&base.name), fault: None, failed_op: None }
    }

    /// Returns the draft to save, or `None` when the name is unchanged.
    pub(in crate::app) fn draft(&self) -> Result<Option<Draft>, FieldFault> {
        let name = Name::parse(self.name.text())?;
        let draft = Draft { name, ..Draft::of(&self.base) };
        Ok((!draft.changes(&self.base).is_empty()).then_some(draft))
    }

    /// Shows that the segment was deleted or renamed elsewhere. The input stays.
    pub(in crate::app) fn changed_elsewhere(&mut self, now: Option<&Segment>) {
        match now {
            None => self.fault = Some(words::JUST_DELETED.into()),
            Some(now) if now.name != self.base.name => {
                self.fault = Some(words::just_renamed(&now.name));
            }
            Some(_) => {}
        }
    }

    /// Shows the server's reason for rejecting the name. Saving again replaces the failed operation.
    pub(in crate::app) fn refuse(&mut self, message: &str, failed_op: Option<OpId>) {
        self.fault = Some(message.to_owned());
        self.failed_op = failed_op;
    }
    /// Switches from the provisional id to the created segment, and shows it if the server gave that another name.
    pub(in crate::app) fn replace_provisional(&mut self, provisional: &SegmentId, segment: &Segment) {
        let is_subject = self.base.id == *provisional;
        let real_id = |id: &SegmentId| (id == provisional).then(|| segment.id.clone());
        if let Some(renamed) = self.base.with_ids(&real_id) {
            self.base = Arc::new(renamed);
        }
        if is_subject {
            self.changed_elsewhere(Some(segment));
        }
    }
}

pub(in crate::app) fn press(state: &mut State, renaming: &mut Renaming, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => return changing::save_name(state, renaming),
        _ => {
            if renaming.name.press(key) {
                renaming.fault = None;
            }
        }
    }
    KeyResult::Stay
}
