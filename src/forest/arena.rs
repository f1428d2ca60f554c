//! The nodes of the tree, and the links between them.
//!
//! Three nodes are always there: the top, under which the roots hang, and one for each heading. Every other node is a segment or
//! a *ghost*, an id that segments name as their parent and that no segment has; a ghost exists for exactly as long as
//! something hangs under it. So every node but the top hangs somewhere, always.
//!
//! A million segments have to fit a small machine: a node is twelve bytes, what only parents need is kept for parents only, and
//! the segments themselves are shared with whoever brought them.

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

/// The place of a node in the arena. Reused after the node is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeIndex(u32);

impl NodeIndex {
    /// Above the roots and the headings.
    pub const TOP: Self = Self(0);
    /// Above the ghosts.
    pub const MISSING: Self = Self(1);
    /// Above the segments that were cut from their parents.
    pub const CIRCLES: Self = Self(2);
    /// Where a node hangs while it is being moved.
    const NOWHERE: Self = Self(u32::MAX);

    pub const fn of(heading: Heading) -> Self {
        match heading {
            Heading::MissingParents => Self::MISSING,
            Heading::Circles => Self::CIRCLES,
        }
    }

    /// The node at a place.
    pub fn at(slot: usize) -> Self {
        // Four billion segments don't fit into any memory, so the number of nodes fits.
        Self(u32::try_from(slot).unwrap_or(u32::MAX))
    }

    pub const fn slot(self) -> usize {
        self.0 as usize
    }

    /// Whether it is a segment or a ghost.
    pub const fn is_ordinary(self) -> bool {
        self.0 > Self::CIRCLES.0 && self.0 != Self::NOWHERE.0
    }
}

