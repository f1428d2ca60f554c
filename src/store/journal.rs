//! The journal of writes: operations that are not known to be done, recorded before they are sent.
//!
//! Whenever the program ends, the next session finds here what was under way, and from which step of the feed to search for
//! its traces. An entry counts as written only once it is on disk, so that it survives a power failure.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::changes::{JournalEntry, JournalledOp, OpId, Operation, PlanId, Progress};
use crate::segment::{Draft, SegmentId, Step};

use super::{Store, history};

pub(super) const TABLE: &str = "
    CREATE TABLE journal (
        ticket INTEGER NOT NULL,
        number INTEGER NOT NULL,
        operation BLOB NOT NULL,
        sent INTEGER NOT NULL DEFAULT 0,
        since INTEGER,
        PRIMARY KEY (ticket, number)
    ) WITHOUT ROWID;
";

impl Progress {
    /// The value in the table.
    const fn number(self) -> i64 {
        match self {
            Self::Queued => 0,
            Self::Sent => 1,
            Self::Staged => 2,
        }
    }

    /// An unknown value may mean that it was sent.
    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Queued,
            2 => Self::Staged,
            _ => Self::Sent,
        }
    }
}

impl Store {
    /// Writes entries in order, all or none.
    ///
    /// # Errors
    ///
    /// If SQLite fails; the journal is then unchanged.
    pub fn write_journal(&mut self, entries: &[JournalEntry]) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "synchronous", "full")?;
        let written = self.write_entries(entries);
        // A list that is lost in a power failure can be loaded again.
        self.connection.pragma_update(None, "synchronous", "normal")?;
        written
    }

    fn write_entries(&mut self, entries: &[JournalEntry]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for entry in entries {
            match entry {
                JournalEntry::Queued(op, operation) => {
                    upsert_operation(&transaction, *op, operation, Progress::Queued)?;
                }
                JournalEntry::Staged(op, operation) => {
                    upsert_operation(&transaction, *op, operation, Progress::Staged)?;
                }
                JournalEntry::Sent { op, since, existing } => mark_sent(&transaction, *op, *since, existing)?,
                JournalEntry::NotSent(op) => {
                    transaction
                        .prepare_cached("UPDATE journal SET sent = 0 WHERE ticket = ?1 AND number = ?2")?
                        .execute(op_columns(*op))?;
                }
                JournalEntry::Applied(op, record) => history::insert_entry(&transaction, *op, record)?,
                JournalEntry::Finished(op) => {
                    transaction
                        .prepare_cached("DELETE FROM journal WHERE ticket = ?1 AND number = ?2")?
                        .execute(op_columns(*op))?;
                }
                JournalEntry::Undoes { plan_id, undone } => mark_undo(&transaction, *plan_id, *undone)?,
            }
        }
        transaction.commit()
    }
}

/// Records that an operation is sent. Step and lookalikes are kept from the first time. Every draft that is sent is
/// remembered, as any of them may have been applied.
fn mark_sent(
    transaction: &Transaction<'_>,
    op: OpId,
    since: Option<Step>,
    existing: &[SegmentId],
) -> rusqlite::Result<()> {
    let (plan_id, number) = op_columns(op);
    let row: Option<(Result<Operation, String>, Option<String>)> = transaction
        .prepare_cached("SELECT operation, drafts FROM journal WHERE ticket = ?1 AND number = ?2")?
        .query_row(params![plan_id, number], |row| Ok((decode(row.get_ref(0)?), row.get(1)?)))
        .optional()?;
    let Some((operation, drafts)) = row else { return Ok(()) };
    let json = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let mut drafts = parse_drafts(drafts.as_deref()).map_err(json)?;
    if let Ok(Operation::Create { draft }) = operation
        && !drafts.contains(&draft)
    {
        drafts.push(draft);
    }
    let (existing, drafts) =
        (serde_json::to_string(existing).map_err(json)?, serde_json::to_string(&drafts).map_err(json)?);
    transaction
        .prepare_cached(
            "UPDATE journal SET since = CASE WHEN sent = 1 THEN since ELSE ?3 END,
             alike = CASE WHEN sent = 1 THEN alike ELSE ?4 END, drafts = ?5, sent = 1
             WHERE ticket = ?1 AND number = ?2",
        )?
        .execute(params![plan_id, number, since.map(|step| step.0), existing, drafts])?;
    Ok(())
}

