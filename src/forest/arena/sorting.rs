//! Copies of child lists for sorting in another thread, and merging the results into a tree that has changed since.

use hashbrown::HashSet;

use crate::forest::rows::Visible;

use super::{Arena, NodeIndex, Order, Siblings};

/// The children of several parents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::forest) struct ChildLists {
    /// Each parent, and its number of children.
    parents: Vec<(NodeIndex, usize)>,
    /// The children of the first parent, then those of the second, and so on.
    children: Vec<NodeIndex>,
}

impl ChildLists {
    /// The children of each parent.
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut [NodeIndex]> {
        let mut rest = self.children.as_mut_slice();
        self.parents.iter().map(move |(_, count)| {
            let (children, later) = std::mem::take(&mut rest).split_at_mut(*count);
            rest = later;
            children
        })
    }

    /// Returns the visible rows below the top, given which nodes show children. The headings and their descendants come after
    /// them and are not included.
    pub fn rows(&self, expanded_bits: &[u64]) -> Vec<Visible> {
        let shows_children = |node: NodeIndex| {
            expanded_bits.get(node.slot() / 64).is_some_and(|word| word >> (node.slot() % 64) & 1 == 1)
        };
        let families: Vec<&[NodeIndex]> = self.each().map(|(_, children)| children).collect();
        let mut places = vec![None; expanded_bits.len() * 64];
        for (place, (parent, _)) in (0_u32..).zip(&self.parents) {
            if let Some(known) = places.get_mut(parent.slot()) {
                *known = Some(place);
            }
        }
        let children = |node: NodeIndex| {
            let place = places.get(node.slot()).copied().flatten();
            place.map_or(&[][..], |place| families[place as usize])
        };
        let push = |node, depth, stack: &mut Vec<Visible>| {
            stack.extend(children(node).iter().rev().map(|child| Visible { node: *child, depth }));
        };
        let (mut rows, mut stack) = (Vec::new(), Vec::new());
        push(NodeIndex::TOP, 0, &mut stack);
        while let Some(visible) = stack.pop() {
            rows.push(visible);
            if shows_children(visible.node) {
                push(visible.node, visible.depth + 1, &mut stack);
            }
        }
        rows
    }

    fn each(&self) -> impl Iterator<Item = (NodeIndex, &[NodeIndex])> {
        let mut rest = self.children.as_slice();
        self.parents.iter().map(move |(parent, count)| {
            let (children, later) = rest.split_at(*count);
            rest = later;
            (*parent, children)
        })
    }
}

/// A sort job in progress.
#[derive(Debug, Clone)]
pub(super) struct Sorting {
    number: u32,
    /// Children that were added, removed or changed since the job began; `None` if everything may have changed.
    altered: Option<HashSet<NodeIndex>>,
}

impl Arena {
    /// Number of children to sort, counted only until it exceeds `limit`. `all` includes lists that are sorted already.
    pub fn count_to_sort(&self, all: bool, limit: usize) -> usize {
        let mut count = 0;
        for (_, siblings) in self.lists_to_sort(all) {
            count += if siblings.len() > 1 { siblings.len() } else { 0 };
            if count > limit {
                break;
            }
        }
        count
    }

    /// The child lists to sort: the unsorted ones, or with `all` every one. The missing parents, which are always sorted by id,
    /// are left out.
    fn lists_to_sort(&self, all: bool) -> impl Iterator<Item = (NodeIndex, &Siblings)> {
        let nodes = (0..self.nodes.len()).map(NodeIndex::at).filter(|node| *node != NodeIndex::MISSING);
        let families = nodes.filter_map(|node| Some((node, &self.family(node)?.children)));
        families.filter(move |(_, siblings)| all || !siblings.is_sorted())
    }

    pub fn child_lists_to_sort(&self, all: bool) -> ChildLists {
        let mut families = ChildLists::default();
        for (parent, siblings) in self.lists_to_sort(all) {
            families.parents.push((parent, siblings.len()));
            families.children.extend(siblings.iter());
        }
        families
    }

    /// Returns the figure of each node that an order compares, by index; empty if it needs none.
    pub fn all_sort_values(&self, order: Order) -> Vec<u32> {
        match order {
            Order::Name | Order::ExternalId => Vec::new(),
            Order::Descendants | Order::Recent => {
                (0..self.nodes.len()).map(|slot| self.sort_value(order, NodeIndex::at(slot))).collect()
            }
        }
    }

