//! What on the screen can be clicked, and what each place stands for.
//!
//! Only the drawing knows where things stand, so it collects them with each frame, and a click is looked up in the frame that
//! was on the screen. What comes of it is an event like any other: it names what was clicked and not where, and which dialog that
//! was in, so that nothing acts on what was never seen.

use crate::action::Action;
use crate::changes::OpId;
use crate::check::Rule;
use crate::segment::{Field, SegmentId};

use super::{Area, Choice, DialogKey, Event, KeptSide, Mouse, MouseKind, ProfileField};

/// What a place of the screen stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An action of the main screen.
    Action(Action),
    /// A key of the open dialog, with what the dialog says that it does.
    Key(DialogKey),
    /// A bookmark, where one is asked for.
    Bookmark(char),
    /// A line of the open dialog's list.
    Item {
        /// The line.
        item: ListItem,
        /// The first line that was shown of the list, counted from 0.
        first: usize,
    },
    /// A field of the open dialog.
    Field {
        /// The field.
        name: FieldName,
        /// The cell of its text, from 0.
        cell: usize,
    },
    /// A value in a conflict: its row, from 0, and whose it is.
    Side(usize, KeptSide),
    /// A place in a dialog that stands for nothing: what lies below it is not meant.
    Nothing,
}

/// A line of a list. It is known by what it is, since its place may be another one by the time of the click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An action of the palette, and its name there.
    Offer(Action, &'static str),
    /// A place to switch to.
    Profile(Choice),
    /// A parent; `None` is the top level.
    Parent(Option<SegmentId>),
    /// A request, by its number.
    Request(u64),
    /// A pending change.
    Change(OpId),
    /// What is wrong with a segment.
    Finding(Rule, SegmentId),
}

/// A field of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldName {
    /// The only one there is.
    Only,
    /// Of a segment.
    Segment(Field),
    /// Of a profile.
    Profile(ProfileField),
}

/// The part of a list that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListWindow {
    /// The first line shown, from 0.
    pub first: usize,
    /// How many lines are shown.
    pub shown: usize,
    /// How many lines the list has.
    pub len: usize,
}

/// A click on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// What was clicked.
    pub target: Target,
    /// Which dialog that was in: [`Screen::opened`](super::Screen::opened) when it was drawn.
    pub opened: u64,
    /// The column of the cell, from 0.
    pub column: u16,
    /// The row of the cell, from 0.
    pub row: u16,
}

/// Everything that can be clicked in one frame.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    opened: u64,
    spots: Vec<(Area, Target)>,
    list: Option<ListWindow>,
}

impl Targets {
    /// Nothing yet, in a frame of that dialog.
    #[must_use]
    pub const fn new(opened: u64) -> Self {
        Self { opened, spots: Vec::new(), list: None }
    }

    /// Nothing, in a frame of the same dialog.
    #[must_use]
    pub const fn emptied(&self) -> Self {
        Self::new(self.opened)
    }

    /// Something more; where two overlap, the later one lies on top.
    pub fn add(&mut self, area: Area, target: Target) {
        self.spots.push((area, target));
    }

    /// The list that the wheel scrolls.
    pub const fn show_list(&mut self, list: ListWindow) {
        self.list = Some(list);
    }

    /// A dialog is drawn over everything: nothing below it can be clicked.
    pub fn cover(&mut self) {
        self.spots.clear();
        self.list = None;
    }

    /// What a cell stands for, if for anything.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let (area, target) = self.spots.iter().rfind(|(area, _)| area.contains(column, row))?;
        Some(match target {
            Target::Field { name, cell } => {
                Target::Field { name: *name, cell: cell.saturating_add(usize::from(column - area.x)) }
            }
            other => other.clone(),
        })
    }

    /// What the mouse did, as an event: a click on what stood there, a list that is scrolled, or just what it did.
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

    /// All of them, each with its area.
    pub fn iter(&self) -> impl Iterator<Item = &(Area, Target)> {
        self.spots.iter()
    }
}
