//! From the bytes that a terminal sends to keys, clicks and pastes.
//!
//! A sequence is followed to its end by the rules of ECMA-48 before anybody asks what it means, so one that means nothing here, as
//! the answer to another program's question, is passed over whole and turns into no key. None is waited for without end: one that
//! does not go on is given up.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};
use terminput::Event as Parsed;

use crate::app::{Event, Mouse, MouseKind};
use crate::keymap::Key;

/// What has come and is not over yet.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    bytes: Vec<u8>,
    /// What was pasted so far, while that is coming.
    paste: Option<Vec<u8>>,
    /// Whether a text for a program is coming. Only one about the background was asked for.
    skipping: bool,
    /// The beginning of that text.
    text: Vec<u8>,
}

/// The next thing in what has come.
enum Next {
    /// So many bytes, and what they mean here.
    Over(usize, Option<Event>),
    /// They are not over yet.
    Unfinished,
}

const ESC: u8 = 0x1b;
const BELL: u8 = 0x07;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// Longer than any sequence that means something.
const LONGEST: usize = 256;
/// Nobody pastes more; what comes after that is dropped.
const LONGEST_PASTE: usize = 16 << 20;
/// How long a sequence that has begun may take to go on: an Esc by itself is one that does not. A line may deliver the two apart.
const ESC_GOES_ON: Duration = Duration::from_millis(30);
const SEQUENCE_GOES_ON: Duration = Duration::from_millis(100);
const TEXT_GOES_ON: Duration = Duration::from_secs(1);
/// What follows a paste that was cut short would be taken for keys.
const PASTE_GOES_ON: Duration = Duration::from_secs(5);

impl Sequences {
    /// Takes in what has come. Answers what that comes to.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        loop {
            if self.paste.is_some() {
                let Some(event) = self.take_paste() else { return events };
                events.push(event);
            } else if self.skipping {
                if !self.skip() {
                    return events;
                }
                events.extend(background(&std::mem::take(&mut self.text)));
            } else if self.bytes.starts_with(PASTE_BEGINS) {
                self.bytes.drain(..PASTE_BEGINS.len());
                self.paste = Some(Vec::new());
            } else if begins_text(&self.bytes) {
                // Only of an operating system command is the text of interest.
                self.text.clear();
                self.text.extend(self.bytes.drain(..2).skip(1));
                self.skipping = true;
            } else {
                match next(&self.bytes) {
                    Next::Over(length, event) => {
                        self.bytes.drain(..length);
                        events.extend(event);
                    }
                    Next::Unfinished => return events,
                }
            }
        }
    }

    /// How long to wait for more of what has begun; `None` when nothing has.
    pub fn patience(&self) -> Option<Duration> {
        if self.paste.is_some() {
            Some(PASTE_GOES_ON)
        } else if self.skipping {
            Some(TEXT_GOES_ON)
        } else {
            match self.bytes.len() {
                0 => None,
                1 | 2 => Some(ESC_GOES_ON),
                _ => Some(SEQUENCE_GOES_ON),
            }
        }
    }

    /// No more has come: what has begun is all there is.
    pub fn give_up(&mut self) -> Option<Event> {
        let bytes = std::mem::take(&mut self.bytes);
        if std::mem::take(&mut self.skipping) {
            return None;
        }
        if let Some(mut paste) = self.paste.take() {
            paste.extend(bytes);
            return Some(pasted(&paste));
        }
        match bytes.as_slice() {
            [ESC] => Some(Event::Key(Key::plain(KeyCode::Esc))),
            // Alt and what would have begun a sequence.
            [ESC, letter] if *letter != b'[' => meaning(&[ESC, *letter]).or_else(|| Some(alt(*letter))),
            _ => None,
        }
    }

    fn take_paste(&mut self) -> Option<Event> {
        let end = find(&self.bytes, PASTE_ENDS);
        // The end may be cut in two.
        let safe = end.unwrap_or_else(|| self.bytes.len().saturating_sub(PASTE_ENDS.len() - 1));
        let paste = self.paste.get_or_insert_default();
        let room = LONGEST_PASTE.saturating_sub(paste.len());
        paste.extend(self.bytes.drain(..safe).take(room));
        end?;
        self.bytes.drain(..PASTE_ENDS.len());
        self.paste.take().map(|paste| pasted(&paste))
    }

    /// Passes over a text for a program. Answers whether it is over.
    fn skip(&mut self) -> bool {
        let end = self.bytes.iter().position(|byte| matches!(*byte, BELL | ESC | 0x18 | 0x1a));
        let room = LONGEST_TEXT.saturating_sub(self.text.len());
        self.text.extend(self.bytes[..end.unwrap_or(self.bytes.len())].iter().take(room));
        let Some(end) = end else {
            self.bytes.clear();
            return false;
        };
        if self.bytes[end] == ESC && self.bytes.len() == end + 1 {
            // Whether it ends here is in the next byte.
            self.bytes.drain(..end);
            return false;
        }
        // An escape that ends no text begins something else.
        let length = match &self.bytes[end..] {
            [ESC, b'\\', ..] => end + 2,
            [ESC, ..] => end,
            _ => end + 1,
        };
        self.bytes.drain(..length);
        self.skipping = false;
        true
    }
}

