//! Random forests, files that ask for them, and what two of them have in common.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::formats::rows::{Cell, Column, ParentRow, Row, Rows};
use crate::planning::Key;
use crate::segment::{Segment, SegmentId};

pub struct Random(pub fastrand::Rng);

/// How a file identifies segments and parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By ids; new segments have none, and parents are named by external ids.
    Ids,
    /// By external ids only.
    ExternalIds,
    /// By ids that the tenant doesn't know.
    Foreign,
    /// By indentation.
    Outline,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Segments with ids `kind0`, `kind1` …, each with its own external id and a parent among the previous ones.
    pub fn forest(&mut self, kind: &str) -> Vec<Arc<Segment>> {
        let count = self.0.usize(1..12);
        let mut shuffled: Vec<usize> = (0..14).collect();
        self.0.shuffle(&mut shuffled);
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for number in shuffled.into_iter().take(count) {
            let at = self.0.usize(0..=segments.len());
            let parent = segments.get(at).map(|parent| parent.id.clone());
            let id = SegmentId::new(&format!("{kind}{number}")).unwrap();
            let name = format!("n{}", self.0.usize(0..4));
            let external_id = Some(format!("X{number}").as_str().into());
            segments.push(Arc::new(Segment { id, name: name.as_str().into(), external_id, parent }));
        }
        segments
    }

    /// Another forest with many of the same segments, under other parents and with other names.
    pub fn other(&mut self, kind: &str) -> Vec<Arc<Segment>> {
        self.forest(kind)
    }

    /// The same segments, some without their external ids: only leaves, so that files that name parents by external ids can name
    /// them all.
    pub fn without_some_external_ids(&mut self, segments: Vec<Arc<Segment>>) -> Vec<Arc<Segment>> {
        let parents: Vec<SegmentId> = segments.iter().filter_map(|segment| segment.parent.clone()).collect();
        let keyless = |segment: Arc<Segment>| {
            let goes = !parents.contains(&segment.id) && self.0.bool();
            if goes { Arc::new(Segment { external_id: None, ..Segment::clone(&segment) }) } else { segment }
        };
        segments.into_iter().map(keyless).collect()
    }

    /// A chain of segments.
    pub fn chain(count: usize) -> Vec<Arc<Segment>> {
        let id = |number: usize| SegmentId::new(&format!("a{number}")).unwrap();
        let segment = |number: usize| Segment {
            id: id(number),
            name: format!("n{number}").as_str().into(),
            external_id: Some(format!("X{number}").as_str().into()),
            parent: number.checked_sub(1).map(id),
        };
        (0..count).map(|number| Arc::new(segment(number))).collect()
    }
}

/// A forest without ids: for each segment the external ids from the root down, and its name.
pub fn shape(segments: &[Arc<Segment>]) -> Vec<(Vec<String>, String)> {
    let by_id: HashMap<&SegmentId, &Arc<Segment>> = segments.iter().map(|segment| (&segment.id, segment)).collect();
    let step = |segment: &Arc<Segment>| segment.external_id.as_deref().unwrap_or_default().to_owned();
    let path = |segment: &Arc<Segment>| {
        let mut path = vec![step(segment)];
        let mut at = segment.parent.as_ref().and_then(|id| by_id.get(id));
        while let Some(segment) = at.filter(|_| path.len() <= segments.len()) {
            path.push(step(segment));
            at = segment.parent.as_ref().and_then(|id| by_id.get(id));
        }
        path.reverse();
        path
    };
    let mut shape: Vec<_> = segments.iter().map(|segment| (path(segment), segment.name.to_string())).collect();
    shape.sort();
    shape
}

impl Form {
    pub const ALL: [Self; 4] = [Self::Ids, Self::ExternalIds, Self::Foreign, Self::Outline];

    /// A file that asks for a forest, for a tenant that has another one.
    pub fn rows(self, wanted: &[Arc<Segment>], there: &[Arc<Segment>]) -> (Rows, Option<Key>) {
        let is_there = |id: &SegmentId| there.iter().any(|segment| segment.id == *id);
        let by_id: HashMap<&SegmentId, &Arc<Segment>> = wanted.iter().map(|segment| (&segment.id, segment)).collect();
        if self == Self::Outline {
            return (outline(wanted, is_there), Some(Key::Id));
        }
        let text = |text: Option<&str>| Cell::written(text.unwrap_or_default());
        let row = |(at, segment): (usize, &Arc<Segment>)| {
            let mut row = Row::at_line(at + 2);
            let parent = segment.parent.as_ref().map(|id| by_id[id]);
            row.set(Column::Name, text(Some(&segment.name)));
            row.set(Column::ExternalId, text(segment.external_id.as_deref()));
            let label = |id: &SegmentId| match self {
                Self::Foreign => Some(format!("foreign-{id}")),
                _ => is_there(id).then(|| id.to_string()),
            };
            if self == Self::Foreign {
                row.set(Column::ParentId, text(parent.and_then(|parent| label(&parent.id)).as_deref()));
            } else {
                row.set(Column::ParentExternalId, text(parent.and_then(|parent| parent.external_id.as_deref())));
            }
            if self != Self::ExternalIds {
                row.set(Column::Id, text(label(&segment.id).as_deref()));
            }
            row
        };
        let mut rows: Vec<Row> = wanted.iter().enumerate().map(row).collect();
        rows.reverse();
        let columns = Column::ALL.into_iter().filter(|column| rows.iter().any(|row| !row.cell(*column).is_absent()));
        let columns = columns.collect();
        let key =
            (self == Self::Ids).then_some(Key::Id).filter(|_| rows.iter().any(|row| row.value(Column::Id).is_some()));
        (Rows { rows, columns, short_ids: false, by_number: false }, key)
    }

    /// How many of the wanted segments already exist and keep their ids.
    pub fn kept(wanted: &[Arc<Segment>], there: &[Arc<Segment>]) -> usize {
        wanted.iter().filter(|segment| there.iter().any(|other| other.id == segment.id)).count()
    }
}

fn outline(wanted: &[Arc<Segment>], is_there: impl Fn(&SegmentId) -> bool) -> Rows {
    let mut rows: Vec<Row> = Vec::new();
    let mut left: Vec<(&Arc<Segment>, ParentRow)> =
        wanted.iter().filter(|segment| segment.parent.is_none()).map(|segment| (segment, ParentRow::Top)).collect();
    while let Some((segment, above)) = left.pop() {
        let at = rows.len();
        let mut row = Row::at_line(at + 1);
        row.parent = above;
        row.set(Column::Name, Cell::written(&segment.name));
        row.set(Column::ExternalId, Cell::written(segment.external_id.as_deref().unwrap_or_default()));
        let label = if is_there(&segment.id) { segment.id.to_string() } else { String::new() };
        row.set(Column::Id, Cell::written(&label));
        rows.push(row);
        let children = wanted.iter().filter(|other| other.parent.as_ref() == Some(&segment.id));
        left.extend(children.map(|child| (child, ParentRow::Row(at))));
    }
    Rows { rows, columns: vec![Column::Id, Column::Name, Column::ExternalId], short_ids: true, by_number: false }
}
