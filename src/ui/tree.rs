//! The tree pane.
//!
//! The widget only gets the rows on screen. The ancestors of the first one are replaced by empty placeholder items, as many as its
//! indentation takes, which are scrolled out at the top. So a frame costs the same whether a hundred or a million rows are
//! unfolded.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use tui_tree_widget::{Tree, TreeItem, TreeState};
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{FieldName, Layer, Pane, Renaming, State, Target, grouped, shown_depth};
use crate::changes::PendingKind;
use crate::forest::{Fold, Order, Row, RowId, RowKind, SearchKind};

use super::Look;
use super::scrollbar;
use super::spoken;
use super::text::{fitted, highlighted, rect};
use super::theme::{Symbols, Theme};

/// Draws the rows starting at `first_row`.
pub(super) fn draw(state: &State, first_row: usize, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let layout = state.layout();
    let area = rect(layout.tree);
    if area.is_empty() {
        return;
    }
    draw_headings(state, look.theme, frame);
    let window = state.shown_rows(first_row..first_row + usize::from(area.height));
    let is_accessible = look.theme.symbols.are_words();
    if window.is_empty() {
        return draw_empty(state, look, frame, area);
    }
    let names = rect(layout.tree_columns().names);
    if is_accessible {
        spoken::draw_rows(
            &window,
            state,
            look.theme,
            frame,
            Rect { width: area.right().saturating_sub(names.x), ..names },
        );
    } else {
        draw_names(&window, state, look, frame, names);
        draw_guides(&window, look.theme, frame, names);
        for (row, y) in window.iter().zip(area.y..) {
            draw_columns(row, y, state, look.theme, frame);
        }
    }
    draw_selection(&window, state, look.theme, frame);
    if let Some(Layer::Renaming(renaming)) = state.screen.layers.last() {
        draw_renaming(renaming, &window, state, look.theme, frame);
    }
    scrollbar::draw(state, first_row, look.theme, frame, area);
}

/// Draws the column headings, with a mark at the one that sorts siblings.
fn draw_headings(state: &State, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let Some(area) = state.layout().headings.map(rect) else { return };
    let columns = state.layout().tree_columns();
    let order = state.tree.forest.order();
    let is_ascii = theme.symbols == Symbols::ASCII;
    let (up, down) = if is_ascii { ("^", "v") } else { ("▴", "▾") };
    let mark = |shown: Order| match shown {
        _ if order != shown => String::new(),
        Order::Name | Order::ExternalId => format!(" {up}"),
        Order::Descendants | Order::Recent => format!(" {down}"),
    };
    let name = match order {
        Order::Recent => format!("Name · last changed{}", mark(Order::Recent)),
        _ => format!("Name{}", mark(Order::Name)),
    };
    let mut heading = |x: u16, text: &str, width: u16, action: Action| {
        let room = usize::from(width);
        frame.buffer_mut().set_stringn(x, area.y, fitted(text, room), room, theme.quiet);
        frame.add_target(Rect { x, y: area.y, width, height: area.height }, Target::Action(action));
    };
    heading(columns.names.x + 2, &name, columns.names.width.saturating_sub(2), Action::SortByName);
    let external = format!(
        "{}{}",
        if columns.external_ids.width < 13 { "Ext. ID" } else { "External ID" },
        mark(Order::ExternalId)
    );
    heading(columns.external_ids.x, &external, columns.external_ids.width.saturating_sub(1), Action::SortByExternalId);
    let size = format!("Size{}", mark(Order::Descendants));
    let width = usize::from(columns.counts.width);
    if width > 0 {
        heading(columns.counts.x, &format!("{size:>width$}"), columns.counts.width, Action::SortByDescendants);
    }
}

