//! Mouse actions on the main screen, located by the layout: a click selects a row, a click on its arrow folds it, a double click
//! renames it, the right button opens its actions, dragging a row onto another moves it, dragging the scrollbar or the divider
//! scrolls or resizes, and the wheel scrolls without changing the selection. Clicks on other drawn targets go through
//! [`clicking`](super::clicking).

use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::forest::{Fold, RowId};
use crate::keymap::Keymap;

use super::dialogs::{output_pane, requests_pane};
use super::edit::changing;
use super::layout::shown_depth;
use super::tree::{filter, viewport};
use super::{Effect, HelpPage, Layer, Palette, Pane, Shape, State, perform};

/// A mouse event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What the mouse did.
    pub kind: MouseKind,
    /// The column of the cell, from 0.
    pub column: u16,
    /// The row of the cell, from 0.
    pub row: u16,
}

/// A kind of mouse event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button was pressed.
    Click,
    /// The right button was pressed.
    RightClick,
    /// The mouse was moved with the left button held.
    Drag,
    /// The left button was released.
    Release,
    /// The wheel was turned up.
    ScrollUp,
    /// The wheel was turned down.
    ScrollDown,
}

/// Rows per turn of the wheel.
const WHEEL_ROWS: isize = 3;
/// The arrow and the space after it.
const ARROW_COLUMNS: u16 = 2;

/// Two clicks on a row within this time are a double click.
const DOUBLE_CLICK_TIME: SignedDuration = SignedDuration::from_millis(500);

/// The state of clicks and drags.
#[derive(Debug, Clone, Default)]
pub(super) struct PointerState {
    /// The last click on a row, and its time.
    row_click: Option<(RowId, Timestamp)>,
    /// What is being dragged.
    dragged: Option<Dragged>,
    /// The last click on a drawn target: its cell, its time, and the [`opened`](super::Screen::opened) number at that time.
    target_click: Option<(u16, u16, Timestamp, u64)>,
}

impl PointerState {
    /// Records a click on a drawn target.
    pub fn record_target_click(&mut self, column: u16, row: u16, now: Timestamp, opened: u64) {
        *self = Self { row_click: None, dragged: None, target_click: Some((column, row, now, opened)) };
    }

    /// Whether a click is the second of a double click whose first one opened or closed a dialog: it was not meant for what is
    /// there now.
    pub fn is_stale_double_click(&self, state: &State, column: u16, row: u16) -> bool {
        self.target_click.is_some_and(|(x, y, at, opened)| {
            let in_time = state.clock.now.duration_since(at) <= DOUBLE_CLICK_TIME;
            in_time && (x, y) == (column, row) && opened != state.screen.opened
        })
    }
}

#[derive(Debug, Clone)]
enum Dragged {
    Row(RowId),
    Scrollbar,
    Divider,
}

pub(super) fn handle_mouse(state: &mut State, keymap: &Keymap, mouse: Mouse) -> Vec<Effect> {
    let wheel = match mouse.kind {
        MouseKind::Click | MouseKind::RightClick | MouseKind::Drag | MouseKind::Release => 0,
        MouseKind::ScrollUp => -WHEEL_ROWS,
        MouseKind::ScrollDown => WHEEL_ROWS,
    };
    if mouse.kind == MouseKind::Click && state.screen.pointer.is_stale_double_click(state, mouse.column, mouse.row) {
        return Vec::new();
    }
    let help_end = HelpPage::of(state, keymap).end;
    match state.screen.layers.last_mut() {
        Some(Layer::Help(line)) => *line = line.saturating_add_signed(wheel).min(help_end),
        Some(Layer::Output(_)) => output_pane::scroll(state, wheel),
        Some(Layer::Requests(_)) => requests_pane::scroll(state, wheel),
        Some(Layer::Find(_)) => handle_mouse_on_filtered(state, mouse, wheel),
        Some(_) => {}
        None => return handle_mouse_on_main(state, mouse, wheel),
    }
    Vec::new()
}

fn handle_mouse_on_main(state: &mut State, mouse: Mouse, wheel: isize) -> Vec<Effect> {
    let layout = state.layout();
    match mouse.kind {
        MouseKind::Drag => {
            drag(state, mouse);
            return Vec::new();
        }
        MouseKind::Release => return release(state, mouse),
        MouseKind::Click => {
            state.screen.pointer.dragged = None;
            let right = layout.tree.x + layout.tree.width;
            let beside = matches!(layout.shape, Shape::Beside | Shape::Wide) && layout.panes().count() > 1;
            if beside && mouse.column == right && mouse.row >= layout.tree.y {
                state.screen.pointer.dragged = Some(Dragged::Divider);
                return Vec::new();
            }
            if layout.tree.contains(mouse.column, mouse.row)
                && mouse.column + 1 == right
                && state.shown_row_count() > usize::from(layout.tree.height)
            {
                state.screen.pointer.dragged = Some(Dragged::Scrollbar);
                drag(state, mouse);
                return Vec::new();
            }
        }
        _ => {}
    }
    let hit = |area: super::Area| area.contains(mouse.column, mouse.row);
    let pane = if hit(layout.tree) {
        Pane::Tree
    } else if layout.details.is_some_and(hit) {
        Pane::Details
    } else if layout.activity.is_some_and(hit) {
        Pane::Activity
    } else {
        return Vec::new();
    };
    match (mouse.kind, pane) {
        (MouseKind::Click, Pane::Tree) => click_row(state, mouse),
        (MouseKind::RightClick, Pane::Tree) => offer_actions(state, mouse),
        (MouseKind::Click, Pane::Activity) => click_entry(state, mouse),
        (MouseKind::Click, pane) if layout.panes().any(|shown| shown == pane) => state.screen.panes.focus = pane,
        (MouseKind::Click | MouseKind::RightClick, _) => {}
        (_, pane) => viewport::scroll_pane(state, pane, wheel),
    }
    Vec::new()
}

