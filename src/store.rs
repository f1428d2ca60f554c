//! What was last known of a tenant, in one SQLite file: every segment, the position in the feed that goes with them, and when
//! they were last known to be what is on the server.
//!
//! Segments and position are written in one transaction, so whatever moment the program is killed at, following the feed from
//! the stored position leads from the stored segments to the present ones. Only one program at a time writes a file; another one
//! reads it and keeps what it learns to itself. A file that is damaged or not ours is moved aside, never trusted and never
//! deleted, and the journal goes on wherever it can be read.

mod aside;
mod history;
mod inspection;
mod journal;
mod order;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hashbrown::HashMap;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::changes::Journalled;
use crate::files;
use crate::remote::{Context, Landmark, Position};
use crate::segment::{Segment, SegmentId, Step};

pub use history::{HistoryEntry, history};
pub use inspection::{Inspection, inspect};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Every segment.
    pub segments: Vec<Arc<Segment>>,
    /// Where to read on in the feed; `None` when there was no feed.
    pub position: Option<Position>,
    /// How the feed is recognised from there.
    pub landmarks: Vec<Landmark>,
    /// When it was last known to be what is on the server.
    pub saved: Timestamp,
    /// Whether the list it comes from can be relied on.
    pub completeness: Completeness,
    /// How many of the segments were written one by one, since the list.
    pub changed: usize,
}

/// How far a list can be relied on to have everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It has everything.
    Complete,
    /// Nothing speaks against it, but something may yet: it was loaded so short a time before that the feed may still tell what
    /// happened meanwhile, or a segment of it is known to be old.
    Unconfirmed,
    /// Something speaks against it, or it wasn't compared with the feed yet.
    Incomplete,
}

/// A change of what a file holds: all of it or none.
#[derive(Debug, Clone)]
pub struct Record {
    /// What is written.
    pub segments: Segments,
    /// Where to read on in the feed, having these; `None` leaves it as it is.
    pub position: Option<Position>,
    /// How the feed is recognised from there; written with the position.
    pub landmarks: Vec<Landmark>,
    /// When this was known to be so.
    pub at: Timestamp,
    /// Whether the list it comes from can be relied on.
    pub completeness: Completeness,
}

/// The segments of a record.
#[derive(Debug, Clone)]
pub enum Segments {
    /// Exactly these exist.
    All(Vec<Arc<Segment>>),
    /// These are different now; `None` is gone.
    Some(Vec<(SegmentId, Option<Arc<Segment>>)>),
}

/// A file that this program writes.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Held for as long as the file is written here.
    _lock: File,
}

/// What opening a file gave.
#[derive(Debug)]
pub struct Opened {
    /// What it holds, if anything.
    pub snapshot: Option<Snapshot>,
    /// For writing; `None` while another program does.
    pub store: Option<Store>,
    /// What became of a file that could not be trusted.
    pub moved_aside: Option<MovedAside>,
    /// What an earlier run left undone.
    pub journal: Vec<Journalled>,
    /// How much of that could not be read, and was moved aside within the file.
    pub unreadable: usize,
}

/// A file that could not be trusted, and is kept under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Where it is now.
    pub path: PathBuf,
    /// Whether its journal could be read, and goes on.
    pub journal_kept: bool,
}

/// Why nothing can be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
    #[error("couldn't {doing} {path}: {reason}", path = .path.display(), reason = crate::files::reason(.source))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// SQLite refuses.
    #[error("couldn't use {path}: {source}", path = .path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// A newer program wrote it.
    #[error("{path} was written by a newer segtui (version {found}; this one knows {SCHEMA})", path = .path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The form it has.
        found: i32,
    },
}

/// Marks a file as ours: "SEGT".
const APPLICATION: i32 = 0x5345_4754;
/// The form that is written.
const SCHEMA: i32 = 7;
/// The earliest form whose segments are read as they are.
const FIRST_READABLE: i32 = 6;

