//! The activity as it is read: which entry is chosen, and which lines are in sight.
//!
//! Both are kept by the entry, never by a place: what happens meanwhile neither changes the choice nor moves what somebody reads. Only
//! a list that shows its newest entry goes on to show the newest, for as long as the chosen one stays in sight.

use super::{Activity, ActivityEntry, ActivityLine};
use crate::app::Area;

/// Entries are numbered in the order in which they came, from 1.
type Number = u64;

/// What is chosen and in sight.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// The first line in sight: of which entry, and which of its lines. `None`: the newest entry, whichever that is.
    top: Option<(Number, usize)>,
    /// The chosen entry.
    chosen: Option<Number>,
    /// The entry that was chosen when the last key or click had been dealt with.
    known: Option<Number>,
    /// Whether the wheel has turned the chosen entry out of sight.
    turned_away: bool,
    /// Whether the pane had the keys after the last event.
    focused: bool,
}

/// A line of the activity that is in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLine<'a> {
    /// The line.
    pub line: ActivityLine<'a>,
    /// Whether its entry is the chosen one.
    pub is_chosen: bool,
    /// Whether its entry begins with it.
    pub is_first: bool,
}

/// Why a key does not act on the chosen entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Unready {
    /// Nothing has happened yet.
    Empty,
    /// It is another one than after the last key.
    Another,
    /// It is not in sight.
    OutOfSight,
}

/// The blanks at both sides.
const MARGINS: u16 = 2;

