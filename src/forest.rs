//! The tree of all segments.
#[derive(Debug, Default)]
pub struct Forest;
