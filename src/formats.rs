//! The file formats of segments: exports as JSON, NDJSON, CSV, HTML, SVG, Mermaid and DOT, imports from JSON, the outline, which
//! is both, and the rows of a file that describes a wanted tree.
//!
//! Pure: output goes to a [`fmt::Write`](std::fmt::Write), input is a text. Names and ids are untrusted, so every format escapes
//! them in its own way.

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