/// What a node stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    Top,
    Heading(Heading),
    Segment(&'a Arc<Segment>),
    Ghost(&'a SegmentId),
    /// Nothing: the place can be used again.
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
    up: NodeIndex,
    family: FamilyIndex,
    kind: Kind,
    /// Whether it is unfolded as a segment.
    open: bool,
    /// Whether it is folded as a heading or a ghost: those are unfolded unless a person folds them.
    shut: bool,
}

impl Node {
    const fn new(kind: Kind, up: NodeIndex) -> Self {
        Self { up, family: FamilyIndex::NONE, kind, open: false, shut: false }
    }
}

/// The place of a family. Reused after the family is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FamilyIndex(u32);

impl FamilyIndex {
    /// Of a node without children.
    const NONE: Self = Self(u32::MAX);

    const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// What a node has that has children.
#[derive(Debug, Clone)]
struct Family {
    children: Siblings,
    /// Segments below at all levels; ghosts don't count.
    descendants: u32,
}

/// The nodes, found by id.
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
    /// How many sortings were begun elsewhere.
    sortings: u32,
    /// The one under way.
    sorting: Option<Sorting>,
    /// The number of the change in which each node was seen last, of those that were, and how many changes there were.
    recent: HashMap<NodeIndex, u32>,
    changes: u32,
    /// Whether very many parents are missing for a while, since their turn has not come yet.
    growing: bool,
    /// Links followed upwards since the present batch of changes began.
    climbed: usize,
    touched: Touched,
}

/// What was hung somewhere or let go since somebody asked.
#[derive(Debug, Clone)]
pub(super) enum Touched {
    /// These nodes, some of them more than once, and some gone by now.
    Nodes {
        hung: Vec<NodeIndex>,
        /// Under the same parent as before, elsewhere among its siblings.
        reordered: Vec<NodeIndex>,
    },
    /// More than is worth telling one by one.
    Everything,
}

impl Default for Touched {
    fn default() -> Self {
        Self::Nodes { hung: Vec::new(), reordered: Vec::new() }
    }
}

impl Default for Arena {
    fn default() -> Self {
        let heading = |heading| Node::new(Kind::Heading(heading), NodeIndex::TOP);
        Self {
            limits: Default::default(),
            nodes: vec![
                Node::new(Kind::Top, NodeIndex::NOWHERE),
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
            sortings: 0,
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
    pub fn within(limits: &'static Limits) -> Self {
        Self { limits, contents: Contents::within(limits), ..Self::default() }
    }

    /// Applies changes one by one, or all at once where that is cheaper. The outcome is the same.
    pub fn apply(&mut self, changes: Vec<Change>) {
        self.climbed = 0;
        // In a chain, each change climbs far: when the climbing exceeds what linking everything costs, that is done.
        let patience = 4 * self.nodes.len() + 1024;
        let limits = self.limits;
        let large = changes.len() > limits.small_batch && changes.len() > self.segments / limits.large_part;
        let changes =
            if !large && changes.len() > limits.small_batch { self.take_in_fresh(changes, patience) } else { changes };
        let mut changes = changes.into_iter();
        while !large
            && self.climbed < patience
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
                Change::Upsert(segment) => self.put(segment),
                Change::Remove(id) => self.clear_segment(&id),
            }
        }
        self.relink();
    }

    /// Brings in about so many segments, of those with the same id the last one, and links everything.
    pub fn fill(&mut self, about: usize, segments: impl Iterator<Item = Arc<Segment>>) {
        self.make_room(about);
        for segment in segments {
            self.put(segment);
        }
        self.relink();
    }

    /// Growing bit by bit would look at every id again and again.
    fn make_room(&mut self, more: usize) {
        let Self { nodes, hasher, by_id, same_external_id, contents, .. } = self;
        nodes.reserve(more);
        by_id.reserve(more, |node| hasher.hash_one(contents.id(*node)));
        same_external_id.reserve(more, |node| contents.external_id(node));
        contents.reserve(more);
    }

    /// What was hung somewhere or let go since this was asked the last time.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    fn touch(&mut self, node: NodeIndex) {
        if let Touched::Nodes { hung, .. } = &mut self.touched {
            hung.push(node);
        }
    }

    /// Gives a segment its node without linking it.
    fn put(&mut self, segment: Arc<Segment>) {
        let node = self.find(&segment.id).unwrap_or_else(|| self.allocate(&segment.id));
        self.set_segment(node, segment);
    }

    /// Takes a segment from its node without unlinking it.
    fn clear_segment(&mut self, id: &SegmentId) {
        if let Some(node) = self.find(id) {
            self.unset_segment(node);
            self.recent.remove(&node);
        }
    }

    fn set_segment(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        if let Some(known) = self.segment(node) {
            if known.external_id == segment.external_id {
                self.contents.put(node, segment);
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
            self.contents.forget(node);
        }
        self.contents.put(node, segment);
        self.nodes[node.slot()].kind = Kind::Segment;
    }

    fn unset_segment(&mut self, node: NodeIndex) {
        let Some(segment) = self.contents.segment(node) else { return };
        if let Some(external_id) = &segment.external_id {
            let contents = &self.contents;
            self.same_external_id.remove(external_id, node, |node| contents.external_id(node));
        }
        self.segments -= 1;
        self.contents.give_up(node);
        self.nodes[node.slot()].kind = Kind::Ghost;
    }

    /// A node of its own for an id that has none. What it is has to be said before anything else is done.
    fn allocate(&mut self, id: &SegmentId) -> NodeIndex {
        self.allocate_hashed(self.hash(id))
    }

    fn allocate_hashed(&mut self, hash: u64) -> NodeIndex {
        let Self { nodes, free, by_id, contents, hasher, .. } = self;
        let hash_of = |node: &NodeIndex| hasher.hash_one(contents.id(*node));
        table::make_room(by_id, hash_of);
        let node = Node::new(Kind::Free, NodeIndex::NOWHERE);
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

    /// A node for an id that is named as a parent and that no segment has.
    fn allocate_ghost(&mut self, id: &SegmentId) -> NodeIndex {
        let node = self.allocate(id);
        self.nodes[node.slot()].kind = Kind::Ghost;
        self.contents.name(node, id.clone());
        node
    }

    /// Gives back the node of a ghost under which nothing hangs.
    fn release(&mut self, node: NodeIndex) {
        let hash = self.hasher.hash_one(self.contents.id(node));
        if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == node) {
            entry.remove();
        }
        self.contents.forget(node);
        self.nodes[node.slot()] = Node::new(Kind::Free, NodeIndex::NOWHERE);
        self.free.push(node);
    }
}

/// Reading.
impl Arena {
    pub const fn len(&self) -> usize {
        self.segments
    }

    /// How many nodes there are, free ones included.
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

    /// The segments by the place of their nodes.
    pub fn slots(&self) -> &Slots {
        self.contents.slots()
    }

    /// What a node hangs under, `None` for the top.
    pub fn up(&self, node: NodeIndex) -> Option<NodeIndex> {
        Some(self.nodes[node.slot()].up).filter(|up| *up != NodeIndex::NOWHERE)
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

    /// How many nodes hang under one.
    pub fn child_count(&self, node: NodeIndex) -> usize {
        self.family(node).map_or(0, |family| family.children.len())
    }

    /// What hangs under a node, in any order.
    pub fn children(&self, node: NodeIndex) -> impl DoubleEndedIterator<Item = NodeIndex> {
        self.family(node).into_iter().flat_map(|family| family.children.iter())
    }

    /// What hangs under a node, in order; `None` for nothing.
    pub fn sorted_children(&self, node: NodeIndex) -> Option<Cow<'_, Siblings>> {
        let family = self.family(node)?;
        if family.children.is_sorted() {
            return Some(Cow::Borrowed(&family.children));
        }
        Some(Cow::Owned(self.in_order(family.children.clone())))
    }

    /// What hangs under a node, in pieces, in the order that it has at the moment.
    pub fn pieces(&self, node: NodeIndex) -> &[Vec<NodeIndex>] {
        self.family(node).map_or(&[], |family| family.children.pieces())
    }

    /// Puts in order what hangs under each node whose bit is set.
    pub fn sort_children_of(&mut self, bits: &[u64]) {
        // Nearly always all are in order, which is seen without going from node to node.
        if self.families.iter().all(|family| family.children.is_sorted() || family.children.is_empty()) {
            return;
        }
        for node in (0..self.nodes.len()).map(NodeIndex::at) {
            if bits[node.slot() / 64] >> (node.slot() % 64) & 1 == 1 {
                self.sort_children(node);
            }
        }
    }

    /// Puts what hangs under a node in order, so that the next look costs nothing.
    pub fn sort_children(&mut self, node: NodeIndex) {
        let Some(family) = self.family_mut(node).filter(|family| !family.children.is_sorted()) else { return };
        let children = std::mem::take(&mut family.children);
        let children = self.in_order(children);
        if let Some(family) = self.family_mut(node) {
            family.children = children;
        }
    }

    fn in_order(&self, mut siblings: Siblings) -> Siblings {
        let mut keyed: Vec<(Key, NodeIndex)> = siblings.take().into_iter().map(|node| (self.key(node), node)).collect();
        self.sort(&mut keyed);
        Siblings::in_order(keyed.into_iter().map(|(_, node)| node).collect(), self.limits.longest_siblings)
    }

    /// Nodes that hang under the same one, as they follow each other there; the headings come after the roots.
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
        self.segment(node).map_or(Key::UNDECIDED, |segment| Key::of(self.order, segment, self.figure(self.order, node)))
    }

    /// Where a node is among its siblings, in order.
    fn place_in_order(&mut self, node: NodeIndex) -> Option<(NodeIndex, Place)> {
        let up = self.up(node)?;
        self.sort_children(up);
        let place = self.family(up)?.children.search(|other| self.compare(other, node)).ok()?;
        Some((up, place))
    }

    /// What hangs beside a node and comes after it in order.
    pub fn siblings_after(&mut self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        let place = self.place_in_order(node);
        let family = place.and_then(|(up, place)| Some((self.family(up)?, place)));
        family.into_iter().flat_map(|(family, place)| family.children.after(place))
    }

    /// What hangs beside a node and comes before it in order, the nearest first.
    pub fn siblings_before(&mut self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        let place = self.place_in_order(node);
        let family = place.and_then(|(up, place)| Some((self.family(up)?, place)));
        family.into_iter().flat_map(|(family, place)| family.children.before(place))
    }

    /// The nodes that bear an external id.
    pub fn bearers(&self, external_id: &str) -> impl Iterator<Item = NodeIndex> {
        self.same_external_id.bearers(external_id, |node| self.contents.external_id(node))
    }

    fn compare(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        match (self.segment(a), self.segment(b)) {
            (Some(first), Some(second)) => {
                order::compare(self.order, (first, self.figure(self.order, a)), (second, self.figure(self.order, b)))
            }
            (None, None) => self.compare_missing(a, b),
            _ => self.contents.id(a).cmp(&self.contents.id(b)),
        }
    }

    fn compare_missing(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        if self.growing { a.cmp(&b) } else { self.contents.ghost(a).cmp(&self.contents.ghost(b)) }
    }

    /// While everything loads for the first time, very many parents are missing for a while, and most of the time would go into
    /// keeping them in the order of their ids. So they stand in the order in which they were named until nothing grows any more.
    pub fn set_growing(&mut self, growing: bool) {
        if std::mem::replace(&mut self.growing, growing) != growing && self.has_children(NodeIndex::MISSING) {
            self.forget_order(NodeIndex::MISSING);
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
            // Missing parents are always in the order of their ids.
            for node in (0..self.nodes.len()).map(NodeIndex::at).filter(|node| *node != NodeIndex::MISSING) {
                self.forget_order(node);
            }
            self.alter_all();
        }
    }

    /// Takes the children of a node as being in no order.
    fn forget_order(&mut self, node: NodeIndex) {
        let Some(family) = self.families.get_mut(self.nodes[node.slot()].family.slot()) else { return };
        if family.children.is_sorted() {
            family.children.forget_order();
        }
    }

    /// The segments and ghosts that are there now; ghosts created meanwhile are not among them.
    fn ordinary(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        let used: Vec<NodeIndex> = (0..self.nodes.len())
            .map(NodeIndex::at)
            .filter(|node| node.is_ordinary() && self.kind(*node) != Kind::Free)
            .collect();
        used.into_iter()
    }
}
