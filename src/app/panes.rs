//! Which panes are shown, how large they are, and which one has the focus.

use super::layout::Layout;

/// A part of the main screen that can have the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The tree.
    Tree,
    /// The details of the selected segment.
    Details,
    /// The activity.
    Activity,
}

/// The user's pane settings, and the size of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Panes {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Whether the details are wanted.
    pub details: bool,
    /// Whether the activity is wanted in wide layouts, where there is room for it.
    pub activity: bool,
    /// Whether the activity is wanted in narrow layouts, where it takes rows from the tree.
    pub activity_when_narrow: bool,
    /// The tree's share of the width, in percent.
    pub tree_share: u16,
    /// The pane that has the focus.
    pub focus: Pane,
    /// Whether screen-reader mode is on: everything is in one column, in whole lines.
    pub accessible: bool,
    /// The first visible line of the details.
    pub details_scroll: usize,
}

const TREE_SHARES: std::ops::RangeInclusive<u16> = 30..=80;
const SHARE_STEP: u16 = 4;

impl Panes {
    /// Creates the default settings: details and activity wanted, the activity only in wide layouts, and the focus on the tree.
    #[must_use]
    pub const fn new(columns: u16, rows: u16) -> Self {
        Self {
            columns,
            rows,
            details: true,
            activity: true,
            activity_when_narrow: false,
            tree_share: 62,
            focus: Pane::Tree,
            accessible: false,
            details_scroll: 0,
        }
    }

    /// Whether the activity would fit on the screen if it were wanted.
    pub(super) fn can_fit_activity(&self) -> bool {
        let wanted = Self { activity: true, activity_when_narrow: true, ..self.clone() };
        Layout::of(&wanted).activity.is_some()
    }

    pub(super) const fn resize(&mut self, columns: u16, rows: u16) {
        self.columns = columns;
        self.rows = rows;
    }

    pub(super) fn set_tree_share(&mut self, percent: u16) {
        self.tree_share = percent.clamp(*TREE_SHARES.start(), *TREE_SHARES.end());
    }

    pub(super) fn widen_tree(&mut self) {
        self.tree_share = (self.tree_share + SHARE_STEP).min(*TREE_SHARES.end());
    }

    pub(super) fn narrow_tree(&mut self) {
        self.tree_share = (self.tree_share - SHARE_STEP).max(*TREE_SHARES.start());
    }
}
