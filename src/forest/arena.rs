//! The nodes of the tree, and the links between them.
//!
//! Three nodes always exist: the top, which is the parent of the roots, and one for each heading. Every other node is a segment
//! or a *ghost*: an id that segments name as parent and that no segment has. A ghost exists exactly as long as it has children.
//! So every node except the top always has a parent.
//!
//! A million segments have to fit a small machine: a node takes twelve bytes, the data of parents is kept only for nodes with
//! children, and the segments are shared with the caller.

#[cfg(test)]
mod check;
mod contents;
mod folding;
mod fresh;
mod links;
mod relink;
mod siblings;
mod slots;
mod sorting;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use crate::segment::{Segment, SegmentId, table};

use super::limits::Limits;
use super::order::{self, Key, Order};
use super::same_external_id::ExternalIdIndex;
use super::{Change, Heading};

use contents::Contents;
use siblings::Place;
use sorting::Sorting;

pub(super) use siblings::Siblings;
pub(super) use slots::{Chunk, Slots};
pub(super) use sorting::ChildLists;

/// Index of a node in the arena. Reused after the node is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeIndex(u32);

impl NodeIndex {
    /// The parent of the roots and the headings.
    pub const TOP: Self = Self(0);
    /// The parent of the ghosts.
    pub const MISSING: Self = Self(1);
    /// The parent of the segments at which cycles are cut.
    pub const CIRCLES: Self = Self(2);
    /// The parent of the top, of free nodes, and of a node that is being moved.
    const NO_PARENT: Self = Self(u32::MAX);

    pub const fn of(heading: Heading) -> Self {
        match heading {
            Heading::MissingParents => Self::MISSING,
            Heading::Circles => Self::CIRCLES,
        }
    }

    /// Returns the node at a slot.
    pub fn at(slot: usize) -> Self {
        // Four billion segments don't fit into memory, so the index fits.
        Self(u32::try_from(slot).unwrap_or(u32::MAX))
    }

    pub const fn slot(self) -> usize {
        self.0 as usize
    }

    /// Whether it is a segment or a ghost.
    pub const fn is_ordinary(self) -> bool {
        self.0 > Self::CIRCLES.0 && self.0 != Self::NO_PARENT.0
    }
}

