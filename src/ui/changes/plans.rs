//! Plans in lists: before they are sent, and while they wait, run and fail.

use crate::app::List;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

use crate::app::{OperationCounts, PendingPane, Review, State, described, grouped};
use crate::changes::{OpState, Operation, TypedPhrase};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

/// Lines of a list at most.
const LIST: usize = 12;
/// Cells and lines for why something failed.
const REASON: usize = 56;
const REASON_LINES: usize = 3;

/// A plan before it is sent.
pub(in crate::ui) fn draw_review(state: &State, review: &Review, look: Look<'_>, frame: &mut Frame<'_>) {
    let theme = look.theme;
    let count = review.count(state);
    let shown = count.min(LIST).min(usize::from(state.screen.panes.rows / 2).saturating_sub(4)).max(1);
    let mut below: Vec<Line<'static>> = review
        .warnings
        .iter()
        .map(|text| Line::styled(format!("{} {text}", theme.symbols.wrong), theme.warning))
        .collect();
    below.push(Line::default());
    let typed_at = review.confirmation.next().map(|word| {
        if let TypedPhrase::Name { name, owner } = word {
            let text = format!("{name} is managed by {owner}.");
            let width = dialog::room(state, text.width()).max(1);
            let words = textwrap::wrap(&text, width).into_iter();
            below.extend(words.map(|line| Line::styled(line.into_owned(), theme.warning)));
        }
        below.push(Line::styled(asked(word, review.confirmation.progress()), theme.warning));
        below.push(Line::default());
        below.len() - 1
    });
    let keys = review.keys(state);
    let line = dialog::keys(&keys, theme);
    if line.width() <= dialog::room(state, line.width()) {
        below.push(line);
    } else {
        below.extend(keys.chunks(KEYS - 1).map(|keys| dialog::keys(keys, theme)));
    }
    let window = review.list.window(count, shown);
    let title = counted(review.counts()) + &position(&window, count);
    let first = window.start;
    let operations = review.operations(state, window);
    let lines = operations.into_iter().map(|(op, operation)| {
        let (sign, text) = described(&state.tree.forest, operation);
        let reason = review.reasons.get(op.index).map(|reason| format!(" · {reason}"));
        let (sign_style, style) = operation_styles(operation, theme);
        (sign, sign_style, text + &reason.unwrap_or_default(), style)
    });
    let lines: Vec<ListLine> = lines.collect();
    let wanted = wanted(&lines).max(dialog::widest(&below));
    let inner = dialog::open(state, &title, (shown + below.len(), wanted), look, frame);
    let room = usize::from(inner.width);
    draw_list(lines, review.list.chosen.saturating_sub(first), inner, theme, frame);
    for (at, line) in below.into_iter().enumerate() {
        let Some(area) = dialog::line(inner, shown + at) else { break };
        frame.render_widget(Line::from(fitted_line(line, room)), area);
        if Some(at) == typed_at && review.typing {
            dialog::text_field(&review.typed, area, true, theme, frame);
        }
    }
}

/// The styles of the sign and of the line of an operation: what is deleted looks deleted.
fn operation_styles(operation: &Operation, theme: &Theme) -> (Style, Style) {
    match operation {
        Operation::Create { .. } => (theme.good, Style::new()),
        Operation::Update { .. } => (theme.accent, Style::new()),
        Operation::Delete { .. } => (theme.bad, theme.bad.add_modifier(Modifier::CROSSED_OUT)),
    }
}

/// Which lines of a long list are shown; nothing of one that is shown whole.
fn position(window: &Range<usize>, count: usize) -> String {
    if window.len() >= count {
        return String::new();
    }
    format!(" · {}–{} of {}", grouped(window.start + 1), grouped(window.end), grouped(count))
}

/// What is to be typed.
fn asked(word: &TypedPhrase, progress: Option<(usize, usize)>) -> String {
    let text = word.text();
    let what = match word {
        TypedPhrase::Tenant(_) => format!("the tenant name ({text})"),
        TypedPhrase::Name { .. } => format!("its name ({text})"),
        TypedPhrase::Count(_) => format!("how many are managed by another system ({text})"),
    };
    let progress = progress.map_or_else(String::new, |(at, all)| format!(" ({at} of {all})"));
    format!("Type {what} to confirm{progress}:")
}

/// What a plan would do, in numbers.
fn counted(counts: OperationCounts) -> String {
    let parts =
        [("create", counts.created), ("update", counts.changed), ("move", counts.moved), ("delete", counts.deleted)];
    let parts = parts.into_iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts.map(|(verb, count)| format!("{verb} {}", grouped(count))).collect();
    format!("Review: {}", parts.join(" · "))
}

