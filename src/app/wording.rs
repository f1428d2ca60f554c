//! An operation in words, for whoever looks at a plan before it is sent or after.

use std::path::Path;

use crate::changes::{Operation, Title};
use crate::forest::Forest;
use crate::numbers::{Noun, counted};
use crate::segment::{Field, Segment, SegmentId};

use super::side::activity;

/// How a plan of one operation is spoken of.
pub(super) fn title(operation: &Operation) -> Title {
    match operation {
        Operation::Create { draft } => {
            let name = draft.name.as_str();
            Title {
                wish: format!("create {name}"),
                done: format!("Created {name}"),
                failed: format!("Couldn't create {name}"),
            }
        }
        Operation::Update { base, draft } => {
            let name = &base.name;
            match draft.changes(base).as_slice() {
                [Field::Name] => Title {
                    wish: format!("rename {name} to {}", draft.name.as_str()),
                    done: format!("Renamed {name} → {}", draft.name.as_str()),
                    failed: format!("Couldn't rename {name}"),
                },
                _ => Title {
                    wish: format!("update {name}"),
                    done: format!("Updated {}", draft.name.as_str()),
                    failed: format!("Couldn't update {name}"),
                },
            }
        }
        Operation::Delete { base, .. } => {
            let name = &base.name;
            Title {
                wish: format!("delete {name}"),
                done: format!("Deleted {name}"),
                failed: format!("Couldn't delete {name}"),
            }
        }
    }
}

/// An error or a reason at the beginning of a sentence. Only for texts of our own: a name keeps its first letter.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What was done, after who did it: "you renamed A → B".
pub(super) fn after_who(done: &str) -> String {
    let mut characters = done.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// Where a text is that came to nothing.
pub(super) fn kept_in(file: &Path) -> String {
    format!(" · your text is saved in {}", file.display())
}

/// What came to nothing, and where the text of it is.
pub(super) fn with_text_kept(what: &str, file: &Path) -> String {
    format!("{what} · your text is saved in {}", file.display())
}

/// A sign and a line for an operation: `+` creates, `~` changes, `→` moves, `−` deletes.
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

/// How many segments go along with one.
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

/// The name of a segment under which another one stands.
fn place(forest: &Forest, parent: Option<&SegmentId>) -> String {
    match parent {
        None => "top level".into(),
        Some(id) => forest.get(id).map_or_else(|| id.to_string(), |parent| parent.name.to_string()),
    }
}

/// A field of a segment as a person reads it: a parent by its name.
#[must_use]
pub fn field_text(forest: &Forest, segment: &Segment, field: Field) -> String {
    match field {
        Field::Parent => place(forest, segment.parent.as_ref()),
        Field::Name | Field::ExternalId => segment.field(field).unwrap_or_else(|| "–".into()),
    }
}
