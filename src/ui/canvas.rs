//! A frame, and what in it can be clicked: collected while it is drawn.

use std::ops::{Deref, DerefMut};

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::{Area, ListWindow, Target, Targets};

/// A frame that is drawn, with its targets.
pub(super) struct Canvas<'a, 'b> {
    frame: &'a mut Frame<'b>,
    targets: Targets,
}

impl<'a, 'b> Canvas<'a, 'b> {
    pub const fn new(frame: &'a mut Frame<'b>, opened: u64) -> Self {
        Self { frame, targets: Targets::new(opened) }
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
