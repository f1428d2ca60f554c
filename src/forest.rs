//! The tree of all segments, built from their parent ids, and the visible rows of it.
//!
//! Whatever list the server sends, each segment is in the tree exactly once. A segment whose parent is missing is under a *ghost*
//! with the missing parent's id, and each cycle is cut at the segment with the smallest id. Ghosts and cut segments each have a
//! [`Heading`]. The shape depends only on the segments, never on the order in which they arrived.
//!
//! The cost of a change is proportional to the depth at which it happens, not to the size of the tree. Work on the whole tree is
//! a job that any thread can run ([`SearchJob`], [`SortJob`]). Nothing recurses: a chain of a hundred thousand segments works as
//! well as any other tree, and so does a parent of a million.

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

/// A change to the set of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The segment exists with these fields.
    Upsert(Arc<Segment>),
    /// The segment does not exist.
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

/// A heading above segments that have no regular place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heading {
    /// Above the missing parents.
    MissingParents,
    /// Above the segments at which cycles are cut.
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

/// The identity of a row, which is stable as long as the row exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A segment, or a missing parent: the identity stays the same when it arrives.
    Segment(SegmentId),
    /// A heading.
    Heading(Heading),
}

/// One visible row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// What it shows.
    pub kind: RowKind<'a>,
    /// Depth in the tree, 0 at the top.
    pub depth: u32,
    /// Whether it has children, and shows them.
    pub fold: Fold,
    /// Number of segments below it, at all levels.
    pub descendants: u32,
}

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind<'a> {
    /// A segment.
    Segment(&'a Arc<Segment>),
    /// A parent that segments refer to and that does not exist.
    MissingParent(&'a SegmentId),
    /// A heading.
    Heading(Heading),
}

/// Whether a row has children, and shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It has no children.
    Leaf,
    /// Its children are hidden.
    Closed,
    /// Its children are shown.
    Open,
}

impl Row<'_> {
    /// Returns the row's identity.
    #[must_use]
    pub fn id(&self) -> RowId {
        match self.kind {
            RowKind::Segment(segment) => RowId::Segment(segment.id.clone()),
            RowKind::MissingParent(id) => RowId::Segment(id.clone()),
            RowKind::Heading(heading) => RowId::Heading(heading),
        }
    }
}

/// All segments as a tree, and which of it is expanded.
///
/// Segments can arrive in any order; one whose parent is missing is below a heading until the parent arrives.
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
    /// Returns an empty forest.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty forest that uses the methods of a large one.
    #[cfg(test)]
    pub(crate) fn simulating_large() -> Self {
        Self::with_limits(&Limits::SMALL, [])
    }

    /// Returns a forest that uses other limits.
    #[cfg(test)]
    fn with_limits(limits: &'static Limits, segments: impl IntoIterator<Item = Arc<Segment>>) -> Self {
        let forest = Self { arena: Arena::with_limits(limits), rows: Rows::with_limits(limits), ..Self::default() };
        forest.filled(0, segments.into_iter())
    }

    /// Builds a forest. `expected` is the expected number of segments; a wrong estimate only costs time or memory.
    #[must_use]
    pub fn from_segments(expected: usize, segments: impl Iterator<Item = Arc<Segment>>) -> Self {
        Self::new().filled(expected, segments)
    }

    fn filled(mut self, expected: usize, segments: impl Iterator<Item = Arc<Segment>>) -> Self {
        self.arena.fill(expected, segments);
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
        self
    }

    /// Applies changes in order. The rows are updated once, at the end.
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

    /// Returns a number that changes whenever segments are changed, and only then.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Sets whether very many segments are being loaded. Until that is over, missing parents are in arbitrary order.
    pub fn set_growing(&mut self, growing: bool) {
        self.arena.set_growing(growing);
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
    }

    /// Marks segments as changed, each later than the one before.
    pub fn mark_changed<'a>(&mut self, ids: impl IntoIterator<Item = &'a SegmentId>) {
        for id in ids {
            if let Some(node) = self.arena.find(id).filter(|node| self.arena.segment(*node).is_some()) {
                self.arena.mark_changed(node);
            }
        }
        let touched = self.arena.take_touched();
        self.rows.follow(&mut self.arena, touched);
    }

    /// Number of segments.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether there are no segments.
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

    /// Returns all segments as they are now, for use in another thread. It costs next to nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { slots: self.arena.slots().clone() }
    }

    /// The segments at the top, in no particular order.
    pub fn roots(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.arena.children(NodeIndex::TOP).filter_map(|node| self.arena.segment(node))
    }

    /// Number of rows directly below a segment or a missing parent.
    #[must_use]
    pub fn child_count(&self, id: &SegmentId) -> usize {
        self.arena.find(id).map_or(0, |node| self.arena.child_count(node))
    }

    /// Number of rows directly below a heading: missing parents, or segments at which cycles were cut.
    #[must_use]
    pub fn child_rows(&self, heading: Heading) -> usize {
        self.arena.child_count(NodeIndex::of(heading))
    }

    /// Number of segments below a segment or a missing parent, at all levels.
    #[must_use]
    pub fn descendant_count(&self, id: &SegmentId) -> usize {
        self.arena.find(id).map_or(0, |node| self.arena.descendants(node) as usize)
    }

    /// The order of siblings.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.arena.order()
    }

    /// Sets the order of siblings.
    pub fn set_order(&mut self, order: Order) {
        self.arena.set_order(order);
        self.searches.reordered();
        self.rows.rebuild(&mut self.arena);
    }
}

