//! The rows of a file as segments, for features that only look at segments: nothing is compared with a tenant or sent.
//!
//! A row without an ID gets a unique one with its line: `line-12`. A parent that is not in the file keeps the ID, external ID or
//! path that names it, so the row is an orphan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Column, ParentRow, Row, Rows};
use crate::forest::path_names;
use crate::segment::{Segment, SegmentId};

/// A row as a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSegment {
    /// The line where the row begins, from 1.
    pub line: usize,
    /// The segment; its name is blank if the row has none.
    pub segment: Arc<Segment>,
}

/// Two rows with the same ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("id {id} is in line {first} already")]
pub struct DuplicateId {
    /// The line of the later row.
    pub line: usize,
    /// The line of the first row.
    pub first: usize,
    /// The ID.
    pub id: String,
}

impl Rows {
    /// All rows as segments, in order.
    ///
    /// # Errors
    ///
    /// Every ID that two rows have.
    pub fn segments(&self) -> Result<Vec<RowSegment>, Vec<DuplicateId>> {
        let ids = self.ids()?;
        let known = SegmentLookup::of(self, &ids);
        let row_segment = |(row, id): (&Row, &SegmentId)| RowSegment {
            line: row.line,
            segment: Arc::new(Segment {
                id: id.clone(),
                name: row.name().unwrap_or_default().into(),
                external_id: row.cell(Column::ExternalId).as_written().map(Into::into),
                parent: known.parent(row),
            }),
        };
        Ok(self.rows.iter().zip(&ids).map(row_segment).collect())
    }

    /// The ID of each row, its own or one made from its line.
    fn ids(&self) -> Result<Vec<SegmentId>, Vec<DuplicateId>> {
        let mut first_with: HashMap<&str, usize> = HashMap::new();
        let mut faults = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let Some(id) = row.value(Column::Id) else { continue };
            let first = *first_with.entry(id).or_insert(at);
            if first != at {
                faults.push(DuplicateId { line: row.line, first: self.rows[first].line, id: id.to_owned() });
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut taken: HashSet<String> = first_with.keys().map(|id| (*id).to_owned()).collect();
        let id = |row: &Row| {
            row.value(Column::Id).and_then(SegmentId::new).unwrap_or_else(|| {
                let mut generated = format!("line-{}", row.line);
                while !taken.insert(generated.clone()) {
                    generated.push('\'');
                }
                SegmentId::of_text(&generated)
            })
        };
        Ok(self.rows.iter().map(id).collect())
    }
}

impl Row {
    /// The name as written, whitespace included, or else the last name of the path.
    fn name(&self) -> Option<String> {
        let written = self.cell(Column::Name).as_written().map(str::to_owned);
        written.or_else(|| path_names(self.value(Column::Path)?).pop())
    }

    /// The parent's path; `None` if the row has no path, or one at the top level.
    fn path_above(&self) -> Option<Vec<String>> {
        let mut names = path_names(self.value(Column::Path)?);
        names.pop();
        (!names.is_empty()).then_some(names)
    }
}

/// The rows by the values that name them as parents.
struct SegmentLookup<'a> {
    ids: &'a [SegmentId],
    by_external_id: HashMap<&'a str, &'a SegmentId>,
    by_path: HashMap<Vec<String>, &'a SegmentId>,
}

impl<'a> SegmentLookup<'a> {
    fn of(rows: &'a Rows, ids: &'a [SegmentId]) -> Self {
        let mut known = Self { ids, by_external_id: HashMap::new(), by_path: HashMap::new() };
        for (row, id) in rows.rows.iter().zip(ids) {
            if let Some(external_id) = row.value(Column::ExternalId) {
                known.by_external_id.entry(external_id).or_insert(id);
            }
            if let Some(path) = row.value(Column::Path) {
                known.by_path.entry(path_names(path)).or_insert(id);
            }
        }
        known
    }

    /// The parent that a row names, whether it exists or not.
    fn parent(&self, row: &Row) -> Option<SegmentId> {
        match row.parent {
            ParentRow::Row(above) => return self.ids.get(above).cloned(),
            ParentRow::Top => return None,
            ParentRow::Unknown => {}
        }
        if let Some(id) = row.value(Column::ParentId) {
            return SegmentId::new(id);
        }
        if let Some(external_id) = row.value(Column::ParentExternalId) {
            let found = self.by_external_id.get(external_id).map(|id| (*id).clone());
            return found.or_else(|| SegmentId::new(&format!("ext={external_id}")));
        }
        let has_parent_cell =
            !row.cell(Column::ParentId).is_absent() || !row.cell(Column::ParentExternalId).is_absent();
        let above = row.path_above().filter(|_| !has_parent_cell)?;
        let found = self.by_path.get(&above).map(|id| (*id).clone());
        found.or_else(|| SegmentId::new(&crate::forest::path_text(above.iter().map(String::as_str))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::{ReadOptions, read};
    use crate::formats::rows::{ColumnNames, read_json, read_outline};

    /// Each row as `line id: name [external id] < parent`.
    fn lines(rows: &Rows) -> Vec<String> {
        let line = |RowSegment { line, segment }: RowSegment| {
            let Segment { id, name, external_id, parent } = &*segment;
            let external_id = external_id.as_deref().unwrap_or("-");
            format!("{line} {id}: {name} [{external_id}] < {}", parent.as_ref().map_or("-".into(), ToString::to_string))
        };
        rows.segments().unwrap().into_iter().map(line).collect()
    }

    fn csv(text: &str) -> Rows {
        read(text, &ReadOptions::default()).whole().unwrap()
    }

    #[test]
    fn rows_name_their_parents_by_external_id() {
        let rows = csv("name,externalId,parentExternalId\nPolska,PL,\nŁódź,PL-10,PL\nLost,X,GONE\n");
        assert_eq!(
            lines(&rows),
            ["2 line-2: Polska [PL] < -", "3 line-3: Łódź [PL-10] < line-2", "4 line-4: Lost [X] < ext=GONE"]
        );
    }

    #[test]
    fn rows_name_their_parents_by_id_or_path() {
        let rows = csv("id,parentId,name\na,,A\nb,a,B\nc,gone,C\n");
        assert_eq!(lines(&rows), ["2 a: A [-] < -", "3 b: B [-] < a", "4 c: C [-] < gone"]);
        let rows = csv("path\n/A\n/A/B//C\n/X/Y\n");
        assert_eq!(lines(&rows), ["2 line-2: A [-] < -", "3 line-3: B/C [-] < line-2", "4 line-4: Y [-] < /X"]);
    }

    #[test]
    fn outlines_and_json_become_segments_too() {
        let rows = read_outline("A\n  B  [X]\n").whole().unwrap();
        assert_eq!(lines(&rows), ["1 line-1: A [-] < -", "2 line-2: B [X] < line-1"]);
        let json = r#"[{"id":"a","name":"A","externalId":null,"parentSegmentId":"a"}]"#;
        assert_eq!(lines(&read_json(json, &ColumnNames::default()).whole().unwrap()), ["1 a: A [-] < a"]);
    }

    #[test]
    fn a_generated_id_never_repeats_an_existing_one() {
        let rows = csv("id,name\nline-3,A\n,B\n");
        assert_eq!(lines(&rows), ["2 line-3: A [-] < -", "3 line-3': B [-] < -"]);
    }

    #[test]
    fn an_id_in_two_rows_is_refused_with_both_lines() {
        let faults = csv("id,name\na,A\na,B\n").segments().unwrap_err();
        assert_eq!(faults[0].to_string(), "id a is in line 2 already");
        assert_eq!(faults[0].line, 3);
    }
}