fn parse_drafts(json: Option<&str>) -> serde_json::Result<Vec<Draft>> {
    json.map_or_else(|| Ok(Vec::new()), serde_json::from_str)
}

/// Records that the journalled operations of a plan undo another plan.
fn mark_undo(transaction: &Transaction<'_>, plan_id: PlanId, undone: PlanId) -> rusqlite::Result<()> {
    let number = |plan_id| op_columns(OpId { plan_id, index: 0 }).0;
    transaction
        .prepare_cached("UPDATE journal SET operation = json_set(operation, '$.undoes', ?2) WHERE ticket = ?1")?
        .execute([number(plan_id), number(undone)])
        .map(drop)
}

/// Writes an operation. One that was sent stays sent, and one that undoes a plan keeps that mark.
fn upsert_operation(
    transaction: &Transaction<'_>,
    op: OpId,
    operation: &Operation,
    progress: Progress,
) -> rusqlite::Result<()> {
    let operation = encode(operation)?;
    let (plan_id, number) = op_columns(op);
    transaction
        .prepare_cached(
            "INSERT INTO journal (ticket, number, operation, sent) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (ticket, number) DO UPDATE
             SET operation = CASE WHEN json_extract(operation, '$.undoes') IS NULL THEN excluded.operation
                 ELSE json_set(excluded.operation, '$.undoes', json_extract(operation, '$.undoes')) END,
             sent = CASE WHEN sent = 1 THEN 1 ELSE excluded.sent END",
        )?
        .execute(params![plan_id, number, operation, progress.number()])?;
    Ok(())
}

/// The numbers as SQLite integers. They count plans and operations, so they stay far below the range where the two types
/// differ.
pub(super) fn op_columns(OpId { plan_id, index }: OpId) -> (i64, i64) {
    (i64::try_from(plan_id.0).unwrap_or(i64::MAX), i64::try_from(index).unwrap_or(i64::MAX))
}

/// A row as stored.
pub(super) type RawRow = Vec<Value>;

const COLUMNS: &str = "ticket, number, operation, sent, since, alike, drafts";

/// Returns all rows, valid or not.
pub(super) fn raw_rows(connection: &Connection) -> rusqlite::Result<Vec<RawRow>> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM journal"))?;
    let count = statement.column_count();
    let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect())?;
    rows.collect()
}

/// Inserts rows of another file, all or none.
pub(super) fn insert_rows(connection: &mut Connection, rows: &[RawRow]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for row in rows {
        let insert = format!("INSERT INTO journal ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)");
        transaction.prepare_cached(&insert)?.execute(params_from_iter(row))?;
    }
    transaction.commit()
}

