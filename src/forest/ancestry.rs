//! Some nodes and their ancestors, in tree order. The cost depends only on these, not on the rest of the tree.

use hashbrown::{HashMap, HashSet};

use super::arena::{Arena, NodeIndex};

/// A node of the ancestry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub node: NodeIndex,
    /// Number of its ancestors in the ancestry.
    pub depth: u32,
    /// Whether it has children in the ancestry.
    pub has_children: bool,
}

/// Maximum number of levels followed upwards: nobody reads further up a chain of a hundred thousand.
const MAX_LEVELS: usize = 1_000;
/// Once there are more nodes than this in the ancestry, no further ones are added.
const MAX_NODES: usize = 20_000;

/// Returns nodes and their ancestors, from the top down.
pub(super) fn ancestry(arena: &Arena, nodes: &[NodeIndex]) -> Vec<Ancestor> {
    let mut seen: HashSet<NodeIndex> = HashSet::new();
    let mut below: HashMap<NodeIndex, Vec<NodeIndex>> = HashMap::new();
    for node in nodes {
        let mut at = *node;
        let mut levels = 0;
        while at != NodeIndex::TOP && seen.insert(at) {
            // A path that is cut off starts at the top.
            let parent = arena.parent(at).filter(|_| levels < MAX_LEVELS).unwrap_or(NodeIndex::TOP);
            below.entry(parent).or_default().push(at);
            at = parent;
            levels += 1;
        }
        if seen.len() > MAX_NODES {
            break;
        }
    }
    let mut ancestors = Vec::with_capacity(seen.len());
    let mut stack: Vec<(u32, NodeIndex)> = Vec::new();
    let mut push = |stack: &mut Vec<_>, depth: u32, node: NodeIndex| {
        let children = below.remove(&node).map(|children| arena.in_sibling_order(children)).unwrap_or_default();
        stack.extend(children.iter().rev().map(|child| (depth, *child)));
        !children.is_empty()
    };
    push(&mut stack, 0, NodeIndex::TOP);
    while let Some((depth, node)) = stack.pop() {
        let has_children = push(&mut stack, depth + 1, node);
        ancestors.push(Ancestor { node, depth, has_children });
    }
    ancestors
}