/// Draws a thin line for each ancestor level of a row, from the second on.
fn draw_guides(window: &[Row<'_>], theme: &Theme, frame: &mut Canvas<'_, '_>, area: Rect) {
    for (row, y) in window.iter().zip(area.y..) {
        for level in 1..shown_depth(row.depth, area.width) {
            let x = area.x + 2 * level;
            if x < area.x + area.width && frame.buffer_mut()[(x, y)].symbol() == " " {
                frame.buffer_mut().set_stringn(x, y, theme.symbols.guide, 1, theme.line);
            }
        }
    }
}

fn draw_empty(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>, area: Rect) {
    let add = state.key(Action::AddChild);
    let text = if let Some(search) = state.tree.search.as_ref().filter(|_| state.filtered().is_some()) {
        if search.ended { format!("No matches for “{}”.", search.text) } else { "Searching…".into() }
    } else if state.link.listed {
        format!("No segments yet. Press {add} to add the first one.")
    } else {
        "Loading…".into()
    };
    let text = fitted(&text, usize::from(area.width.saturating_sub(3))).into_owned();
    let line = Line::styled(format!("  {text}"), look.theme.quiet);
    frame.render_widget(line, Rect { height: 1, ..area });
}

/// Base identifier of the placeholders for ancestors above the window.
const ANCESTOR_ID_BASE: usize = usize::MAX / 2;
/// Identifier of the placeholder child of a folded row, which makes the widget draw its arrow.
const FOLDED_CHILD_ID: usize = usize::MAX;

/// A row whose item is still being built; it collects the items below it.
struct Branch {
    identifier: usize,
    label: Line<'static>,
    fold: Fold,
    children: Vec<TreeItem<'static, usize>>,
}

impl Branch {
    fn item(self) -> TreeItem<'static, usize> {
        let mut children = self.children;
        if children.is_empty() && self.fold != Fold::Leaf {
            children.push(TreeItem::new_leaf(FOLDED_CHILD_ID, ""));
        }
        // Identifiers are positions in the window, so no two siblings share one.
        TreeItem::new(self.identifier, self.label, children).unwrap_or_else(|_| TreeItem::new_leaf(self.identifier, ""))
    }
}

