//! The database under a test: SQLite in its directory, or one of its own on the PostgreSQL that
//! `MEMSYNC_TEST_POSTGRES_URL` names. The same tests run on both.

use std::path::Path;
use std::process::Command;

use uuid::Uuid;

use super::files_with;
use super::postgres::binaries;
use crate::process::run;

pub enum TestDatabase {
    Sqlite,
    Postgres { server: String, name: String },
}

impl TestDatabase {
    pub fn create() -> Self {
        match std::env::var("MEMSYNC_TEST_POSTGRES_URL") {
            Ok(server) => Self::create_on(server),
            Err(_) => Self::Sqlite,
        }
    }

    /// One on the PostgreSQL with this URL.
    pub fn create_on(server: String) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        client(
            "psql",
            &["-X", "-q", "-d", &server, "-c", &format!("CREATE DATABASE {name}")],
        );
        Self::Postgres { server, name }
    }

    pub fn url(&self, directory: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", directory.join("memsync.db").display()),
            Self::Postgres { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    /// In how many places a word stands in the clear, in letters of any case: files of SQLite, rows of PostgreSQL, where
    /// what is deleted leaves the files with the next vacuum.
    pub fn traces_of(&self, word: &str, directory: &Path) -> usize {
        match self {
            Self::Sqlite => files_with(directory, word),
            Self::Postgres { .. } => {
                let dump = client("pg_dump", &["--inserts", "-d", &self.url(directory)]).to_lowercase();
                let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
                dump.lines()
                    .filter(|line| line.contains(&word.to_lowercase()) || line.contains(&hex))
                    .count()
            }
        }
    }
}

/// Memories that a test server holds of a person: all, or, where `MEMSYNC_TEST_CANDIDATES` is set, only the newest, so that
/// PostgreSQL finds candidates for every search.
pub fn max_memories_per_person() -> usize {
    match std::env::var_os("MEMSYNC_TEST_CANDIDATES") {
        Some(_) => 0,
        None => 200_000,
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self
            && !std::thread::panicking()
        {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            client("psql", &["-X", "-q", "-d", server, "-c", &drop]);
        }
    }
}

fn client(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(binaries().join(program));
    command.args(arguments);
    run(command).expect_success(program).stdout
}
