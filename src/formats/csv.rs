//! Segments as a table: CSV as RFC 4180 has it, plain or as spreadsheets open it well.
//!
//! The columns are `id`, `name`, `externalId`, `parentId`, `parentExternalId` and `path`. In what is written, an empty cell is a
//! field that is not set; in what is read, the heading says what stands in which column.

pub mod guard;
mod reading;
mod writing;

pub use reading::{Delimiter, ReadOptions, read};
pub use writing::{Dialect, write, write_table};

/// The heading.
pub const COLUMNS: [&str; 6] = ["id", "name", "externalId", "parentId", "parentExternalId", "path"];
