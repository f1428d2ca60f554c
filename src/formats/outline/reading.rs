//! Parses the lines of an outline, independently of the existing segments.

use super::{Fault, Problem, escape};

/// The contents of an outline, and its faults.
#[derive(Debug, Default)]
pub struct OutlineText {
    /// The lines with segments, in order.
    pub lines: Vec<OutlineLine>,
    /// The faults.
    pub faults: Vec<Fault>,
}

/// A line with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineLine {
    /// The line number, from 1.
    pub line: usize,
    /// The level, 0 at the top.
    pub level: usize,
    /// The name.
    pub name: String,
    /// The external id, if one is given.
    pub external_id: Option<String>,
    /// The text given as its id; `None` for a new segment.
    pub tag: Option<String>,
}

/// Spaces per level.
const INDENT_WIDTH: usize = 2;

/// Parses an outline as far as possible.
#[must_use]
pub fn read(text: &str) -> OutlineText {
    // Some editors save files with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let mut read = OutlineText::default();
    if text.trim().is_empty() {
        read.faults.push(Fault { line: 1, problem: Problem::Empty });
    }
    // The deepest level that the next line may have.
    let mut max_level = 0;
    for (line, written) in (1..).zip(text.split('\n')) {
        let written = written.strip_suffix('\r').unwrap_or(written);
        let trimmed = written.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let level = level(written, max_level).unwrap_or_else(|problem| {
            read.faults.push(Fault { line, problem });
            // The lines after it are checked as if it had the deepest level allowed.
            let indentation = written.len() - trimmed.len();
            (indentation / INDENT_WIDTH).min(max_level)
        });
        max_level = level + 1;
        match entry(trimmed) {
            Ok((name, external_id, tag)) => read.lines.push(OutlineLine { line, level, name, external_id, tag }),
            Err(problem) if read.faults.last().is_none_or(|fault| fault.line != line) => {
                read.faults.push(Fault { line, problem });
            }
            // One fault per line is enough: one often causes the other.
            Err(_) => {}
        }
    }
    read
}

fn level(written: &str, max_level: usize) -> Result<usize, Problem> {
    let indentation = &written[..written.len() - written.trim_start().len()];
    let found = indentation.len();
    if written.contains('\t') {
        Err(Problem::Tab)
    } else if written.chars().any(char::is_control) || indentation.contains(|blank| blank != ' ') {
        Err(Problem::Control)
    } else if !found.is_multiple_of(INDENT_WIDTH) {
        Err(Problem::OddIndentation(found))
    } else if found > max_level * INDENT_WIDTH {
        Err(Problem::TooDeep { found, limit: max_level * INDENT_WIDTH })
    } else {
        Ok(found / INDENT_WIDTH)
    }
}

type EntryParts = (String, Option<String>, Option<String>);

fn entry(written: &str) -> Result<EntryParts, Problem> {
    let mut characters = written.chars().peekable();
    let name = escape::read(&mut characters)?;
    let external_id = bracketed(&mut characters, '[', ']')?;
    let tag = bracketed(&mut characters, '{', '}')?;
    let rest: String = characters.collect();
    if rest.trim().is_empty() { Ok((name, external_id, tag)) } else { Err(Problem::Stray(rest.trim().to_owned())) }
}

/// The text in the next pair of brackets; `None` if something else comes next.
fn bracketed(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    opening: char,
    closing: char,
) -> Result<Option<String>, Problem> {
    while characters.next_if(|next| next.is_whitespace()).is_some() {}
    if characters.next_if_eq(&opening).is_none() {
        return Ok(None);
    }
    let text = escape::read(characters)?;
    if characters.next_if_eq(&closing).is_some() { Ok(Some(text)) } else { Err(Problem::Unclosed(closing)) }
}
