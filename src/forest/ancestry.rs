//! Some nodes and what they stand under, in the order of the tree: what that costs depends on them alone, whatever the tree holds
//! besides.

use hashbrown::{HashMap, HashSet};

use super::arena::{Arena, NodeIndex};

/// A node of a ancestry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub node: NodeIndex,
    /// How many of the ancestry it stands below.
    pub depth: u32,
    /// Whether any of the ancestry stands below it.
    pub carries: bool,
}

/// Levels above a node that are followed. In a chain of a hundred thousand nobody looks further up.
const LEVELS: usize = 1_000;
/// When there are so many ancestors, no more nodes are taken in.
const MOST_BONES: usize = 20_000;

/// These nodes and all that they stand under, from the top down.
pub(super) fn ancestry(arena: &Arena, nodes: &[NodeIndex]) -> Vec<Ancestor> {
    let mut known: HashSet<NodeIndex> = HashSet::new();
    let mut below: HashMap<NodeIndex, Vec<NodeIndex>> = HashMap::new();
    for node in nodes {
        let mut at = *node;
        let mut levels = 0;
        while at != NodeIndex::TOP && known.insert(at) {
            // What is cut off stands at the top.
            let up = arena.up(at).filter(|_| levels < LEVELS).unwrap_or(NodeIndex::TOP);
            below.entry(up).or_default().push(at);
            at = up;
            levels += 1;
        }
        if known.len() > MOST_BONES {
            break;
        }
    }
    let mut ancestors = Vec::with_capacity(known.len());
    let mut waiting: Vec<(u32, NodeIndex)> = Vec::new();
    let mut push = |waiting: &mut Vec<_>, depth: u32, node: NodeIndex| {
        let children = below.remove(&node).map(|children| arena.in_sibling_order(children)).unwrap_or_default();
        waiting.extend(children.iter().rev().map(|child| (depth, *child)));
        !children.is_empty()
    };
    push(&mut waiting, 0, NodeIndex::TOP);
    while let Some((depth, node)) = waiting.pop() {
        let carries = push(&mut waiting, depth + 1, node);
        ancestors.push(Ancestor { node, depth, carries });
    }
    ancestors
}