/// A list is kept packed, since it is read whole at every start; what changed after it is kept a row each, since that is
/// written often.
const TABLES: &str = "
    CREATE TABLE packed (
        number INTEGER PRIMARY KEY NOT NULL,
        segments BLOB NOT NULL
    );
    CREATE TABLE segment (
        id TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        external_id TEXT,
        parent TEXT,
        gone INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE state (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        saved INTEGER NOT NULL,
        complete INTEGER NOT NULL
    );
    CREATE TABLE position (
        context TEXT PRIMARY KEY NOT NULL,
        step INTEGER NOT NULL
    );
";

/// The first form had one position only, for all contexts.
const FROM_1_TO_2: &str = "
    CREATE TABLE position (
        context TEXT PRIMARY KEY NOT NULL,
        step INTEGER NOT NULL
    );
    INSERT INTO position (context, step) SELECT '', position FROM state WHERE position IS NOT NULL;
    ALTER TABLE state DROP COLUMN position;
";

/// The second form had a row for every segment.
const FROM_2_TO_3: &str = "
    CREATE TABLE packed (
        number INTEGER PRIMARY KEY NOT NULL,
        segments BLOB NOT NULL
    );
    ALTER TABLE segment ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
";

/// The third form had no journal.
const FROM_3_TO_4: &str = journal::TABLE;

/// The fourth form knew nothing by which to recognise a feed, nor what looks like a segment that is to be created.
const FROM_4_TO_5: &str = "
    CREATE TABLE landmark (
        context TEXT PRIMARY KEY NOT NULL,
        step INTEGER NOT NULL,
        next INTEGER NOT NULL,
        named TEXT NOT NULL
    );
    ALTER TABLE journal ADD COLUMN alike TEXT;
    ALTER TABLE journal ADD COLUMN drafts TEXT;
    CREATE TABLE unreadable (
        ticket INTEGER,
        number INTEGER,
        operation,
        reason TEXT NOT NULL
    );
";

/// The fifth form knew nothing of what was done before.
const FROM_5_TO_6: &str = history::TABLE;

/// The sixth form did not tell a list that is not confirmed yet from one that something speaks against.
const FROM_6_TO_7: &str = "ALTER TABLE state ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;";

/// Segments packed together: enough that there are few rows, few enough that no blob is large.
const PACKED: usize = 4_096;

/// How the position for everybody is called, among those for one context.
const EVERYBODY: &str = "";

/// Called for each chunk that is read, with about how many segments there are in all.
pub type Telling<'a> = &'a mut dyn FnMut(usize, Vec<Arc<Segment>>);

/// Opens a file, creating it and the folders above it where they are not there.
///
/// # Errors
///
/// Any [`StoreError`]; a damaged file is none, since it is moved aside.
pub fn open(path: &Path) -> Result<Opened, StoreError> {
    open_telling(path, &mut |_, _| {})
}

/// Opens a file as [`open`] does, and tells of what is read as it is read: parts of the segments that the snapshot will have,
/// each once. When it turns out that the file can't be trusted, what was told means nothing.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_telling(path: &Path, tell: Telling<'_>) -> Result<Opened, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    for path in [path, &path.with_extension("lock")] {
        // What is a pipe would be waited for without end.
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(StoreError::Io {
                doing: "use",
                path: path.to_owned(),
                source: io::Error::other("it is not a regular file"),
            });
        }
    }
    if let Some(folder) = path.parent() {
        files::create_folder(folder).map_err(io("create the folder of"))?;
        tighten(folder);
    }
    let lock = lock(path).map_err(io("lock"))?;
    let Some(lock) = lock else {
        let snapshot = if path.exists() { read_only(path, tell)? } else { None };
        return Ok(Opened { snapshot, store: None, moved_aside: None, journal: Vec::new(), unreadable: 0 });
    };
    aside::finish(path).map_err(io("renew"))?;
    create_private(path).map_err(io("create"))?;
    tighten(path);
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    // The journal first: nothing else can be loaded again.
    let mut rows = None;
    let trusted = current(path).and_then(|connection| {
        rows = Some(journal::raw_rows(&connection).map_err(database)?);
        let snapshot = read(&connection, SCHEMA, tell).map_err(database)?;
        history::forget_the_oldest(&connection).map_err(database)?;
        Ok((connection, snapshot))
    });
    let (mut connection, snapshot, moved_aside) = match trusted {
        Ok((connection, snapshot)) => (connection, snapshot, None),
        Err(StoreError::Database { source, .. }) if aside::is_damage(&source) => {
            tracing::warn!(error = %source, "the stored segments can't be trusted");
            let to = aside::begin_anew(path, rows.as_deref().unwrap_or_default())?;
            (current(path)?, None, Some(MovedAside { path: to, journal_kept: rows.is_some() }))
        }
        Err(error) => return Err(error),
    };
    let (journal, unreadable) = journal::read(&mut connection).map_err(database)?;
    Ok(Opened { snapshot, store: Some(Store { connection, _lock: lock }), moved_aside, journal, unreadable })
}