/// All segments as they were at one moment, unaffected by later changes.
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
    /// Number of visible rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Returns the visible row at an index.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        self.rows(index..index.saturating_add(1)).next()
    }

    /// Returns the visible rows in a range, as far as they exist.
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

    /// Returns the index of a row, `None` if it is not visible.
    #[must_use]
    pub fn position(&self, id: &RowId) -> Option<usize> {
        self.rows.position(self.node(id)?)
    }

    /// Returns the parent of a row: a segment, a missing parent or a heading. `None` at the top, and for rows that don't exist.
    #[must_use]
    pub fn parent_row(&self, id: &RowId) -> Option<RowId> {
        self.row_id(self.arena.parent(self.node(id)?)?)
    }

    /// Whether a row is expanded, even if it has no children.
    #[must_use]
    pub fn is_open(&self, id: &RowId) -> bool {
        self.node(id).is_some_and(|node| self.arena.is_open(node))
    }

    /// Shows the children of a row.
    pub fn expand(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.set_open(node, true);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Shows the children of each of these segments.
    pub fn expand_all<'a>(&mut self, ids: impl IntoIterator<Item = &'a SegmentId>) {
        for id in ids {
            if let Some(node) = self.arena.find(id) {
                self.arena.set_open(node, true);
            }
        }
        self.rows.rebuild_many(&mut self.arena);
    }

    /// Hides the children of a row. Which descendants are expanded is remembered.
    pub fn collapse(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.set_open(node, false);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Expands a row and all its descendants.
    pub fn expand_subtree(&mut self, id: &RowId) {
        if let Some(node) = self.node(id) {
            self.arena.open_below(node);
            self.rows.refresh(&mut self.arena, node);
        }
    }

    /// Shows the tree down to a level: 1 is only the top, 2 also its children, `None` is everything. With a level, headings and
    /// missing parents stay as they are, since what is below them is wrong and should be seen.
    pub fn fold_to_level(&mut self, level: Option<u32>) {
        self.arena.fold_to_level(level);
        self.rows.rebuild_many(&mut self.arena);
    }

    /// Expands all ancestors of a segment and returns its row index. `None` if there is no such segment or missing parent.
    pub fn reveal(&mut self, id: &SegmentId) -> Option<usize> {
        let node = self.arena.find(id)?;
        let closed = self.arena.open_above(node);
        if let Some(topmost) = closed {
            self.rows.refresh(&mut self.arena, topmost);
        }
        self.rows.position(node)
    }

    /// The expanded segments, whether visible or not.
    pub fn open_segments(&self) -> impl Iterator<Item = &SegmentId> {
        self.arena.open_segments().map(|segment| &segment.id)
    }

    /// Returns the row to select when a visible row goes away: the next sibling, else the previous one, else the parent.
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

/// Two forests are equal if they show the same rows over the same segments in the same order.
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
        Self::from_segments(segments.size_hint().0, segments)
    }
}
