//! What can be open over the main screen. The last one opened gets the keys first; no two of a kind are ever open.

use crate::changes::OpId;
use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

use crate::app::{
    BulkEdit, Conflict, Deletion, Destination, FindPrompt, Form, Letter, NewProfile, OutlineEdit, OutputPane, Palette,
    ParentPicker, PendingPane, ProfileList, Renaming, RequestsPane, Review, RunConfirmation, TextField,
};

/// Something that is open.
#[derive(Debug, Clone)]
pub enum Layer {
    /// All keys. Holds the first line shown.
    Help(usize),
    /// The form for a new segment or all fields of one.
    Form(Form),
    /// The row itself as an input.
    Renaming(Renaming),
    /// New values for all that is marked.
    Bulk(BulkEdit),
    /// The choice of a parent.
    Parents(ParentPicker),
    /// What would go, and how.
    Deletion(Deletion),
    /// The line in which a search is typed.
    Find(FindPrompt),
    /// The line in which an exact id is typed.
    Jump(TextField),
    /// A letter is awaited.
    Letter(Letter),
    /// Somebody else was faster.
    Conflict(Conflict),
    /// Segments as a text in an editor, or what is wrong with that text.
    Outline(OutlineEdit),
    /// A plan before it is sent.
    Review(Review),
    /// Every action by name.
    Palette(Palette),
    /// What waits, runs and failed.
    Queue(PendingPane),
    /// What is wrong with the tree.
    Findings,
    /// The requests that were made.
    Requests(RequestsPane),
    /// The places to switch to.
    Profiles(ProfileList),
    /// Whether to switch there although writes are under way.
    Switching(Destination),
    /// Whether a command of the person's own is to run.
    RunConfirmation(RunConfirmation),
    /// What a command of the person's own writes.
    Output(OutputPane),
    /// The form for a new profile.
    NewProfile(Box<NewProfile>),
    /// Whether to leave although changes are pending.
    Leaving,
}

impl Layer {
    /// Whether it is the list of what is wrong with the tree.
    #[must_use]
    pub const fn is_findings(&self) -> bool {
        matches!(self, Self::Findings)
    }

    /// Puts the reason of a refusal where the person will look.
    pub(in crate::app) fn refuse(&mut self, words: &str, amends: Option<OpId>) {
        match self {
            Self::Form(form) => form.refuse(words, amends),
            Self::Renaming(renaming) => renaming.refuse(words, amends),
            _ => {}
        }
    }

    /// The operation that it decides about.
    pub(in crate::app) fn amends(&self) -> Option<OpId> {
        match self {
            Self::Form(form) => form.amends,
            Self::Renaming(renaming) => renaming.amends,
            Self::Conflict(conflict) => Some(conflict.op),
            _ => None,
        }
    }

    /// A segment that was still being created is this one now.
    pub(in crate::app) fn refer_to(&mut self, forest: &Forest, provisional: &SegmentId, segment: &Segment) {
        match self {
            Self::Form(form) => form.refer_to(forest, provisional, segment),
            Self::Renaming(renaming) => renaming.refer_to(provisional, segment),
            _ => {}
        }
    }
}
