//! The wing of edits: the form, the name in its row, many at once, a new parent, a deletion, and the tree as a text. Each comes to a
//! plan, which the wing of changes shows and sends.

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
