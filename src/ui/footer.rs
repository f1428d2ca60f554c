//! The last line: a message, a prompt, or the keys that work right now.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{
    DialogKey, Filter, FindPrompt, Layer, Letter, LinkState, Pane, Renaming, Search, State, Target,
    availability_at_a_glance, grouped, selected_in_words,
};
use crate::changes::QueueCounts;
use crate::forest::{Query, StateFilter};
use crate::numbers::{Noun, counted};
use crate::sync::Phase;

use super::Look;
use super::dialog;
use super::gauge::{gauge, rate, time_left};
use super::header;
use super::message;
use super::spoken::{aloud, dialog_in_words, joined};
use super::text::{draw_right, fitted, rect};
use super::theme::Theme;

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let area = rect(state.layout().footer);
    if area.is_empty() {
        return;
    }
    if let Some(Layer::Find(prompt)) = state.screen.layers.last() {
        return draw_prompt(state, prompt, area, look, frame);
    }
    if let Some(Layer::Jump(text)) = state.screen.layers.last() {
        // A warning is shown above the prompt.
        if let Some(current) = message::shown(state).filter(|_| area.y > 0) {
            message::draw_long(state, current, Rect { y: area.y - 1, ..area }, look, frame);
        }
        let theme = look.theme;
        frame.buffer_mut().set_stringn(area.x, area.y, " f", usize::from(area.width), theme.accent);
        let hint = Line::styled("exact ID or external ID ", theme.quiet);
        let hint_width = if theme.symbols.are_words() {
            if message::shown(state).is_none() {
                draw_above(&hint.to_string(), area, theme, frame);
            }
            0
        } else {
            let width = u16::try_from(hint.width()).unwrap_or(0).min(area.width);
            draw_right(hint, area, frame);
            width
        };
        let indent = 3.min(area.width);
        let field = Rect { x: area.x + indent, width: area.width.saturating_sub(indent + hint_width), ..area };
        return dialog::text_field(text, field, true, theme, frame);
    }
    // In screen-reader mode the line is one sentence.
    let is_accessible = look.theme.symbols.are_words();
    let right = if is_accessible { Line::default() } else { right(state, look.theme) };
    let right_width = u16::try_from(right.width()).unwrap_or(0).min(area.width);
    let left_area = Rect { width: area.width - right_width, ..area };
    if let Some(Layer::Letter(_)) = state.screen.layers.last() {
        frame.point_at_dialog(area.x + 1.min(area.width), area.y);
    }
    if let Some(current) = message::shown(state)
        && !message::fits(current, usize::from(left_area.width), look.theme)
    {
        return message::draw_long(state, current, area, look, frame);
    }
    let width = usize::from(left_area.width);
    let left = if is_accessible { left_aloud(state, look, frame, width) } else { left(state, look, width) };
    for (columns, target) in left.targets {
        let room = left_area.width.saturating_sub(columns.start);
        let width = (columns.end - columns.start).min(room);
        frame.add_target(Rect { x: left_area.x + columns.start.min(left_area.width), width, ..left_area }, target);
    }
    frame.render_widget(left.line, left_area);
    draw_right(right, area, frame);
}

/// A line and the column ranges in it that can be clicked.
#[derive(Default)]
struct HintLine {
    line: Line<'static>,
    targets: Vec<(Range<u16>, Target)>,
}

impl From<Line<'static>> for HintLine {
    fn from(line: Line<'static>) -> Self {
        Self { line, targets: Vec::new() }
    }
}

