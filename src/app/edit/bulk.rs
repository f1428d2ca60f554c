//! Editing all marked segments with templates: `{name}`, `{ext}` and `{n}` stand for a segment's name, external id and number.

use crate::app::dialogs::key_result::KeyResult;
use std::sync::Arc;

use crate::changes::{Operation, Plan};
use crate::keymap::Key;
use crate::segment::{Draft, ExternalId, Field, FieldFault, Name, Segment};

use crate::app::changes::{self, SubmitMode};
use crate::app::edit::words;
use crate::app::{State, TextField};

/// The form for all marked segments.
#[derive(Debug, Clone)]
pub struct BulkEdit {
    /// The segments to change, in tree order.
    pub subjects: Vec<Arc<Segment>>,
    /// The template of the names; empty keeps them.
    pub name: TextField,
    /// The template of the external ids; empty keeps them, `-` removes them.
    pub external_id: TextField,
    /// The focused field.
    pub focus: Field,
    /// What is wrong with the result.
    pub fault: Option<String>,
}

/// Removes the external id.
const NONE: &str = "-";

impl BulkEdit {
    pub(in crate::app) fn of(subjects: Vec<Arc<Segment>>) -> Self {
        let (name, external_id) = (TextField::new("{name}"), TextField::new("{ext}"));
        Self { subjects, name, external_id, focus: Field::Name, fault: None }
    }

    pub(in crate::app) fn text_field(&mut self) -> &mut TextField {
        if self.focus == Field::ExternalId { &mut self.external_id } else { &mut self.name }
    }

    /// Returns the new name and external id of the first segment.
    #[must_use]
    pub fn example(&self) -> Option<(String, String)> {
        let first = self.subjects.first()?;
        let draft = self.draft(first, 1).ok()?;
        let external_id = draft.external_id.as_ref().map(ExternalId::as_str).unwrap_or_default().to_owned();
        Some((draft.name.as_str().to_owned(), external_id))
    }

    fn draft(&self, segment: &Segment, number: usize) -> Result<Draft, FieldFault> {
        let draft = Draft::of(segment);
        let name = match self.name.text() {
            "" => draft.name,
            template => Name::parse(&filled(template, segment, number))?,
        };
        let external_id = match self.external_id.text().trim() {
            "" => draft.external_id,
            NONE => None,
            template => ExternalId::parse(&filled(template, segment, number))?,
        };
        Ok(Draft { name, external_id, parent: draft.parent })
    }

    fn plan(&self) -> Result<Plan, String> {
        let mut operations = Vec::new();
        for (number, base) in (1..).zip(&self.subjects) {
            let draft = self.draft(base, number).map_err(|fault| words::fault_of_one(&base.name, fault))?;
            if !draft.changes(base).is_empty() {
                operations.push(Operation::Update { base: Arc::clone(base), draft });
            }
        }
        Ok(Plan { operations })
    }
}

/// Fills a segment's values into a template. Placeholders inside those values are not expanded.
fn filled(template: &str, segment: &Segment, number: usize) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let number = number.to_string();
        let places = [
            ("{name}", segment.name.as_str()),
            ("{ext}", segment.external_id.as_deref().unwrap_or_default()),
            ("{n}", number.as_str()),
        ];
        if let Some((place, value)) = places.into_iter().find(|(place, _)| rest.starts_with(place)) {
            text.push_str(value);
            rest = &rest[place.len()..];
        } else {
            text.push('{');
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    text
}

pub(in crate::app) fn press(state: &mut State, edit: &mut BulkEdit, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "tab" | "backtab" | "down" | "up" => {
            edit.focus = if edit.focus == Field::Name { Field::ExternalId } else { Field::Name };
        }
        "enter" => match edit.plan() {
            Err(fault) => edit.fault = Some(fault),
            Ok(plan) if plan.operations.is_empty() => {
                state.inform(words::NOTHING_TO_CHANGE);
                return KeyResult::Close;
            }
            Ok(plan) => {
                let title = words::update_of_several(plan.operations.len());
                return KeyResult::CloseAndDo(changes::start_plan(state, plan, title, None, SubmitMode::Requested));
            }
        },
        _ => {
            if edit.text_field().press(key) {
                edit.fault = None;
            }
        }
    }
    KeyResult::Stay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::SegmentId;

    #[test]
    fn a_template_is_filled_in_once() {
        let id = SegmentId::new("x").unwrap();
        let segment = Segment { id, name: "{n} {ext}".into(), external_id: Some("E".into()), parent: None };
        assert_eq!(filled("{name} ({n}) {other}{ext}", &segment, 7), "{n} {ext} (7) {other}E");
        assert_eq!(filled("{", &segment, 1), "{");
    }
}
