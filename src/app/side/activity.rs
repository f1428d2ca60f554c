//! The activity: the user's writes, changes by others, notices for the user, and which rows changed a moment ago.

mod reading;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::changes::PlanId;
use crate::forest::Forest;
use crate::remote::Contexts;
use crate::segment::{Field, Segment, SegmentId};
use crate::sync::SegmentChange;

use crate::app::side::pulse::Pulse;
use crate::app::side::words;

use reading::ActivityView;
pub use reading::ShownLine;
pub(in crate::app) use reading::Unready;

/// The activity entries, newest first, and when each segment was last seen to change.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    entries: VecDeque<ActivityEntry>,
    last_changes: HashMap<SegmentId, LastChange>,
    highlights: VecDeque<(Timestamp, SegmentId)>,
    pulse: Pulse,
    /// Entries added so far, which is also the number of the newest.
    total_count: u64,
    view: ActivityView,
}

/// The last change of a segment that was seen in this session: when and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// When it was seen.
    pub at: Timestamp,
    /// Who made it.
    pub by: Originator,
}

/// The author of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Originator {
    /// The user of this session.
    You,
    /// Someone else, in these contexts; empty unless each context's feed is polled separately.
    Somebody(Contexts),
}

/// An entry of the activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityEntry {
    /// When it was seen here.
    pub at: Timestamp,
    /// What kind of event it is.
    pub kind: EntryKind,
    /// The text to show.
    pub text: String,
    /// The segment that the entry is about.
    pub subject: Option<SegmentId>,
    /// The changed fields with their old and new values.
    pub fields: Vec<FieldChange>,
    /// Who made the change, if the feed says so.
    pub contexts: Contexts,
    /// The plan that made the change, if it belongs to this session.
    pub plan_id: Option<PlanId>,
}

/// A line of the activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityLine<'a> {
    /// The first line of an entry: its text, or as much of it as fits.
    Entry(&'a ActivityEntry, Cow<'a, str>),
    /// A continuation of the text.
    More(Cow<'a, str>),
    /// A changed field.
    Field(&'a FieldChange),
    /// Who made the change.
    By(Contexts),
}

/// Columns before the text of an entry: the time and a sign.
pub const TIME_COLUMNS: u16 = 11;
/// Columns for the verb that most kinds of entries have after the time.
pub const VERB_COLUMNS: u16 = 9;
/// Maximum lines for the text of an entry.
const MAX_TEXT_LINES: usize = 8;

impl ActivityEntry {
    /// Returns what happened, without the segment's name where the text is only that name.
    pub(in crate::app) fn summary(&self) -> &str {
        match self.kind {
            EntryKind::Created => words::CREATED,
            EntryKind::Changed => words::CHANGED,
            EntryKind::Deleted => words::DELETED,
            EntryKind::Missed => words::FOUND_ON_VERIFY,
            EntryKind::Done | EntryKind::Failed | EntryKind::Notice | EntryKind::Recovered => &self.text,
        }
    }

    /// Returns the lines of an entry. A name takes one line and is cut off there; a sentence is wrapped, with all lines but the
    /// first as wide as the pane allows after the time.
    fn lines(&self, width: u16) -> impl Iterator<Item = ActivityLine<'_>> {
        let room = usize::from(width.saturating_sub(TIME_COLUMNS)).max(8);
        let lead = match self.kind {
            EntryKind::Notice | EntryKind::Recovered => 0,
            // In a very narrow pane, the text gets at least half of the width.
            _ => usize::from(VERB_COLUMNS).min(room / 2),
        };
        let text: Vec<Cow<'_, str>> = match self.kind {
            EntryKind::Created | EntryKind::Changed | EntryKind::Deleted | EntryKind::Missed => {
                vec![Cow::Borrowed(self.text.as_str())]
            }
            _ => wrapped(&self.text, room, lead),
        };
        let text = text.into_iter().enumerate().map(|(at, text)| match at {
            0 => ActivityLine::Entry(self, text),
            _ => ActivityLine::More(text),
        });
        let by = (!self.contexts.is_empty()).then_some(ActivityLine::By(self.contexts));
        text.chain(self.fields.iter().map(ActivityLine::Field)).chain(by)
    }
}

