//! Printing the tree for reading.

use std::io::{self, Write};

use color_eyre::eyre::WrapErr;

use crate::config::Paths;
use crate::forest::{Forest, Row, RowKind};
use crate::printable::printable;

use super::arguments::{ConnectionArguments, LookArguments};
use super::exit::Exit;
use super::export::write_out;
use super::failure::Failure;
use super::link::Link;
use super::load::everything;

pub(super) async fn run(
    connection: ConnectionArguments,
    ascii: bool,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
) -> Result<Exit, Failure> {
    let link = Link::open(&connection, &LookArguments::default(), &environment, &paths).await?;
    let mut gathered = everything(&link).await.wrap_err("couldn't load the segments")?;
    gathered.forest.fold_to_level(None);
    let guides = if ascii { Guides::ASCII } else { Guides::UNICODE };
    write_out(|out| write_tree(out, &gathered.forest, &guides))?;
    Ok(gathered.exit())
}

/// What leads from a row to its parent.
struct Guides {
    child: &'static str,
    last_child: &'static str,
    through: &'static str,
    below_last: &'static str,
}

impl Guides {
    const UNICODE: Self = Self { child: "├─ ", last_child: "└─ ", through: "│  ", below_last: "   " };
    const ASCII: Self = Self { child: "|- ", last_child: "`- ", through: "|  ", below_last: "   " };
}

/// Levels that are indented. Deeper rows tell their depth in figures, so that a long chain is not mostly blanks.
const INDENTED: usize = 40;

fn write_tree(out: &mut dyn Write, forest: &Forest, guides: &Guides) -> io::Result<()> {
    let rows: Vec<Row<'_>> = forest.rows(0..forest.row_count()).collect();
    let last = last_children(&rows);
    // For each level of the path to the present row, whether that was its parent's last child.
    let mut path: Vec<bool> = Vec::new();
    for (row, is_last) in rows.iter().zip(last) {
        let depth = row.depth as usize;
        path.truncate(depth);
        path.push(is_last);
        for above in path.iter().skip(1).take(depth.saturating_sub(1)).take(INDENTED) {
            out.write_all(if *above { guides.below_last } else { guides.through }.as_bytes())?;
        }
        if depth > INDENTED {
            write!(out, "[{depth}] ")?;
        }
        if depth > 0 {
            out.write_all(if is_last { guides.last_child } else { guides.child }.as_bytes())?;
        }
        writeln!(out, "{}", label(row))?;
    }
    Ok(())
}

/// For each row, whether no other row follows under the same parent.
fn last_children(rows: &[Row<'_>]) -> Vec<bool> {
    let mut followed = Vec::new();
    let mut last = vec![false; rows.len()];
    for (row, last) in rows.iter().zip(&mut last).rev() {
        let depth = row.depth as usize;
        followed.truncate(depth + 1);
        followed.resize(depth + 1, false);
        *last = !followed[depth];
        followed[depth] = true;
    }
    last
}

/// Others' words, so what a terminal would obey is replaced.
fn label(row: &Row<'_>) -> String {
    let text = match row.kind {
        RowKind::Heading(heading) => format!("{heading}:"),
        RowKind::MissingParent(id) => format!("({id})"),
        RowKind::Segment(segment) => {
            let name = if segment.has_blank_name() { "(no name)" } else { segment.name.as_str() };
            match &segment.external_id {
                Some(external_id) => format!("{name}  [{external_id}]"),
                None => name.to_owned(),
            }
        }
    };
    printable(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::segment::{Segment, SegmentId};

    fn printed(edges: &[(&str, Option<&str>)]) -> String {
        let segment = |(id, parent): &(&str, Option<&str>)| {
            let id = SegmentId::new(id).unwrap();
            let name = id.text().into();
            Arc::new(Segment { id, name, external_id: Some("X".into()), parent: parent.and_then(SegmentId::new) })
        };
        let mut forest: Forest = edges.iter().map(segment).collect();
        forest.fold_to_level(None);
        let mut out = Vec::new();
        write_tree(&mut out, &forest, &Guides::UNICODE).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_lead_from_children_to_their_parents() {
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
    fn a_long_chain_tells_its_depth_in_figures() {
        let ids: Vec<String> = (0..60).map(|at| format!("s{at}")).collect();
        let edges: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (id.as_str(), at.checked_sub(1).map(|at| ids[at].as_str())))
            .collect();
        assert!(printed(&edges).lines().last().unwrap().contains("[59] └─ s59"));
    }

    #[test]
    fn escape_sequences_are_not_printed() {
        assert!(!printed(&[("\u{1b}[2J", None)]).contains('\u{1b}'));
    }
}
