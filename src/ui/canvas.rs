//! A frame, and what in it can be clicked: collected while it is drawn.

use std::ops::{Deref, DerefMut};

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::app::{Area, ListWindow, Target, Targets};

/// A frame that is drawn, with its targets.
pub(super) struct Canvas<'a, 'b> {
    frame: &'a mut Frame<'b>,
    targets: Targets,
    pointers: Pointers,
    /// The chosen line of the list that is drawn, and its place there.
    chosen: Option<String>,
    /// The title of the dialog that is drawn.
    title: Option<String>,
}

/// Where the cursor of the terminal could be. It is hidden but in a field; where the screen is read aloud, it is always at what has the
/// keys.
#[derive(Debug, Clone, Copy, Default)]
struct Pointers {
    field: Option<Position>,
    line: Option<Position>,
    dialog: Option<Position>,
    row: Option<Position>,
}

impl<'a, 'b> Canvas<'a, 'b> {
    pub const fn new(frame: &'a mut Frame<'b>, opened: u64) -> Self {
        let pointers = Pointers { field: None, line: None, dialog: None, row: None };
        Self { frame, targets: Targets::new(opened), pointers, chosen: None, title: None }
    }

    /// What is typed goes there.
    pub fn point_at_field(&mut self, x: u16, y: u16) {
        self.pointers.field = Some(Position { x, y });
        self.frame.set_cursor_position(Position { x, y });
    }

    /// The line of a dialog, or of a pane, that has the keys begins there.
    pub const fn point_at_line(&mut self, x: u16, y: u16) {
        self.pointers.line = Some(Position { x, y });
    }

    /// A dialog begins there.
    pub const fn point_at_dialog(&mut self, x: u16, y: u16) {
        self.pointers.dialog = Some(Position { x, y });
    }

    /// The name in the selected row begins there.
    pub const fn point_at_row(&mut self, x: u16, y: u16) {
        self.pointers.row = Some(Position { x, y });
    }

    /// Puts the cursor where a screen reader is to read: in the field, or at the line if the last key went there.
    pub fn place_cursor(&mut self, through_list: bool) {
        let Pointers { field, line, dialog, row } = self.pointers;
        let first = if through_list { line.or(field) } else { field.or(line) };
        let area = self.frame.area();
        let last_line = Position { x: area.x + 1.min(area.width), y: area.bottom().saturating_sub(1) };
        let at = first.or(dialog).or(row).unwrap_or(last_line);
        if area.contains(at) {
            self.frame.set_cursor_position(at);
        }
    }

    /// A line of a list is chosen.
    pub fn choose(&mut self, line: String) {
        self.chosen = Some(line);
    }

    /// The chosen line of the list that is drawn, if one is.
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// The dialog that is drawn is called so.
    pub fn entitle(&mut self, title: &str) {
        self.title = Some(title.to_owned());
    }

    /// The title of the dialog that is drawn, if one is.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What is drawn there can be clicked.
    pub fn target(&mut self, area: Rect, target: Target) {
        let Rect { x, y, width, height } = area;
        if !area.is_empty() {
            self.targets.add(Area { x, y, width, height }, target);
        }
    }

    /// The list that is drawn there is scrolled by the wheel.
    pub const fn list(&mut self, list: ListWindow) {
        self.targets.show_list(list);
    }

    /// A dialog takes this area: nothing below it, nor beside it, can be clicked.
    pub fn cover(&mut self, area: Rect) {
        self.targets.cover();
        self.target(area, Target::Nothing);
    }

    /// What can be clicked so far: of a dialog that is drawn before what it lies upon.
    pub fn take_targets(&mut self) -> Targets {
        let empty = self.targets.emptied();
        std::mem::replace(&mut self.targets, empty)
    }

    /// Nothing but this can be clicked.
    pub fn put_back(&mut self, targets: Targets) {
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