/// How much of a text is read: more than an answer about a colour has.
const LONGEST_TEXT: usize = 64;

/// The answer to the question for the background (OSC 11): `]11;rgb:ffff/ffff/ffff`, with one to four digits for each part.
fn background(text: &[u8]) -> Option<Event> {
    let colour = std::str::from_utf8(text).ok()?.strip_prefix("]11;")?;
    let parts = colour.strip_prefix("rgb:").or_else(|| Some(colour.strip_prefix("rgba:")?.rsplit_once('/')?.0))?;
    let parts: Vec<f64> = parts.split('/').filter_map(share).collect();
    let [red, green, blue] = parts.as_slice() else { return None };
    // Weighed as the eye does (<https://www.w3.org/TR/AERT/#color-contrast>).
    Some(Event::Background { is_light: red * 0.299 + green * 0.587 + blue * 0.114 > 0.5 })
}

/// A hexadecimal number as a share of the greatest with as many digits.
fn share(digits: &str) -> Option<f64> {
    let most = match digits.len() {
        1 => 0xf,
        2 => 0xff,
        3 => 0xfff,
        4 => 0xffff,
        _ => return None,
    };
    Some(f64::from(u16::from_str_radix(digits, 16).ok()?) / f64::from(most))
}

/// Whether a text for a program begins here: OSC, DCS, SOS, PM or APC. By themselves they are keys with Alt.
fn begins_text(bytes: &[u8]) -> bool {
    bytes.len() > 2 && matches!(bytes, [ESC, b']' | b'P' | b'X' | b'^' | b'_', ..])
}

fn next(bytes: &[u8]) -> Next {
    match bytes {
        [] | [ESC] | [ESC, b'[' | b'O' | b']' | b'P' | b'X' | b'^' | b'_'] => Next::Unfinished,
        [ESC, ESC, ..] => Next::Over(1, Some(Event::Key(Key::plain(KeyCode::Esc)))),
        [ESC, b'[', ..] => control_sequence(bytes),
        [ESC, b'O', ..] => single_shift(bytes),
        [ESC, rest @ ..] => match character(rest) {
            Some(length) => over(bytes, 1 + length),
            None => Next::Unfinished,
        },
        _ => match character(bytes) {
            Some(length) => over(bytes, length),
            None => Next::Unfinished,
        },
    }
}

fn over(bytes: &[u8], length: usize) -> Next {
    Next::Over(length, meaning(&bytes[..length]))
}

/// The bytes of the character at the beginning; `None` when it is not over.
fn character(bytes: &[u8]) -> Option<usize> {
    let first = &bytes[..bytes.len().min(4)];
    match std::str::from_utf8(first) {
        Ok(text) => text.chars().next().map(char::len_utf8),
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&first[..error.valid_up_to()]).ok()?.chars().next().map(char::len_utf8)
        }
        // What is no character is passed over.
        Err(error) => error.error_len(),
    }
}

fn control_sequence(bytes: &[u8]) -> Next {
    match bytes {
        // A mouse in the way of X10, which is not asked for: three bytes of any kind follow.
        [_, _, b'M', _, _, _, ..] => return Next::Over(6, None),
        // The first function keys of a Linux console.
        [_, _, b'[', _, ..] => return over(bytes, 4),
        [_, _, b'M', ..] | [_, _, b'['] => return Next::Unfinished,
        _ => {}
    }
    let end = bytes.iter().skip(2).position(|byte| !matches!(byte, 0x20..=0x3f)).map(|at| at + 2);
    match end {
        Some(end) if matches!(bytes[end], 0x40..=0x7e) => over(bytes, end + 1),
        // Something else begins within it.
        Some(end) => Next::Over(end, None),
        None if bytes.len() > LONGEST => Next::Over(bytes.len(), None),
        None => Next::Unfinished,
    }
}

/// A key of the keypad or a function key, with what is held given as a digit by some terminals.
fn single_shift(bytes: &[u8]) -> Next {
    let end = bytes.iter().skip(2).take(2).position(|byte| !byte.is_ascii_digit()).map(|at| at + 2);
    match end {
        Some(end) if matches!(bytes[end], 0x40..=0x7e) => over(bytes, end + 1),
        Some(end) => Next::Over(end, Some(alt(b'O'))),
        None if bytes.len() > 3 => Next::Over(3, None),
        None => Next::Unfinished,
    }
}

