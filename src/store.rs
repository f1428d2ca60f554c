//! The last known state of a tenant in one SQLite file: all segments, the feed position that goes with them, and when they
//! were last known to match the server.
//!
//! Segments and position are written in one transaction, so whenever the program is killed, following the feed from the
//! stored position leads from the stored segments to the current ones. Only one program at a time writes a file; any other
//! reads it and stores nothing. A file that is damaged or not ours is moved aside, never trusted and never deleted, and its
//! journal is carried over if it can be read.

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

use crate::changes::JournalledOp;
use crate::files;
use crate::remote::{Context, Landmark, Position};
use crate::segment::{Segment, SegmentId, Step};

pub use history::{HistoryEntry, history};
pub use inspection::{Inspection, inspect};

/// The stored state of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// All segments.
    pub segments: Vec<Arc<Segment>>,
    /// Position to continue from in the feed; `None` if there was no feed.
    pub position: Option<Position>,
    /// Landmarks by which the feed is recognised from there.
    pub landmarks: Vec<Landmark>,
    /// When this was last known to match the server.
    pub saved: Timestamp,
    /// How far the list it comes from can be relied on.
    pub completeness: Completeness,
    /// Number of segments written individually since the list, deleted ones included.
    pub changed: usize,
}

/// How far a list can be relied on to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It is complete.
    Complete,
    /// There is no reason to doubt it yet: the list is so recent that the feed may still report what happened while it was
    /// loading, or one of its segments is known to be stale.
    Unconfirmed,
    /// There is reason to doubt it, or it was not yet compared with the feed.
    Incomplete,
}

/// A write to a file: all or nothing.
#[derive(Debug, Clone)]
pub struct StoreUpdate {
    /// The segments to write.
    pub segments: Segments,
    /// Position to continue from in the feed, given these segments; `None` leaves it unchanged.
    pub position: Option<Position>,
    /// Landmarks by which the feed is recognised from there; written with the position.
    pub landmarks: Vec<Landmark>,
    /// When this was known to match the server.
    pub at: Timestamp,
    /// How far the list it comes from can be relied on.
    pub completeness: Completeness,
}

/// The segments of a record.
#[derive(Debug, Clone)]
pub enum Segments {
    /// All segments that exist.
    All(Vec<Arc<Segment>>),
    /// Segments that changed; `None` for a deleted one.
    Some(Vec<(SegmentId, Option<Arc<Segment>>)>),
}

/// A file that this program may write.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Held for as long as this program writes the file.
    _lock: File,
}

/// The result of opening a file.
#[derive(Debug)]
pub struct Opened {
    /// The stored state, if any.
    pub snapshot: Option<Snapshot>,
    /// For writing; `None` while another program writes the file.
    pub store: Option<Store>,
    /// Where a file went that could not be trusted.
    pub moved_aside: Option<MovedAside>,
    /// Operations that an earlier session left unfinished.
    pub journal: Vec<JournalledOp>,
    /// Number of journal entries that could not be read and were moved aside within the file.
    pub unreadable: usize,
}

/// A file that could not be trusted and was renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Its new path.
    pub path: PathBuf,
    /// Whether its journal could be read and was carried over.
    pub journal_kept: bool,
}

/// Why nothing can be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An I/O error.
    #[error("couldn't {doing} {path}: {reason}", path = .path.display(), reason = crate::files::reason(.source))]
    Io {
        /// The action that failed.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An SQLite error.
    #[error("couldn't use {path}: {source}", path = .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A newer program wrote the file.
    #[error("{path} was written by a newer segtui (version {found}; this one knows {SCHEMA})", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
    },
}

/// Marks a file as ours: "SEGT".
const APPLICATION_ID: i32 = 0x5345_4754;
/// The schema version that is written.
const SCHEMA: i32 = 7;
/// The first schema version whose segments can be read without a migration.
const MIN_READABLE_SCHEMA: i32 = 6;

/// A list is stored packed, since it is read as a whole at every start. Later changes are stored one per row, since they are
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

/// Version 1 had a single position, for all contexts.
const FROM_1_TO_2: &str = "
    CREATE TABLE position (
        context TEXT PRIMARY KEY NOT NULL,
        step INTEGER NOT NULL
    );
    INSERT INTO position (context, step) SELECT '', position FROM state WHERE position IS NOT NULL;
    ALTER TABLE state DROP COLUMN position;
";

