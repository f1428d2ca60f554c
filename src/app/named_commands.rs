//! Palette commands that take an argument, such as `goto PL-10`.

use crate::action::Action;
use crate::theme::Name;

use super::dialogs::key_result::KeyResult;
use super::edit::changing;
use super::messages::Topic;
use super::tree::{places, search};
use super::{State, availability, words};

/// A command with an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Argument {
    /// Goes to a segment by its ID or external ID.
    Goto,
    MoveTo,
    FilterBy,
    SaveFilter,
    /// Changes the theme for this session.
    Theme,
}

/// A command with its name, the action it belongs to, and its help text.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct ArgumentCommand {
    pub name: &'static str,
    pub argument: Argument,
    pub action: Action,
    pub help: &'static str,
}

pub(in crate::app) const ARGUMENTS: [ArgumentCommand; 5] = [
    ArgumentCommand {
        name: "goto",
        argument: Argument::Goto,
        action: Action::Jump,
        help: "goto ID: go to a segment by its ID or external ID",
    },
    ArgumentCommand {
        name: "move",
        argument: Argument::MoveTo,
        action: Action::Move,
        help: "move NAME: pick the new parent among those that match",
    },
    ArgumentCommand {
        name: "filter",
        argument: Argument::FilterBy,
        action: Action::Find,
        help: "filter QUERY: filter the tree, also by the name of a saved filter",
    },
    ArgumentCommand {
        name: "save-filter",
        argument: Argument::SaveFilter,
        action: Action::Find,
        help: "save-filter NAME: save the filter that is shown",
    },
    ArgumentCommand {
        name: "theme",
        argument: Argument::Theme,
        action: Action::Palette,
        help: "theme NAME: dark, light, high-contrast, colour-blind or mono, for this session",
    },
];

/// Runs a command with its argument.
pub(in crate::app) fn run(state: &mut State, argument: Argument, text: &str) -> KeyResult {
    match argument {
        Argument::Goto if places::jump(state, text) => KeyResult::Close,
        Argument::Goto => KeyResult::Stay,
        Argument::MoveTo => match availability(state, Action::Move) {
            Ok(()) => KeyResult::CloseAndDo(changing::pick_parent_among(state, text)),
            Err(reason) => {
                state.warn_about(Topic::Refusal(Action::Move), reason);
                KeyResult::Stay
            }
        },
        Argument::FilterBy => {
            let query = state.tree.filters.saved(text).unwrap_or(text).to_owned();
            KeyResult::CloseAndDo(search::filter_by(state, &query))
        }
        Argument::Theme => {
            state.screen.theme = Name::parse(text).or(state.screen.theme);
            if Name::parse(text).is_some() {
                return KeyResult::Close;
            }
            state.warn(words::unknown_theme(text, &Name::ALL.map(Name::text)));
            KeyResult::Stay
        }
        Argument::SaveFilter => {
            let Some(query) = state.tree.search.as_ref().map(|search| search.text.clone()) else {
                state.warn(words::no_filter_to_save(state.key(Action::Find)));
                return KeyResult::Stay;
            };
            if state.tree.filters.save(text, &query) {
                state.inform(words::filter_saved(text));
            } else {
                state.warn(words::TOO_MANY_FILTERS);
            }
            KeyResult::Close
        }
    }
}
