//! Every action by name: typed in part, found wherever the letters stand, and asked for with Enter.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use std::cmp::Reverse;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::action::{Action, TABLE, UserCommand};
use crate::keymap::Key;

use crate::app::dialogs::closeness::Closeness;
use crate::app::tree::marking;
use crate::app::{State, TextField, perform};

/// What is typed to find an action, and which one is chosen.
#[derive(Debug, Clone)]
pub struct Palette {
    /// What is typed.
    pub text: TextField,
    /// Which of what was found is chosen.
    pub list: List,
}

impl Default for Palette {
    fn default() -> Self {
        Self { text: TextField::new(""), list: List::default() }
    }
}

/// An action that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The action.
    pub action: Action,
    /// What the configuration calls it; nothing for a command of the person's own.
    name: &'static str,
    /// What it does, or what a command of the person's own is called.
    pub help: &'a str,
}

/// The actions of the table, then the person's own commands.
fn offered(own: &[UserCommand]) -> impl Iterator<Item = Offer<'_>> {
    let listed = TABLE.iter().filter(|entry| entry.action != Action::Palette);
    let listed = listed.map(|entry| Offer { action: entry.action, name: entry.name, help: entry.help });
    let own = (0..).zip(own);
    listed.chain(own.map(|(number, command)| Offer {
        action: Action::UserCommands(number),
        name: "",
        help: &command.name,
    }))
}

impl Palette {
    /// The actions that match, the best first; all of them, in the order in which they are read, when nothing is typed.
    #[must_use]
    pub fn found<'a>(&self, own: &'a [UserCommand]) -> Vec<Offer<'a>> {
        let offered = offered(own);
        let text = self.text.text().trim();
        if text.is_empty() {
            return offered.collect();
        }
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut found: Vec<(Closeness, Reverse<u32>, Offer<'_>)> = offered
            .filter_map(|offer| {
                let name = offer.name.replace('-', " ");
                let words = format!("{name} {}", offer.help);
                let score = pattern.score(Utf32Str::new(&words, &mut letters), &mut matcher)?;
                Some((Closeness::of(text, [&name, offer.help]), Reverse(score), offer))
            })
            .collect();
        found.sort_by_key(|(closeness, score, _)| (*closeness, *score));
        found.into_iter().map(|(_, _, offer)| offer).collect()
    }
}

pub(in crate::app) fn press(state: &mut State, palette: &mut Palette, key: Key) -> KeyResult {
    let found = palette.found(&state.side.commands.commands).len();
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => {
            let chosen =
                palette.found(&state.side.commands.commands).get(palette.list.chosen).map(|offer| offer.action);
            let Some(action) = chosen else { return KeyResult::Stay };
            let effects = perform::perform(state, action);
            marking::follow(state);
            return KeyResult::Do(effects);
        }
        text if palette.list.press(text, found, ListKeys::BesideText) => {}
        _ => {
            if palette.text.press(key) {
                palette.list = List::default();
            }
        }
    }
    KeyResult::Stay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for entry in TABLE.iter().filter(|entry| entry.action != Action::Palette) {
            let palette = Palette { text: TextField::new(&entry.name.replace('-', " ")), list: List::default() };
            let found = palette.found(&[]);
            assert!(found.iter().take(3).any(|other| other.action == entry.action), "{}: {found:?}", entry.name);
        }
    }

    #[test]
    fn letters_may_stand_apart() {
        let palette = Palette { text: TextField::new("expblw"), list: List::default() };
        assert_eq!(palette.found(&[])[0].action, Action::ExpandSubtree);
    }
}
