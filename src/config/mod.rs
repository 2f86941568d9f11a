//! Settings: defaults, then `memsync.toml`, then `MEMSYNC_*`. The only place that reads the environment.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use ipnet::IpNet;

mod form;
mod names;
mod reader;
mod report;
mod settings;
mod sources;
mod warnings;

pub use form::Form;
use form::is_postgres;
use reader::Reader;
pub use report::{default_file, effective_settings};
pub use settings::{DefaultValue, Derivation, SETTINGS, Setting};
use sources::Sources;

/// Every setting.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// A file to write the chosen address to.
    pub address_file: Option<PathBuf>,
    /// Where the SQLite file lives.
    pub data_dir: PathBuf,
    /// Whether the first start on an empty database makes an account and a key.
    pub bootstrap: bool,
    /// Whether the dashboard is served.
    pub dashboard: bool,
    /// How long a stop waits for requests under way.
    pub shutdown_timeout: Duration,
    /// What is logged.
    pub log: LogConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Authentication.
    pub auth: AuthConfig,
    /// What private memories and backups are encrypted with.
    pub encryption: EncryptionConfig,
    /// What turns texts into vectors.
    pub embedder: EmbedderConfig,
    /// How many requests are allowed.
    pub limits: LimitsConfig,
    /// TLS; plain text when absent.
    pub tls: Option<TlsConfig>,
    /// Whether every request must be encrypted, here or at a trusted proxy.
    pub tls_required: bool,
    /// Networks whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The URL that clients reach this server by; from each request's own host when absent.
    pub public_url: Option<Uri>,
    /// How often counts of usage are written.
    pub usage_flush_interval: Duration,
    /// How long counts of usage are kept.
    pub usage_retention: Duration,
    /// How long the audit log is kept.
    pub audit_retention: Duration,
    /// Origins that a browser may call from; `*` for any.
    pub cors_allowed_origins: Vec<String>,
    /// Bound of the in-memory indexes, in MiB.
    pub index_memory_mb: u64,
    /// Memories of a person from which on PostgreSQL finds candidates, where it has the extension `vector`; 0 for everybody.
    pub max_memories_per_person: usize,
    /// Requests being answered at one time; more are refused with 503.
    pub max_concurrent_requests: usize,
    /// Memory for requests being answered at one time, in MiB; more are refused with 503.
    pub max_request_memory_mb: u32,
    /// Connections, and how long their clients may keep them waiting.
    pub connections: ConnectionsConfig,
    /// What a start should say of these settings.
    pub warnings: Vec<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// A filter such as `info` or `memsync=debug,info`.
    pub filter: String,
    /// The shape of a line.
    pub format: LogFormat,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// A read replica of PostgreSQL, `postgres://…`: indexes are loaded from it where it is not behind.
    pub replica_url: Option<String>,
    /// Connections that are kept open; PostgreSQL only.
    pub min_connections: u32,
    /// Connections in the pool.
    pub max_connections: u32,
    /// Whether `serve` brings PostgreSQL's schema up to date; SQLite's it always does.
    pub auto_migrate: bool,
    /// How long to wait for a connection or a lock.
    pub timeout: Duration,
    /// How long a statement may run; PostgreSQL only.
    pub statement_timeout: Duration,
    /// How long a connection is kept that nobody uses; PostgreSQL only.
    pub idle_timeout: Duration,
    /// How old a connection gets; PostgreSQL only.
    pub max_lifetime: Duration,
}

/// Authentication.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// How long a resolved key or session is believed without asking the database again.
    pub key_cache: Duration,
    /// Signs access tokens, at least 32 bytes; one is made and kept in the data directory when absent.
    pub jwt_secret: Option<Hidden>,
    /// Signed access tokens until lately: they are believed until they end.
    pub jwt_previous_secret: Option<Hidden>,
    /// Whether anybody can make an account, or only the command line.
    pub is_registration_open: bool,
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// How long a session lives that is not refreshed.
    pub refresh_token_lifetime: Duration,
}