/// Version 2 had a row for every segment.
const FROM_2_TO_3: &str = "
    CREATE TABLE packed (
        number INTEGER PRIMARY KEY NOT NULL,
        segments BLOB NOT NULL
    );
    ALTER TABLE segment ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
";

/// Version 3 had no journal.
const FROM_3_TO_4: &str = journal::TABLE;

/// Version 4 had neither landmarks of the feed nor the lookalikes of a segment to be created.
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

/// Version 5 had no history.
const FROM_5_TO_6: &str = history::TABLE;

/// Version 6 did not distinguish an unconfirmed list from a doubtful one.
const FROM_6_TO_7: &str = "ALTER TABLE state ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;";

/// Segments per blob: many enough for few rows, few enough for small blobs.
const SEGMENTS_PER_BLOB: usize = 4_096;

/// Name of the position for all contexts.
const ALL_CONTEXTS: &str = "";

/// Called with each chunk of segments as it is read, and with the approximate total number.
pub type OnChunk<'a> = &'a mut dyn FnMut(usize, Vec<Arc<Segment>>);

/// Opens a file, creating it and its parent folders if they don't exist.
///
/// # Errors
///
/// Any [`StoreError`]. A damaged file is not an error, since it is moved aside.
pub fn open(path: &Path) -> Result<Opened, StoreError> {
    open_with_chunks(path, &mut |_, _| {})
}

/// Opens a file like [`open`], and passes on the segments as they are read: in chunks, each segment of the snapshot once. If
/// the file turns out to be untrustworthy, they have to be dropped.
///
/// # Errors
///
/// Same as [`open`].
pub fn open_with_chunks(path: &Path, on_chunk: OnChunk<'_>) -> Result<Opened, StoreError> {
    let io = |doing| move |source| StoreError::Io { doing, path: path.to_owned(), source };
    for path in [path, &path.with_extension("lock")] {
        // Opening a pipe would block forever.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(StoreError::Io {
                doing: "use",
                path: path.to_owned(),
                source: io::Error::other("it is not a regular file"),
            });
        }
    }
    if let Some(folder) = path.parent() {
        files::create_folder(folder).map_err(io("create the folder of"))?;
        make_private(folder);
    }
    let lock = lock(path).map_err(io("lock"))?;
    let Some(lock) = lock else {
        let snapshot = if path.exists() { read_only(path, on_chunk)? } else { None };
        return Ok(Opened { snapshot, store: None, moved_aside: None, journal: Vec::new(), unreadable: 0 });
    };
    aside::finish_replacement(path).map_err(io("renew"))?;
    create_private(path).map_err(io("create"))?;
    make_private(path);
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    // The journal first: everything else can be loaded again.
    let mut rows = None;
    let opened = open_current(path).and_then(|connection| {
        rows = Some(journal::raw_rows(&connection).map_err(database)?);
        let snapshot = read_snapshot(&connection, SCHEMA, on_chunk).map_err(database)?;
        history::delete_oldest(&connection).map_err(database)?;
        Ok((connection, snapshot))
    });
    let (mut connection, snapshot, moved_aside) = match opened {
        Ok((connection, snapshot)) => (connection, snapshot, None),
        Err(StoreError::Database { source, .. }) if aside::is_damage(&source) => {
            tracing::warn!(error = %source, "the stored segments can't be trusted");
            let to = aside::replace_damaged(path, rows.as_deref().unwrap_or_default())?;
            (open_current(path)?, None, Some(MovedAside { path: to, journal_kept: rows.is_some() }))
        }
        Err(error) => return Err(error),
    };
    let (journal, unreadable) = journal::read(&mut connection).map_err(database)?;
    Ok(Opened { snapshot, store: Some(Store { connection, _lock: lock }), moved_aside, journal, unreadable })
}

/// How often the lock is tried, and the pause in between. A child process shares open files until it executes its own
/// program, so one that is just being started may hold a released lock for a moment.
const MAX_LOCK_TRIES: u32 = 10;
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(10);

/// Acquires the right to write; `None` while another program has it. The system releases it when a program ends, however it
/// ends.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = files::private().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
    for _ in 0..MAX_LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_RETRY_DELAY),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Makes a file or folder private that an earlier version left readable by others. A failure is only logged.
