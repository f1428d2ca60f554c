//! Texts that belong to no single module, and operations in words, for reviews and results.
//!
//! A function takes the variable parts of a sentence, names and keys already as text, and returns the whole sentence. Modules
//! with texts of their own have their own `words` module.

use std::path::Path;

use crate::action::Aspect;
use crate::changes::{Operation, PendingKind, Title};
use crate::forest::{Forest, Heading};
use crate::numbers::{Agreeing, Noun, counted, grouped, size};
use crate::remote::{Call, RemoteError};
use crate::segment::{Field, Segment, SegmentId};

use super::side::activity::{self, ActivityEntry, EntryKind};
use super::side::words::change_of_field_aloud;

/// Returns the title of a plan with one operation.
pub(super) fn title(operation: &Operation) -> Title {
    match operation {
        Operation::Create { draft } => {
            let name = draft.name.as_str();
            Title {
                imperative: format!("create {name}"),
                done: format!("Created {name}"),
                failed: format!("Couldn't create {name}"),
            }
        }
        Operation::Update { base, draft } => {
            let name = &base.name;
            match draft.changes(base).as_slice() {
                [Field::Name] => Title {
                    imperative: format!("rename {name} to {}", draft.name.as_str()),
                    done: format!("Renamed {name} → {}", draft.name.as_str()),
                    failed: format!("Couldn't rename {name}"),
                },
                _ => Title {
                    imperative: format!("update {name}"),
                    done: format!("Updated {}", draft.name.as_str()),
                    failed: format!("Couldn't update {name}"),
                },
            }
        }
        Operation::Delete { base, .. } => {
            let name = &base.name;
            Title {
                imperative: format!("delete {name}"),
                done: format!("Deleted {name}"),
                failed: format!("Couldn't delete {name}"),
            }
        }
    }
}