/// What turns texts into vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedderConfig {
    /// The table in the binary.
    BuiltIn,
    /// The model in this directory.
    #[cfg(feature = "local-embedder")]
    Local(PathBuf),
}

/// How much is allowed: requests, registrations and memories; 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitsConfig {
    /// Per account: all requests.
    pub requests_per_minute: u32,
    /// Per account: searches.
    pub searches_per_minute: u32,
    /// Per account: submissions to integrations.
    pub integrations_per_minute: u32,
    /// Whether any of these three was set, rather than left to its default.
    pub are_set: bool,
    /// Per address: requests without valid credentials. Twelve times `requests_per_minute` when absent.
    pub unauthenticated_per_minute: u32,
    /// Memories that one request may make.
    pub max_memories_per_request: usize,
    /// Memories that an account may have; 0 for no limit.
    pub max_memories_per_account: u64,
    /// Memories that a person may have; 0 for no limit.
    pub max_memories_per_person: u64,
    /// Per address: all requests, with credentials and without. Twelve times `requests_per_minute` when absent.
    pub requests_per_minute_per_address: u32,
    /// Per address: accounts that are made.
    pub registrations_per_hour_per_address: u32,
    /// Accounts that are made in all.
    pub registrations_per_hour: u32,
}

/// Connections, and how long their clients may keep them waiting.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionsConfig {
    /// Open at one time; the one that has been idle for longest makes way.
    pub max: usize,
    /// Open at one time from one address that is no trusted proxy.
    pub max_per_address: usize,
    /// For the head of a request.
    pub header_timeout: Duration,
    /// For a body, beside 1 s for each 8 KiB of it; for the next piece of a stream; to read on in an answer.
    pub body_timeout: Duration,
    /// Without a request.
    pub idle_timeout: Duration,
}

/// A setting that must not be shown. Its `Debug` hides it.
#[derive(Clone)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What private memories and backups are encrypted with.
#[derive(Clone, Debug, Default)]
pub struct EncryptionConfig {
    /// Wraps the keys of accounts, 32 bytes; one is made and kept in the data directory when absent.
    pub master_key: Option<HiddenKey>,
    /// Wrapped them until lately, until `memsync rotate-master-key` is run.
    pub previous_master_key: Option<HiddenKey>,
}

/// A key that must not be shown. Its `Debug` hides it.
#[derive(Clone)]
pub struct HiddenKey(pub [u8; 32]);

