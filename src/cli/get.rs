//! `segtui get`: shows the segments that are named.

use std::collections::HashSet;

use crate::forest::{Forest, Reference};
use crate::formats::Record;
use crate::segment::{Segment, SegmentId};

use super::arguments::{FindForm, GetArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::listing;
use super::load::{Loaded, load_segments};
use super::output::{self, Content, Target};
use super::reference;
use super::surroundings::CommandContext;

pub(super) async fn run(arguments: GetArguments, context: CommandContext) -> Result<Exit, Failure> {
    let loaded = load_segments(&context.link().await?, context.notes).await?;
    let paint = context.paint;
    output::blocking(move |cancelled| {
        let form = FindForm::from(arguments.output);
        let ids = resolve_all(&loaded, &arguments.references)?;
        let segments = select_segments(&loaded.forest, &ids, &arguments);
        let output_kind = if form == FindForm::Table { Content::HumanReadable } else { Content::Data };
        let records = || segments.iter().map(|segment| Record::of(&loaded.forest, segment));
        Target::Stdout.write(output_kind, cancelled, |out| listing::write(out, form, &loaded, records, None, paint))?;
        Ok(loaded.exit())
    })
    .await
}

/// Resolves all references, or fails with all errors.
fn resolve_all(loaded: &Loaded, references: &[Reference]) -> Result<Vec<SegmentId>, Failure> {
    let (mut ids, mut failure) = (Vec::new(), None);
    for reference in references {
        match (reference::segment(loaded, reference), &mut failure) {
            (Ok(id), _) => ids.push(id),
            (Err(first), None) => failure = Some(first),
            (Err(other), Some(first)) => first.join(other),
        }
    }
    failure.map_or(Ok(ids), Err)
}

/// Returns the named segments in that order, each with its ancestors and descendants if asked for, without duplicates.
fn select_segments<'a>(forest: &'a Forest, ids: &[SegmentId], arguments: &GetArguments) -> Vec<&'a Segment> {
    let mut seen = HashSet::new();
    let mut segments = Vec::new();
    for id in ids {
        let path = forest.path(id);
        let above = if arguments.above { 0 } else { path.len().saturating_sub(1) };
        let below = arguments.below.then(|| forest.descendants(id).map(|(_, segment)| segment));
        let all = path[above..].iter().copied().chain(below.into_iter().flatten());
        segments.extend(all.filter(|segment| seen.insert(&segment.id)).map(AsRef::as_ref));
    }
    segments
}
