//! [`OutputText`]: the output of a program as displayable lines. The caller limits the total size.

/// Lines of output, assembled from chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputText {
    lines: Vec<String>,
    /// Whether the last line may still continue.
    is_line_open: bool,
    /// Whether a carriage return came last: the next character overwrites the last line, as on a terminal.
    has_carriage_return: bool,
    /// Characters in the last line.
    column: usize,
}

/// The maximum length of a line, in characters; longer lines continue on the next one.
const MAX_LINE_CHARS: usize = 4_096;
const TAB_WIDTH: usize = 8;

impl OutputText {
    /// Returns the lines so far.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns the last line that isn't blank, trimmed.
    #[must_use]
    pub fn last_nonblank_line(&self) -> Option<&str> {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }

    /// Appends a chunk of output.
    pub fn append(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.end_line(),
                '\r' => self.has_carriage_return = true,
                '\t' => {
                    self.add(' ');
                    while !self.column.is_multiple_of(TAB_WIDTH) {
                        self.add(' ');
                    }
                }
                // Programs that overwrite their output, such as progress indicators, use backspaces too.
                '\u{8}' => {
                    if self.is_line_open && self.lines.last_mut().and_then(String::pop).is_some() {
                        self.column -= 1;
                    }
                }
                control if control.is_control() => {}
                other => self.add(other),
            }
        }
    }

    fn end_line(&mut self) {
        if !self.is_line_open {
            self.lines.push(String::new());
        }
        self.close_line();
    }

    fn close_line(&mut self) {
        self.is_line_open = false;
        self.has_carriage_return = false;
        self.column = 0;
    }

    fn add(&mut self, character: char) {
        if self.column >= MAX_LINE_CHARS {
            self.close_line();
        }
        if std::mem::take(&mut self.has_carriage_return) && self.is_line_open {
            self.lines.pop();
            self.is_line_open = false;
            self.column = 0;
        }
        if !std::mem::replace(&mut self.is_line_open, true) {
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
            text.append(part);
        }
        text.lines().to_vec()
    }

    #[test]
    fn lines_do_not_depend_on_how_the_output_is_chunked() {
        assert_eq!(lines(&["one\n\ntw", "o\r", "\nthree"]), ["one", "", "two", "three"]);
        assert_eq!(lines(&["one\n"]), ["one"]);
        assert_eq!(lines(&["\n"]), [""]);
    }

    #[test]
    fn overwritten_output_shows_only_its_last_state() {
        assert_eq!(lines(&["10 %\r20 %\r", "100 %\ndone"]), ["100 %", "done"]);
        assert_eq!(lines(&["ab\u{8}c"]), ["ac"]);
    }

    #[test]
    fn control_characters_are_removed_from_lines() {
        assert_eq!(lines(&["a\tb\u{7}\u{1b}[31m"]), ["a       b[31m"]);
    }

    #[test]
    fn an_overlong_line_continues_on_the_next() {
        let lines = lines(&[&"x".repeat(MAX_LINE_CHARS + 1)]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_CHARS, 1]);
    }
}
