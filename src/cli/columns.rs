//! Aligned columns of short texts for reading. Each text is made safe for a terminal.

use unicode_width::UnicodeWidthStr;

use crate::printable::printable;

/// Returns the rows as lines. All columns but the last are as wide as their widest text.
pub(super) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    painted(rows, |_, text| text.to_owned())
}

/// Like [`aligned`], with each text painted by its column. Escape sequences don't count for the width.
pub(super) fn painted<const COLUMNS: usize>(
    rows: &[[String; COLUMNS]],
    paint: impl Fn(usize, &str) -> String,
) -> String {
    let rows: Vec<[String; COLUMNS]> =
        rows.iter().map(|row| row.each_ref().map(|text| printable(text).into_owned())).collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.width().max(*width);
        }
    }
    let mut lines = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (text, width)) in row.iter().zip(widths).enumerate() {
            line.push_str(&if text.is_empty() { String::new() } else { paint(column, text) });
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width()) + 2));
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_visible_text() {
        let row = |texts: [&str; 3]| texts.map(str::to_owned);
        let rows = [row(["a", "łódź", "x"]), row(["long", "漢", ""]), row(["", "\u{1b}[2J", "y"])];
        assert_eq!(aligned(&rows), "a     łódź  x\nlong  漢\n      �[2J  y\n");
    }
}
