//! The click targets of a frame.
//!
//! Only the drawing knows where things are, so it collects the targets of each frame, and a click is looked up in the frame that
//! was on the screen. The result is an event like any other: it names the target rather than the cell, and the dialog that it was
//! in, so that nothing acts on what was never seen.

use crate::action::Action;
use crate::changes::OpId;
use crate::check::Rule;
use crate::segment::{Field, SegmentId};

use super::{Area, Choice, DialogKey, Event, KeptSide, Mouse, MouseKind, ProfileField};

/// What a click on an area of the screen means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An action of the main screen.
    Action(Action),
    /// A key of the open dialog, with its label there.
    Key(DialogKey),
    /// A bookmark, where the dialog asks for one.
    Bookmark(char),
    /// A line of the open dialog's list.
    Item {
        /// The line.
        item: ListItem,
        /// The first visible line of the list, from 0.
        first: usize,
    },
    /// A field of the open dialog.
    Field {
        /// The field.
        name: FieldName,
        /// The cell of its text, from 0.
        cell: usize,
    },
    /// A value in a conflict: its row, from 0, and its side.
    Side(usize, KeptSide),
    /// An inactive part of a dialog, which hides the targets below it.
    Nothing,
}

/// A line of a list, identified by its content, since its position may have changed by the time of the click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An action of the palette, and its name there.
    Offer(Action, &'static str),
    /// A destination to switch to.
    Profile(Choice),
    /// A parent; `None` is the top level.
    Parent(Option<SegmentId>),
    /// A request, by its number.
    Request(u64),
    /// A pending change.
    Change(OpId),
    /// A finding: the rule and the segment that breaks it.
    Finding(Rule, SegmentId),
}

/// A field of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldName {
    /// The only field of the dialog.
    Only,
    /// A field of a segment.
    Segment(Field),
    /// A field of a profile.
    Profile(ProfileField),
}

/// The visible part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListWindow {
    /// The first visible line, from 0.
    pub first: usize,
    /// The number of visible lines.
    pub shown: usize,
    /// The number of lines in the list.
    pub len: usize,
}

/// A click on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// The target.
    pub target: Target,
    /// The dialog that it was in: [`Screen::opened`](super::Screen::opened) when it was drawn.
    pub opened: u64,
    /// The column of the cell, from 0.
    pub column: u16,
    /// The row of the cell, from 0.
    pub row: u16,
}

/// All click targets of one frame.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    opened: u64,
    areas: Vec<(Area, Target)>,
    list: Option<ListWindow>,
}

impl Targets {
    /// Creates an empty set of targets for a frame with that [`Screen::opened`](super::Screen::opened) number.
    #[must_use]
    pub const fn new(opened: u64) -> Self {
        Self { opened, areas: Vec::new(), list: None }
    }

    /// Returns an empty set for a frame of the same dialog.
    #[must_use]
    pub const fn empty_copy(&self) -> Self {
        Self::new(self.opened)
    }

    /// Adds a target; where two overlap, the later one is on top.
    pub fn add(&mut self, area: Area, target: Target) {
        self.areas.push((area, target));
    }

    /// Sets the list that the wheel scrolls.
    pub const fn show_list(&mut self, list: ListWindow) {
        self.list = Some(list);
    }

    /// Removes all targets: a dialog covers everything drawn so far.
    pub fn cover(&mut self) {
        self.areas.clear();
        self.list = None;
    }

    /// Returns the target at a cell.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let (area, target) = self.areas.iter().rfind(|(area, _)| area.contains(column, row))?;
        Some(match target {
            Target::Field { name, cell } => {
                Target::Field { name: *name, cell: cell.saturating_add(usize::from(column - area.x)) }
            }
            other => other.clone(),
        })
    }

    /// Converts a mouse event: to a click on the target there, to the scrolling of a list, or to a plain mouse event.
    #[must_use]
    pub fn event(&self, mouse: Mouse) -> Event {
        let opened = self.opened;
        match (mouse.kind, self.list) {
            (MouseKind::Click, _) => {
                let Some(target) = self.at(mouse.column, mouse.row) else { return Event::Mouse(mouse) };
                Event::Clicked(Click { target, opened, column: mouse.column, row: mouse.row })
            }
            (MouseKind::ScrollUp | MouseKind::ScrollDown, Some(list)) => {
                Event::Scrolled { list, opened, down: mouse.kind == MouseKind::ScrollDown }
            }
            _ => Event::Mouse(mouse),
        }
    }

    /// Iterates over all targets with their areas.
    pub fn iter(&self) -> impl Iterator<Item = &(Area, Target)> {
        self.areas.iter()
    }
}
