//! Turns rows with matched segments and places into operations.
//!
//! Creates come first, each after its parent; then updates, ancestors before descendants, so that the target of each move is
//! already final and no move forms a cycle; deletions last, descendants first.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::matching::{Matching, damaged_ids};
use super::places::{Place, places};
use super::pruning::{Pruned, pruned};
use super::tree::Tree;
use super::{
    Conflict, ConflictReason, Kept, KeptReason, PlanFault, PlanReason, Planned, PlannedOperation, Problem, Request,
    Scope, path, provisional, renames,
};
use crate::changes::Operation;
use crate::forest::path_text;
use crate::formats::rows::{Cell, Column, Row, Rows};
use crate::segment::{Draft, ExternalId, Field, FieldFault, Name, Segment, SegmentId};

/// The rows with everything that is known about them.
pub(super) struct PlanContext<'a> {
    pub request: &'a Request<'a>,
    pub tree: &'a Tree<'a>,
    pub matching: Matching<'a>,
    pub places: Vec<Place>,
    /// The row indices, parents before children.
    pub order: Vec<usize>,
    /// The conflict of each row that is held back.
    pub held: Vec<Option<Conflict>>,
    /// Segments that the held rows may mean.
    pub possible_matches: HashSet<SegmentId>,
}

pub(super) fn plan(request: &Request<'_>) -> Result<Planned, Vec<PlanFault>> {
    let tree = Tree::of(request.forest);
    let mut faults = Vec::new();
    let mut matching = Matching::of(request, &tree, &mut faults).map_err(|fault| vec![fault])?;
    damaged_ids(request, &tree, &mut faults);
    let mut places = places(request, &tree, &matching, &mut faults);
    let order = order(request.rows, &places, &mut faults);
    if faults.is_empty() || request.tolerant {
        match_by_values(request, &tree, &mut matching, &mut places, &order);
    }
    let held = vec![None; request.rows.rows.len()];
    let mut context =
        PlanContext { request, tree: &tree, matching, places, order, held, possible_matches: HashSet::new() };
    let texts = texts(&context, &mut faults);
    if request.tolerant {
        faults = hold_faulty(&mut context, faults);
    }
    if !faults.is_empty() {
        return Err(sort_faults(faults));
    }
    renames::hold(&mut context);
    let difference = Difference::of(&context, &texts);
    let mut faults = difference.cycle_faults();
    faults.extend(difference.out_of_scope());
    if faults.is_empty() { Ok(difference.planned()) } else { Err(sort_faults(faults)) }
}

/// Turns the rows with faults into conflicts. Returns the faults that concern no row.
fn hold_faulty(context: &mut PlanContext<'_>, faults: Vec<PlanFault>) -> Vec<PlanFault> {
    let rows = context.request.rows.rows.iter().enumerate();
    let row_at: HashMap<usize, usize> = rows.map(|(at, row)| (row.line, at)).collect();
    let mut general_faults = Vec::new();
    for fault in faults {
        let Some(at) = fault.line.and_then(|line| row_at.get(&line).copied()) else {
            general_faults.push(fault);
            continue;
        };
        // If two rows have the same key, both are held.
        let other = match &fault.problem {
            Problem::Twice { first, .. } => row_at.get(first).copied(),
            _ => None,
        };
        for at in [Some(at), other].into_iter().flatten() {
            let segment = context.matching.segments[at].clone();
            let reason = ConflictReason::Faulty(Box::new(fault.problem.clone().of_tenant()));
            let held = conflict(context, at, segment.as_ref(), reason);
            context.held[at].get_or_insert(held);
        }
    }
    general_faults
}

fn sort_faults(mut faults: Vec<PlanFault>) -> Vec<PlanFault> {
    // A damaged parent id is also reported as missing; the damage alone is enough.
    let damaged: HashSet<(Option<usize>, String)> = faults.iter().filter_map(damaged_id).collect();
    faults.retain(|fault| match &fault.problem {
        Problem::NoSuchParent { value, .. } => !damaged.contains(&(fault.line, value.clone())),
        _ => true,
    });
    faults.sort_by_key(|fault| fault.line);
    faults.dedup();
    faults
}

fn damaged_id(fault: &PlanFault) -> Option<(Option<usize>, String)> {
    match &fault.problem {
        Problem::DamagedId { found, .. } | Problem::RoundedId(found) => Some((fault.line, found.clone())),
        _ => None,
    }
}

