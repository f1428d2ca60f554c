//! The command palette: every action, or those for one row, found by a fuzzy match and run with Enter.

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use std::cmp::Reverse;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::action::{Action, ActionEntry, Aspect, TABLE, UserCommand};
use crate::forest::RowId;
use crate::keymap::Key;

use crate::app::dialogs::closeness::Closeness;
use crate::app::dialogs::words;
use crate::app::named_commands::{self, ARGUMENTS, Argument, ArgumentCommand};
use crate::app::tree::marking;
use crate::app::{State, TextField, perform};

/// The query and selection of the palette.
#[derive(Debug, Clone)]
pub struct Palette {
    /// The query.
    pub text: TextField,
    /// The selected line among the matches.
    pub list: List,
    /// The row whose actions are offered; `None` offers everything.
    row: Option<RowId>,
}

impl Default for Palette {
    fn default() -> Self {
        Self { text: TextField::new(""), list: List::default(), row: None }
    }
}

/// The actions for a row, the most used first.
const ROW_ACTIONS: [Action; 19] = [
    Action::Edit,
    Action::Rename,
    Action::AddChild,
    Action::AddSibling,
    Action::Move,
    Action::Delete,
    Action::Mark,
    Action::Cut,
    Action::Paste,
    Action::EditAsText,
    Action::Copy(Aspect::Id),
    Action::Copy(Aspect::Name),
    Action::Copy(Aspect::ExternalId),
    Action::Copy(Aspect::Path),
    Action::Copy(Aspect::Json),
    Action::Copy(Aspect::Subtree),
    Action::Copy(Aspect::Curl),
    Action::Browse,
    Action::Bookmark,
];

/// Synonyms by which an action is found too.
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

/// An action in the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The action.
    pub action: Action,
    /// The argument that it takes, if any.
    argument: Option<Argument>,
    /// Its name in the configuration; empty for a user command.
    pub name: &'static str,
    /// What it does, or the name of a user command.
    pub help: &'a str,
}

impl From<&'static ActionEntry> for Offer<'_> {
    fn from(entry: &'static ActionEntry) -> Self {
        Self { action: entry.action, argument: None, name: entry.name, help: entry.help }
    }
}

/// Returns all actions of the table, and the commands with an argument.
fn all_offers() -> Vec<Offer<'static>> {
    let listed = TABLE.iter().filter(|entry| entry.action != Action::Palette).map(Offer::from);
    let with_argument = ARGUMENTS.iter().map(|command| Offer {
        action: command.action,
        argument: Some(command.argument),
        name: command.name,
        help: command.help,
    });
    listed.chain(with_argument).collect()
}

/// Returns the actions for a row.
fn row_offers() -> Vec<Offer<'static>> {
    ROW_ACTIONS.into_iter().filter_map(Action::entry).map(Offer::from).collect()
}

impl Palette {
    /// Creates a palette with the actions for a row.
    pub(in crate::app) fn for_row(row: RowId) -> Self {
        Self { row: Some(row), ..Self::default() }
    }

    /// Returns the title, which says what the palette offers.
    #[must_use]
    pub fn title(&self, state: &State) -> String {
        let name = match &self.row {
            None => return words::COMMANDS.into(),
            Some(RowId::Heading(heading)) => heading.to_string(),
            Some(RowId::Segment(id)) => {
                state.tree.forest.get(id).map_or_else(|| id.to_string(), |segment| segment.name.to_string())
            }
        };
        words::actions_for(&name, state.tree.picks.marked.len())
    }

    /// Whether only the actions for a row are offered.
    #[must_use]
    pub const fn is_for_row(&self) -> bool {
        self.row.is_some()
    }

