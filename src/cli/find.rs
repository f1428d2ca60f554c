//! `segtui find`: searches the tree, in the query language of `/`.

use crate::forest::Query;
use crate::formats::Part;
use crate::numbers::{Noun, counted};

use super::arguments::{FindArguments, FindForm};
use super::exit::Exit;
use super::failure::Failure;
use super::listing;
use super::load::load_segments;
use super::output::{self, Content, Target};
use super::surroundings::CommandContext;
use super::tree::{TreeOptions, write_tree};

pub(super) async fn run(arguments: FindArguments, context: CommandContext) -> Result<Exit, Failure> {
    let text = arguments.words.join(" ");
    let query = Query::parse_strict(&text).map_err(|fault| {
        Failure::usage(format_args!("invalid query: {fault}")).hint("`segtui find --help` describes the language")
    })?;
    let mut loaded = load_segments(&context.link().await?, context.notes).await?;
    let (form, notes) = (arguments.output, context.notes);
    let options = TreeOptions { query: Some(query.clone()), ..context.tree_options() };
    output::blocking(move |cancelled| {
        let mut forest = std::mem::take(&mut loaded.forest);
        let part = Part::matching(&mut forest, query);
        let count = part.segments().count();
        if count == 0 {
            notes.remark(format_args!("no matches for “{text}”"));
        }
        notes.detail(format_args!("found {}", counted(count, Noun::Segment)));
        let output_kind = match form {
            FindForm::Table | FindForm::Tree => Content::HumanReadable,
            FindForm::Json | FindForm::Ndjson | FindForm::Csv | FindForm::Ids => Content::Data,
        };
        Target::Stdout.write(output_kind, cancelled, |out| match form {
            FindForm::Tree => write_tree(out, &part, &options),
            _ => listing::write(out, form, &loaded, || part.records(), options.query.as_ref(), options.paint),
        })?;
        Ok(loaded.exit())
    })
    .await
}
