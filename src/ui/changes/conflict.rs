//! The conflict dialog: the values before, on the server and yours, side by side.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Conflict, ConflictKind, KeptSide, State, Target, field_text};
use crate::segment::{Field, Segment};

use crate::numbers::{Noun, counted, grouped};
use crate::printable::printable;
use crate::ui::Look;
use crate::ui::dialog::{self, Row};
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

/// Cells for the field label and for the side that is kept.
const NON_VALUE_CELLS: usize = 19;
const MIN_COLUMN_CELLS: usize = 6;

pub(in crate::ui) fn draw(state: &State, conflict: &Conflict, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let title = match &conflict.kind {
        ConflictKind::Changes { .. } => format!("{} was changed by someone else", conflict.name()),
        ConflictKind::Gone { .. } => format!("{} was deleted by someone else", conflict.name()),
        ConflictKind::Deletion { .. } => format!("You are deleting {}, but someone just changed it", conflict.name()),
        ConflictKind::PossibleDuplicate { .. } => format!("No reply: was {} created?", conflict.name()),
        ConflictKind::NewChildren { .. } => format!("{} has new children", conflict.name()),
    };
    let title = if conflict.changed { format!("{title} · changed again just now") } else { title };
    let needed_width = needed_width(state, conflict).max(title.width() + 2);
    let lines = dialog::fitted_to_height(lines(state, conflict, look.theme, dialog::room(state, needed_width)), state);
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, (lines.len(), needed_width), look, frame);
    dialog::draw_rows(&lines, (inner, 0), look.theme, frame);
    if look.theme.symbols.are_words() {
        point_aloud(state, conflict, inner, frame);
    } else if let ConflictKind::Changes { base, theirs, mine, .. } = &conflict.kind {
        let columns = columns(usize::from(inner.width), CHANGES, needed_widths(state, CHANGES, [base, theirs, mine]));
        mark_sides(inner, columns, frame);
        if let Some(area) = dialog::line(inner, 1 + conflict.row) {
            frame.point_at_line(area.x + 1.min(area.width), area.y);
        }
    }
    outer
}

/// In screen-reader mode, a field is a sentence that can take several lines.
fn point_aloud(state: &State, conflict: &Conflict, inner: Rect, frame: &mut Canvas<'_, '_>) {
    let ConflictKind::Changes { base, theirs, mine, choices } = &conflict.kind else { return };
    let sentences = changes_aloud(state, [base, theirs, mine], *choices);
    let lines = |sentence: &String| sentence_lines(sentence, usize::from(inner.width)).len();
    let above = sentences.iter().take(conflict.row).map(lines).sum();
    if let (Some(area), Some(sentence)) = (dialog::line(inner, above), sentences.get(conflict.row)) {
        frame.point_at_line(area.x, area.y);
        frame.set_chosen_line(sentence.clone());
    }
}

/// The fields of two changes, each with the side that is kept.
fn changes_aloud(state: &State, segments: [&Segment; 3], choices: [KeptSide; Field::ALL.len()]) -> Vec<String> {
    let fields = Field::ALL.into_iter().zip(choices);
    let sentences = fields.map(|(field, choice)| {
        let sentence = field_aloud(state, field, CHANGES, segments);
        let differs = segments.iter().any(|segment| segment.field(field) != segments[0].field(field));
        let kept = if choice == KeptSide::Mine { "keep yours" } else { "keep theirs" };
        if differs { format!("{sentence}, {kept}") } else { sentence }
    });
    sentences.collect()
}

/// One field of several versions of a segment; given once if it is the same in all.
fn field_aloud<const N: usize>(state: &State, field: Field, headings: [&str; N], segments: [&Segment; N]) -> String {
    let texts = segments.map(|segment| match field_text(&state.tree.forest, segment, field) {
        text if segment.field(field).is_none() && field == Field::ExternalId => text.replace('–', "none"),
        text => text,
    });
    if texts.iter().all(|text| *text == texts[0]) {
        return format!("{}: {}", label(field), texts[0]);
    }
    let values: Vec<String> = headings.iter().zip(&texts).map(|(heading, text)| format!("{heading} {text}")).collect();
    format!("{}: {}", label(field), values.join(", "))
}

/// Wraps a sentence to `width` cells.
fn sentence_lines(sentence: &str, width: usize) -> Vec<Line<'static>> {
    let options = textwrap::Options::new(width.max(8)).subsequent_indent("  ");
    textwrap::wrap(&printable(sentence), options).into_iter().map(|line| Line::raw(line.into_owned())).collect()
}