/// What a node represents.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    Top,
    Heading(Heading),
    Segment(&'a Arc<Segment>),
    Ghost(&'a SegmentId),
    /// Nothing: the slot can be reused.
    Free,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Top,
    Heading(Heading),
    Segment,
    Ghost,
    Free,
}

#[derive(Debug, Clone)]
struct Node {
    parent: NodeIndex,
    family: FamilyIndex,
    kind: Kind,
    /// Whether it is expanded as a segment.
    open: bool,
    /// Whether it is collapsed as a heading or a ghost. Those are expanded by default.
    is_collapsed: bool,
}

impl Node {
    const fn new(kind: Kind, parent: NodeIndex) -> Self {
        Self { parent, family: FamilyIndex::NONE, kind, open: false, is_collapsed: false }
    }
}

/// Index of a family. Reused after the family is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FamilyIndex(u32);

impl FamilyIndex {
    /// The family of a node without children.
    const NONE: Self = Self(u32::MAX);

    const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// The data of a node with children.
#[derive(Debug, Clone)]
struct Family {
    children: Siblings,
    /// Number of segments below, at all levels. Ghosts don't count.
    descendants: u32,
}

/// The nodes, with an index by id.
#[derive(Debug, Clone)]
pub(super) struct Arena {
    pub limits: &'static Limits,
    nodes: Vec<Node>,
    free: Vec<NodeIndex>,
    families: Vec<Family>,
    free_families: Vec<FamilyIndex>,
    contents: Contents,
    by_id: HashTable<NodeIndex>,
    same_external_id: ExternalIdIndex,
    hasher: FixedState,
    segments: usize,
    order: Order,
    /// Number of sort jobs begun.
    sort_jobs: u32,
    /// The sort job in progress.
    sorting: Option<Sorting>,
    /// The number of the last change in which each node was seen to change, and the number of such changes.
    recent: HashMap<NodeIndex, u32>,
    changes: u32,
    /// Whether segments are being loaded, so that very many parents are missing.
    growing: bool,
    /// Number of links followed upwards in the current batch of changes.
    climbed: usize,
    touched: Touched,
}

/// The nodes that were attached or detached since the last query.
#[derive(Debug, Clone)]
pub(super) enum Touched {
    /// The nodes concerned. Some occur more than once, and some may be gone.
    Nodes {
        relinked: Vec<NodeIndex>,
        /// Moved among the children of the same parent.
        reordered: Vec<NodeIndex>,
    },
    /// Too many to list.
    Everything,
}

impl Default for Touched {
    fn default() -> Self {
        Self::Nodes { relinked: Vec::new(), reordered: Vec::new() }
    }
}

impl Default for Arena {
    fn default() -> Self {
        let heading = |heading| Node::new(Kind::Heading(heading), NodeIndex::TOP);
        Self {
            limits: Default::default(),
            nodes: vec![
                Node::new(Kind::Top, NodeIndex::NO_PARENT),
                heading(Heading::MissingParents),
                heading(Heading::Circles),
            ],
            free: Vec::new(),
            families: Vec::new(),
            free_families: Vec::new(),
            contents: Contents::default(),
            by_id: HashTable::new(),
            same_external_id: ExternalIdIndex::default(),
            hasher: FixedState::default(),
            segments: 0,
            order: Order::default(),
            sort_jobs: 0,
            sorting: None,
            recent: HashMap::new(),
            changes: 0,
            growing: false,
            climbed: 0,
            touched: Touched::default(),
        }
    }
}

/// Changing the set of segments.
impl Arena {
    #[cfg(test)]
    pub fn with_limits(limits: &'static Limits) -> Self {
        Self { limits, contents: Contents::with_limits(limits), ..Self::default() }
    }

    /// Applies changes one by one, or all at once if that is cheaper. The result is the same.
    pub fn apply(&mut self, changes: Vec<Change>) {
        self.climbed = 0;
        // In a chain, each change climbs far. When that exceeds the cost of linking everything, everything is linked instead.
        let max_climb = 4 * self.nodes.len() + 1024;
        let limits = self.limits;
        let large =
            changes.len() > limits.max_small_batch && changes.len() > self.segments / limits.large_batch_divisor;
        let changes = if !large && changes.len() > limits.max_small_batch {
            self.add_new_segments(changes, max_climb)
        } else {
            changes
        };
        let mut changes = changes.into_iter();
        while !large
            && self.climbed < max_climb
            && let Some(change) = changes.next()
        {
            match change {
                Change::Upsert(segment) => self.upsert(segment),
                Change::Remove(id) => self.remove(&id),
            }
        }
        if changes.len() == 0 {
            return;
        }
        for change in changes {
            match change {
                Change::Upsert(segment) => self.insert_unlinked(segment),
                Change::Remove(id) => self.clear_segment(&id),
            }
        }
        self.relink();
    }

    /// Adds segments, about `expected` of them, and links everything. Of those with the same id, the last one counts.
    pub fn fill(&mut self, expected: usize, segments: impl Iterator<Item = Arc<Segment>>) {
        self.reserve(expected);
        for segment in segments {
            self.insert_unlinked(segment);
        }
        self.relink();
    }

    /// Reserves memory, since growing step by step would rehash every id again and again.
    fn reserve(&mut self, more: usize) {
        let Self { nodes, hasher, by_id, same_external_id, contents, .. } = self;
        nodes.reserve(more);
        by_id.reserve(more, |node| hasher.hash_one(contents.id(*node)));
        same_external_id.reserve(more, |node| contents.external_id(node));
        contents.reserve(more);
    }

    /// Returns the nodes that were attached or detached since the last call.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    fn touch(&mut self, node: NodeIndex) {
        if let Touched::Nodes { relinked, .. } = &mut self.touched {
            relinked.push(node);
        }
    }

    /// Gives a segment its node without linking it.
    fn insert_unlinked(&mut self, segment: Arc<Segment>) {
        let node = self.find(&segment.id).unwrap_or_else(|| self.allocate(&segment.id));
        self.set_segment(node, segment);
    }

    /// Removes a segment from its node without unlinking the node.
    fn clear_segment(&mut self, id: &SegmentId) {
        if let Some(node) = self.find(id) {
            self.unset_segment(node);
            self.recent.remove(&node);
        }
    }

    fn set_segment(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        if let Some(known) = self.segment(node) {
            if known.external_id == segment.external_id {
                self.contents.set_segment(node, segment);
                return;
            }
            self.unset_segment(node);
        }
        self.segments += 1;
        if let Some(external_id) = &segment.external_id {
            let contents = &self.contents;
            self.same_external_id.insert(external_id, node, |node| contents.external_id(node));
        }
        if self.kind(node) == Kind::Ghost {
            self.contents.clear(node);
        }
        self.contents.set_segment(node, segment);
        self.nodes[node.slot()].kind = Kind::Segment;
    }

    fn unset_segment(&mut self, node: NodeIndex) {
        let Some(segment) = self.contents.segment(node) else { return };
        if let Some(external_id) = &segment.external_id {
            let contents = &self.contents;
            self.same_external_id.remove(external_id, node, |node| contents.external_id(node));
        }
        self.segments -= 1;
        self.contents.make_ghost(node);
        self.nodes[node.slot()].kind = Kind::Ghost;
    }

    /// Allocates a node for an id that has none. The caller has to set its content right away.
    fn allocate(&mut self, id: &SegmentId) -> NodeIndex {
        self.allocate_hashed(self.hash(id))
    }

    fn allocate_hashed(&mut self, hash: u64) -> NodeIndex {
        let Self { nodes, free, by_id, contents, hasher, .. } = self;
        let hash_of = |node: &NodeIndex| hasher.hash_one(contents.id(*node));
        table::make_room(by_id, hash_of);
        let node = Node::new(Kind::Free, NodeIndex::NO_PARENT);
        let index = if let Some(index) = free.pop() {
            nodes[index.slot()] = node;
            index
        } else {
            nodes.push(node);
            NodeIndex::at(nodes.len() - 1)
        };
        by_id.insert_unique(hash, index, hash_of);
        index
    }

    /// Allocates a node for an id that is named as a parent and that no segment has.
    fn allocate_ghost(&mut self, id: &SegmentId) -> NodeIndex {
        let node = self.allocate(id);
        self.nodes[node.slot()].kind = Kind::Ghost;
        self.contents.set_ghost(node, id.clone());
        node
    }

    /// Frees the node of a ghost without children.
    fn free_node(&mut self, node: NodeIndex) {
        let hash = self.hasher.hash_one(self.contents.id(node));
        if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == node) {
            entry.remove();
        }
        self.contents.clear(node);
        self.nodes[node.slot()] = Node::new(Kind::Free, NodeIndex::NO_PARENT);
        self.free.push(node);
    }
}

