//! The label of a row in the picture, and its approximate width.
//!
//! The reader's font is unknown; the width in terminal cells is a fair estimate for all scripts.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::super::part::ExportRow;
use super::layout::LABEL_GAP;

/// Longer texts are cut; the full name is in the node's title.
const MAX_NAME_CELLS: usize = 60;
const MAX_EXTERNAL_ID_CELLS: usize = 40;
/// The width of a cell in tenths of a pixel, by font size.
const NAME_CELL_WIDTH: usize = 80;
const SMALL_CELL_WIDTH: usize = 67;

pub(super) struct Label<'a> {
    depth: Option<String>,
    name: Cow<'a, str>,
    external_id: Option<Cow<'a, str>>,
    count: Option<u32>,
}

impl<'a> Label<'a> {
    pub fn of(entry: &ExportRow<'a>) -> Self {
        Self {
            depth: (entry.depth > entry.level).then(|| format!("[{}]", entry.depth)),
            name: shortened(entry.name(), MAX_NAME_CELLS),
            external_id: entry.external_id().map(|text| shortened(Cow::Borrowed(text), MAX_EXTERNAL_ID_CELLS)),
            count: Some(entry.descendants()).filter(|count| *count > 0),
        }
    }

    pub fn depth(&self) -> Option<&str> {
        self.depth.as_deref()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    pub const fn count(&self) -> Option<u32> {
        self.count
    }

    /// The width in pixels.
    pub fn width(&self) -> usize {
        let small = |text: &str| text.width() * SMALL_CELL_WIDTH / 10 + LABEL_GAP;
        self.name.width() * NAME_CELL_WIDTH / 10
            + self.depth().map_or(0, small)
            + self.external_id().map_or(0, small)
            + self.count.map_or(0, |count| small(&count.to_string()))
    }
}

fn shortened(text: Cow<'_, str>, cells: usize) -> Cow<'_, str> {
    if text.width() <= cells {
        return text;
    }
    let mut used = 1;
    let kept: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            used += grapheme.width();
            used <= cells
        })
        .collect();
    Cow::Owned(kept + "…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_in_any_script_ends_with_an_ellipsis() {
        assert_eq!(shortened("Łódź".into(), 4), "Łódź");
        assert_eq!(shortened("日本の卸売".into(), 6), "日本…");
    }
}
