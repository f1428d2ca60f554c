//! The nodes of the tree, and the links between them.
//!
//! Three nodes are always there: the top, under which the roots hang, and one for each heading. Every other node is a segment or
//! a *ghost*, an id that segments name as their parent and that no segment has; a ghost exists for exactly as long as
//! something hangs under it. So every node but the top hangs somewhere, always.

mod links;
mod relink;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::segment::{Segment, SegmentId};

use super::order::{self, Order};
use super::twins::Twins;
use super::{Change, Heading};

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

    pub const fn slot(self) -> usize {
        self.0 as usize
    }

    /// Whether it is a segment or a ghost.
    pub const fn is_ordinary(self) -> bool {
        self.0 > Self::CIRCLES.0 && self.0 != Self::NOWHERE.0
    }
}

/// What a node stands for.
#[derive(Debug)]
pub(super) enum Content {
    Top,
    Heading(Heading),
    Segment(Arc<Segment>),
    /// Boxed, since ghosts are few and every node has the size of the largest.
    Ghost(Box<SegmentId>),
    /// Nothing: the place can be used again.
    Free,
}

impl Content {
    fn ghost(id: SegmentId) -> Self {
        Self::Ghost(Box::new(id))
    }

    fn id(&self) -> Option<&SegmentId> {
        match self {
            Self::Segment(segment) => Some(&segment.id),
            Self::Ghost(id) => Some(id),
            Self::Top | Self::Heading(_) | Self::Free => None,
        }
    }

    fn external_id(&self) -> Option<&str> {
        match self {
            Self::Segment(segment) => segment.external_id.as_deref(),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Node {
    content: Content,
    up: NodeIndex,
    children: Vec<NodeIndex>,
    /// Segments below it at all levels; ghosts don't count.
    descendants: u32,
    /// Whether the children are in order. They are put in order when somebody looks.
    sorted: bool,
    /// Whether it is unfolded as a segment.
    open: bool,
    /// Whether it is folded as a heading or a ghost: those are unfolded unless a person folds them.
    shut: bool,
}

impl Node {
    const fn new(content: Content, up: NodeIndex) -> Self {
        Self { content, up, children: Vec::new(), descendants: 0, sorted: true, open: false, shut: false }
    }
}

/// The nodes, found by id.
#[derive(Debug)]
pub(super) struct Arena {
    nodes: Vec<Node>,
    free: Vec<NodeIndex>,
    by_id: HashTable<NodeIndex>,
    twins: Twins,
    hasher: FixedState,
    segments: usize,
    order: Order,
    /// Links followed upwards since the present batch of changes began.
    climbed: usize,
    touched: Touched,
}

/// What was hung somewhere or let go since somebody asked.
#[derive(Debug)]
pub(super) enum Touched {
    /// These nodes, some of them more than once, and some gone by now.
    Nodes(Vec<NodeIndex>),
    /// More than is worth telling one by one.
    Everything,
}

impl Default for Touched {
    fn default() -> Self {
        Self::Nodes(Vec::new())
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self {
            nodes: vec![
                Node::new(Content::Top, NodeIndex::NOWHERE),
                Node::new(Content::Heading(Heading::MissingParents), NodeIndex::TOP),
                Node::new(Content::Heading(Heading::Circles), NodeIndex::TOP),
            ],
            free: Vec::new(),
            by_id: HashTable::new(),
            twins: Twins::default(),
            hasher: FixedState::default(),
            segments: 0,
            order: Order::default(),
            climbed: 0,
            touched: Touched::default(),
        }
    }
}

/// A batch that is larger than this part of the tree is linked as a whole.
const LARGE_PART: usize = 8;
/// Batches of up to so many changes are never large.
const SMALL_BATCH: usize = 64;

/// Changing the set of segments.
impl Arena {
    /// Applies changes one by one, or all at once where that is cheaper. The outcome is the same.
    pub fn apply(&mut self, changes: Vec<Change>) {
        self.climbed = 0;
        let large = changes.len() > SMALL_BATCH && changes.len() > self.segments / LARGE_PART;
        let mut changes = changes.into_iter();
        // In a chain, each change climbs far: when the climbing exceeds what linking everything costs, that is done.
        let patience = 4 * self.nodes.len() + 1024;
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
                Change::Remove(id) => self.strike(&id),
            }
        }
        self.relink();
    }

    /// Makes exactly these segments exist.
    pub fn replace(&mut self, segments: Vec<Arc<Segment>>) {
        self.twins.clear();
        self.segments = 0;
        for node in &mut self.nodes {
            if let Content::Segment(segment) = &node.content {
                node.content = Content::ghost(segment.id.clone());
            }
        }
        self.make_room(segments.len().saturating_sub(self.by_id.len()));
        for segment in segments {
            self.put(segment);
        }
        self.relink();
    }

    /// Growing bit by bit would look at every id again and again.
    fn make_room(&mut self, more: usize) {
        let Self { nodes, hasher, by_id, twins, .. } = self;
        nodes.reserve(more);
        by_id.reserve(more, |node| hasher.hash_one(nodes[node.slot()].content.id()));
        twins.reserve(more, |node| nodes[node.slot()].content.external_id());
    }

    /// What was hung somewhere or let go since this was asked the last time.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    fn touch(&mut self, node: NodeIndex) {
        if let Touched::Nodes(nodes) = &mut self.touched {
            nodes.push(node);
        }
    }

