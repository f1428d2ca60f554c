//! Replaces a file that can't be trusted by a new one: the old file is kept under another name, and its journal is carried
//! over.
//!
//! Only a damaged file or one of another application is replaced. A file that merely can't be used now, because another
//! program locks it, the disk is full or too many files are open, is left alone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, create_private, initialise, journal};

/// Whether a file is damaged or not ours, rather than temporarily unusable.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // `Unknown` is SQLite's plain "error": a table or a column that should be there is not.
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        }
        // All other errors come from the data that was read.
        _ => true,
    }
}

/// Moves a file aside and puts a new one with the same journal in its place. Returns where the old file is now.
///
/// The new file is finished before the old one is touched, and [`finish_replacement`] moves it into place if the program ends
/// in between. So no pending change is ever lost.
pub(super) fn replace_damaged(path: &Path, rows: &[journal::RawRow]) -> Result<PathBuf, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    let new = replacement_path(path);
    remove(&new).map_err(io("renew"))?;
    create_private(&new).map_err(io("renew"))?;
    fill_replacement(&new, rows).map_err(|source| StoreError::Database { path: new.clone(), source })?;
    let aside = unused_path(path).map_err(io("move aside"))?;
    rename(path, &aside).map_err(io("move aside"))?;
    rename(&new, path).map_err(io("renew"))?;
    Ok(aside)
}

/// Moves a new file into place that an earlier session had finished but not yet moved.
pub(super) fn finish_replacement(path: &Path) -> io::Result<()> {
    let new = replacement_path(path);
    if !path.exists() && new.exists() { rename(&new, path) } else { Ok(()) }
}

fn replacement_path(path: &Path) -> PathBuf {
    path.with_extension("renewed")
}

fn fill_replacement(new: &Path, rows: &[journal::RawRow]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(new)?;
    initialise(&mut connection)?;
    journal::insert_rows(&mut connection, rows)?;
    // Without an explicit close, errors on closing would be lost.
    connection.close().map_err(|(_, error)| error)
}

/// Returns a file name that is not taken.
fn unused_path(path: &Path) -> io::Result<PathBuf> {
    const MAX_NAMES: u32 = 1_000;
    let second = crate::clock::now().as_second();
    let names = (0..MAX_NAMES).map(|number| match number {
        0 => path.with_extension(format!("damaged-{second}")),
        number => path.with_extension(format!("damaged-{second}-{number}")),
    });
    names
        .into_iter()
        .find(|name| !name.exists())
        .ok_or_else(|| io::Error::other("too many damaged ones are there already"))
}

/// Files that SQLite keeps next to the database. The latest writes may only be there.
const SIDECAR_SUFFIXES: [&str; 2] = ["-wal", "-shm"];

fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Renames a file, its companions first: next to another file, they would be taken for that file's own.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    for suffix in SIDECAR_SUFFIXES {
        ignore_not_found(fs::rename(sidecar(from, suffix), sidecar(to, suffix)))?;
    }
    fs::rename(from, to)
}

fn remove(path: &Path) -> io::Result<()> {
    for suffix in SIDECAR_SUFFIXES {
        ignore_not_found(fs::remove_file(sidecar(path, suffix)))?;
    }
    ignore_not_found(fs::remove_file(path))
}

