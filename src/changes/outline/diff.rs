//! Compares the lines of an edited text with the segments that were written into it, and returns the plan.
//!
//! Creates come first, each after its parent's. Updates follow in the order of the text, where every line comes after its parent,
//! so that no move closes a cycle on the way. Deletes come last, children first, after all children that were to stay have moved
//! away.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MIN_TAG_LEN, Outline, Reason, TopParent};
use crate::changes::model::{Operation, Plan};
use crate::formats::outline::{Fault, OutlineLine, OutlineText, Problem};
use crate::segment::{Draft, ExternalId, Field, FieldFault, Name, Segment, SegmentId};

/// A line of the text with its segment.
struct EditedLine {
    line: OutlineLine,
    id: SegmentId,
    /// Index of the line as it was written, `None` for a new segment.
    original: Option<usize>,
    /// Index of the parent's place, `None` at the top.
    parent_index: Option<usize>,
}

/// The segments that were written, by tag.
struct OriginalLines<'a> {
    outline: &'a Outline,
    by_tag: HashMap<&'a str, usize>,
    used: Vec<bool>,
}

pub(super) fn plan(
    outline: &Outline,
    read: OutlineText,
    provisional: &impl Fn(usize) -> SegmentId,
) -> Result<(Plan, Vec<Reason>), Vec<Fault>> {
    let OutlineText { lines, mut faults } = read;
    let mut originals = OriginalLines::of(outline);
    let edited_lines = edited_lines(&mut originals, lines, provisional, &mut faults);
    let drafts = drafts(&originals, &edited_lines, &mut faults);
    report_cycles(outline, &edited_lines, &drafts, &mut faults);
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.line);
        return Err(faults);
    }
    let (mut creates, mut updates) = (Vec::new(), Vec::new());
    for (edited, draft) in edited_lines.iter().zip(drafts) {
        let Some(draft) = draft else { continue };
        match edited.original.map(|line| &outline.lines[line].segment) {
            None => creates.push((Operation::Create { draft }, Reason::New { line: edited.line.line })),
            Some(base) if draft.changes(base).is_empty() => {}
            Some(base) => {
                let changed = draft.changes(base);
                let moved = changed.contains(&Field::Parent);
                let reason = Reason::Edited {
                    line: edited.line.line,
                    fields_changed: changed.len() > usize::from(moved),
                    moved,
                };
                updates.push((Operation::Update { base: Arc::clone(base), draft }, reason));
            }
        }
    }
    let removed = outline.lines.iter().zip(&originals.used).rev().filter(|(_, used)| !**used);
    let deletes = removed.map(|(line, _)| (Operation::delete(Arc::clone(&line.segment)), Reason::Removed));
    let (operations, reasons) = creates.into_iter().chain(updates).chain(deletes).unzip();
    Ok((Plan { operations }, reasons))
}

impl<'a> OriginalLines<'a> {
    fn of(outline: &'a Outline) -> Self {
        let by_tag = outline.lines.iter().enumerate().map(|(at, line)| (line.tag.as_str(), at)).collect();
        Self { outline, by_tag, used: vec![false; outline.lines.len()] }
    }

    /// Returns the line whose tag this is. A longer or shorter prefix of a UUID, down to eight characters, is accepted if it is
    /// unique.
    fn find(&self, tag: &str) -> Result<usize, Problem> {
        if let Some(at) = self.by_tag.get(tag) {
            return Ok(*at);
        }
        let matches_prefix = |id: &SegmentId| {
            let text = id.text();
            text == tag || (id.is_uuid() && tag.len() >= MIN_TAG_LEN && text.starts_with(tag))
        };
        let mut lines = self.outline.lines.iter().enumerate().filter(|(_, line)| matches_prefix(&line.segment.id));
        match (lines.next(), lines.next()) {
            (Some((at, _)), None) => Ok(at),
            (None, _) => Err(Problem::UnknownId(tag.to_owned())),
            (Some(_), Some(_)) => Err(Problem::AmbiguousId(tag.to_owned())),
        }
    }

    fn claim(&mut self, tag: &str) -> Result<usize, Problem> {
        let at = self.find(tag)?;
        if std::mem::replace(&mut self.used[at], true) { Err(Problem::Twice(tag.to_owned())) } else { Ok(at) }
    }
}

