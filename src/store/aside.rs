//! Beginning a file anew when the old one can't be trusted: the old one is kept under another name, and the journal goes on in the
//! new one.
//!
//! Only what is damaged or somebody else's is replaced. A file that merely can't be used now, since another program has it, the disk
//! is full or too many files are open, is left as it is.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, create_private, journal, prepare};

/// Whether a file is damaged or not ours, rather than out of reach for now.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // `Unknown` is SQLite's plain "error": a table or a column that should be there is not.
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        }
        // All others come from what was read.
        _ => true,
    }
}

/// Keeps a file under another name and puts a new one in its place, that has the journal of the old one. Answers where the old one
/// is now.
///
/// The new one is finished before the old one is touched, and [`finish`] puts it in its place when the program ends in between, so
/// whatever moment that is, no pending change is lost.
pub(super) fn begin_anew(path: &Path, rows: &[journal::RawRow]) -> Result<PathBuf, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    let new = renewed(path);
    remove(&new).map_err(io("renew"))?;
    create_private(&new).map_err(io("renew"))?;
    fill(&new, rows).map_err(|source| StoreError::Database { path: new.clone(), source })?;
    let aside = free_name(path).map_err(io("move aside"))?;
    rename(path, &aside).map_err(io("move aside"))?;
    rename(&new, path).map_err(io("renew"))?;
    Ok(aside)
}

/// Puts a new file in its place that an earlier run had finished and had no time for.
pub(super) fn finish(path: &Path) -> io::Result<()> {
    let new = renewed(path);
    if !path.exists() && new.exists() { rename(&new, path) } else { Ok(()) }
}

fn renewed(path: &Path) -> PathBuf {
    path.with_extension("renewed")
}

fn fill(new: &Path, rows: &[journal::RawRow]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(new)?;
    prepare(&mut connection)?;
    journal::put_rows(&mut connection, rows)?;
    // Otherwise its end would be put off, and tell nothing of what went wrong.
    connection.close().map_err(|(_, error)| error)
}

/// A name that no file has yet.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    const TRIED: u32 = 1_000;
    let second = crate::clock::now().as_second();
    let names = (0..TRIED).map(|number| match number {
        0 => path.with_extension(format!("damaged-{second}")),
        number => path.with_extension(format!("damaged-{second}-{number}")),
    });
    names
        .into_iter()
        .find(|name| !name.exists())
        .ok_or_else(|| io::Error::other("too many damaged ones are there already"))
}

/// What SQLite keeps beside a file: what was written last may stand there only.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

fn companion(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// Companions go first: beside a file that is not theirs, they would be taken for its own.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    for end in COMPANIONS {
        is_there(fs::rename(companion(from, end), companion(to, end)))?;
    }
    fs::rename(from, to)
}

fn remove(path: &Path) -> io::Result<()> {
    for end in COMPANIONS {
        is_there(fs::remove_file(companion(path, end)))?;
    }
    is_there(fs::remove_file(path))
}

fn is_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::changes::JournalEntry;
    use crate::changes::{OpId, Operation, PlanId};
    use crate::segment::Segment;
    use crate::store::{Record, Segments, open};

    use super::*;

    /// A file with a segment and a change that is pending, whose place it answers.
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
        let record = Record {
            segments: Segments::All(vec![Arc::clone(&base)]),
            position: Some(position),
            landmarks: Vec::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            completeness: crate::store::Completeness::Complete,
        };
        store.write(&record).unwrap();
        store
            .write(&Record { segments: Segments::Some(vec![(base.id.clone(), Some(Arc::clone(&base)))]), ..record })
            .unwrap();
        let op = OpId { plan_id: PlanId(7), index: 0 };
        let note = JournalEntry::Queued(op, Operation::Update { draft: crate::segment::Draft::of(&base), base });
        let sent = JournalEntry::Sent { op, since: None, existing: Vec::new() };
        store.write_journal(&[note, sent]).unwrap();
        path
    }

    #[test]
    fn a_pending_change_outlives_whatever_else_of_the_file_can_not_be_read() {
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
    fn a_landmark_that_can_not_be_read_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        Connection::open(&path).unwrap().execute_batch("INSERT INTO landmark VALUES ('', 'x', 1, '[]')").unwrap();
        let opened = open(&path).unwrap();
        assert!(opened.moved_aside.is_none());
        assert_eq!(opened.snapshot.unwrap().landmarks, []);
    }

    #[test]
    fn pages_that_are_overwritten_never_cost_a_journal_that_can_be_read() {
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
    fn a_file_that_another_program_has_for_now_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        let before = open(&path).unwrap().journal;
        let other = Connection::open(&path).unwrap();
        // A form that is to be brought to the present one has to be written, which the other program does not let happen.
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
            |left: &[crate::changes::Journalled]| left.iter().map(|one| one.operation.clone()).collect::<Vec<_>>();
        assert_eq!(pending(&opened.journal), pending(&before));
    }

    #[test]
    fn what_was_moved_aside_before_is_never_replaced() {
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
    fn a_new_file_that_was_finished_is_put_in_its_place_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_a_pending_change(folder.path());
        let before = open(&path).unwrap().journal;
        // As if the program had ended after the old one was moved and before the new one was.
        rename(&path, &renewed(&path)).unwrap();
        assert_eq!(open(&path).unwrap().journal, before);
        assert!(!renewed(&path).exists());
    }
}
