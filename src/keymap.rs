//! Maps keys to actions and back.
//!
//! Keys are written the usual way (`j`, `G`, `ctrl-r`, `g g` for a sequence), in the configuration, the help and the tests alike. A
//! keymap never binds two actions to one sequence, nor a sequence that is a prefix of another. It also has the names of custom
//! commands, which are in no table.

mod key;
mod texts;

use crate::action::{Action, Group, TABLE};

pub use key::{Key, KeyCode, KeyFault, KeyModifiers, parse_sequence, sequence_text};
pub use texts::KeyTexts;

/// Bindings of keys to actions.
///
/// ```
/// use segtui::action::Action;
/// use segtui::keymap::{Keymap, Lookup, parse_sequence};
///
/// let mut keymap = Keymap::default();
/// keymap.bind("ctrl-x a", Action::AddChild)?;
/// assert_eq!(keymap.lookup(&parse_sequence("ctrl-x")?), Lookup::Prefix);
/// assert_eq!(keymap.lookup(&parse_sequence("ctrl-x a")?), Lookup::Action(Action::AddChild));
///
/// // No binding is a prefix of another.
/// assert!(keymap.bind("ctrl-x", Action::Quit).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<(Vec<Key>, Action)>,
    /// The names of custom commands, by number.
    command_names: Vec<String>,
}

/// The result of looking up a sequence of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The sequence is bound to this action.
    Action(Action),
    /// The sequence is the beginning of a binding.
    Prefix,
    /// No binding begins like this.
    Nothing,
}

/// Why a binding is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingFault {
    /// The keys can't be parsed.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// Another binding is the same, a prefix of it, or begins with it.
    #[error("`{keys}` ({action}) conflicts with `{other_keys}` ({other})")]
    Clash {
        /// The keys of the new binding.
        keys: String,
        /// The name of its action.
        action: String,
        /// The keys of the existing binding.
        other_keys: String,
        /// The name of the existing binding's action.
        other: String,
    },
}

impl Keymap {
    /// Returns the default keys from the table of actions.
    ///
    /// # Errors
    ///
    /// The table itself clashes, which a test rules out.
    pub fn standard() -> Result<Self, BindingFault> {
        let mut keymap = Self::default();
        for entry in TABLE {
            for keys in entry.keys {
                keymap.bind(keys, entry.action)?;
            }
        }
        Ok(keymap)
    }

    /// Sets the names of custom commands, in the order of their numbers.
    pub fn set_command_names(&mut self, names: Vec<String>) {
        self.command_names = names;
    }

    /// Returns the name of an action in the configuration; for a custom command, a phrase with its name.
    #[must_use]
    pub fn name(&self, action: Action) -> String {
        match (action, action.entry()) {
            (_, Some(entry)) => entry.name.into(),
            (Action::UserCommands(number), None) => match self.command_names.get(usize::from(number)) {
                Some(name) => format!("the command “{name}”"),
                None => "a command".into(),
            },
            _ => "another action".into(),
        }
    }

    /// Returns a label of one or two words, as used in the footer.
    #[must_use]
    pub fn label(&self, action: Action) -> &str {
        match action {
            Action::UserCommands(number) => self.command_names.get(usize::from(number)).map_or("", String::as_str),
            action => action.entry().map_or("", |entry| entry.label),
        }
    }

