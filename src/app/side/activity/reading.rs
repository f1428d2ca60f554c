//! Scrolling and selection in the activity pane.
//!
//! Both refer to entries, never to positions: new entries neither change the selection nor move what the user reads. Only a list
//! that shows its newest entry keeps showing the newest, as long as the selected entry stays in sight.

use super::{Activity, ActivityEntry, ActivityLine};
use crate::app::Area;

/// Entries are numbered in the order in which they were added, from 1.
type EntryNumber = u64;

/// The selected entry and the scroll position.
#[derive(Debug, Clone, Default)]
pub(super) struct ActivityView {
    /// The first visible line: its entry, and its index among that entry's lines. `None` follows the newest entry.
    top: Option<(EntryNumber, usize)>,
    /// The selected entry.
    chosen: Option<EntryNumber>,
    /// The entry that was selected after the last key or click.
    acknowledged: Option<EntryNumber>,
    /// Whether the mouse wheel has scrolled the selected entry out of sight.
    scrolled_away: bool,
    /// Whether the pane had the focus after the last event.
    focused: bool,
}

/// A visible line of the activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLine<'a> {
    /// The line.
    pub line: ActivityLine<'a>,
    /// Whether its entry is selected.
    pub is_chosen: bool,
    /// Whether it is the first line of its entry.
    pub is_first: bool,
}

/// Why a key does not act on the selected entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Unready {
    /// There are no entries yet.
    Empty,
    /// The selection has changed since the last key.
    SelectionChanged,
    /// The selected entry is scrolled out of sight.
    OutOfSight,
}

/// Columns left blank at both sides together.
const MARGINS: u16 = 2;

