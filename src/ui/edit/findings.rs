//! The list of problems found in the tree.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{Findings, ListItem, ListWindow, RequestsPage, State, findings_keys, path_above};
use crate::check::{Finding, Level};
use crate::numbers::{Noun, counted};
use crate::printable::printable;

use crate::ui::Canvas;
use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::dialogs::list::{self, ListRow};
use crate::ui::spoken::aloud;
use crate::ui::text::{fitted, fitted_end, rect};
use crate::ui::theme::Theme;

/// Cells of a rule's name, and the divisor for the share of a line that a segment's name takes.
const RULE_CELLS: usize = 22;
const NAME_DIVISOR: usize = 3;
/// Below this width only the chosen line's rule is shown.
const MIN_WIDTH_WITH_RULE: usize = 90;

pub(in crate::ui) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let theme = look.theme;
    let findings = &state.side.findings;
    let page = RequestsPage::of(&state.screen.panes);
    let inner = dialog::framed(rect(page.area), &title(findings), look, frame);
    let width = usize::from(inner.width);
    let all = findings.all().unwrap_or_default();
    if let Some(area) = dialog::line(inner, 0).filter(|_| !all.is_empty() && !theme.symbols.are_words()) {
        frame.render_widget(
            Line::styled(format!("  {}", columns("rule", "segment", "problem", width)), theme.quiet),
            area,
        );
    }
    let keys = dialog::keys_wrapped(&findings_keys(state), width);
    let lines = (page.rows + 1).saturating_sub(keys.len());
    let item = |finding: &Finding| ListRow {
        item: Some(ListItem::Finding(finding.rule, finding.segment.id.clone())),
        ..ListRow::from(row(state, finding, width, theme))
    };
    let height = |at: usize| item(&all[at]).height(width, theme);
    let window = list::window(state, (findings.list, all.len()), lines, height);
    let rows = all[window.clone()].iter().map(item);
    let part = ListWindow { first: window.start, shown: window.len(), len: all.len() };
    list::draw(rows, findings.list.chosen.checked_sub(window.start), part, (inner, 1), theme, frame);
    list::draw_scrollbar((inner, 1), (window.start, window.len(), all.len()), theme, frame);
    if let Some(area) = last_line(inner, keys.len() + 1) {
        frame.render_widget(below(state, width, theme), area);
    }
    let keys_at = usize::from(inner.height).saturating_sub(keys.len());
    dialog::draw_rows(&keys, (inner, keys_at), theme, frame);
}

fn title(findings: &Findings) -> String {
    let counts = [(Level::Error, Noun::Error), (Level::Warning, Noun::Warning)]
        .map(|(level, noun)| (findings.count(level), noun))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count, noun));
    let counts: Vec<String> = counts.collect();
    let checking = if findings.is_checking() { " · checking…" } else { "" };
    if counts.is_empty() { format!("Check{checking}") } else { format!("Check: {}{checking}", counts.join(", ")) }
}

/// A row of the table.
fn columns(rule: &str, name: &str, problem: &str, width: usize) -> String {
    let name_cells = width / NAME_DIVISOR;
    let name = fitted(name, name_cells);
    let pad = " ".repeat(name_cells.saturating_sub(unicode_width::UnicodeWidthStr::width(&*name)));
    let rule = if width < MIN_WIDTH_WITH_RULE { String::new() } else { format!("{rule:<RULE_CELLS$}") };
    format!("  {rule} {name}{pad} {problem}")
}

fn row(state: &State, finding: &Finding, width: usize, theme: &Theme) -> Line<'static> {
    let present = state.tree.forest.get(&finding.segment.id).unwrap_or(&finding.segment);
    let name = if present.has_blank_name() { Cow::Borrowed("(no name)") } else { printable(&present.name) };
    let problem = finding.to_string();
    if theme.symbols.are_words() {
        let place = path_above(state, &finding.segment.id).map(|path| format!(", in {}", aloud(&path, theme)));
        let place = printable(&place.unwrap_or_default()).into_owned();
        return Line::raw(format!(" {}: {name}{place}: {}", finding.level, printable(&problem)));
    }
    let text = columns(finding.rule.name(), &name, &printable(&problem), width);
    let sign = if finding.level == Level::Error { theme.symbols.failed } else { theme.symbols.wrong };
    let style = if finding.level == Level::Error { theme.bad } else { theme.warning };
    let text = fitted(&text[1..], width.saturating_sub(3)).into_owned();
    Line::from(vec![Span::styled(format!(" {sign}"), style), Span::styled(text, Style::new())])
}

/// The line below the list: where the chosen segment is, or why the list is empty.
fn below(state: &State, width: usize, theme: &Theme) -> Line<'static> {
    let findings = &state.side.findings;
    let Some(finding) = findings.chosen() else {
        let text = match findings.all() {
            None => "Checking…",
            Some(_) => "No problems found.",
        };
        return Line::raw(text);
    };
    let rule = format!("{} {}", finding.level, finding.rule);
    let id = &finding.segment.id;
    let place = match (state.tree.forest.contains(id), path_above(state, id)) {
        (false, _) => "deleted since".to_owned(),
        (true, None) if finding.segment.parent.as_ref().is_some_and(|parent| state.tree.forest.contains(parent)) => {
            "in a loop of parents".to_owned()
        }
        (true, None) if finding.segment.parent.is_some() => "under a parent that doesn't exist".to_owned(),
        (true, None) => "at the top level".to_owned(),
        (true, Some(_)) if theme.symbols.are_words() => {
            // The list already gives the path.
            return Line::styled(rule, theme.quiet);
        }
        (true, Some(path)) => format!("in {}", printable(&path)),
    };
    if theme.symbols.are_words() {
        return Line::styled(format!("{rule}, {place}"), theme.quiet);
    }
    let room = width.saturating_sub(rule.len() + 3);
    Line::from(vec![
        Span::styled(rule, theme.quiet),
        Span::raw(" · "),
        Span::raw(fitted_end(&place, room).into_owned()),
    ])
}

/// The line `from_end` lines from the bottom, counting from 1.
fn last_line(inner: Rect, from_end: usize) -> Option<Rect> {
    usize::from(inner.height).checked_sub(from_end).and_then(|at| dialog::line(inner, at))
}