/// Queries.
impl Arena {
    pub const fn len(&self) -> usize {
        self.segments
    }

    /// Number of nodes, including free ones.
    pub const fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn find(&self, id: &SegmentId) -> Option<NodeIndex> {
        self.find_hashed(self.hash(id), id)
    }

    fn hash(&self, id: &SegmentId) -> u64 {
        self.hasher.hash_one(Some(id))
    }

    fn find_hashed(&self, hash: u64, id: &SegmentId) -> Option<NodeIndex> {
        self.by_id.find(hash, |node| self.contents.id(*node) == Some(id)).copied()
    }

    fn kind(&self, node: NodeIndex) -> Kind {
        self.nodes[node.slot()].kind
    }

    pub fn content(&self, node: NodeIndex) -> Content<'_> {
        match self.kind(node) {
            Kind::Top => Content::Top,
            Kind::Heading(heading) => Content::Heading(heading),
            Kind::Segment => self.contents.segment(node).map_or(Content::Free, Content::Segment),
            Kind::Ghost => self.contents.id(node).map_or(Content::Free, Content::Ghost),
            Kind::Free => Content::Free,
        }
    }

    pub fn segment(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        self.contents.segment(node)
    }

    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.contents.slots().iter()
    }

    /// The segments by node index.
    pub fn slots(&self) -> &Slots {
        self.contents.slots()
    }

    /// Returns a node's parent, `None` for the top.
    pub fn parent(&self, node: NodeIndex) -> Option<NodeIndex> {
        Some(self.nodes[node.slot()].parent).filter(|parent| *parent != NodeIndex::NO_PARENT)
    }

    fn family(&self, node: NodeIndex) -> Option<&Family> {
        self.families.get(self.nodes[node.slot()].family.slot())
    }

    fn family_mut(&mut self, node: NodeIndex) -> Option<&mut Family> {
        self.families.get_mut(self.nodes[node.slot()].family.slot())
    }

    pub fn descendants(&self, node: NodeIndex) -> u32 {
        self.family(node).map_or(0, |family| family.descendants)
    }

    pub fn has_children(&self, node: NodeIndex) -> bool {
        self.nodes[node.slot()].family != FamilyIndex::NONE
    }

    /// Number of children of a node.
    pub fn child_count(&self, node: NodeIndex) -> usize {
        self.family(node).map_or(0, |family| family.children.len())
    }

    /// The children of a node, in any order.
    pub fn children(&self, node: NodeIndex) -> impl DoubleEndedIterator<Item = NodeIndex> {
        self.family(node).into_iter().flat_map(|family| family.children.iter())
    }

    /// Returns the children of a node in order, `None` if there are none.
    pub fn sorted_children(&self, node: NodeIndex) -> Option<Cow<'_, Siblings>> {
        let family = self.family(node)?;
        if family.children.is_sorted() {
            return Some(Cow::Borrowed(&family.children));
        }
        Some(Cow::Owned(self.sort_siblings(family.children.clone())))
    }

    /// Returns the children of a node in pieces, in their current order.
    pub fn pieces(&self, node: NodeIndex) -> &[Vec<NodeIndex>] {
        self.family(node).map_or(&[], |family| family.children.pieces())
    }

    /// Sorts the children of each node whose bit is set.
    pub fn sort_children_of(&mut self, bits: &[u64]) {
        // Nearly always all are sorted, which can be seen without visiting every node.
        if self.families.iter().all(|family| family.children.is_sorted() || family.children.is_empty()) {
            return;
        }
        for node in (0..self.nodes.len()).map(NodeIndex::at) {
            if bits[node.slot() / 64] >> (node.slot() % 64) & 1 == 1 {
                self.sort_children(node);
            }
        }
    }

    /// Sorts the children of a node, unless they are sorted already.
    pub fn sort_children(&mut self, node: NodeIndex) {
        let Some(family) = self.family_mut(node).filter(|family| !family.children.is_sorted()) else { return };
        let children = std::mem::take(&mut family.children);
        let children = self.sort_siblings(children);
        if let Some(family) = self.family_mut(node) {
            family.children = children;
        }
    }

    fn sort_siblings(&self, mut siblings: Siblings) -> Siblings {
        let mut keyed: Vec<(Key, NodeIndex)> = siblings.take().into_iter().map(|node| (self.key(node), node)).collect();
        self.sort(&mut keyed);
        Siblings::from_sorted(keyed.into_iter().map(|(_, node)| node).collect(), self.limits.max_sibling_piece)
    }

    /// Sorts nodes that have the same parent. Headings come after roots.
    pub fn in_sibling_order(&self, nodes: Vec<NodeIndex>) -> Vec<NodeIndex> {
        let (ordinary, mut headings): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|node| node.is_ordinary());
        headings.sort_unstable();
        let mut keyed: Vec<(Key, NodeIndex)> = ordinary.into_iter().map(|node| (self.key(node), node)).collect();
        self.sort(&mut keyed);
        keyed.into_iter().map(|(_, node)| node).chain(headings).collect()
    }

    fn sort(&self, keyed: &mut [(Key, NodeIndex)]) {
        keyed.sort_unstable_by(|(first, a), (second, b)| first.cmp(second).then_with(|| self.compare(*a, *b)));
    }

    fn key(&self, node: NodeIndex) -> Key {
        self.segment(node)
            .map_or(Key::UNDECIDED, |segment| Key::of(self.order, segment, self.sort_value(self.order, node)))
    }

    /// Returns a node's parent and its place among the sorted siblings.
    fn place_in_order(&mut self, node: NodeIndex) -> Option<(NodeIndex, Place)> {
        let parent = self.parent(node)?;
        self.sort_children(parent);
        let place = self.family(parent)?.children.search(|other| self.compare(other, node)).ok()?;
        Some((parent, place))
    }

    /// The siblings after a node, in order.
    pub fn siblings_after(&mut self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        let place = self.place_in_order(node);
        let family = place.and_then(|(parent, place)| Some((self.family(parent)?, place)));
        family.into_iter().flat_map(|(family, place)| family.children.after(place))
    }

    /// The siblings before a node, nearest first.
    pub fn siblings_before(&mut self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        let place = self.place_in_order(node);
        let family = place.and_then(|(parent, place)| Some((self.family(parent)?, place)));
        family.into_iter().flat_map(|(family, place)| family.children.before(place))
    }

    /// The nodes with an external id.
    pub fn nodes_with_external_id(&self, external_id: &str) -> impl Iterator<Item = NodeIndex> {
        self.same_external_id.nodes_with_external_id(external_id, |node| self.contents.external_id(node))
    }

    fn compare(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        match (self.segment(a), self.segment(b)) {
            (Some(first), Some(second)) => order::compare(
                self.order,
                (first, self.sort_value(self.order, a)),
                (second, self.sort_value(self.order, b)),
            ),
            (None, None) => self.compare_missing(a, b),
            _ => self.contents.id(a).cmp(&self.contents.id(b)),
        }
    }

    fn compare_missing(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        if self.growing { a.cmp(&b) } else { self.contents.ghost(a).cmp(&self.contents.ghost(b)) }
    }

    /// Sets whether segments are being loaded. During the first load, very many parents are missing for a while, and most of the
    /// time would go into sorting them by id. So they are kept in the order in which they were named until loading has ended.
    pub fn set_growing(&mut self, growing: bool) {
        if std::mem::replace(&mut self.growing, growing) != growing && self.has_children(NodeIndex::MISSING) {
            self.mark_unsorted(NodeIndex::MISSING);
            self.sort_children(NodeIndex::MISSING);
            self.touched = Touched::Everything;
        }
    }

    pub const fn order(&self) -> Order {
        self.order
    }

    pub fn set_order(&mut self, order: Order) {
        if self.order != order {
            self.order = order;
            // Missing parents are always sorted by id.
            for node in (0..self.nodes.len()).map(NodeIndex::at).filter(|node| *node != NodeIndex::MISSING) {
                self.mark_unsorted(node);
            }
            self.mark_all_altered();
        }
    }

    /// Marks the children of a node as unsorted.
    fn mark_unsorted(&mut self, node: NodeIndex) {
        let Some(family) = self.families.get_mut(self.nodes[node.slot()].family.slot()) else { return };
        if family.children.is_sorted() {
            family.children.mark_unsorted();
        }
    }

    /// The present segments and ghosts. Ghosts created during the iteration are not included.
    fn ordinary(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        let used: Vec<NodeIndex> = (0..self.nodes.len())
            .map(NodeIndex::at)
            .filter(|node| node.is_ordinary() && self.kind(*node) != Kind::Free)
            .collect();
        used.into_iter()
    }
}
