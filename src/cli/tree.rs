//! `segtui tree`: the tree as text for reading.

use std::fmt::{self, Write};

use crate::forest::Query;
use crate::formats::{ExportRow, Kind, Part};
use crate::numbers::{Noun, counted};

use super::arguments::TreeArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::load::load_segments;
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::reference;
use super::surroundings::CommandContext;

pub(super) async fn run(arguments: TreeArguments, context: CommandContext) -> Result<Exit, Failure> {
    let mut loaded = load_segments(&context.link().await?, context.notes).await?;
    let options = TreeOptions { ids: arguments.ids, depth: arguments.depth, ..context.tree_options() };
    output::blocking(move |cancelled| {
        let root = arguments.root.map(|root| reference::root(&loaded, &root)).transpose()?;
        let exit = loaded.exit();
        let part = match &root {
            Some(root) => Part::below(&mut loaded.forest, root),
            None => Part::whole(&mut loaded.forest),
        };
        Target::Stdout.write(Content::HumanReadable, cancelled, |out| write_tree(out, &part, &options))?;
        Ok(exit)
    })
    .await
}

/// How a tree is written.
#[derive(Debug, Clone)]
pub(super) struct TreeOptions {
    pub guides: Guides,
    pub paint: Paint,
    /// Whether IDs are shown.
    pub ids: bool,
    /// How many levels are shown; all if `None`.
    pub depth: Option<usize>,
    /// The query whose matches are highlighted.
    pub query: Option<Query>,
}

/// The lines that connect a row to its parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guides {
    child: &'static str,
    last_child: &'static str,
    through: &'static str,
    below_last: &'static str,
}

impl Guides {
    pub const UNICODE: Self = Self { child: "├─ ", last_child: "└─ ", through: "│  ", below_last: "   " };
    pub const ASCII: Self = Self { child: "|- ", last_child: "`- ", through: "|  ", below_last: "   " };
}

/// Levels that are indented. A deeper row shows its depth as a number, so that a long chain isn't mostly blank.
const MAX_GUIDES: usize = 40;

/// Writes the rows of a part, one per line.
pub(super) fn write_tree(out: &mut dyn Write, part: &Part<'_>, options: &TreeOptions) -> fmt::Result {
    let shown = |row: &ExportRow<'_>| options.depth.is_none_or(|depth| row.depth < depth);
    let rows: Vec<ExportRow<'_>> = part.entries(usize::MAX).filter(shown).collect();
    let last = last_children(&rows);
    let guides = options.guides;
    // For each level of the path to the current row, whether that row is its parent's last child.
    let mut path: Vec<bool> = Vec::new();
    for (row, is_last) in rows.iter().zip(last) {
        path.truncate(row.depth);
        path.push(is_last);
        for above in path.iter().skip(1).take(row.depth.saturating_sub(1)).take(MAX_GUIDES) {
            out.write_str(if *above { guides.below_last } else { guides.through })?;
        }
        if row.depth > MAX_GUIDES {
            write!(out, "[{}] ", row.depth)?;
        }
        if row.depth > 0 {
            out.write_str(if is_last { guides.last_child } else { guides.child })?;
        }
        writeln!(out, "{}", label(row, options))?;
    }
    Ok(())
}

/// Returns for each row whether it is the last one under its parent.
fn last_children(rows: &[ExportRow<'_>]) -> Vec<bool> {
    let mut followed = Vec::new();
    let mut last = vec![false; rows.len()];
    for (row, last) in rows.iter().zip(&mut last).rev() {
        followed.truncate(row.depth + 1);
        followed.resize(row.depth + 1, false);
        *last = !followed[row.depth];
        followed[row.depth] = true;
    }
    last
}

/// Returns the text of a row, without control characters.
fn label(row: &ExportRow<'_>, options: &TreeOptions) -> String {
    let paint = options.paint;
    let name = row.name();
    let mut label = match row.kind() {
        Kind::Heading => paint.warning(&format!("{name}:")),
        Kind::MissingParent => paint.warning(&format!("({name})")),
        Kind::Segment if row.is_match_ancestor => paint.dim(&name),
        Kind::Segment => {
            let found = options.query.as_ref().map(|query| query.ranges(&name)).unwrap_or_default();
            paint.highlight(&name, &found)
        }
    };
    if let Some(external_id) = row.external_id() {
        label.extend(["  ", &paint.dim(&format!("[{external_id}]"))]);
    }
    if let Some(id) = row.id().filter(|_| options.ids && row.kind() == Kind::Segment) {
        label.extend(["  ", &paint.dim(&format!("{{{id}}}"))]);
    }
    // The descendants of a row on the last level are not shown.
    let hidden = row.descendants() as usize;
    if hidden > 0 && options.depth == Some(row.depth + 1) {
        label.extend(["  ", &paint.dim(&format!("({})", counted(hidden, Noun::Descendant)))]);
    }
    label
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::forest::Forest;
    use crate::segment::{Segment, SegmentId};

    const PLAIN: TreeOptions =
        TreeOptions { guides: Guides::UNICODE, paint: Paint::Plain, ids: false, depth: None, query: None };

    fn printed(edges: &[(&str, Option<&str>)]) -> String {
        printed_as(edges, &PLAIN)
    }

    fn printed_as(edges: &[(&str, Option<&str>)], options: &TreeOptions) -> String {
        let segment = |(id, parent): &(&str, Option<&str>)| {
            let id = SegmentId::new(id).unwrap();
            let name = id.text().into();
            Arc::new(Segment { id, name, external_id: Some("X".into()), parent: parent.and_then(SegmentId::new) })
        };
        let mut forest: Forest = edges.iter().map(segment).collect();
        let mut out = String::new();
        write_tree(&mut out, &Part::whole(&mut forest), options).unwrap();
        out
    }

    #[test]
    fn guides_connect_children_to_their_parents() {
        let tree = printed(&[
            ("a", None),
            ("b", Some("a")),
            ("c", Some("b")),
            ("d", Some("a")),
            ("e", None),
            ("f", Some("z")),
        ]);
        assert_eq!(
            tree,
            "a  [X]\n├─ b  [X]\n│  └─ c  [X]\n└─ d  [X]\ne  [X]\nOrphans: parent missing:\n└─ (z)\n   └─ f  [X]\n"
        );
    }

    #[test]
    fn a_deep_row_shows_its_depth_as_a_number() {
        let ids: Vec<String> = (0..60).map(|at| format!("s{at}")).collect();
        let edges: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (id.as_str(), at.checked_sub(1).map(|at| ids[at].as_str())))
            .collect();
        assert!(printed(&edges).lines().last().unwrap().contains("[59] └─ s59"));
    }

    #[test]
    fn depth_can_be_limited_and_ids_shown() {
        let edges = [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("c")), ("e", Some("gone"))];
        let shallow = TreeOptions { depth: Some(2), ids: true, ..PLAIN };
        assert_eq!(
            printed_as(&edges, &shallow),
            "a  [X]  {a}\n└─ b  [X]  {b}  (2 descendants)\nOrphans: parent missing:\n└─ (gone)  (1 descendant)\n"
        );
    }

    #[test]
    fn escape_sequences_are_not_printed() {
        assert!(!printed(&[("\u{1b}[2J", None)]).contains('\u{1b}'));
    }
}
