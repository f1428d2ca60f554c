//! The id map: external ids with their ids, for an ERP that knows only its own.

use std::fmt::{self, Write};

use crate::formats::csv::{Dialect, write_table};

use super::super::sending::Sent;
use super::Todo;

const HEADING: [&str; 4] = ["externalId", "id", "name", "created"];

/// Writes a line for each row of the file that now has a segment.
pub(super) fn write(out: &mut dyn Write, todo: &Todo, sent: &Sent) -> fmt::Result {
    let rows = todo.segments(sent).into_iter().map(|(_, segment, is_new)| {
        [
            segment.external_id.as_deref().unwrap_or_default().to_owned(),
            segment.id.to_string(),
            segment.name.to_string(),
            if is_new { "true" } else { "false" }.to_owned(),
        ]
    });
    write_table(out, HEADING, rows, Dialect::Plain)
}
