//! A frame that collects click targets while it is drawn.

use std::ops::{Deref, DerefMut};

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::app::{Area, ListWindow, Target, Targets};

/// A frame being drawn, with its click targets.
pub(super) struct Canvas<'a, 'b> {
    frame: &'a mut Frame<'b>,
    targets: Targets,
    cursors: CursorCandidates,
    /// The chosen line of the list on screen, with its position.
    chosen_line: Option<String>,
    /// The title of the open dialog.
    title: Option<String>,
}

/// Candidate positions of the terminal cursor. It is only visible in a text field, except in screen-reader mode, where it always
/// marks what has the focus.
#[derive(Debug, Clone, Copy, Default)]
struct CursorCandidates {
    field: Option<Position>,
    line: Option<Position>,
    dialog: Option<Position>,
    row: Option<Position>,
}

impl<'a, 'b> Canvas<'a, 'b> {
    pub const fn new(frame: &'a mut Frame<'b>, opened: u64) -> Self {
        let cursors = CursorCandidates { field: None, line: None, dialog: None, row: None };
        Self { frame, targets: Targets::new(opened), cursors, chosen_line: None, title: None }
    }

    /// Puts the cursor in a text field.
    pub fn point_at_field(&mut self, x: u16, y: u16) {
        self.cursors.field = Some(Position { x, y });
        self.frame.set_cursor_position(Position { x, y });
    }

    /// Marks the start of the focused line of a dialog or pane.
    pub const fn point_at_line(&mut self, x: u16, y: u16) {
        self.cursors.line = Some(Position { x, y });
    }

    /// Marks the start of a dialog.
    pub const fn point_at_dialog(&mut self, x: u16, y: u16) {
        self.cursors.dialog = Some(Position { x, y });
    }

    /// Marks the start of the name in the selected row.
    pub const fn point_at_row(&mut self, x: u16, y: u16) {
        self.cursors.row = Some(Position { x, y });
    }

    /// Puts the cursor where a screen reader should read: in the field, or at the line if the last key moved through the list.
    pub fn place_cursor(&mut self, in_list: bool) {
        let CursorCandidates { field, line, dialog, row } = self.cursors;
        let first = if in_list { line.or(field) } else { field.or(line) };
        let area = self.frame.area();
        let last_line = Position { x: area.x + 1.min(area.width), y: area.bottom().saturating_sub(1) };
        let at = first.or(dialog).or(row).unwrap_or(last_line);
        if area.contains(at) {
            self.frame.set_cursor_position(at);
        }
    }

    /// Records the chosen line of a list.
    pub fn set_chosen_line(&mut self, line: String) {
        self.chosen_line = Some(line);
    }

    /// Returns the chosen line of the list on screen, if any.
    pub fn chosen_line(&self) -> Option<&str> {
        self.chosen_line.as_deref()
    }

    /// Records the title of the dialog being drawn.
    pub fn set_title(&mut self, title: &str) {
        self.title = Some(title.to_owned());
    }

    /// Returns the title of the dialog being drawn, if any.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Makes an area clickable.
    pub fn add_target(&mut self, area: Rect, target: Target) {
        let Rect { x, y, width, height } = area;
        if !area.is_empty() {
            self.targets.add(Area { x, y, width, height }, target);
        }
    }

    /// Makes the wheel scroll a list.
    pub const fn set_list(&mut self, list: ListWindow) {
        self.targets.show_list(list);
    }

    /// Covers the screen with a dialog: nothing below or beside it can be clicked.
    pub fn cover(&mut self, area: Rect) {
        self.targets.cover();
        self.add_target(area, Target::Nothing);
    }

    /// Takes the targets collected so far: those of a dialog that is drawn before the rows it covers.
    pub fn take_targets(&mut self) -> Targets {
        let empty = self.targets.empty_copy();
        std::mem::replace(&mut self.targets, empty)
    }

    /// Replaces all targets with these.
    pub fn set_targets(&mut self, targets: Targets) {
        self.targets = targets;
    }

    pub fn into_targets(self) -> Targets {
        self.targets
    }
}

impl<'b> Deref for Canvas<'_, 'b> {
    type Target = Frame<'b>;

    fn deref(&self) -> &Self::Target {
        self.frame
    }
}

impl DerefMut for Canvas<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.frame
    }
}