/// Capitalises an error or a reason to begin a sentence. Only for the program's own texts: a name keeps its first letter.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Puts what was done after its author, in lower case: "you renamed A → B".
pub(super) fn after_who(done: &str) -> String {
    let mut characters = done.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// Adds where the user's text was saved to a failure.
pub(super) fn with_text_kept(what: &str, file: &Path) -> String {
    format!("{what} · your text is saved in {}", file.display())
}

/// Returns a sign and a line for an operation: `+` creates, `~` changes, `→` moves, `−` deletes.
#[must_use]
pub fn described(forest: &Forest, operation: &Operation) -> (&'static str, String) {
    match operation {
        Operation::Create { draft } => {
            let external_id = draft.external_id.as_ref().map(|text| format!(" ({})", text.as_str()));
            let place = place(forest, draft.parent.as_ref());
            ("+", format!("{}{} in {place}", draft.name.as_str(), external_id.unwrap_or_default()))
        }
        Operation::Update { base, draft } => {
            let after = draft.clone().into_segment(base.id.clone());
            let fields = draft.changes(base);
            let changes: Vec<String> = fields.iter().map(|field| change(forest, base, &after, *field)).collect();
            let sign = if operation.is_move() { "→" } else { "~" };
            if *fields == [Field::Name] {
                return (sign, format!("{} → {}", base.name, after.name));
            }
            let below = if operation.is_move() { below(forest, &base.id) } else { String::new() };
            (sign, format!("{}: {}{below}", base.name, changes.join(", ")))
        }
        Operation::Delete { base, .. } => {
            let below = below(forest, &base.id);
            ("−", format!("{} in {}{below}", base.name, place(forest, base.parent.as_ref())))
        }
    }
}

/// Returns the number of descendants that are affected too, as a suffix.
fn below(forest: &Forest, id: &SegmentId) -> String {
    match forest.descendant_count(id) {
        0 => String::new(),
        some => format!(" · {}", counted(some, Noun::Descendant)),
    }
}

fn change(forest: &Forest, before: &Segment, after: &Segment, field: Field) -> String {
    match field {
        Field::Name => format!("name → {}", after.name),
        Field::Parent => {
            format!("{} → {}", place(forest, before.parent.as_ref()), place(forest, after.parent.as_ref()))
        }
        Field::ExternalId => format!(
            "external ID {} → {}",
            activity::shown(forest, before, field),
            activity::shown(forest, after, field)
        ),
    }
}

/// Returns the name of a parent, or "top level".
fn place(forest: &Forest, parent: Option<&SegmentId>) -> String {
    match parent {
        None => "top level".into(),
        Some(id) => forest.get(id).map_or_else(|| id.to_string(), |parent| parent.name.to_string()),
    }
}

/// Returns a field of a segment for display: a parent by its name.
#[must_use]
pub fn field_text(forest: &Forest, segment: &Segment, field: Field) -> String {
    match field {
        Field::Parent => place(forest, segment.parent.as_ref()),
        Field::Name | Field::ExternalId => segment.field(field).unwrap_or_else(|| "–".into()),
    }
}

// Why an action is not available.

pub(super) const NO_FAILED_CHANGES: &str = "No failed changes";
pub(super) const NOTHING_TO_REPEAT: &str = "Nothing to repeat";
pub(super) const NOTHING_SELECTED: &str = "Nothing selected";
pub(super) const NO_CHILDREN: &str = "It has no children";
pub(super) const HEADING_SELECTED: &str = "This is a heading. Select a segment";
pub(super) const BEING_DELETED: &str = "It is being deleted";
pub(super) const MARKED_ARE_GONE: &str = "None of the marked segments exist any more";

pub(super) fn activity_has_focus(back: &str) -> String {
    format!("The activity has the focus. Press {back} to go back to the tree")
}

pub(super) fn nothing_to_paste(cut: &str) -> String {
    format!("Nothing to paste. Press {cut} to cut first")
}

pub(super) fn no_bookmarks(bookmark: &str) -> String {
    format!("No bookmarks yet. Press {bookmark} to set one")
}

pub(super) fn no_search(find: &str) -> String {
    format!("No search yet. Press {find} to search")
}

pub(super) fn everything_is_shown(dismiss: &str) -> String {
    format!("Everything that matches is shown. Press {dismiss} to clear the filter first")
}

pub(super) fn no_segment_selected(add: &str) -> String {
    format!("No segment selected. Press {add} to add one")
}

pub(super) fn only_referenced(id: &SegmentId) -> String {
    format!("“{id}” doesn't exist on the server; it is only referenced as a parent")
}

pub(super) fn is_being_deleted(name: &str) -> String {
    format!("{name} is being deleted")
}

pub(super) fn is_being_created(name: &str) -> String {
    format!("{name} is still being created")
}

pub(super) fn wait_until_created(name: &str) -> String {
    format!("{name} is still being created. Please wait")
}

pub(super) fn discard_while_created(name: &str, queue: &str) -> String {
    format!("{name} is still being created. Press {queue} to discard it")
}

pub(super) fn has_unresolved_change(name: &str, resolve: &str) -> String {
    format!("{name} has an unresolved change. Press {resolve} to resolve it")
}

pub(super) fn wait_for_descendant(name: &str) -> String {
    format!("A descendant of {name} is still being saved. Please wait")
}

// Keys and pastes.

pub(super) fn not_bound(keys: &str, help: &str) -> String {
    format!("{keys} is not bound. Press {help} for help")
}

pub(super) fn paste_was_cut(kept_kib: usize) -> String {
    format!("Only the first {kept_kib} KiB were pasted")
}

pub(super) fn nowhere_to_paste(find: &str, add: &str) -> String {
    format!("Nowhere to paste. Press {find} to search or {add} to add a segment first")
}

pub(super) const ONLY_THE_TREE_FITS: &str =
    "Only the tree fits. Enlarge the terminal to at least 60 columns and 15 rows";

// The browser.

pub(super) fn no_external_id_to_open(name: &str) -> String {
    format!("{name} has no external ID, which `open` needs")
}

pub(super) fn no_url(name: &str) -> String {
    format!("Can't build a URL for {name} from `open`")
}

pub(super) fn set_open(profile: Option<&str>) -> String {
    let place = profile.map_or_else(|| "a profile".into(), |name| format!("[profiles.{name}]"));
    format!("Set open = \"https://…/{{id}}\" in {place} to use this")
}

pub(super) fn opened(url: &str) -> String {
    format!("Opened {url}")
}

pub(super) fn no_browser(url: &str) -> String {
    format!("No browser available. URL copied: {url}")
}

pub(super) fn browser_failed(reason: &str, url: &str) -> String {
    format!("Couldn't open the browser ({reason}). URL copied: {url}")
}

// Copies.

pub(super) const NO_EXTERNAL_IDS: &str = "None of the marked segments has an external ID";
pub(super) const NOT_CREATED_YET: &str = "not created yet";

/// The aspect of one segment, with its article.
const fn aspect_of_one(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Id => "the ID",
        Aspect::Name => "the name",
        Aspect::ExternalId => "the external ID",
        Aspect::Path => "the path",
        Aspect::Json => "the JSON",
        Aspect::Subtree => "the subtree",
        Aspect::Curl => "the curl command",
    }
}