    /// Returns the number that an order compares besides the segment's fields: its last change, or its number of descendants.
    pub fn sort_value(&self, order: Order, node: NodeIndex) -> u32 {
        if order == Order::Recent { self.recent.get(&node).copied().unwrap_or(0) } else { self.descendants(node) }
    }

    /// Marks a node as changed, later than all others.
    pub fn mark_changed(&mut self, node: NodeIndex) {
        let moves = self.order == Order::Recent;
        let place = if moves { self.place_of_child(node) } else { None };
        self.changes = self.changes.saturating_add(1);
        self.recent.insert(node, self.changes);
        if moves {
            self.put_in_order(node, place);
        } else {
            // A sort job may sort by this.
            self.mark_altered(node);
        }
    }

    /// Starts recording changes for a new sort job. Returns its number.
    pub fn begin_sorting(&mut self) -> u32 {
        self.sort_jobs += 1;
        self.sorting = Some(Sorting { number: self.sort_jobs, altered: Some(HashSet::new()) });
        self.sort_jobs
    }

    /// Ends the current sort job, whatever its outcome.
    pub fn end_sorting(&mut self) {
        self.sorting = None;
    }

    /// Whether a sort job is in progress.
    pub const fn is_being_sorted(&self) -> bool {
        self.sorting.is_some()
    }

    /// Whether a number is that of the current sort job.
    pub fn is_sorting(&self, number: u32) -> bool {
        self.sorting.as_ref().is_some_and(|sorting| sorting.number == number)
    }

    /// Whether nothing has changed since the current sort job began.
    pub fn is_unaltered(&self) -> bool {
        let altered = self.sorting.as_ref().and_then(|sorting| sorting.altered.as_ref());
        altered.is_some_and(HashSet::is_empty)
    }

    /// Records that a child was added, removed or changed.
    pub(super) fn mark_altered(&mut self, child: NodeIndex) {
        if let Some(altered) = self.sorting.as_mut().and_then(|sorting| sorting.altered.as_mut()) {
            altered.insert(child);
        }
    }

    /// Records that everything may have changed.
    pub(super) fn mark_all_altered(&mut self) {
        if let Some(sorting) = &mut self.sorting {
            sorting.altered = None;
        }
    }

    /// Ends the current sort job and takes over its result; `false` if everything may have changed meanwhile.
    pub fn take_sorted(&mut self, order: Order, families: &ChildLists) -> bool {
        let Some(altered) = self.sorting.take().and_then(|sorting| sorting.altered) else { return false };
        let mut parents: HashSet<NodeIndex> = altered.iter().filter_map(|node| self.parent(*node)).collect();
        if self.order != order {
            self.order = order;
            // Lists that are not among the sorted ones are new since then.
            for parent in parents.iter().copied().filter(|parent| *parent != NodeIndex::MISSING) {
                self.mark_unsorted(parent);
            }
        }
        let max_piece_len = self.limits.max_sibling_piece;
        for (parent, children) in families.each() {
            let mut present: Vec<NodeIndex> = children.to_vec();
            if !altered.is_empty() {
                present.retain(|child| !altered.contains(child) && self.parent(*child) == Some(parent));
            }
            let whole = !parents.remove(&parent) && present.len() == children.len();
            let altered_children = self.children(parent).filter(|child| !whole && altered.contains(child));
            let later: Vec<NodeIndex> = altered_children.collect();
            let Some(family) = self.family_mut(parent).filter(|_| !present.is_empty()) else { continue };
            family.children = Siblings::from_sorted(present, max_piece_len);
            for child in later {
                self.insert_in_order(parent, child);
            }
        }
        true
    }

    fn insert_in_order(&mut self, parent: NodeIndex, child: NodeIndex) {
        let Some(family) = self.family(parent) else { return };
        let max_piece_len = self.limits.max_sibling_piece;
        let place = family.children.search(|other| self.compare(other, child)).unwrap_or_else(|place| place);
        if let Some(family) = self.family_mut(parent) {
            family.children.insert(place, child, max_piece_len);
        }
    }
}
