//! Text for screen readers: rows and changes in words.
//!
//! Used only if [`Panes::accessible`](super::Panes::accessible) is set. In that mode nothing on the screen changes by itself
//! except for changes by others, and those are reported once.

use std::borrow::Cow;

use crate::action::Action;
use crate::forest::{Fold, Row, RowKind};
use crate::keymap::Key;
use crate::numbers::{Noun, counted};
use crate::segment::Segment;

use super::dialogs::list::ListKeys;
use super::side::activity::{ActivityEntry, EntryKind, FieldChange};
use super::side::words::change_of_field_aloud;
use super::{Event, Layer, Message, State, Tone, words};

/// Returns a row as a line of text: its name and state, without its level.
#[must_use]
pub fn row_in_words(state: &State, row: &Row<'_>) -> String {
    parts(state, row).join(", ")
}

/// Describes the selected row: its name, level and children, then its state.
#[must_use]
pub fn selected_in_words(state: &State) -> Option<String> {
    let at = state.tree.view.selected.as_ref().and_then(|selected| state.shown_position(selected))?;
    let rows = state.shown_rows(at..at + 1);
    let row = rows.first()?;
    let mut parts = parts(state, row);
    if let Some((end, _)) = parts[0].char_indices().nth(MAX_NAME_CHARS) {
        // The row shows the whole name; here there must be room for what has changed.
        parts[0].truncate(end);
        parts[0].push('…');
    }
    parts.insert(1, words::level(row.depth));
    if let RowKind::Segment(segment) = row.kind {
        let children = state.tree.forest.child_count(&segment.id);
        parts.insert(2, if children == 0 { words::NO_CHILDREN_BELOW.into() } else { counted(children, Noun::Child) });
    }
    Some(parts.join(", "))
}

/// Describes a changed field with its old and new value.
#[must_use]
pub fn change_in_words(change: &FieldChange) -> String {
    change_of_field_aloud(change)
}

/// Replaces the separators in one of the program's own texts by words.
#[must_use]
pub fn in_words(text: &str) -> Cow<'_, str> {
    words::SIGNS.iter().fold(
        text.into(),
        |text: Cow<'_, str>, (sign, word)| {
            if text.contains(sign) { text.replace(sign, word).into() } else { text }
        },
    )
}

/// The maximum length of a name in the footer, in characters.
const MAX_NAME_CHARS: usize = 40;

fn parts(state: &State, row: &Row<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    match row.kind {
        RowKind::Heading(heading) => {
            parts.push(words::heading_aloud(heading));
            parts.push(counted(state.tree.forest.child_rows(heading), Noun::Segment));
        }
        RowKind::MissingParent(id) => parts.push(words::missing_parent(id)),
        RowKind::Segment(segment) => {
            parts.push(if segment.has_blank_name() { words::NO_NAME.into() } else { segment.name.to_string() });
            parts.extend(marks(state, segment).map(str::to_owned));
        }
    }
    let fold = match row.fold {
        Fold::Open => Some(words::EXPANDED),
        Fold::Closed => Some(words::COLLAPSED),
        Fold::Leaf => None,
    };
    parts.extend(fold.map(str::to_owned));
    if let RowKind::Segment(segment) = row.kind {
        parts.extend(segment.external_id.as_ref().map(|text| words::external_id(text)));
        let below = usize::try_from(row.descendants).unwrap_or(usize::MAX);
        parts.extend((below > 0).then(|| words::so_many_below(below)));
    }
    parts
}

/// Returns the states of a segment. Those that fade are left out: a line that is being read must not change by itself.
fn marks(state: &State, segment: &Segment) -> impl Iterator<Item = &'static str> {
    let (id, queue) = (&segment.id, &state.changes.queue);
    let marked = state.tree.picks.marked.contains(id).then_some(words::MARKED);
    let cut = state.tree.picks.cut.contains(id).then_some(words::CUT);
    let pending = queue.pending(id).map(|pending| words::pending_aloud(pending, queue.is_staged(id)));
    [marked, cut, pending].into_iter().flatten()
}

/// A snapshot before an event, to detect what the event changed.
pub(super) struct BeforeEvent {
    entries: u64,
    opened: u64,
    listed: bool,
    /// The message.
    message: Option<Message>,
    /// Whether the event moves the selection of a list rather than editing a field; `None` for other events.
    in_list: Option<bool>,
}

impl BeforeEvent {
    pub fn of(state: &State, event: &Event) -> Self {
        let in_list = match event {
            Event::Key(key) => Some(moves_in_list(state, *key)),
            Event::Paste(_) => Some(false),
            Event::Clicked(_) | Event::Scrolled { .. } => Some(true),
            _ => None,
        };
        Self {
            entries: state.side.activity.total_count(),
            opened: state.screen.opened,
            listed: state.link.listed,
            message: state.screen.message.clone(),
            in_list,
        }
    }
}

/// Whether a key moves through the list of the topmost dialog. In a list with a text field, letters go to the field.
fn moves_in_list(state: &State, key: Key) -> bool {
    let keys = match state.screen.layers.last() {
        Some(Layer::Palette(_) | Layer::Parents(_) | Layer::Profiles(_)) => ListKeys::BesideText,
        _ => ListKeys::Letters,
    };
    keys.distance(&key.to_string()).is_some()
}

/// Adds changes by others to the footer, after what it has said since the last key. A message of the event itself is left alone,
/// and so is a warning until it is read.
pub(super) fn announce_changes(state: &mut State, before_event: &BeforeEvent) {
    if !state.screen.panes.accessible {
        return;
    }
    if let Some(in_list) = before_event.in_list {
        // A dialog that has just opened starts in its text field.
        state.screen.cursor_in_list = in_list && state.screen.opened == before_event.opened;
    }
    let message = &state.screen.message;
    if message
        .as_ref()
        .is_some_and(|message| message.tone == Tone::Warning || before_event.message.as_ref() != Some(message))
    {
        return;
    }
    if state.link.listed && !before_event.listed {
        // Changes by others replace it.
        let loaded = words::loaded(state.tree.forest.len(), state.key(Action::Help));
        return state.add_news(&loaded, 0, 0);
    }
    let new = usize::try_from(state.side.activity.total_count() - before_event.entries).unwrap_or(usize::MAX);
    let mut others = state.side.activity.entries().take(new).filter(|entry| is_from_elsewhere(entry));
    let Some(newest) = others.next() else { return };
    let before = others.filter(|entry| is_change(entry)).count();
    let (text, changes) = (words::entry_aloud(newest), usize::from(is_change(newest)));
    state.add_news(&text, changes, before);
}

const fn is_change(entry: &ActivityEntry) -> bool {
    matches!(entry.kind, EntryKind::Created | EntryKind::Changed | EntryKind::Deleted | EntryKind::Missed)
}

const fn is_from_elsewhere(entry: &ActivityEntry) -> bool {
    match entry.kind {
        EntryKind::Created
        | EntryKind::Changed
        | EntryKind::Deleted
        | EntryKind::Missed
        | EntryKind::Notice
        | EntryKind::Recovered => true,
        // These have messages of their own.
        EntryKind::Done | EntryKind::Failed => false,
    }
}
