//! Segments as an indented text: one segment per line, `name  [external id]  {id}`, two spaces per level.
//!
//! Reading and writing don't depend on the existing segments. All problems of a text are reported at once, each with its line.

mod escape;
mod reading;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use super::part::{Kind, Part};
use crate::segment::FieldFault;
use escape::escaped;

pub use reading::{OutlineLine, OutlineText, read};

/// A problem with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// The problem.
    pub problem: Problem,
}

/// A problem with a line: what was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A tab.
    #[error("tab; use two spaces per level, and \\t for a tab in a name")]
    Tab,
    /// An invisible control character.
    #[error("control character; write it as \\u{{1b}} or the like in a name")]
    Control,
    /// The indentation is not a whole number of levels.
    #[error("indented {0} spaces; use two per level, so {down} or {up}", down = .0 - 1, up = .0 + 1)]
    OddIndentation(usize),
    /// The line is indented too far below the line above.
    #[error("indented {found} spaces; at most {limit} allowed here")]
    TooDeep {
        /// The number of spaces.
        found: usize,
        /// The most spaces allowed.
        limit: usize,
    },
    /// The name is blank.
    #[error("no name; write one before [external ID] and {{ID}}")]
    BlankName,
    /// A name or external id that the API does not accept.
    #[error("{0}; expected a text of one line")]
    Field(FieldFault),
    /// An opening bracket without the closing one.
    #[error("missing {0}; expected name  [external ID]  {{ID}}, with a \\ before a bracket that is text")]
    Unclosed(char),
    /// Something after the last part of the line.
    #[error("unexpected “{0}”; expected name  [external ID]  {{ID}}, with a \\ before a bracket that is text")]
    Stray(String),
    /// A backslash before something that needs none.
    #[error("\\ before a character that needs none; write \\\\ for a backslash in a name")]
    Escape,
    /// An id that none of the segments has.
    #[error("unknown ID {{{0}}}; use an ID from this file, or none for a new segment")]
    UnknownId(String),
    /// A prefix of several ids.
    #[error("{{{0}}} matches several IDs; write more of it")]
    AmbiguousId(String),
    /// The segment of an earlier line.
    #[error("{{{0}}} appears twice; keep each ID once and none for a new segment")]
    Twice(String),
    /// A line at the top level, where the segments have no common parent.
    #[error("top level, but these segments have different parents; indent it under one of them")]
    UnclearTop,
    /// It would be its own ancestor.
    #[error("a segment can't be inside itself")]
    Circle,
    /// The text is empty.
    #[error("the file is empty; keep the comments to delete everything")]
    Empty,
}

/// One line of an outline.
#[must_use]
pub fn written(level: usize, name: &str, external_id: Option<&str>, tag: Option<&str>) -> String {
    let external_id = external_id.map(|text| format!("[{}]", escaped(text)));
    let tag = tag.map(|tag| format!("{{{}}}", escaped(tag)));
    // An empty name must not look like deeper indentation.
    let parts = [Some(escaped(name)).filter(|name| !name.is_empty()), external_id, tag];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}{}\n", "  ".repeat(level), parts.join("  "))
}

/// The most levels that are written: in a longer chain, most of the text would be indentation.
pub const DEEPEST: usize = 1_000;

/// Writes the segments of a part, with their full IDs. Headings and missing parents become comments, since they aren't segments,
/// and the segments under them start at their level.
///
/// # Errors
///
/// An error of the writer, or a part that is deeper than [`DEEPEST`].
pub fn write(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    // For each ancestor row, the level of its children.
    let mut below: Vec<usize> = Vec::new();
    for entry in part.entries(usize::MAX) {
        below.truncate(entry.level);
        let level = below.last().copied().unwrap_or(0);
        if level > DEEPEST {
            return Err(fmt::Error);
        }
        match entry.kind() {
            Kind::Segment => {
                let name = entry.segment().map_or("", |segment| &segment.name);
                out.write_str(&written(level, name, entry.external_id(), entry.id().as_deref()))?;
                below.push(level + 1);
            }
            Kind::MissingParent => {
                writeln!(out, "# parent {} doesn't exist", escaped(&entry.name()))?;
                below.push(level);
            }
            Kind::Heading => {
                writeln!(out, "# {}", entry.name())?;
                below.push(level);
            }
        }
    }
    Ok(())
}

/// The beginning of a line that reports a fault.
const MARK: &str = "# ERROR ";
/// The most faults that are reported in a text; the rest are counted.
const TOLD: usize = 20;

/// The text with its faults reported at the top, in place of earlier reports.
#[must_use]
pub fn with_faults(text: &str, faults: &[Fault]) -> String {
    let kept: Vec<(usize, &str)> = (1..).zip(text.split('\n')).filter(|(_, line)| !line.starts_with(MARK)).collect();
    let more = faults.len().saturating_sub(TOLD);
    let above = faults.len().min(TOLD) + usize::from(more > 0);
    let mut told = String::new();
    for Fault { line, problem } in faults.iter().take(TOLD) {
        // The number of the line in the new text.
        let now = above + 1 + kept.partition_point(|(number, _)| number < line);
        // Writing to a `String` never fails.
        let _never = writeln!(told, "{MARK}line {now}: {problem}");
    }
    if more > 0 {
        let _never = writeln!(told, "{MARK}and {more} more");
    }
    let kept: Vec<&str> = kept.into_iter().map(|(_, line)| line).collect();
    told + &kept.join("\n")
}
