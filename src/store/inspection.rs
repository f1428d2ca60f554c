//! Inspects a file without changing it, whoever writes it: for reports and for shell completion.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use super::{APPLICATION_ID, SCHEMA, Snapshot, StoreError, is_readable, journal, pragma, read_snapshot};

/// The content of a file at one moment.
#[derive(Debug)]
pub struct Inspection {
    /// Its size in bytes.
    pub bytes: u64,
    /// Schema version. An older one is migrated when the file is opened next.
    pub form: i32,
    /// The stored state; `None` if there is none or its schema is too old to be read.
    pub snapshot: Option<Snapshot>,
    /// Unfinished changes in the journal.
    pub pending: usize,
    /// Whether a program has it open for writing.
    pub in_use: bool,
}

/// Inspects a file. `None` if there is none.
///
/// # Errors
///
/// If the file can't be read, is not a store, or was written by a newer program.
pub fn inspect(path: &Path) -> Result<Option<Inspection>, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read")(error)),
    };
    if !metadata.is_file() {
        return Err(io("read")(std::io::Error::other("it is not a regular file")));
    }
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    // Not opened as read-only: reading next to a writer also needs the `-wal` and `-shm` files.
    let connection = Connection::open(path).map_err(database)?;
    connection.pragma_update(None, "query_only", true).map_err(database)?;
    if pragma(&connection, "application_id").map_err(database)? != APPLICATION_ID {
        return Err(database(rusqlite::Error::InvalidQuery));
    }
    let form = pragma(&connection, "user_version").map_err(database)?;
    if form > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found: form });
    }
    let snapshot =
        if is_readable(form) { read_snapshot(&connection, form, &mut |_, _| {}).map_err(database)? } else { None };
    let pending = journal::count(&connection, form).map_err(database)?;
    Ok(Some(Inspection { bytes: metadata.len(), form, snapshot, pending, in_use: in_use(path) }))
}

/// Whether another program holds the lock. The probe is brief, and [`open`](super::open) tries more than once.
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
    use crate::store::{Completeness, Segments, StoreUpdate, open};

    fn segment(id: &str) -> Arc<Segment> {
        Arc::new(Segment { id: SegmentId::new(id).unwrap(), name: "A".into(), external_id: None, parent: None })
    }

    #[test]
    fn inspecting_a_file_in_use_leaves_it_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert!(inspect(&path).unwrap().is_none());
        assert!(!path.exists());
        let mut store = open(&path).unwrap().store.unwrap();
        let segments = Segments::All(vec![segment("a"), segment("b")]);
        let at = Timestamp::UNIX_EPOCH;
        let completeness = Completeness::Complete;
        store.write(&StoreUpdate { segments, position: None, landmarks: Vec::new(), at, completeness }).unwrap();
        let seen = inspect(&path).unwrap().unwrap();
        assert_eq!((seen.form, seen.pending, seen.in_use), (SCHEMA, 0, true));
        assert_eq!(seen.snapshot.unwrap().segments.len(), 2);
        drop(store);
        let before = fs::read(&path).unwrap();
        assert!(!inspect(&path).unwrap().unwrap().in_use);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_not_a_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        fs::write(&path, "no database at all, and long enough to be looked at").unwrap();
        assert!(inspect(&path).unwrap_err().to_string().contains("a.db"));
        assert!(inspect(folder.path()).is_err());
    }
}