/// The last line in screen-reader mode: the current position as a sentence, instead of keys.
fn left_aloud(state: &State, look: Look<'_>, frame: &Canvas<'_, '_>, width: usize) -> HintLine {
    let room = width.saturating_sub(1);
    let (title, chosen) = (frame.title(), frame.chosen_line());
    let text = match state.screen.layers.last() {
        _ if message::shown(state).is_some() => return left(state, look, width),
        Some(Layer::Renaming(_) | Layer::Letter(_)) => return left(state, look, width),
        Some(_) => dialog_in_words(title, chosen, room),
        None => {
            let row =
                || joined(selected_in_words(state).into_iter().chain(parts_on_the_right(state, look.theme)), room);
            chosen.map_or_else(row, str::to_owned)
        }
    };
    Line::raw(fitted(&format!(" {text}"), width).into_owned()).into()
}

fn left(state: &State, look: Look<'_>, width: usize) -> HintLine {
    let theme = look.theme;
    if let Some(current) = message::shown(state) {
        let line = message::line(current, width, theme);
        return HintLine { targets: message::targets(state, &line, look), line };
    }
    match state.screen.layers.last() {
        Some(Layer::Renaming(renaming)) => match &renaming.fault {
            Some(fault) => {
                let text = format!(" {} {fault}", theme.symbols.wrong);
                Line::styled(fitted(&text, width).into_owned(), theme.bad).into()
            }
            None => append_hints(Line::from(" "), &dialog_hints(Renaming::KEYS), theme, width),
        },
        Some(Layer::Letter(purpose)) => {
            let prompt = match purpose {
                Letter::Bookmark => " Letter for the bookmark:  ",
                Letter::GoTo => " Letter of the bookmark:  ",
            };
            append_hints(Line::styled(prompt, theme.accent), &dialog_hints(Letter::KEYS), theme, width)
        }
        // Every other dialog shows its own keys.
        Some(_) => HintLine::default(),
        None => {
            // The help key always has room, since the help lists everything else.
            let help: Vec<_> = hint(state, look, Action::Help).into_iter().collect();
            let last = append_hints(Line::from(" "), &help, theme, width).line.width() - 1;
            let HintLine { line, mut targets } =
                append_hints(Line::from(" "), &hints(state, look), theme, width.saturating_sub(last));
            let end = append_hints(line, if last > 0 { &help } else { &[] }, theme, usize::MAX);
            targets.extend(end.targets);
            HintLine { line: end.line, targets }
        }
    }
}

/// A key, its label, and its click target.
struct Hint<'a> {
    keys: String,
    label: &'a str,
    target: Target,
}

fn dialog_hints(keys: &[DialogKey]) -> Vec<Hint<'static>> {
    let hint = |key: &DialogKey| Hint { keys: key.0.to_owned(), label: key.1, target: Target::Key(*key) };
    keys.iter().map(hint).collect()
}

/// Appends as many hints as fit whole to the beginning of a line.
fn append_hints(mut line: Line<'static>, hints: &[Hint<'_>], theme: &Theme, width: usize) -> HintLine {
    let mut targets = Vec::new();
    let between = if theme.symbols.are_words() { ", " } else { "  " };
    for (at, Hint { keys, label, target }) in hints.iter().enumerate() {
        let begin = line.width();
        // In screen-reader mode, no comma follows the last one.
        let between = if at + 1 == hints.len() && theme.symbols.are_words() { "  " } else { between };
        let mut hint =
            vec![Span::styled(keys.clone(), theme.accent), Span::styled(format!(" {label}{between}"), theme.quiet)];
        let hint_width: usize = hint.iter().map(Span::width).sum();
        if begin + hint_width > width.saturating_add(2) {
            break;
        }
        line.spans.append(&mut hint);
        if let (Ok(begin), Ok(end)) = (u16::try_from(begin), u16::try_from(begin + hint_width - 2)) {
            targets.push((begin..end, target.clone()));
        }
    }
    HintLine { line, targets }
}

const TREE_ACTIONS: [Action; 13] = [
    Action::AddChild,
    Action::Edit,
    Action::Rename,
    Action::Move,
    Action::Delete,
    Action::Find,
    Action::Mark,
    Action::Undo,
    Action::Palette,
    Action::ToggleFold,
    Action::AddSibling,
    Action::NextPane,
    Action::Quit,
];

