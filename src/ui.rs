//! Draws the state: header, tree, details, activity, footer, and any dialog or page open on top.
//!
//! Drawing decides nothing and keeps nothing: the same state and size always give the same picture. The cost of a frame depends on
//! the size of the screen, not of the tree. Any screen size works, zero included.

mod canvas;
mod changes;
mod dialogs;
mod edit;
mod footer;
mod frame;
mod gauge;
mod header;
mod message;
mod scrollbar;
mod side;
mod spoken;
mod text;
mod tree;
mod which_key;

#[cfg(test)]
mod tests;

use canvas::Canvas;
use changes::{conflict, pending, plans};
use dialogs::{dialog, help, new_profile, output, palette, profiles, requests};
use edit::{bulk, deletion, findings, form, outline, parents};
use side::{activity, details, sparkline};

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Clear;

use crate::app::{Layer, NewProfile, State, Targets};
use crate::keymap::Keymap;
use crate::printable::{is_printable, printable};
use crate::theme;

use text::rect;

pub use theme::{Name as ThemeName, Symbols, Theme};

/// What drawing needs besides the state.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Styles and symbols.
    pub theme: &'a Theme,
    /// Key bindings, for the hints on screen.
    pub keymap: &'a Keymap,
}

/// Draws the whole screen. Returns the click targets on it.
pub fn draw(state: &State, look: Look<'_>, frame: &mut Frame<'_>) -> Targets {
    let mut canvas = Canvas::new(frame, state.screen.opened);
    draw_on(state, look, &mut canvas);
    if state.screen.panes.accessible {
        canvas.place_cursor(state.screen.cursor_in_list);
    }
    canvas.into_targets()
}

fn draw_on(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let layout = state.layout();
    if layout.screen.width != frame.area().width || layout.screen.height != frame.area().height {
        // The terminal was just resized; the event that updates the state is on its way.
        return;
    }
    if let Some(Layer::NewProfile(form)) = state.screen.layers.last() {
        // The form takes the whole screen: the tree belongs to another tenant.
        return new_profile::draw(form, look, frame);
    }
    // The dialog is drawn first because its height decides which rows are shown; it is merged on top of them below.
    let layer = state.screen.layers.last();
    let dialog = layer.and_then(|layer| draw_dialog(state, layer, look, frame)).map(|area| cut_out(area, frame));
    let first_row =
        dialog.as_ref().map_or(state.tree.view.offset, |dialog| state.place_dialog(dialog.area.height).first_row);
    let over_all = dialog.is_some().then(|| frame.take_targets());
    // Then the tree: its widget can write past its pane when the indentation is wide.
    tree::draw(state, first_row, look, frame);
    frame::draw(state, first_row, look, frame);
    header::draw(state, look, frame);
    details::draw(state, look, frame);
    activity::draw(state, look, frame);
    // In screen-reader mode the last line names the chosen line of the page, and the page leaves that line free.
    let is_accessible = look.theme.symbols.are_words();
    if let Some(layer) = layer.filter(|_| is_accessible) {
        draw_page(state, layer, look, frame);
    }
    footer::draw(state, look, frame);
    which_key::draw(state, look, frame);
    if let Some(dialog) = dialog {
        if is_accessible {
            clear_cut_panes(state, dialog.area, frame);
        }
        frame.buffer_mut().merge(&dialog);
    }
    if let Some(targets) = over_all {
        frame.set_targets(targets);
    }
    if let Some(layer) = layer.filter(|_| !is_accessible) {
        draw_page(state, layer, look, frame);
    }
    if look.theme.symbols == Symbols::ASCII {
        spell_in_ascii(frame);
    }
    show_nothing_hidden(frame);
}

