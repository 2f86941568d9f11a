//! The connections to the database: pools with their time limits, and the breaker that stops asking one that is away.
//!
//! Everything in `store/` reads and writes through a [`Guarded`] connection, so that no call waits for ever and none
//! waits at all while the database is known to be away.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use super::StoreOptions;

/// Faults of the connection, one after the other, that open the breaker.
const FAULTS: u32 = 3;
/// How long to wait for a reason why there is no connection.
const REASON_TIMEOUT: Duration = Duration::from_secs(2);
/// Idle for longer than this, a connection is asked whether it is still one before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
/// How long a statement may take beyond its own limit before the connection is given up.
const GRACE: Duration = Duration::from_secs(2);
/// Rows that SQLite's thread reads ahead of whoever asked for them: each time that one of the two waits costs more than a row.
const ROWS_BUFFERED: usize = 1_000;

/// Whether the database is worth asking (the pattern "circuit breaker", Nygard, *Release It!*, 2007). It opens after
/// [`FAULTS`] faults, and whoever probes the database closes it: no request has to be the probe.
#[derive(Debug, Default)]
struct Breaker {
    is_open: AtomicBool,
    faults: AtomicU32,
}

impl Breaker {
    fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    fn close(&self) {
        self.faults.store(0, Ordering::Relaxed);
        self.is_open.store(false, Ordering::Relaxed);
    }

    fn admit(&self) -> Result<(), DbErr> {
        if self.is_open.load(Ordering::Relaxed) {
            return Err(DbErr::Conn(RuntimeErr::Internal(
                "the database is unavailable".to_owned(),
            )));
        }
        Ok(())
    }

