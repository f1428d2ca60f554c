//! Pending changes by group: what each one does, for how long it has been pending, and the keys to act on it.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{ListItem, ListWindow, PendingPane, State, described, grouped};
use crate::changes::{OpGroup, OpId, OpState, Operation};
use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::dialogs::list::{self, ListRow};
use crate::ui::header::duration;
use crate::ui::spoken::aloud;
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

use super::plans::{MAX_LIST_LINES, fitted_line, operation_styles, position, verb};

/// Lines for the reason of a failure.
const MAX_REASON_LINES: usize = 3;
/// Cells for the state, and for the symbols and blanks around it.
const STATE_CELLS: usize = 9;
const MARK_CELLS: usize = 6;

pub(in crate::ui) fn draw(state: &State, pane: &PendingPane, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let count = state.changes.counts().total();
    let list = pane.list(state);
    let above = above(state, pane);
    let below = below(state, pane.selected(state), theme);
    let keys = dialog::keys_wrapped(&pane.keys(state), dialog::usual_room(state));
    let rest = dialog::usual_lines(state).saturating_sub(above.len() + below.len() + keys.len());
    // A blank before the keys, if that leaves a line for the list.
    let blank = usize::from(rest > 1);
    let rest = rest.saturating_sub(blank);
    let half = usize::from(state.screen.panes.rows / 2).saturating_sub(4);
    let max_lines = MAX_LIST_LINES.min(half.min(rest).max(1));
    // Nothing is cut in screen-reader mode.
    let height = |at: usize| {
        let op = state.changes.queue.listed(at..at + 1);
        let row = rows(state, &op, theme).into_iter().next().filter(|_| theme.symbols.are_words());
        let width = dialog::usual_room(state);
        row.map_or(1, |row| row.fitted(width, theme).height(width, theme))
    };
    let shown = list::lines(count, max_lines, height);
    let window = list::window(state, (list, count), shown, height);
    let part = ListWindow { first: window.start, shown: window.len(), len: count };
    let ops = state.changes.queue.listed(window.clone());
    let rows = rows(state, &ops, theme);
    let needed_width = rows.iter().map(Row::width).max().unwrap_or(0);
    let needed_width = needed_width.max(dialog::widest(&above)).max(dialog::widest_row(&keys, theme));
    let title = title(state) + &position(&window, count, theme);
    let height = above.len() + shown + below.len() + blank + keys.len();
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, (height, needed_width), look, frame);
    let room = usize::from(inner.width);
    let first = above.len();
    for (at, line) in above.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, at) else { break };
        frame.render_widget(Line::from(fitted_line(line, room)), area);
    }
    let lines = rows.into_iter().map(|row| row.fitted(room, theme));
    list::draw(lines, list.chosen.checked_sub(window.start), part, (inner, first), theme, frame);
    list::draw_scrollbar((inner, first), (window.start, shown, count), theme, frame);
    let keys_at = first + shown + below.len() + blank;
    for (at, line) in below.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, first + shown + at) else { break };
        frame.render_widget(Line::from(fitted_line(line, room)), area);
    }
    dialog::draw_rows(&keys, (inner, keys_at), theme, frame);
    outer
}

/// Lines above the list: what the last session left over, or that nothing is pending.
fn above(state: &State, pane: &PendingPane) -> Vec<Line<'static>> {
    let mut above = Vec::new();
    let left_over: Vec<&str> = pane.left_over(state).collect();
    if !left_over.is_empty() {
        above.push(Line::raw("Left over from last session:"));
        let room = dialog::usual_room(state).max(8);
        let options = textwrap::Options::new(room).initial_indent("  ").subsequent_indent("    ");
        let max_lines = (MAX_LIST_LINES / 2).min(dialog::usual_lines(state) / 5).max(1);
        let shown_lines = left_over.iter().take(max_lines);
        above.extend(
            shown_lines.flat_map(|text| textwrap::wrap(text, &options)).map(|line| Line::raw(line.into_owned())),
        );
        let more = left_over.len().saturating_sub(max_lines);
        above.extend((more > 0).then(|| Line::raw(format!("  and {} more", grouped(more)))));
        above.push(Line::default());
    }
    if state.changes.counts().total() == 0 {
        above.push(Line::raw("No pending changes."));
    }
    above
}

/// Why the chosen change failed.
fn below(state: &State, chosen: Option<OpId>, theme: &Theme) -> Vec<Line<'static>> {
    let chosen = chosen.and_then(|op| state.changes.queue.op(op));
    let Some(OpState::Failed(error)) = chosen.map(|planned| &planned.state) else { return Vec::new() };
    let reason = error.to_string();
    let lines = textwrap::wrap(&reason, dialog::usual_room(state).max(8)).into_iter().take(MAX_REASON_LINES);
    lines.map(|line| Line::styled(line.into_owned(), theme.bad)).collect()
}