/// Wraps a text to `room` columns, leaving `lead` columns free on the first line. Text beyond the maximum number of lines is cut
/// off with an ellipsis.
fn wrapped(text: &str, room: usize, lead: usize) -> Vec<Cow<'_, str>> {
    let indent = " ".repeat(lead);
    let mut lines = textwrap::wrap(text, textwrap::Options::new(room).initial_indent(&indent));
    if let Some(first) = lines.first_mut() {
        *first = Cow::Owned(first.get(lead..).unwrap_or_default().to_owned());
    }
    if lines.len() > MAX_TEXT_LINES {
        lines.truncate(MAX_TEXT_LINES);
        if let Some(last) = lines.last_mut() {
            *last = Cow::Owned(with_ellipsis(last, room));
        }
    }
    lines
}

/// Cuts a line so that an ellipsis fits within `room` columns.
fn with_ellipsis(line: &str, room: usize) -> String {
    let mut used = 0;
    let kept = line.graphemes(true).take_while(|grapheme| {
        used += grapheme.width();
        used < room
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

/// The kind of an activity entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Someone created a segment.
    Created,
    /// Someone changed a segment.
    Changed,
    /// Someone deleted a segment.
    Deleted,
    /// A change that the feed had missed and a comparison with the server found.
    Missed,
    /// A write of this session was applied.
    Done,
    /// A write of this session failed, or its outcome is unknown.
    Failed,
    /// A notice about the server or its data.
    Notice,
    /// A problem is over.
    Recovered,
}

/// A changed field with its values as shown: parents by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which field.
    pub field: Field,
    /// The old value; a dash for none.
    pub before: String,
    /// The new value; a dash for none.
    pub now: String,
}

/// Entries to keep: a day of a busy tenant. Older ones are of no use on a screen.
const MAX_ENTRIES: usize = 2_000;
/// Segments whose last change is remembered. Beyond that, all are forgotten.
const MAX_LAST_CHANGES: usize = 100_000;
/// How long a changed row is highlighted.
const HIGHLIGHT_DURATION: SignedDuration = SignedDuration::from_secs(6);

impl Activity {
    /// Returns the entries, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &ActivityEntry> {
        self.entries.iter()
    }

    /// Returns when a segment was last seen to change in this session, and who changed it.
    #[must_use]
    pub fn last_change(&self, id: &SegmentId) -> Option<LastChange> {
        self.last_changes.get(id).copied()
    }

    /// Whether a segment changed so recently that its row is highlighted.
    #[must_use]
    pub fn is_highlighted(&self, id: &SegmentId) -> bool {
        self.last_changes
            .get(id)
            .is_some_and(|last| self.highlights.front().is_some_and(|(oldest, _)| *oldest <= last.at))
    }

    /// Returns the segments whose rows are highlighted, some of them more than once.
    pub fn highlighted(&self) -> impl Iterator<Item = &SegmentId> {
        self.highlights.iter().map(|(_, id)| id)
    }

    /// Returns how many changes of a kind by others were seen in each of the last `minutes` minutes up to `now`, oldest first.
    #[must_use]
    pub fn changes_by_minute(&self, kind: EntryKind, now: Timestamp, minutes: usize) -> Vec<usize> {
        self.pulse.minutes(kind, now, minutes)
    }

    pub(in crate::app) fn add(
        &mut self,
        at: Timestamp,
        kind: EntryKind,
        subject: Option<SegmentId>,
        text: impl Into<String>,
    ) {
        self.push(ActivityEntry {
            at,
            kind,
            text: text.into(),
            subject,
            fields: Vec::new(),
            contexts: Contexts::default(),
            plan_id: None,
        });
    }

    pub(in crate::app) fn push(&mut self, entry: ActivityEntry) {
        self.pulse.record(entry.at, entry.kind);
        self.entries.truncate(MAX_ENTRIES - 1);
        self.entries.push_front(entry);
        self.total_count += 1;
    }

    /// Returns how many entries this session has had, including those that were dropped.
    pub(in crate::app) const fn total_count(&self) -> u64 {
        self.total_count
    }

    pub(in crate::app) fn record_change(&mut self, id: &SegmentId, at: Timestamp, by: Originator) {
        if self.last_changes.len() >= MAX_LAST_CHANGES {
            self.last_changes.clear();
        }
        self.last_changes.insert(id.clone(), LastChange { at, by });
        self.highlights.push_back((at, id.clone()));
    }

    pub(in crate::app) fn expire_highlights(&mut self, now: Timestamp) {
        while self.highlights.front().is_some_and(|(at, _)| now.duration_since(*at) >= HIGHLIGHT_DURATION) {
            self.highlights.pop_front();
        }
    }

    pub(in crate::app) fn next_highlight_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.highlights.front().map(|(at, _)| (*at + HIGHLIGHT_DURATION).max(now))
    }
}

