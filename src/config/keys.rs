//! The `[keys]` table of the configuration file: the keys of actions. Configured keys replace an action's default keys and take
//! them from other actions; two actions can't be configured with the same keys.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use crate::action::{Action, TABLE};
use crate::keymap::{Key, Keymap, parse_sequence};

use super::file::{FaultInFile, Source};

pub(super) type RawKeys = BTreeMap<Spanned<String>, Spanned<Sequences>>;

/// One sequence of keys, or a list of them.
#[derive(Debug)]
pub(super) enum Sequences {
    One(String),
    Several(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Sequences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SequencesVisitor)
    }
}

/// Written by hand, because an untagged enum would lose the position of each sequence.
struct SequencesVisitor;

impl<'de> Visitor<'de> for SequencesVisitor {
    type Value = Sequences;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys, such as \"g g\", or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Sequences, E> {
        Ok(Sequences::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sequences, A::Error> {
        let mut sequences = Vec::new();
        while let Some(sequence) = list.next_element()? {
            sequences.push(sequence);
        }
        Ok(Sequences::Several(sequences))
    }
}

/// The keys configured for one action.
pub(super) struct ConfiguredKeys {
    pub action: Action,
    /// The position of all its keys together.
    pub span: Range<usize>,
    pub sequences: Vec<Spanned<String>>,
}

/// Actions that need a key: without them the user could not look up the keys, or could not leave.
const REQUIRED_ACTIONS: [Action; 3] = [Action::Help, Action::Dismiss, Action::Quit];

impl Source<'_> {
    /// The keys of actions and of the user's own commands; `names` are the names of those commands.
    pub(super) fn keymap(
        &self,
        raw: RawKeys,
        commands: Vec<ConfiguredKeys>,
        names: Vec<String>,
    ) -> Result<Keymap, FaultInFile> {
        let mut configured =
            raw.into_iter().map(|(name, keys)| self.configured(&name, keys)).collect::<Result<Vec<_>, _>>()?;
        configured.extend(commands);
        // In the order of the file: of two conflicting entries, the later one is the fault.
        configured.sort_by_key(|configured| configured.span.start);
        let mut keymap = Keymap::default();
        keymap.set_command_names(names);
        for ConfiguredKeys { action, sequences, .. } in &configured {
            for keys in sequences {
                keymap.bind(keys.get_ref(), *action).map_err(|fault| self.fault(keys.span(), fault.to_string()))?;
            }
        }
        let explicit = keymap.clone();
        keymap.complete(&configured.iter().map(|configured| configured.action).collect::<Vec<_>>());
        match REQUIRED_ACTIONS.into_iter().find(|action| keymap.keys(*action).next().is_none()) {
            Some(action) => Err(self.missing_key_fault(action, &configured, &explicit)),
            None => Ok(keymap),
        }
    }

    fn configured(&self, name: &Spanned<String>, keys: Spanned<Sequences>) -> Result<ConfiguredKeys, FaultInFile> {
        let Some(action) = Action::named(name.get_ref()) else {
            let names = TABLE.iter().map(|entry| entry.name);
            return Err(self.fault(name.span(), unknown("action", name.get_ref(), names)));
        };
        Ok(ConfiguredKeys::new(action, keys))
    }

    fn missing_key_fault(&self, action: Action, configured: &[ConfiguredKeys], explicit: &Keymap) -> FaultInFile {
        let name = explicit.name(action);
        if let Some(own) = configured.iter().find(|configured| configured.action == action) {
            return self.fault(own.span.clone(), format!("`{name}` would have no key left and needs one"));
        }
        let default_keys = action.entry().map_or(&[][..], |entry| entry.keys);
        let default_keys: Vec<Vec<Key>> = default_keys.iter().filter_map(|keys| parse_sequence(keys).ok()).collect();
        let conflicting_action = default_keys.iter().find_map(|keys| explicit.conflicting_action(keys));
        let conflicting_entries = configured.iter().filter(|configured| Some(configured.action) == conflicting_action);
        let conflicting_keys = conflicting_entries.flat_map(|configured| &configured.sequences).find(|keys| {
            parse_sequence(keys.get_ref())
                .is_ok_and(|keys| default_keys.iter().any(|other| other.starts_with(&keys) || keys.starts_with(other)))
        });
        let other = match conflicting_action {
            Some(own @ Action::UserCommands(_)) => explicit.name(own),
            other => format!("`{}`", other.map_or_else(String::new, |other| explicit.name(other))),
        };
        let what = format!("{other} takes the only key of `{name}`; bind `{name}` to another");
        self.fault(conflicting_keys.map(Spanned::span).unwrap_or_default(), what)
    }
}