    fn observe<T>(&self, outcome: &Result<T, DbErr>) {
        match outcome {
            Err(error) if is_connection_fault(error) => {
                if self.faults.fetch_add(1, Ordering::Relaxed) + 1 >= FAULTS {
                    self.open();
                }
            }
            // A loaded zero is the common case, and costs no write to a line that all cores share.
            Ok(_) | Err(_) if self.faults.load(Ordering::Relaxed) != 0 => self.faults.store(0, Ordering::Relaxed),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Whether it was the way to the database that failed, and not what was asked of it.
fn is_connection_fault(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => {
            match e.as_database_error().and_then(|fault| fault.code()) {
                // PostgreSQL's classes of connection exceptions and of shutting down.
                Some(code) => code.starts_with("08") || code.starts_with("57P"),
                None => matches!(
                    **e,
                    sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut
                ),
            }
        }
        _ => false,
    }
}

/// A pool or a transaction that gives up in time, and at once while the breaker is open.
#[derive(Clone, Debug)]
pub(super) struct Guarded<C> {
    inner: C,
    /// None for SQLite, which is a file: what fails there fails at once, and is never away.
    breaker: Option<Arc<Breaker>>,
    time_limit: Option<Duration>,
}

impl<C> Guarded<C> {
    /// The connection itself: for the probe, and for what may take its time.
    pub(super) const fn inner(&self) -> &C {
        &self.inner
    }

    /// The same connection for whoever asks also while the breaker is open. Still within time limits.
    pub(super) fn unguarded(&self) -> Self
    where
        C: Clone,
    {
        Self {
            breaker: None,
            ..self.clone()
        }
    }

    async fn call<T>(&self, asked: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
        if let Some(breaker) = &self.breaker {
            breaker.admit()?;
        }
        let outcome = match self.time_limit {
            None => asked.await,
            Some(limit) => match tokio::time::timeout(limit, asked).await {
                Ok(outcome) => outcome,
                Err(_) => Err(DbErr::Conn(RuntimeErr::Internal(
                    "the database did not answer".to_owned(),
                ))),
            },
        };
        if let Some(breaker) = &self.breaker {
            breaker.observe(&outcome);
        }
        outcome
    }
}

impl Guarded<DatabaseConnection> {
    /// Asks the database whether it answers; from then on it is asked, or not, as the answer is.
    pub(super) async fn probe(&self) -> Result<(), DbErr> {
        let answer = self.unguarded().execute_unprepared("SELECT 1").await;
        if let Some(breaker) = &self.breaker {
            match answer {
                Ok(_) => breaker.close(),
                Err(_) => breaker.open(),
            }
        }
        answer.map(|_| ())
    }

    /// From now on nothing is asked of the database, until it has answered a probe.
    pub(super) fn expect_nothing(&self) {
        if let Some(breaker) = &self.breaker {
            breaker.open();
        }
    }

    /// Begins a transaction that will write.
    pub(super) async fn begin(&self) -> Result<Guarded<DatabaseTransaction>, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.call(self.inner.begin_with_options(options)).await?;
        Ok(Guarded {
            inner,
            breaker: self.breaker.clone(),
            time_limit: self.time_limit,
        })
    }

    pub(super) async fn close(self) -> Result<(), DbErr> {
        self.inner.close().await
    }
}

impl Guarded<DatabaseTransaction> {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        let Self {
            inner,
            breaker,
            time_limit,
        } = self;
        let ending = Guarded {
            inner: (),
            breaker,
            time_limit,
        };
        ending.call(inner.commit()).await
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Guarded<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.call(self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.call(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.call(self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.call(self.inner.query_all_raw(statement)).await
    }
}

/// The pools of one database: for reading, and for writing.
pub(super) struct Pools {
    pub(super) read: Guarded<DatabaseConnection>,
    pub(super) write: Guarded<DatabaseConnection>,
    pub(super) replica: Option<Guarded<DatabaseConnection>>,
}

/// Opens the pools. PostgreSQL's connect when they are first used; SQLite's file is opened, and made where there is none.
pub(super) async fn open(options: &StoreOptions) -> Result<Pools, DbErr> {
    if options.url.starts_with("sqlite:") {
        let mut reader = sqlite(options);
        let mut writer = reader.clone();
        writer.max_connections(1);
        reader.max_connections(options.max_connections);
        let guarded = |inner| Guarded {
            inner,
            breaker: None,
            time_limit: None,
        };
        // The writer goes first: it makes the file.
        let write = guarded(Database::connect(writer).await?);
        let read = guarded(Database::connect(reader).await?);
        return Ok(Pools {
            read,
            write,
            replica: None,
        });
    }
    let pool = async |url| {
        Ok::<_, DbErr>(Guarded {
            inner: Database::connect(postgres(options, url)).await?,
            breaker: Some(Arc::new(Breaker::default())),
            time_limit: Some(options.timeout + options.statement_timeout + GRACE),
        })
    };
    let replica = match &options.replica_url {
        None => None,
        Some(url) => Some(pool(url).await?),
    };
    let pool = pool(&options.url).await?;
    Ok(Pools {
        read: pool.clone(),
        write: pool,
        replica,
    })
}

/// Why a connection to PostgreSQL can't be had, with where it was tried; never the password.
pub(super) async fn why_away(url: &str) -> Option<String> {
    if url.starts_with("sqlite:") {
        return None;
    }
    let options = match PgConnectOptions::from_str(url) {
        Ok(options) => options,
        Err(e) => return Some(format!("database.url: {e}")),
    };
    let reason = match tokio::time::timeout(REASON_TIMEOUT, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            return None;
        }
        Ok(Err(sqlx::Error::Io(e))) => e.to_string(),
        Ok(Err(e)) => e.to_string(),
        Err(_) => format!("no answer in {} s", REASON_TIMEOUT.as_secs()),
    };
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    Some(format!(
        "can't connect to PostgreSQL at {place} (database {database}, user {user}): {reason}"
    ))
}

fn sqlite(options: &StoreOptions) -> ConnectOptions {
    let timeout = options.timeout;
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .acquire_timeout(timeout)
        .connect_timeout(timeout)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                // What is deleted is overwritten, not only unlinked.
                .pragma("secure_delete", "ON")
                .busy_timeout(timeout)
                .row_buffer_size(ROWS_BUFFERED)
        })
        .map_sqlx_sqlite_before_acquire(|connection, _| {
            // SQLite itself takes back a transaction that the disk failed, and sqlx goes on counting it: the next one
            // would be a savepoint in it, whose end says that all is well and keeps nothing.
            let is_sound = !connection.is_in_transaction();
            Box::pin(std::future::ready(Ok(is_sound)))
        });
    connect
}

fn postgres(options: &StoreOptions, url: &str) -> ConnectOptions {
    let statement_ms = options.statement_timeout.as_millis();
    let lock_ms = options.timeout.as_millis();
    let mut connect = ConnectOptions::new(url);
    connect
        .connect_lazy(true)
        .min_connections(options.min_connections)
        .max_connections(options.max_connections)
        .acquire_timeout(options.timeout)
        .connect_timeout(options.timeout)
        .idle_timeout(options.idle_timeout)
        .max_lifetime(options.max_lifetime)
        .test_before_acquire_if_idle_for(TESTED_AFTER)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| {
            let postgres = postgres.application_name("memsync");
            // A transaction that its instance forgot holds locks of others: it may idle as long as a statement may run.
            postgres.options([
                ("statement_timeout", statement_ms.to_string()),
                ("lock_timeout", lock_ms.to_string()),
                ("idle_in_transaction_session_timeout", statement_ms.to_string()),
            ])
        });
    connect
}