/// How often the right to write is asked for, and the pause between: a program that is just being started by this one shares what is
/// open here until it has begun, and so keeps for a moment what was given up meanwhile.
const LOCK_TRIES: u32 = 10;
const LOCK_AGAIN: Duration = Duration::from_millis(10);

/// The right to write, `None` while another program has it. The system takes it back when a program ends, however it ends.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = files::private().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_AGAIN),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// What an earlier version has left readable for others is not worth failing for.
fn tighten(path: &Path) {
    if let Err(error) = files::keep_private(path) {
        tracing::warn!(%error, path = %path.display(), "others may read it");
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    files::private().create(true).truncate(false).write(true).open(path).map(|_| ())
}

/// A file of the present form, made so where it had an earlier one.
fn current(path: &Path) -> Result<Connection, StoreError> {
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(database)?;
    prepare(&mut connection).map_err(database)?;
    let found = pragma(&connection, "user_version").map_err(database)?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    migrate(&mut connection, found).map_err(database)?;
    Ok(connection)
}

/// What a file holds, whoever writes it. A file that isn't there holds nothing, and neither does one of another form.
///
/// # Errors
///
/// What SQLite refuses.
pub fn last_seen(path: &Path) -> Result<Option<Snapshot>, StoreError> {
    if path.is_file() { read_only(path, &mut |_, _| {}) } else { Ok(None) }
}

fn read_only(path: &Path, tell: Telling<'_>) -> Result<Option<Snapshot>, StoreError> {
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(database)?;
    let ours = pragma(&connection, "application_id").map_err(database)? == APPLICATION;
    let form = pragma(&connection, "user_version").map_err(database)?;
    // Whoever writes the file brings it to the present form, or is a newer program.
    if !ours || !is_readable(form) {
        return Ok(None);
    }
    read(&connection, form, tell).map_err(database)
}

/// Whether the segments of a file of a form can be read without changing it.
const fn is_readable(form: i32) -> bool {
    FIRST_READABLE <= form && form <= SCHEMA
}

/// Makes an empty file ours, and refuses one that is somebody else's.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let application = pragma(connection, "application_id")?;
    let empty: bool = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && empty {
        let transaction = connection.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(journal::TABLE)?;
        transaction.execute_batch(FROM_4_TO_5)?;
        transaction.execute_batch(FROM_5_TO_6)?;
        transaction.execute_batch(FROM_6_TO_7)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        return transaction.commit();
    }
    if application == APPLICATION { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// Brings a file of an earlier form to the present one, or leaves it as it is.
fn migrate(connection: &mut Connection, found: i32) -> rusqlite::Result<()> {
    if found == SCHEMA {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    if found < 2 {
        transaction.execute_batch(FROM_1_TO_2)?;
    }
    if found < 3 {
        transaction.execute_batch(FROM_2_TO_3)?;
    }
    if found < 4 {
        transaction.execute_batch(FROM_3_TO_4)?;
    }
    if found < 5 {
        transaction.execute_batch(FROM_4_TO_5)?;
    }
    if found < 6 {
        transaction.execute_batch(FROM_5_TO_6)?;
    }
    transaction.execute_batch(FROM_6_TO_7)?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn read(connection: &Connection, form: i32, tell: Telling<'_>) -> rusqlite::Result<Option<Snapshot>> {
    // Another program may be writing, and all of this is to be from one moment.
    let _moment = connection.unchecked_transaction()?;
    let query = if form < SCHEMA {
        "SELECT saved, complete, 0 FROM state"
    } else {
        "SELECT saved, complete, unconfirmed FROM state"
    };
    let state = connection.query_row(query, [], |row| {
        let completeness = match (row.get(1)?, row.get(2)?) {
            (true, _) => Completeness::Complete,
            (false, true) => Completeness::Unconfirmed,
            (false, false) => Completeness::Incomplete,
        };
        Ok((row.get::<_, i64>(0)?, completeness))
    });
    let Some((saved, completeness)) = state.optional()? else { return Ok(None) };
    let position = read_position(connection)?;
    let landmarks = read_landmarks(connection)?;
    let later = read_changes(connection)?;
    let changed = later.len();
    let mut segments = read_packed(connection, &later, tell)?;
    let packed = segments.len();
    segments.extend(later.into_values().flatten());
    tell(segments.len(), segments[packed..].to_vec());
    let saved = Timestamp::from_second(saved).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Some(Snapshot { segments, position, landmarks, saved, completeness, changed }))
}

fn read_packed(
    connection: &Connection,
    later: &HashMap<SegmentId, Option<Arc<Segment>>>,
    tell: Telling<'_>,
) -> rusqlite::Result<Vec<Arc<Segment>>> {
    let chunks: u32 = connection.query_row("SELECT count(*) FROM packed", [], |row| row.get(0))?;
    let mut segments = Vec::with_capacity(chunks as usize * PACKED);
    let mut statement = connection.prepare("SELECT segments FROM packed ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(0)?.as_blob()?;
        let mut unpacked: Vec<Arc<Segment>> = postcard::from_bytes(packed)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error)))?;
        if !later.is_empty() {
            unpacked.retain(|segment| !later.contains_key(&segment.id));
        }
        tell(chunks as usize * PACKED, unpacked.clone());
        segments.extend(unpacked);
    }
    Ok(segments)
}