/// Draws a dialog next to the row it is about and returns its area. Only the topmost dialog is drawn; those below it reappear when
/// it closes.
fn draw_dialog(state: &State, layer: &Layer, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Option<Rect> {
    let area = match layer {
        Layer::Form(form) => form::draw(state, form, look, frame),
        Layer::Parents(picker) => parents::draw(state, picker, look, frame),
        Layer::Deletion(deletion) => deletion::draw(state, deletion, look, frame),
        Layer::Bulk(edit) => bulk::draw(state, edit, look, frame),
        Layer::Conflict(conflict) => conflict::draw(state, conflict, look, frame),
        Layer::Outline(edit) => outline::draw(state, edit, look, frame)?,
        Layer::Review(review) => plans::draw_review(state, review, look, frame),
        Layer::Palette(palette) => palette::draw(state, palette, look, frame),
        Layer::Queue(pane) => pending::draw(state, pane, look, frame),
        Layer::Profiles(list) => profiles::draw(state, list, look, frame),
        Layer::Switching(_) => deletion::draw_switching(state, layer, look, frame),
        Layer::RunConfirmation(confirmation) => output::draw_confirmation(state, confirmation, look, frame),
        Layer::Leaving => deletion::draw_leaving(state, look, frame),
        // These have a page or the whole screen, or are drawn where the text is typed: in the footer or in the row.
        Layer::Help(_)
        | Layer::Findings
        | Layer::Requests(_)
        | Layer::Output(_)
        | Layer::NewProfile(_)
        | Layer::Find(_)
        | Layer::Jump(_)
        | Layer::Letter(_)
        | Layer::Renaming(_) => return None,
    };
    Some(area)
}

/// Draws the layers that have a full page, over whatever is below.
fn draw_page(state: &State, layer: &Layer, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    match layer {
        Layer::Help(line) => help::draw(state, *line, look, frame),
        Layer::Findings => findings::draw(state, look, frame),
        Layer::Requests(pane) => requests::draw(state, pane, look, frame),
        Layer::Output(pane) => output::draw(state, pane, look, frame),
        _ => {}
    }
}

/// Clears panes that a dialog only partly covers; a screen reader would read the rest as part of the dialog.
fn clear_cut_panes(state: &State, dialog: Rect, frame: &mut Canvas<'_, '_>) {
    let layout = state.layout();
    for pane in [layout.details, layout.activity].into_iter().flatten().map(rect) {
        // The pane's title is in the line above it.
        let pane = Rect { y: pane.y.saturating_sub(1), height: pane.height + 1, ..pane };
        if pane.intersects(dialog) {
            frame.render_widget(Clear, pane);
        }
    }
}

/// Moves the cells of an area off the screen into a buffer.
fn cut_out(area: Rect, frame: &mut Frame<'_>) -> Buffer {
    let mut taken = Buffer::empty(area);
    for position in area.positions() {
        if let (Some(to), Some(from)) = (taken.cell_mut(position), frame.buffer_mut().cell_mut(position)) {
            *to = std::mem::take(from);
        }
    }
    taken
}

/// The last filter before the terminal: however a name got into a cell, it can't send control sequences or pile up combining marks.
fn show_nothing_hidden(frame: &mut Frame<'_>) {
    for cell in &mut frame.buffer_mut().content {
        let symbol = cell.symbol();
        if symbol.len() > 1 && !is_printable(symbol) {
            // A replacement for each hidden character would not fit in the cell.
            let shown = printable(symbol).replace('\u{fffd}', "");
            cell.set_symbol(if shown.is_empty() { "\u{fffd}" } else { &shown });
        }
    }
}

/// Draws the tree pane alone.
pub fn draw_tree(state: &State, look: Look<'_>, frame: &mut Frame<'_>) {
    tree::draw(state, state.tree.view.offset, look, &mut Canvas::new(frame, state.screen.opened));
}

/// Draws the form for a new profile on an empty screen. Returns the click targets on it.
pub fn draw_new_profile(form: &NewProfile, look: Look<'_>, frame: &mut Frame<'_>) -> Targets {
    let mut canvas = Canvas::new(frame, 0);
    new_profile::draw(form, look, &mut canvas);
    if look.theme.symbols.are_words() {
        canvas.place_cursor(false);
    }
    canvas.into_targets()
}

/// Replaces the punctuation of segtui's own texts with ASCII, which every font has.
fn spell_in_ascii(frame: &mut Frame<'_>) {
    for cell in &mut frame.buffer_mut().content {
        if let Some(plain) = Symbols::ascii_form(cell.symbol()) {
            cell.set_symbol(plain);
        }
    }
}
