//! Segments as files: writing them as JSON, NDJSON, CSV, HTML, SVG, Mermaid and DOT, reading them from JSON, and the outline, which is
//! both; and the rows of a file that says what is wanted.
//!
//! Pure: what is written goes to a [`fmt::Write`](std::fmt::Write), what is read comes as a text. What stands in it is the words
//! of others, so every form escapes it in its own way.

mod circles;
pub mod csv;
pub mod dot;
pub mod html;
pub mod json;
pub mod mermaid;
pub mod ndjson;
pub mod outline;
mod part;
mod record;
pub mod rows;
#[cfg(test)]
mod samples;
pub mod svg;
mod xml;

pub use part::{ExportRow, Kind, Part};
pub use record::Record;
