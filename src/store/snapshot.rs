//! Copies of a whole SQLite database: made while others write to it, checked, and put in its place.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sea_orm::sqlx::{self, ConnectOptions, Connection, SqliteConnection};
use sea_orm_migration::MigratorTrait;
use tempfile::{NamedTempFile, TempPath};

use super::file::{beside, database_file, directory_of, hold_alone, make_directory, sync_directory};
use super::migrations::Migrator;

/// What SQLite keeps beside a database that belongs to it.
const LOGS: [&str; 2] = ["-wal", "-journal"];
/// SQLite's steps after which a copy that is not wanted any more is given up: milliseconds.
const STEPS: i32 = 10_000;
/// How long a checkpoint waits for readers.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(1);

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its size.
    pub bytes: u64,
    /// Accounts.
    pub accounts: i64,
    /// Memories, of everybody.
    pub memories: i64,
    /// The master key that it is sealed under, by its fingerprint, where anything ever was.
    pub master_key_id: Option<String>,
}

/// What putting a copy in place did.
#[derive(Debug)]
pub struct Restored {
    /// The database as it is now.
    pub snapshot: Snapshot,
    /// Its file.
    pub database: PathBuf,
    /// What it took the place of, where there was one.
    pub replaced: Option<PathBuf>,
}

/// Why a copy was not made, or not put in place. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not one of SQLite's files.
    #[error("only a SQLite database in a file can be copied this way")]
    NotAFile,
    /// There is nothing to copy.
    #[error("there is no database {}", .0.display())]
    NoDatabase(PathBuf),
    /// The name is taken.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// Somebody works with the database that is to be replaced.
    #[error("{} is in use: stop the server and every other program that has it open", .0.display())]
    InUse(PathBuf),
    /// A database that was copied without its log.
    #[error("{} has a write-ahead log next to it: it is a database in use, or part of one, and not a backup", .0.display())]
    HasLog(PathBuf),
    /// Another program's database, or none at all.
    #[error("this is not a MemSync database: {0}")]
    Foreign(String),
    /// What SQLite found wrong.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A later version has changed its schema.
    #[error("the database is from a newer version: it has {0}, which this version does not know")]
    Newer(String),
    /// It is not wanted any more.
    #[error("it was stopped")]
    Stopped,
    /// What the system says of a file.
    #[error("{}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// What SQLite says.
    #[error("SQLite")]
    Sqlite(#[from] sqlx::Error),
}

type Result<T> = std::result::Result<T, SnapshotError>;

/// Copies the database into a new file, which appears under its name once it is whole, checked and durable. Ends early,
/// leaving nothing, when `is_stopped` becomes true.
///
/// `VACUUM INTO` copies what was committed when it began. Writers go on, and the copy holds nothing that was deleted.
pub async fn write_snapshot(url: &str, to: &Path, is_stopped: Arc<AtomicBool>) -> Result<Snapshot> {
    let database = database_file(url).ok_or(SnapshotError::NotAFile)?;
    if !database.is_file() {
        return Err(SnapshotError::NoDatabase(database));
    }
    if to.symlink_metadata().is_ok() {
        return Err(SnapshotError::Exists(to.to_owned()));
    }
    let fault = |e| SnapshotError::Io(to.to_owned(), e);
    // For the owner's eyes only, and gone with this function. SQLite has a journal beside the copy while it writes.
    let place = tempfile::Builder::new()
        .prefix(".memsync-backup-")
        .tempdir_in(directory_of(to))
        .map_err(fault)?;
    let unfinished = place.path().join("unfinished");
    let mut options = File::options();
    options.append(true).create_new(true).mode(0o600);
    let file = options.open(&unfinished).map_err(fault)?;
    let snapshot = copy_into(&database, &unfinished, &is_stopped).await;
    file.sync_all().map_err(fault)?;
    if is_stopped.load(Ordering::Relaxed) {
        return Err(SnapshotError::Stopped);
    }
    let snapshot = snapshot?;
    let renamed = TempPath::try_from_path(&unfinished).and_then(|unfinished| Ok(unfinished.persist_noclobber(to)?));
    renamed.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => SnapshotError::Exists(to.to_owned()),
        _ => fault(e),
    })?;
    sync_directory(directory_of(to)).map_err(fault)?;
    Ok(snapshot)
}