const fn aspect_of_several(aspect: Aspect) -> Noun {
    match aspect {
        Aspect::Id => Noun::Id,
        Aspect::Name => Noun::Name,
        Aspect::ExternalId => Noun::ExternalId,
        Aspect::Path => Noun::Path,
        Aspect::Json => Noun::SegmentAsJson,
        Aspect::Subtree => Noun::Subtree,
        Aspect::Curl => Noun::CurlCommand,
    }
}

/// What was copied from one segment.
pub(super) fn copy_of(aspect: Aspect, name: &str) -> String {
    format!("{} of {name}", aspect_of_one(aspect))
}

/// What was copied for a segment that does not exist.
pub(super) fn copy_of_missing(aspect: Aspect, id: &SegmentId) -> String {
    format!("{} of the missing {id}", aspect_of_one(aspect))
}

/// What was copied from several segments; `lacking` of them have no such value.
pub(super) fn copy_of_several(aspect: Aspect, count: usize, missing: usize) -> String {
    let copied = counted(count, aspect_of_several(aspect));
    match missing {
        0 => copied,
        _ => format!("{copied}; {} without one", grouped(missing)),
    }
}

/// The message about a copy; `bytes` is the size if it is to be shown.
pub(super) fn copied(description: &str, bytes: Option<usize>) -> String {
    let size = bytes.map(|bytes| format!(" · {}", size(bytes)));
    format!("Copied {description}{}", size.unwrap_or_default())
}

pub(super) fn too_big_to_copy(limit: usize) -> String {
    format!("Too big for the terminal clipboard ({} limit). Use `segtui export`", size(limit))
}

pub(super) fn no_external_id(name: &str) -> String {
    format!("{name} has no external ID")
}

pub(super) fn no_json(name: &str, error: &serde_json::Error) -> String {
    format!("Couldn't write {name} as JSON: {error}")
}

pub(super) fn no_url_for_id(id: &SegmentId) -> String {
    format!("The ID {id} can't be part of a URL")
}

// Commands with an argument.

pub(super) const TOO_MANY_FILTERS: &str = "Too many saved filters";

pub(super) fn unknown_theme(text: &str, names: &[&str]) -> String {
    format!("Unknown theme {text}. Use {}", names.join(", "))
}

pub(super) fn no_filter_to_save(find: &str) -> String {
    format!("No filter to save. Press {find} to filter first")
}

pub(super) fn filter_saved(name: &str) -> String {
    format!("Saved filter {name}. Type :filter {name} to use it")
}

// The server.

pub(super) const CHECKING: &str = "Checking for changes…";
pub(super) const UP_TO_DATE: &str = "Up to date";
pub(super) const RELOADING: &str = "Reloading everything to verify…";
pub(super) const VERIFIED: &str = "Verified: everything matches the server";
pub(super) const RECONNECTED: &str = "Reconnected";

pub(super) fn offline(error: &RemoteError) -> String {
    format!("offline: {error}")
}

pub(super) fn not_authorised(error: &RemoteError) -> String {
    format!("{} · check the API key and the tenant", sentence(&error.to_string()))
}

pub(super) fn no_response(call: &Call, seconds: u64) -> String {
    format!("Couldn't {call}: no response for {seconds} s")
}

pub(super) fn listing_stalled(error: &RemoteError, loaded: usize, again: &str) -> String {
    let reason = sentence(&error.to_string());
    format!("{reason}. Loaded {} · press {again} to retry", counted(loaded, Noun::Segment))
}

pub(super) fn listing_paused(loaded: usize, again: &str) -> String {
    format!("Loaded {}; the rest is missing. Press {again} to continue", counted(loaded, Noun::Segment))
}

pub(super) fn deleted_by_another(name: &str) -> String {
    format!("{name} was deleted by someone else")
}