fn make_private(path: &Path) {
    if let Err(error) = files::restrict_to_owner(path) {
        tracing::warn!(%error, path = %path.display(), "others may read it");
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    files::private().create(true).truncate(false).write(true).open(path).map(|_| ())
}

/// Opens a file with the current schema, migrating an earlier one.
fn open_current(path: &Path) -> Result<Connection, StoreError> {
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(database)?;
    initialise(&mut connection).map_err(database)?;
    let found = pragma(&connection, "user_version").map_err(database)?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    migrate(&mut connection, found).map_err(database)?;
    Ok(connection)
}

/// Returns the state stored in a file, whoever writes it; `None` if there is no file, or its schema can't be read.
///
/// # Errors
///
/// If SQLite fails.
pub fn read_last_snapshot(path: &Path) -> Result<Option<Snapshot>, StoreError> {
    if path.is_file() { read_only(path, &mut |_, _| {}) } else { Ok(None) }
}

fn read_only(path: &Path, on_chunk: OnChunk<'_>) -> Result<Option<Snapshot>, StoreError> {
    let database = |source| StoreError::Database { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(database)?;
    let is_ours = pragma(&connection, "application_id").map_err(database)? == APPLICATION_ID;
    let schema_version = pragma(&connection, "user_version").map_err(database)?;
    // The program that writes the file migrates it, or is newer than this one.
    if !is_ours || !is_readable(schema_version) {
        return Ok(None);
    }
    read_snapshot(&connection, schema_version, on_chunk).map_err(database)
}

/// Whether the segments of this schema version can be read without a migration.
const fn is_readable(schema_version: i32) -> bool {
    MIN_READABLE_SCHEMA <= schema_version && schema_version <= SCHEMA
}

/// Initialises an empty file, and rejects one of another application.
fn initialise(connection: &mut Connection) -> rusqlite::Result<()> {
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
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        return transaction.commit();
    }
    if application == APPLICATION_ID { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// Migrates a file to the current schema, or leaves it unchanged.
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

fn read_snapshot(
    connection: &Connection,
    schema_version: i32,
    on_chunk: OnChunk<'_>,
) -> rusqlite::Result<Option<Snapshot>> {
    // Another program may be writing, and everything has to be read from one consistent state.
    let _transaction = connection.unchecked_transaction()?;
    let query = if schema_version < SCHEMA {
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
    let changed_segments = read_changes(connection)?;
    let changed = changed_segments.len();
    let mut segments = read_packed(connection, &changed_segments, on_chunk)?;
    let packed_count = segments.len();
    segments.extend(changed_segments.into_values().flatten());
    on_chunk(segments.len(), segments[packed_count..].to_vec());
    let saved = Timestamp::from_second(saved).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Some(Snapshot { segments, position, landmarks, saved, completeness, changed }))
}

fn read_packed(
    connection: &Connection,
    changed_segments: &HashMap<SegmentId, Option<Arc<Segment>>>,
    on_chunk: OnChunk<'_>,
) -> rusqlite::Result<Vec<Arc<Segment>>> {
    let chunks: u32 = connection.query_row("SELECT count(*) FROM packed", [], |row| row.get(0))?;
    let mut segments = Vec::with_capacity(chunks as usize * SEGMENTS_PER_BLOB);
    let mut statement = connection.prepare("SELECT segments FROM packed ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(0)?.as_blob()?;
        let mut chunk: Vec<Arc<Segment>> = postcard::from_bytes(packed)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error)))?;
        if !changed_segments.is_empty() {
            chunk.retain(|segment| !changed_segments.contains_key(&segment.id));
        }
        on_chunk(chunks as usize * SEGMENTS_PER_BLOB, chunk.clone());
        segments.extend(chunk);
    }
    Ok(segments)
}

/// Returns the segments that changed since the list; `None` for a deleted one.
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
    let rows = statement.query_map([], |row| {
        let context: String = row.get(0)?;
        Ok((context, Step(row.get(1)?)))
    })?;
    let mut positions = Vec::new();
    for row in rows {
        let (name, step) = row?;
        match Context::of_wire_name(&name) {
            None if name != ALL_CONTEXTS => {}
            context => positions.push((context, step)),
        }
    }
    Ok(Position::from_entries(positions))
}

/// Skips what can't be read: the feed can be followed without landmarks.
fn read_landmarks(connection: &Connection) -> rusqlite::Result<Vec<Landmark>> {
    let mut statement = connection.prepare("SELECT context, step, next, named FROM landmark ORDER BY context")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)))?;
    let mut landmarks = Vec::new();
    for row in rows {
        let Ok((name, step, next, named)) = row else { continue };
        let only = Context::of_wire_name(&name);
        if let Ok(named) = serde_json::from_str(&named)
            && (only.is_some() || name == ALL_CONTEXTS)
        {
            landmarks.push(Landmark { only, from: Step(step), next: Step(next), named });
        }
    }
    Ok(landmarks)
}