    /// The groups with at least one line, in reading order.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        Group::ALL.into_iter().chain((!self.command_names.is_empty()).then_some(Group::UserCommands))
    }

    /// Adds a binding.
    ///
    /// # Errors
    ///
    /// The keys can't be parsed, or clash with another binding.
    pub fn bind(&mut self, keys: &str, action: Action) -> Result<(), BindingFault> {
        let sequence = parse_sequence(keys)?;
        if let Some((other_keys, other)) = self.clash(&sequence) {
            let (other_keys, other) = (sequence_text(other_keys), self.name(*other));
            let (keys, action) = (sequence_text(&sequence), self.name(action));
            return Err(BindingFault::Clash { keys, action, other_keys, other });
        }
        self.bindings.push((sequence, action));
        Ok(())
    }

    /// Gives every action except `configured` its default keys, unless they clash with existing bindings. So configuring a key does
    /// not require unbinding it first.
    pub fn complete(&mut self, configured: &[Action]) {
        for entry in TABLE.iter().filter(|entry| !configured.contains(&entry.action)) {
            for keys in entry.keys {
                // Existing bindings were configured and take precedence.
                let _gave_way = self.bind(keys, entry.action);
            }
        }
        // Sorted in the order of the table, for listings.
        let place = |action| TABLE.iter().position(|entry| entry.action == action).unwrap_or(TABLE.len());
        self.bindings.sort_by_key(|(_, action)| place(*action));
    }

    /// Returns an action whose binding these keys would clash with.
    #[must_use]
    pub fn conflicting_action(&self, sequence: &[Key]) -> Option<Action> {
        self.clash(sequence).map(|(_, action)| *action)
    }

    fn clash(&self, sequence: &[Key]) -> Option<&(Vec<Key>, Action)> {
        self.bindings.iter().find(|(other, _)| other.starts_with(sequence) || sequence.starts_with(other))
    }

    /// Whether this key by itself is bound to the action.
    #[must_use]
    pub fn triggers(&self, key: Key, action: Action) -> bool {
        self.lookup(&[key]) == Lookup::Action(action)
    }

    /// Looks up the keys pressed so far.
    #[must_use]
    pub fn lookup(&self, pressed: &[Key]) -> Lookup {
        let begun = self.bindings.iter().find(|(sequence, _)| sequence.starts_with(pressed));
        match begun {
            Some((sequence, action)) if sequence.len() == pressed.len() => Lookup::Action(*action),
            Some(_) => Lookup::Prefix,
            None => Lookup::Nothing,
        }
    }

    /// Returns all actions in reading order: group, keys, description. The levels to expand to are combined in one line.
    #[must_use]
    pub fn help(&self) -> Vec<(Group, String, &str)> {
        let keys = |action| self.keys(action).collect::<Vec<_>>().join("  ");
        let lines = TABLE.iter().filter_map(|entry| match entry.action {
            Action::FoldToLevel(2) => {
                let keys = format!("{} … {}", keys(entry.action), keys(Action::FoldToLevel(9)));
                Some((entry.group, keys, "Expand to level"))
            }
            Action::FoldToLevel(3..=9) => None,
            action => Some((entry.group, keys(action), entry.help)),
        });
        let command_names = (0..).zip(&self.command_names);
        lines
            .chain(
                command_names
                    .map(|(number, name)| (Group::UserCommands, keys(Action::UserCommands(number)), name.as_str())),
            )
            .collect()
    }

    /// The keys bound to an action, the preferred ones first.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = String> {
        self.bindings.iter().filter(move |(_, bound)| *bound == action).map(|(sequence, _)| sequence_text(sequence))
    }

    /// The possible continuations of the keys pressed so far: the rest of each sequence, and its action.
    pub fn continuations(&self, pressed: &[Key]) -> impl Iterator<Item = (String, Action)> {
        self.bindings
            .iter()
            .filter(move |(sequence, _)| sequence.len() > pressed.len() && sequence.starts_with(pressed))
            .map(move |(sequence, action)| (sequence_text(&sequence[pressed.len()..]), *action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(text: &str) -> Vec<Key> {
        parse_sequence(text).unwrap()
    }

    #[test]
    fn the_table_of_actions_has_no_clash() {
        assert!(Keymap::standard().is_ok());
    }

    #[test]
    fn a_sequence_is_a_prefix_until_it_is_complete() {
        let keymap = Keymap::standard().unwrap();
        assert_eq!(keymap.lookup(&pressed("g")), Lookup::Prefix);
        assert_eq!(keymap.lookup(&pressed("g g")), Lookup::Action(Action::First));
        assert_eq!(keymap.lookup(&pressed("g x")), Lookup::Nothing);
    }

    #[test]
    fn a_prefix_of_another_binding_is_refused() {
        let mut keymap = Keymap::standard().unwrap();
        let fault = keymap.bind("g", Action::Help).unwrap_err();
        assert_eq!(fault.to_string(), "`g` (help) conflicts with `g g` (first)");
    }

    #[test]
    fn configured_keys_take_precedence_over_defaults() {
        let mut keymap = Keymap::default();
        keymap.bind("g", Action::Find).unwrap();
        keymap.bind("j x", Action::Quit).unwrap();
        keymap.complete(&[Action::Find, Action::Quit]);
        assert_eq!(keymap.keys(Action::First).collect::<Vec<_>>(), ["home"]);
        assert_eq!(keymap.keys(Action::Down).collect::<Vec<_>>(), ["down"]);
        assert_eq!(keymap.keys(Action::Find).collect::<Vec<_>>(), ["g"]);
        assert_eq!(keymap.keys(Action::Help).collect::<Vec<_>>(), ["?", "f1"]);
        assert_eq!(keymap.lookup(&pressed("q")), Lookup::Nothing);
    }

    #[test]
    fn completing_an_empty_keymap_gives_the_defaults() {
        let mut keymap = Keymap::default();
        keymap.complete(&[]);
        assert_eq!(Ok(keymap), Keymap::standard());
    }

    #[test]
    fn a_custom_command_is_listed_by_its_name() {
        let mut keymap = Keymap::default();
        keymap.set_command_names(vec!["Send to ERP".into(), "Report".into()]);
        keymap.bind("g r", Action::UserCommands(1)).unwrap();
        let fault = keymap.bind("g", Action::Find).unwrap_err();
        assert_eq!(fault.to_string(), "`g` (find) conflicts with `g r` (the command “Report”)");
        keymap.complete(&[]);
        let command_lines: Vec<_> =
            keymap.help().into_iter().filter(|(group, ..)| *group == Group::UserCommands).collect();
        assert_eq!(
            command_lines,
            [(Group::UserCommands, String::new(), "Send to ERP"), (Group::UserCommands, "g r".into(), "Report")]
        );
        assert_eq!(keymap.groups().last(), Some(Group::UserCommands));
        assert_eq!(Keymap::standard().unwrap().groups().last(), Some(Group::Program));
    }

    #[test]
    fn an_action_knows_its_keys() {
        let keymap = Keymap::standard().unwrap();
        assert_eq!(keymap.keys(Action::Down).collect::<Vec<_>>(), ["j", "down"]);
        assert_eq!(keymap.keys(Action::Last).next().unwrap(), "G");
    }
}
