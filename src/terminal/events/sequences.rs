//! Parses the bytes that a terminal sends into keys, clicks and pastes.
//!
//! A sequence is read to its end by the rules of ECMA-48 before it is interpreted. So one without a meaning here, such as the
//! response to another program's query, is skipped whole and never turns into keys. An incomplete sequence is given up after a
//! while.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};
use terminput::Event as Parsed;

use crate::app::{Event, Mouse, MouseKind};
use crate::keymap::Key;

/// Input that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    bytes: Vec<u8>,
    /// The text of the paste in progress.
    paste: Option<Vec<u8>>,
    /// Whether a string sequence (OSC, DCS and the like) is being read. Only the response about the background is expected.
    skipping: bool,
    /// The beginning of that string.
    text: Vec<u8>,
}

/// The next item in the input.
enum Next {
    /// Its length in bytes, and its meaning here.
    Complete(usize, Option<Event>),
    /// It is incomplete.
    Incomplete,
}

const ESC: u8 = 0x1b;
const BELL: u8 = 0x07;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
/// Longer than any known sequence.
const MAX_SEQUENCE_LEN: usize = 256;
/// The rest of a longer paste is dropped.
const MAX_PASTE_LEN: usize = 16 << 20;
/// How long to wait for the rest of a sequence: an Esc with nothing after it is the key. A slow connection can deliver them apart.
const ESC_TIMEOUT: Duration = Duration::from_millis(30);
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(100);
const TEXT_TIMEOUT: Duration = Duration::from_secs(1);
/// If a paste is given up too early, the rest of it would be read as keys.
const PASTE_TIMEOUT: Duration = Duration::from_secs(5);