/// Reads the journal, and counts the rows that can't be read. Those are moved to another table with the reason, so that they
/// block nothing and are not lost. Rows in an earlier encoding are rewritten in the current one.
pub(super) fn read(connection: &mut Connection) -> rusqlite::Result<(Vec<JournalledOp>, usize)> {
    let transaction = connection.transaction()?;
    let (mut journal, mut unreadable, mut outdated) = (Vec::new(), Vec::new(), Vec::new());
    {
        let mut statement = transaction.prepare(&format!("SELECT {COLUMNS} FROM journal ORDER BY ticket, number"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match read_row(row) {
                Ok(journalled) => {
                    if matches!(row.get_ref(2)?, ValueRef::Blob(_)) {
                        outdated.push((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, encode(&journalled.operation)?));
                    }
                    journal.push(journalled);
                }
                Err(reason) => {
                    unreadable.push((
                        row.get::<_, Value>(0)?,
                        row.get::<_, Value>(1)?,
                        row.get::<_, Value>(2)?,
                        reason,
                    ));
                }
            }
        }
    }
    for (plan_id, number, operation) in outdated {
        transaction.execute(
            "UPDATE journal SET operation = ?3 WHERE ticket = ?1 AND number = ?2",
            params![plan_id, number, operation],
        )?;
    }
    for (plan_id, number, operation, reason) in &unreadable {
        transaction.execute(
            "INSERT INTO unreadable (ticket, number, operation, reason) VALUES (?1, ?2, ?3, ?4)",
            params![plan_id, number, operation, reason],
        )?;
        transaction.execute("DELETE FROM journal WHERE ticket = ?1 AND number = ?2", params![plan_id, number])?;
    }
    transaction.commit()?;
    Ok((journal, unreadable.len()))
}

/// Number of changes in the journal of a file with this schema version.
pub(super) fn count(connection: &Connection, schema_version: i32) -> rusqlite::Result<usize> {
    /// The first schema version with a journal.
    const MIN_SCHEMA: i32 = 4;
    if schema_version < MIN_SCHEMA {
        return Ok(0);
    }
    connection.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, u32>(0)).map(|count| count as usize)
}

/// Reads a row, or returns why it can't be read.
fn read_row(row: &Row<'_>) -> Result<JournalledOp, String> {
    let describe = |error: rusqlite::Error| error.to_string();
    let operation = decode(row.get_ref(2).map_err(describe)?)?;
    let plan_id = row.get::<_, i64>(0).map_err(describe)?.unsigned_abs();
    let number = usize::try_from(row.get::<_, i64>(1).map_err(describe)?).map_err(|error| error.to_string())?;
    let progress = Progress::of(row.get(3).map_err(describe)?);
    let since = row.get::<_, Option<i64>>(4).map_err(describe)?.map(Step);
    let existing = row.get::<_, Option<String>>(5).map_err(describe)?;
    let existing = existing.map(|json| serde_json::from_str(&json).map_err(|error| error.to_string())).transpose()?;
    let drafts = parse_drafts(row.get::<_, Option<String>>(6).map_err(describe)?.as_deref())
        .map_err(|error| error.to_string())?;
    let op = OpId { plan_id: PlanId(plan_id), index: number };
    let undoes = parse_undoes(row.get_ref(2).map_err(describe)?);
    Ok(JournalledOp { op, operation, progress, since, existing, drafts, undoes })
}

/// The plan that an operation's plan undoes, as recorded by [`mark_undo`].
fn parse_undoes(column: ValueRef<'_>) -> Option<PlanId> {
    #[derive(Deserialize)]
    struct Marked {
        undoes: Option<u64>,
    }
    let ValueRef::Text(text) = column else { return None };
    serde_json::from_slice::<Marked>(text).ok()?.undoes.map(PlanId)
}

/// An operation as stored: with field names and a version, so that programs that know more or fewer fields can still read it.
#[derive(Serialize, Deserialize)]
struct Packed {
    version: u32,
    operation: Operation,
}

/// Only the version, which every encoding has.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// The version that is written.
const VERSION: u32 = 1;

