//! Segments as a table: CSV as RFC 4180 has it, plain or as spreadsheets open it well.
//!
//! The columns are `id`, `name`, `externalId`, `parentId`, `parentExternalId` and `path`. An empty cell is a field that is not set.

pub mod guard;
mod writing;

pub use writing::{Dialect, write};

/// The heading.
pub const COLUMNS: [&str; 6] = ["id", "name", "externalId", "parentId", "parentExternalId", "path"];
