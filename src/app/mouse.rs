//! What the mouse does: a click selects, a click on the arrow folds, the wheel scrolls.

use crate::forest::Fold;
use crate::keymap::Keymap;

use super::dialogs::{output_pane, requests_pane};
use super::layout::shown_depth;
use super::tree::{filter, viewport};
use super::{Effect, HelpPage, Layer, Pane, State};

/// Something the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What it did.
    pub kind: MouseKind,
    /// The column of the cell, from 0.
    pub column: u16,
    /// The row of the cell, from 0.
    pub row: u16,
}

/// A kind of thing the mouse does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button was pressed.
    Click,
    /// The wheel was turned up.
    ScrollUp,
    /// The wheel was turned down.
    ScrollDown,
}

/// Rows per turn of the wheel.
const WHEEL: isize = 3;
/// The arrow and the blank behind it.
const ARROW_COLUMNS: u16 = 2;

pub(super) fn point(state: &mut State, keymap: &Keymap, mouse: Mouse) -> Vec<Effect> {
    let wheel = match mouse.kind {
        MouseKind::Click => 0,
        MouseKind::ScrollUp => -WHEEL,
        MouseKind::ScrollDown => WHEEL,
    };
    let help_end = HelpPage::of(state, keymap).end;
    match state.screen.layers.last_mut() {
        Some(Layer::Help(line)) => *line = line.saturating_add_signed(wheel).min(help_end),
        Some(Layer::Parents(picker)) => picker.step(wheel.signum()),
        Some(Layer::Output(_)) => output_pane::scroll(state, wheel),
        Some(Layer::Requests(_)) => requests_pane::scroll(state, wheel),
        Some(Layer::Find(_)) => point_filtered(state, mouse, wheel),
        Some(_) => {}
        None => point_main(state, mouse, wheel),
    }
    Vec::new()
}

fn point_main(state: &mut State, mouse: Mouse, wheel: isize) {
    let layout = state.layout();
    let hit = |area: super::Area| area.contains(mouse.column, mouse.row);
    let pane = if hit(layout.tree) {
        Pane::Tree
    } else if layout.details.is_some_and(hit) {
        Pane::Details
    } else if layout.activity.is_some_and(hit) {
        Pane::Activity
    } else {
        return;
    };
    match (mouse.kind, pane) {
        (MouseKind::Click, Pane::Tree) => click_row(state, mouse),
        (MouseKind::Click, pane) if layout.panes().any(|shown| shown == pane) => state.screen.panes.focus = pane,
        (MouseKind::Click, _) => {}
        (_, Pane::Tree) => viewport::scroll(state, wheel),
        (_, pane) => {
            let focus = std::mem::replace(&mut state.screen.panes.focus, pane);
            viewport::move_in_focus(state, wheel);
            state.screen.panes.focus = focus;
        }
    }
}

/// While a search is typed, only the rows that it leaves can be pointed at.
fn point_filtered(state: &mut State, mouse: Mouse, wheel: isize) {
    let area = state.layout().tree;
    let Some(filtered) = state.filtered().filter(|_| area.contains(mouse.column, mouse.row)) else { return };
    let at = state.tree.view.offset + usize::from(mouse.row - area.y);
    match mouse.kind {
        MouseKind::Click => filter::choose(state, Some(at).filter(|at| filtered.id(*at).is_some())),
        MouseKind::ScrollUp | MouseKind::ScrollDown => viewport::scroll(state, wheel),
    }
}

fn click_row(state: &mut State, mouse: Mouse) {
    state.screen.panes.focus = Pane::Tree;
    let layout = state.layout();
    let index = state.tree.view.offset + usize::from(mouse.row - layout.tree.y);
    let Some(row) = state.shown_row(index) else { return };
    let (id, fold, depth) = (row.id(), row.fold, row.depth);
    let names = layout.tree_columns().names;
    let arrow = names.x + 2 * shown_depth(depth, names.width);
    let on_arrow = (arrow..arrow + ARROW_COLUMNS).contains(&mouse.column);
    state.tree.view.selected = Some(id.clone());
    state.screen.panes.details_scroll = 0;
    if on_arrow && fold != Fold::Leaf {
        viewport::toggle(state, &id);
    }
}
