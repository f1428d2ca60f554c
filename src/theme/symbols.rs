//! [`Symbols`]: the signs that stand beside the words, so that colour never alone carries a meaning.

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
        heights: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        lines: Lines { across: "─", down: "│", down_from: "┬", up_from: "┴", right_from: "├" },
    };

    /// For fonts without.
    pub const ASCII: Self = Self {
        open: "v ",
        closed: "> ",
        bar: "|",
        fresh: "*",
        pending: "o",
        edited: "e",
        marked: "#",
        cut: "x",
        wrong: "!",
        done: "+",
        failed: "!",
        working: "~",
        offline: "-",
        found: "=",
        changed: "*",
        thumb: "#",
        block: "=",
        shade: ".",
        heights: ["_", ".", "-", ":", "=", "+", "*", "#"],
        lines: Lines { across: "-", down: "|", down_from: "+", up_from: "+", right_from: "+" },
    };
}
