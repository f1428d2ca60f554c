//! Sorting without holding up whoever changes or shows the tree.
//!
//! A [`SortJob`] holds all it needs and can be carried out by any thread. What changed in the tree meanwhile is put in its place
//! when the job comes back.

use super::Forest;
use super::arena::{ChildLists, NodeIndex, Slots};
use super::order::{self, Key, Order};
use super::rows::Visible;

/// Children of many parents, to be put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortJob {
    sorting: u32,
    order: Order,
    slots: Slots,
    /// The figure of each node, by its place, where the order asks for one.
    figures: Vec<u32>,
    families: ChildLists,
    /// Which nodes show something below them, a bit each, where so many rows are visible that listing them takes its time; and
    /// then the rows below the top.
    unfolding: Vec<u64>,
    rows: Vec<Visible>,
}

impl SortJob {
    /// By what they are sorted.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.order
    }

    /// Sorts them.
    #[must_use]
    pub fn carried_out(mut self) -> Self {
        let Self { order, slots, figures, families, .. } = &mut self;
        let figure = |node: NodeIndex| figures.get(node.slot()).copied().unwrap_or(0);
        let mut segments = Vec::new();
        let mut keyed = Vec::new();
        for children in families.each_mut().filter(|children| children.len() > 1) {
            // First where the segments are and then what is in them: each time, several are waited for at once.
            segments.clear();
            segments.extend(children.iter().filter_map(|node| Some((*node, slots.get(*node)?))));
            keyed.clear();
            keyed.extend(
                segments.iter().map(|(node, segment)| (Key::of(*order, segment, figure(*node)), *node, *segment)),
            );
            keyed.sort_unstable_by(|(first, a, one), (second, b, other)| {
                first.cmp(second).then_with(|| order::compare(*order, (one, figure(*a)), (other, figure(*b))))
            });
            for (place, (_, node, _)) in children.iter_mut().zip(&keyed) {
                *place = *node;
            }
        }
        self.rows = self.families.rows(&self.unfolding);
        self
    }
}

impl Forest {
    /// Sorts siblings by an order. Where that takes longer than a person should wait, it answers a job that is to be carried out
    /// and handed back to [`Self::take_sorted`]; until then everything stays as it was.
    pub fn arrange(&mut self, order: Order) -> Option<SortJob> {
        let all = self.arena.order() != order;
        let few = self.arena.limits.few_to_sort;
        if self.arena.count_to_sort(all, few) <= few {
            // A job that is under way is for an order that nobody wants any more.
            self.arena.end_sorting();
            self.set_order(order);
            return None;
        }
        let families = self.arena.families_to_sort(all);
        let figures = self.arena.all_figures(order);
        let many = self.arena.order() != order && self.rows.len() > few;
        Some(SortJob {
            sorting: self.arena.begin_sorting(),
            order,
            slots: self.arena.slots().clone(),
            figures,
            families,
            unfolding: if many { self.arena.unfolding() } else { Vec::new() },
            rows: Vec::new(),
        })
    }

    /// Whether a job was begun whose outcome was not taken in yet.
    #[must_use]
    pub const fn is_being_sorted(&self) -> bool {
        self.arena.is_being_sorted()
    }

    /// Takes in what a job has sorted. Answers `false` when too much has changed meanwhile and nothing was taken in; a job that
    /// was overtaken by a later one is dropped.
    pub fn take_sorted(&mut self, job: SortJob) -> bool {
        if !self.arena.is_sorting(job.sorting) {
            return true;
        }
        let anew = self.arena.order() != job.order;
        let as_it_was = self.arena.is_unaltered() && self.arena.unfolding() == job.unfolding;
        let taken = self.arena.take_sorted(job.order, &job.families);
        self.searches.reordered();
        match (taken, anew) {
            (true, true) if as_it_was => self.rows.fill_below_top(&mut self.arena, job.rows),
            (true, true) => self.rows.rebuild(&mut self.arena),
            _ => {}
        }
        taken
    }
}
