//! The file of a SQLite database: where it is, making it, and the lock beside it that tells whether anybody has it open.
//!
//! SQLite's own locks last as long as a connection does, and a pool closes and opens connections; what a server keeps in
//! memory lasts longer. So every program that opens the database holds a lock on the file `….lock` until it ends, shared,
//! and whoever puts another database in its place must have it alone. The system lets go of it however a program ends.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;

use crate::error::{Error, Result};

/// The database's file; none for PostgreSQL, and for one in memory.
pub(super) fn database_file(url: &str) -> Option<PathBuf> {
    let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !url.starts_with("sqlite:") || is_in_memory {
        return None;
    }
    let options = SqliteConnectOptions::from_str(url).ok()?;
    Some(options.get_filename().to_owned()).filter(|file| !file.as_os_str().is_empty())
}

/// Another file beside one: its name with something behind it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// The directory that a file is in.
pub(super) fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Makes what was renamed in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Makes the directory of a database where there is none, for the owner's eyes only.
pub(super) fn make_directory(file: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory_of(file))
}

/// Makes the file of a SQLite database where there is none, and its directory, for the owner's eyes only. SQLite gives
/// the files that it puts beside it the same mode. Gives the lock of whoever has it open, to be held until then; none
/// where there can be no lock, for nobody puts another database into a place that can't be written.
pub(super) fn open(file: &Path) -> Result<Option<Arc<File>>> {
    let away = |what: &str, path: &Path, cause: io::Error| {
        Error::Unavailable(format!("can't {what} {}: {cause}", path.display()).into())
    };
    let directory = directory_of(file);
    if let Err(e) = make_directory(file) {
        return Err(away("make the directory of the database,", directory, e));
    }
    let path = beside(file, ".lock");
    let lock = match open_lock(file) {
        Ok(lock) => Some(lock),
        Err(e) if is_read_only(&e) => None,
        Err(e) => return Err(away("open", &path, e)),
    };
    let lock = match lock.as_ref().map(File::try_lock_shared) {
        None | Some(Ok(())) => lock,
        Some(Err(TryLockError::WouldBlock)) => {
            let cause = format!("{} is being replaced by a backup", file.display());
            return Err(Error::Unavailable(cause.into()));
        }
        Some(Err(TryLockError::Error(e))) if e.kind() == ErrorKind::Unsupported => None,
        Some(Err(TryLockError::Error(e))) => return Err(away("lock", &path, e)),
    };
    match OpenOptions::new().append(true).create(true).mode(0o600).open(file) {
        // SQLite reads it all the same, and complains of each change.
        Err(e) if is_read_only(&e) && file.is_file() => Ok(lock.map(Arc::new)),
        Err(e) => Err(away("open the database", file, e)),
        Ok(_) => Ok(lock.map(Arc::new)),
    }
}

/// Takes the lock alone; none while anybody has the database open.
pub(super) fn hold_alone(file: &Path) -> io::Result<Option<File>> {
    let lock = open_lock(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

fn open_lock(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .append(true)
        .create(true)
        .mode(0o600)
        .open(beside(file, ".lock"))
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}
