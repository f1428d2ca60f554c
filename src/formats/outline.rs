//! Segments as an indented text: one line is one segment, `name  [external id]  {id}`, two spaces a level.
//!
//! Reading and writing know nothing of which segments there are. Everything that is wrong with a text is found at once, each fault
//! with its line.

mod escape;
mod reading;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use super::part::{Kind, Part};
use crate::segment::FieldFault;
use escape::escaped;

pub use reading::{OutlineLine, OutlineText, read};

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What was found there, and what was expected.
    pub problem: Problem,
}

/// What was found in a line, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A tab.
    #[error("tab; use two spaces per level, and \\t for a tab in a name")]
    Tab,
    /// A character that no editor shows.
    #[error("control character; write it as \\u{{1b}} or the like in a name")]
    Control,
    /// Not a whole number of levels.
    #[error("indented {0} spaces; use two per level, so {down} or {up}", down = .0 - 1, up = .0 + 1)]
    OddIndentation(usize),
    /// A level that has nothing above it.
    #[error("indented {found} spaces; at most {most} allowed here")]
    TooDeep {
        /// The spaces.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Nothing to read in the name.
    #[error("no name; write one before [external ID] and {{ID}}")]
    BlankName,
    /// A name or external id that can't be sent.
    #[error("{0}; expected a text of one line")]
    Field(FieldFault),
    /// An opening bracket without the closing one.
    #[error("missing {0}; expected name  [external ID]  {{ID}}, with a \\ before a bracket that is text")]
    Unclosed(char),
    /// More than belongs into a line.
    #[error("unexpected “{0}”; expected name  [external ID]  {{ID}}, with a \\ before a bracket that is text")]
    Stray(String),
    /// A backslash before something that needs none.
    #[error("\\ before a character that needs none; write \\\\ for a backslash in a name")]
    Escape,
    /// An id of none of the segments.
    #[error("unknown ID {{{0}}}; use an ID from this file, or none for a new segment")]
    UnknownId(String),
    /// The beginning of more than one id.
    #[error("{{{0}}} matches several IDs; write more of it")]
    AmbiguousId(String),
    /// A segment that an earlier line has already.
    #[error("{{{0}}} appears twice; keep each ID once and none for a new segment")]
    Twice(String),
    /// A place at the top, which is not one place.
    #[error("top level, but these segments have different parents; indent it under one of them")]
    UnclearTop,
    /// It would be its own ancestor.
    #[error("a segment can't be inside itself")]
    Circle,
    /// Nothing at all.
    #[error("the file is empty; keep the comments to delete everything")]
    Empty,
}

/// One line of the text.
#[must_use]
pub fn written(level: usize, name: &str, external_id: Option<&str>, tag: Option<&str>) -> String {
    let external_id = external_id.map(|text| format!("[{}]", escaped(text)));
    let tag = tag.map(|tag| format!("{{{}}}", escaped(tag)));
    // A name of nothing must not look like more indentation.
    let parts = [Some(escaped(name)).filter(|name| !name.is_empty()), external_id, tag];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}{}\n", "  ".repeat(level), parts.join("  "))
}

/// Levels that are written: in a longer chain, the indentation would be most of the text.
pub const DEEPEST: usize = 1_000;

/// Writes the segments of a part, each with its whole ID. Headings and missing parents are comments, since they are no segments, and
/// what is below them begins a level of its own.
///
/// # Errors
///
/// What the writer refuses, and a part that is deeper than [`DEEPEST`].
pub fn write(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    // For each row above the present one, the level of what stands below it.
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

/// How a line begins that tells a fault.
const MARK: &str = "# ERROR ";
/// Faults told at the top of a text; of more, the first.
const TOLD: usize = 20;

/// The text with its faults told at the top, in place of those that were told there before.
#[must_use]
pub fn with_faults(text: &str, faults: &[Fault]) -> String {
    let kept: Vec<(usize, &str)> = (1..).zip(text.split('\n')).filter(|(_, line)| !line.starts_with(MARK)).collect();
    let more = faults.len().saturating_sub(TOLD);
    let above = faults.len().min(TOLD) + usize::from(more > 0);
    let mut told = String::new();
    for Fault { line, problem } in faults.iter().take(TOLD) {
        // Where the line is to be found below these.
        let now = above + 1 + kept.partition_point(|(number, _)| number < line);
        // Writing into a text does not fail.
        let _never = writeln!(told, "{MARK}line {now}: {problem}");
    }
    if more > 0 {
        let _never = writeln!(told, "{MARK}and {more} more");
    }
    let kept: Vec<&str> = kept.into_iter().map(|(_, line)| line).collect();
    told + &kept.join("\n")
}