/// A row for one operation.
struct Row {
    op: OpId,
    mark: (&'static str, Style),
    /// The state; blank after the first row of a group.
    word: &'static str,
    sign: (&'static str, Style),
    text: (String, Style),
    age: String,
}

impl Row {
    fn of(
        state: &State,
        op: OpId,
        operation: &Operation,
        (group, begins_group): (OpGroup, bool),
        theme: &Theme,
    ) -> Self {
        let (sign, text) = described(&state.tree.forest, operation);
        let (sign_style, style) = operation_styles(operation, theme);
        let age = state.changes.ages.of(op, state.clock.now);
        // A change younger than a second shows no age.
        let age = age.filter(|age| age.as_secs() > 0 && group != OpGroup::Done).map(duration);
        let is_accessible = theme.symbols.are_words();
        Self {
            op,
            mark: mark(group, theme),
            // A screen reader reads each line by itself.
            word: if begins_group || is_accessible { label(group) } else { "" },
            sign: (verb(sign, theme), sign_style),
            text: (aloud(&text, theme).into_owned(), style),
            age: age.filter(|_| !is_accessible).unwrap_or_default(),
        }
    }

    /// The cells needed to cut nothing.
    fn width(&self) -> usize {
        MARK_CELLS + STATE_CELLS + self.text.0.width() + self.age.width() + self.sign.0.width().saturating_sub(1)
    }

    fn fitted(self, width: usize, theme: &Theme) -> ListRow<'static> {
        let (text, style) = self.text;
        if theme.symbols.are_words() {
            let text = Line::styled(format!("{}: {} {text}", self.word, self.sign.0), style);
            return ListRow { item: Some(ListItem::Change(self.op)), ..ListRow::from(text) };
        }
        let room =
            width.saturating_sub(MARK_CELLS + STATE_CELLS + self.age.width() + self.sign.0.width().saturating_sub(1));
        let spans = vec![
            Span::styled(if self.mark.0.is_empty() { String::new() } else { format!("{} ", self.mark.0) }, self.mark.1),
            Span::styled(format!("{:<STATE_CELLS$}", self.word), self.mark.1),
            Span::styled(format!("{} ", self.sign.0), self.sign.1),
            Span::styled(fitted(&text, room).into_owned(), style),
        ];
        ListRow {
            right: Some(Line::styled(self.age, theme.quiet)),
            item: Some(ListItem::Change(self.op)),
            ..ListRow::from(Line::from(spans))
        }
    }
}

fn rows(state: &State, ops: &[OpId], theme: &Theme) -> Vec<Row> {
    let mut group = None;
    let rows = ops.iter().filter_map(|op| {
        let planned = state.changes.queue.op(*op)?;
        let op_group = OpGroup::of(&planned.state)?;
        let begins_group = group.replace(op_group) != Some(op_group);
        Some(Row::of(state, *op, &planned.operation, (op_group, begins_group), theme))
    });
    rows.collect()
}

/// The title, with the number of changes in each group.
fn title(state: &State) -> String {
    let counts = state.changes.counts();
    let parts = OpGroup::ALL.map(|group| (group.count(counts), label(group)));
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
    if parts.is_empty() { "Pending changes".into() } else { format!("Pending changes: {}", parts.join(" · ")) }
}

const fn label(group: OpGroup) -> &'static str {
    match group {
        OpGroup::Failed => "failed",
        OpGroup::Staged => "staged",
        OpGroup::OnHold => "on hold",
        OpGroup::InFlight => "sending",
        OpGroup::Queued => "queued",
        OpGroup::Done => "done",
    }
}

/// The symbol shown next to the name of a group.
fn mark(group: OpGroup, theme: &Theme) -> (&'static str, Style) {
    let (symbol, style) = symbol(group, theme);
    (theme.symbols.unless_words(symbol), style)
}

const fn symbol(group: OpGroup, theme: &Theme) -> (&'static str, Style) {
    match group {
        OpGroup::Failed => (theme.symbols.failed, theme.bad),
        OpGroup::Staged => (theme.symbols.edited, theme.accent),
        OpGroup::OnHold => (theme.symbols.pending, theme.warning),
        OpGroup::InFlight => (theme.symbols.working, theme.pending),
        OpGroup::Queued => (theme.symbols.pending, theme.quiet),
        OpGroup::Done => (theme.symbols.done, theme.good),
    }
}