/// The row indices, parents before children. Rows that are their own ancestors are faults.
pub(super) fn order(rows: &Rows, places: &[Place], faults: &mut Vec<PlanFault>) -> Vec<usize> {
    let above = |at: usize| match places[at] {
        Place::UnderRow(above) => Some(above),
        Place::AsIs | Place::Top | Place::Under(_) => None,
    };
    let mut order = Vec::with_capacity(places.len());
    // 0: not visited, 1: on the current path, 2: done.
    let mut states = vec![0_u8; places.len()];
    for first in 0..places.len() {
        let mut path = Vec::new();
        let mut at = Some(first);
        while let Some(row) = at.filter(|row| states[*row] == 0) {
            states[row] = 1;
            path.push(row);
            at = above(row);
        }
        if let Some(revisited) = at.filter(|revisited| states[*revisited] == 1) {
            let cycle = path.iter().copied().skip_while(|row| *row != revisited);
            let fault = |row: usize| PlanFault { line: Some(rows.rows[row].line), problem: Problem::Circle };
            faults.extend(cycle.map(fault));
        }
        for row in path.into_iter().rev() {
            states[row] = 2;
            order.push(row);
        }
    }
    order
}

/// Matches rows without a segment to an existing one that already has their values: it was created by an earlier run.
fn match_by_values(
    request: &Request<'_>,
    tree: &Tree<'_>,
    matching: &mut Matching<'_>,
    places: &mut [Place],
    order: &[usize],
) {
    for at in order.iter().copied() {
        if let Place::UnderRow(above) = places[at]
            && let Some(above) = &matching.segments[above]
        {
            places[at] = Place::Under(above.id.clone());
        }
        if matching.segments[at].is_some() {
            continue;
        }
        let row = &request.rows.rows[at];
        let is_recreated =
            |column| row.value(column).and_then(SegmentId::new).is_some_and(|id| request.recreate.contains(&id));
        let Some(name) = new_name(row).filter(|_| !is_recreated(Column::Id)) else { continue };
        let parent = match &places[at] {
            Place::Under(id) => Some(id),
            Place::AsIs | Place::Top => None,
            // A segment that doesn't exist yet has no children.
            Place::UnderRow(_) => continue,
        };
        let has_same_values = |segment: &&&Arc<Segment>| {
            let external_id = segment.trimmed_external_id();
            let same = row.cell(Column::ExternalId).is_absent() || row.value(Column::ExternalId) == external_id;
            same && matching.is_unclaimed(&segment.id)
        };
        if let Some(segment) = tree.children_named(parent, name.trim()).iter().find(has_same_values) {
            matching.claim(at, segment);
        }
    }
}

/// The name of the new segment of a row.
pub(super) fn new_name(row: &Row) -> Option<String> {
    match row.cell(Column::Name) {
        Cell::Value(name) => Some(name.to_string()),
        Cell::Empty => None,
        Cell::Absent => row.value(Column::Path).and_then(path::names).and_then(|names| names.into_iter().next_back()),
    }
}

/// The name and the external id that each row results in.
fn texts(context: &PlanContext<'_>, faults: &mut Vec<PlanFault>) -> Vec<Draft> {
    let rows = context.request.rows.rows.iter().zip(&context.matching.segments);
    let placeholder = || Draft::of(&nameless());
    rows.map(|(row, base)| {
        let parsed = name(row, base.as_deref()).and_then(|name| Ok((name, external_id(row, base.as_deref())?)));
        match parsed {
            Ok((name, external_id)) => Draft { name, external_id, parent: None },
            Err(problem) => {
                faults.push(PlanFault { line: Some(row.line), problem });
                placeholder()
            }
        }
    })
    .collect()
}

fn nameless() -> Segment {
    Segment { id: provisional(0), name: "".into(), external_id: None, parent: None }
}

/// The new name of a row. A name that was not changed is sent as the server has it, even if it would not be valid.
fn name(row: &Row, base: Option<&Segment>) -> Result<Name, Problem> {
    let field = |fault| match fault {
        FieldFault::BlankName => Problem::NoName,
        FieldFault::ControlCharacter => Problem::Field { column: Column::Name, fault },
    };
    let written = match (row.cell(Column::Name), base) {
        (Cell::Absent, Some(base)) => return Ok(Draft::of(base).name),
        (Cell::Empty, Some(base)) if base.has_blank_name() => return Ok(Draft::of(base).name),
        (Cell::Value(name), Some(base)) if name.trim() == base.name.trim() => return Ok(Draft::of(base).name),
        (Cell::Value(name), _) => name.to_string(),
        (Cell::Absent | Cell::Empty, _) => new_name(row).ok_or(Problem::NoName)?,
    };
    let has_lines = written.trim().contains(['\n', '\r']);
    if has_lines && Name::parse(&written.replace(['\n', '\r'], " ")).is_ok() {
        // Forms and the outline allow only one line for a name. A file may have several, and a server that returned such a name
        // accepts it too.
        let name = written.trim().into();
        return Ok(Draft::of(&Segment { name, ..nameless() }).name);
    }
    Name::parse(&written).map_err(field)
}