/// What can be done right now, most likely first.
fn hints<'a>(state: &State, look: Look<'a>) -> Vec<Hint<'a>> {
    let (mut actions, mut hints) = (Vec::new(), Vec::new());
    let named = |action: Action, label: &'static str| {
        let keys = look.keymap.keys(action).next()?;
        Some(Hint { keys, label, target: Target::Action(action) })
    };
    if matches!(state.link.state(), LinkState::Stalled | LinkState::Offline) {
        actions.push(Action::Refresh);
    }
    if matches!(state.link.phase, Phase::Loading(_)) {
        hints.extend(named(Action::Dismiss, "stop loading"));
    }
    if state.changes.failed_dialog_count() > 0 {
        actions.push(Action::Resolve);
    }
    let counts = state.changes.counts();
    if counts.staged > 0 {
        actions.push(Action::Stage);
    }
    if counts.failed + counts.on_hold > 0 {
        actions.push(Action::ShowPending);
    }
    if counts.queued > 1 || state.side.commands.running().is_some() {
        actions.push(Action::Pause);
    }
    if !state.tree.picks.cut.is_empty() {
        actions.extend([Action::Paste, Action::Dismiss]);
    }
    if state.tree.filter.as_ref().is_some_and(Filter::is_kept) {
        let labels = [(Action::ToggleFold, "show in tree"), (Action::Dismiss, "clear filter")];
        hints.extend(labels.into_iter().filter_map(|(action, label)| named(action, label)));
        actions.extend([Action::NextMatch, Action::PreviousMatch, Action::MarkMatches]);
    } else if state.tree.search.is_some() {
        actions.extend([Action::NextMatch, Action::PreviousMatch, Action::Dismiss]);
    }
    if state.screen.panes.focus == Pane::Tree {
        actions.extend(TREE_ACTIONS);
    } else {
        if state.screen.panes.focus == Pane::Activity {
            let labels = [(Action::ToggleFold, "go to segment"), (Action::Undo, "undo this step")];
            hints.extend(labels.into_iter().filter_map(|(action, label)| named(action, label)));
        }
        actions.extend([Action::Down, Action::Up, Action::NextPane, Action::Dismiss, Action::Quit]);
    }
    let mut listed = Vec::new();
    for action in actions {
        if !listed.contains(&action) {
            listed.push(action);
            hints.extend(hint(state, look, action));
        }
    }
    hints
}

/// The hint for an action, if it is available now.
fn hint<'a>(state: &State, look: Look<'a>, action: Action) -> Option<Hint<'a>> {
    availability_at_a_glance(state, action).ok()?;
    let keys = look.keymap.keys(action).next()?;
    Some(Hint { keys, label: look.keymap.label(action), target: Target::Action(action) })
}

/// The right end of the line: marked and cut segments, the search, writes in progress, and the position in the tree.
fn right(state: &State, theme: &Theme) -> Line<'static> {
    Line::styled(format!(" {} ", parts_on_the_right(state, theme).join(" · ")), theme.quiet)
}

fn parts_on_the_right(state: &State, theme: &Theme) -> Vec<String> {
    let times = if theme.symbols.are_words() { " times" } else { "×" };
    let mut parts: Vec<String> = state.screen.count.map(|count| format!("{count}{times}")).into_iter().collect();
    if state.layout().header.is_none() && theme.symbols.are_words() {
        parts.push(aloud(&header::word(state), theme).into_owned());
        parts.extend(state.session.protected.then(|| "protected".to_owned()));
    } else if state.layout().header.is_none() {
        let symbol = match state.link.state() {
            LinkState::Live => theme.symbols.fresh,
            LinkState::Working => theme.symbols.working,
            LinkState::Offline => theme.symbols.offline,
            LinkState::Stalled => theme.symbols.wrong,
        };
        parts.push(symbol.to_owned());
        // There is no header to show it.
        parts.extend(state.session.protected.then(|| "protected".to_owned()));
    }
    parts.extend(write_progress(state, theme));
    if !state.tree.picks.cut.is_empty() {
        parts.push(format!("{} cut", grouped(state.tree.picks.cut.len())));
    }
    if !state.tree.picks.marked.is_empty() {
        parts.push(format!("{} marked", grouped(state.tree.picks.marked.len())));
    }
    if let Some(search) = state.tree.search.as_ref().filter(|_| state.tree.filter.is_none()) {
        parts.push(search_status(search));
    } else if let Some(at) = state.tree.view.selected.as_ref().and_then(|row| state.shown_position(row)) {
        parts.push(format!("{} of {}", grouped(at + 1), grouped(state.shown_row_count())));
    }
    parts
}

