//! [`OutputText`]: what a program wrote, as lines that can be shown. How much that is at most is seen to by whoever reads it.

/// Lines as they come in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputText {
    lines: Vec<String>,
    /// The last line may still go on.
    open: bool,
    /// What comes next takes the place of the last line, as on a terminal.
    returned: bool,
    /// Characters in the last line.
    column: usize,
}

/// A line that is longer goes on in the next one.
const LONGEST: usize = 4_096;
const TAB: usize = 8;

impl OutputText {
    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The last line with anything in it.
    #[must_use]
    pub fn last_words(&self) -> Option<&str> {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }

    /// Adds what came next.
    pub fn take(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.end_line(),
                '\r' => self.returned = true,
                '\t' => {
                    self.add(' ');
                    while !self.column.is_multiple_of(TAB) {
                        self.add(' ');
                    }
                }
                // The programs that overwrite what they wrote do so with these.
                '\u{8}' => {
                    if self.open && self.lines.last_mut().and_then(String::pop).is_some() {
                        self.column -= 1;
                    }
                }
                control if control.is_control() => {}
                other => self.add(other),
            }
        }
    }

    fn end_line(&mut self) {
        if !self.open {
            self.lines.push(String::new());
        }
        self.close();
    }

    fn close(&mut self) {
        self.open = false;
        self.returned = false;
        self.column = 0;
    }

    fn add(&mut self, character: char) {
        if self.column >= LONGEST {
            self.close();
        }
        if std::mem::take(&mut self.returned) && self.open {
            self.lines.pop();
            self.open = false;
            self.column = 0;
        }
        if !std::mem::replace(&mut self.open, true) {
            self.lines.push(String::new());
        }
        if let Some(line) = self.lines.last_mut() {
            line.push(character);
            self.column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&str]) -> Vec<String> {
        let mut text = OutputText::default();
        for part in parts {
            text.take(part);
        }
        text.lines().to_vec()
    }

    #[test]
    fn lines_are_the_same_in_whatever_parts_they_come() {
        assert_eq!(lines(&["one\n\ntw", "o\r", "\nthree"]), ["one", "", "two", "three"]);
        assert_eq!(lines(&["one\n"]), ["one"]);
        assert_eq!(lines(&["\n"]), [""]);
    }

    #[test]
    fn what_overwrites_itself_is_shown_as_it_was_last() {
        assert_eq!(lines(&["10 %\r20 %\r", "100 %\ndone"]), ["100 %", "done"]);
        assert_eq!(lines(&["ab\u{8}c"]), ["ac"]);
    }

    #[test]
    fn nothing_in_a_line_commands_the_terminal() {
        assert_eq!(lines(&["a\tb\u{7}\u{1b}[31m"]), ["a       b[31m"]);
    }

    #[test]
    fn a_line_without_end_goes_on_in_the_next() {
        let lines = lines(&[&"x".repeat(LONGEST + 1)]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, 1]);
    }
}
