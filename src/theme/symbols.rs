//! [`Symbols`]: the signs beside words, so that colour is never the only carrier of a meaning.

use std::borrow::Cow;

/// Between the old and the new value.
const ARROW: &str = " → ";

/// The signs beside words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Before an expanded row.
    pub open: &'static str,
    /// Before a collapsed row.
    pub closed: &'static str,
    /// At the left edge of the selected row.
    pub bar: &'static str,
    /// Changed recently; live.
    pub fresh: &'static str,
    /// Pending.
    pub pending: &'static str,
    /// Being edited here, or staged.
    pub edited: &'static str,
    /// Marked.
    pub marked: &'static str,
    /// Cut.
    pub cut: &'static str,
    /// Created.
    pub created: &'static str,
    /// Deleted, or about to be.
    pub deleted: &'static str,
    /// A failed change; also the default key that resolves it.
    pub problem: &'static str,
    /// No value, in a column.
    pub none: &'static str,
    /// A warning.
    pub wrong: &'static str,
    /// Done.
    pub done: &'static str,
    /// Failed.
    pub failed: &'static str,
    /// Loading.
    pub working: &'static str,
    /// Offline.
    pub offline: &'static str,
    /// A match, on the scrollbar.
    pub found: &'static str,
    /// A recent change, on the scrollbar.
    pub changed: &'static str,
    /// The thumb of a scrollbar.
    pub thumb: &'static str,
    /// A full cell of a bar.
    pub block: &'static str,
    /// An empty cell of a bar.
    pub shade: &'static str,
    /// Bars for charts in one line, from zero to the highest.
    pub heights: [&'static str; 8],
    /// Before a row, for each of its ancestor levels.
    pub guide: &'static str,
    /// Lines between panes, and their junctions.
    pub lines: Lines,
}

/// The signs for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// A horizontal line.
    pub across: &'static str,
    /// A vertical line.
    pub down: &'static str,
    /// A horizontal line with a branch down.
    pub down_from: &'static str,
    /// A horizontal line with a branch up.
    pub up_from: &'static str,
    /// A vertical line with a branch to the right.
    pub right_from: &'static str,
}

impl Symbols {
    /// For fonts with the usual symbols.
    pub const UNICODE: Self = Self {
        open: "▾ ",
        closed: "▸ ",
        bar: "▌",
        fresh: "●",
        pending: "◌",
        edited: "✎",
        marked: "◆",
        cut: "✂",
        created: "+",
        deleted: "−",
        problem: "!",
        none: "–",
        wrong: "⚠",
        done: "✓",
        failed: "✗",
        working: "◐",
        offline: "○",
        found: "━",
        changed: "•",
        thumb: "▐",
        block: "█",
        shade: "░",
        guide: "│",
        heights: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        lines: Lines { across: "─", down: "│", down_from: "┬", up_from: "┴", right_from: "├" },
    };

    /// For fonts without them. Signs beside a row, a change or a word differ, except that `*` and `!` serve two related uses each.
    /// `-` beside a row means deleted; in place of a value, none.
    pub const ASCII: Self = Self {
        open: "v ",
        closed: "> ",
        bar: "]",
        fresh: "*",
        pending: "o",
        edited: "e",
        marked: "#",
        cut: "%",
        created: "+",
        deleted: "-",
        problem: "!",
        none: "-",
        wrong: "!",
        done: "Y",
        failed: "X",
        working: "@",
        offline: "x",
        found: "=",
        changed: "*",
        thumb: "H",
        block: "=",
        shade: ".",
        guide: ":",
        heights: ["_", ".", "-", ":", "=", "+", "*", "#"],
        lines: Lines { across: "-", down: "|", down_from: "+", up_from: "+", right_from: "+" },
    };

    /// For screen readers: a word where a sign would be the only carrier of a meaning, and nothing for decoration.
    pub const WORDS: Self = Self {
        open: "",
        closed: "",
        bar: " ",
        fresh: "changed",
        pending: "pending",
        edited: "edited",
        marked: "marked",
        cut: "cut",
        created: "create",
        deleted: "delete",
        problem: "problem",
        none: "none",
        wrong: "Warning:",
        done: "",
        failed: "Failed:",
        working: "",
        offline: "",
        found: "",
        changed: "",
        thumb: " ",
        block: "",
        shade: "",
        guide: " ",
        heights: [""; 8],
        lines: Lines { across: " ", down: " ", down_from: " ", up_from: " ", right_from: " " },
    };

    /// Whether the signs are words, for a screen reader.
    #[must_use]
    pub fn are_words(&self) -> bool {
        *self == Self::WORDS
    }

    /// Returns a sign for use beside a word with the same meaning: empty in words, where it would be read twice.
    #[must_use]
    pub fn unless_words(&self, sign: &'static str) -> &'static str {
        if self.are_words() { "" } else { sign }
    }

    /// Puts a sign before a text.
    #[must_use]
    pub fn prefixed(sign: &str, text: &str) -> String {
        if sign.is_empty() { text.to_owned() } else { format!("{sign} {text}") }
    }

    /// Replaces arrows in a sentence with a word, for a screen reader.
    #[must_use]
    pub fn spoken<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.are_words() && text.contains(ARROW) { text.replace(ARROW, " to ").into() } else { text.into() }
    }

    /// Returns the ASCII form of the punctuation in segtui's own texts; `None` for all else. Letters are kept, since they are data.
    #[must_use]
    pub fn ascii_form(sign: &str) -> Option<&'static str> {
        Some(match sign {
            "·" => ".",
            "–" | "−" => "-",
            "›" => "/",
            "→" => ">",
            "…" => "~",
            "“" | "”" => "\"",
            _ => return None,
        })
    }

    /// Signs that appear alone beside a row, a change or a word. Of the two for recent changes and the two for problems, one each
    /// is included.
    #[cfg(test)]
    const fn signs(&self) -> [&'static str; 19] {
        [
            self.open,
            self.closed,
            self.bar,
            self.fresh,
            self.pending,
            self.edited,
            self.marked,
            self.cut,
            self.created,
            self.deleted,
            self.wrong,
            self.done,
            self.failed,
            self.working,
            self.offline,
            self.found,
            self.thumb,
            self.guide,
            self.lines.down,
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn signs_of_the_ascii_set_are_distinct() {
        let signs = Symbols::ASCII.signs().map(str::trim_end);
        assert_eq!(signs.iter().collect::<BTreeSet<_>>().len(), signs.len(), "{signs:?}");
        assert!(signs.iter().all(|sign| sign.len() == 1 && sign.is_ascii()), "{signs:?}");
        // They also differ from the separator, the ellipsis and the path delimiter.
        let spelled = ["·", "…", "›"].map(|sign| Symbols::ascii_form(sign).unwrap_or_default());
        assert!(spelled.iter().all(|sign| !sign.is_empty() && !signs.contains(sign)), "{spelled:?}");
    }
}
