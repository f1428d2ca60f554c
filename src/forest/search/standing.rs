//! The terms that need the tree: a segment's ancestors and children, and the other segments with its external id.
//!
//! Their answers can change without the segment itself changing, so besides changed segments, those that may be affected are
//! matched again. If these are very many, or cycles come or go, a new search is cheaper.

use crate::forest::arena::{Arena, Content, NodeIndex, Touched};
use crate::forest::find::{Query, StateFilter};
use crate::forest::node_set::Bits;

/// For each `path:` term, whether a name on the path of a node matches, cached: each node is checked once, however deep the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths(Vec<Answers>);

#[derive(Debug, Clone, Default)]
struct Answers {
    known: Bits,
    yes: Bits,
    /// The path that was climbed last; kept to reuse its memory.
    way: Vec<NodeIndex>,
}

impl Paths {
    /// Whether all `path:` terms hold for a node.
    fn hold(&mut self, arena: &Arena, query: &Query, node: NodeIndex) -> bool {
        for (at, (meant, wanted)) in query.paths().enumerate() {
            if self.0.len() <= at {
                self.0.push(Answers::default());
            }
            let name_is_meant = |node| arena.segment(node).is_some_and(|segment| meant(&segment.name));
            if self.0.get_mut(at).is_some_and(|answers| answers.of(arena, node, name_is_meant) != wanted) {
                return false;
            }
        }
        true
    }
}

impl Answers {
    /// Climbs to the first node whose answer is known, and records the answer for all nodes on the way back.
    fn of(&mut self, arena: &Arena, node: NodeIndex, is_meant: impl Fn(NodeIndex) -> bool) -> bool {
        self.way.clear();
        let mut at = Some(node);
        let mut answer = false;
        while let Some(node) = at {
            if self.known.has(node) {
                answer = self.yes.has(node);
                break;
            }
            self.way.push(node);
            at = arena.up(node);
        }
        for node in self.way.iter().copied().rev() {
            answer |= is_meant(node);
            self.known.set(node);
            if answer {
                self.yes.set(node);
            }
        }
        answer
    }
}

/// Whether the terms that need the tree hold for a segment.
pub(super) fn holds(arena: &Arena, query: &Query, paths: &mut Paths, node: NodeIndex) -> bool {
    query.tree_states().all(|(state, wanted)| is(arena, node, state) == wanted) && paths.hold(arena, query, node)
}

fn is(arena: &Arena, node: NodeIndex, state: StateFilter) -> bool {
    match state {
        StateFilter::Leaf => !arena.has_children(node),
        StateFilter::Orphan => arena.up(node).is_some_and(|up| matches!(arena.content(up), Content::Ghost(_))),
        StateFilter::Duplicate => same_external_id(arena, node).nth(1).is_some(),
        // These are external flags.
        StateFilter::Changed | StateFilter::Pending | StateFilter::Marked => false,
    }
}

/// The nodes with the same external id as a node, including itself.
fn same_external_id(arena: &Arena, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
    let external_id = arena.segment(node).and_then(|segment| segment.external_id.as_deref());
    external_id.into_iter().flat_map(|external_id| arena.bearers(external_id))
}

/// The nodes that a change may affect, collected before and after it.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    pub nodes: Vec<NodeIndex>,
    /// Whether there are too many of them, or they can't be determined.
    pub anybody: bool,
}

impl Concerned {
    /// Adds the nodes that changes of these nodes may affect, in the present tree.
    pub fn add_all(&mut self, arena: &Arena, query: &Query, nodes: &[NodeIndex]) {
        for node in nodes {
            self.add(arena, query, *node);
        }
    }

    fn add(&mut self, arena: &Arena, query: &Query, node: NodeIndex) {
        if self.anybody {
            return;
        }
        self.nodes.push(node);
        self.nodes.extend(arena.up(node));
        self.extend(arena, same_external_id(arena, node));
        if query.asks_for_paths() {
            let mut waiting = vec![node];
            while let Some(node) = waiting.pop().filter(|_| !self.anybody) {
                self.extend(arena, arena.children(node));
                waiting.extend(arena.children(node).take(arena.limits.few_concerned));
            }
        } else if query.asks(StateFilter::Orphan) {
            self.extend(arena, arena.children(node));
        }
    }

    fn extend(&mut self, arena: &Arena, nodes: impl Iterator<Item = NodeIndex>) {
        self.nodes.extend(nodes.take(arena.limits.few_concerned));
        self.anybody |= self.nodes.len() > arena.limits.few_concerned;
    }

    /// Adds the nodes affected by those that have another parent now.
    pub fn follow(&mut self, arena: &Arena, query: &Query, touched: &Touched) {
        self.anybody |= arena.has_children(NodeIndex::CIRCLES);
        match touched {
            Touched::Nodes { hung, .. } => self.add_all(arena, query, hung),
            Touched::Everything => self.anybody = true,
        }
    }
}
