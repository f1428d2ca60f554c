//! Compares the lines of an edited text with the segments that were written into it, and returns the plan.
//!
//! Creates come first, each after its parent's. Updates follow in the order of the text, where every line comes after its parent,
//! so that no move closes a cycle on the way. Deletes come last, children first, after all children that were to stay have moved
//! away.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Outline, Reason, SHORTEST_TAG, Top};
use crate::changes::model::{Operation, Plan};
use crate::formats::outline::{Fault, OutlineLine, OutlineText, Problem};
use crate::segment::{Draft, ExternalId, Field, FieldFault, Name, Segment, SegmentId};

/// A line of the text with its segment.
struct Place {
    line: OutlineLine,
    id: SegmentId,
    /// Index of the line as it was written, `None` for a new segment.
    written: Option<usize>,
    /// Index of the parent's place, `None` at the top.
    above: Option<usize>,
}

/// The segments that were written, by tag.
struct Known<'a> {
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
    let mut known = Known::of(outline);
    let places = places(&mut known, lines, provisional, &mut faults);
    let drafts = drafts(&known, &places, &mut faults);
    refuse_circles(outline, &places, &drafts, &mut faults);
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.line);
        return Err(faults);
    }
    let (mut creates, mut updates) = (Vec::new(), Vec::new());
    for (place, draft) in places.iter().zip(drafts) {
        let Some(draft) = draft else { continue };
        match place.written.map(|line| &outline.lines[line].segment) {
            None => creates.push((Operation::Create { draft }, Reason::New { line: place.line.line })),
            Some(base) if draft.changes(base).is_empty() => {}
            Some(base) => {
                let changed = draft.changes(base);
                let moved = changed.contains(&Field::Parent);
                let reason =
                    Reason::Edited { line: place.line.line, retyped: changed.len() > usize::from(moved), moved };
                updates.push((Operation::Update { base: Arc::clone(base), draft }, reason));
            }
        }
    }
    let gone = outline.lines.iter().zip(&known.used).rev().filter(|(_, used)| !**used);
    let deletes = gone.map(|(line, _)| (Operation::delete(Arc::clone(&line.segment)), Reason::Gone));
    let (operations, reasons) = creates.into_iter().chain(updates).chain(deletes).unzip();
    Ok((Plan { operations }, reasons))
}

impl<'a> Known<'a> {
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
        let begins = |id: &SegmentId| {
            let text = id.text();
            text == tag || (id.is_uuid() && tag.len() >= SHORTEST_TAG && text.starts_with(tag))
        };
        let mut lines = self.outline.lines.iter().enumerate().filter(|(_, line)| begins(&line.segment.id));
        match (lines.next(), lines.next()) {
            (Some((at, _)), None) => Ok(at),
            (None, _) => Err(Problem::UnknownId(tag.to_owned())),
            (Some(_), Some(_)) => Err(Problem::AmbiguousId(tag.to_owned())),
        }
    }

    fn take(&mut self, tag: &str) -> Result<usize, Problem> {
        let at = self.find(tag)?;
        if std::mem::replace(&mut self.used[at], true) { Err(Problem::Twice(tag.to_owned())) } else { Ok(at) }
    }
}

fn places(
    known: &mut Known<'_>,
    lines: Vec<OutlineLine>,
    provisional: &impl Fn(usize) -> SegmentId,
    faults: &mut Vec<Fault>,
) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::with_capacity(lines.len());
    // The last place on each level.
    let mut path: Vec<usize> = Vec::new();
    let mut created = 0;
    for line in lines {
        let written = line.tag.as_deref().map(|tag| known.take(tag)).transpose().unwrap_or_else(|problem| {
            faults.push(Fault { line: line.line, problem });
            None
        });
        let id = written.map_or_else(|| provisional(created), |line| known.outline.lines[line].segment.id.clone());
        created += usize::from(written.is_none());
        path.truncate(line.level);
        let above = path.last().copied();
        path.push(places.len());
        places.push(Place { line, id, written, above });
    }
    places
}

/// Returns the draft of each place, `None` where there is a fault.
fn drafts(known: &Known<'_>, places: &[Place], faults: &mut Vec<Fault>) -> Vec<Option<Draft>> {
    let outline = known.outline;
    let dropped: std::collections::HashSet<&SegmentId> =
        outline.lines.iter().zip(&known.used).filter(|(_, used)| !**used).map(|(line, _)| &line.segment.id).collect();
    let draft = |place: &Place| {
        let written = place.written.map(|line| &outline.lines[line]);
        let base = written.map(|line| &*line.segment);
        let parent = match (place.above, written) {
            (Some(above), _) => Some(places[above].id.clone()),
            (None, Some(line))
                if line.level == 0 && line.segment.parent.as_ref().is_none_or(|id| !dropped.contains(id)) =>
            {
                line.segment.parent.clone()
            }
            (None, _) => match &outline.top {
                Top::Under(parent) => parent.clone(),
                Top::Unclear => return Err(Problem::UnclearTop),
            },
        };
        Ok(Draft { name: name(&place.line, base)?, external_id: external_id(&place.line, base)?, parent })
    };
    let told =
        |place: &Place| draft(place).map_err(|problem| faults.push(Fault { line: place.line.line, problem })).ok();
    places.iter().map(told).collect()
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
fn refuse_circles(outline: &Outline, places: &[Place], drafts: &[Option<Draft>], faults: &mut Vec<Fault>) {
    let by_id: HashMap<&SegmentId, usize> = places.iter().enumerate().map(|(at, place)| (&place.id, at)).collect();
    let parent = |at: usize| drafts[at].as_ref().and_then(|draft| draft.parent.as_ref());
    for top in (0..places.len()).filter(|at| places[*at].above.is_none()) {
        let Some(below) = parent(top).and_then(|parent| by_id.get(parent)) else { continue };
        let circle: Vec<usize> = std::iter::successors(Some(*below), |at| places[*at].above).collect();
        if circle.last() != Some(&top) {
            continue;
        }
        let was = |at: usize| places[at].written.and_then(|line| outline.lines[line].segment.parent.as_ref());
        let moved = circle.into_iter().find(|at| was(*at) != parent(*at));
        faults.extend(moved.map(|at| Fault { line: places[at].line.line, problem: Problem::Circle }));
    }
}
