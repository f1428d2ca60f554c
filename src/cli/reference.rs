//! Resolves references on the command line to segments, or to errors with similar segments or candidates.

use crate::forest::{Forest, Reference, Unresolved};
use crate::numbers::{Noun, counted};
use crate::segment::SegmentId;

use super::exit::Exit;
use super::failure::{Candidate, Failure};
use super::load::Loaded;

/// Most candidates that are listed.
const MAX_CANDIDATES: usize = 100;

/// Returns the segment that a reference names.
pub(super) fn segment(loaded: &Loaded, reference: &Reference) -> Result<SegmentId, Failure> {
    match loaded.forest.resolve(reference) {
        Ok(segment) => Ok(segment.id.clone()),
        Err(Unresolved::NotFound { near }) => Err(not_found(loaded, reference, &near)),
        Err(Unresolved::Ambiguous { candidates }) => Err(ambiguous(&loaded.forest, reference, &candidates)),
    }
}

/// Like [`segment()`], but also accepts the id of a missing parent, whose orphans can be shown.
pub(super) fn root(loaded: &Loaded, reference: &Reference) -> Result<SegmentId, Failure> {
    let id = match reference {
        Reference::Id(id) => Some(id.clone()),
        Reference::Word(word) => SegmentId::new(word),
        Reference::ExternalId(_) | Reference::Path(_) => None,
    };
    let missing = id.filter(|id| loaded.forest.is_missing_parent(id));
    segment(loaded, reference).or_else(|failure| missing.ok_or(failure))
}

fn not_found(loaded: &Loaded, reference: &Reference, near: &[SegmentId]) -> Failure {
    let error = match reference {
        Reference::Id(id) => format!("no segment has the ID {id}"),
        Reference::ExternalId(external_id) => format!("no segment has the external ID {external_id}"),
        Reference::Path(path) => format!("no segment has the path {path}"),
        Reference::Word(word) => format!("no segment has the ID or external ID {word}"),
    };
    if loaded.exit() == Exit::Incomplete {
        let hint = "the list is incomplete, so it may exist anyway; try again";
        return Failure::new(Exit::Incomplete, error).hint(hint);
    }
    let failure = Failure::failed(error);
    if near.is_empty() {
        return failure.hint("search with `segtui find`, or name it by its path, such as /Polska/Łódzkie");
    }
    let near = near.iter().map(|id| described(&loaded.forest, id)).collect::<Vec<_>>();
    failure.hint(format_args!("similar: {}", near.join(", ")))
}

fn described(forest: &Forest, id: &SegmentId) -> String {
    format!("id={id} ({})", path(forest, id))
}

fn path(forest: &Forest, id: &SegmentId) -> String {
    forest.path_text(id).unwrap_or_else(|| "very deep".into())
}

fn ambiguous(forest: &Forest, reference: &Reference, candidates: &[SegmentId]) -> Failure {
    let count = counted(candidates.len(), Noun::Segment);
    let error = match candidates.len() {
        more if more > MAX_CANDIDATES => {
            format!("{reference} names {count}, of which these are the first {MAX_CANDIDATES}")
        }
        _ => format!("{reference} names {count}"),
    };
    let listed = candidates.iter().take(MAX_CANDIDATES);
    Failure::failed(error)
        .candidates(listed.map(|id| Candidate { id: id.to_string(), path: path(forest, id) }).collect())
        .hint("name one of them by its ID, as listed")
}
