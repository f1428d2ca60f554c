//! Every action by name: typed in part, found wherever the letters stand, and asked for with Enter.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use std::cmp::Reverse;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::action::{Action, Aspect, TABLE, UserCommand};
use crate::keymap::Key;

use crate::app::dialogs::closeness::Closeness;
use crate::app::named_commands::{self, ARGUMENTS, Argument, ArgumentCommand};
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

/// What others call an action, beside its own name: words by which it is found too.
const SYNONYMS: &[(Action, &str)] = &[
    (Action::AddChild, "new create insert"),
    (Action::AddSibling, "new create insert"),
    (Action::Back, "previous location"),
    (Action::Bookmark, "favourite label"),
    (Action::Browse, "web url"),
    (Action::Check, "lint validate findings problems duplicates orphans"),
    (Action::Close, "collapse fold"),
    (Action::Copy(Aspect::Id), "yank clipboard"),
    (Action::Delete, "remove erase"),
    (Action::Dismiss, "escape cancel"),
    (Action::Edit, "settings properties change"),
    (Action::EditAsText, "vim outline bulk editor"),
    (Action::ExpandSubtree, "unfold open all"),
    (Action::Find, "search look up grep"),
    (Action::FoldToLevel(0), "unfold open everything"),
    (Action::FoldToLevel(1), "collapse fold everything"),
    (Action::Help, "keys shortcuts manual"),
    (Action::Jump, "goto find id code"),
    (Action::Mark, "select tag"),
    (Action::MarkMatches, "select all"),
    (Action::MarkRange, "select visual"),
    (Action::Move, "reparent change parent"),
    (Action::Open, "expand unfold"),
    (Action::Pause, "stop hold halt"),
    (Action::Quit, "exit leave close"),
    (Action::Redo, "again"),
    (Action::Refresh, "update poll sync"),
    (Action::Reload, "refresh verify resync"),
    (Action::Rename, "name title"),
    (Action::Resolve, "conflict problem error reopen"),
    (Action::ShowPending, "queue writes jobs"),
    (Action::ShowRequests, "http log network history"),
    (Action::Stage, "staging collect batch"),
    (Action::Suspend, "background shell"),
    (Action::SwitchProfile, "tenant account connect"),
    (Action::ToggleActivity, "history log changes"),
    (Action::ToggleDetails, "properties panel"),
    (Action::Undo, "revert back"),
];

/// An action that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The action.
    pub action: Action,
    /// What it takes of the text, if it is one that does.
    argument: Option<Argument>,
    /// What the configuration calls it; nothing for a command of the person's own.
    pub name: &'static str,
    /// What it does, or what a command of the person's own is called.
    pub help: &'a str,
}

/// The actions of the table, then the person's own commands.
fn offered(own: &[UserCommand]) -> impl Iterator<Item = Offer<'_>> {
    let listed = TABLE.iter().filter(|entry| entry.action != Action::Palette);
    let listed = listed.map(|entry| Offer { action: entry.action, argument: None, name: entry.name, help: entry.help });
    let own = (0..).zip(own);
    let with_argument = ARGUMENTS.iter().map(|command| Offer {
        action: command.action,
        argument: Some(command.argument),
        name: command.name,
        help: command.help,
    });
    listed.chain(with_argument).chain(own.map(|(number, command)| Offer {
        action: Action::UserCommands(number),
        argument: None,
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
        if let Some((command, _)) = self.with_argument() {
            let ArgumentCommand { name, argument, action, help } = *command;
            return vec![Offer { action, argument: Some(argument), name, help }];
        }
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut found: Vec<(Closeness, Reverse<u32>, Offer<'_>)> = offered
            .filter_map(|offer| {
                let name = offer.name.replace('-', " ");
                let others = SYNONYMS.iter().find(|(action, _)| *action == offer.action).map_or("", |(_, words)| words);
                let words = format!("{name} {} {others}", offer.help);
                let score = pattern.score(Utf32Str::new(&words, &mut letters), &mut matcher)?;
                Some((Closeness::of(text, [&name, offer.help, others]), Reverse(score), offer))
            })
            .collect();
        found.sort_by_key(|(closeness, score, _)| (*closeness, *score));
        found.into_iter().map(|(_, _, offer)| offer).collect()
    }

    /// The command at the beginning of the text, and what stands behind it.
    fn with_argument(&self) -> Option<(&'static ArgumentCommand, &str)> {
        let (name, rest) = self.text.text().trim_start().split_once(char::is_whitespace)?;
        let command = ARGUMENTS.iter().find(|command| command.name == name)?;
        Some((command, rest.trim())).filter(|(_, rest)| !rest.is_empty())
    }
}

pub(in crate::app) fn press(state: &mut State, palette: &mut Palette, key: Key) -> KeyResult {
    let found = palette.found(&state.side.commands.commands).len();
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => {
            if let Some((command, text)) = palette.with_argument() {
                return named_commands::run(state, command.argument, text);
            }
            let found = palette.found(&state.side.commands.commands);
            let Some(Offer { action, argument, name, .. }) = found.get(palette.list.chosen).copied() else {
                return KeyResult::Stay;
            };
            if argument.is_some() {
                // What it takes is typed behind it.
                palette.text.set(&format!("{name} "));
                return KeyResult::Stay;
            }
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
    fn an_action_is_found_by_what_others_call_it_and_an_exact_name_comes_first() {
        let first = |text: &str| {
            let palette = Palette { text: TextField::new(text), list: List::default() };
            palette.found(&[])[0].action
        };
        for (action, words) in SYNONYMS {
            for word in words.split(' ') {
                let palette = Palette { text: TextField::new(word), list: List::default() };
                assert!(palette.found(&[]).iter().any(|offer| offer.action == *action), "{word}");
            }
        }
        assert_eq!(first("remove"), Action::Delete);
        assert_eq!(first("exit"), Action::Quit);
        assert_eq!(first("mark"), Action::Mark);
        assert_eq!(first("undo"), Action::Undo);
    }

    #[test]
    fn letters_may_stand_apart() {
        let palette = Palette { text: TextField::new("expblw"), list: List::default() };
        assert_eq!(palette.found(&[])[0].action, Action::ExpandSubtree);
    }
}