/// What changed since the list: what it is now, or that it is gone.
fn read_changes(connection: &Connection) -> rusqlite::Result<HashMap<SegmentId, Option<Arc<Segment>>>> {
    let mut statement = connection.prepare("SELECT id, name, external_id, parent, gone FROM segment")?;
    let mut rows = statement.query([])?;
    let mut changes = HashMap::new();
    while let Some(row) = rows.next()? {
        let text = |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str_or_null()?);
        // An empty id is never written, so a row with one is skipped like a row that is not there.
        let Some(id) = text(0)?.and_then(SegmentId::new) else { continue };
        let segment = Segment {
            id: id.clone(),
            name: text(1)?.unwrap_or_default().into(),
            external_id: text(2)?.map(Into::into),
            parent: text(3)?.and_then(SegmentId::new),
        };
        changes.insert(id, (!row.get::<_, bool>(4)?).then(|| Arc::new(segment)));
    }
    Ok(changes)
}

fn read_position(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    let mut statement = connection.prepare("SELECT context, step FROM position ORDER BY context")?;
    let places = statement.query_map([], |row| {
        let context: String = row.get(0)?;
        Ok((context, Step(row.get(1)?)))
    })?;
    let mut known = Vec::new();
    for place in places {
        let (name, step) = place?;
        match Context::of_wire_name(&name) {
            None if name != EVERYBODY => {}
            context => known.push((context, step)),
        }
    }
    Ok(Position::of(known))
}

/// What can't be read is left out: a feed that is not recognised is followed all the same.
fn read_landmarks(connection: &Connection) -> rusqlite::Result<Vec<Landmark>> {
    let mut statement = connection.prepare("SELECT context, step, next, named FROM landmark ORDER BY context")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)))?;
    let mut landmarks = Vec::new();
    for row in rows {
        let Ok((name, step, next, named)) = row else { continue };
        let only = Context::of_wire_name(&name);
        if let Ok(named) = serde_json::from_str(&named)
            && (only.is_some() || name == EVERYBODY)
        {
            landmarks.push(Landmark { only, from: Step(step), next: Step(next), named });
        }
    }
    Ok(landmarks)
}

fn put_landmarks(transaction: &Transaction<'_>, landmarks: &[Landmark]) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM landmark", [])?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO landmark (context, step, next, named) VALUES (?1, ?2, ?3, ?4)")?;
    for Landmark { only, from, next, named } in landmarks {
        let named =
            serde_json::to_string(named).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        insert.execute(params![only.map_or(EVERYBODY, Context::wire_name), from.0, next.0, named])?;
    }
    Ok(())
}

