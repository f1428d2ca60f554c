//! Writes frames: each in one piece within a synchronized update, and nothing at all if nothing changed.

use std::io::{self, Write};

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// A crossterm backend that skips redundant output.
///
/// ratatui shows or hides the cursor and places it with every frame; once is enough.
pub(super) struct DiffBackend {
    terminal: CrosstermBackend<FrameBuffer<io::Stdout>>,
    cursor: Cursor,
}

/// The cursor as last set in the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    Unknown,
    Hidden,
    Shown(Option<Position>),
}

impl DiffBackend {
    pub fn new() -> Self {
        Self { terminal: CrosstermBackend::new(FrameBuffer::new(io::stdout())), cursor: Cursor::Unknown }
    }
}

impl DiffBackend {
    /// Copies a text to the clipboard of the machine the terminal runs on, even across an SSH session. The frame buffer is flushed
    /// first, so this is never sent in the middle of a frame.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        Write::flush(&mut self.terminal)?;
        queue!(self.terminal, CopyToClipboard::to_clipboard_from(text))?;
        Write::flush(&mut self.terminal)
    }
}

impl Backend for DiffBackend {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        if let Cursor::Shown(_) = self.cursor {
            // Drawing moves the cursor.
            self.cursor = Cursor::Shown(None);
        }
        self.terminal.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor != Cursor::Hidden {
            self.cursor = Cursor::Hidden;
            self.terminal.hide_cursor()?;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if !matches!(self.cursor, Cursor::Shown(_)) {
            self.cursor = Cursor::Shown(None);
            self.terminal.show_cursor()?;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.terminal.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Cursor::Shown(Some(position)) {
            if let Cursor::Shown(_) = self.cursor {
                self.cursor = Cursor::Shown(Some(position));
            }
            self.terminal.set_cursor_position(position)?;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.terminal.clear_region(clear_type)
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.terminal.append_lines(lines)
    }

    fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.terminal.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.terminal)
    }
}

/// Buffers a frame and writes it in one piece.
struct FrameBuffer<W> {
    buffer: Vec<u8>,
    out: W,
}

impl<W> FrameBuffer<W> {
    const fn new(out: W) -> Self {
        Self { buffer: Vec::new(), out }
    }
}

impl<W: Write> Write for FrameBuffer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            queue!(self.buffer, BeginSynchronizedUpdate)?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        queue!(self.buffer, EndSynchronizedUpdate)?;
        let written = self.out.write_all(&self.buffer);
        self.buffer.clear();
        written.and_then(|()| self.out.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_written_in_one_piece_unless_it_is_empty() {
        let mut frame = FrameBuffer::new(Vec::new());
        frame.flush().unwrap();
        assert_eq!(frame.out, b"");
        frame.write_all(b"a").unwrap();
        frame.write_all(b"b").unwrap();
        assert_eq!(frame.out, b"");
        frame.flush().unwrap();
        assert_eq!(frame.out, b"\x1b[?2026hab\x1b[?2026l");
    }
}
