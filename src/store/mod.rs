//! The database: connections, transactions, migrations and one file per table with all its queries.
//!
//! The only home of sea-orm. Every function on user data takes its owner. Business rules live in `services/`, which
//! calls this.

use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait};

use crate::error::{Error, Result};
use connection::Guarded;
use migrations::Migrator;

mod accounts;
mod api_keys;
mod as_of;
mod audit;
mod candidates;
mod connection;
mod conversations;
mod deletions;
mod embeddings;
mod file;
mod idempotency;
mod leases;
mod memories;
mod memory_versions;
#[path = "../../migrations/mod.rs"]
mod migrations;
mod oauth;
mod persons;
mod profiles;
mod rate_limits;
mod reembedding;
mod sessions;
mod setup_links;
mod sign_in_places;
mod snapshot;
mod sql;
mod succession;
mod tasks;
mod usage;
mod vault;

pub use accounts::{Account, ErasedAccount, MadeBy};
pub use api_keys::{ApiKeyRow, ApiKeyStatus};
pub use as_of::{Extent, KnownPage};
pub use audit::{AuditEvent, MEMORY_DELETED};
pub use candidates::{CONTEXT_MARK, CandidateQuery, CandidateTerm, Candidates, NewCandidate};
pub use deletions::{Backup, DeletedMemories};
pub use embeddings::NewEmbedding;
pub use idempotency::IdempotencyRecord;
pub use memories::{ListQuery, ListSort, MemoryRow, NewMemory};
pub use memory_versions::MemoryVersion;
pub use oauth::{OAuthClient, OAuthCode};
pub use persons::{ErasedPerson, Person};
pub use profiles::{BioVersion, ProfileRow};
pub use rate_limits::Lease;
pub use reembedding::{AddedEmbeddings, EmbeddedPage, Place, Unembedded};
pub use sessions::Session;
pub use setup_links::SetupLink;
pub use snapshot::{Restored, Snapshot, SnapshotError, restore_snapshot, write_snapshot};
pub use succession::PersonChange;
pub use tasks::{DueTask, NewTask, NextSlice, Task, TaskFilter, TaskRow};
pub use usage::UsageHour;
pub use vault::{MasterKey, ReadMasterKeys, Vault, fingerprint};

/// The advisory lock that instances on one PostgreSQL change the schema under; any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x006d_656d_7379_6e63;

/// How long emptying SQLite's log waits for readers.
const SCRUB_TIMEOUT: Duration = Duration::from_millis(100);

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// A read replica of a PostgreSQL, that indexes are loaded from where it is not behind.
    pub replica_url: Option<String>,
    /// Connections that are kept open; PostgreSQL only.
    pub min_connections: u32,
    /// Connections for reading; PostgreSQL writes through the same ones.
    pub max_connections: u32,
    /// How long to wait for a connection or for another writer.
    pub timeout: Duration,
    /// How long a statement may run; PostgreSQL only.
    pub statement_timeout: Duration,
    /// How long a connection is kept that nobody uses; PostgreSQL only.
    pub idle_timeout: Duration,
    /// How old a connection gets; PostgreSQL only.
    pub max_lifetime: Duration,
}

/// The database.
///
/// SQLite allows one writer at a time, so writes queue for a connection of their own instead of for a lock inside
/// SQLite; on PostgreSQL both are one pool.
#[derive(Clone, Debug)]
pub struct Store {
    read: Guarded<DatabaseConnection>,
    write: Guarded<DatabaseConnection>,
    replica: Option<Guarded<DatabaseConnection>>,
    vault: Arc<Vault>,
    /// Of the vectors that candidates of large people are kept with; none where the database can't keep any.
    candidate_dimensions: Arc<OnceLock<usize>>,
    /// How long a writer waits for another one.
    timeout: Duration,
    /// Held while SQLite's file is open.
    _lock: Option<Arc<File>>,
}

/// A transaction: what was written through it is kept by [`Transaction::commit`] and undone when it is dropped.
#[derive(Debug)]
pub struct Transaction(Guarded<DatabaseTransaction>, Arc<Vault>, Option<usize>);

impl Store {
    /// Opens the database, whose private contents `vault` seals. A SQLite file is made where there is none; PostgreSQL
    /// is connected to when it is first asked.
    pub async fn connect(options: &StoreOptions, vault: Vault) -> Result<Self> {
        let file = file::database_file(&options.url);
        let lock = match &file {
            None => None,
            Some(file) => file::open(file)?,
        };
        let pools = connection::open(options).await;
        let pools = pools.map_err(|e| match (db_error(e), &file) {
            (Error::Unavailable(e), Some(file)) => {
                Error::Unavailable(format!("can't open the database {}: {e}", file.display()).into())
            }
            (e, _) => e,
        })?;
        Ok(Self {
            read: pools.read,
            write: pools.write,
            replica: pools.replica,
            vault: Arc::new(vault),
            candidate_dimensions: Arc::default(),
            timeout: options.timeout,
            _lock: lock,
        })
    }

