//! [`Key`]: a key press, as text and as reported by the terminal.

use std::fmt;

use crokey::KeyCombination;
use crossterm::event::KeyEvent;
pub use crossterm::event::{KeyCode, KeyModifiers};

/// A key press with its modifiers.
///
/// Terminals disagree about reporting shift with capitals and symbols, so it is dropped: `G` and `?` are keys of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// The modifiers.
    pub modifiers: KeyModifiers,
}

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid key `{text}`; keys are written like j, G, enter, ctrl-r, alt-left, or g g for a sequence")]
pub struct KeyFault {
    /// The text.
    pub text: String,
}

impl Key {
    /// Returns a key without modifiers.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// Parses one key.
    ///
    /// # Errors
    ///
    /// The text is not a key.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let fault = || KeyFault { text: text.to_owned() };
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Ok(Self::plain(KeyCode::Char(character)));
        }
        let combination: KeyCombination = crokey::parse(text).map_err(|_| fault())?;
        let mut read: KeyEvent = combination.into();
        if let (KeyCode::Char(_), Some((_, last))) = (read.code, text.rsplit_once('-'))
            && let Ok(capital) = last.parse()
        {
            // crokey folds case, but a capital means the capital.
            read.code = KeyCode::Char(capital);
        }
        Ok(Self::from(read))
    }

    /// Returns the character that the key types, if any.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(character) if self.modifiers.is_empty() => Some(character),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::SHIFT) => {
                modifiers.remove(KeyModifiers::SHIFT);
                KeyCode::Char(letter.to_uppercase().next().unwrap_or(letter))
            }
            // Most terminals can't tell these from Esc and Enter, so they are the same key everywhere.
            KeyCode::Char('[') if modifiers == KeyModifiers::CONTROL => {
                modifiers = KeyModifiers::NONE;
                KeyCode::Esc
            }
            KeyCode::Char('m') if modifiers == KeyModifiers::CONTROL => {
                modifiers = KeyModifiers::NONE;
                KeyCode::Enter
            }
            code @ (KeyCode::Enter | KeyCode::Esc | KeyCode::Backspace) => {
                modifiers.remove(KeyModifiers::SHIFT);
                code
            }
            // Terminals report BackTab, and people also write shift-tab.
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                modifiers.remove(KeyModifiers::SHIFT);
                KeyCode::BackTab
            }
            KeyCode::BackTab => {
                modifiers.remove(KeyModifiers::SHIFT);
                KeyCode::BackTab
            }
            code => code,
        };
        Self { code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let KeyCode::Char(character) = self.code
            && character != ' '
        {
            let modifiers = [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")];
            for (_, name) in modifiers.into_iter().filter(|(modifier, _)| self.modifiers.contains(*modifier)) {
                f.write_str(name)?;
            }
            return write!(f, "{character}");
        }
        let combination = KeyCombination::new(self.code, self.modifiers);
        f.pad(&combination.to_string().to_lowercase())
    }
}

/// Parses a sequence of keys separated by blanks.
///
/// # Errors
///
/// The first text that is not a key, or an empty sequence.
pub fn parse_sequence(text: &str) -> Result<Vec<Key>, KeyFault> {
    let keys: Vec<Key> = text.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyFault { text: text.to_owned() }) } else { Ok(keys) }
}

/// Returns the text of a sequence of keys.
#[must_use]
pub fn sequence_text(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_sequence_round_trips() {
        for text in [
            "j", "G", "?", "/", "*", "<", ">", "-", "ctrl-r", "alt-left", "enter", "esc", "space", "pagedown", "tab",
            "backtab", "f5", "g g", "z 0", "ctrl-x s", "alt-b", "ł",
        ] {
            assert_eq!(sequence_text(&parse_sequence(text).unwrap()), text);
        }
    }

    #[test]
    fn a_capital_is_the_same_key_with_and_without_shift() {
        let told = Key::from(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT));
        let plain = Key::from(KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE));
        assert_eq!(told, plain);
        assert_eq!(Key::parse("G").unwrap(), plain);
    }

    #[test]
    fn a_key_is_the_same_in_terminals_with_extended_reports() {
        let key = |code, modifiers| Key::from(KeyEvent::new(code, modifiers)).to_string();
        assert_eq!(key(KeyCode::Char('['), KeyModifiers::CONTROL), "esc");
        assert_eq!(key(KeyCode::Char('m'), KeyModifiers::CONTROL), "enter");
        assert_eq!(key(KeyCode::Char(' '), KeyModifiers::SHIFT), "space");
        for code in [KeyCode::Enter, KeyCode::Backspace, KeyCode::Esc] {
            assert_eq!(key(code, KeyModifiers::SHIFT), key(code, KeyModifiers::NONE));
        }
        assert_ne!(key(KeyCode::Char('i'), KeyModifiers::CONTROL), key(KeyCode::Tab, KeyModifiers::NONE));
    }

    #[test]
    fn shift_tab_is_backtab() {
        assert_eq!(Key::parse("shift-tab"), Key::parse("backtab"));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        let fault = parse_sequence("g hyperdrive").unwrap_err();
        assert!(fault.to_string().starts_with("invalid key `hyperdrive`"));
        assert!(parse_sequence("  ").is_err());
    }
}
