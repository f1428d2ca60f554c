//! The tree of all segments, keyed on their parents, and the rows of it that are unfolded.
//!
//! Whatever list the server sends, each segment is in the tree exactly once: one whose parent is not there stands under a
//! *ghost* that bears the missing parent's id, and one segment of each circle of parents, that with the smallest id, is cut
//! from its parent and stands by itself. Both have a [`Heading`] of their own. The shape depends on the segments only, never on
//! the order in which they came.
//!
//! A change costs in proportion to the depth at which it happens, not to the size of the tree. What has to look at everything is a
//! job that any thread can carry out ([`SearchJob`], [`SortJob`]). Nothing recurses: a chain of a hundred thousand segments is as
//! good as any other tree, and so is a parent of a million.

mod ancestry;
mod anomaly;
mod arena;
mod filtered;
mod find;
mod fold;
mod limits;
mod node_set;
mod order;
mod reference;
mod rows;
mod same_external_id;
mod search;
mod sorting;
mod walk;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::segment::{Segment, SegmentId};

use arena::{Arena, Content, NodeIndex, Slots};
#[cfg(test)]
use limits::Limits;
use rows::Rows;
use search::Searches;

pub use anomaly::Anomaly;
pub use filtered::Filtered;
pub use find::{ExternalFlags, Query, QueryFault, StateFilter};
pub use fold::folded;
pub use order::Order;
pub use reference::{Reference, ReferenceFault, Unresolved, path_names, path_text};
pub use search::{SearchBatch, SearchJob, SearchKind};
pub use sorting::SortJob;

/// A change of the set of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The segment exists and has these fields.
    Upsert(Arc<Segment>),
    /// No such segment exists.
    Remove(SegmentId),
}

impl Change {
    fn id(&self) -> &SegmentId {
        match self {
            Self::Upsert(segment) => &segment.id,
            Self::Remove(id) => id,
        }
    }
}

/// What stands above segments that have no place of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heading {
    /// Above the parents that are not there.
    MissingParents,
    /// Above one segment of each circle.
    Circles,
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingParents => "Orphans: parent missing",
            Self::Circles => "Circular parents",
        })
    }
}

/// What a row is about; the same for as long as that exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A segment, or a parent that is not there: it keeps its identity when it arrives.
    Segment(SegmentId),
    /// A heading.
    Heading(Heading),
}

/// One visible row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// What it shows.
    pub kind: RowKind<'a>,
    /// How many rows it stands below, 0 at the top.
    pub depth: u32,
    /// Whether it has anything below, and shows it.
    pub fold: Fold,
    /// How many segments there are below it, at all levels.
    pub descendants: u32,
}

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind<'a> {
    /// A segment.
    Segment(&'a Arc<Segment>),
    /// A parent that is named by the segments below and is not there.
    MissingParent(&'a SegmentId),
    /// What stands above segments without a place.
    Heading(Heading),
}

/// Whether a row has anything below, and shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It has nothing below.
    Leaf,
    /// It hides what is below.
    Closed,
    /// It shows what is below.
    Open,
}

impl Row<'_> {
    /// What it is about.
    #[must_use]
    pub fn id(&self) -> RowId {
        match self.kind {
            RowKind::Segment(segment) => RowId::Segment(segment.id.clone()),
            RowKind::MissingParent(id) => RowId::Segment(id.clone()),
            RowKind::Heading(heading) => RowId::Heading(heading),
        }
    }
}

/// All segments as a tree, and what of it is unfolded.
///
/// Segments come in any order; one whose parent is not there stands below a heading until that comes.
///
/// ```
/// use std::sync::Arc;
///
/// use segtui::forest::{Change, Forest, RowId};
/// use segtui::segment::{Segment, SegmentId};
///
/// let segment = |id: &str, parent: Option<&str>| {
///     let (id, parent) = (SegmentId::new(id).unwrap(), parent.and_then(SegmentId::new));
///     Arc::new(Segment { name: id.to_string().into(), id, external_id: None, parent })
/// };
/// let mut forest: Forest = [segment("gold", Some("vip")), segment("vip", None)].into_iter().collect();
/// let vip = SegmentId::new("vip").unwrap();
/// assert_eq!((forest.row_count(), forest.child_count(&vip)), (1, 1));
///
/// forest.expand(&RowId::Segment(vip.clone()));
/// forest.apply(vec![Change::Upsert(segment("silver", Some("vip")))]);
/// let levels: Vec<_> = forest.rows(0..10).map(|row| (row.depth, row.id())).collect();
/// assert_eq!(levels[0], (0, RowId::Segment(vip)));
/// assert_eq!(levels.len(), 3);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Forest {
    arena: Arena,
    rows: Rows,
    searches: Searches,
    revision: u64,
}

