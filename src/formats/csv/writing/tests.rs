//! Tables that are read back by an independent reader.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::forest::Forest;
use crate::formats::csv::guard::unguard;
use crate::formats::{Part, samples};
use crate::segment::{Segment, SegmentId};

fn rendered(forest: Forest, dialect: Dialect) -> String {
    samples::rendered(forest, |out, part: &Part<'_>| write(out, part.records(), dialect))
}

#[test]
fn a_table_has_every_column_and_parents_come_first() {
    let segments = [["b", "B, \"the\nsecond\"", "", "a"], ["a", "A/C", "X;1", ""], ["o", "Orphan", "007", "gone"]];
    let forest = || segments.into_iter().map(samples::segment).collect();
    assert_eq!(
        rendered(forest(), Dialect::Plain),
        "id,name,externalId,parentId,parentExternalId,path\n\
         a,A/C,X;1,,,/A//C\n\
         b,\"B, \"\"the\nsecond\"\"\",,a,X;1,\"/A//C/B, \"\"the\nsecond\"\"\"\n\
         o,Orphan,007,gone,,/Orphan\n"
    );
    assert_eq!(
        rendered(forest(), Dialect::Excel),
        "\u{feff}id;name;externalId;parentId;parentExternalId;path\r\n\
         a;A/C;\"X;1\";;;/A//C\r\n\
         b;\"B, \"\"the\nsecond\"\"\";;a;\"X;1\";\"/A//C/B, \"\"the\nsecond\"\"\"\r\n\
         o;Orphan;'007;gone;;/Orphan\r\n"
    );
    assert_eq!(rendered(Forest::new(), Dialect::Plain), "id,name,externalId,parentId,parentExternalId,path\n");
}

#[test]
fn a_cell_longer_than_the_buffer_is_written_whole() {
    let long = "ż\"".repeat(BUFFER_LEN);
    let text = rendered([["a", &long, "", ""]].into_iter().map(samples::segment).collect(), Dialect::Plain);
    assert_eq!(text.matches(&long.replace('"', "\"\"")).count(), 2);
}

#[test]
fn no_cell_for_a_spreadsheet_begins_a_formula() {
    let hostile = [["=1", "=HYPERLINK(\"x\")", "-1+1", ""]].into_iter().map(samples::segment).collect();
    let text = rendered(hostile, Dialect::Excel);
    let row = text.lines().nth(1).unwrap();
    assert_eq!(row, "'=1;\"'=HYPERLINK(\"\"x\"\")\";'-1+1;;;\"/=HYPERLINK(\"\"x\"\")\"");
}

#[test]
fn the_contract_documents_every_column() {
    let contract = include_str!("../../../../docs/contract.md");
    assert!(contract.contains(&format!("`{}`", COLUMNS.join(","))));
    for column in COLUMNS {
        assert!(contract.contains(&format!("| `{column}` |")), "{column}");
    }
}

/// The cells of a table, read by a minimal RFC 4180 reader that shares no code with the writer.
fn read(text: &str, delimiter: char, end: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let (cell, after) = read_cell(rest, delimiter, end);
            row.push(cell);
            let Some(next) = after.strip_prefix(delimiter) else {
                rest = after.strip_prefix(end).expect("a cell ends with a delimiter or the end of the line");
                break;
            };
            rest = next;
        }
        rows.push(row);
    }
    rows
}

fn read_cell<'a>(text: &'a str, delimiter: char, end: &str) -> (String, &'a str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let length = text.find(['\n', '\r', delimiter]).unwrap();
        let (cell, after) = text.split_at(length);
        assert!(!cell.contains('"'), "a quote in a cell without quotes: {cell:?}");
        assert!(after.starts_with(delimiter) || after.starts_with(end), "a bare end of line in {text:?}");
        return (cell.into(), after);
    };
    let mut cell = String::new();
    loop {
        let (before, after) = rest.split_once('"').expect("quotes are closed");
        cell.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return (cell, after),
        }
    }
}

/// Texts with everything that a table or a spreadsheet could misread.
fn troublesome() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\"",
        "\"\"",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "'",
        "=",
        "+",
        "-",
        "@",
        "0",
        "00",
        "7",
        "1.0",
        "1,23E+05",
        "sep=;",
        "🙂",
        "👩‍👩‍👧",
        "Łódź",
        "e\u{301}",
        "\u{feff}",
        "\u{0}",
        "\u{a0}",
        " ",
        "a",
        "TRUE",
        "SEPT2",
        "/",
        "#",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A tree of segments with these names and external IDs, each a child of one of the previous ones.
fn forest_of(texts: &[(String, String, prop::sample::Index)]) -> Forest {
    let ids: Vec<String> = (0..texts.len()).map(|at| format!("{at:03}\"=;,\n")).collect();
    let segments = texts.iter().enumerate().map(|(at, (name, external_id, parent))| {
        let external_id = Some(external_id.as_str()).filter(|text| !text.is_empty()).map(Into::into);
        let parent = (at > 0).then(|| &ids[parent.index(at)]).and_then(|parent| SegmentId::new(parent));
        Arc::new(Segment { id: SegmentId::new(&ids[at]).unwrap(), name: name.as_str().into(), external_id, parent })
    });
    segments.collect()
}

/// The expected cells of a row.
fn cells(record: &Record<'_>) -> [String; COLUMNS.len()] {
    let Record { segment, parent_external_id, path } = record;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        segment.id.to_string(),
        segment.name.to_string(),
        text(segment.external_id.as_deref()),
        segment.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        text(*parent_external_id),
        path.clone(),
    ]
}

proptest! {
    #[test]
    fn every_table_is_read_back_unchanged(
        texts in prop::collection::vec((troublesome(), troublesome(), any::<prop::sample::Index>()), 1..8)
    ) {
        let mut forest = forest_of(&texts);
        let part = Part::whole(&mut forest);
        let expected: Vec<_> = part.records().map(|record| cells(&record)).collect();
        prop_assert_eq!(expected.len(), texts.len());

        let mut plain = String::new();
        write(&mut plain, part.records(), Dialect::Plain).unwrap();
        let rows = read(&plain, ',', "\n");
        prop_assert_eq!(&rows[0], &COLUMNS);
        prop_assert_eq!(&rows[1..], &expected);

        let mut excel = String::new();
        write(&mut excel, part.records(), Dialect::Excel).unwrap();
        let rows = read(excel.strip_prefix('\u{feff}').unwrap(), ';', "\r\n");
        prop_assert_eq!(&rows[0], &COLUMNS);
        prop_assert_eq!(rows.len(), expected.len() + 1);
        for (row, expected) in rows[1..].iter().zip(&expected) {
            prop_assert_eq!(row.iter().map(|cell| unguard(cell)).collect::<Vec<_>>(), expected);
            for cell in row {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {:?}", cell);
            }
        }
    }
}
