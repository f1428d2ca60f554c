//! The review of a plan before it is sent.

use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

use crate::app::{ListItem, ListWindow, OperationCounts, Review, State, described, grouped};
use crate::changes::{OpId, Operation, TypedPhrase};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::spoken::aloud;
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

/// Maximum lines of a list.
pub(super) const MAX_LIST_LINES: usize = 12;

/// Draws a plan for review.
pub(in crate::ui) fn draw_review(state: &State, review: &Review, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let count = review.count(state);
    let usual = dialog::usual_room(state);
    let warning = |text: &str, indent: &'static str| {
        let lines = textwrap::wrap(text, textwrap::Options::new(usual.max(8)).subsequent_indent(indent));
        lines.into_iter().map(|line| Line::styled(line.into_owned(), theme.warning)).collect::<Vec<_>>()
    };
    let mut below: Vec<Line<'static>> =
        review.warnings.iter().flat_map(|text| warning(&format!("{} {text}", theme.symbols.wrong), "  ")).collect();
    below.push(Line::default());
    let typed_at = review.confirmation.next().map(|word| {
        if let TypedPhrase::Name { name, owner } = word {
            below.extend(warning(&format!("{name} is managed by {owner}."), ""));
        }
        below.extend(warning(&phrase_prompt(word, review.confirmation.progress()), ""));
        below.push(Line::default());
        below.len() - 1
    });
    let keys = dialog::keys_wrapped(&review.keys(state), usual);
    let rest = dialog::usual_lines(state).saturating_sub(below.len() + keys.len());
    let half = usize::from(state.screen.panes.rows / 2).saturating_sub(4);
    let max_lines = MAX_LIST_LINES.min(half.min(rest)).max(1);
    let line = |(op, operation): (OpId, &Operation)| {
        let (sign, text) = described(&state.tree.forest, operation);
        let reason = review.reasons.get(op.index).map_or_else(String::new, |reason| format!(" · {reason}"));
        let (sign_style, style) = operation_styles(operation, theme);
        (verb(sign, theme), sign_style, aloud(&(text + &reason), theme).into_owned(), style)
    };
    // Nothing is cut in screen-reader mode.
    let height = |at: usize| {
        let is_accessible = theme.symbols.are_words();
        let operation = review.operations(state, at..at + 1).into_iter().next().filter(|_| is_accessible);
        operation.map_or(1, |operation| row(line(operation), usual, theme).height(usual, theme))
    };
    let shown = list::lines(count, max_lines, height).max(1);
    let keys_at = shown + below.len();
    let window = list::window(state, (review.list, count), shown, height);
    let title = counted(review.counts()) + &position(&window, count, theme);
    let first = window.start;
    let list = ListWindow { first, shown: window.len(), len: count };
    let operations = review.operations(state, window);
    let ops: Vec<OpId> = operations.iter().map(|(op, _)| *op).collect();
    let lines: Vec<ListLine> = operations.into_iter().map(line).collect();
    let needed_width = needed_width(&lines).max(dialog::widest(&below)).max(dialog::widest_row(&keys, theme));
    let dialog::OpenedDialog { outer, inner } =
        dialog::open(state, &title, (keys_at + keys.len(), needed_width), look, frame);
    let room = usize::from(inner.width);
    draw_list((lines, &ops), review.list.chosen.checked_sub(first), list, inner, theme, frame);
    list::draw_scrollbar((inner, 0), (first, shown, count), theme, frame);
    for (at, line) in below.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, shown + at) else { break };
        frame.render_widget(Line::from(fitted_line(line, room)), area);
        if Some(at) == typed_at && review.typing {
            dialog::text_field(&review.typed, area, true, theme, frame);
        }
    }
    dialog::draw_rows(&keys, (inner, keys_at), theme, frame);
    outer
}

/// The styles of an operation's sign and line: a deletion is struck through.
pub(super) fn operation_styles(operation: &Operation, theme: &Theme) -> (Style, Style) {
    match operation {
        Operation::Create { .. } => (theme.good, Style::new()),
        Operation::Update { .. } => (theme.accent, Style::new()),
        Operation::Delete { .. } => (theme.bad, theme.bad.add_modifier(Modifier::CROSSED_OUT)),
    }
}

/// The sign of an operation, or a word for it in screen-reader mode.
pub(super) fn verb(sign: &'static str, theme: &Theme) -> &'static str {
    match sign {
        _ if !theme.symbols.are_words() => sign,
        "+" => theme.symbols.created,
        "−" => theme.symbols.deleted,
        "→" => "move",
        _ => "update",
    }
}

/// Which lines of a long list are shown; empty if all are.
pub(super) fn position(window: &Range<usize>, count: usize, theme: &Theme) -> String {
    // In screen-reader mode the last line gives the position.
    if window.len() >= count || theme.symbols.are_words() {
        return String::new();
    }
    format!(" · {}–{} of {}", grouped(window.start + 1), grouped(window.end), grouped(count))
}

/// The prompt for the confirmation phrase.
fn phrase_prompt(word: &TypedPhrase, progress: Option<(usize, usize)>) -> String {
    let text = word.text();
    let what = match word {
        TypedPhrase::Tenant(_) => format!("the tenant name ({text})"),
        TypedPhrase::Name { .. } => format!("its name ({text})"),
        TypedPhrase::Count(_) => format!("how many are managed by another system ({text})"),
    };
    let progress = progress.map_or_else(String::new, |(at, all)| format!(" ({at} of {all})"));
    format!("Type {what} to confirm{progress}:")
}

/// The title of a review, with the number of operations of each kind.
fn counted(counts: OperationCounts) -> String {
    let parts =
        [("create", counts.created), ("update", counts.changed), ("move", counts.moved), ("delete", counts.deleted)];
    let parts = parts.into_iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts.map(|(verb, count)| format!("{verb} {}", grouped(count))).collect();
    format!("Review: {}", parts.join(" · "))
}

pub(super) fn fitted_line(line: Line<'static>, room: usize) -> Vec<Span<'static>> {
    if line.width() <= room {
        return line.spans;
    }
    let style = line.style;
    line.spans
        .into_iter()
        .map(|span| Span::styled(fitted(&span.content, room).into_owned(), span.style.patch(style)))
        .collect()
}

type ListLine = (&'static str, Style, String, Style);

/// The cells needed to cut no line.
fn needed_width(lines: &[ListLine]) -> usize {
    lines.iter().map(|(sign, _, text, _)| sign.width() + text.width() + 3).max().unwrap_or(0)
}

/// A line fitted to `width` cells; never cut in screen-reader mode.
fn row((sign, sign_style, text, style): ListLine, width: usize, theme: &Theme) -> ListRow<'static> {
    let room = if theme.symbols.are_words() { usize::MAX } else { width.saturating_sub(3 + sign.width()) };
    let text = Span::styled(fitted(&text, room).into_owned(), style);
    ListRow::from(Line::from(vec![Span::styled(format!("{sign} "), sign_style), text]))
}

/// Draws the visible part of a list, with the selected line marked.
fn draw_list(
    (lines, ops): (Vec<ListLine>, &[OpId]),
    selected: Option<usize>,
    list: ListWindow,
    inner: Rect,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    let width = usize::from(inner.width);
    let rows = lines.into_iter().zip(ops).map(|(line, op)| {
        let row = row(line, width, theme);
        ListRow { item: Some(ListItem::Change(*op)), ..row }
    });
    list::draw(rows, selected, list, (inner, 0), theme, frame);
}
