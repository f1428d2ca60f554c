//! How a person had arranged things, to be found again the next time.

use serde::{Deserialize, Serialize};

use crate::forest::{Order, RowId};
use crate::segment::SegmentId;

use super::{Effect, State, tree_view};

/// What is remembered of the screen from one run to the next. What an older or newer program left out or added is no fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Segments that were unfolded.
    open: Vec<SegmentId>,
    /// The segment that was selected.
    selected: Option<SegmentId>,
    /// By what siblings were sorted.
    order: Sorted,
    /// Which panes were shown, and how large; `None` keeps the usual.
    panes: Option<ShownPanes>,
}

/// By what siblings were sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sorted {
    #[default]
    Name,
    ExternalId,
    Descendants,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ShownPanes {
    details: bool,
    activity: bool,
    activity_when_narrow: bool,
    tree_share: u16,
}

impl State {
    /// How things are arranged now. Before a list came, that is how they were to be arranged.
    #[must_use]
    pub fn view(&self) -> View {
        if let Some(recalled) = &self.recalled {
            return recalled.clone();
        }
        let panes = &self.panes;
        View {
            open: self.forest.open_segments().cloned().collect(),
            selected: match &self.tree.selected {
                Some(RowId::Segment(id)) => Some(id.clone()),
                _ => None,
            },
            order: match self.forest.order() {
                Order::Name => Sorted::Name,
                Order::ExternalId => Sorted::ExternalId,
                Order::Descendants => Sorted::Descendants,
            },
            panes: Some(ShownPanes {
                details: panes.details,
                activity: panes.activity,
                activity_when_narrow: panes.activity_when_narrow,
                tree_share: panes.tree_share,
            }),
        }
    }

    /// Arranges things as they were, the tree as soon as there is one.
    pub fn recall(&mut self, view: View) {
        if let Some(panes) = view.panes {
            self.panes.details = panes.details;
            self.panes.activity = panes.activity;
            self.panes.activity_when_narrow = panes.activity_when_narrow;
            self.panes.share_tree(panes.tree_share);
        }
        self.recalled = Some(view);
    }
}

/// Unfolds, sorts and selects as it was. What is gone by now is left out.
pub(super) fn rearrange(state: &mut State, view: &View) -> Vec<Effect> {
    let order = match view.order {
        Sorted::Name => Order::Name,
        Sorted::ExternalId => Order::ExternalId,
        Sorted::Descendants => Order::Descendants,
    };
    let job = state.forest.arrange(order);
    state.forest.expand_each(&view.open);
    if let Some(id) = view.selected.as_ref().filter(|id| state.forest.contains(id)) {
        tree_view::go_to(state, id);
    }
    job.map(Effect::Sort).into_iter().collect()
}
