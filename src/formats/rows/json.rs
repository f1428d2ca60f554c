//! Reads rows from JSON: an array of objects, or one object per line.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Cell, Column, ColumnNames, Reading, Row, RowFault, RowProblem, Rows};

/// Reads an array of objects, or an object with the array under `segments`. An empty text has no rows.
#[must_use]
pub fn read_json(text: &str, names: &ColumnNames) -> Reading {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Reading::default();
    }
    let values = match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(values) => values,
        Err(fault) if fault.is_data() => {
            let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
                let expected = "an array of segments, or an object with it under “segments”";
                return Reading::faulty(1, RowProblem::Expected(expected));
            };
            envelope.segments
        }
        Err(fault) => return Reading { rows: Rows::default(), faults: vec![invalid(&fault, 0)] },
    };
    let mut objects = ObjectReader::of(names);
    let (mut line, mut counted_until) = (1, 0);
    let line_of = |value: &&RawValue| {
        // The raw value is a slice of the text, so its offset gives its line.
        let at = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        line += newlines(text.as_bytes().get(counted_until..at).unwrap_or_default());
        counted_until = at;
        line
    };
    let lines: Vec<usize> = values.iter().map(line_of).collect();
    // If a line has several objects, its number can't identify them.
    objects.by_number = lines.windows(2).any(|pair| pair[0] == pair[1]);
    for (at, (value, line)) in values.iter().zip(lines).enumerate() {
        objects.read_object(if objects.by_number { at + 1 } else { line }, value.get());
    }
    objects.finish()
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    segments: Vec<&'a RawValue>,
}

/// Reads one object per line.
#[must_use]
pub fn read_ndjson(text: &str, names: &ColumnNames) -> Reading {
    let mut objects = ObjectReader::of(names);
    for (line, written) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if !written.trim().is_empty() {
            objects.read_object(line, written);
        }
    }
    objects.finish()
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

fn invalid(fault: &serde_json::Error, lines_before: usize) -> RowFault {
    let text = fault.to_string();
    // The line is already part of the fault.
    let words = text.split(" at line ").next().unwrap_or_default();
    let words = match (fault.classify(), words) {
        (Category::Eof, "EOF while parsing an object") => "an object isn't closed",
        (Category::Eof, "EOF while parsing a list") => "an array isn't closed",
        (Category::Eof, "EOF while parsing a string") => "a text isn't closed",
        (Category::Eof, _) => "it ends where a value is expected",
        (_, "trailing characters") => "something follows its end",
        (_, "recursion limit exceeded") => "it is nested too deep",
        (_, words) => words,
    };
    RowFault { line: lines_before + fault.line().max(1), problem: RowProblem::InvalidJson(words.to_owned()) }
}

/// The keys and values of an object in order, including duplicate keys.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The objects read so far.
struct ObjectReader<'a> {
    names: &'a ColumnNames,
    rows: Vec<Row>,
    faults: Vec<RowFault>,
    by_number: bool,
}

impl<'a> ObjectReader<'a> {
    const fn of(names: &'a ColumnNames) -> Self {
        Self { names, rows: Vec::new(), faults: Vec::new(), by_number: false }
    }

    fn read_object(&mut self, line: usize, text: &str) {
        let Pairs(object) = match serde_json::from_str(text) {
            Ok(pairs) => pairs,
            Err(fault) if fault.is_data() => {
                return self.faults.push(RowFault { line, problem: RowProblem::Expected("an object") });
            }
            Err(fault) => return self.faults.push(invalid(&fault, line - 1)),
        };
        let mut row = Row::at_line(line);
        for (key, value) in object {
            match (self.names.column(&key), cell(value)) {
                // As in a table: if columns are named, unknown ones are ignored.
                (None, _) if !self.names.is_empty() => {}
                (None, _) => self.faults.push(RowFault { line, problem: RowProblem::UnknownKey(key) }),
                (Some(_), None) => {
                    let problem = RowProblem::Expected("a text, a whole number or null for each field");
                    self.faults.push(RowFault { line, problem });
                }
                (Some(column), Some(_)) if !row.cell(column).is_absent() => {
                    self.faults.push(RowFault { line, problem: RowProblem::ColumnTwice(column) });
                }
                (Some(column), Some(cell)) => row.set(column, cell),
            }
        }
        self.rows.push(row);
    }