fn fitted_line(line: Line<'static>, room: usize) -> Vec<Span<'static>> {
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

/// The cells with which none of the lines is cut.
fn wanted(lines: &[ListLine]) -> usize {
    lines.iter().map(|(sign, _, text, _)| sign.width() + text.width() + 3).max().unwrap_or(0)
}

/// The part of a list that is shown, with the selected line in it.
fn draw_list(lines: Vec<ListLine>, selected: usize, inner: Rect, theme: &Theme, frame: &mut Frame<'_>) {
    let rows = lines.into_iter().map(|(sign, sign_style, text, style)| {
        let room = usize::from(inner.width).saturating_sub(3 + sign.width());
        let text = Span::styled(fitted(&text, room).into_owned(), style);
        ListRow::from(Line::from(vec![Span::styled(format!("{sign} "), sign_style), text]))
    });
    list::draw(rows, Some(selected), (inner, 0), theme, frame);
}

/// What waits, runs and failed.
pub(in crate::ui) fn draw_queue(state: &State, pane: &PendingPane, look: Look<'_>, frame: &mut Frame<'_>) {
    let theme = look.theme;
    let count = state.changes.counts().total();
    let list = List { chosen: pane.list.chosen.min(count.saturating_sub(1)) };
    let shown = count.min(LIST).min(usize::from(state.screen.panes.rows / 2).saturating_sub(4));
    let mut above: Vec<Line<'static>> = Vec::new();
    if !pane.left_over.is_empty() {
        above.push(Line::styled("Left over from last session:", theme.strong));
        let widest = pane.left_over.iter().map(|text| text.width() + 2).max().unwrap_or(0);
        let width =
            textwrap::Options::new(dialog::room(state, widest).max(8)).initial_indent("  ").subsequent_indent("    ");
        let told = pane.left_over.iter().take(LIST / 2);
        above.extend(told.flat_map(|text| textwrap::wrap(text, &width)).map(|line| Line::raw(line.into_owned())));
        let more = pane.left_over.len().saturating_sub(LIST / 2);
        if more > 0 {
            above.push(Line::raw(format!("  and {} more", grouped(more))));
        }
        above.push(Line::default());
    }
    let window = list.window(count, shown);
    let position = position(&window, count);
    let selected = list.chosen - window.start;
    let operations = state.changes.queue.listed(window);
    let current = operations.get(selected).copied();
    if count == 0 {
        above.push(Line::raw("No pending changes."));
    }
    let reason = current.and_then(|op| match &state.changes.queue.op(op)?.state {
        OpState::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    let keys: Vec<Line<'_>> = pane.keys(state).chunks(KEYS).map(|keys| dialog::keys(keys, theme)).collect();
    let reason =
        reason.map(|reason| textwrap::wrap(&reason, REASON).into_iter().map(Into::into).collect::<Vec<String>>());
    let reason: Vec<String> = reason.unwrap_or_default().into_iter().take(REASON_LINES).collect();
    let lines = operations.iter().filter_map(|op| state.changes.queue.op(*op)).map(|step| {
        let (sign, text) = described(&state.tree.forest, &step.operation);
        let (symbol, style, word) = standing(&step.state, theme);
        let (_, text_style) = operation_styles(&step.operation, theme);
        (symbol, style, format!("{word:<8} {sign} {text}"), text_style)
    });
    let lines: Vec<ListLine> = lines.collect();
    let wanted = wanted(&lines).max(dialog::widest(&above)).max(dialog::widest(&keys));
    let height = above.len() + shown + 1 + keys.len() + reason.len();
    let inner = dialog::open(state, &(title(state) + &position), (height, wanted), look, frame);
    let room = usize::from(inner.width);
    for (at, line) in above.iter().enumerate() {
        if let Some(area) = dialog::line(inner, at) {
            frame.render_widget(Line::from(fitted_line(line.clone(), room)), area);
        }
    }
    let rest = |at: usize| dialog::line(inner, at);
    if let Some(area) = rest(above.len()) {
        let area = Rect { height: inner.height.saturating_sub(area.y - inner.y), ..area };
        draw_list(lines, selected, area, theme, frame);
    }
    let mut at = above.len() + shown;
    for reason in reason {
        if let Some(area) = rest(at) {
            frame.render_widget(Line::styled(fitted(&reason, room).into_owned(), theme.bad), area);
        }
        at += 1;
    }
    for (line, at) in keys.into_iter().zip(at + 1..) {
        if let Some(area) = rest(at) {
            frame.render_widget(line, area);
        }
    }
}

/// Keys told in one line.
const KEYS: usize = 4;

fn title(state: &State) -> String {
    let counts = state.changes.counts();
    let parts = [
        (counts.in_flight, "sending"),
        (counts.queued - counts.in_flight, "queued"),
        (counts.staged, "staged"),
        (counts.on_hold, "on hold"),
        (counts.failed, "failed"),
        (counts.done, "done"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
    if parts.is_empty() { "Pending changes".into() } else { format!("Pending changes: {}", parts.join(" · ")) }
}

/// A symbol and a word for where an operation stands.
const fn standing(standing: &OpState, theme: &Theme) -> (&'static str, Style, &'static str) {
    match standing {
        OpState::Staged => (theme.symbols.edited, theme.accent, "staged"),
        OpState::Queued => (theme.symbols.pending, theme.quiet, "queued"),
        OpState::OnHold => (theme.symbols.pending, theme.warning, "on hold"),
        OpState::InFlight => (theme.symbols.working, theme.pending, "sending"),
        OpState::Failed(_) => (theme.symbols.failed, theme.bad, "failed"),
        OpState::Done => (theme.symbols.done, theme.good, "done"),
        OpState::Discarded => (theme.symbols.failed, theme.quiet, "discarded"),
    }
}