/// What a whole sequence means here.
fn meaning(sequence: &[u8]) -> Option<Event> {
    match sequence {
        [ESC, b'[', b'<', ..] => mouse(sequence),
        // The keypad where it sends codes of its own.
        [ESC, b'O', b'M'] => Some(Event::Key(Key::plain(KeyCode::Enter))),
        [ESC, b'O', code @ b'j'..=b'y'] => Some(Event::Key(Key::plain(KeyCode::Char(char::from(code - b'j' + b'*'))))),
        [ESC, b'O', b'X'] => Some(Event::Key(Key::plain(KeyCode::Char('=')))),
        [ESC, b'O', b'I'] => Some(Event::Key(Key::plain(KeyCode::Tab))),
        // The third function key with something held, which looks like an answer.
        [ESC, b'[', b'1', b';', b'2'..=b'9', b'R'] => parsed(sequence),
        // Only answers begin so, or end so.
        [ESC, b'[', b'?' | b'>' | b'=', ..] | [ESC, b'[', b'0'..=b'9', .., b'R'] => None,
        _ => parsed(sequence),
    }
}

fn parsed(sequence: &[u8]) -> Option<Event> {
    match Parsed::parse_from(sequence) {
        Ok(Some(Parsed::Key(key))) => key_of(key),
        _ => None,
    }
}

fn key_of(key: terminput::KeyEvent) -> Option<Event> {
    let key: KeyEvent = terminput_crossterm::to_crossterm_key(key);
    (key.kind != KeyEventKind::Release).then(|| Event::Key(Key::from(key)))
}

fn alt(letter: u8) -> Event {
    let modifiers = crossterm::event::KeyModifiers::ALT;
    Event::Key(Key { code: KeyCode::Char(char::from(letter)), modifiers })
}

/// What the mouse does, in the way of SGR.
fn mouse(sequence: &[u8]) -> Option<Event> {
    let text = std::str::from_utf8(sequence).ok()?.strip_prefix("\x1b[<")?;
    let (numbers, is_release) = match text.strip_suffix('M') {
        Some(numbers) => (numbers, false),
        None => (text.strip_suffix('m')?, true),
    };
    let mut numbers = numbers.split(';').map(str::parse::<u16>);
    let (Some(Ok(button)), Some(Ok(column)), Some(Ok(row)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return None;
    };
    // What is held with it makes no difference.
    let kind = match button & !0b1_1100 {
        0 if is_release => MouseKind::Release,
        _ if is_release => return None,
        0 => MouseKind::Click,
        2 => MouseKind::RightClick,
        32 => MouseKind::Drag,
        64 => MouseKind::ScrollUp,
        65 => MouseKind::ScrollDown,
        _ => return None,
    };
    Some(Event::Mouse(Mouse { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)? }))
}

