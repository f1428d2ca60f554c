//! `segtui find`: searches the tree, in the query language of `/`.

use crate::forest::Query;
use crate::formats::Part;
use crate::numbers::{Noun, counted};

use super::arguments::{FindArguments, FindForm};
use super::exit::Exit;
use super::failure::Failure;
use super::listing;
use super::load::everything;
use super::output::{self, Content, Target};
use super::surroundings::Surroundings;
use super::tree::{Look, write_tree};

pub(super) async fn run(arguments: FindArguments, surroundings: Surroundings) -> Result<Exit, Failure> {
    let text = arguments.words.join(" ");
    let query = Query::parse_strict(&text).map_err(|fault| {
        Failure::usage(format_args!("invalid query: {fault}")).hint("`segtui find --help` describes the language")
    })?;
    let mut loaded = everything(&surroundings.link().await?, surroundings.notes).await?;
    let (form, notes) = (arguments.output, surroundings.notes);
    let look = Look { query: Some(query.clone()), ..surroundings.look() };
    output::blocking(move |cancelled| {
        let mut forest = std::mem::take(&mut loaded.forest);
        let part = Part::matching(&mut forest, query);
        let count = part.segments().count();
        if count == 0 {
            notes.remark(format_args!("no matches for “{text}”"));
        }
        notes.detail(format_args!("found {}", counted(count, Noun::Segment)));
        let content = match form {
            FindForm::Table | FindForm::Tree => Content::Reading,
            FindForm::Json | FindForm::Ndjson | FindForm::Csv | FindForm::Ids => Content::Data,
        };
        Target::Stdout.write(content, cancelled, |out| match form {
            FindForm::Tree => write_tree(out, &part, &look),
            _ => listing::write(out, form, &loaded, || part.records(), look.query.as_ref(), look.paint),
        })?;
        Ok(loaded.exit())
    })
    .await
}