    /// Brings the schema up to date. One that a newer program has changed is left as it is.
    pub async fn migrate_up(&self) -> Result<()> {
        let connection = self.write.inner();
        if connection.get_database_backend() != DbBackend::Postgres {
            return apply_changes(connection).await.map_err(db_error);
        }
        // One instance at a time; the lock ends with the transaction.
        let transaction = connection.begin().await.map_err(db_error)?;
        // Others wait for it, and a change of much data takes its time.
        transaction
            .execute_unprepared("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
            .await
            .map_err(db_error)?;
        let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
        transaction.execute_unprepared(&lock).await.map_err(db_error)?;
        apply_changes(&transaction).await.map_err(db_error)?;
        transaction.commit().await.map_err(db_error)
    }

    /// Takes back the last `steps` changes of the schema.
    pub async fn migrate_down(&self, steps: u32) -> Result<()> {
        Migrator::down(self.write.inner(), Some(steps)).await.map_err(db_error)
    }

    /// Every change of the schema by name, and whether it is applied.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>> {
        Migrator::install(self.write.inner()).await.map_err(db_error)?;
        let applied = Migrator::get_applied_migrations(self.write.inner())
            .await
            .map_err(db_error)?;
        let names: Vec<String> = applied.iter().map(|m| m.name().to_owned()).collect();
        Ok(Migrator::migrations()
            .iter()
            .map(|m| (m.name().to_owned(), names.iter().any(|n| n == m.name())))
            .collect())
    }

    /// Whether the database answers; from then on it is asked, or not, as the answer is.
    pub async fn ping(&self) -> Result<()> {
        self.read.probe().await.map_err(db_error)
    }

    /// Why a PostgreSQL does not answer: a pool only says that it waited in vain. None where it does, and for SQLite.
    pub async fn why_away(url: &str) -> Option<String> {
        connection::why_away(url).await
    }

    /// Whether the read replica answers, in the same way. Searches go on without it.
    pub async fn ping_replica(&self) -> Result<()> {
        match &self.replica {
            Some(replica) => replica.probe().await.map_err(db_error),
            None => Ok(()),
        }
    }

    /// From now on nothing is asked of the database, until it has answered [`Self::ping`].
    pub fn expect_nothing(&self) {
        self.read.expect_nothing();
    }

    /// The same database for whoever asks also while it is known to be away.
    pub fn unguarded(&self) -> Self {
        Self {
            read: self.read.unguarded(),
            write: self.write.unguarded(),
            ..self.clone()
        }
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<Transaction> {
        let transaction = self.write.begin().await.map_err(db_error)?;
        let dimensions = self.candidate_dimensions.get().copied();
        Ok(Transaction(transaction, Arc::clone(&self.vault), dimensions))
    }

    /// Takes out of SQLite's write-ahead log what was deleted from the database. What can't be done now, because others
    /// are reading, is done by the next checkpoint. PostgreSQL's log can't be reached from here: it is recycled by its
    /// own settings.
    pub async fn scrub(&self) {
        if self.write.get_database_backend() != DbBackend::Sqlite {
            return;
        }
        // Nobody writes while it waits for readers, and a backup reads for long.
        let checkpoint = format!(
            "PRAGMA busy_timeout = {}; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = {}",
            SCRUB_TIMEOUT.as_millis(),
            self.timeout.as_millis()
        );
        let connection = self.write.clone();
        // Goes on also where whoever asked for it has gone away, so that the last of these is reached.
        let done = tokio::spawn(async move { connection.execute_unprepared(&checkpoint).await });
        if let Ok(Err(error)) = done.await {
            tracing::warn!(%error, "deleted data is still in the write-ahead log");
        }
    }

    /// Ends every connection, after what is under way.
    pub async fn close(self) -> Result<()> {
        self.read.close().await.map_err(db_error)?;
        self.write.close().await.map_err(db_error)
    }
}

impl Transaction {
    /// Keeps what was written; when this returns, it is durable.
    pub async fn commit(self) -> Result<()> {
        self.0.commit().await.map_err(db_error)
    }
}

/// While instances are replaced one by one, an older one may start on the schema of a newer one. Changes only ever add to
/// what older programs ask for, so it can.
async fn apply_changes<'c, C>(connection: &'c C) -> std::result::Result<(), DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let applied = Migrator::get_migration_models(connection).await?;
    let known = Migrator::migrations();
    let is_applied = |name: &str| applied.iter().any(|change| change.version == name);
    let is_newer = applied.len() > known.len() && known.iter().all(|change| is_applied(change.name()));
    if is_newer {
        tracing::info!("the schema is from a newer version");
        return Ok(());
    }
    Migrator::up(connection, None).await
}

/// `DbErr` becomes [`Error`] here and nowhere else: a database that is away, full, locked or read-only is
/// unavailable; everything else is a fault of ours.
fn db_error(error: DbErr) -> Error {
    let away = match &error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => e
            .as_database_error()
            .is_none_or(|d| d.code().is_some_and(|code| is_away(&code))),
        _ => false,
    };
    if away {
        Error::Unavailable(Box::new(error))
    } else {
        Error::Internal(Box::new(error))
    }
}

/// SQLite result codes (BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN; the low byte of the extended code), PostgreSQL
/// classes (connection, resources, operator intervention, rollback) and codes (a read-only transaction, one that idled or
/// took too long, a lock that was not to be had in time).
fn is_away(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6 | 8 | 10 | 13 | 14),
        _ => {
            ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
                || ["25006", "25P03", "25P04", "55P03"].contains(&code)
        }
    }
}

fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}