impl Sequences {
    /// Parses more input. Returns the events it completes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
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
            } else if self.bytes.starts_with(PASTE_START) {
                self.bytes.drain(..PASTE_START.len());
                self.paste = Some(Vec::new());
            } else if starts_text(&self.bytes) {
                // Keeps the introducer, since only the text of an OSC is of interest.
                self.text.clear();
                self.text.extend(self.bytes.drain(..2).skip(1));
                self.skipping = true;
            } else {
                match next(&self.bytes) {
                    Next::Complete(length, event) => {
                        self.bytes.drain(..length);
                        events.extend(event);
                    }
                    Next::Incomplete => return events,
                }
            }
        }
    }

    /// How long to wait for the rest of the input; `None` if nothing is incomplete.
    pub fn timeout(&self) -> Option<Duration> {
        if self.paste.is_some() {
            Some(PASTE_TIMEOUT)
        } else if self.skipping {
            Some(TEXT_TIMEOUT)
        } else {
            match self.bytes.len() {
                0 => None,
                1 | 2 => Some(ESC_TIMEOUT),
                _ => Some(SEQUENCE_TIMEOUT),
            }
        }
    }

    /// Ends the incomplete input: nothing more has arrived.
    pub fn flush(&mut self) -> Option<Event> {
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
            // Alt with a character that could start a sequence.
            [ESC, letter] if *letter != b'[' => parse_sequence(&[ESC, *letter]).or_else(|| Some(alt(*letter))),
            _ => None,
        }
    }

    fn take_paste(&mut self) -> Option<Event> {
        let end = find(&self.bytes, PASTE_END);
        // The end marker may have arrived only in part.
        let safe = end.unwrap_or_else(|| self.bytes.len().saturating_sub(PASTE_END.len() - 1));
        let paste = self.paste.get_or_insert_default();
        let room = MAX_PASTE_LEN.saturating_sub(paste.len());
        paste.extend(self.bytes.drain(..safe).take(room));
        end?;
        self.bytes.drain(..PASTE_END.len());
        self.paste.take().map(|paste| pasted(&paste))
    }

    /// Skips a string sequence. Returns whether it is complete.
    fn skip(&mut self) -> bool {
        let end = self.bytes.iter().position(|byte| matches!(*byte, BELL | ESC | 0x18 | 0x1a));
        let room = MAX_TEXT_LEN.saturating_sub(self.text.len());
        self.text.extend(self.bytes[..end.unwrap_or(self.bytes.len())].iter().take(room));
        let Some(end) = end else {
            self.bytes.clear();
            return false;
        };
        if self.bytes[end] == ESC && self.bytes.len() == end + 1 {
            // The next byte decides whether the string ends here.
            self.bytes.drain(..end);
            return false;
        }
        // An Esc without a `\` starts another sequence.
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

/// How much of a string is kept: more than a response about a colour has.
const MAX_TEXT_LEN: usize = 64;

/// Parses the response to the background query (OSC 11): `]11;rgb:ffff/ffff/ffff`, with one to four digits per component.
fn background(text: &[u8]) -> Option<Event> {
    let colour = std::str::from_utf8(text).ok()?.strip_prefix("]11;")?;
    let parts = colour.strip_prefix("rgb:").or_else(|| Some(colour.strip_prefix("rgba:")?.rsplit_once('/')?.0))?;
    let parts: Vec<f64> = parts.split('/').filter_map(colour_component).collect();
    let [red, green, blue] = parts.as_slice() else { return None };
    // Perceived brightness (<https://www.w3.org/TR/AERT/#color-contrast>).
    Some(Event::Background { is_light: red * 0.299 + green * 0.587 + blue * 0.114 > 0.5 })
}

/// A hexadecimal number as a fraction of the maximum with as many digits.
fn colour_component(digits: &str) -> Option<f64> {
    let max = match digits.len() {
        1 => 0xf,
        2 => 0xff,
        3 => 0xfff,
        4 => 0xffff,
        _ => return None,
    };
    Some(f64::from(u16::from_str_radix(digits, 16).ok()?) / f64::from(max))
}

/// Whether a string sequence starts here: OSC, DCS, SOS, PM or APC. Without more bytes, these are keys with Alt.
fn starts_text(bytes: &[u8]) -> bool {
    bytes.len() > 2 && matches!(bytes, [ESC, b']' | b'P' | b'X' | b'^' | b'_', ..])
}

fn next(bytes: &[u8]) -> Next {
    match bytes {
        [] | [ESC] | [ESC, b'[' | b'O' | b']' | b'P' | b'X' | b'^' | b'_'] => Next::Incomplete,
        [ESC, ESC, ..] => Next::Complete(1, Some(Event::Key(Key::plain(KeyCode::Esc)))),
        [ESC, b'[', ..] => control_sequence(bytes),
        [ESC, b'O', ..] => single_shift(bytes),
        [ESC, rest @ ..] => match character(rest) {
            Some(length) => complete(bytes, 1 + length),
            None => Next::Incomplete,
        },
        _ => match character(bytes) {
            Some(length) => complete(bytes, length),
            None => Next::Incomplete,
        },
    }
}

fn complete(bytes: &[u8], length: usize) -> Next {
    Next::Complete(length, parse_sequence(&bytes[..length]))
}

/// The length of the first character in bytes; `None` if it is incomplete.
fn character(bytes: &[u8]) -> Option<usize> {
    let first = &bytes[..bytes.len().min(4)];
    match std::str::from_utf8(first) {
        Ok(text) => text.chars().next().map(char::len_utf8),
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&first[..error.valid_up_to()]).ok()?.chars().next().map(char::len_utf8)
        }
        // Invalid bytes are skipped.
        Err(error) => error.error_len(),
    }
}

fn control_sequence(bytes: &[u8]) -> Next {
    match bytes {
        // X10 mouse reports, which are not requested: any three bytes follow.
        [_, _, b'M', _, _, _, ..] => return Next::Complete(6, None),
        // F1 to F5 on a Linux console.
        [_, _, b'[', _, ..] => return complete(bytes, 4),
        [_, _, b'M', ..] | [_, _, b'['] => return Next::Incomplete,
        _ => {}
    }
    let end = bytes.iter().skip(2).position(|byte| !matches!(byte, 0x20..=0x3f)).map(|at| at + 2);
    match end {
        Some(end) if matches!(bytes[end], 0x40..=0x7e) => complete(bytes, end + 1),
        // Another sequence starts within it.
        Some(end) => Next::Complete(end, None),
        None if bytes.len() > MAX_SEQUENCE_LEN => Next::Complete(bytes.len(), None),
        None => Next::Incomplete,
    }
}

/// A key of the keypad or a function key; some terminals put a digit for the modifiers before the final byte.
fn single_shift(bytes: &[u8]) -> Next {
    let end = bytes.iter().skip(2).take(2).position(|byte| !byte.is_ascii_digit()).map(|at| at + 2);
    match end {
        Some(end) if matches!(bytes[end], 0x40..=0x7e) => complete(bytes, end + 1),
        Some(end) => Next::Complete(end, Some(alt(b'O'))),
        None if bytes.len() > 3 => Next::Complete(3, None),
        None => Next::Incomplete,
    }
}

