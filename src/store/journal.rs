//! The journal of writes: what was asked for and is not known to be done, written before it is sent.
//!
//! Whatever moment the program ends at, the next one finds here what was under way, and from which step of the feed on its traces
//! are to be looked for. A note is on the disk when it counts as written, also if the power goes.

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use crate::plan::Operation;
use crate::segment::Step;

use super::Store;

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

/// Something that is to be remembered of an operation. Operations are known by the number of their plan and their place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalNote {
    /// It is asked for, or another one in its place. Whether it was sent stays as it is.
    Asked((u64, usize), Operation),
    /// It is about to be sent. Its traces are in the feed from that step on. What was sent before and may have been carried out
    /// keeps the step from before the first time.
    Sent((u64, usize), Option<Step>),
    /// It was not carried out, and waits for a person's word.
    Stopped((u64, usize)),
    /// It is done or given up.
    Over((u64, usize)),
}

/// An operation that is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalled {
    /// The number of its plan, and its place in it.
    pub key: (u64, usize),
    /// What was asked for.
    pub operation: Operation,
    /// Whether it was sent.
    pub sent: bool,
    /// From where on its traces are in the feed.
    pub since: Option<Step>,
}

impl Store {
    /// Writes notes, all of them or none, in their order.
    ///
    /// # Errors
    ///
    /// What SQLite refuses; then the journal is as it was.
    pub fn write_journal(&mut self, notes: &[JournalNote]) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "synchronous", "full")?;
        let written = self.write_notes(notes);
        // A list that is lost with the power is loaded again.
        self.connection.pragma_update(None, "synchronous", "normal")?;
        written
    }

    fn write_notes(&mut self, notes: &[JournalNote]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for note in notes {
            match note {
                JournalNote::Asked(key, operation) => {
                    let operation = postcard::to_allocvec(operation)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                    let (ticket, number) = columns(*key);
                    transaction
                        .prepare_cached(
                            "INSERT INTO journal (ticket, number, operation) VALUES (?1, ?2, ?3)
                             ON CONFLICT (ticket, number) DO UPDATE SET operation = excluded.operation",
                        )?
                        .execute(params![ticket, number, operation])?;
                }
                JournalNote::Sent(key, since) => {
                    let (ticket, number) = columns(*key);
                    transaction
                        .prepare_cached(
                            "UPDATE journal SET since = CASE WHEN sent THEN since ELSE ?3 END, sent = 1
                             WHERE ticket = ?1 AND number = ?2",
                        )?
                        .execute(params![ticket, number, since.map(|step| step.0)])?;
                }
                JournalNote::Stopped(key) => {
                    transaction
                        .prepare_cached("UPDATE journal SET sent = 0 WHERE ticket = ?1 AND number = ?2")?
                        .execute(columns(*key))?;
                }
                JournalNote::Over(key) => {
                    transaction
                        .prepare_cached("DELETE FROM journal WHERE ticket = ?1 AND number = ?2")?
                        .execute(columns(*key))?;
                }
            }
        }
        transaction.commit()
    }
}

/// The numbers as SQLite has them. They count plans and operations, so they are far from where the two kinds of numbers differ.
fn columns((ticket, number): (u64, usize)) -> (i64, i64) {
    (i64::try_from(ticket).unwrap_or(i64::MAX), i64::try_from(number).unwrap_or(i64::MAX))
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Journalled>> {
    let mut statement =
        connection.prepare("SELECT ticket, number, operation, sent, since FROM journal ORDER BY ticket, number")?;
    let entries = statement.query_map([], |row| {
        let operation = postcard::from_bytes(row.get_ref(2)?.as_blob()?)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, Box::new(error)))?;
        let key = (row.get::<_, i64>(0)?.unsigned_abs(), usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default());
        Ok(Journalled { key, operation, sent: row.get(3)?, since: row.get::<_, Option<i64>>(4)?.map(Step) })
    })?;
    entries.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::segment::{Draft, Segment, SegmentId};

    use super::*;

    fn operation(name: &str) -> Operation {
        let id = SegmentId::new("vip").unwrap();
        let base = Arc::new(Segment { id, name: name.into(), external_id: None, parent: SegmentId::new("p") });
        Operation::Update { draft: Draft::of(&base), base }
    }

    #[test]
    fn what_is_not_over_is_found_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut store = crate::store::open(&path).unwrap().store.unwrap();
        let asked = |number: usize| JournalNote::Asked((7, number), operation(&number.to_string()));
        store.write_journal(&[asked(0), asked(1), asked(2)]).unwrap();
        store.write_journal(&[JournalNote::Sent((7, 0), Some(Step(3))), JournalNote::Sent((7, 1), None)]).unwrap();
        store.write_journal(&[JournalNote::Over((7, 1)), JournalNote::Asked((7, 2), operation("other"))]).unwrap();
        drop(store);
        let left = |key, name: &str, sent, since| Journalled { key, operation: operation(name), sent, since };
        let journal = crate::store::open(&path).unwrap().journal;
        assert_eq!(journal, [left((7, 0), "0", true, Some(Step(3))), left((7, 2), "other", false, None)]);
    }
}