fn external_id(row: &Row, base: Option<&Segment>) -> Result<Option<ExternalId>, Problem> {
    let unchanged = || base.and_then(|base| Draft::of(base).external_id);
    let known = base.and_then(|base| base.external_id.as_deref()).map(str::trim).unwrap_or_default();
    match row.cell(Column::ExternalId) {
        Cell::Absent => Ok(unchanged()),
        cell if cell.value().unwrap_or_default() == known => Ok(unchanged()),
        cell => ExternalId::parse(cell.value().unwrap_or_default())
            .map_err(|fault| Problem::Field { column: Column::ExternalId, fault }),
    }
}

/// The changes that the rows result in.
struct Difference<'a> {
    context: &'a PlanContext<'a>,
    /// New segments, parents before children.
    creates: Vec<(usize, Draft)>,
    /// Segments with new values.
    updates: Vec<(usize, Arc<Segment>, Draft)>,
    /// The new parents of all segments that are created or moved.
    parents: HashMap<SegmentId, Option<SegmentId>>,
    /// The rows of the created and the matched segments.
    rows: HashMap<SegmentId, usize>,
}

impl<'a> Difference<'a> {
    fn of(context: &'a PlanContext<'a>, texts: &[Draft]) -> Self {
        let mut difference =
            Self { context, creates: Vec::new(), updates: Vec::new(), parents: HashMap::new(), rows: HashMap::new() };
        let mut ids: Vec<Option<SegmentId>> = vec![None; texts.len()];
        for at in context.order.iter().copied().filter(|at| context.held[*at].is_none()) {
            let base = context.matching.segments[at].as_ref();
            let parent = match &context.places[at] {
                Place::AsIs => base.and_then(|base| base.parent.clone()),
                Place::Top => None,
                Place::Under(id) => Some(id.clone()),
                Place::UnderRow(above) => ids[*above].clone(),
            };
            let draft = Draft { parent: parent.clone(), ..texts[at].clone() };
            let id = match base {
                None => {
                    let id = provisional(difference.creates.len());
                    difference.creates.push((at, draft));
                    difference.parents.insert(id.clone(), parent);
                    id
                }
                Some(base) => {
                    let changed = draft.changes(base);
                    if changed.contains(&Field::Parent) {
                        difference.parents.insert(base.id.clone(), parent);
                    }
                    if !changed.is_empty() {
                        difference.updates.push((at, Arc::clone(base), draft));
                    }
                    base.id.clone()
                }
            };
            difference.rows.insert(id.clone(), at);
            ids[at] = Some(id);
        }
        difference
    }

    /// The parent of a segment after the plan is applied.
    fn parent(&self, id: &SegmentId) -> Option<&SegmentId> {
        match self.parents.get(id) {
            Some(parent) => parent.as_ref(),
            None => self.context.tree.forest.get(id).and_then(|segment| segment.parent.as_ref()),
        }
    }

    /// Rows whose moves would make a segment its own ancestor. Existing cycles are left as they are.
    fn cycle_faults(&self) -> Vec<PlanFault> {
        let mut faults = Vec::new();
        let mut checked: HashSet<&SegmentId> = HashSet::new();
        for first in self.parents.keys() {
            let mut path: Vec<&SegmentId> = Vec::new();
            let mut on_path: HashSet<&SegmentId> = HashSet::new();
            let mut at = Some(first);
            while let Some(id) = at.filter(|id| !checked.contains(*id)) {
                if !on_path.insert(id) {
                    let cycle = path.iter().skip_while(|other| **other != id);
                    let moved = cycle.filter(|id| self.parents.contains_key(**id));
                    let rows = moved.filter_map(|id| self.rows.get(*id)).map(|row| self.line(*row));
                    faults.extend(rows.map(|line| PlanFault { line: Some(line), problem: Problem::Circle }));
                    break;
                }
                path.push(id);
                at = self.parent(id);
            }
            checked.extend(path);
        }
        faults
    }

