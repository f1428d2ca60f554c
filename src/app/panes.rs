//! Which panes are shown, how large they are, and which one has the keys.

use super::layout::Layout;

/// A part of the main screen that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The tree.
    Tree,
    /// All about the selected segment.
    Details,
    /// What happened.
    Activity,
}

/// The person's wishes about panes, and the size of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Panes {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Whether the details are wanted.
    pub details: bool,
    /// Whether the activity is wanted where there is room for it.
    pub activity: bool,
    /// Whether the activity is wanted even where it takes room from the tree.
    pub activity_when_narrow: bool,
    /// The tree's share of the width, in percent.
    pub tree_share: u16,
    /// Which pane has the keys.
    pub focus: Pane,
    /// Whether the screen is read aloud: then everything stands in one column, in whole lines.
    pub accessible: bool,
    /// The first line shown of the details.
    pub details_scroll: usize,
}

const TREE_SHARES: std::ops::RangeInclusive<u16> = 30..=80;
const SHARE_STEP: u16 = 4;

impl Panes {
    /// Everything shown, the tree with the keys.
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

    /// Whether the activity is on the screen once it is wanted.
    pub(super) fn fit_activity(&self) -> bool {
        let wanted = Self { activity: true, activity_when_narrow: true, ..self.clone() };
        Layout::of(&wanted).activity.is_some()
    }

    pub(super) const fn resize(&mut self, columns: u16, rows: u16) {
        self.columns = columns;
        self.rows = rows;
    }

    pub(super) fn share_tree(&mut self, percent: u16) {
        self.tree_share = percent.clamp(*TREE_SHARES.start(), *TREE_SHARES.end());
    }

    pub(super) fn widen_tree(&mut self) {
        self.tree_share = (self.tree_share + SHARE_STEP).min(*TREE_SHARES.end());
    }

    pub(super) fn narrow_tree(&mut self) {
        self.tree_share = (self.tree_share - SHARE_STEP).max(*TREE_SHARES.start());
    }
}