/// Makes each value of the server and of yours clickable, to keep it.
fn mark_sides(inner: Rect, columns: [usize; 3], frame: &mut Canvas<'_, '_>) {
    let [before, theirs, mine] = columns.map(|column| u16::try_from(column).unwrap_or(u16::MAX));
    let second = LABEL_CELLS.saturating_add(before);
    let third = second.saturating_add(theirs);
    for at in 0..Field::ALL.len() {
        let Some(area) = dialog::line(inner, 1 + at) else { return };
        for (x, column, side) in [(second, theirs, KeptSide::Theirs), (third, mine, KeptSide::Mine)] {
            let width = column.min(area.width.saturating_sub(x));
            frame.add_target(Rect { x: area.x.saturating_add(x), width, ..area }, Target::Side(at, side));
        }
    }
}

/// Column headings for two changes, for a deletion and a change, and for a requested segment and its possible duplicate.
const CHANGES: [&str; 3] = ["before", "on the server", "yours"];
const DELETION: [&str; 2] = ["before", "on the server"];
const DUPLICATE: [&str; 2] = ["requested", "found"];

/// The cells each column needs to show its heading and values uncut, including the blank behind them.
fn needed_widths<const N: usize>(state: &State, headings: [&str; N], segments: [&Segment; N]) -> [usize; N] {
    std::array::from_fn(|at| {
        let values = Field::ALL.map(|field| field_text(&state.tree.forest, segments[at], field).width());
        values.into_iter().fold(headings[at].width(), usize::max) + 1
    })
}

/// Cells for each column of values: equal where that cuts nothing; otherwise each gets its whole heading, and the rest goes to the
/// columns that lack the most.
fn columns<const N: usize>(width: usize, headings: [&str; N], needed_widths: [usize; N]) -> [usize; N] {
    let room = width.saturating_sub(NON_VALUE_CELLS);
    let same = (room / N).max(MIN_COLUMN_CELLS);
    let headings = headings.map(|heading| heading.width() + 1);
    if needed_widths.iter().all(|need| *need <= same) || headings.iter().sum::<usize>() > room {
        return [same; N];
    }
    let mut columns = headings;
    for _ in headings.iter().sum()..room {
        let missing = (0..N).map(|at| (needed_widths[at].saturating_sub(columns[at]), at));
        match missing.max_by_key(|(missing, at)| (*missing, N - at)) {
            Some((1.., at)) => columns[at] += 1,
            _ => break,
        }
    }
    columns
}

/// Cells of the bar and the field label.
const LABEL_CELLS: u16 = 13;

/// The cells needed to cut no value.
fn needed_width(state: &State, conflict: &Conflict) -> usize {
    match &conflict.kind {
        ConflictKind::Changes { base, theirs, mine, .. } => {
            NON_VALUE_CELLS + needed_widths(state, CHANGES, [base, theirs, mine]).iter().sum::<usize>()
        }
        ConflictKind::Deletion { base, theirs } => {
            NON_VALUE_CELLS + needed_widths(state, DELETION, [base, theirs]).iter().sum::<usize>()
        }
        ConflictKind::PossibleDuplicate { mine, theirs } => {
            NON_VALUE_CELLS + needed_widths(state, DUPLICATE, [mine, theirs]).iter().sum::<usize>()
        }
        ConflictKind::Gone { mine } => self::summary(state, mine).width() + "Yours: ".len(),
        ConflictKind::NewChildren { new_children, .. } => {
            let names = new_children.iter().take(MAX_NEW_CHILDREN).filter_map(|id| state.tree.forest.get(id));
            names.map(|segment| segment.name.width() + 2).max().unwrap_or(0)
        }
    }
}

/// How many new children are named.
const MAX_NEW_CHILDREN: usize = 5;

