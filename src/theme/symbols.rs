//! [`Symbols`]: the signs that stand beside the words, so that colour never alone carries a meaning.

use std::borrow::Cow;

/// Between what was and what is.
const ARROW: &str = " → ";

/// The signs beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Before an unfolded row.
    pub open: &'static str,
    /// Before a folded row.
    pub closed: &'static str,
    /// At the left edge of the selected row.
    pub bar: &'static str,
    /// Changed a moment ago; live.
    pub fresh: &'static str,
    /// Waits for the server.
    pub pending: &'static str,
    /// Is being edited here.
    pub edited: &'static str,
    /// Is marked.
    pub marked: &'static str,
    /// Is cut.
    pub cut: &'static str,
    /// Was created.
    pub created: &'static str,
    /// Was deleted, or will be.
    pub deleted: &'static str,
    /// Has a change that failed: also the key that resolves it.
    pub problem: &'static str,
    /// In a column of values: there is none.
    pub none: &'static str,
    /// Something is wrong.
    pub wrong: &'static str,
    /// Done.
    pub done: &'static str,
    /// Failed.
    pub failed: &'static str,
    /// Loading.
    pub working: &'static str,
    /// Offline.
    pub offline: &'static str,
    /// In the column of the scroll bar: a match stands there.
    pub found: &'static str,
    /// In the same column: something changed there a moment ago.
    pub changed: &'static str,
    /// The part of the scroll bar that moves.
    pub thumb: &'static str,
    /// A full cell of a bar.
    pub block: &'static str,
    /// An empty cell of a bar.
    pub shade: &'static str,
    /// Bars beside each other in one line, from none to the highest.
    pub heights: [&'static str; 8],
    /// Before a row, at each level that it is below.
    pub guide: &'static str,
    /// Lines: across, down, and where they meet (from above, from below, from the right, from the left).
    pub lines: Lines,
}

/// The signs of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Across.
    pub across: &'static str,
    /// Down.
    pub down: &'static str,
    /// Across, with one going down.
    pub down_from: &'static str,
    /// Across, with one coming from above.
    pub up_from: &'static str,
    /// Down, with one going right.
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

    /// For fonts without. Each has one meaning, apart from what [`Self::UNICODE`] has one sign for: `-` beside a row is deleted, and not
    /// a separator too; in the place of a value there is none.
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

    /// For whoever has the screen read aloud: a word where a sign alone would carry a meaning, and nothing where it only draws.
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

    /// Whether they are words, since the screen is read aloud.
    #[must_use]
    pub fn are_words(&self) -> bool {
        *self == Self::WORDS
    }

    /// A sign beside a word that says the same: nothing where it would be read twice.
    #[must_use]
    pub fn beside(&self, sign: &'static str) -> &'static str {
        if self.are_words() { "" } else { sign }
    }

    /// A sign, and behind it what it stands before.
    #[must_use]
    pub fn led(sign: &str, text: &str) -> String {
        if sign.is_empty() { text.to_owned() } else { format!("{sign} {text}") }
    }

    /// A sentence in which an arrow stands for a word, as it is read.
    #[must_use]
    pub fn spoken<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.are_words() && text.contains(ARROW) { text.replace(ARROW, " to ").into() } else { text.into() }
    }

    /// The punctuation of our own texts as every font has it; `None` for all other signs. Letters are left alone: they are data.
    #[must_use]
    pub fn spelled(sign: &str) -> Option<&'static str> {
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

    /// What stands alone beside a row, a change or a word. The sign of a change a moment ago, and that of something that is wrong, are
    /// here once each.
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
    fn each_sign_of_the_ascii_set_has_one_meaning() {
        let signs = Symbols::ASCII.signs().map(str::trim_end);
        assert_eq!(signs.iter().collect::<BTreeSet<_>>().len(), signs.len(), "{signs:?}");
        assert!(signs.iter().all(|sign| sign.len() == 1 && sign.is_ascii()), "{signs:?}");
        // Nor is one of them what separates words, ends what was cut, or leads down a path.
        let spelled = ["·", "…", "›"].map(|sign| Symbols::spelled(sign).unwrap_or_default());
        assert!(spelled.iter().all(|sign| !sign.is_empty() && !signs.contains(sign)), "{spelled:?}");
    }
}