async fn copy_into(database: &Path, to: &Path, is_stopped: &Arc<AtomicBool>) -> Result<Snapshot> {
    let name = to.to_str().ok_or_else(|| {
        let fault = io::Error::new(io::ErrorKind::InvalidFilename, "must be UTF-8");
        SnapshotError::Io(to.to_owned(), fault)
    })?;
    let mut source = SqliteConnectOptions::new()
        .filename(database)
        .busy_timeout(CHECKPOINT_TIMEOUT)
        .disable_statement_logging()
        .connect()
        .await?;
    stop_when(&mut source, is_stopped).await?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut source).await?;
    // What others deleted while they could not empty the log, because it was being read here.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut source)
        .await?;
    source.close().await?;
    check(to, is_stopped).await
}

/// Lets a connection break off what it does once `is_stopped` is true.
async fn stop_when(connection: &mut SqliteConnection, is_stopped: &Arc<AtomicBool>) -> Result<()> {
    let is_stopped = Arc::clone(is_stopped);
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || !is_stopped.load(Ordering::Relaxed));
    Ok(())
}

/// Puts a copy in the place of the database, which is kept beside it under another name. After a crash at any moment
/// there is the one or the other.
pub async fn restore_snapshot(url: &str, from: &Path, now: DateTime<Utc>) -> Result<Restored> {
    let database = database_file(url).ok_or(SnapshotError::NotAFile)?;
    let fault = |e| SnapshotError::Io(database.clone(), e);
    if has_log(from) {
        return Err(SnapshotError::HasLog(from.to_owned()));
    }
    make_directory(&database).map_err(fault)?;
    let lock = hold_alone(&database).map_err(fault)?;
    let Some(lock) = lock else {
        return Err(SnapshotError::InUse(database));
    };
    let copy = copied(from, &database)?;
    let snapshot = check(copy.path(), &Arc::default()).await?;
    let replaced = match database.is_file() {
        true => Some(put_aside(&database, now).await?),
        false => None,
    };
    copy.persist(&database).map_err(|e| fault(e.error))?;
    sync_directory(directory_of(&database)).map_err(fault)?;
    drop(lock);
    Ok(Restored {
        snapshot,
        database,
        replaced,
    })
}

/// A durable copy of a file beside the database, under a name for the time being, whose owner is the database's.
fn copied(from: &Path, database: &Path) -> Result<NamedTempFile> {
    let fault = |e| SnapshotError::Io(database.to_owned(), e);
    let mut source = File::open(from).map_err(|e| SnapshotError::Io(from.to_owned(), e))?;
    let directory = directory_of(database);
    let mut copy = tempfile::Builder::new()
        .prefix(".memsync-restore-")
        .tempfile_in(directory)
        .map_err(fault)?;
    io::copy(&mut source, copy.as_file_mut()).map_err(fault)?;
    let owner = database.metadata().or_else(|_| directory.metadata()).map_err(fault)?;
    let own = copy.as_file().metadata().map_err(fault)?;
    if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) {
        // A server need not run as whoever restores, root for example.
        fchown(copy.as_file(), Some(owner.uid()), Some(owner.gid())).map_err(fault)?;
    }
    copy.as_file().sync_all().map_err(fault)?;
    Ok(copy)
}