fn pasted(bytes: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(bytes).into_owned())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(events: &[Event]) -> Vec<String> {
        let shown = |event: &Event| match event {
            Event::Key(key) => key.to_string(),
            Event::Paste(text) => format!("paste {text}"),
            Event::Mouse(Mouse { kind, column, row }) => format!("{kind:?} {column} {row}"),
            Event::Background { is_light } => format!("light: {is_light}"),
            other => panic!("{other:?}"),
        };
        events.iter().map(shown).collect()
    }

    /// What bytes come to when nothing follows them.
    fn all(bytes: &[u8]) -> Vec<String> {
        let mut sequences = Sequences::default();
        let mut events = sequences.take(bytes);
        events.extend(sequences.give_up());
        shown(&events)
    }

    #[test]
    fn an_answer_about_the_background_says_whether_it_is_light() {
        let all = |bytes: &[u8]| all(bytes).join(" ");
        assert!(all(b"\x1b]11;rgb:fdfd/f6f6/e3e3\x07").contains("light: true"));
        assert!(all(b"\x1b]11;rgb:00/2b/36\x1b\\j").contains("light: false"));
        assert!(all(b"\x1b]11;rgba:ff/ff/ff/ff\x1b\\").contains("light: true"));
        assert_eq!(all(b"\x1b]11;rgb:white\x07"), "");
        assert_eq!(all(b"\x1b]52;c;rgb:ff/ff/ff\x07"), "");
    }

    #[test]
    fn keys_are_known_in_each_of_their_ways() {
        for (bytes, keys) in [
            ("j", "j"),
            ("Ł", "Ł"),
            ("\r", "enter"),
            ("\t", "tab"),
            ("\x7f", "backspace"),
            ("\x12", "ctrl-r"),
            ("\x1b", "esc"),
            ("\x1bx", "alt-x"),
            ("\x1bó", "alt-ó"),
            ("\x1bO", "alt-O"),
            ("\x1bP", "alt-P"),
            ("\x1b]", "alt-]"),
            ("\x1b[A", "up"),
            ("\x1bOA", "up"),
            ("\x1b[1;3D", "alt-left"),
            ("\x1b[5~", "pageup"),
            ("\x1b[3~", "delete"),
            ("\x1b[Z", "backtab"),
            ("\x1bOP", "f1"),
            ("\x1b[[A", "f1"),
            ("\x1b[27u", "esc"),
            ("\x1b[105;5u", "ctrl-i"),
            ("\x1bOM", "enter"),
            ("\x1bOj", "*"),
            ("\x1bOo", "/"),
            ("\x1bOy", "9"),
            ("\x1b[57414u", "enter"),
        ] {
            assert_eq!(all(bytes.as_bytes()), [keys], "{bytes:?}");
        }
        assert_eq!(all(b"\x1b\x1b[A"), ["esc", "up"]);
        assert_eq!(all(b"\x1b[97;1:3u"), [""; 0], "a key that goes up");
    }

    #[test]
    fn what_answers_others_is_no_key_and_what_follows_it_is() {
        for answer in [
            "\x1b[?62;22c",
            "\x1b[?2026;2$y",
            "\x1b[?997;1n",
            "\x1b[?1u",
            "\x1b[>0;276;0c",
            "\x1b[24;80R",
            "\x1b[I",
            "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
            "\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
            "\x1bP1+r544e=787465726d\x1b\\",
            "\x1bP>|XTerm(390)\x1b\\",
            "\x1b_Gi=31;OK\x1b\\",
            "\x1b^q\x1b\\",
            "\x1b[M !!",
            "\x1b[32;1",
        ] {
            let mut sequences = Sequences::default();
            let mut events = sequences.take(answer.as_bytes());
            events.extend(sequences.give_up());
            events.extend(sequences.take(b"j"));
            let keys: Vec<_> = shown(&events).into_iter().filter(|event| !event.starts_with("light")).collect();
            assert_eq!(keys, ["j"], "{answer:?}");
        }
        assert_eq!(all(b"\x1b]11;rgb:1e1e\x1b[A"), ["up"], "a text that is cut short");
    }

    #[test]
    fn clicks_drags_wheels_and_pastes_are_read() {
        assert_eq!(
            all(b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<32;5;4M\x1b[<64;1;1M\x1b[<65;1;1M"),
            ["Click 2 3", "Release 2 3", "Drag 4 3", "ScrollUp 0 0", "ScrollDown 0 0"]
        );
        assert_eq!(all(b"\x1b[<0;0;0M"), [""; 0]);
        assert_eq!(all("\x1b[200~a\r\x1b[Ab\x1b[201~q".as_bytes()), ["paste a\r\x1b[Ab", "q"]);
        assert_eq!(all(b"\x1b[200~cut short"), ["paste cut short"]);
    }

    /// Keys, answers and pastes in any order.
    fn piece() -> impl Strategy<Value = (Vec<u8>, Vec<&'static str>)> {
        prop::sample::select(vec![
            ("j", vec!["j"]),
            ("Łó", vec!["Ł", "ó"]),
            ("\r", vec!["enter"]),
            ("\x1b[1;5C", vec!["ctrl-right"]),
            ("\x1bOM", vec!["enter"]),
            ("\x1b[?62;22c", vec![]),
            ("\x1b]11;rgb:0/0/0\x07", vec!["light: false"]),
            ("\x1bP>|XTerm\x1b\\", vec![]),
            ("\x1b[200~ab\x1b[201~", vec!["paste ab"]),
            ("\x1b[<0;1;1M", vec!["Click 0 0"]),
        ])
        .prop_map(|(bytes, keys)| (bytes.as_bytes().to_vec(), keys))
    }

    proptest! {
        #[test]
        fn wherever_a_line_cuts_it_the_same_comes_of_it(
            pieces in prop::collection::vec(piece(), 0..12),
            cuts in prop::collection::vec(1_usize..9, 1..40),
        ) {
            let bytes: Vec<u8> = pieces.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
            let expected: Vec<&str> = pieces.iter().flat_map(|(_, keys)| keys.clone()).collect();
            let (mut sequences, mut events, mut rest) = (Sequences::default(), Vec::new(), bytes.as_slice());
            for cut in cuts.iter().cycle() {
                let (part, left) = rest.split_at(rest.len().min(*cut));
                events.extend(sequences.take(part));
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(shown(&events), expected);
            prop_assert_eq!(sequences.patience(), None);
        }

        #[test]
        fn no_bytes_leave_the_keyboard_dead(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut sequences = Sequences::default();
            sequences.take(&bytes);
            sequences.give_up();
            prop_assert_eq!(sequences.patience(), None);
            prop_assert_eq!(shown(&sequences.take(b"j")), ["j"]);
        }
    }
}