/// Cells of the gauge, and the number of operations from which it is drawn.
const GAUGE_CELLS: usize = 8;
const MIN_GAUGE_OPERATIONS: usize = 5;

/// The progress of the writes, and what needs attention.
fn write_progress(state: &State, theme: &Theme) -> Vec<String> {
    let counts = state.changes.counts();
    let mut parts = Vec::new();
    if theme.symbols.are_words() {
        return write_progress_in_words(counts);
    }
    let all = counts.queued + counts.done + counts.failed + counts.on_hold;
    if counts.queued > 0 && counts.done > 0 {
        let bar = if all < MIN_GAUGE_OPERATIONS {
            theme.symbols.pending.to_owned()
        } else {
            gauge(counts.done, all, GAUGE_CELLS, &theme.symbols)
        };
        parts.push(format!("{bar} {} of {} done", grouped(counts.done), grouped(all)));
        let progress = state.changes.write_rate.progress(counts.done, state.clock.now);
        if let Some((done, elapsed)) = progress {
            parts.extend(rate(done, elapsed));
            parts.extend(time_left(done, done + counts.queued, elapsed));
        }
    } else if counts.queued > 0 {
        let age = state.changes.write_rate.progress(counts.done, state.clock.now).map(|(_, elapsed)| elapsed.as_secs());
        let age = age.filter(|seconds| *seconds >= 2).map_or_else(String::new, |seconds| format!(" · {seconds} s"));
        parts.push(format!("{} {} pending{age}", theme.symbols.pending, grouped(counts.queued)));
    }
    // Operations in an open review don't count as staged unless the user staged them.
    let reviewed = state.screen.layers.iter().map(|layer| match layer {
        Layer::Review(review) if !review.is_staged => review.count(state),
        _ => 0,
    });
    let staged = counts.staged.saturating_sub(reviewed.sum::<usize>());
    for (count, symbol, what) in
        [(staged, theme.symbols.edited, "staged"), (counts.on_hold, theme.symbols.pending, "on hold")]
    {
        if count > 0 {
            parts.push(format!("{symbol} {} {what}", grouped(count)));
        }
    }
    if counts.failed > 0 {
        parts.push(format!("! {}", counted(counts.failed, Noun::Problem)));
    }
    parts
}

/// The same without progress, which keeps changing.
fn write_progress_in_words(counts: QueueCounts) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend((counts.queued > 0).then(|| "sending changes".to_owned()));
    let kept = [(counts.staged, "staged"), (counts.on_hold, "on hold")].into_iter().filter(|(count, _)| *count > 0);
    parts.extend(kept.map(|(count, what)| format!("{} {what}", grouped(count))));
    parts.extend((counts.failed > 0).then(|| counted(counts.failed, Noun::Problem)));
    parts
}

fn search_status(search: &Search) -> String {
    format!("“{}” {}", fitted(&search.text, 24), counts(search))
}

/// Cells of the prompt around the text, with some room to type more.
const PROMPT_CELLS: usize = 8;

/// Cells of ` · `.
const SEPARATOR_CELLS: u16 = 3;

