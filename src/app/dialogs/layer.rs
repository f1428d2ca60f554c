//! The dialogs over the main screen. The topmost one has the focus; no two of a kind are open at once.

use crate::changes::OpId;
use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

use crate::app::{
    BulkEdit, Conflict, Deletion, Destination, FindPrompt, Form, Letter, NewProfile, OutlineEdit, OutputPane, Palette,
    ParentPicker, PendingPane, ProfileList, Renaming, RequestsPane, Review, RunConfirmation, TextField,
};

/// An open dialog.
#[derive(Debug, Clone)]
pub enum Layer {
    /// The help page, with its first visible line.
    Help(usize),
    /// The form for a new segment or all fields of an existing one.
    Form(Form),
    /// Renaming in the row itself.
    Renaming(Renaming),
    /// The form for all marked segments.
    Bulk(BulkEdit),
    /// The parent picker.
    Parents(ParentPicker),
    /// The choice of what to delete.
    Deletion(Deletion),
    /// The search prompt.
    Find(FindPrompt),
    /// The prompt for the exact id to go to.
    Jump(TextField),
    /// The prompt for the letter of a bookmark.
    Letter(Letter),
    /// A conflict with a change of someone else.
    Conflict(Conflict),
    /// Segments as text in an editor, or the errors in that text.
    Outline(OutlineEdit),
    /// The review of a plan before it is sent.
    Review(Review),
    /// The command palette.
    Palette(Palette),
    /// The list of pending changes.
    Queue(PendingPane),
    /// The list of findings.
    Findings,
    /// The list of requests.
    Requests(RequestsPane),
    /// The list of profiles to switch to.
    Profiles(ProfileList),
    /// The confirmation to switch although changes are pending.
    Switching(Destination),
    /// The confirmation to run a user command.
    RunConfirmation(RunConfirmation),
    /// The output of a user command.
    Output(OutputPane),
    /// The form for a new profile.
    NewProfile(Box<NewProfile>),
    /// The confirmation to quit although changes are pending.
    Leaving,
}

impl Layer {
    /// Whether it is the list of findings.
    #[must_use]
    pub const fn is_findings(&self) -> bool {
        matches!(self, Self::Findings)
    }

    /// Shows the server's refusal in the form or at the name, and records the operation to amend.
    pub(in crate::app) fn refuse(&mut self, message: &str, failed_op: Option<OpId>) {
        match self {
            Self::Form(form) => form.refuse(message, failed_op),
            Self::Renaming(renaming) => renaming.refuse(message, failed_op),
            _ => {}
        }
    }

    /// Returns the operation that the dialog amends or decides about.
    pub(in crate::app) fn failed_op(&self) -> Option<OpId> {
        match self {
            Self::Form(form) => form.failed_op,
            Self::Renaming(renaming) => renaming.failed_op,
            Self::Conflict(conflict) => Some(conflict.op),
            _ => None,
        }
    }

    /// Replaces a provisional segment by the created one.
    pub(in crate::app) fn replace_provisional(&mut self, forest: &Forest, provisional: &SegmentId, segment: &Segment) {
        match self {
            Self::Form(form) => form.replace_provisional(forest, provisional, segment),
            Self::Renaming(renaming) => renaming.replace_provisional(provisional, segment),
            _ => {}
        }
    }
}
