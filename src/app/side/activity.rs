//! What happened: own writes, what others changed, and what a person should know; and which rows changed a moment ago.

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

use reading::Reading;
pub use reading::ShownLine;
pub(in crate::app) use reading::Unready;

/// The list of what happened, newest first, and when each segment was last seen to change.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    entries: VecDeque<ActivityEntry>,
    changed: HashMap<SegmentId, LastChange>,
    fresh: VecDeque<(Timestamp, SegmentId)>,
    pulse: Pulse,
    /// Entries added so far: the number of the newest.
    pushed: u64,
    reading: Reading,
}

/// When and by whom a segment was changed last, as far as it was seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// When it was seen.
    pub at: Timestamp,
    /// Who did it.
    pub by: Originator,
}

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Originator {
    /// The person at this screen.
    You,
    /// Somebody else: in these contexts, if the feed is asked for each by itself.
    Somebody(Contexts),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityEntry {
    /// When it was seen here.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: EntryKind,
    /// What to read.
    pub text: String,
    /// The segment it speaks of.
    pub subject: Option<SegmentId>,
    /// Which fields changed, from what to what.
    pub fields: Vec<FieldChange>,
    /// Who did it, where the feed tells.
    pub contexts: Contexts,
    /// The plan that did it, where that was one of this session.
    pub plan_id: Option<PlanId>,
}

/// A line of the activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityLine<'a> {
    /// An entry begins: its text, or as much of it as fits.
    Entry(&'a ActivityEntry, Cow<'a, str>),
    /// The text goes on.
    More(Cow<'a, str>),
    /// A field that changed.
    Field(&'a FieldChange),
    /// Who did it.
    By(Contexts),
}

/// Cells before the text of an entry: the time, a sign, and for most kinds a word for who did what.
pub const TIME_COLUMNS: u16 = 11;
/// The word.
pub const VERB_COLUMNS: u16 = 9;
/// Lines that one entry's text may take.
const TEXT_LINES: usize = 8;

impl ActivityEntry {
    /// What happened, without the name of the segment where that is all that the text says.
    pub(in crate::app) fn summary(&self) -> &str {
        match self.kind {
            EntryKind::Created => words::CREATED,
            EntryKind::Changed => words::CHANGED,
            EntryKind::Deleted => words::DELETED,
            EntryKind::Missed => words::FOUND_ON_VERIFY,
            EntryKind::Done | EntryKind::Failed | EntryKind::Notice | EntryKind::Recovered => &self.text,
        }
    }

    /// Names are cut; sentences are told in full, on as many lines as they take: all but the first have the whole width behind the
    /// time.
    fn lines(&self, width: u16) -> impl Iterator<Item = ActivityLine<'_>> {
        let room = usize::from(width.saturating_sub(TIME_COLUMNS)).max(8);
        let lead = match self.kind {
            EntryKind::Notice | EntryKind::Recovered => 0,
            // Of a very narrow pane, the text gets at least a half.
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

/// A text on lines of so many cells, of which the first has `lead` cells less. What there are too many of is cut, which is shown.
fn wrapped(text: &str, room: usize, lead: usize) -> Vec<Cow<'_, str>> {
    let indent = " ".repeat(lead);
    let mut lines = textwrap::wrap(text, textwrap::Options::new(room).initial_indent(&indent));
    if let Some(first) = lines.first_mut() {
        *first = Cow::Owned(first.get(lead..).unwrap_or_default().to_owned());
    }
    if lines.len() > TEXT_LINES {
        lines.truncate(TEXT_LINES);
        if let Some(last) = lines.last_mut() {
            *last = Cow::Owned(with_dots(last, room));
        }
    }
    lines
}

/// As much of the beginning of a line as leaves a cell for the sign that it goes on.
fn with_dots(line: &str, room: usize) -> String {
    let mut used = 0;
    let kept = line.graphemes(true).take_while(|grapheme| {
        used += grapheme.width();
        used < room
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

/// A kind of thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Somebody created a segment.
    Created,
    /// Somebody changed one.
    Changed,
    /// Somebody deleted one.
    Deleted,
    /// The feed had not told of a change, and a comparison with the server found it.
    Missed,
    /// An own write was carried out.
    Done,
    /// An own write was refused, or its outcome is not known.
    Failed,
    /// Something about the server or its data.
    Notice,
    /// What was wrong is well again.
    Recovered,
}

/// A field that changed, as a person reads it: parents by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which field.
    pub field: Field,
    /// What it was; a dash for nothing.
    pub before: String,
    /// What it is.
    pub now: String,
}

/// Entries kept. A day of a busy tenant; older ones are of no use on a screen.
const ENTRIES: usize = 2_000;
/// Segments whose last change is remembered.
const REMEMBERED: usize = 100_000;
/// How long a row that changed stands out.
const HIGHLIGHT: SignedDuration = SignedDuration::from_secs(6);

impl Activity {
    /// What happened, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &ActivityEntry> {
        self.entries.iter()
    }

    /// When a segment was last seen to change, in this run of the program, and who did it.
    #[must_use]
    pub fn last_change(&self, id: &SegmentId) -> Option<LastChange> {
        self.changed.get(id).copied()
    }

    /// Whether a segment changed so short a time ago that its row stands out.
    #[must_use]
    pub fn is_fresh(&self, id: &SegmentId) -> bool {
        self.changed.get(id).is_some_and(|last| self.fresh.front().is_some_and(|(oldest, _)| *oldest <= last.at))
    }

    /// The segments whose rows stand out, some of them more than once.
    pub fn fresh(&self) -> impl Iterator<Item = &SegmentId> {
        self.fresh.iter().map(|(_, id)| id)
    }

    /// How many changes by others of a kind were seen in each of so many minutes before `now`, the oldest first.
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
        self.pulse.beat(entry.at, entry.kind);
        self.entries.truncate(ENTRIES - 1);
        self.entries.push_front(entry);
        self.pushed += 1;
    }

    /// How many entries there have been in this session, those that were dropped since included.
    pub(in crate::app) const fn counted(&self) -> u64 {
        self.pushed
    }

    pub(in crate::app) fn touch(&mut self, id: &SegmentId, at: Timestamp, by: Originator) {
        if self.changed.len() >= REMEMBERED {
            self.changed.clear();
        }
        self.changed.insert(id.clone(), LastChange { at, by });
        self.fresh.push_back((at, id.clone()));
    }

    pub(in crate::app) fn fade(&mut self, now: Timestamp) {
        while self.fresh.front().is_some_and(|(at, _)| now.duration_since(*at) >= HIGHLIGHT) {
            self.fresh.pop_front();
        }
    }

    pub(in crate::app) fn next_fade(&self, now: Timestamp) -> Option<Timestamp> {
        self.fresh.front().map(|(at, _)| (*at + HIGHLIGHT).max(now))
    }
}

/// The entry for a change that was seen in the feed, read against the tree as it was before.
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
        contexts: seen.mention.contexts,
        plan_id: None,
    })
}

