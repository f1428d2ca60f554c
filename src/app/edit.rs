//! Edits: the form, renaming in the row, bulk edits, moves, deletions, and the tree as text. Each produces a plan, which
//! [`changes`](super::changes) shows and sends.

pub(super) mod bulk;
pub(super) mod changing;
pub(super) mod deletion;
pub(super) mod findings;
pub(super) mod form;
pub(super) mod outline;
pub(super) mod parents;
pub(super) mod renaming;
pub(super) mod repeating;
pub(super) mod text_field;
mod words;
