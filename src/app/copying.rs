//! Copying segments to the clipboard, and the message about it. A terminal accepts only so much at once, so building a text stops
//! as soon as it is too long, however many segments there are.

use std::iter;
use std::sync::Arc;

use crate::action::Aspect;
use crate::forest::RowId;
use crate::printable::{printable, printable_json};
use crate::remote::curl;
use crate::segment::{Segment, SegmentId};

use super::tree::marking;
use super::{Effect, State, words};
use crate::changes::is_provisional;

/// Terminals that limit the escape sequence accept 100,000 bytes of it: 74,994 bytes of text, as base64 turns three into four.
const MAX_COPY_BYTES: usize = 74_994;
/// From this length on, in bytes, the message includes the size.
const MIN_REPORTED_BYTES: usize = 1024;
/// Characters of an id that identify a segment in an outline; the first group of a UUID.
const SHORT_ID: usize = 8;

/// Copies one aspect of the marked segments, or else of the selected one.
pub(super) fn copy_segments(state: &mut State, aspect: Aspect) -> Vec<Effect> {
    let subjects = marking::subjects(state);
    let copied = match (subjects.as_slice(), &state.tree.view.selected) {
        ([], Some(RowId::Segment(id))) => missing_parent(state, aspect, id),
        ([], _) => Err(words::MARKED_ARE_GONE.into()),
        ([segment], _) => copy_one(state, aspect, segment),
        (several, _) => copy_several(state, aspect, several),
    };
    match copied {
        Ok((text, description)) => copy(state, text, &description),
        Err(reason) => {
            state.warn(reason);
            Vec::new()
        }
    }
}

/// Copies a text and reports it, or reports why not.
pub(super) fn copy(state: &mut State, text: String, description: &str) -> Vec<Effect> {
    if text.len() > MAX_COPY_BYTES {
        state.warn(words::too_big_to_copy(MAX_COPY_BYTES));
        return Vec::new();
    }
    state.inform(words::copied(description, (text.len() >= MIN_REPORTED_BYTES).then_some(text.len())));
    vec![Effect::Copy(text)]
}

/// A text and its description for the message, or why there is none.
type Copied = Result<(String, String), String>;

fn missing_parent(state: &State, aspect: Aspect, id: &SegmentId) -> Copied {
    let text = if aspect == Aspect::Curl { command(state, id)? } else { id.to_string() };
    Ok((text, words::copy_of_missing(aspect, id)))
}

fn copy_one(state: &State, aspect: Aspect, segment: &Segment) -> Copied {
    let text = if aspect == Aspect::Subtree {
        joined(outline(state, segment, 0), "\n")?
    } else {
        text(state, aspect, segment)?.ok_or_else(|| words::no_external_id(&segment.name))?
    };
    Ok((text, words::copy_of(aspect, &segment.name)))
}

fn copy_several(state: &State, aspect: Aspect, segments: &[Arc<Segment>]) -> Copied {
    if aspect == Aspect::Subtree {
        // Descendants of a marked segment are already in its outline.
        let is_inside = |segment: &Segment| {
            state.tree.forest.ancestors(&segment.id).any(|above| state.tree.picks.marked.contains(&above.id))
        };
        let roots: Vec<_> = segments.iter().filter(|segment| !is_inside(segment)).collect();
        let text = joined(roots.iter().flat_map(|segment| outline(state, segment, 0)), "\n")?;
        return Ok((text, words::copy_of_several(aspect, roots.len(), 0)));
    }
    let mut missing_count = 0;
    let texts = segments.iter().filter_map(|segment| {
        let text = text(state, aspect, segment).transpose();
        missing_count += usize::from(text.is_none());
        text
    });
    let text = if aspect == Aspect::Json {
        format!("[\n  {}\n]", try_joined(texts, ",\n  ")?)
    } else {
        try_joined(texts, "\n")?
    };
    if missing_count > 0 && missing_count == segments.len() {
        return Err(words::NO_EXTERNAL_IDS.into());
    }
    Ok((text, words::copy_of_several(aspect, segments.len() - missing_count, missing_count)))
}

/// Returns one aspect of a segment; `None` if it has no external id.
fn text(state: &State, aspect: Aspect, segment: &Segment) -> Result<Option<String>, String> {
    Ok(match aspect {
        // A text that is pasted into a terminal must not contain control sequences.
        Aspect::Id => Some(printable(&segment.id.text()).into_owned()),
        Aspect::Name => Some(printable(&segment.name).into_owned()),
        Aspect::ExternalId => {
            segment.external_id.as_deref().filter(|text| !text.is_empty()).map(|text| printable(text).into_owned())
        }
        Aspect::Path => {
            let names: Vec<&str> =
                state.tree.forest.path(&segment.id).iter().map(|above| above.name.as_str()).collect();
            Some(printable(&names.join(" › ")).into_owned())
        }
        Aspect::Json => {
            let json = serde_json::to_string(segment);
            let json = json.map_err(|error| words::no_json(&segment.name, &error))?;
            Some(printable_json(&json))
        }
        Aspect::Subtree => Some(outline_line(segment, 0)),
        Aspect::Curl => Some(command(state, &segment.id)?),
    })
}

fn command(state: &State, id: &SegmentId) -> Result<String, String> {
    let url = state.session.base_url.segment(id).ok_or_else(|| words::no_url_for_id(id))?;
    Ok(curl("GET", url.as_str(), &state.session.tenant, None))
}

/// Returns the lines of a subtree, each level indented by two spaces.
fn outline<'a>(state: &'a State, segment: &'a Segment, depth: u32) -> impl Iterator<Item = String> + 'a {
    let below = state.tree.forest.descendants(&segment.id);
    iter::once(outline_line(segment, depth))
        .chain(below.map(move |(below, segment)| outline_line(segment, depth + below)))
}

fn outline_line(segment: &Segment, depth: u32) -> String {
    let id = if is_provisional(&segment.id) {
        words::NOT_CREATED_YET.to_owned()
    } else {
        segment.id.text().chars().take(SHORT_ID).collect()
    };
    let external_id = segment.external_id.as_deref().filter(|text| !text.is_empty()).unwrap_or("–");
    // A line break in a name would look like another segment.
    let line = format!("{}  {external_id}  {id}", segment.name).replace(char::is_control, " ");
    format!("{}{}", "  ".repeat(depth as usize), printable(&line))
}

fn joined(texts: impl Iterator<Item = String>, separator: &str) -> Result<String, String> {
    try_joined(texts.map(Ok), separator)
}

fn try_joined(texts: impl Iterator<Item = Result<String, String>>, separator: &str) -> Result<String, String> {
    let mut joined = String::new();
    for (at, text) in texts.enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text?);
        if joined.len() > MAX_COPY_BYTES {
            return Err(words::too_big_to_copy(MAX_COPY_BYTES));
        }
    }
    Ok(joined)
}