/// The fields in which two states of a segment differ, with parents by their names.
pub(in crate::app) fn field_changes(forest: &Forest, before: &Segment, now: &Segment) -> Vec<FieldChange> {
    let changes = before.differing_fields(now).into_iter();
    changes
        .map(|field| FieldChange { field, before: shown(forest, before, field), now: shown(forest, now, field) })
        .collect()
}

/// A field's value as a person reads it.
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
    fn a_change_stands_out_for_some_seconds_and_is_remembered_after() {
        let mut activity = Activity::default();
        let start = Timestamp::UNIX_EPOCH;
        let id = SegmentId::new("vip").unwrap();
        activity.touch(&id, start, Originator::You);
        assert!(activity.is_fresh(&id));
        let later = activity.next_fade(start).unwrap();
        activity.fade(later);
        assert!(!activity.is_fresh(&id));
        assert_eq!(activity.last_change(&id), Some(LastChange { at: start, by: Originator::You }));
        assert_eq!(activity.next_fade(later), None);
    }

    #[test]
    fn only_so_many_entries_are_kept() {
        let mut activity = Activity::default();
        for number in 0..ENTRIES + 10 {
            activity.add(Timestamp::UNIX_EPOCH, EntryKind::Notice, None, number.to_string());
        }
        assert_eq!(activity.entries().count(), ENTRIES);
        assert_eq!(activity.entries().next().unwrap().text, (ENTRIES + 9).to_string());
    }
}
