//! The saved view: folding, selection, order and panes, kept from one session to the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forest::{Fold, Forest, Order, RowId};
use crate::segment::SegmentId;

use crate::app::tree::viewport;
use crate::app::{Effect, Filter, Filters, State};

/// The view saved between sessions. Fields that are missing or unknown are accepted, so other versions can read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Unfolded segments; if there are too many, the visible ones nearest to the root.
    open: Vec<SegmentId>,
    /// Whether no visible row was folded, with more segments unfolded than are saved one by one.
    everything_open: bool,
    /// Bookmarks by letter.
    bookmarks: BTreeMap<char, SegmentId>,
    /// The selected segment.
    selected: Option<SegmentId>,
    /// The order of siblings.
    order: Sorted,
    /// Recent and named filters.
    filters: Filters,
    /// Which panes were shown and how large; `None` keeps the defaults.
    panes: Option<ShownPanes>,
}

/// The order of siblings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sorted {
    #[default]
    Name,
    ExternalId,
    Descendants,
    Recent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ShownPanes {
    details: bool,
    activity: bool,
    activity_when_narrow: bool,
    tree_share: u16,
}

impl State {
    /// Returns the present view, or the recalled one as long as it has not been applied to the tree.
    #[must_use]
    pub fn view(&self) -> View {
        if let Some(view) = &self.tree.saved_view {
            return view.clone();
        }
        let panes = &self.screen.panes;
        let (open, everything_open) = unfolded(&self.tree.forest);
        View {
            open,
            everything_open,
            bookmarks: self.tree.picks.places.bookmarks.clone(),
            selected: match &self.tree.filter.as_ref().map_or(&self.tree.view, Filter::unfiltered_view).selected {
                Some(RowId::Segment(id)) => Some(id.clone()),
                _ => None,
            },
            order: match self.tree.forest.order() {
                Order::Name => Sorted::Name,
                Order::ExternalId => Sorted::ExternalId,
                Order::Descendants => Sorted::Descendants,
                Order::Recent => Sorted::Recent,
            },
            filters: self.tree.filters.clone(),
            panes: Some(ShownPanes {
                details: panes.details,
                activity: panes.activity,
                activity_when_narrow: panes.activity_when_narrow,
                tree_share: panes.tree_share,
            }),
        }
    }

    /// Restores a saved view: panes, bookmarks and filters at once, the tree as soon as it is loaded.
    pub fn restore_view(&mut self, view: View) {
        if let Some(panes) = view.panes {
            self.screen.panes.details = panes.details;
            self.screen.panes.activity = panes.activity;
            self.screen.panes.activity_when_narrow = panes.activity_when_narrow;
            self.screen.panes.set_tree_share(panes.tree_share);
        }
        self.tree.picks.places.bookmarks.clone_from(&view.bookmarks);
        self.tree.filters.clone_from(&view.filters);
        self.tree.saved_view = Some(view);
    }
}

/// Unfolded segments to save one by one. Restoring more would slow down the next start, for folding that nobody did by hand.
const MAX_SAVED_UNFOLDED: usize = 10_000;

/// Returns the segments to save as unfolded, or whether everything is unfolded.
fn unfolded(forest: &Forest) -> (Vec<SegmentId>, bool) {
    if forest.open_segments().nth(MAX_SAVED_UNFOLDED).is_none() {
        return (forest.open_segments().cloned().collect(), false);
    }
    let mut open = Vec::new();
    let mut everything = true;
    for row in forest.rows(0..forest.row_count()) {
        everything &= row.fold != Fold::Closed;
        if let (Fold::Open, RowId::Segment(id)) = (row.fold, row.id()) {
            open.push((row.depth, id));
        }
    }
    if everything {
        return (Vec::new(), true);
    }
    open.sort_by_key(|(depth, _)| *depth);
    (open.into_iter().take(MAX_SAVED_UNFOLDED).map(|(_, id)| id).collect(), false)
}

/// Restores folding, order and selection, without segments that no longer exist.
pub(in crate::app) fn apply_view(state: &mut State, view: &View) -> Vec<Effect> {
    let order = match view.order {
        Sorted::Name => Order::Name,
        Sorted::ExternalId => Order::ExternalId,
        Sorted::Descendants => Order::Descendants,
        Sorted::Recent => Order::Recent,
    };
    let job = state.tree.forest.arrange(order);
    if view.everything_open {
        state.tree.forest.fold_to_level(None);
    } else {
        state.tree.forest.expand_all(&view.open);
    }
    if let Some(id) = view.selected.as_ref().filter(|id| state.tree.forest.contains(id)) {
        viewport::go_to(state, id);
    }
    job.map(Effect::Sort).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::segment::Segment;

    use super::*;

    /// Roots with one child each.
    fn pairs(count: usize) -> Forest {
        let segment = |id: String, parent: Option<&str>| {
            let parent = parent.and_then(SegmentId::new);
            Arc::new(Segment { id: SegmentId::new(&id).unwrap(), name: id.into(), external_id: None, parent })
        };
        let pair = |at| [segment(format!("p{at}"), None), segment(format!("c{at}"), Some(&format!("p{at}")))];
        (0..count).flat_map(pair).collect()
    }

    #[test]
    fn a_few_unfolded_segments_are_saved_one_by_one() {
        let mut forest = pairs(10);
        forest.expand_all(&[SegmentId::new("p3").unwrap()]);
        assert_eq!(unfolded(&forest), (vec![SegmentId::new("p3").unwrap()], false));
    }

    #[test]
    fn too_many_unfolded_segments_are_cut_or_saved_as_everything() {
        let mut forest = pairs(MAX_SAVED_UNFOLDED + 5);
        forest.fold_to_level(None);
        assert_eq!(unfolded(&forest), (Vec::new(), true));
        forest.collapse(&RowId::Segment(SegmentId::new("p0").unwrap()));
        let (open, everything) = unfolded(&forest);
        assert_eq!((open.len(), everything), (MAX_SAVED_UNFOLDED, false));
    }
}