impl Store {
    /// Writes a record, all of it or nothing.
    ///
    /// # Errors
    ///
    /// What SQLite refuses; then the file is as it was.
    pub fn write(&mut self, record: &Record) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        match &record.segments {
            Segments::All(segments) => {
                transaction.execute_batch("DELETE FROM segment; DELETE FROM packed;")?;
                let mut insert = transaction.prepare("INSERT INTO packed (segments) VALUES (?1)")?;
                let mut ordered = order::in_tree_order(segments).peekable();
                while ordered.peek().is_some() {
                    let segments: Vec<&Segment> = ordered.by_ref().take(PACKED).collect();
                    let packed = postcard::to_allocvec(&segments)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                    insert.execute([packed])?;
                }
            }
            Segments::Some(changes) => {
                for (id, now) in changes {
                    put(&transaction, id, now.as_deref())?;
                }
            }
        }
        if let Some(position) = &record.position {
            transaction.execute("DELETE FROM position", [])?;
            for (context, step) in position.places() {
                let name = context.map_or(EVERYBODY, Context::wire_name);
                let mut insert = transaction.prepare_cached("INSERT INTO position (context, step) VALUES (?1, ?2)")?;
                insert.execute(params![name, step.0])?;
            }
            put_landmarks(&transaction, &record.landmarks)?;
        }
        transaction.execute(
            "INSERT OR REPLACE INTO state (only, saved, complete, unconfirmed) VALUES (1, ?1, ?2, ?3)",
            params![
                record.at.as_second(),
                record.completeness == Completeness::Complete,
                record.completeness == Completeness::Unconfirmed,
            ],
        )?;
        transaction.commit()?;
        if matches!(record.segments, Segments::All(_)) {
            // So much is not written again soon.
            self.connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }
}