fn lines(state: &State, conflict: &Conflict, theme: &Theme, width: usize) -> Vec<Row<'static>> {
    let keys = dialog::keys_wrapped(&conflict.keys(), width);
    let lines = match &conflict.kind {
        ConflictKind::Changes { base, theirs, mine, choices } if theme.symbols.are_words() => {
            let sentences = changes_aloud(state, [base, theirs, mine], *choices);
            let lines = sentences.iter().flat_map(|sentence| sentence_lines(sentence, width));
            lines.chain([Line::default()]).collect()
        }
        ConflictKind::Changes { base, theirs, mine, choices } => {
            let columns = columns(width, CHANGES, needed_widths(state, CHANGES, [base, theirs, mine]));
            let mut lines = vec![row(theme, columns, "", CHANGES, None, false)];
            for (at, field) in Field::ALL.into_iter().enumerate() {
                let texts =
                    [&**base, theirs, mine].map(|segment: &Segment| field_text(&state.tree.forest, segment, field));
                let texts = texts.each_ref().map(String::as_str);
                // If nobody changed the field, there is nothing to choose.
                let kept_side = (base.field(field) != theirs.field(field) || theirs.field(field) != mine.field(field))
                    .then_some(choices[at]);
                lines.push(row(theme, columns, label(field), texts, kept_side, at == conflict.row));
            }
            lines.push(Line::default());
            lines
        }
        ConflictKind::Gone { mine } => vec![
            Line::raw(fitted(&format!("Yours: {}", own_summary(state, mine, theme)), width).into_owned()),
            Line::raw("Re-creating gives it a new ID and no children."),
            Line::default(),
        ],
        ConflictKind::Deletion { base, theirs } => {
            let mut lines = side_by_side(state, theme, width, DELETION, [base, theirs]);
            lines.push(Line::default());
            lines
        }
        ConflictKind::PossibleDuplicate { mine, theirs } => {
            let mut lines = side_by_side(state, theme, width, DUPLICATE, [mine, theirs]);
            lines.push(Line::default());
            lines.push(Line::raw("It may have been changed since, or be a different one."));
            lines
        }
        ConflictKind::NewChildren { new_children, .. } => {
            let mut lines: Vec<Line<'static>> = Vec::new();
            for id in new_children.iter().take(MAX_NEW_CHILDREN) {
                let name = state.tree.forest.get(id).map_or_else(|| id.to_string(), |segment| segment.name.to_string());
                lines.push(Line::raw(format!("  {}", fitted(&name, width.saturating_sub(2)))));
            }
            let more = new_children.len().saturating_sub(MAX_NEW_CHILDREN);
            lines.push(if more > 0 { Line::raw(format!("  and {more} more")) } else { Line::default() });
            lines.push(Line::raw(deletion_outcome(state, conflict)));
            lines
        }
    };
    lines.into_iter().map(Row::Text).chain(keys).collect()
}

/// What happened to a deletion that a new child blocks.
fn deletion_outcome(state: &State, conflict: &Conflict) -> String {
    match conflict.progress(state).filter(|(done, _)| *done > 0) {
        None => "Nothing was deleted.".into(),
        Some((done, all)) => {
            let all = counted(all, Noun::Change);
            format!("It was not deleted. Of this plan, {} of {all} were applied.", grouped(done))
        }
    }
}

/// Two segments, field by field, with the differences marked.
fn side_by_side(
    state: &State,
    theme: &Theme,
    width: usize,
    headings: [&str; 2],
    segments: [&Segment; 2],
) -> Vec<Line<'static>> {
    if theme.symbols.are_words() {
        let sentences = Field::ALL.map(|field| field_aloud(state, field, headings, segments));
        return sentences.iter().flat_map(|sentence| sentence_lines(sentence, width)).collect();
    }
    let columns = columns(width, headings, needed_widths(state, headings, segments));
    let mut lines = vec![row(theme, columns, "", headings, None, false)];
    for field in Field::ALL {
        let texts = segments.map(|segment: &Segment| field_text(&state.tree.forest, segment, field));
        let texts = texts.each_ref().map(String::as_str);
        lines.push(row(theme, columns, label(field), texts, None, texts[0] != texts[1]));
    }
    lines
}

const fn label(field: Field) -> &'static str {
    match field {
        Field::Name => "Name",
        Field::ExternalId => "External ID",
        Field::Parent => "Parent",
    }
}

fn summary(state: &State, segment: &Segment) -> String {
    let texts = Field::ALL.map(|field| field_text(&state.tree.forest, segment, field));
    format!("{} · {} · in {}", texts[0], texts[1], texts[2])
}

fn own_summary(state: &State, segment: &Segment, theme: &Theme) -> String {
    if !theme.symbols.are_words() {
        return summary(state, segment);
    }
    let external_id = segment.external_id.as_ref().map_or("none", |text| text);
    format!(
        "{}, external ID {external_id}, in {}",
        segment.name,
        field_text(&state.tree.forest, segment, Field::Parent)
    )
}

/// A row of values. A word names the kept side, and its value is highlighted.
fn row<const N: usize>(
    theme: &Theme,
    columns: [usize; N],
    label: &str,
    values: [&str; N],
    kept_side: Option<KeptSide>,
    current: bool,
) -> Line<'static> {
    let bar = if current { theme.symbols.bar } else { " " };
    let styles = match kept_side {
        None => [theme.quiet; 3],
        Some(KeptSide::Theirs) => [theme.quiet, theme.strong, theme.quiet],
        Some(KeptSide::Mine) => [theme.quiet, theme.quiet, theme.strong],
    };
    let mut spans = vec![Span::styled(format!("{bar}{label:<12}"), theme.quiet)];
    for ((text, column), style) in values.into_iter().zip(columns).zip(styles) {
        let text = fitted(text, column.saturating_sub(1));
        let padding = " ".repeat(column.saturating_sub(text.width()));
        spans.push(Span::styled(text.into_owned(), style));
        spans.push(Span::styled(padding, Style::new()));
    }
    if let Some(side) = kept_side {
        let word = if side == KeptSide::Mine { "yours" } else { "theirs" };
        spans.push(Span::styled(word, theme.accent));
    }
    Line::from(spans)
}
