//! Finds contradictions among the rows themselves, so that they are reported before anything is fetched from the tenant.

use hashbrown::HashMap;

use super::damage::is_rounded;
use super::difference::order;
use super::matching::{duplicate_fault, missing_key_fault};
use super::places::Place;
use super::{Key, PlanFault, Problem, path};
use crate::formats::rows::{Column, ParentRow, Row, Rows};

/// The faults of the rows when they are matched by a key, or by what they have.
pub(super) fn faults(rows: &Rows, key: Option<Key>, ids_as_written: bool) -> Vec<PlanFault> {
    let mut faults: Vec<PlanFault> = missing_key_fault(rows, key).into_iter().collect();
    let by_id = first_rows(rows, Column::Id);
    let by_external_id = first_rows(rows, Column::ExternalId);
    faults.extend(by_id.duplicates);
    // Segments copied from another tenant may share an external id; only the tenant's data can tell whose ids they are.
    let matches_by_id = rows.rows.iter().any(|row| row.value(Column::Id).is_some());
    if key == Some(Key::ExternalId) || (key.is_none() && !matches_by_id) {
        faults.extend(by_external_id.duplicates);
    }
    if !ids_as_written {
        let columns = [Column::ExternalId, Column::ParentExternalId];
        let ids = rows.rows.iter().flat_map(|row| columns.map(|column| (row.line, row.value(column))));
        let rounded = ids.filter_map(|(line, id)| Some((line, id.filter(|id| is_rounded(id))?.to_owned())));
        faults.extend(rounded.map(|(line, id)| PlanFault { line: Some(line), problem: Problem::RoundedId(id) }));
    }
    let invalid = |row: &Row| {
        let written = row.value(Column::Path).filter(|_| !has_parent_cell(row))?;
        let problem = path::names(written).is_none().then(|| Problem::InvalidPath(written.to_owned()))?;
        Some(PlanFault { line: Some(row.line), problem })
    };
    faults.extend(rows.rows.iter().filter_map(invalid));
    let mut by_path: HashMap<Vec<String>, usize> = HashMap::new();
    for (at, row) in rows.rows.iter().enumerate() {
        if let Some(names) = row.value(Column::Path).and_then(path::names) {
            by_path.entry(names).or_insert(at);
        }
    }
    let above = |row: &Row| match row.parent {
        ParentRow::Row(above) => Some(above),
        ParentRow::Top => None,
        ParentRow::Unknown if has_parent_cell(row) => {
            let id = row.value(Column::ParentId).and_then(|id| by_id.rows.get(id));
            let external_id = row.value(Column::ParentExternalId).and_then(|id| by_external_id.rows.get(id));
            id.or(external_id).copied()
        }
        ParentRow::Unknown => {
            let names = path::names(row.value(Column::Path)?)?;
            by_path.get(names.split_last()?.1).copied()
        }
    };
    let places: Vec<Place> = rows.rows.iter().map(|row| above(row).map_or(Place::AsIs, Place::UnderRow)).collect();
    order(rows, &places, &mut faults);
    faults
}

fn has_parent_cell(row: &Row) -> bool {
    !row.cell(Column::ParentId).is_absent() || !row.cell(Column::ParentExternalId).is_absent()
}

/// The first row with each value of a column.
struct FirstRows<'a> {
    rows: HashMap<&'a str, usize>,
    /// The other rows with the same value.
    duplicates: Vec<PlanFault>,
}

fn first_rows(rows: &Rows, column: Column) -> FirstRows<'_> {
    let mut first_rows = FirstRows { rows: HashMap::new(), duplicates: Vec::new() };
    for (at, row) in rows.rows.iter().enumerate() {
        let Some(value) = row.value(column) else { continue };
        let first = *first_rows.rows.entry(value).or_insert(at);
        if first != at {
            first_rows.duplicates.push(duplicate_fault(&rows.rows, at, first, column, value));
        }
    }
    first_rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::{ReadOptions, read};

    fn lines(text: &str, key: Option<Key>) -> Vec<(Option<usize>, String)> {
        let rows = read(text, &ReadOptions::default()).whole().unwrap();
        faults(&rows, key, false).into_iter().map(|fault| (fault.line, fault.problem.to_string())).collect()
    }

    #[test]
    fn contradicting_rows_are_found_without_a_tenant() {
        let circle = "it would be its own ancestor";
        let text = "externalId,name,parentExternalId\nA,A,B\nB,B,A\nC,C,\nC,C,\n";
        assert_eq!(
            lines(text, None),
            [(Some(5), "externalId C is in line 4 already".into()), (Some(2), circle.into()), (Some(3), circle.into()),]
        );
        let text = "id,parentId,externalId\na,b,X\nb,a,X\na,,\n";
        assert_eq!(
            lines(text, None),
            [(Some(4), "id a is in line 2 already".into()), (Some(2), circle.into()), (Some(3), circle.into())]
        );
        assert_eq!(lines("path\n/A\n/A/B\nC\n", Some(Key::Path)).len(), 1);
        assert_eq!(lines("name\nA\n", None).len(), 1, "no key");
        assert_eq!(lines("name\nA\n", Some(Key::ExternalId)).len(), 1, "not the column of the key");
        assert_eq!(lines("externalId,name\n", None), []);
    }
}
