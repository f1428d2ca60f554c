//! `segtui export`: writes the tree, or a part of it, to a file or to stdout.

use std::fmt::{self, Write};

use crate::forest::Query;
use crate::formats::{self, Part, csv};
use crate::printable::printable;
use crate::segment::SegmentId;

use super::arguments::{ExportArguments, ExportFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::load::{Loaded, load_segments};
use super::output::{self, Content, Target};
use super::reference;
use super::surroundings::CommandContext;

pub(super) async fn run(arguments: ExportArguments, context: CommandContext) -> Result<Exit, Failure> {
    let Some(format) = arguments.effective_format() else {
        return Err(Failure::usage("--excel writes CSV, and another format was asked for").hint("leave out --format"));
    };
    let dialect = if arguments.excel { csv::Dialect::Excel } else { csv::Dialect::Plain };
    let target = Target::of(arguments.output);
    target.check()?;
    let mut loaded = load_segments(&context.link().await?, context.notes).await?;
    let notes = context.notes;
    output::blocking(move |cancelled| {
        let exit = loaded.exit();
        let scope = match (arguments.root, arguments.r#match) {
            (Some(root), _) => Scope::Below(reference::root(&loaded, &root)?),
            (None, Some(query)) => Scope::Matching(query),
            (None, None) => Scope::Everything,
        };
        let Loaded { forest, tenant, .. } = &mut loaded;
        let part = match &scope {
            Scope::Everything => Part::whole(forest),
            Scope::Below(root) => Part::below(forest, root),
            Scope::Matching(query) => Part::matching(forest, query.clone()),
        };
        let document = Document { format, dialect, title: title(&part, tenant, &scope), part: &part };
        document.check()?;
        if part.is_filtered() && part.segments().next().is_none() {
            notes.remark("no matches");
        }
        target.write(Content::Data, cancelled, |out| document.write(out))?;
        notes.detail(format_args!("wrote {}", part.counted().trim_end_matches('.')));
        Ok(exit)
    })
    .await
}

/// What is exported.
enum Scope {
    Everything,
    Below(SegmentId),
    Matching(Query),
}

/// Returns the title of a picture or a page.
fn title(part: &Part<'_>, tenant: &str, scope: &Scope) -> String {
    let top = part.entries(0).next().filter(|_| matches!(scope, Scope::Below(_)));
    match (top, scope) {
        (Some(top), _) => format!("{} of {tenant}", printable(&top.name())),
        (None, Scope::Matching(_)) => format!("Matches in {tenant}"),
        (None, _) => format!("Segments of {tenant}"),
    }
}

/// A part of the tree in a format.
struct Document<'a> {
    format: ExportFormat,
    dialect: csv::Dialect,
    title: String,
    part: &'a Part<'a>,
}

impl Document<'_> {
    /// Refuses a part that the format can't represent.
    fn check(&self) -> Result<(), Failure> {
        let deepest = formats::outline::DEEPEST;
        if self.format == ExportFormat::Outline && self.part.entries(usize::MAX).any(|row| row.depth > deepest) {
            return Err(Failure::failed(format_args!(
                "an outline has at most {deepest} levels, and this tree is deeper"
            ))
            .hint("use another format, or export a part with --root"));
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let Self { format, dialect, title, part } = self;
        match format {
            ExportFormat::Json => formats::json::write(out, part),
            ExportFormat::Ndjson => formats::ndjson::write(out, part.records()),
            ExportFormat::Csv => csv::write(out, part.records(), *dialect),
            ExportFormat::Outline => formats::outline::write(out, part),
            ExportFormat::Mermaid => formats::mermaid::write(out, part),
            ExportFormat::Dot => formats::dot::write(out, part),
            ExportFormat::Svg => formats::svg::write(out, part, title),
            ExportFormat::Html => formats::html::write(out, part, title),
        }
    }
}
