//! Rules about single names and external ids: blank, padded, invisible characters, mixed scripts.

use std::collections::BTreeSet;
use std::sync::Arc;

use unicode_script::{Script, UnicodeScript};
use unicode_security::MixedScript;

use super::{Evidence, FindingCollector, Rule};
use crate::printable::is_hidden;
use crate::segment::{Field, Segment};

/// The zero-width joiners. They are allowed in names: emoji and some scripts need them, and their effect is visible.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Checks the names and external ids of all segments.
pub(super) fn check(segments: &[Arc<Segment>], collector: &mut FindingCollector<'_>) {
    for segment in segments {
        if segment.has_blank_name() {
            collector.add(Rule::BlankName, segment, Evidence::BlankName);
        } else if segment.name.trim().len() != segment.name.len() {
            collector.add(Rule::PaddedName, segment, Evidence::PaddedName);
        }
        if let Some((field, character)) = invisible(segment) {
            collector.add(Rule::InvisibleCharacters, segment, Evidence::Invisible(field, character));
        }
        if segment.external_id.is_none() {
            collector.add(Rule::MissingExternalId, segment, Evidence::NoExternalId);
        }
        // ASCII has letters of one script only.
        if !segment.name.is_ascii() && collector.is_enabled(Rule::MixedScripts) {
            let mixed = words(&segment.name).find(|word| !word.is_single_script());
            if let Some(word) = mixed {
                let shown_word = word.chars().filter(|character| !is_hidden(*character)).collect();
                let evidence = Evidence::MixedScripts { word: shown_word, scripts: scripts(word) };
                collector.add(Rule::MixedScripts, segment, evidence);
            }
        }
    }
}

/// Returns the first invisible character and the field that it is in.
fn invisible(segment: &Segment) -> Option<(Field, char)> {
    let first = |text: &str| text.chars().find(|character| is_invisible(*character));
    let external_id = || segment.external_id.as_deref().and_then(first);
    let name = first(&segment.name).map(|character| (Field::Name, character));
    name.or_else(|| external_id().map(|character| (Field::ExternalId, character)))
}

fn is_invisible(character: char) -> bool {
    is_hidden(character) && !JOINERS.contains(&character)
}

/// Splits a name into words at spaces and ASCII punctuation.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character: char| character.is_whitespace() || character.is_ascii_punctuation())
}

/// Returns the scripts of a word as part of a sentence.
fn scripts(word: &str) -> String {
    let scripts: BTreeSet<&str> = word
        .chars()
        .map(|character| character.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited | Script::Unknown))
        .map(Script::full_name)
        .collect();
    scripts.into_iter().collect::<Vec<_>>().join(" and ")
}

/// Returns the name without invisible characters and surrounding spaces, or `None` if it needs no repair or nothing would be
/// left.
#[must_use]
pub fn mended_name(name: &str) -> Option<String> {
    let visible: String = name.chars().filter(|character| !is_invisible(*character)).collect();
    let mended = visible.trim();
    (mended != name && !mended.is_empty()).then(|| mended.to_owned())
}