fn draw_names(window: &[Row<'_>], state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>, area: Rect) {
    // If the window is shorter than the pane, the placeholders would not be scrolled out.
    let area = Rect { height: u16::try_from(window.len()).unwrap_or(u16::MAX).min(area.height), ..area };
    if area.is_empty() {
        return;
    }
    let depth = |row: &Row<'_>| usize::from(shown_depth(row.depth, area.width));
    let above = window.first().map_or(0, depth);
    let mut tree_state = TreeState::default();
    let mut items: Vec<TreeItem<'static, usize>> = Vec::new();
    let mut branches: Vec<Branch> = Vec::new();
    let mut path: Vec<usize> = Vec::new();
    for level in 0..above {
        let identifier = ANCESTOR_ID_BASE + level;
        branches.push(Branch { identifier, label: Line::default(), fold: Fold::Open, children: Vec::new() });
        path.push(identifier);
        tree_state.open(path.clone());
    }
    let mut arrows = Vec::new();
    for (place, row) in window.iter().enumerate() {
        close_branches(&mut branches, &mut items, depth(row));
        path.truncate(depth(row));
        path.push(place);
        let mut fold = row.fold;
        if fold == Fold::Open {
            if window.get(place + 1).is_some_and(|next| depth(next) > depth(row)) {
                tree_state.open(path.clone());
            } else {
                // Its descendants are not indented further or not on screen: to the widget, it is a leaf.
                arrows.push((place, depth(row)));
                fold = Fold::Leaf;
            }
        }
        let label = label(row, state, look.theme, area.width);
        branches.push(Branch { identifier: place, label, fold, children: Vec::new() });
    }
    close_branches(&mut branches, &mut items, 0);
    // With the last row selected and in view, exactly the placeholders are scrolled out at the top.
    tree_state.select(path);
    tree_state.scroll_selected_into_view();
    let symbols = &look.theme.symbols;
    if let Ok(tree) = Tree::new(&items) {
        let tree = tree.node_open_symbol(symbols.open).node_closed_symbol(symbols.closed).node_no_children_symbol("  ");
        frame.render_stateful_widget(tree, area, &mut tree_state);
    }
    for (place, depth) in arrows {
        let (Ok(line), Ok(indent)) = (u16::try_from(place), u16::try_from(2 * depth)) else { continue };
        let room = usize::from(area.width.saturating_sub(indent));
        frame.buffer_mut().set_stringn(area.x + indent, area.y + line, symbols.open, room, Style::new());
    }
}

/// Closes the branches from `level` on; each becomes an item of the one above.
fn close_branches(branches: &mut Vec<Branch>, items: &mut Vec<TreeItem<'static, usize>>, level: usize) {
    while branches.len() > level {
        let Some(item) = branches.pop().map(Branch::item) else { return };
        match branches.last_mut() {
            Some(parent) => parent.children.push(item),
            None => items.push(item),
        }
    }
}

fn label(row: &Row<'_>, state: &State, theme: &Theme, width: u16) -> Line<'static> {
    let indent = shown_depth(row.depth, width);
    let room = usize::from(width.saturating_sub(2 * indent + 2 + 1));
    match row.kind {
        RowKind::Heading(heading) => {
            let children = state.tree.forest.child_rows(heading);
            let text = format!("{} {heading} ({children})", theme.symbols.wrong);
            let style = if state.link.listed { theme.warning } else { theme.quiet };
            Line::styled(fitted(&text, room).into_owned(), style)
        }
        RowKind::MissingParent(id) => Line::styled(fitted(&id.to_string(), room).into_owned(), theme.quiet),
        RowKind::Segment(segment) => {
            let deeper = row.depth.saturating_sub(u32::from(indent));
            let lead = if deeper > 0 { format!("{} ", row.depth) } else { String::new() };
            let only_above = state.filtered().is_some() && !state.tree.forest.is_match(SearchKind::Tree, &segment.id);
            let style = match state.changes.queue.pending(&segment.id) {
                _ if only_above => theme.quiet,
                Some(PendingKind::Deleting) => theme.bad.add_modifier(Modifier::CROSSED_OUT),
                Some(_) => theme.pending,
                None if state.side.activity.is_highlighted(&segment.id) => theme.fresh,
                None => Style::new(),
            };
            let name = if segment.has_blank_name() { "(no name)" } else { segment.name.as_str() };
            let ranges = state.tree.search.as_ref().map(|search| search.query.ranges(name)).unwrap_or_default();
            let mut line = highlighted(name, &ranges, room.saturating_sub(lead.width()), style, theme.matched);
            if !lead.is_empty() {
                line.spans.insert(0, Span::styled(lead, theme.quiet));
            }
            line
        }
    }
}

fn draw_columns(row: &Row<'_>, y: u16, state: &State, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let columns = state.layout().tree_columns();
    let RowKind::Segment(segment) = row.kind else { return };
    let buffer = frame.buffer_mut();
    if columns.external_ids.width > 1 {
        let width = usize::from(columns.external_ids.width - 1);
        let text = fitted(segment.external_id.as_deref().unwrap_or(theme.symbols.none), width);
        let ranges = state.tree.search.as_ref().zip(segment.external_id.as_deref());
        let ranges = ranges.map(|(search, text)| search.query.ranges_in_external_id(text)).unwrap_or_default();
        let line = highlighted(&text, &ranges, width, theme.quiet, theme.matched);
        buffer.set_line(columns.external_ids.x, y, &line, columns.external_ids.width);
    }
    if columns.counts.width > 0 && row.descendants > 0 {
        let text = grouped(usize::try_from(row.descendants).unwrap_or(usize::MAX));
        let text = format!("{text:>width$}", width = usize::from(columns.counts.width));
        buffer.set_stringn(columns.counts.x, y, text, usize::from(columns.counts.width), theme.quiet);
    }
    if columns.marks.width > 1
        && let Some((symbol, style)) = state_mark(&segment.id, state, theme)
    {
        buffer.set_stringn(columns.marks.x + 1, y, symbol, 1, style);
    }
    if state.tree.picks.marked.contains(&segment.id) && columns.names.x > 0 {
        buffer.set_stringn(columns.names.x - 1, y, theme.symbols.marked, 1, theme.accent);
    }
}

fn state_mark(id: &crate::segment::SegmentId, state: &State, theme: &Theme) -> Option<(&'static str, Style)> {
    let symbols = &theme.symbols;
    let edited = state.screen.layers.iter().any(|layer| match layer {
        Layer::Form(form) => form.subject() == Some(id),
        Layer::Renaming(renaming) => renaming.base.id == *id,
        _ => false,
    });
    if edited {
        Some((symbols.edited, theme.accent))
    } else if let Some(pending) = state.changes.queue.pending(id) {
        Some(match pending {
            // Staged or sent, a deletion must not look like a mere change.
            PendingKind::Deleting => (symbols.deleted, theme.bad),
            _ if state.changes.queue.is_staged(id) => (symbols.edited, theme.pending),
            PendingKind::Failed => (symbols.problem, theme.bad),
            PendingKind::Creating | PendingKind::Changing => (symbols.pending, theme.pending),
        })
    } else if state.tree.picks.cut.contains(id) {
        Some((symbols.cut, theme.accent))
    } else if state.side.activity.is_highlighted(id) {
        Some((symbols.fresh, theme.fresh))
    } else {
        None
    }
}

fn draw_selection(window: &[Row<'_>], state: &State, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let Some(y) = selected_line(window, state) else { return };
    let area = rect(state.layout().tree);
    let style = if state.screen.panes.focus == Pane::Tree { theme.selected } else { theme.selected_elsewhere };
    let buffer = frame.buffer_mut();
    buffer.set_style(Rect { y, height: 1, ..area }, style);
    buffer.set_stringn(area.x, y, theme.symbols.bar, 1, theme.accent.patch(style));
    let names = state.layout().tree_columns().names;
    let depth = window.iter().find(|row| Some(row.id()) == state.tree.view.selected).map_or(0, |row| row.depth);
    frame.point_at_row((names.x + name_indent(depth, names.width)).min(area.right().saturating_sub(1)), y);
}

fn selected_line(window: &[Row<'_>], state: &State) -> Option<u16> {
    let selected = state.tree.view.selected.as_ref()?;
    let place = window.iter().position(|row| row.id() == *selected)?;
    Some(state.layout().tree.y + u16::try_from(place).ok()?)
}

/// Cells before a name: its indentation and arrow.
pub(super) fn name_indent(depth: u32, names_width: u16) -> u16 {
    2 * shown_depth(depth, names_width) + 2
}

/// Draws the row as a text field, with the old name behind it.
fn draw_renaming(renaming: &Renaming, window: &[Row<'_>], state: &State, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let id = RowId::Segment(renaming.base.id.clone());
    let Some(place) = window.iter().position(|row| row.id() == id) else { return };
    let area = state.layout().tree_columns().names;
    let indent = name_indent(window[place].depth, area.width);
    let Some(y) = u16::try_from(place).ok().map(|place| area.y + place) else { return };
    let right = if theme.symbols.are_words() { rect(state.layout().tree).right() } else { area.x + area.width };
    let x = area.x + indent;
    let field = Rect { x, y, width: right.saturating_sub(x), height: 1 };
    if field.width < 2 {
        return;
    }
    let width = usize::from(field.width - 1);
    let scroll = renaming.name.scroll(width);
    frame.add_target(field, Target::Field { name: FieldName::Only, cell: scroll });
    let typed = super::dialog::scrolled(renaming.name.text(), scroll, width);
    let used = u16::try_from(typed.width()).unwrap_or(field.width);
    let buffer = frame.buffer_mut();
    buffer.set_stringn(field.x, y, " ".repeat(usize::from(field.width)), usize::from(field.width), theme.selected);
    buffer.set_stringn(field.x, y, &typed, width, theme.accent.patch(theme.selected));
    // A screen reader would read the old name as typed text.
    let shows_old = !theme.symbols.are_words() && renaming.name.text() != renaming.base.name;
    if shows_old && used + 4 < field.width {
        let old = format!("  {}", renaming.base.name);
        let room = usize::from(field.width - used - 1);
        buffer.set_stringn(field.x + used + 1, y, fitted(&old, room), room, theme.quiet.patch(theme.selected));
    }
    let cursor = u16::try_from(renaming.name.cursor_column().saturating_sub(scroll)).unwrap_or(0);
    frame.point_at_field(field.x + cursor.min(field.width - 1), y);
}