impl fmt::Debug for HiddenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// TLS, by PEM files.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The certificate chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Everything that is wrong with the settings, each fault naming its setting.
#[derive(Debug, thiserror::Error)]
#[error("bad settings:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads `file` (by default `memsync.toml` of the working directory, where there is one) and the environment.
    /// Says every fault at once.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_from(file, std::env::vars_os())
    }

    /// The same with these variables.
    pub fn load_from(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Self::from_sources(&Sources::read(file, variables))
    }

    fn from_sources(sources: &Sources) -> Result<Self, ConfigError> {
        let mut read = Reader {
            given: &sources.given,
            faults: Vec::new(),
            asked: BTreeSet::new(),
        };
        let config = Self::read(&mut read);
        config.validate(&mut read.faults);
        let forgotten = SETTINGS.iter().filter(|setting| !read.asked.contains(setting.name));
        read.faults
            .extend(forgotten.map(|setting| format!("{}: is declared and never read", setting.name)));
        let mut faults = sources.faults.clone();
        // What goes together can't be told where a part could not be read.
        if sources.is_complete {
            faults.extend(read.faults);
        }
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        let warnings = warnings::warnings(&config, sources);
        Ok(Self { warnings, ..config })
    }

    fn read(read: &mut Reader<'_>) -> Self {
        Self {
            listen: read.address("listen"),
            address_file: read.optional("address_file"),
            data_dir: read.get("data_dir"),
            bootstrap: read.get("bootstrap"),
            dashboard: read.get("dashboard"),
            shutdown_timeout: read.seconds("shutdown_timeout"),
            log: LogConfig {
                filter: read.get("log"),
                format: match read.get::<String>("log_format").as_str() {
                    "json" => LogFormat::Json,
                    _ => LogFormat::Text,
                },
            },
            database: DatabaseConfig {
                url: read.get("database.url"),
                replica_url: read.optional("database.replica_url"),
                min_connections: read.get("database.min_connections"),
                max_connections: read.get("database.max_connections"),
                auto_migrate: read.get("database.auto_migrate"),
                timeout: read.seconds("database.timeout"),
                statement_timeout: read.seconds("database.statement_timeout"),
                idle_timeout: read.seconds("database.idle_timeout"),
                max_lifetime: read.seconds("database.max_lifetime"),
            },
            auth: AuthConfig {
                key_cache: read.seconds("auth.key_cache"),
                jwt_secret: read.secret("auth.jwt_secret"),
                jwt_previous_secret: read.secret("auth.jwt_previous_secret"),
                is_registration_open: read.get::<String>("auth.registration") == "open",
                access_token_lifetime: read.seconds("auth.access_token_lifetime"),
                refresh_token_lifetime: read.seconds("auth.refresh_token_lifetime"),
            },
            encryption: EncryptionConfig {
                master_key: read.key("encryption.master_key"),
                previous_master_key: read.key("encryption.previous_master_key"),
            },
            embedder: read.embedder(),
            limits: LimitsConfig {
                are_set: ["requests", "searches", "integrations"]
                    .iter()
                    .any(|what| read.is_given(&format!("limits.{what}_per_minute"))),
                requests_per_minute: read.get("limits.requests_per_minute"),
                searches_per_minute: read.get("limits.searches_per_minute"),
                integrations_per_minute: read.get("limits.integrations_per_minute"),
                unauthenticated_per_minute: read.get("limits.unauthenticated_per_minute"),
                max_memories_per_request: read.get("limits.max_memories_per_request"),
                max_memories_per_account: read.get("limits.max_memories_per_account"),
                max_memories_per_person: read.get("limits.max_memories_per_person"),
                requests_per_minute_per_address: read.get("limits.requests_per_minute_per_address"),
                registrations_per_hour_per_address: read.get("limits.registrations_per_hour_per_address"),
                registrations_per_hour: read.get("limits.registrations_per_hour"),
            },
            tls: read.tls(),
            tls_required: read.get("tls.required"),
            trusted_proxies: read.networks("trusted_proxies"),
            public_url: read.optional("public_url"),
            usage_flush_interval: read.seconds("usage.flush_interval"),
            usage_retention: read.seconds("usage.retention"),
            audit_retention: read.seconds("audit.retention"),
            cors_allowed_origins: read.list("cors.allowed_origins"),
            index_memory_mb: read.get("index.memory_mb"),
            max_memories_per_person: read.get("index.max_memories_per_person"),
            max_concurrent_requests: read.get("limits.max_concurrent_requests"),
            max_request_memory_mb: read.get("limits.max_request_memory_mb"),
            connections: ConnectionsConfig {
                max: read.get("limits.max_connections"),
                max_per_address: read.get("limits.max_connections_per_address"),
                header_timeout: read.seconds("limits.header_timeout"),
                body_timeout: read.seconds("limits.body_timeout"),
                idle_timeout: read.seconds("limits.idle_timeout"),
            },
            warnings: Vec::new(),
        }
    }

    /// What can't be told from one setting alone.
    fn validate(&self, faults: &mut Vec<String>) {
        let database = &self.database;
        if let Some(replica) = &database.replica_url
            && !(is_postgres(replica) && is_postgres(&database.url))
        {
            faults.push("database.replica_url: must begin with postgres:, as database.url then does".to_owned());
        }
        if database.min_connections > database.max_connections {
            faults.push("database.min_connections: must be at most database.max_connections".to_owned());
        }
        if let Some(tls) = &self.tls {
            for (name, file) in [("tls.cert", &tls.cert), ("tls.key", &tls.key)] {
                if !file.is_file() {
                    faults.push(format!("{name}: {} is not a file", file.display()));
                }
            }
        }
    }
}