/// Selects the row at a cell and opens the list of its actions.
fn offer_actions(state: &mut State, mouse: Mouse) {
    state.screen.panes.focus = Pane::Tree;
    state.screen.pointer = PointerState::default();
    let Some(row) = row_at(state, mouse) else { return };
    select(state, row.clone());
    state.screen.layers.push(Layer::Palette(Palette::for_row(row)));
}

/// Selects a row that is on the screen.
fn select(state: &mut State, row: RowId) {
    if state.tree.view.selected.as_ref() != Some(&row) {
        state.screen.panes.details_scroll = 0;
    }
    state.tree.view.selected = Some(row);
}

/// Selects the entry of the activity under the mouse.
fn click_entry(state: &mut State, mouse: Mouse) {
    let Some(area) = state.layout().activity else { return };
    if state.layout().panes().all(|pane| pane != Pane::Activity) {
        return;
    }
    state.screen.panes.focus = Pane::Activity;
    state.side.activity.choose_line(usize::from(mouse.row - area.y), area);
}

/// Returns the row of the tree at a cell.
fn row_at(state: &State, mouse: Mouse) -> Option<RowId> {
    let tree = state.layout().tree;
    let inside = tree.contains(mouse.column, mouse.row);
    let at = state.tree.view.offset + usize::from(mouse.row.checked_sub(tree.y)?);
    inside.then(|| state.shown_row(at).map(|row| row.id())).flatten()
}

/// Drags the scrollbar or the divider.
fn drag(state: &mut State, mouse: Mouse) {
    let layout = state.layout();
    match state.screen.pointer.dragged {
        Some(Dragged::Scrollbar) => {
            let height = usize::from(layout.tree.height).max(1);
            let line = usize::from(mouse.row.saturating_sub(layout.tree.y)).min(height - 1);
            let max_offset = state.shown_row_count().saturating_sub(height);
            state.tree.view.offset = max_offset * line / (height - 1).max(1);
        }
        Some(Dragged::Divider) => {
            let share = u32::from(mouse.column) * 100 / u32::from(layout.screen.width.max(1));
            state.screen.panes.set_tree_share(u16::try_from(share).unwrap_or(100));
            viewport::scroll_to_selection(state);
        }
        Some(Dragged::Row(_)) | None => {}
    }
}

/// Ends a drag: a row that was dropped on another asks to move it there. Released on its own row, nothing happens.
fn release(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    let Some(Dragged::Row(from)) = state.screen.pointer.dragged.take() else { return Vec::new() };
    let Some(to) = row_at(state, mouse).filter(|to| *to != from) else { return Vec::new() };
    state.screen.pointer.row_click = None;
    match (from, to) {
        (RowId::Segment(from), RowId::Segment(to)) => changing::drop_onto(state, &from, &to),
        _ => Vec::new(),
    }
}

/// Handles the mouse while a search is typed: only the filtered rows react.
fn handle_mouse_on_filtered(state: &mut State, mouse: Mouse, wheel: isize) {
    let area = state.layout().tree;
    let Some(filtered) = state.filtered().filter(|_| area.contains(mouse.column, mouse.row)) else { return };
    let at = state.tree.view.offset + usize::from(mouse.row - area.y);
    match mouse.kind {
        MouseKind::Click => filter::choose(state, Some(at).filter(|at| filtered.id(*at).is_some())),
        MouseKind::ScrollUp | MouseKind::ScrollDown => viewport::scroll(state, wheel),
        MouseKind::RightClick | MouseKind::Drag | MouseKind::Release => {}
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
    select(state, id.clone());
    let now = state.clock.now;
    let is_double = matches!(&state.screen.pointer.row_click, Some((row, at)) if *row == id && now.duration_since(*at) <= DOUBLE_CLICK_TIME);
    let dragged = Some(Dragged::Row(id.clone()));
    state.screen.pointer =
        PointerState { row_click: (!is_double).then(|| (id.clone(), now)), dragged, target_click: None };
    if on_arrow && fold != Fold::Leaf {
        viewport::toggle(state, &id);
    } else if is_double {
        perform::perform(state, Action::Rename);
    }
}