pub(super) fn verified_with_missing(count: usize) -> String {
    let (changes, were) = (counted(count, Noun::Change), Agreeing::Were.with(count));
    format!("Verified: {changes} missing from the feed {were} found and applied")
}

pub(super) fn paused(held: usize, queue: &str) -> String {
    format!("Paused: {} on hold. Press {queue}, then R to resume", counted(held, Noun::Change))
}

// The panes.

pub(super) const ACTIVITY_DOES_NOT_FIT: &str = "The activity doesn't fit. Enlarge the terminal to at least 18 rows";

pub(super) fn activity_is_hidden(show: &str) -> String {
    format!("The tree has the focus. Press {show} to show the activity")
}

pub(super) fn details_and_activity_are_hidden(details: &str, activity: &str) -> String {
    format!("Only the tree is shown. Press {details} to show the details, {activity} to show the activity")
}

// The activity.

pub(super) const ENTRY_HAS_NO_SEGMENT: &str = "This entry has no segment that still exists";
pub(super) const NO_ENTRIES: &str = "Nothing has happened yet";

pub(super) fn entry_is_gone(key: &str) -> String {
    format!("The entry you selected is gone. Press {key} again for this one")
}

pub(super) fn entry_was_out_of_sight(key: &str) -> String {
    format!("The selected entry was out of sight. Press {key} again for this one")
}

// Screen-reader mode.

/// Separators in the program's own texts and their spoken replacements. They are replaced in names too.
pub(super) const SIGNS: [(&str, &str); 5] =
    [("external ID – → ", "external ID none to "), (" → –", " to none"), (" → ", " to "), (" › ", ", "), (" · ", ", ")];

pub(super) const NO_NAME: &str = "no name";
pub(super) const NO_CHILDREN_BELOW: &str = "no children";
pub(super) const MARKED: &str = "marked";
pub(super) const CUT: &str = "cut";
pub(super) const EXPANDED: &str = "expanded";
pub(super) const COLLAPSED: &str = "collapsed";

pub(super) fn heading_aloud(heading: Heading) -> String {
    format!("Warning: {heading}")
}

pub(super) fn missing_parent(id: &SegmentId) -> String {
    format!("missing parent {id}")
}

/// The level of a row, from 1, for a depth from 0.
pub(super) fn level(depth: u32) -> String {
    format!("level {}", depth + 1)
}

pub(super) fn external_id(text: &str) -> String {
    format!("external ID {text}")
}

pub(super) fn so_many_below(count: usize) -> String {
    format!("{} below", grouped(count))
}

pub(super) const fn pending_aloud(pending: PendingKind, is_staged: bool) -> &'static str {
    match (pending, is_staged) {
        (PendingKind::Failed, _) => "change failed",
        (PendingKind::Deleting, true) => "deletion staged",
        (PendingKind::Deleting, false) => "deletion pending",
        (PendingKind::Creating | PendingKind::Changing, true) => "change staged",
        (PendingKind::Creating | PendingKind::Changing, false) => "change pending",
    }
}

pub(super) fn loaded(segments: usize, help: &str) -> String {
    format!("Loaded {}. Press {help} for help", counted(segments, Noun::Segment))
}

pub(super) fn and_before(newest: &str, more: usize) -> String {
    format!("{newest}, and {} before", counted(more, Noun::Change))
}

/// Two sentences, separated by a full stop if the first has none.
pub(super) fn and_then(first: &str, second: &str) -> String {
    let stop = if first.ends_with(['.', '…']) { "" } else { "." };
    format!("{first}{stop} {second}")
}

/// An entry of the activity as a sentence.
pub(super) fn entry_aloud(entry: &ActivityEntry) -> String {
    let what = match entry.kind {
        EntryKind::Created => format!("{} was created", entry.text),
        EntryKind::Deleted => format!("{} was deleted", entry.text),
        EntryKind::Changed | EntryKind::Missed => format!("{} was changed", entry.text),
        _ => return entry.text.clone(),
    };
    let fields = entry.fields.iter().map(change_of_field_aloud);
    let fields = fields.collect::<Vec<_>>().join(", ");
    let by = if entry.contexts.is_empty() { String::new() } else { format!(" by {}", entry.contexts) };
    if fields.is_empty() { format!("{what}{by}") } else { format!("{what}{by}: {fields}") }
}