    /// Gives a segment its node without linking it.
    fn put(&mut self, segment: Arc<Segment>) {
        let node = self.find(&segment.id).unwrap_or_else(|| self.allocate(Content::ghost(segment.id.clone())));
        self.set_segment(node, segment);
    }

    /// Takes a segment from its node without unlinking it.
    fn strike(&mut self, id: &SegmentId) {
        if let Some(node) = self.find(id) {
            self.unset_segment(node);
        }
    }

    fn set_segment(&mut self, node: NodeIndex, segment: Arc<Segment>) {
        self.unset_segment(node);
        self.segments += 1;
        if let Some(external_id) = &segment.external_id {
            let nodes = &self.nodes;
            self.twins.insert(external_id, node, |node| nodes[node.slot()].content.external_id());
        }
        self.nodes[node.slot()].content = Content::Segment(segment);
    }

    fn unset_segment(&mut self, node: NodeIndex) {
        let Content::Segment(segment) = &self.nodes[node.slot()].content else { return };
        let id = segment.id.clone();
        if let Some(external_id) = &segment.external_id {
            let nodes = &self.nodes;
            self.twins.remove(external_id, node, |node| nodes[node.slot()].content.external_id());
        }
        self.segments -= 1;
        self.nodes[node.slot()].content = Content::ghost(id);
    }

    /// A node of its own for an id that has none.
    fn allocate(&mut self, content: Content) -> NodeIndex {
        let node = Node::new(content, NodeIndex::NOWHERE);
        let hash = self.hasher.hash_one(node.content.id());
        let index = if let Some(index) = self.free.pop() {
            self.nodes[index.slot()] = node;
            index
        } else {
            // Four billion segments don't fit into any memory, so the number of nodes fits.
            let index = NodeIndex(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
            self.nodes.push(node);
            index
        };
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.by_id.insert_unique(hash, index, |node| hasher.hash_one(nodes[node.slot()].content.id()));
        index
    }

    /// Gives back the node of a ghost under which nothing hangs.
    fn release(&mut self, node: NodeIndex) {
        let hash = self.hasher.hash_one(self.content(node).id());
        if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == node) {
            entry.remove();
        }
        self.nodes[node.slot()] = Node::new(Content::Free, NodeIndex::NOWHERE);
        self.free.push(node);
    }
}

/// Reading.
impl Arena {
    pub const fn len(&self) -> usize {
        self.segments
    }

    pub fn find(&self, id: &SegmentId) -> Option<NodeIndex> {
        let same = |node: &NodeIndex| self.content(*node).id() == Some(id);
        self.by_id.find(self.hasher.hash_one(Some(id)), same).copied()
    }

    pub fn content(&self, node: NodeIndex) -> &Content {
        &self.nodes[node.slot()].content
    }