fn ignore_not_found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::changes::JournalEntry;
    use crate::changes::{OpId, Operation, PlanId};
    use crate::segment::Segment;
    use crate::store::{Segments, StoreUpdate, open};

    use super::*;

    /// Creates a file with a segment and a pending change, and returns its path.
    fn with_a_pending_change(folder: &Path) -> PathBuf {
        let path = folder.join("tenant.db");
        let mut store = open(&path).unwrap().store.unwrap();
        let base = Arc::new(Segment {
            id: crate::segment::SegmentId::new("vip").unwrap(),
            name: "VIP".into(),
            external_id: None,
            parent: None,
        });
        let position = crate::remote::Position::at(crate::segment::Step(5), &[]);
        let update = StoreUpdate {
            segments: Segments::All(vec![Arc::clone(&base)]),
            position: Some(position),
            landmarks: Vec::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            completeness: crate::store::Completeness::Complete,
        };
        store.write(&update).unwrap();
        store
            .write(&StoreUpdate {
                segments: Segments::Some(vec![(base.id.clone(), Some(Arc::clone(&base)))]),
                ..update
            })
            .unwrap();
        let op = OpId { plan_id: PlanId(7), index: 0 };
        let entry = JournalEntry::Queued(op, Operation::Update { draft: crate::segment::Draft::of(&base), base });
        let sent = JournalEntry::Sent { op, since: None, existing: Vec::new() };
        store.write_journal(&[entry, sent]).unwrap();
        path
    }

    #[test]
    fn a_pending_change_survives_damage_elsewhere_in_the_file() {
        for damage in [
            "UPDATE packed SET segments = x'ff'",
            "UPDATE packed SET segments = 'text'",
            "UPDATE segment SET name = x'ff'",
            "UPDATE position SET step = 'many'",
            "UPDATE state SET saved = 'now'",
            "DROP TABLE packed",
            "DROP TABLE landmark",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = with_a_pending_change(folder.path());
            let before = open(&path).unwrap().journal;
            Connection::open(&path).unwrap().execute_batch(damage).unwrap();
            let opened = open(&path).unwrap();
            assert_eq!((opened.journal, opened.unreadable), (before.clone(), 0), "{damage}");
            assert_eq!(opened.snapshot, None, "{damage}");
            let aside = opened.moved_aside.unwrap();
            assert!(aside.journal_kept && aside.path.exists(), "{damage}");
            drop(opened.store);
            let again = open(&path).unwrap();
            assert!(again.moved_aside.is_none(), "{damage}");
            assert_eq!(again.journal, before, "{damage}");
        }
    }

    #[test]
    fn an_unreadable_landmark_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        Connection::open(&path).unwrap().execute_batch("INSERT INTO landmark VALUES ('', 'x', 1, '[]')").unwrap();
        let opened = open(&path).unwrap();
        assert!(opened.moved_aside.is_none());
        assert_eq!(opened.snapshot.unwrap().landmarks, []);
    }

    #[test]
    fn an_overwritten_page_never_costs_a_readable_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        let before = open(&path).unwrap().journal;
        let whole = fs::read(&path).unwrap();
        let pages = whole.len() / 4096;
        let (mut kept, mut lost) = (0, 0);
        for page in 0..pages {
            let mut bytes = whole.clone();
            bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
            fs::write(&path, bytes).unwrap();
            let opened = open(&path).unwrap();
            match &opened.moved_aside {
                None => assert_eq!(opened.journal, before, "page {page}"),
                Some(aside) if aside.journal_kept => {
                    assert_eq!(opened.journal, before, "page {page}");
                    kept += 1;
                }
                Some(_) => lost += 1,
            }
            drop(opened);
            remove(&path).unwrap();
        }
        assert!(kept > 0 && lost > 0, "of {pages} pages, {kept} left the journal and {lost} took it");
    }

    #[test]
    fn a_locked_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        let before = open(&path).unwrap().journal;
        let other = Connection::open(&path).unwrap();
        // The migration has to write, which the lock of the other program prevents.
        other
            .execute_batch(
                "DROP TABLE landmark; DROP TABLE unreadable; DROP TABLE history; ALTER TABLE journal DROP COLUMN alike;
                 ALTER TABLE journal DROP COLUMN drafts; ALTER TABLE state DROP COLUMN unconfirmed;
                 PRAGMA user_version = 4; BEGIN IMMEDIATE",
            )
            .unwrap();
        let refused = open(&path).unwrap_err().to_string();
        assert!(refused.contains("locked"), "{refused}");
        drop(other);
        let opened = open(&path).unwrap();
        assert!(opened.moved_aside.is_none());
        let pending =
            |left: &[crate::changes::JournalledOp]| left.iter().map(|one| one.operation.clone()).collect::<Vec<_>>();
        assert_eq!(pending(&opened.journal), pending(&before));
    }

    #[test]
    fn earlier_damaged_files_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut places = std::collections::BTreeSet::new();
        for number in 0..5 {
            fs::write(&path, format!("letter {number}, which is no database and long enough to look at it all"))
                .unwrap();
            places.insert(open(&path).unwrap().moved_aside.unwrap().path);
        }
        let letters: std::collections::BTreeSet<_> =
            places.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!((places.len(), letters.len()), (5, 5));
    }

    #[test]
    fn a_finished_new_file_is_moved_into_place_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        let before = open(&path).unwrap().journal;
        // As if the program had ended after moving the old file and before moving the new one.
        rename(&path, &replacement_path(&path)).unwrap();
        assert_eq!(open(&path).unwrap().journal, before);
        assert!(!replacement_path(&path).exists());
    }
}
