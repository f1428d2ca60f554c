//! Drawing what is edited: the form, many at once, the choice of a parent, a deletion, the text.

pub(super) mod bulk;
pub(super) mod deletion;
pub(super) mod findings;
pub(super) mod form;
pub(super) mod outline;
pub(super) mod parents;
