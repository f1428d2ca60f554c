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
    pub carries: bool,
}

/// Maximum number of levels followed upwards: nobody reads further up a chain of a hundred thousand.
const LEVELS: usize = 1_000;
/// Once there are more nodes than this in the ancestry, no further ones are added.
const MOST_BONES: usize = 20_000;

/// Returns nodes and their ancestors, from the top down.
pub(super) fn ancestry(arena: &Arena, nodes: &[NodeIndex]) -> Vec<Ancestor> {
    let mut known: HashSet<NodeIndex> = HashSet::new();
    let mut below: HashMap<NodeIndex, Vec<NodeIndex>> = HashMap::new();
    for node in nodes {
        let mut at = *node;
        let mut levels = 0;
        while at != NodeIndex::TOP && known.insert(at) {
            // A path that is cut off starts at the top.
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