impl ConfiguredKeys {
    pub(super) fn new(action: Action, keys: Spanned<Sequences>) -> Self {
        let span = keys.span();
        let sequences = match keys.into_inner() {
            Sequences::One(text) => vec![Spanned::new(span.clone(), text)],
            Sequences::Several(sequences) => sequences,
        };
        Self { action, span, sequences }
    }
}

/// The message for an unknown name, with the most similar known one.
pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let similarity = |other: &&str| strsim::jaro_winkler(name, other);
    match known.max_by(|one, other| similarity(one).total_cmp(&similarity(other))) {
        Some(nearest) => format!("unknown {kind} `{name}`; did you mean `{nearest}`?"),
        None => format!("unknown {kind} `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::File;
    use super::*;

    fn keymap(keys: &str) -> Result<Keymap, String> {
        let text = format!("[keys]\n{keys}\n");
        let file = File::read(&text, Path::new("config.toml"));
        file.map(|file| file.interface.keymap).map_err(|fault| fault.to_string())
    }

    fn keys(keymap: &Keymap, action: Action) -> Vec<String> {
        keymap.keys(action).collect()
    }

    #[test]
    fn configured_keys_replace_the_default_ones() {
        let keymap = keymap("find = [\"/\", \"ctrl-f\"]\nfirst = \"ctrl-x s\"\nstage = []").unwrap();
        assert_eq!(keys(&keymap, Action::Find), ["/", "ctrl-f"]);
        assert_eq!(keys(&keymap, Action::First), ["ctrl-x s"]);
        assert_eq!(keys(&keymap, Action::Stage), Vec::<String>::new());
        assert_eq!(keys(&keymap, Action::Last), ["G", "end"]);
    }

    #[test]
    fn a_configured_key_is_taken_from_a_default_binding() {
        let keymap = keymap("edit = \"j\"\nmove = \"z\"").unwrap();
        assert_eq!(keys(&keymap, Action::Down), ["down"]);
        assert_eq!(keys(&keymap, Action::Edit), ["j"]);
        assert_eq!(keys(&keymap, Action::FoldToLevel(1)), Vec::<String>::new());
    }

    #[test]
    fn two_actions_can_not_have_the_same_configured_key() {
        let text = keymap("find = \"f\"\nedit = [\"e\", \"f\"]").unwrap_err();
        assert_eq!(text, "config.toml:3:14: `f` (edit) conflicts with `f` (find)");
        let text = keymap("edit = \"ctrl-x s\"\nadd-child = \"ctrl-x\"").unwrap_err();
        assert_eq!(text, "config.toml:3:13: `ctrl-x` (add-child) conflicts with `ctrl-x s` (edit)");
    }

    #[test]
    fn an_unknown_action_is_refused_with_the_nearest_name() {
        let text = keymap("find = \"f\"\nexpand-subtre = \"f\"").unwrap_err();
        assert_eq!(text, "config.toml:3:1: unknown action `expand-subtre`; did you mean `expand-subtree`?");
    }

    #[test]
    fn an_invalid_key_is_refused_with_its_place() {
        let text = keymap("find = [\"/\", \"hyperdrive\"]").unwrap_err();
        assert!(text.starts_with("config.toml:2:14: invalid key `hyperdrive`; keys are written like"), "{text}");
        let text = keymap("find = \"\"").unwrap_err();
        assert!(text.starts_with("config.toml:2:8: invalid key ``"), "{text}");
        let text = keymap("find = 7").unwrap_err();
        assert!(text.starts_with("config.toml:2:8: ") && text.contains("or a list of them"), "{text}");
    }

    #[test]
    fn help_dismiss_and_quit_always_keep_a_key() {
        for action in ["help", "dismiss", "quit"] {
            let text = keymap(&format!("{action} = []")).unwrap_err();
            let place = format!("config.toml:2:{}: ", action.len() + 4);
            assert_eq!(text, format!("{place}`{action}` would have no key left and needs one"));
        }
        let text = keymap("find = [\"f\", \"q x\"]").unwrap_err();
        assert_eq!(text, "config.toml:2:14: `find` takes the only key of `quit`; bind `quit` to another");
        assert!(keymap("find = \"q\"\nquit = \"ctrl-q\"").is_ok());
    }
}