/// The meaning of a complete sequence.
fn parse_sequence(sequence: &[u8]) -> Option<Event> {
    match sequence {
        [ESC, b'[', b'<', ..] => mouse(sequence),
        // The keypad in application mode.
        [ESC, b'O', b'M'] => Some(Event::Key(Key::plain(KeyCode::Enter))),
        [ESC, b'O', code @ b'j'..=b'y'] => Some(Event::Key(Key::plain(KeyCode::Char(char::from(code - b'j' + b'*'))))),
        [ESC, b'O', b'X'] => Some(Event::Key(Key::plain(KeyCode::Char('=')))),
        [ESC, b'O', b'I'] => Some(Event::Key(Key::plain(KeyCode::Tab))),
        // F3 with modifiers, which looks like a cursor position report.
        [ESC, b'[', b'1', b';', b'2'..=b'9', b'R'] => parsed(sequence),
        // Only responses start or end like this.
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

/// An SGR mouse report.
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
    // Modifiers are ignored.
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

    /// The events of bytes that nothing follows.
    fn all(bytes: &[u8]) -> Vec<String> {
        let mut sequences = Sequences::default();
        let mut events = sequences.feed(bytes);
        events.extend(sequences.flush());
        shown(&events)
    }

    #[test]
    fn a_background_response_tells_light_from_dark() {
        let all = |bytes: &[u8]| all(bytes).join(" ");
        assert!(all(b"\x1b]11;rgb:fdfd/f6f6/e3e3\x07").contains("light: true"));
        assert!(all(b"\x1b]11;rgb:00/2b/36\x1b\\j").contains("light: false"));
        assert!(all(b"\x1b]11;rgba:ff/ff/ff/ff\x1b\\").contains("light: true"));
        assert_eq!(all(b"\x1b]11;rgb:white\x07"), "");
        assert_eq!(all(b"\x1b]52;c;rgb:ff/ff/ff\x07"), "");
    }

    #[test]
    fn keys_are_parsed_in_every_encoding() {
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
    fn responses_are_skipped_but_not_the_key_after_them() {
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
            let mut events = sequences.feed(answer.as_bytes());
            events.extend(sequences.flush());
            events.extend(sequences.feed(b"j"));
            let keys: Vec<_> = shown(&events).into_iter().filter(|event| !event.starts_with("light")).collect();
            assert_eq!(keys, ["j"], "{answer:?}");
        }
        assert_eq!(all(b"\x1b]11;rgb:1e1e\x1b[A"), ["up"], "a text that is cut short");
    }

    #[test]
    fn clicks_drags_wheels_and_pastes_are_parsed() {
        assert_eq!(
            all(b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<32;5;4M\x1b[<64;1;1M\x1b[<65;1;1M"),
            ["Click 2 3", "Release 2 3", "Drag 4 3", "ScrollUp 0 0", "ScrollDown 0 0"]
        );
        assert_eq!(all(b"\x1b[<0;0;0M"), [""; 0]);
        assert_eq!(all("\x1b[200~a\r\x1b[Ab\x1b[201~q".as_bytes()), ["paste a\r\x1b[Ab", "q"]);
        assert_eq!(all(b"\x1b[200~cut short"), ["paste cut short"]);
    }

    /// Keys, responses and pastes.
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
        fn events_do_not_depend_on_how_the_bytes_are_split(
            pieces in prop::collection::vec(piece(), 0..12),
            cuts in prop::collection::vec(1_usize..9, 1..40),
        ) {
            let bytes: Vec<u8> = pieces.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
            let expected: Vec<&str> = pieces.iter().flat_map(|(_, keys)| keys.clone()).collect();
            let (mut sequences, mut events, mut rest) = (Sequences::default(), Vec::new(), bytes.as_slice());
            for cut in cuts.iter().cycle() {
                let (part, left) = rest.split_at(rest.len().min(*cut));
                events.extend(sequences.feed(part));
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(shown(&events), expected);
            prop_assert_eq!(sequences.timeout(), None);
        }

        #[test]
        fn keys_work_after_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut sequences = Sequences::default();
            sequences.feed(&bytes);
            sequences.flush();
            prop_assert_eq!(sequences.timeout(), None);
            prop_assert_eq!(shown(&sequences.feed(b"j")), ["j"]);
        }
    }
}
