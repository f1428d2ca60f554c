//! The list of a dialog: the selected line, the keys that move it, and the visible part.

use std::ops::Range;

/// The selected line of a list. The dialog knows the length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct List {
    /// The selected line, from 0.
    pub chosen: usize,
}

/// The keys that move through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum ListKeys {
    /// Only keys that type nothing, for a list with a text field.
    BesideText,
    /// Letters too.
    Letters,
}

const PAGE: isize = 10;

impl ListKeys {
    /// Returns how far a key moves; `None` if it doesn't move through a list.
    pub fn distance(self, key: &str) -> Option<isize> {
        let letters = self == Self::Letters;
        Some(match key {
            "down" => 1,
            "up" => -1,
            "pagedown" => PAGE,
            "pageup" => -PAGE,
            "ctrl-n" if !letters => 1,
            "ctrl-p" if !letters => -1,
            "j" if letters => 1,
            "k" if letters => -1,
            "ctrl-d" | "space" if letters => PAGE,
            "ctrl-u" if letters => -PAGE,
            "g" | "home" if letters => isize::MIN,
            "G" | "end" if letters => isize::MAX,
            _ => return None,
        })
    }
}

impl List {
    /// Moves the selection by a number of lines, within `len` lines.
    pub(in crate::app) fn go(&mut self, by: isize, len: usize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Handles a key in a list of `len` lines. Returns whether it is one that moves through the list.
    pub(in crate::app) fn press(&mut self, key: &str, len: usize, keys: ListKeys) -> bool {
        let distance = keys.distance(key);
        if let Some(by) = distance {
            self.go(by, len);
        }
        distance.is_some()
    }

    /// Returns the visible part of `len` lines when `shown` of them fit: around the selected one.
    #[must_use]
    pub fn window(self, len: usize, shown: usize) -> Range<usize> {
        let first = self.chosen.saturating_sub(shown / 2).min(len.saturating_sub(shown));
        first..(first + shown).min(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_line_stays_in_the_list_and_visible() {
        let mut list = List::default();
        for (key, keys, chosen, window) in [
            ("up", ListKeys::BesideText, 0, 0..5),
            ("pagedown", ListKeys::BesideText, 10, 8..13),
            ("G", ListKeys::Letters, 19, 15..20),
            ("k", ListKeys::Letters, 18, 15..20),
            ("home", ListKeys::Letters, 0, 0..5),
        ] {
            assert!(list.press(key, 20, keys), "{key}");
            assert_eq!((list.chosen, list.window(20, 5)), (chosen, window), "{key}");
        }
        assert!(!list.press("j", 20, ListKeys::BesideText), "it is typed");
        list.go(7, 0);
        assert_eq!((list.chosen, list.window(0, 5)), (0, 0..0));
    }
}
