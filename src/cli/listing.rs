//! Lists of segments, in the forms of `find` and `get`.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::forest::Query;
use crate::formats::{Record, csv, ndjson};

use super::arguments::FindForm;
use super::load::Loaded;
use super::paint::Paint;
use super::table;

/// Version of the JSON format. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'a> {
    format_version: u32,
    tenant: &'a str,
    host: &'a str,
    complete: bool,
}

/// Writes segments in any form but a tree. `records` may be called more than once.
pub(super) fn write<'a, I: Iterator<Item = Record<'a>>>(
    out: &mut dyn Write,
    form: FindForm,
    loaded: &Loaded,
    records: impl Fn() -> I,
    query: Option<&Query>,
    paint: Paint,
) -> fmt::Result {
    match form {
        FindForm::Table | FindForm::Tree => table::write(out, records, query, paint),
        FindForm::Json => write_json(out, loaded, records()),
        FindForm::Ndjson => ndjson::write(out, records()),
        FindForm::Csv => csv::write(out, records(), csv::Dialect::Plain),
        FindForm::Ids => records().try_for_each(|record| writeln!(out, "{}", record.segment.id)),
    }
}

/// Writes one object, with a segment per line.
fn write_json<'a>(out: &mut dyn Write, loaded: &Loaded, records: impl Iterator<Item = Record<'a>>) -> fmt::Result {
    let Loaded { tenant, host, .. } = loaded;
    let head = Head { format_version: FORMAT_VERSION, tenant, host, complete: loaded.is_complete() };
    let head = serde_json::to_string(&head).map_err(|_| fmt::Error)?;
    out.write_str(head.strip_suffix('}').unwrap_or(&head))?;
    out.write_str(",\"segments\":[")?;
    let mut separator = "\n";
    for record in records {
        write!(out, "{separator}{}", ndjson::object(&record)?)?;
        separator = ",\n";
    }
    out.write_str(if separator == "\n" { "]}\n" } else { "\n]}\n" })
}
