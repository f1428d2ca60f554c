//! The terms that need the tree: a segment's ancestors and children, and the other segments with its external id.
//!
//! Their answers can change without the segment itself changing, so besides changed segments, those that may be affected are
//! matched again. If these are very many, or cycles come or go, a new search is cheaper.

use crate::forest::arena::{Arena, Content, NodeIndex, Touched};
use crate::forest::find::{Query, StateFilter};
use crate::forest::node_set::Bits;

/// For each `path:` term, whether a name on the path of a node matches, cached: each node is checked once, however deep the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths(Vec<PathCache>);

#[derive(Debug, Clone, Default)]
struct PathCache {
    checked: Bits,
    matching: Bits,
    /// The path that was climbed last; kept to reuse its memory.
    path: Vec<NodeIndex>,
}

impl Paths {
    /// Whether all `path:` terms hold for a node.
    fn all_match(&mut self, arena: &Arena, query: &Query, node: NodeIndex) -> bool {
        for (at, (matches_name, wanted)) in query.paths().enumerate() {
            if self.0.len() <= at {
                self.0.push(PathCache::default());
            }
            let has_matching_name = |node| arena.segment(node).is_some_and(|segment| matches_name(&segment.name));
            if self.0.get_mut(at).is_some_and(|cache| cache.get(arena, node, has_matching_name) != wanted) {
                return false;
            }
        }
        true
    }
}

impl PathCache {
    /// Climbs to the first node whose answer is known, and records the answer for all nodes on the way back.
    fn get(&mut self, arena: &Arena, node: NodeIndex, node_matches: impl Fn(NodeIndex) -> bool) -> bool {
        self.path.clear();
        let mut at = Some(node);
        let mut is_match = false;
        while let Some(node) = at {
            if self.checked.has(node) {
                is_match = self.matching.has(node);
                break;
            }
            self.path.push(node);
            at = arena.parent(node);
        }
        for node in self.path.iter().copied().rev() {
            is_match |= node_matches(node);
            self.checked.set(node);
            if is_match {
                self.matching.set(node);
            }
        }
        is_match
    }
}

/// Whether the terms that need the tree hold for a segment.
pub(super) fn tree_terms_match(arena: &Arena, query: &Query, paths: &mut Paths, node: NodeIndex) -> bool {
    query.tree_states().all(|(state, wanted)| has_state(arena, node, state) == wanted)
        && paths.all_match(arena, query, node)
}

fn has_state(arena: &Arena, node: NodeIndex, state: StateFilter) -> bool {
    match state {
        StateFilter::Leaf => !arena.has_children(node),
        StateFilter::Orphan => {
            arena.parent(node).is_some_and(|parent| matches!(arena.content(parent), Content::Ghost(_)))
        }
        StateFilter::Duplicate => same_external_id(arena, node).nth(1).is_some(),
        // These are external flags.
        StateFilter::Changed | StateFilter::Pending | StateFilter::Marked => false,
    }
}

/// The nodes with the same external id as a node, including itself.
fn same_external_id(arena: &Arena, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
    let external_id = arena.segment(node).and_then(|segment| segment.external_id.as_deref());
    external_id.into_iter().flat_map(|external_id| arena.nodes_with_external_id(external_id))
}

/// The nodes that a change may affect, collected before and after it.
#[derive(Debug, Default)]
pub(super) struct Affected {
    pub nodes: Vec<NodeIndex>,
    /// Whether there are too many of them, or they can't be determined.
    pub is_unbounded: bool,
}

impl Affected {
    /// Adds the nodes that changes of these nodes may affect, in the present tree.
    pub fn add_all(&mut self, arena: &Arena, query: &Query, nodes: &[NodeIndex]) {
        for node in nodes {
            self.add(arena, query, *node);
        }
    }

    fn add(&mut self, arena: &Arena, query: &Query, node: NodeIndex) {
        if self.is_unbounded {
            return;
        }
        self.nodes.push(node);
        self.nodes.extend(arena.parent(node));
        self.extend(arena, same_external_id(arena, node));
        if query.has_path_terms() {
            let mut stack = vec![node];
            while let Some(node) = stack.pop().filter(|_| !self.is_unbounded) {
                self.extend(arena, arena.children(node));
                stack.extend(arena.children(node).take(arena.limits.max_affected));
            }
        } else if query.has_state_term(StateFilter::Orphan) {
            self.extend(arena, arena.children(node));
        }
    }

    fn extend(&mut self, arena: &Arena, nodes: impl Iterator<Item = NodeIndex>) {
        self.nodes.extend(nodes.take(arena.limits.max_affected));
        self.is_unbounded |= self.nodes.len() > arena.limits.max_affected;
    }

    /// Adds the nodes affected by those that have another parent now.
    pub fn follow(&mut self, arena: &Arena, query: &Query, touched: &Touched) {
        self.is_unbounded |= arena.has_children(NodeIndex::CIRCLES);
        match touched {
            Touched::Nodes { relinked, .. } => self.add_all(arena, query, relinked),
            Touched::Everything => self.is_unbounded = true,
        }
    }
}