/// Gives a database that nobody uses a second name, with all that is in its log, and takes its log away.
async fn put_aside(database: &Path, now: DateTime<Utc>) -> Result<PathBuf> {
    let fault = |e| SnapshotError::Io(database.to_owned(), e);
    match fold_log(database).await {
        Ok(()) => {}
        Err(error) if is_busy(&error) => return Err(SnapshotError::InUse(database.to_owned())),
        // Whatever is wrong with it is a reason to replace it.
        Err(error) => tracing::warn!("the replaced database is kept as it is: {error}"),
    }
    let kept = beside(database, &format!(".replaced-{}", now.format("%Y%m%dT%H%M%S%.3fZ")));
    std::fs::hard_link(database, &kept).map_err(fault)?;
    for log in LOGS {
        if beside(database, log).exists() {
            std::fs::hard_link(beside(database, log), beside(&kept, log)).map_err(fault)?;
        }
    }
    let directory = directory_of(database);
    sync_directory(directory).map_err(fault)?;
    // SQLite would take the old log for the new database's.
    for file in LOGS.into_iter().chain(["-shm"]) {
        match std::fs::remove_file(beside(database, file)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(fault(e)),
            Ok(()) | Err(_) => {}
        }
    }
    sync_directory(directory).map_err(fault)?;
    Ok(kept)
}

/// Writes a database's log into the database. Fails while another program has it open, also one that knows nothing of our
/// lock.
async fn fold_log(database: &Path) -> std::result::Result<(), sqlx::Error> {
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(CHECKPOINT_TIMEOUT)
        .disable_statement_logging()
        .connect()
        .await?;
    // Reading takes the lock, and reads a log that was left behind.
    for statement in ["SELECT count(*) FROM sqlite_master", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    connection.close().await
}

fn has_log(database: &Path) -> bool {
    let has = |log| beside(database, log).metadata().is_ok_and(|log| log.len() > 0);
    LOGS.into_iter().any(has)
}

/// SQLite's primary result code.
fn code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

fn is_busy(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(5 | 6))
}

/// SQLITE_CORRUPT becomes what it is, SQLITE_ERROR (there is no such table) and SQLITE_NOTADB somebody else's file.
fn judged(error: sqlx::Error) -> SnapshotError {
    match code(&error) {
        Some(11) => SnapshotError::Damaged(error.to_string()),
        Some(1 | 26) => SnapshotError::Foreign(error.to_string()),
        Some(_) | None => SnapshotError::Sqlite(error),
    }
}

/// Checks a database that nobody else can have open, and says what it holds.
async fn check(file: &Path, is_stopped: &Arc<AtomicBool>) -> Result<Snapshot> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        // Nothing is locked, and no log is made beside it.
        .immutable(true)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(judged)?;
    stop_when(&mut connection, is_stopped).await?;
    let found = look_into(&mut connection).await;
    connection.close().await?;
    let (accounts, memories, master_key_id) = found?;
    let bytes = file
        .metadata()
        .map_err(|e| SnapshotError::Io(file.to_owned(), e))?
        .len();
    Ok(Snapshot {
        bytes,
        accounts,
        memories,
        master_key_id,
    })
}

async fn look_into(connection: &mut SqliteConnection) -> Result<(i64, i64, Option<String>)> {
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(judged)?;
    if verdict != "ok" {
        return Err(SnapshotError::Damaged(verdict));
    }
    let applied: Vec<String> = sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await
        .map_err(judged)?;
    let known = Migrator::migrations();
    if known
        .first()
        .is_none_or(|first| !applied.iter().any(|name| name == first.name()))
    {
        return Err(SnapshotError::Foreign("its schema is different".to_owned()));
    }
    let newer = applied
        .iter()
        .find(|name| known.iter().all(|change| change.name() != *name));
    if let Some(newer) = newer {
        return Err(SnapshotError::Newer(newer.clone()));
    }
    let count = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM memories)";
    let (accounts, memories) = sqlx::query_as(count)
        .fetch_one(&mut *connection)
        .await
        .map_err(judged)?;
    let has_keys = "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'master_keys'";
    let has_keys: bool = sqlx::query_scalar(has_keys).fetch_one(&mut *connection).await?;
    let master_key_id = match has_keys {
        true => {
            sqlx::query_scalar("SELECT master_key_id FROM master_keys")
                .fetch_optional(&mut *connection)
                .await?
        }
        false => None,
    };
    Ok((accounts, memories, master_key_id))
}
