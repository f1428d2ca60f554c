//! Segments as a table: CSV according to RFC 4180, plain or in a form that spreadsheets open correctly.
//!
//! The columns are `id`, `name`, `externalId`, `parentId`, `parentExternalId` and `path`. In an export, an empty cell is a field
//! that is not set; in an import, the heading names the columns.

pub mod guard;
mod reading;
mod writing;

pub use reading::{Delimiter, ReadOptions, read};
pub use writing::{Dialect, write, write_table};

/// The heading.
pub const COLUMNS: [&str; 6] = ["id", "name", "externalId", "parentId", "parentExternalId", "path"];