fn write_landmarks(transaction: &Transaction<'_>, landmarks: &[Landmark]) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM landmark", [])?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO landmark (context, step, next, named) VALUES (?1, ?2, ?3, ?4)")?;
    for Landmark { only, from, next, named } in landmarks {
        let named =
            serde_json::to_string(named).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        insert.execute(params![only.map_or(ALL_CONTEXTS, Context::wire_name), from.0, next.0, named])?;
    }
    Ok(())
}

impl Store {
    /// Writes a record, all or nothing.
    ///
    /// # Errors
    ///
    /// If SQLite fails; the file is then unchanged.
    pub fn write(&mut self, record: &StoreUpdate) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        match &record.segments {
            Segments::All(segments) => {
                transaction.execute_batch("DELETE FROM segment; DELETE FROM packed;")?;
                let mut insert = transaction.prepare("INSERT INTO packed (segments) VALUES (?1)")?;
                let mut ordered = order::in_tree_order(segments).peekable();
                while ordered.peek().is_some() {
                    let segments: Vec<&Segment> = ordered.by_ref().take(SEGMENTS_PER_BLOB).collect();
                    let packed = postcard::to_allocvec(&segments)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                    insert.execute([packed])?;
                }
            }
            Segments::Some(changes) => {
                for (id, now) in changes {
                    upsert_segment(&transaction, id, now.as_deref())?;
                }
            }
        }
        if let Some(position) = &record.position {
            transaction.execute("DELETE FROM position", [])?;
            for (context, step) in position.entries() {
                let name = context.map_or(ALL_CONTEXTS, Context::wire_name);
                let mut insert = transaction.prepare_cached("INSERT INTO position (context, step) VALUES (?1, ?2)")?;
                insert.execute(params![name, step.0])?;
            }
            write_landmarks(&transaction, &record.landmarks)?;
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
            // Such a large write won't be repeated soon.
            self.connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }
}

fn upsert_segment(transaction: &Transaction<'_>, id: &SegmentId, now: Option<&Segment>) -> rusqlite::Result<()> {
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

    fn record(segments: Segments, position: i64) -> StoreUpdate {
        StoreUpdate {
            segments,
            position: Some(Position::at(Step(position), &[])),
            landmarks: Vec::new(),
            at: Timestamp::from_second(7).unwrap(),
            completeness: Completeness::Complete,
        }
    }

    #[test]
    fn the_packed_encoding_of_this_schema_is_fixed() {
        // Other bytes would need another schema version: existing files have these.
        let bytes = [
            2, 1, 1, b'a', 1, b'A', 1, 2, 0xc5, 0x81, 1, 1, 1, b'p', 1, 1, b'b', 1, b'B', 1, 2, 0xc5, 0x81, 1, 1, 1,
            b'p',
        ];
        let segments = vec![segment("a", "A"), segment("b", "B")];
        assert_eq!(postcard::to_allocvec(&segments).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Vec<Arc<Segment>>>(&bytes).unwrap(), segments);
    }

    #[test]
    fn written_records_are_read_back() {
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
    fn only_one_program_writes_and_others_read() {
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
        store.write(&StoreUpdate { position: Some(position.clone()), ..record(Segments::All(Vec::new()), 1) }).unwrap();
        store.write(&StoreUpdate { position: None, ..record(Segments::All(Vec::new()), 1) }).unwrap();
        drop(store);
        assert_eq!(open(&path).unwrap().snapshot.unwrap().position, Some(position));
    }

    #[test]
    fn a_file_of_schema_1_is_migrated() {
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
    fn a_file_of_the_previous_schema_is_read_unmigrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.db");
        let completenesses = [Completeness::Unconfirmed, Completeness::Incomplete, Completeness::Complete];
        for completeness in completenesses {
            let mut store = open(&path).unwrap().store.unwrap();
            let segments = Segments::All(vec![segment("a", "A")]);
            store.write(&StoreUpdate { completeness, ..record(segments, 5) }).unwrap();
            drop(store);
            assert_eq!(read_last_snapshot(&path).unwrap().unwrap().completeness, completeness);
        }
        let earlier = "ALTER TABLE state DROP COLUMN unconfirmed; PRAGMA user_version = 6;";
        Connection::open(&path).unwrap().execute_batch(earlier).unwrap();
        let seen = read_last_snapshot(&path).unwrap().unwrap();
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
