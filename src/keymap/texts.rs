//! [`KeyTexts`]: the key of each action as named in messages, so that they follow the configured keymap.

use crate::action::{Action, TABLE};

use super::Keymap;

/// The key to press for each action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTexts {
    /// In the order of the table.
    texts: Vec<String>,
}

impl Default for KeyTexts {
    /// The default keys.
    fn default() -> Self {
        let text = |keys: &[&str], name: &str| keys.first().map_or_else(|| unbound(name), |key| (*key).to_owned());
        Self { texts: TABLE.iter().map(|entry| text(entry.keys, entry.name)).collect() }
    }
}

impl KeyTexts {
    /// Returns the keys of a keymap.
    #[must_use]
    pub fn of(keymap: &Keymap) -> Self {
        let text = |action, name| keymap.keys(action).next().unwrap_or_else(|| unbound(name));
        Self { texts: TABLE.iter().map(|entry| text(entry.action, entry.name)).collect() }
    }

    /// Returns the key of an action; for one without a key, the name by which it can be bound.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        let at = TABLE.iter().position(|entry| entry.action == action);
        at.and_then(|at| self.texts.get(at)).map_or("", String::as_str)
    }
}

fn unbound(name: &str) -> String {
    format!("“{name}” (no key)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_standard_keymap() {
        assert_eq!(KeyTexts::default(), KeyTexts::of(&Keymap::standard().unwrap()));
    }

    #[test]
    fn an_action_without_a_key_is_shown_by_its_name() {
        let mut keymap = Keymap::default();
        keymap.complete(&[Action::Find]);
        let texts = KeyTexts::of(&keymap);
        assert_eq!(texts.key(Action::Find), "“find” (no key)");
        assert_eq!(texts.key(Action::Help), "?");
    }
}