impl Activity {
    /// The lines that a pane shows.
    pub fn shown(&self, area: Area) -> impl Iterator<Item = ShownLine<'_>> {
        let (first, line) = self.top(area);
        let entries = self.entries.iter().enumerate().skip(first);
        let lines = entries.flat_map(move |(at, entry)| {
            let is_chosen = self.reading.chosen == Some(self.number(at));
            let lines = entry.lines(width(area)).enumerate();
            lines.map(move |(line, text)| ShownLine { line: text, is_chosen, is_first: line == 0 })
        });
        lines.skip(line).take(usize::from(area.height))
    }

    /// The first entry that a pane shows, from the newest, how many it shows, and how many there are.
    #[must_use]
    pub fn part(&self, area: Area) -> (usize, usize, usize) {
        let (first, line) = self.top(area);
        let shown = self.shown(area).filter(|shown| shown.is_first).count() + usize::from(line > 0);
        (first, shown, self.entries.len())
    }

    /// The chosen entry.
    #[must_use]
    pub fn selected(&self) -> Option<&ActivityEntry> {
        self.entries.get(self.place(self.reading.chosen?)?)
    }

    /// The chosen entry, for a key that acts on it: the one that was chosen after the last key, and is on the screen.
    pub(in crate::app) fn selected_for_key(&self, area: Option<Area>) -> Result<&ActivityEntry, Unready> {
        let entry = self.selected().ok_or(Unready::Empty)?;
        if self.reading.chosen != self.reading.known {
            return Err(Unready::Another);
        }
        match area.filter(|area| self.is_in_sight(*area)) {
            Some(_) => Ok(entry),
            None => Err(Unready::OutOfSight),
        }
    }

    /// Chooses another entry, so many further on.
    pub(in crate::app) fn step(&mut self, by: isize) {
        let Some(last) = self.entries.len().checked_sub(1) else { return };
        let at = self.reading.chosen.and_then(|number| self.place(number)).unwrap_or(0);
        self.choose(at.saturating_add_signed(by).min(last));
    }

    /// Chooses the entry that has a line of a pane.
    pub(in crate::app) fn choose_line(&mut self, line: usize, area: Area) {
        let (first, skipped) = self.top(area);
        let mut left = skipped + line;
        for at in first..self.entries.len() {
            let lines = self.line_count(at, area);
            if left < lines {
                return self.choose(at);
            }
            left -= lines;
        }
    }

    /// Moves what is in sight by so many lines. The choice stays, even out of sight.
    pub(in crate::app) fn scroll(&mut self, by: isize, area: Area) {
        let (mut at, mut line) = self.top(area);
        for _ in 0..by.unsigned_abs() {
            if by > 0 {
                if line + 1 < self.line_count(at, area) {
                    line += 1;
                } else if at + 1 < self.entries.len() {
                    (at, line) = (at + 1, 0);
                }
            } else if line > 0 {
                line -= 1;
            } else if at > 0 {
                at -= 1;
                line = self.line_count(at, area).saturating_sub(1);
            }
        }
        self.begin_at(at, line);
        self.end_within(area);
        self.reading.turned_away = !self.is_in_sight(area);
    }

    /// Brings the choice and what is in sight up to date with an event: the last thing that is done about it. `by_person` is one that
    /// tells what is chosen from then on: a key or a click.
    pub(in crate::app) fn settle(&mut self, area: Option<Area>, focused: bool, by_person: bool) {
        let was_focused = std::mem::replace(&mut self.reading.focused, focused);
        let Some(area) = area.filter(|_| focused) else {
            if was_focused {
                self.leave();
            }
            return area.map_or((), |area| self.end_within(area));
        };
        self.end_within(area);
        if by_person || !was_focused {
            self.reading.turned_away = false;
        }
        let place = self.reading.chosen.map(|number| self.place(number));
        match (place, self.entries.len().checked_sub(1)) {
            (_, None) => self.reading.chosen = None,
            (None, Some(last)) => {
                let (first, line) = self.top(area);
                self.reading.chosen = Some(self.number((first + usize::from(line > 0)).min(last)));
            }
            // It was the oldest for which there was room.
            (Some(None), Some(last)) => self.reading.chosen = Some(self.number(last)),
            (Some(Some(_)), Some(_)) => {}
        }
        if !self.reading.turned_away {
            self.bring_into_sight(area);
        }
        if by_person {
            self.reading.known = self.reading.chosen;
        }
    }

    /// Another pane has the keys: this one shows what is new. The choice is remembered, unless it was the newest.
    fn leave(&mut self) {
        (self.reading.top, self.reading.turned_away) = (None, false);
        self.reading.chosen = self.reading.chosen.filter(|number| self.place(*number) != Some(0));
    }

    fn choose(&mut self, at: usize) {
        self.reading.chosen = Some(self.number(at));
        self.reading.turned_away = false;
    }

    /// The number of an entry at a place, from the newest.
    fn number(&self, at: usize) -> Number {
        self.pushed.saturating_sub(u64::try_from(at).unwrap_or(u64::MAX))
    }

    /// The place of an entry, from the newest; `None` for one that is not kept any more.
    fn place(&self, number: Number) -> Option<usize> {
        let at = usize::try_from(self.pushed.checked_sub(number)?).ok()?;
        (at < self.entries.len()).then_some(at)
    }

    fn line_count(&self, at: usize, area: Area) -> usize {
        self.entries.get(at).map_or(0, |entry| entry.lines(width(area)).count())
    }

    /// The first entry in sight, from the newest, and its first line in sight.
    fn top(&self, area: Area) -> (usize, usize) {
        let Some((number, line)) = self.reading.top else { return (0, 0) };
        let Some(at) = self.place(number) else { return (self.entries.len().saturating_sub(1), 0) };
        (at, line.min(self.line_count(at, area).saturating_sub(1)))
    }

    fn begin_at(&mut self, at: usize, line: usize) {
        self.reading.top = ((at, line) != (0, 0)).then(|| (self.number(at), line));
    }

    /// Leaves no blank lines below the oldest entry where there is something above.
    fn end_within(&mut self, area: Area) {
        if self.reading.top.is_none() {
            return;
        }
        let last = self.entries.len().saturating_sub(1);
        let most = self.beginning_with_end(last, area);
        if self.top(area) > most {
            self.begin_at(most.0, most.1);
        }
    }

    /// Where the lines in sight begin when the last of them is the last one of an entry.
    fn beginning_with_end(&self, end: usize, area: Area) -> (usize, usize) {
        let mut room = usize::from(area.height);
        for at in (0..=end).rev() {
            let lines = self.line_count(at, area);
            if lines >= room {
                return (at, lines - room);
            }
            room -= lines;
        }
        (0, 0)
    }

    fn is_in_sight(&self, area: Area) -> bool {
        self.shown(area).any(|shown| shown.is_chosen && shown.is_first)
    }

    /// Scrolls as little as it takes to have all of the chosen entry in sight, or its beginning where it is longer than the pane.
    fn bring_into_sight(&mut self, area: Area) {
        let Some(at) = self.reading.chosen.and_then(|number| self.place(number)) else { return };
        let lowest = (at, 0);
        let highest = self.beginning_with_end(at, area).min(lowest);
        let top = self.top(area);
        if top < highest {
            self.begin_at(highest.0, highest.1);
        } else if top > lowest {
            self.begin_at(lowest.0, lowest.1);
        }
    }
}

/// Cells for the text of a pane.
const fn width(area: Area) -> u16 {
    area.width.saturating_sub(MARGINS)
}