    fn line(&self, row: usize) -> usize {
        self.context.request.rows.rows[row].line
    }

    /// Rows that would change something outside the scope.
    fn out_of_scope(&self) -> Vec<PlanFault> {
        let Request { scope, forest, .. } = self.context.request;
        let mut faults = Vec::new();
        let mut fault = |row: usize, problem: Problem| faults.push(PlanFault { line: Some(self.line(row)), problem });
        for (row, base, _) in &self.updates {
            if !scope.has(forest, &base.id) {
                fault(*row, Problem::OutsideScope);
            }
        }
        if let Scope::Below(root) = scope {
            let leaves_scope = |draft: &Draft| {
                let mut at = draft.parent.as_ref();
                while let Some(id) = at.filter(|id| super::creating(id).is_some()) {
                    at = self.parent(id);
                }
                !at.is_some_and(|above| scope.has(forest, above))
            };
            for (row, _) in self.creates.iter().filter(|(_, draft)| leaves_scope(draft)) {
                fault(*row, Problem::OutsideScope);
            }
            // The root itself may move anywhere: its parent is outside the scope anyway.
            let moved = self.updates.iter().filter(|(_, base, draft)| base.id != *root && draft.parent != base.parent);
            for (row, ..) in moved.filter(|(_, _, draft)| leaves_scope(draft)) {
                fault(*row, Problem::LeavesScope);
            }
        }
        faults
    }

    /// Lines whose path is neither the current nor the planned path of their segment, so it is ignored.
    fn ignored_paths(&self) -> Vec<usize> {
        let Request { rows, forest, .. } = self.context.request;
        if !rows.columns.contains(&Column::Path) {
            return Vec::new();
        }
        let updated = self.updates.iter().map(|(_, base, draft)| (base.id.clone(), draft));
        let created = (0..).zip(&self.creates).map(|(index, (_, draft))| (provisional(index), draft));
        let wanted = updated.chain(created).map(|(id, draft)| (id, draft.name.as_str()));
        let wanted: HashMap<SegmentId, &str> = wanted.collect();
        let is_ignored = |(id, row): (&SegmentId, &usize)| {
            let row = &rows.rows[*row];
            let written = row.value(Column::Path).and_then(path::names)?;
            // Some names don't survive being written as a path and parsed again, so the written form is compared.
            let is_same_path = |names: Vec<&str>| path::names(&path_text(names)).as_ref() == Some(&written);
            let current_names = forest.path(id).into_iter().map(|segment| segment.name.as_str()).collect();
            (!is_same_path(current_names) && !is_same_path(self.names(id, &wanted))).then_some(row.line)
        };
        let mut lines: Vec<usize> = self.rows.iter().filter_map(is_ignored).collect();
        lines.sort_unstable();
        lines
    }

    /// The names from the root down to a segment, after the plan is applied.
    fn names(&'a self, id: &'a SegmentId, wanted: &HashMap<SegmentId, &'a str>) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut seen: HashSet<&SegmentId> = HashSet::new();
        let mut at = Some(id);
        while let Some(id) = at.filter(|id| seen.insert(*id)) {
            let current_name = self.context.tree.forest.get(id).map(|segment| segment.name.as_str());
            names.extend(wanted.get(id).copied().or(current_name));
            at = self.parent(id);
        }
        names.reverse();
        names
    }

    fn planned(self) -> Planned {
        let PlanContext { request, tree, matching, held, .. } = self.context;
        let Pruned { deletes, kept } = pruned(self.context, &self.parents);
        let ignored_paths = self.ignored_paths();
        let is_open = |kept: &&Kept| matches!(kept.reason, KeptReason::HasChildren | KeptReason::Conflict);
        let missing_in_scope = deletes.len() + kept.iter().filter(is_open).count();
        let creates = self.creates.iter().map(|(row, draft)| PlannedOperation {
            operation: Operation::Create { draft: draft.clone() },
            reason: PlanReason::New { line: self.line(*row) },
            after: None,
            existing: similar_segments(tree, draft),
        });
        let mut operations: Vec<PlannedOperation> = creates.collect();
        self.add_updates(&mut operations);
        operations.extend(deletes.into_iter().map(|segment| PlannedOperation {
            operation: Operation::delete(segment),
            reason: PlanReason::Pruned,
            after: None,
            existing: Vec::new(),
        }));
        let mut conflicts: Vec<Conflict> = held.iter().flatten().cloned().collect();
        conflicts.sort_by_key(|conflict| conflict.line);
        let scoped = matching.row_of.keys().filter(|id| request.scope.has(request.forest, id));
        let rows = request.rows.rows.iter().zip(&matching.segments);
        let segments = rows.filter_map(|(row, segment)| Some((row.line, Arc::clone(segment.as_ref()?)))).collect();
        Planned {
            operations,
            segments,
            conflicts,
            kept,
            key: matching.key,
            foreign_ids: matching.foreign_ids,
            by_number: request.rows.by_number,
            rows: request.rows.rows.len(),
            matched: matching.row_of.len(),
            matched_in_scope: scoped.count(),
            missing_in_scope,
            ignored_paths,
            scope_size: request.scope.size(request.forest),
        }
    }