impl Activity {
    /// Returns the visible lines of a pane.
    pub fn shown(&self, area: Area) -> impl Iterator<Item = ShownLine<'_>> {
        let (first, line) = self.top(area);
        let entries = self.entries.iter().enumerate().skip(first);
        let lines = entries.flat_map(move |(at, entry)| {
            let is_chosen = self.view.chosen == Some(self.number_at(at));
            let lines = entry.lines(width(area)).enumerate();
            lines.map(move |(line, text)| ShownLine { line: text, is_chosen, is_first: line == 0 })
        });
        lines.skip(line).take(usize::from(area.height))
    }

    /// Returns the index of the first visible entry, counted from the newest, how many entries are visible, and how many there
    /// are.
    #[must_use]
    pub fn part(&self, area: Area) -> (usize, usize, usize) {
        let (first, line) = self.top(area);
        let shown = self.shown(area).filter(|shown| shown.is_first).count() + usize::from(line > 0);
        (first, shown, self.entries.len())
    }

    /// Returns the selected entry.
    #[must_use]
    pub fn selected(&self) -> Option<&ActivityEntry> {
        self.entries.get(self.index_of(self.view.chosen?)?)
    }

    /// Returns the selected entry for a key that acts on it: it must be visible and the same as after the last key.
    pub(in crate::app) fn selected_for_key(&self, area: Option<Area>) -> Result<&ActivityEntry, Unready> {
        let entry = self.selected().ok_or(Unready::Empty)?;
        if self.view.chosen != self.view.acknowledged {
            return Err(Unready::SelectionChanged);
        }
        match area.filter(|area| self.is_selection_visible(*area)) {
            Some(_) => Ok(entry),
            None => Err(Unready::OutOfSight),
        }
    }

    /// Moves the selection by a number of entries.
    pub(in crate::app) fn step(&mut self, by: isize) {
        let Some(last) = self.entries.len().checked_sub(1) else { return };
        let at = self.view.chosen.and_then(|number| self.index_of(number)).unwrap_or(0);
        self.choose(at.saturating_add_signed(by).min(last));
    }

    /// Selects the entry on a line of the pane.
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

    /// Scrolls by a number of lines. The selection stays, even out of sight.
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
        self.scroll_to(at, line);
        self.clamp_scroll(area);
        self.view.scrolled_away = !self.is_selection_visible(area);
    }

    /// Updates selection and scroll position at the end of every event. `by_user` marks a key or a click, after which the user
    /// knows what is selected.
    pub(in crate::app) fn update_view(&mut self, area: Option<Area>, focused: bool, by_user: bool) {
        let was_focused = std::mem::replace(&mut self.view.focused, focused);
        let Some(area) = area.filter(|_| focused) else {
            if was_focused {
                self.on_focus_lost();
            }
            return area.map_or((), |area| self.clamp_scroll(area));
        };
        self.clamp_scroll(area);
        if by_user || !was_focused {
            self.view.scrolled_away = false;
        }
        let index = self.view.chosen.map(|number| self.index_of(number));
        match (index, self.entries.len().checked_sub(1)) {
            (_, None) => self.view.chosen = None,
            (None, Some(last)) => {
                let (first, line) = self.top(area);
                self.view.chosen = Some(self.number_at((first + usize::from(line > 0)).min(last)));
            }
            // The entry was dropped to make room; the oldest remaining one takes its place.
            (Some(None), Some(last)) => self.view.chosen = Some(self.number_at(last)),
            (Some(Some(_)), Some(_)) => {}
        }
        if !self.view.scrolled_away {
            self.scroll_to_selection(area);
        }
        if by_user {
            self.view.acknowledged = self.view.chosen;
        }
    }

    /// The focus moved to another pane: goes back to the newest entry. The selection is remembered unless it was the newest.
    fn on_focus_lost(&mut self) {
        (self.view.top, self.view.scrolled_away) = (None, false);
        self.view.chosen = self.view.chosen.filter(|number| self.index_of(*number) != Some(0));
    }

    fn choose(&mut self, at: usize) {
        self.view.chosen = Some(self.number_at(at));
        self.view.scrolled_away = false;
    }

    /// Returns the number of the entry at an index, counted from the newest.
    fn number_at(&self, at: usize) -> EntryNumber {
        self.total_count.saturating_sub(u64::try_from(at).unwrap_or(u64::MAX))
    }

    /// Returns an entry's index, counted from the newest; `None` if it is no longer kept.
    fn index_of(&self, number: EntryNumber) -> Option<usize> {
        let at = usize::try_from(self.total_count.checked_sub(number)?).ok()?;
        (at < self.entries.len()).then_some(at)
    }

    fn line_count(&self, at: usize, area: Area) -> usize {
        self.entries.get(at).map_or(0, |entry| entry.lines(width(area)).count())
    }

    /// Returns the first visible entry, counted from the newest, and its first visible line.
    fn top(&self, area: Area) -> (usize, usize) {
        let Some((number, line)) = self.view.top else { return (0, 0) };
        let Some(at) = self.index_of(number) else { return (self.entries.len().saturating_sub(1), 0) };
        (at, line.min(self.line_count(at, area).saturating_sub(1)))
    }

    fn scroll_to(&mut self, at: usize, line: usize) {
        self.view.top = ((at, line) != (0, 0)).then(|| (self.number_at(at), line));
    }

    /// Keeps the pane full: leaves no blank lines below the oldest entry while there are lines above.
    fn clamp_scroll(&mut self, area: Area) {
        if self.view.top.is_none() {
            return;
        }
        let last = self.entries.len().saturating_sub(1);
        let max_top = self.top_showing_end(last, area);
        if self.top(area) > max_top {
            self.scroll_to(max_top.0, max_top.1);
        }
    }

    /// Returns the scroll position at which the last visible line is the last line of entry `end`.
    fn top_showing_end(&self, end: usize, area: Area) -> (usize, usize) {
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

    fn is_selection_visible(&self, area: Area) -> bool {
        self.shown(area).any(|shown| shown.is_chosen && shown.is_first)
    }

    /// Scrolls as little as needed to show the whole selected entry, or its beginning if it is taller than the pane.
    fn scroll_to_selection(&mut self, area: Area) {
        let Some(at) = self.view.chosen.and_then(|number| self.index_of(number)) else { return };
        let lowest = (at, 0);
        let highest = self.top_showing_end(at, area).min(lowest);
        let top = self.top(area);
        if top < highest {
            self.scroll_to(highest.0, highest.1);
        } else if top > lowest {
            self.scroll_to(lowest.0, lowest.1);
        }
    }
}

/// Returns the columns for the text of a pane.
const fn width(area: Area) -> u16 {
    area.width.saturating_sub(MARGINS)
}
