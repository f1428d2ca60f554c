//! Continuations of a started key sequence, and bookmarks when one is asked for: a box above the footer.

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{Layer, Letter, State, Target};
use crate::keymap::sequence_text;
use crate::segment::SegmentId;

use super::Look;
use super::text::{fitted, rect};

/// Maximum width of the columns: a list this short is read at a glance.
const MAX_WIDTH: u16 = 60;
/// Maximum cells for the name of a bookmark.
const MAX_NAME_CELLS: usize = 40;
/// Cells between two columns.
const COLUMN_GAP: usize = 3;

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    match state.screen.layers.as_slice() {
        [] if !state.screen.pressed.is_empty() => {
            let continuations = look.keymap.continuations(&state.screen.pressed);
            let entry = |(keys, action)| (keys, look.keymap.label(action).to_owned(), Target::Action(action));
            draw_box(
                state,
                &sequence_text(&state.screen.pressed),
                &continuations.map(entry).collect::<Vec<_>>(),
                look,
                frame,
            );
        }
        [.., Layer::Letter(Letter::GoTo)] => {
            draw_box(state, state.key(Action::GoToBookmark), &bookmarks(state), look, frame);
        }
        _ => {}
    }
}

/// The keys, their label, and the click target.
type Entry = (String, String, Target);

/// The bookmarks, by letter and segment name.
fn bookmarks(state: &State) -> Vec<Entry> {
    let bookmark = |(letter, id): (char, &SegmentId)| {
        let name = state.tree.forest.get(id).map_or("(no longer exists)", |segment| segment.name.as_str());
        (letter.to_string(), fitted(name, MAX_NAME_CELLS).into_owned(), Target::Bookmark(letter))
    };
    state.tree.picks.places.bookmarks().map(bookmark).collect()
}

fn draw_box(state: &State, title: &str, entries: &[Entry], look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let (footer, screen) = (rect(state.layout().footer), rect(state.layout().screen));
    let theme = look.theme;
    let keys_width = entries.iter().map(|(keys, ..)| keys.width()).max().unwrap_or(0);
    let label_width = entries.iter().map(|(_, label, _)| label.width()).max().unwrap_or(0);
    let column = keys_width + 1 + label_width + COLUMN_GAP;
    let is_accessible = theme.symbols.are_words();
    let fitting = (usize::from(screen.width.min(MAX_WIDTH)).saturating_sub(2) / column.max(1)).max(1);
    let columns = if is_accessible { 1 } else { fitting };
    let lines = entries.len().div_ceil(columns);
    let height = u16::try_from(lines + 1).unwrap_or(u16::MAX);
    if entries.is_empty() || height > footer.y {
        return;
    }
    let width = u16::try_from(columns * column + 1).unwrap_or(u16::MAX).min(screen.width);
    let width = if is_accessible { screen.width } else { width };
    let area = Rect { x: screen.x, y: footer.y - height, width, height };
    frame.render_widget(Clear, area);
    frame.add_target(area, Target::Nothing);
    frame.point_at_line(area.x + 2.min(area.width), area.y);
    let buffer = frame.buffer_mut();
    let across = theme.symbols.lines.across.repeat(usize::from(area.width));
    buffer.set_stringn(area.x, area.y, across, usize::from(area.width), theme.line);
    let title = format!(" {title} … ");
    buffer.set_stringn(area.x + 1, area.y, title, usize::from(area.width.saturating_sub(2)), theme.accent);
    if area.width < screen.width {
        for y in area.y..area.y + area.height {
            buffer.set_stringn(area.x + area.width - 1, y, theme.symbols.lines.down, 1, theme.line);
        }
    }
    // Top to bottom, then the next column.
    for (at, (keys, label, target)) in entries.iter().enumerate() {
        let (column_at, line) = (at / lines, at % lines);
        let (Ok(x), Ok(y)) = (u16::try_from(1 + column_at * column), u16::try_from(line)) else { continue };
        if x >= area.width {
            break;
        }
        let room = area.width - x;
        let text = fitted(label, usize::from(room).saturating_sub(keys_width + 1)).into_owned();
        let keys_width = if is_accessible { 0 } else { keys_width };
        let line = Line::from(vec![
            Span::styled(format!("{keys:<keys_width$}"), theme.accent),
            Span::styled(format!(" {text}"), theme.quiet),
        ]);
        frame.buffer_mut().set_line(area.x + x, area.y + 1 + y, &line, room);
        let width = u16::try_from(keys_width + 1 + label_width).unwrap_or(room).min(room);
        frame.add_target(Rect { x: area.x + x, y: area.y + 1 + y, width, height: 1 }, target.clone());
    }
}
