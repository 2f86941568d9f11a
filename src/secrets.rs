//! Secrets of this installation that nobody gave: made once, kept in the data directory, readable by its owner alone.

use std::fs::{DirBuilder, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use rand::TryRng;
use rand::rngs::SysRng;
use tempfile::NamedTempFile;

/// Length of a secret, in bytes.
pub const SECRET_BYTES: usize = 32;

/// The secret in `directory` under `name`; a new one where there is none. Of several processes that come at one time
/// all get the same.
pub fn load_or_create(directory: &Path, name: &str) -> io::Result<[u8; SECRET_BYTES]> {
    let path = directory.join(name);
    if let Some(secret) = load(directory, name)? {
        return Ok(secret);
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|e| explain("can't make the data directory", directory, e))?;
    let mut secret = [0; SECRET_BYTES];
    SysRng.try_fill_bytes(&mut secret).map_err(io::Error::other)?;
    match write(directory, &path, &secret).map_err(|e| explain("can't write the secret", &path, e))? {
        true => Ok(secret),
        false => load(directory, name)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound)),
    }
}

/// Writes a secret, unless there is one already.
fn write(directory: &Path, path: &Path, secret: &[u8]) -> io::Result<bool> {
    // Made with mode 0600; takes its name only when it is whole.
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(secret)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e.error),
    }
}

fn explain(what: &str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

/// The secret in `directory` under `name`, where there is one.
pub fn load(directory: &Path, name: &str) -> io::Result<Option<[u8; SECRET_BYTES]>> {
    let path = directory.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => bytes.try_into().map(Some).map_err(|_| {
            let fault = format!("{} is not {SECRET_BYTES} bytes long", path.display());
            io::Error::new(ErrorKind::InvalidData, fault)
        }),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(explain("can't read the secret", &path, e)),
    }
}

/// What others than the owner may do with `directory` and with the files of it that have these names, for the operator
/// to read.
pub fn exposed(directory: &Path, names: &[&str]) -> Vec<String> {
    let mode = |found: &Metadata| found.permissions().mode() & 0o777;
    let mut found = Vec::new();
    if let Ok(mode) = std::fs::metadata(directory).as_ref().map(mode)
        && mode & 0o022 != 0
    {
        let directory = directory.display();
        found.push(format!(
            "others may write to the data directory (mode {mode:03o}): chmod 700 {directory}"
        ));
    }
    for path in names.iter().map(|name| directory.join(name)) {
        if let Ok(file) = std::fs::metadata(&path)
            && file.is_file()
            && mode(&file) & 0o077 != 0
        {
            let mode = mode(&file);
            let path = path.display();
            found.push(format!(
                "others may read {path} or write to it (mode {mode:03o}): chmod 600 {path}"
            ));
        }
    }
    found
}

/// Puts the secret `new` in the place of `name`; `new` is gone then. Durable when it returns.
pub fn replace(directory: &Path, name: &str, new: &str) -> io::Result<()> {
    std::fs::rename(directory.join(new), directory.join(name))?;
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_nobody_else_can_read_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("data");
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads = [(); 8].map(|()| scope.spawn(|| load_or_create(&place, "s").expect("a secret")));
            threads.map(|thread| thread.join().expect("no panic")).into()
        });
        assert!(all.iter().all(|secret| secret == &all[0]), "all get the same");
        assert_ne!(all[0], [0; SECRET_BYTES]);
        let mode = std::fs::metadata(place.join("s")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(place.join("s"), "short").expect("written");
        assert!(load_or_create(&place, "s").is_err(), "a broken secret is not replaced");
    }
}