fn edited_lines(
    originals: &mut OriginalLines<'_>,
    lines: Vec<OutlineLine>,
    provisional: &impl Fn(usize) -> SegmentId,
    faults: &mut Vec<Fault>,
) -> Vec<EditedLine> {
    let mut edited_lines: Vec<EditedLine> = Vec::with_capacity(lines.len());
    // The last place on each level.
    let mut path: Vec<usize> = Vec::new();
    let mut created = 0;
    for line in lines {
        let original = line.tag.as_deref().map(|tag| originals.claim(tag)).transpose().unwrap_or_else(|problem| {
            faults.push(Fault { line: line.line, problem });
            None
        });
        let id = original.map_or_else(|| provisional(created), |line| originals.outline.lines[line].segment.id.clone());
        created += usize::from(original.is_none());
        path.truncate(line.level);
        let parent_index = path.last().copied();
        path.push(edited_lines.len());
        edited_lines.push(EditedLine { line, id, original, parent_index });
    }
    edited_lines
}

/// Returns the draft of each place, `None` where there is a fault.
fn drafts(originals: &OriginalLines<'_>, edited_lines: &[EditedLine], faults: &mut Vec<Fault>) -> Vec<Option<Draft>> {
    let outline = originals.outline;
    let deleted: std::collections::HashSet<&SegmentId> = outline
        .lines
        .iter()
        .zip(&originals.used)
        .filter(|(_, used)| !**used)
        .map(|(line, _)| &line.segment.id)
        .collect();
    let draft = |edited: &EditedLine| {
        let original = edited.original.map(|line| &outline.lines[line]);
        let base = original.map(|line| &*line.segment);
        let parent = match (edited.parent_index, original) {
            (Some(parent_index), _) => Some(edited_lines[parent_index].id.clone()),
            (None, Some(line))
                if line.level == 0 && line.segment.parent.as_ref().is_none_or(|id| !deleted.contains(id)) =>
            {
                line.segment.parent.clone()
            }
            (None, _) => match &outline.top {
                TopParent::Under(parent) => parent.clone(),
                TopParent::Ambiguous => return Err(Problem::UnclearTop),
            },
        };
        Ok(Draft { name: name(&edited.line, base)?, external_id: external_id(&edited.line, base)?, parent })
    };
    let draft_or_report = |edited: &EditedLine| {
        draft(edited).map_err(|problem| faults.push(Fault { line: edited.line.line, problem })).ok()
    };
    edited_lines.iter().map(draft_or_report).collect()
}

/// Parses a name that was edited. One that was not is kept as it came, even if it is invalid.
fn name(line: &OutlineLine, base: Option<&Segment>) -> Result<Name, Problem> {
    match base {
        Some(base) if base.name == line.name => Ok(Draft::of(base).name),
        _ => Name::parse(&line.name).map_err(|fault| match fault {
            FieldFault::BlankName => Problem::BlankName,
            FieldFault::ControlCharacter => Problem::Field(fault),
        }),
    }
}

fn external_id(line: &OutlineLine, base: Option<&Segment>) -> Result<Option<ExternalId>, Problem> {
    let typed = line.external_id.as_deref().unwrap_or_default();
    match base {
        Some(base) if base.external_id.as_deref().unwrap_or_default() == typed => Ok(Draft::of(base).external_id),
        _ => ExternalId::parse(typed).map_err(Problem::Field),
    }
}

/// Reports moves that close a cycle. Indentation can't express a cycle, but the segment at which an existing cycle is cut is
/// shown at the top and keeps its parent, which may now be one of its descendants.
fn report_cycles(outline: &Outline, edited_lines: &[EditedLine], drafts: &[Option<Draft>], faults: &mut Vec<Fault>) {
    let by_id: HashMap<&SegmentId, usize> =
        edited_lines.iter().enumerate().map(|(at, edited)| (&edited.id, at)).collect();
    let parent = |at: usize| drafts[at].as_ref().and_then(|draft| draft.parent.as_ref());
    for top in (0..edited_lines.len()).filter(|at| edited_lines[*at].parent_index.is_none()) {
        let Some(below) = parent(top).and_then(|parent| by_id.get(parent)) else { continue };
        let cycle: Vec<usize> = std::iter::successors(Some(*below), |at| edited_lines[*at].parent_index).collect();
        if cycle.last() != Some(&top) {
            continue;
        }
        let original_parent =
            |at: usize| edited_lines[at].original.and_then(|line| outline.lines[line].segment.parent.as_ref());
        let moved = cycle.into_iter().find(|at| original_parent(*at) != parent(*at));
        faults.extend(moved.map(|at| Fault { line: edited_lines[at].line.line, problem: Problem::Circle }));
    }
}
