//! Every action by name: typed in part, found wherever the letters stand, and asked for with Enter.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::action::{Action, Entry, TABLE};
use crate::keymap::Key;

use super::{Effect, Layer, State, TextField, perform};

/// What is typed to find an action, and which one is chosen.
#[derive(Debug, Clone)]
pub struct Palette {
    /// What is typed.
    pub text: TextField,
    /// The chosen line of what was found.
    pub chosen: usize,
}

impl Default for Palette {
    fn default() -> Self {
        Self { text: TextField::new(""), chosen: 0 }
    }
}

impl Palette {
    /// The actions that match, the best first; all of them, in the order in which they are read, when nothing is typed.
    #[must_use]
    pub fn found(&self) -> Vec<&'static Entry> {
        let offered = TABLE.iter().filter(|entry| entry.action != Action::Palette);
        let text = self.text.text().trim();
        if text.is_empty() {
            return offered.collect();
        }
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut found: Vec<(u32, &Entry)> = offered
            .filter_map(|entry| {
                let words = format!("{} {}", entry.name.replace('-', " "), entry.help);
                let score = pattern.score(Utf32Str::new(&words, &mut letters), &mut matcher)?;
                Some((score, entry))
            })
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, entry)| entry).collect()
    }
}

const PAGE: usize = 10;

pub(super) fn press(state: &mut State, mut palette: Palette, key: Key) -> Vec<Effect> {
    let last = palette.found().len().saturating_sub(1);
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return Vec::new(),
        "enter" => {
            let found = palette.found();
            let Some(entry) = found.get(palette.chosen) else {
                state.layers.push(Layer::Palette(palette));
                return Vec::new();
            };
            return perform::perform(state, entry.action);
        }
        "down" | "ctrl-n" => palette.chosen = (palette.chosen + 1).min(last),
        "up" | "ctrl-p" => palette.chosen = palette.chosen.saturating_sub(1),
        "pagedown" => palette.chosen = (palette.chosen + PAGE).min(last),
        "pageup" => palette.chosen = palette.chosen.saturating_sub(PAGE),
        _ => {
            if palette.text.press(key) {
                palette.chosen = 0;
            }
        }
    }
    state.layers.push(Layer::Palette(palette));
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for entry in TABLE.iter().filter(|entry| entry.action != Action::Palette) {
            let palette = Palette { text: TextField::new(&entry.name.replace('-', " ")), chosen: 0 };
            let found = palette.found();
            assert!(found.iter().take(3).any(|other| other.action == entry.action), "{}: {found:?}", entry.name);
        }
    }

    #[test]
    fn letters_may_stand_apart() {
        let palette = Palette { text: TextField::new("unfsub"), chosen: 0 };
        assert_eq!(palette.found()[0].action, Action::ExpandSubtree);
    }
}