/// Returns the entry for a change seen in the feed, with its values read against the tree before the change.
pub(in crate::app) fn entry(forest: &Forest, seen: &SegmentChange, at: Timestamp) -> Option<ActivityEntry> {
    let (kind, segment) = match (&seen.before, &seen.now) {
        (None, Some(now)) => (EntryKind::Created, now),
        (Some(_), Some(now)) => (EntryKind::Changed, now),
        (Some(before), None) => (EntryKind::Deleted, before),
        (None, None) => return None,
    };
    let fields = match (&seen.before, &seen.now) {
        (Some(before), Some(now)) => field_changes(forest, before, now),
        _ => Vec::new(),
    };
    let text = segment.name.to_string();
    Some(ActivityEntry {
        at,
        kind,
        text,
        subject: Some(seen.id.clone()),
        fields,
        contexts: seen.feed_source.contexts,
        plan_id: None,
    })
}

/// Returns the fields in which two versions of a segment differ, with parents by name.
pub(in crate::app) fn field_changes(forest: &Forest, before: &Segment, now: &Segment) -> Vec<FieldChange> {
    let changes = before.differing_fields(now).into_iter();
    changes
        .map(|field| FieldChange { field, before: shown(forest, before, field), now: shown(forest, now, field) })
        .collect()
}

/// Returns a field's value as shown.
pub(in crate::app) fn shown(forest: &Forest, segment: &Segment, field: Field) -> String {
    match (field, &segment.parent) {
        (Field::Parent, Some(parent)) => {
            forest.get(parent).map_or_else(|| parent.to_string(), |parent| parent.name.to_string())
        }
        (Field::Parent, None) => words::TOP_LEVEL.into(),
        _ => segment.field(field).unwrap_or_else(|| words::NO_VALUE.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_row_is_highlighted_for_a_few_seconds() {
        let mut activity = Activity::default();
        let start = Timestamp::UNIX_EPOCH;
        let id = SegmentId::new("vip").unwrap();
        activity.record_change(&id, start, Originator::You);
        assert!(activity.is_highlighted(&id));
        let later = activity.next_highlight_end(start).unwrap();
        activity.expire_highlights(later);
        assert!(!activity.is_highlighted(&id));
        assert_eq!(activity.last_change(&id), Some(LastChange { at: start, by: Originator::You }));
        assert_eq!(activity.next_highlight_end(later), None);
    }

    #[test]
    fn only_the_newest_entries_are_kept() {
        let mut activity = Activity::default();
        for number in 0..MAX_ENTRIES + 10 {
            activity.add(Timestamp::UNIX_EPOCH, EntryKind::Notice, None, number.to_string());
        }
        assert_eq!(activity.entries().count(), MAX_ENTRIES);
        assert_eq!(activity.entries().next().unwrap().text, (MAX_ENTRIES + 9).to_string());
    }
}