    /// Adds the updates, ancestors before descendants, and records after which move each move has to come.
    fn add_updates(&self, operations: &mut Vec<PlannedOperation>) {
        let mut positions = TreePositions { difference: self, known: HashMap::new() };
        let updates = self.updates.iter().map(|update| (positions.of(&update.1.id).depth, update));
        let mut updates: Vec<_> = updates.collect();
        updates.sort_by(|(depth, (row, _, draft)), (other_depth, (other_row, _, other))| {
            (depth, &draft.parent, row).cmp(&(other_depth, &other.parent, other_row))
        });
        let first = operations.len();
        let places: HashMap<&SegmentId, usize> =
            (first..).zip(&updates).map(|(index, (_, (_, base, _)))| (&base.id, index)).collect();
        for (_, (row, base, draft)) in &updates {
            let moves = self.parents.contains_key(&base.id);
            let above = draft.parent.as_ref().filter(|_| moves).and_then(|parent| positions.of(parent).nearest_move);
            operations.push(PlannedOperation {
                operation: Operation::Update { base: Arc::clone(base), draft: draft.clone() },
                reason: PlanReason::Differs { line: self.line(*row) },
                after: above.and_then(|above| places.get(&above).copied()),
                existing: Vec::new(),
            });
        }
    }
}

/// The positions of segments after the plan is applied.
struct TreePositions<'a> {
    difference: &'a Difference<'a>,
    known: HashMap<SegmentId, TreePosition>,
}

#[derive(Debug, Clone, Default)]
struct TreePosition {
    depth: u32,
    /// The nearest existing segment that is moved, from this one upwards.
    nearest_move: Option<SegmentId>,
}

impl TreePositions<'_> {
    fn of(&mut self, id: &SegmentId) -> TreePosition {
        let mut unknown: Vec<SegmentId> = Vec::new();
        let mut at = Some(id.clone());
        let mut on_path: HashSet<SegmentId> = HashSet::new();
        // An existing cycle has no root; the climb ends where it returns to itself.
        while let Some(id) = at.filter(|id| !self.known.contains_key(id)).filter(|id| on_path.insert(id.clone())) {
            at = self.difference.parent(&id).cloned();
            unknown.push(id);
        }
        let top = unknown.last().and_then(|id| self.difference.parent(id)).and_then(|above| self.known.get(above));
        let mut position = top.cloned().unwrap_or_default();
        for id in unknown.into_iter().rev() {
            position.depth += 1;
            let moves = self.difference.parents.contains_key(&id) && super::creating(&id).is_none();
            if moves {
                position.nearest_move = Some(id.clone());
            }
            self.known.insert(id, position.clone());
        }
        self.known.get(id).cloned().unwrap_or_default()
    }
}

/// Existing segments that look like a new one: by external id, or if it has none, by name and parent.
fn similar_segments(tree: &Tree<'_>, draft: &Draft) -> Vec<SegmentId> {
    let found = match &draft.external_id {
        Some(external_id) => tree.with_external_id(external_id.as_str()),
        None => tree.children_named(draft.parent.as_ref(), draft.name.as_str()),
    };
    found.iter().map(|segment| segment.id.clone()).collect()
}

/// The conflict of a row that is held back.
pub(super) fn conflict(
    context: &PlanContext<'_>,
    row: usize,
    segment: Option<&Arc<Segment>>,
    reason: ConflictReason,
) -> Conflict {
    let Request { rows, tolerant, .. } = context.request;
    let row = &rows.rows[row];
    let of_tenant = row.value(Column::Id).filter(|_| *tolerant).map(str::to_owned);
    let reason = match reason {
        ConflictReason::Below { .. } if *tolerant => ConflictReason::BelowHeld,
        reason => reason,
    };
    let name = new_name(row).unwrap_or_default();
    Conflict { line: row.line, of_tenant, name, segment: segment.cloned(), reason }
}