    pub fn segment(&self, node: NodeIndex) -> Option<&Arc<Segment>> {
        match self.content(node) {
            Content::Segment(segment) => Some(segment),
            _ => None,
        }
    }

    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.nodes.iter().filter_map(|node| match &node.content {
            Content::Segment(segment) => Some(segment),
            _ => None,
        })
    }

    /// What a node hangs under, `None` for the top.
    pub fn up(&self, node: NodeIndex) -> Option<NodeIndex> {
        Some(self.nodes[node.slot()].up).filter(|up| *up != NodeIndex::NOWHERE)
    }

    pub fn descendants(&self, node: NodeIndex) -> u32 {
        self.nodes[node.slot()].descendants
    }

    /// What hangs under a node, in any order.
    pub fn children(&self, node: NodeIndex) -> &[NodeIndex] {
        &self.nodes[node.slot()].children
    }

    /// What hangs under a node, in order.
    pub fn sorted_children(&self, node: NodeIndex) -> Cow<'_, [NodeIndex]> {
        let Node { children, sorted, .. } = &self.nodes[node.slot()];
        if *sorted {
            return Cow::Borrowed(children);
        }
        let mut children = children.clone();
        children.sort_unstable_by(|a, b| self.compare(*a, *b));
        Cow::Owned(children)
    }

    /// Puts what hangs under a node in order, so that the next look costs nothing.
    pub fn sort_children(&mut self, node: NodeIndex) {
        if !self.nodes[node.slot()].sorted {
            let children = self.sorted_children(node).into_owned();
            let node = &mut self.nodes[node.slot()];
            node.children = children;
            node.sorted = true;
        }
    }

    /// What hangs beside a node and comes after it in order.
    pub fn siblings_after(&mut self, node: NodeIndex) -> &[NodeIndex] {
        let Some(up) = self.up(node) else { return &[] };
        self.sort_children(up);
        let siblings = self.children(up);
        let place = siblings.binary_search_by(|other| self.compare(*other, node)).ok();
        let place = place.or_else(|| siblings.iter().position(|other| *other == node));
        place.map_or(&[], |place| &siblings[place + 1..])
    }

    /// The nodes that bear an external id.
    pub fn bearers(&self, external_id: &str) -> &[NodeIndex] {
        self.twins.bearers(external_id, |node| self.content(node).external_id())
    }

    fn compare(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        match (self.content(a), self.content(b)) {
            (Content::Segment(first), Content::Segment(second)) => {
                order::compare(self.order, (first, self.descendants(a)), (second, self.descendants(b)))
            }
            (first, second) => first.id().cmp(&second.id()),
        }
    }

    pub const fn order(&self) -> Order {
        self.order
    }

    pub fn set_order(&mut self, order: Order) {
        if self.order != order {
            self.order = order;
            for node in &mut self.nodes {
                node.sorted = node.children.len() < 2;
            }
        }
    }
}

/// Folding.
impl Arena {
    pub fn is_open(&self, node: NodeIndex) -> bool {
        let node = &self.nodes[node.slot()];
        match node.content {
            Content::Segment(_) => node.open,
            Content::Ghost(_) | Content::Heading(_) => !node.shut,
            Content::Top => true,
            Content::Free => false,
        }
    }

    pub fn set_open(&mut self, node: NodeIndex, open: bool) {
        let node = &mut self.nodes[node.slot()];
        match node.content {
            Content::Segment(_) => node.open = open,
            Content::Ghost(_) | Content::Heading(_) => node.shut = !open,
            Content::Top | Content::Free => {}
        }
    }

    /// Unfolds a node and everything under it.
    pub fn open_below(&mut self, node: NodeIndex) {
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            self.set_open(node, true);
            waiting.extend_from_slice(self.children(node));
        }
    }

    /// Unfolds what is above a node and answers the topmost one that was folded.
    pub fn open_above(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let mut topmost = None;
        let mut above = self.up(node);
        while let Some(node) = above {
            if !self.is_open(node) {
                self.set_open(node, true);
                topmost = Some(node);
            }
            above = self.up(node);
        }
        topmost
    }

    /// Unfolds the segments above a level and folds those from there on; `None` unfolds all.
    pub fn fold_to_level(&mut self, level: Option<u32>) {
        let mut waiting = vec![(NodeIndex::TOP, 0), (NodeIndex::MISSING, 0), (NodeIndex::CIRCLES, 0)];
        while let Some((node, depth)) = waiting.pop() {
            if self.segment(node).is_some() {
                self.set_open(node, level.is_none_or(|level| depth < level));
            } else if level.is_none() {
                self.set_open(node, true);
            }
            waiting.extend(self.children(node).iter().map(|child| (*child, depth + 1)));
        }
    }

    pub fn open_segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        let open = self.nodes.iter().filter(|node| node.open);
        open.filter_map(|node| match &node.content {
            Content::Segment(segment) => Some(segment),
            _ => None,
        })
    }
}