impl Forest {
    /// A tree of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of nothing that does everything as a large one does.
    #[cfg(test)]
    pub(crate) fn like_a_large_one() -> Self {
        Self::within(&Limits::SMALL, [])
    }

    /// A tree of these segments that does everything as trees of another size do.
    #[cfg(test)]
    fn within(limits: &'static Limits, segments: impl IntoIterator<Item = Arc<Segment>>) -> Self {
        let forest = Self { arena: Arena::within(limits), rows: Rows::within(limits), ..Self::default() };
        forest.filled(0, segments.into_iter())
    }

    /// A tree of about so many segments; a wrong number costs time or memory and nothing else.
    #[must_use]
    pub fn of(about: usize, segments: impl Iterator<Item = Arc<Segment>>) -> Self {
        Self::new().filled(about, segments)
    }

    fn filled(mut self, about: usize, segments: impl Iterator<Item = Arc<Segment>>) -> Self {
        self.arena.fill(about, segments);
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
        self
    }

    /// Applies changes in their order, as one: the rows are brought up to date once, at the end.
    pub fn apply(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.revision = self.revision.wrapping_add(1);
        let watch = self.searches.watch(&self.arena, changes.iter().map(Change::id));
        self.arena.apply(changes);
        let touched = self.arena.take_touched();
        self.searches.follow(&self.arena, watch, &touched);
        self.rows.follow(&mut self.arena, touched);
    }

    /// A number that is another one after every change of the segments, and stays the same whatever else is done.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether it is to grow by very many segments soon. Until it is not any more, parents that are missing stand in no order that
    /// means anything.
    pub fn set_growing(&mut self, growing: bool) {
        self.arena.set_growing(growing);
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
    }

    /// Segments were seen to change, each later than the one before.
    pub fn mark_changed<'a>(&mut self, ids: impl IntoIterator<Item = &'a SegmentId>) {
        for id in ids {
            if let Some(node) = self.arena.find(id).filter(|node| self.arena.segment(*node).is_some()) {
                self.arena.mark_changed(node);
            }
        }
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
    }

    /// How many segments there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether there is no segment at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segment with that id.
    #[must_use]
    pub fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.arena.find(id).and_then(|node| self.arena.segment(node))
    }

    /// Whether there is a segment with that id.
    #[must_use]
    pub fn contains(&self, id: &SegmentId) -> bool {
        self.get(id).is_some()
    }

    /// All segments, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.arena.segments()
    }

    /// All segments as they are now, for whoever looks at all of them in a thread of their own. It costs next to nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { slots: self.arena.slots().clone() }
    }

    /// The segments at the top, in no particular order.
    pub fn roots(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.arena.children(NodeIndex::TOP).filter_map(|node| self.arena.segment(node))
    }

    /// How many rows stand directly below a segment or a missing parent.
    #[must_use]
    pub fn child_count(&self, id: &SegmentId) -> usize {
        self.arena.find(id).map_or(0, |node| self.arena.child_count(node))
    }

    /// How many rows stand directly below a heading: missing parents, or segments that were cut from their circle.
    #[must_use]
    pub fn child_rows(&self, heading: Heading) -> usize {
        self.arena.child_count(NodeIndex::of(heading))
    }

    /// How many segments stand below a segment or a missing parent, at all levels.
    #[must_use]
    pub fn descendant_count(&self, id: &SegmentId) -> usize {
        self.arena.find(id).map_or(0, |node| self.arena.descendants(node) as usize)
    }

    /// By what siblings are sorted.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.arena.order()
    }

    /// Sorts siblings by something else.
    pub fn set_order(&mut self, order: Order) {
        self.arena.set_order(order);
        self.searches.reordered();
        self.rows.rebuild(&mut self.arena);
    }
}

/// All segments of a tree as they were at one moment, whatever becomes of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    slots: Slots,
}

impl Snapshot {
    /// The segments, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.slots.iter()
    }
}