    /// All offers: the actions, then the user commands.
    fn offers<'a>(&self, user_commands: &'a [UserCommand]) -> impl Iterator<Item = Offer<'a>> + use<'a> {
        let listed = if self.is_for_row() { row_offers() } else { all_offers() };
        listed.into_iter().chain((0..).zip(user_commands).map(|(number, command)| Offer {
            action: Action::UserCommands(number),
            argument: None,
            name: "",
            help: &command.name,
        }))
    }

    /// Returns the matching actions, best first; without a query, all of them in their own order.
    #[must_use]
    pub fn matches<'a>(&self, user_commands: &'a [UserCommand]) -> Vec<Offer<'a>> {
        let offers = self.offers(user_commands);
        let text = self.text.text().trim();
        if text.is_empty() {
            return offers.collect();
        }
        if let Some((command, _)) = self.with_argument() {
            let ArgumentCommand { name, argument, action, help } = *command;
            return vec![Offer { action, argument: Some(argument), name, help }];
        }
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut found: Vec<(Closeness, Reverse<u32>, Offer<'_>)> = offers
            .filter_map(|offer| {
                let name = offer.name.replace('-', " ");
                let others = SYNONYMS.iter().find(|(action, _)| *action == offer.action).map_or("", |(_, words)| words);
                let words = format!("{name} {} {others}", offer.help);
                let score = pattern.score(Utf32Str::new(&words, &mut buffer), &mut matcher)?;
                Some((Closeness::of(text, [&name, offer.help, others]), Reverse(score), offer))
            })
            .collect();
        found.sort_by_key(|(closeness, score, _)| (*closeness, *score));
        found.into_iter().map(|(_, _, offer)| offer).collect()
    }

    /// Returns the command that the query starts with, and its argument.
    fn with_argument(&self) -> Option<(&'static ArgumentCommand, &str)> {
        if self.is_for_row() {
            return None;
        }
        let (name, rest) = self.text.text().trim_start().split_once(char::is_whitespace)?;
        let command = ARGUMENTS.iter().find(|command| command.name == name)?;
        Some((command, rest.trim())).filter(|(_, rest)| !rest.is_empty())
    }
}

pub(in crate::app) fn press(state: &mut State, palette: &mut Palette, key: Key) -> KeyResult {
    let found = palette.matches(&state.side.commands.commands).len();
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => {
            if palette.row.is_some() && palette.row != state.tree.view.selected {
                state.warn(words::CLICKED_ROW_IS_GONE);
                return KeyResult::Close;
            }
            if let Some((command, text)) = palette.with_argument() {
                return named_commands::run(state, command.argument, text);
            }
            let found = palette.matches(&state.side.commands.commands);
            let Some(Offer { action, argument, name, .. }) = found.get(palette.list.chosen).copied() else {
                return KeyResult::Stay;
            };
            if argument.is_some() {
                // The user now types the argument.
                palette.text.set(&format!("{name} "));
                return KeyResult::Stay;
            }
            let effects = perform::perform(state, action);
            marking::update_range(state);
            return KeyResult::CloseAndDo(effects);
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
    use crate::forest::Heading;

    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for entry in TABLE.iter().filter(|entry| entry.action != Action::Palette) {
            let palette = Palette { text: TextField::new(&entry.name.replace('-', " ")), ..Palette::default() };
            let found = palette.matches(&[]);
            assert!(found.iter().take(3).any(|other| other.action == entry.action), "{}: {found:?}", entry.name);
        }
    }

    #[test]
    fn actions_are_found_by_synonyms_and_exact_names_come_first() {
        let first = |text: &str| {
            let palette = Palette { text: TextField::new(text), ..Palette::default() };
            palette.matches(&[])[0].action
        };
        for (action, words) in SYNONYMS {
            for word in words.split(' ') {
                let palette = Palette { text: TextField::new(word), ..Palette::default() };
                assert!(palette.matches(&[]).iter().any(|offer| offer.action == *action), "{word}");
            }
        }
        assert_eq!(first("remove"), Action::Delete);
        assert_eq!(first("exit"), Action::Quit);
        assert_eq!(first("mark"), Action::Mark);
        assert_eq!(first("undo"), Action::Undo);
    }

    #[test]
    fn the_palette_of_a_row_offers_only_row_actions() {
        let row = Palette::for_row(RowId::Heading(Heading::Circles));
        let offers: Vec<Action> = row.matches(&[]).iter().map(|offer| offer.action).collect();
        assert_eq!(offers, ROW_ACTIONS);
        for text in ["quit", "goto 5", "theme light", "zzz"] {
            let palette = Palette { text: TextField::new(text), ..row.clone() };
            assert!(palette.matches(&[]).iter().all(|offer| ROW_ACTIONS.contains(&offer.action)), "{text}");
        }
        let palette = Palette { text: TextField::new("remove"), ..row };
        assert_eq!(palette.matches(&[])[0].action, Action::Delete);
    }

    #[test]
    fn a_fuzzy_match_may_skip_letters() {
        let palette = Palette { text: TextField::new("expblw"), ..Palette::default() };
        assert_eq!(palette.matches(&[])[0].action, Action::ExpandSubtree);
    }
}
