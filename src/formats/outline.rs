//! Segments as an indented text: one line is one segment, `name  [external id]  {id}`, two spaces a level.
//!
//! Reading and writing know nothing of which segments there are. Everything that is wrong with a text is found at once, each fault
//! with its line.

mod escape;
mod reading;

use std::fmt::Write;

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
    #[error("a tab; expected two spaces for each level, and \\t for a tab in a name")]
    Tab,
    /// A character that no editor shows.
    #[error("a control character; expected text only, and \\u{{1b}} or the like for such a character in a name")]
    Control,
    /// Not a whole number of levels.
    #[error("indented by {0} spaces; expected two for each level, so {down} or {up}", down = .0 - 1, up = .0 + 1)]
    OddIndentation(usize),
    /// A level that has nothing above it.
    #[error("indented by {found} spaces; expected {most} at most, one level more than the line before")]
    TooDeep {
        /// The spaces.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Nothing to read in the name.
    #[error("no name; expected one in front of [external id] and {{id}}")]
    BlankName,
    /// A name or external id that can't be sent.
    #[error("{0}; expected a text of one line")]
    Field(FieldFault),
    /// An opening bracket without the closing one.
    #[error(
        "no {0} at the end of it; expected name  [external id]  {{id}}, and a \\ before a bracket that is meant as text"
    )]
    Unclosed(char),
    /// More than belongs into a line.
    #[error("“{0}” is too much; expected name  [external id]  {{id}}, and a \\ before a bracket that is meant as text")]
    Stray(String),
    /// A backslash before something that needs none.
    #[error("a \\ before something that needs none; expected \\\\ for a backslash in a name")]
    Escape,
    /// An id of none of the segments.
    #[error("{{{0}}} is none of the segments of this text; expected an id that was in it, or none for a new segment")]
    UnknownId(String),
    /// The beginning of more than one id.
    #[error("{{{0}}} is the beginning of several ids; expected more of it")]
    AmbiguousId(String),
    /// A segment that an earlier line has already.
    #[error("{{{0}}} is in an earlier line already; expected each segment once, and no id for a new one")]
    Twice(String),
    /// A place at the top, which is not one place.
    #[error("at the top, where the segments stand under different ones; expected it to be indented below one of them")]
    UnclearTop,
    /// It would be its own ancestor.
    #[error("it would stand below itself; expected a place that is not below it")]
    Circle,
    /// Nothing at all.
    #[error("nothing is left, not even these comments; expected at least those if everything is to be deleted")]
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