/// The visible rows.
impl Forest {
    /// How many rows are visible.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The visible row at that place, counted from 0.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        self.rows(index..index.saturating_add(1)).next()
    }

    /// The visible rows in that range, as many of them as there are.
    pub fn rows(&self, range: Range<usize>) -> impl Iterator<Item = Row<'_>> {
        self.rows.range(range).filter_map(|visible| {
            let node = visible.node;
            let kind = self.kind(node)?;
            let fold = match self.arena.has_children(node) {
                false => Fold::Leaf,
                true if self.arena.is_open(node) => Fold::Open,
                true => Fold::Closed,
            };
            Some(Row { kind, depth: visible.depth, fold, descendants: self.arena.descendants(node) })
        })
    }

    /// Where a row is, `None` when it is not visible.
    #[must_use]
    pub fn position(&self, id: &RowId) -> Option<usize> {
        self.rows.position(self.node(id)?)
    }

    /// What a row stands under: a segment, a missing parent or a heading. `None` at the top, and for what is not there.
    #[must_use]
    pub fn parent_row(&self, id: &RowId) -> Option<RowId> {
        self.row_id(self.arena.up(self.node(id)?)?)
    }

    /// Whether a row shows what is below it, or would if there were anything.
    #[must_use]
    pub fn is_open(&self, id: &RowId) -> bool {
        self.node(id).is_some_and(|node| self.arena.is_open(node))
    }

    /// Shows what is directly below a row.
    pub fn expand(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.set_open(node, true);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Shows what is directly below each of these segments.
    pub fn expand_each<'a>(&mut self, ids: impl IntoIterator<Item = &'a SegmentId>) {
        for id in ids {
            if let Some(node) = self.arena.find(id) {
                self.arena.set_open(node, true);
            }
        }
        self.rows.rebuild_many(&mut self.arena);
    }

    /// Hides what is below a row. What is unfolded further down stays so for the next time.
    pub fn collapse(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.set_open(node, false);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Shows everything below a row, at all levels.
    pub fn expand_subtree(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.open_below(node);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Shows the tree down to a level: 1 is the top alone, 2 what is directly below as well; `None` is everything. Headings and
    /// missing parents stay as they are, since what is below them is wrong and wants to be seen.
    pub fn fold_to_level(&mut self, level: Option<u32>) {
        self.arena.fold_to_level(level);
        self.rows.rebuild_many(&mut self.arena);
    }

    /// Unfolds whatever hides a segment and answers its row. `None` when there is no such segment or missing parent.
    pub fn reveal(&mut self, id: &SegmentId) -> Option<usize> {
        let node = self.arena.find(id)?;
        let closed = self.arena.open_above(node);
        if let Some(topmost) = closed {
            self.rows.refresh(&mut self.arena, topmost);
        }
        self.rows.position(node)
    }

    /// The segments that were unfolded, whether visible or not.
    pub fn open_segments(&self) -> impl Iterator<Item = &SegmentId> {
        self.arena.open_segments().map(|segment| &segment.id)
    }

    /// Who is next to a visible row: the next row below the same parent, else the one before, else what it stands under.
    #[must_use]
    pub fn next_selection(&self, id: &RowId) -> Option<RowId> {
        let at = self.position(id)?;
        self.row_id(self.rows.next_selection(at)?)
    }

    fn node(&self, id: &RowId) -> Option<NodeIndex> {
        match id {
            RowId::Segment(id) => self.arena.find(id),
            RowId::Heading(heading) => Some(NodeIndex::of(*heading)),
        }
    }

    fn kind(&self, node: NodeIndex) -> Option<RowKind<'_>> {
        match self.arena.content(node) {
            Content::Segment(segment) => Some(RowKind::Segment(segment)),
            Content::Ghost(id) => Some(RowKind::MissingParent(id)),
            Content::Heading(heading) => Some(RowKind::Heading(heading)),
            Content::Top | Content::Free => None,
        }
    }

    fn row_id(&self, node: NodeIndex) -> Option<RowId> {
        match self.arena.content(node) {
            Content::Segment(segment) => Some(RowId::Segment(segment.id.clone())),
            Content::Ghost(id) => Some(RowId::Segment(id.clone())),
            Content::Heading(heading) => Some(RowId::Heading(heading)),
            Content::Top | Content::Free => None,
        }
    }
}

/// The same rows over the same segments in the same order.
impl PartialEq for Forest {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
            && self.rows(0..self.row_count()).eq(other.rows(0..other.row_count()))
            && self.preorder().eq(other.preorder())
    }
}

impl Eq for Forest {}

impl FromIterator<Arc<Segment>> for Forest {
    fn from_iter<I: IntoIterator<Item = Arc<Segment>>>(segments: I) -> Self {
        let segments = segments.into_iter();
        Self::of(segments.size_hint().0, segments)
    }
}