/// The hint for a search: its syntax, or the number of matches.
fn prompt_hint(state: &State, prompt: &FindPrompt) -> String {
    match &state.tree.search {
        _ if Query::wants_a_state(prompt.text.text()) => states(),
        None => "word  !exclude  \"exact\"  name: ext: id: path: is:".into(),
        Some(search) => {
            let shown = state.tree.filter.as_ref().map_or(0, Filter::shown_matches);
            let some = search.ended && shown > 0 && shown < search.matches;
            let some = some.then(|| format!(" · top {} shown", grouped(shown)));
            format!("{}{}", counts(search), some.unwrap_or_default())
        }
    }
}

/// The values of `is:`.
fn states() -> String {
    format!("is: {}", StateFilter::NAMED.map(|(name, _)| name).join(" "))
}

/// The number of matches, and which one is selected.
pub(super) fn counts(search: &Search) -> String {
    let more = if search.ended { "" } else { "…" };
    match (search.current, search.matches) {
        (Some(current), matches) => format!("{} of {}{more}", grouped(current), grouped(matches)),
        (None, 0) if search.ended => "no matches".into(),
        (None, 0) => "searching…".into(),
        (None, matches) => format!("{}{more}", counted(matches, Noun::Match)),
    }
}

fn draw_prompt(state: &State, prompt: &FindPrompt, area: Rect, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let theme = look.theme;
    let hint = prompt_hint(state, prompt);
    let hints = prompt.keys(state);
    if theme.symbols.are_words() {
        // Only the text is on the prompt's line, so that a screen reader reads nothing else there.
        let keys = hints.iter().map(|(key, label)| format!("{key} {label}"));
        let room = usize::from(area.width).saturating_sub(2);
        draw_above(&joined([aloud(&hint, theme).into_owned()].into_iter().chain(keys), room), area, theme, frame);
        return draw_search_text(prompt, area, 0, theme, frame);
    }
    let keys = hints.iter().fold(String::new(), |keys, (key, label)| keys + " · " + key + " " + label);
    // The text has priority, but the hint keeps at least half of the line.
    let typed = prompt.text.text().width() + PROMPT_CELLS;
    let room = usize::from(area.width).saturating_sub(typed).max(usize::from(area.width / 2));
    let keys = Some(keys).filter(|keys| hint.width() + keys.width() <= room).unwrap_or_default();
    let keys_width = u16::try_from(keys.width()).unwrap_or(0).saturating_sub(SEPARATOR_CELLS);
    let count = format!("{}{keys} ", fitted(&hint, room));
    let count = Line::styled(count, theme.quiet);
    let count_width = u16::try_from(count.width()).unwrap_or(0).min(area.width);
    draw_right(count, area, frame);
    if keys_width > 0 && keys_width < area.width {
        // The line ends with a blank.
        let place = Rect { x: area.x + area.width - 1 - keys_width, width: keys_width, ..area };
        dialog::mark_keys(&hints, place, theme, frame);
    }
    draw_search_text(prompt, area, count_width, theme, frame);
}

/// Draws the search text, leaving `reserved` cells free at the right.
fn draw_search_text(prompt: &FindPrompt, area: Rect, reserved: u16, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    frame.buffer_mut().set_stringn(area.x, area.y, " /", usize::from(area.width), theme.accent);
    let indent = 2.min(area.width);
    let field = Rect { x: area.x + indent, width: area.width.saturating_sub(indent + reserved), ..area };
    dialog::text_field(&prompt.text, field, true, theme, frame);
}

/// Draws a hint in the line above the prompt.
fn draw_above(text: &str, area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let Some(y) = area.y.checked_sub(1) else { return };
    let above = Rect { y, height: 1, ..area };
    frame.render_widget(Clear, above);
    frame.render_widget(
        Line::styled(fitted(&format!(" {text}"), usize::from(area.width)).into_owned(), theme.quiet),
        above,
    );
}
