//! Looking into a file without changing it, whoever writes it: for a report on it, and for what a shell completes.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use super::{APPLICATION, SCHEMA, Snapshot, StoreError, is_readable, journal, pragma, read};

/// What a file holds, as it was for a moment.
#[derive(Debug)]
pub struct Inspection {
    /// Its size in bytes.
    pub bytes: u64,
    /// The form it has. One that differs from the present form is brought to it when the file is opened next.
    pub form: i32,
    /// What was last known; `None` when that is nothing, or has an earlier form.
    pub snapshot: Option<Snapshot>,
    /// Changes in the journal: not known to be done.
    pub pending: usize,
    /// Whether a program has it open for writing.
    pub in_use: bool,
}

/// Looks into a file. `None` when there is none.
///
/// # Errors
///
/// A file that can't be read, that is not a store, or that a newer program has written.
pub fn inspect(path: &Path) -> Result<Option<Inspection>, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    let there = match std::fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read")(error)),
    };
    if !there.is_file() {
        return Err(io("read")(std::io::Error::other("it is not a regular file")));
    }
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    // Not opened as read-only: what reads beside a writer has a part in the files beside this one.
    let connection = Connection::open(path).map_err(database)?;
    connection.pragma_update(None, "query_only", true).map_err(database)?;
    if pragma(&connection, "application_id").map_err(database)? != APPLICATION {
        return Err(database(rusqlite::Error::InvalidQuery));
    }
    let form = pragma(&connection, "user_version").map_err(database)?;
    if form > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found: form });
    }
    let snapshot = if is_readable(form) { read(&connection, form, &mut |_, _| {}).map_err(database)? } else { None };
    let pending = journal::count(&connection, form).map_err(database)?;
    Ok(Some(Inspection { bytes: there.len(), form, snapshot, pending, in_use: in_use(path) }))
}

/// Whether the right to write is taken. Asking for it is over at once, and whoever wants it asks more than once.
fn in_use(path: &Path) -> bool {
    File::open(path.with_extension("lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use std::sync::Arc;

    use jiff::Timestamp;

    use crate::segment::{Segment, SegmentId};
    use crate::store::{Completeness, Record, Segments, open};

    fn segment(id: &str) -> Arc<Segment> {
        Arc::new(Segment { id: SegmentId::new(id).unwrap(), name: "A".into(), external_id: None, parent: None })
    }

    #[test]
    fn a_file_is_looked_into_while_another_program_writes_it_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert!(inspect(&path).unwrap().is_none());
        assert!(!path.exists());
        let mut store = open(&path).unwrap().store.unwrap();
        let segments = Segments::All(vec![segment("a"), segment("b")]);
        let at = Timestamp::UNIX_EPOCH;
        let completeness = Completeness::Complete;
        store.write(&Record { segments, position: None, landmarks: Vec::new(), at, completeness }).unwrap();
        let seen = inspect(&path).unwrap().unwrap();
        assert_eq!((seen.form, seen.pending, seen.in_use), (SCHEMA, 0, true));
        assert_eq!(seen.snapshot.unwrap().segments.len(), 2);
        drop(store);
        let before = fs::read(&path).unwrap();
        assert!(!inspect(&path).unwrap().unwrap().in_use);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_no_store_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        fs::write(&path, "no database at all, and long enough to be looked at").unwrap();
        assert!(inspect(&path).unwrap_err().to_string().contains("a.db"));
        assert!(inspect(folder.path()).is_err());
    }
}
