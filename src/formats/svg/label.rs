//! What is written at a place of the picture, and about how wide it is.
//!
//! Nobody knows which letters the reader has; cells of a terminal are a fair measure of all alphabets.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::super::part::ExportRow;
use super::layout::LABEL_GAP;

/// Longer names are cut: the whole is in the title of the node.
const NAME_CELLS: usize = 60;
const EXTERNAL_ID_CELLS: usize = 40;
/// Tenths of a pixel that a cell takes, by the style of the letters.
const NAME_CELL: usize = 80;
const SMALL_CELL: usize = 67;

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
            name: shortened(entry.name(), NAME_CELLS),
            external_id: entry.external_id().map(|text| shortened(Cow::Borrowed(text), EXTERNAL_ID_CELLS)),
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

    /// In pixels.
    pub fn width(&self) -> usize {
        let small = |text: &str| text.width() * SMALL_CELL / 10 + LABEL_GAP;
        self.name.width() * NAME_CELL / 10
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
    fn a_long_text_ends_in_dots_whatever_its_letters() {
        assert_eq!(shortened("Łódź".into(), 4), "Łódź");
        assert_eq!(shortened("日本の卸売".into(), 6), "日本…");
    }
}
