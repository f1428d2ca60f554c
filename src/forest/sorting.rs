//! Sorting without blocking changes and display of the tree.
//!
//! A [`SortJob`] is self-contained and can run in any thread. Segments that changed meanwhile are put in place when its result is
//! taken in.

use super::Forest;
use super::arena::{ChildLists, NodeIndex, Slots};
use super::order::{self, Key, Order};
use super::rows::Visible;

/// A job that sorts the children of many parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortJob {
    sorting: u32,
    order: Order,
    slots: Slots,
    /// The figure of each node by index, if the order needs one.
    sort_values: Vec<u32>,
    families: ChildLists,
    /// A bit for each node, whether it shows children; only if so many rows are visible that listing them takes a while. The job
    /// then also lists the rows below the top.
    expanded_bits: Vec<u64>,
    rows: Vec<Visible>,
}

impl SortJob {
    /// The order that it sorts by.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.order
    }

    /// Runs the job.
    #[must_use]
    pub fn run(mut self) -> Self {
        let Self { order, slots, sort_values, families, .. } = &mut self;
        let sort_value = |node: NodeIndex| sort_values.get(node.slot()).copied().unwrap_or(0);
        let mut segments = Vec::new();
        let mut keyed = Vec::new();
        for children in families.each_mut().filter(|children| children.len() > 1) {
            // First the locations of the segments, then their contents: each time, several cache misses overlap.
            segments.clear();
            segments.extend(children.iter().filter_map(|node| Some((*node, slots.get(*node)?))));
            keyed.clear();
            keyed.extend(
                segments.iter().map(|(node, segment)| (Key::of(*order, segment, sort_value(*node)), *node, *segment)),
            );
            keyed.sort_unstable_by(|(first, a, one), (second, b, other)| {
                first.cmp(second).then_with(|| order::compare(*order, (one, sort_value(*a)), (other, sort_value(*b))))
            });
            for (place, (_, node, _)) in children.iter_mut().zip(&keyed) {
                *place = *node;
            }
        }
        self.rows = self.families.rows(&self.expanded_bits);
        self
    }
}

impl Forest {
    /// Changes the order of siblings. If that takes longer than a frame, returns a job whose result has to be handed back to
    /// [`Self::take_sorted`]; until then, everything stays as it was.
    pub fn arrange(&mut self, order: Order) -> Option<SortJob> {
        let all = self.arena.order() != order;
        let sync_limit = self.arena.limits.max_sync_sort;
        if self.arena.count_to_sort(all, sync_limit) <= sync_limit {
            // A job in progress is for an outdated order.
            self.arena.end_sorting();
            self.set_order(order);
            return None;
        }
        let families = self.arena.child_lists_to_sort(all);
        let sort_values = self.arena.all_sort_values(order);
        let lists_rows = self.arena.order() != order && self.rows.len() > sync_limit;
        Some(SortJob {
            sorting: self.arena.begin_sorting(),
            order,
            slots: self.arena.slots().clone(),
            sort_values,
            families,
            expanded_bits: if lists_rows { self.arena.expanded_bits() } else { Vec::new() },
            rows: Vec::new(),
        })
    }

    /// Whether a job was begun whose result has not been taken in yet.
    #[must_use]
    pub const fn is_being_sorted(&self) -> bool {
        self.arena.is_being_sorted()
    }

    /// Takes in the result of a job. Returns `false` if too much has changed meanwhile, so that nothing was taken in; the result
    /// of an outdated job is dropped.
    pub fn take_sorted(&mut self, job: SortJob) -> bool {
        if !self.arena.is_sorting(job.sorting) {
            return true;
        }
        let order_changed = self.arena.order() != job.order;
        let is_unchanged = self.arena.is_unaltered() && self.arena.expanded_bits() == job.expanded_bits;
        let taken = self.arena.take_sorted(job.order, &job.families);
        self.searches.reordered();
        match (taken, order_changed) {
            (true, true) if is_unchanged => self.rows.fill_below_top(&mut self.arena, job.rows),
            (true, true) => self.rows.rebuild(&mut self.arena),
            _ => {}
        }
        taken
    }
}