    fn finish(self) -> Reading {
        let has = |column: &Column| self.rows.iter().any(|row| !row.cell(*column).is_absent());
        let columns = Column::ALL.into_iter().filter(has).collect();
        let rows = Rows { rows: self.rows, columns, short_ids: false, by_number: self.by_number };
        Reading { rows, faults: self.faults }
    }
}

/// The cell with a value; `None` if it is neither a text, a whole number nor null.
fn cell(value: Value) -> Option<Cell> {
    match value {
        Value::Null => Some(Cell::Empty),
        Value::String(text) => Some(Cell::written(&text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(Cell::written(&number.to_string())),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Rows, Vec<RowFault>> {
        read_json(text, &ColumnNames::default()).whole()
    }

    fn ndjson(text: &str) -> Result<Rows, Vec<RowFault>> {
        read_ndjson(text, &ColumnNames::default()).whole()
    }

    #[test]
    fn keys_can_be_renamed_like_headings() {
        let names = ColumnNames::parse("name=NAZWA,ext=KOD").unwrap();
        let rows = read_json("[{\"NAZWA\": \"A\", \"KOD\": \"1\", \"RABAT\": 5}]", &names).whole().unwrap();
        assert_eq!(rows.rows[0].value(Column::ExternalId), Some("1"));
        assert_eq!(rows.columns, [Column::Name, Column::ExternalId]);
    }

    #[test]
    fn a_missing_key_keeps_a_field_and_null_empties_it() {
        let text = "[\n  {\"id\": \"a\", \"name\": \"A\", \"parentSegmentId\": null},\n\n  {\"externalId\": 7}\n]";
        let rows = json(text).unwrap();
        assert_eq!(rows.columns, [Column::Id, Column::Name, Column::ExternalId, Column::ParentId]);
        let [first, second] = rows.rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((first.line, second.line), (2, 4));
        assert_eq!(first.cell(Column::ParentId), &Cell::Empty);
        assert_eq!(first.cell(Column::ExternalId), &Cell::Absent);
        assert_eq!(second.value(Column::ExternalId), Some("7"));
        assert_eq!(json("{\"segments\": [{\"name\": \"A\"}]}").unwrap().rows.len(), 1);
        assert_eq!(json("[]").unwrap().rows.len(), 0);
    }

    #[test]
    fn objects_on_one_line_are_numbered() {
        let rows = json("[{\"name\": \"A\"},{\"name\": \"B\"},\n{\"name\": \"C\"}]").unwrap();
        assert!(rows.by_number);
        assert_eq!(rows.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(json("[{\"name\": \"A\"},{\"nam\": 1}]").unwrap_err()[0].line, 2);
    }

    #[test]
    fn every_fault_has_its_line() {
        let faults = json("[\n{\"nam\": 1},\n3,\n{\"name\": [\n]}]").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(json("[\n{").unwrap_err()[0].line, 2);
        assert!(matches!(json("{}").unwrap_err()[0].problem, RowProblem::Expected(_)));
        let twice = RowProblem::ColumnTwice(Column::Name);
        let faults = json("[\n{\"name\": \"A\", \"id\": \"a\", \"name\": \"B\"}\n]").unwrap_err();
        assert_eq!(faults, [RowFault { line: 2, problem: twice.clone() }]);
        assert_eq!(ndjson("\n{\"name\": null, \"name\": \"B\"}").unwrap_err(), [RowFault { line: 2, problem: twice }]);
        for text in ["[\n{", "[\n", "[{\"name\": \"A", "[{\"name\":"] {
            let told = json(text).unwrap_err()[0].problem.to_string();
            assert!(!told.contains("EOF") && told.starts_with("not valid JSON: "), "{told}");
        }
        let faults = ndjson("{\"name\": \"A\"}\n\n{\"name\": \n{\"name\": 1.5}\n").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 4]);
    }
}