fn put(transaction: &Transaction<'_>, id: &SegmentId, now: Option<&Segment>) -> rusqlite::Result<()> {
    let name = now.map_or("", |segment| &segment.name);
    let external_id = now.and_then(|segment| segment.external_id.as_deref());
    let parent = now.and_then(|segment| segment.parent.as_ref()).map(SegmentId::text);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO segment (id, name, external_id, parent, gone) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![id.text(), name, external_id, parent, now.is_none()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, name: &str) -> Arc<Segment> {
        let id = SegmentId::new(id).unwrap();
        Arc::new(Segment { id, name: name.into(), external_id: Some("Ł".into()), parent: SegmentId::new("p") })
    }

    fn record(segments: Segments, position: i64) -> Record {
        Record {
            segments,
            position: Some(Position::at(Step(position), &[])),
            landmarks: Vec::new(),
            at: Timestamp::from_second(7).unwrap(),
            completeness: Completeness::Complete,
        }
    }

    #[test]
    fn packed_segments_are_written_as_this_form_has_them() {
        // Other bytes take another form of the file: what is in people's folders is read by them.
        let bytes = [
            2, 1, 1, b'a', 1, b'A', 1, 2, 0xc5, 0x81, 1, 1, 1, b'p', 1, 1, b'b', 1, b'B', 1, 2, 0xc5, 0x81, 1, 1, 1,
            b'p',
        ];
        let segments = vec![segment("a", "A"), segment("b", "B")];
        assert_eq!(postcard::to_allocvec(&segments).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Vec<Arc<Segment>>>(&bytes).unwrap(), segments);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/tenant.db");
        let opened = open(&path).unwrap();
        assert_eq!(opened.snapshot, None);
        let mut store = opened.store.unwrap();
        store.write(&record(Segments::All(vec![segment("a", "A"), segment("b", "B")]), 5)).unwrap();
        let changes = vec![
            (SegmentId::new("a").unwrap(), None),
            (SegmentId::new("b").unwrap(), Some(segment("b", "B2"))),
            (SegmentId::new("c").unwrap(), Some(segment("c", "C"))),
        ];
        store.write(&record(Segments::Some(changes), 9)).unwrap();
        drop(store);
        let mut snapshot = open(&path).unwrap().snapshot.unwrap();
        snapshot.segments.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let names: Vec<_> = snapshot.segments.iter().map(|segment| segment.name.as_str()).collect();
        assert_eq!(names, ["B2", "C"]);
        assert_eq!(snapshot.segments[0], segment("b", "B2"));
        assert_eq!((snapshot.position, snapshot.saved.as_second()), (Some(Position::at(Step(9), &[])), 7));
    }

    #[test]
    fn only_one_writes_and_the_other_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut first = open(&path).unwrap().store.unwrap();
        first.write(&record(Segments::All(vec![segment("a", "A")]), 5)).unwrap();
        let second = open(&path).unwrap();
        assert!(second.store.is_none());
        assert_eq!(second.snapshot.unwrap().segments.len(), 1);
        drop(first);
        assert!(open(&path).unwrap().store.is_some());
    }

    #[test]
    fn a_damaged_or_foreign_file_is_moved_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        fs::write(&path, b"this is no database, it is somebody's letter, and long enough to look at").unwrap();
        let opened = open(&path).unwrap();
        assert!(opened.store.is_some());
        assert!(fs::read_to_string(opened.moved_aside.unwrap().path).unwrap().contains("letter"));

        let path = folder.path().join("foreign.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
        let opened = open(&path).unwrap();
        assert!(opened.moved_aside.is_some() && opened.snapshot.is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_folder_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        for (at, name) in ["tenant.db", "tenant.lock"].into_iter().enumerate() {
            let place = folder.path().join(at.to_string());
            fs::create_dir(&place).unwrap();
            let made = std::process::Command::new("mkfifo").arg(place.join(name)).status().unwrap();
            assert!(made.success());
            assert!(open(&place.join("tenant.db")).unwrap_err().to_string().contains("not a regular file"));
        }
        assert!(open(folder.path()).is_err());
    }

    #[test]
    fn a_position_for_each_context_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let mut store = open(&path).unwrap().store.unwrap();
        let position = Position::at(Step(3), &Context::ALL);
        store.write(&Record { position: Some(position.clone()), ..record(Segments::All(Vec::new()), 1) }).unwrap();
        store.write(&Record { position: None, ..record(Segments::All(Vec::new()), 1) }).unwrap();
        drop(store);
        assert_eq!(open(&path).unwrap().snapshot.unwrap().position, Some(position));
    }

    #[test]
    fn a_file_of_the_first_form_is_brought_to_the_present_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let first = "
            PRAGMA application_id = 1397049172;
            PRAGMA user_version = 1;
            CREATE TABLE segment (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, external_id TEXT, parent TEXT)
                WITHOUT ROWID;
            CREATE TABLE state (
                only INTEGER PRIMARY KEY CHECK (only = 1), position INTEGER, saved INTEGER NOT NULL,
                complete INTEGER NOT NULL
            );
            INSERT INTO segment VALUES ('b', 'B', 'Ł', 'p');
            INSERT INTO state VALUES (1, 42, 7, 1);";
        Connection::open(&path).unwrap().execute_batch(first).unwrap();
        for _ in 0..2 {
            let opened = open(&path).unwrap();
            assert!(opened.moved_aside.is_none() && opened.store.is_some());
            let snapshot = opened.snapshot.unwrap();
            assert_eq!(snapshot.segments, [segment("b", "B")]);
            let expected = (Some(Position::at(Step(42), &[])), Completeness::Complete);
            assert_eq!((snapshot.position, snapshot.completeness), expected);
        }
    }

    #[test]
    fn a_file_of_the_form_before_is_read_by_whoever_does_not_write_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let completenesses = [Completeness::Unconfirmed, Completeness::Incomplete, Completeness::Complete];
        for completeness in completenesses {
            let mut store = open(&path).unwrap().store.unwrap();
            let segments = Segments::All(vec![segment("a", "A")]);
            store.write(&Record { completeness, ..record(segments, 5) }).unwrap();
            drop(store);
            assert_eq!(last_seen(&path).unwrap().unwrap().completeness, completeness);
        }
        let earlier = "ALTER TABLE state DROP COLUMN unconfirmed; PRAGMA user_version = 6;";
        Connection::open(&path).unwrap().execute_batch(earlier).unwrap();
        let seen = last_seen(&path).unwrap().unwrap();
        assert_eq!((seen.segments.len(), seen.completeness), (1, Completeness::Complete));
        assert_eq!(inspect(&path).unwrap().unwrap().snapshot, Some(seen.clone()));
        assert_eq!(open(&path).unwrap().snapshot, Some(seen));
    }

    #[test]
    fn a_file_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        drop(open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        assert!(matches!(open(&path), Err(StoreError::Newer { .. })));
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let _opened = open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
