//! Fitting text into cells.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::Area;
use crate::printable::printable;

/// Converts an area to ratatui's rectangle.
pub(super) const fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}

/// Draws a line at the right end of an area, touching only the cells it needs.
pub(super) fn draw_right(line: Line<'_>, area: Rect, frame: &mut Frame<'_>) {
    let width = u16::try_from(line.width()).unwrap_or(area.width).min(area.width);
    frame.render_widget(line, Rect { x: area.x + area.width - width, width, ..area });
}

/// Fits a text into `width` cells, with `…` at the end if it was cut. Unprintable characters are replaced.
pub(super) fn fitted(text: &str, width: usize) -> Cow<'_, str> {
    let text = printable(text);
    if text.width() <= width {
        return text;
    }
    let Some(room) = width.checked_sub(1) else { return Cow::Borrowed("") };
    let mut used = 0;
    let kept: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            used += grapheme.width();
            used <= room
        })
        .collect();
    Cow::Owned(kept + "…")
}

/// Fits a text into `width` cells, with `…` at the start if it was cut: for paths, whose end matters.
pub(super) fn fitted_end(text: &str, width: usize) -> Cow<'_, str> {
    let text = printable(text);
    if text.width() <= width {
        return text;
    }
    let Some(room) = width.checked_sub(1) else { return Cow::Borrowed("") };
    let mut used = 0;
    let mut kept: Vec<&str> = text
        .graphemes(true)
        .rev()
        .take_while(|grapheme| {
            used += grapheme.width();
            used <= room
        })
        .collect();
    kept.push("…");
    Cow::Owned(kept.into_iter().rev().collect())
}

/// A text with the given byte ranges in another style, cut to `width` cells.
pub(super) fn highlighted(
    text: &str,
    ranges: &[Range<usize>],
    width: usize,
    style: Style,
    matched: Style,
) -> Line<'static> {
    let shown = fitted(text, width);
    let cut =
        if shown.ends_with('…') && shown.as_ref() != text { shown.len() - '…'.len_utf8() } else { shown.len() };
    let mut spans = Vec::new();
    let mut at = 0;
    for range in ranges {
        let (start, end) = (range.start.min(cut), range.end.min(cut));
        let (Some(before), Some(inside)) = (shown.get(at..start), shown.get(start..end)) else { continue };
        spans.push(Span::styled(before.to_owned(), style));
        spans.push(Span::styled(inside.to_owned(), style.patch(matched)));
        at = end;
    }
    spans.push(Span::styled(shown.get(at..).unwrap_or_default().to_owned(), style));
    spans.retain(|span| !span.content.is_empty());
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_its_cells_with_dots() {
        assert_eq!(fitted("Hurtownie", 20), "Hurtownie");
        assert_eq!(fitted("Hurtownie", 5), "Hurt…");
        assert_eq!(fitted("日本の卸売", 6), "日本…");
        assert_eq!(fitted("x", 0), "");
        assert_eq!(fitted_end("segment › VIP", 6), "…› VIP");
    }

    #[test]
    fn escape_sequences_in_a_name_are_replaced() {
        assert_eq!(fitted("\u{1b}[31mred", 20), "\u{fffd}[31mred");
    }
}
