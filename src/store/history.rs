//! The history of applied operations by plan: the newest entries, so that a later session can show and undo them.
//!
//! An entry is written in the same transaction that removes its operation from the journal. So whenever the program ends, an
//! operation is in one of the two.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::changes::{DoneOp, HistoryRecord, OpId, PlanId};
use crate::clock;

use super::{APPLICATION_ID, StoreError, journal, pragma};

pub(super) const TABLE: &str = "
    CREATE TABLE history (
        number INTEGER PRIMARY KEY NOT NULL,
        at INTEGER NOT NULL,
        plan INTEGER NOT NULL,
        place INTEGER NOT NULL,
        title TEXT NOT NULL,
        undoes INTEGER,
        did TEXT NOT NULL
    );
    CREATE INDEX history_of_plan ON history (plan);
";

/// Number of entries kept. Older ones are deleted at the next start.
const MAX_ENTRIES: i64 = 500_000;
/// The first schema version with the table.
const MIN_SCHEMA: i32 = 6;

/// An operation that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was recorded.
    pub at: Timestamp,
    /// The operation.
    pub op: OpId,
    /// Title of its plan.
    pub title: String,
    /// The plan that its plan undid.
    pub undoes: Option<PlanId>,
    /// What it did.
    pub effect: DoneOp,
}

/// An applied operation as stored: with field names and a version.
#[derive(Serialize, Deserialize)]
struct Packed {
    version: u32,
    did: DoneOp,
}

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// Writes an entry. It gets the title of earlier entries of its plan, if there are any.
pub(super) fn insert_entry(transaction: &Transaction<'_>, op: OpId, record: &HistoryRecord) -> rusqlite::Result<()> {
    let packed = serde_json::to_string(&Packed { version: VERSION, did: record.effect.clone() })
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let (plan_id, index) = journal::op_columns(op);
    let undoes = record.undoes.map(|plan_id| journal::op_columns(OpId { plan_id, index: 0 }).0);
    transaction
        .prepare_cached(
            "INSERT INTO history (at, plan, place, title, undoes, did) VALUES (?1, ?2, ?3,
             COALESCE((SELECT title FROM history WHERE plan = ?2 LIMIT 1), ?4), ?5, ?6)",
        )?
        .execute(params![clock::now().as_millisecond(), plan_id, index, record.title, undoes, packed])?;
    Ok(())
}

/// Deletes the entries beyond [`MAX_ENTRIES`].
pub(super) fn delete_oldest(connection: &Connection) -> rusqlite::Result<()> {
    let delete = "DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?1";
    connection.execute(delete, [MAX_ENTRIES]).map(drop)
}

/// Returns the history in a file since a moment, the oldest entry first. It is empty if there is no file, or if its schema
/// has no history. Another program may be writing the file.
///
/// # Errors
///
/// If SQLite fails, or an entry can't be read.
pub fn history(path: &Path, since: Timestamp) -> Result<Vec<HistoryEntry>, StoreError> {
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    if !path.exists() {
        return Ok(Vec::new());
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(database)?;
    let is_ours = pragma(&connection, "application_id").map_err(database)? == APPLICATION_ID;
    if !is_ours || pragma(&connection, "user_version").map_err(database)? < MIN_SCHEMA {
        return Ok(Vec::new());
    }
    read(&connection, since).map_err(database)
}

fn read(connection: &Connection, since: Timestamp) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut statement =
        connection.prepare("SELECT at, plan, place, title, undoes, did FROM history WHERE at >= ?1 ORDER BY number")?;
    let mut rows = statement.query([since.as_millisecond()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let Packed { version, did } = serde_json::from_str(row.get_ref(5)?.as_str()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, Box::new(error))
        })?;
        if version != VERSION {
            return Err(rusqlite::Error::InvalidColumnType(5, "did".into(), rusqlite::types::Type::Text));
        }
        let plan = |number: i64| PlanId(number.unsigned_abs());
        let index = usize::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
        entries.push(HistoryEntry {
            at: Timestamp::from_millisecond(row.get(0)?).unwrap_or(Timestamp::UNIX_EPOCH),
            op: OpId { plan_id: plan(row.get(1)?), index },
            title: row.get(3)?,
            undoes: row.get::<_, Option<i64>>(4)?.map(plan),
            effect: did,
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::changes::JournalEntry;
    use crate::segment::{Segment, SegmentId};

    fn record(name: &str, title: &str, undoes: Option<PlanId>) -> HistoryRecord {
        let id = SegmentId::new("vip").unwrap();
        let did = DoneOp::Created(Arc::new(Segment { id, name: name.into(), external_id: None, parent: None }));
        HistoryRecord { effect: did, title: title.into(), undoes }
    }

    #[test]
    fn history_entries_share_the_title_of_their_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        assert_eq!(history(&path, Timestamp::UNIX_EPOCH).unwrap(), []);
        let mut store = crate::store::open(&path).unwrap().store.unwrap();
        let op = |plan_id, index| OpId { plan_id: PlanId(plan_id), index };
        store
            .write_journal(&[
                JournalEntry::Applied(op(7, 0), Box::new(record("A", "apply a.csv", None))),
                JournalEntry::Finished(op(7, 0)),
                JournalEntry::Applied(op(7, 2), Box::new(record("B", "an earlier session", None))),
                JournalEntry::Applied(op(9, 0), Box::new(record("C", "undo", Some(PlanId(7))))),
            ])
            .unwrap();
        // Another program reads while this one writes.
        let entries = history(&path, Timestamp::UNIX_EPOCH).unwrap();
        let recorded: Vec<_> = entries.iter().map(|entry| (entry.op, entry.title.as_str(), entry.undoes)).collect();
        assert_eq!(
            recorded,
            [(op(7, 0), "apply a.csv", None), (op(7, 2), "apply a.csv", None), (op(9, 0), "undo", Some(PlanId(7)))]
        );
        assert_eq!(entries[2].effect, record("C", "", None).effect);
        drop(store);
        assert_eq!(crate::store::open(&path).unwrap().journal, []);
        assert_eq!(history(&path, Timestamp::UNIX_EPOCH).unwrap().len(), 3);
        let later = entries[2].at + jiff::SignedDuration::from_secs(1);
        assert_eq!(history(&path, later).unwrap(), []);
    }

    #[test]
    fn an_entry_is_stored_with_field_names() {
        let row = r#"{"version":1,"did":{"Created":{"id":"vip","name":"A","externalId":null,"parentSegmentId":null}}}"#;
        let packed = Packed { version: VERSION, did: record("A", "", None).effect };
        assert_eq!(serde_json::to_string(&packed).unwrap(), row, "another form takes another version");
        assert_eq!(serde_json::from_str::<Packed>(row).unwrap().did, packed.did);
    }
}