fn encode(operation: &Operation) -> rusqlite::Result<String> {
    let packed = Packed { version: VERSION, operation: operation.clone() };
    serde_json::to_string(&packed).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn decode(column: ValueRef<'_>) -> Result<Operation, String> {
    match column {
        ValueRef::Text(text) => {
            let describe = |error: serde_json::Error| error.to_string();
            let VersionOnly { version } = serde_json::from_slice(text).map_err(describe)?;
            if version != VERSION {
                return Err(format!("it has the form {version}, and known is {VERSION}"));
            }
            serde_json::from_slice::<Packed>(text).map(|packed| packed.operation).map_err(describe)
        }
        // The encoding up to schema version 5.
        ValueRef::Blob(blob) => postcard::from_bytes(blob).map_err(|error| error.to_string()),
        _ => Err("it is neither text nor bytes".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::segment::{Draft, Segment, SegmentId};

    use super::*;

    fn op(index: usize) -> OpId {
        OpId { plan_id: PlanId(7), index }
    }

    fn operation(name: &str) -> Operation {
        let id = SegmentId::new("vip").unwrap();
        let base = Arc::new(Segment { id, name: name.into(), external_id: None, parent: SegmentId::new("p") });
        Operation::Update { draft: Draft::of(&base), base }
    }

    #[test]
    fn unfinished_operations_are_found_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut store = crate::store::open(&path).unwrap().store.unwrap();
        let queued = |number: usize| JournalEntry::Queued(op(number), operation(&number.to_string()));
        store.write_journal(&[queued(0), queued(1), queued(2)]).unwrap();
        let sent = |number, since| JournalEntry::Sent { op: op(number), since, existing: Vec::new() };
        store.write_journal(&[sent(0, Some(Step(3))), sent(1, None)]).unwrap();
        store.write_journal(&[JournalEntry::Finished(op(1)), JournalEntry::Queued(op(2), operation("other"))]).unwrap();
        drop(store);
        let left = |op, name: &str, progress, since, existing| JournalledOp {
            op,
            operation: operation(name),
            progress,
            since,
            existing,
            drafts: Vec::new(),
            undoes: None,
        };
        let journal = crate::store::open(&path).unwrap().journal;
        let expected = [
            left(op(0), "0", Progress::Sent, Some(Step(3)), Some(Vec::new())),
            left(op(2), "other", Progress::Queued, None, None),
        ];
        assert_eq!(journal, expected);
    }

    #[test]
    fn an_undo_mark_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut store = crate::store::open(&path).unwrap().store.unwrap();
        let queued = |number: usize, name: &str| JournalEntry::Queued(op(number), operation(name));
        let undoes = JournalEntry::Undoes { plan_id: PlanId(7), undone: PlanId(3) };
        store.write_journal(&[queued(0, "0"), queued(1, "1"), undoes]).unwrap();
        store.write_journal(&[queued(1, "other")]).unwrap();
        drop(store);
        let journal = crate::store::open(&path).unwrap().journal;
        let left: Vec<_> = journal.into_iter().map(|left| (left.operation, left.undoes)).collect();
        assert_eq!(left, [(operation("0"), Some(PlanId(3))), (operation("other"), Some(PlanId(3)))]);
    }

    #[test]
    fn a_staged_operation_stays_staged_until_it_is_queued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut store = crate::store::open(&path).unwrap().store.unwrap();
        let staged = |number: usize| JournalEntry::Staged(op(number), operation(&number.to_string()));
        store.write_journal(&[staged(0), staged(1), staged(2)]).unwrap();
        store.write_journal(&[JournalEntry::Queued(op(1), operation("1")), JournalEntry::Finished(op(2))]).unwrap();
        drop(store);
        let journal = crate::store::open(&path).unwrap().journal;
        let progress: Vec<Progress> = journal.into_iter().map(|left| left.progress).collect();
        assert_eq!(progress, [Progress::Staged, Progress::Queued]);
    }

    #[test]
    fn a_row_is_read_by_the_names_of_its_fields() {
        let row = r#"{"version":1,"operation":{"Update":{"base":{"id":"vip","name":"VIP","externalId":null,"parentSegmentId":"p"},"draft":{"name":"VIP","external_id":null,"parent":"p"}}}}"#;
        assert_eq!(encode(&operation("VIP")).unwrap(), row, "what is written; another form takes another version");
        assert_eq!(decode(ValueRef::Text(row.as_bytes())), Ok(operation("VIP")));
        let more = row.replace(r#""version":1"#, r#""since":"a later program","version":1"#);
        assert_eq!(decode(ValueRef::Text(more.as_bytes())), Ok(operation("VIP")));
        assert!(decode(ValueRef::Text(row.replace(":1,", ":2,").as_bytes())).is_err());
        // The earlier encoding.
        let outdated = b"\x01\x01\x03vip\x03VIP\x00\x01\x01\x01p\x03VIP\x00\x01\x01\x01p";
        assert_eq!(decode(ValueRef::Blob(outdated)), Ok(operation("VIP")));
    }

    #[test]
    fn a_journal_of_schema_4_is_kept_and_re_encoded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let fourth = "
            PRAGMA application_id = 1397049172;
            PRAGMA user_version = 4;
            CREATE TABLE packed (number INTEGER PRIMARY KEY NOT NULL, segments BLOB NOT NULL);
            CREATE TABLE segment (
                id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, external_id TEXT, parent TEXT,
                gone INTEGER NOT NULL DEFAULT 0
            ) WITHOUT ROWID;
            CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), saved INTEGER NOT NULL, complete INTEGER NOT NULL);
            CREATE TABLE position (context TEXT PRIMARY KEY NOT NULL, step INTEGER NOT NULL);
            CREATE TABLE journal (
                ticket INTEGER NOT NULL, number INTEGER NOT NULL, operation BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
                since INTEGER, PRIMARY KEY (ticket, number)
            ) WITHOUT ROWID;
            INSERT INTO journal VALUES
                (7, 0, x'010103766970035649500001010170035649500001010170', 1, 3), (7, 1, x'ff', 0, NULL);";
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(fourth).unwrap();
        drop(connection);
        for unreadable in [1, 0] {
            let opened = crate::store::open(&path).unwrap();
            assert_eq!((opened.moved_aside, opened.unreadable), (None, unreadable));
            let [left] = opened.journal.as_slice() else { panic!("{:?}", opened.journal) };
            assert_eq!((left.op, &left.operation, left.progress), (op(0), &operation("VIP"), Progress::Sent));
            assert_eq!((left.since, &left.existing), (Some(Step(3)), &None));
        }
        let connection = Connection::open(&path).unwrap();
        let kind: String = connection.query_row("SELECT typeof(operation) FROM journal", [], |row| row.get(0)).unwrap();
        assert_eq!(kind, "text");
    }

    proptest! {
        #[test]
        fn a_bad_row_is_moved_aside_and_the_others_are_kept(
            bytes in vec(any::<u8>(), 0..60),
            is_text in any::<bool>(),
            column in 0_usize..6,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tenant.db");
            let mut store = crate::store::open(&path).unwrap().store.unwrap();
            let queued = |number: usize| JournalEntry::Queued(op(number), operation(&number.to_string()));
            store.write_journal(&[queued(0), queued(1), queued(2)]).unwrap();
            drop(store);
            let value = if is_text { Value::Text(String::from_utf8_lossy(&bytes).into_owned()) } else { Value::Blob(bytes) };
            let column = ["operation", "sent", "since", "alike", "drafts", "operation"][column];
            let connection = Connection::open(&path).unwrap();
            connection.execute(&format!("UPDATE journal SET {column} = ?1 WHERE number = 1"), [&value]).unwrap();
            drop(connection);
            let opened = crate::store::open(&path).unwrap();
            prop_assert!(opened.store.is_some() && opened.moved_aside.is_none());
            let numbers: Vec<usize> = opened.journal.iter().map(|left| left.op.index).collect();
            prop_assert_eq!(numbers.len() + opened.unreadable, 3);
            prop_assert!(numbers.contains(&0) && numbers.contains(&2));
            drop(opened);
            let again = crate::store::open(&path).unwrap();
            prop_assert_eq!((again.journal.len(), again.unreadable), (numbers.len(), 0), "it is told once");
            let connection = Connection::open(&path).unwrap();
            let aside: u32 = connection.query_row("SELECT count(*) FROM unreadable", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(aside as usize, 3 - numbers.len());
        }
    }
}
