//! Settings: defaults, then `memsync.toml`, then `MEMSYNC_*`. The only place that reads the environment.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use http::Uri;
use ipnet::IpNet;

mod reader;

use reader::Reader;

const DAY_S: f64 = 86_400.0;
const MIN_SECRET_BYTES: usize = 32;

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
    /// Settings given under names that mean nothing, perhaps mistyped.
    pub unknown: Vec<String>,
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

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
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

/// How many requests are allowed in a minute; 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitsConfig {
    /// Per account: all requests.
    pub requests_per_minute: u32,
    /// Per account: searches.
    pub searches_per_minute: u32,
    /// Per account: submissions to integrations.
    pub integrations_per_minute: u32,
    /// Per address: requests without valid credentials. Twelve times `requests_per_minute` when absent.
    pub unauthenticated_per_minute: u32,
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

/// Who can make an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Registration {
    Open,
    Closed,
}

impl FromStr for Registration {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err("must be open or closed"),
        }
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
        let toml = match file {
            Some(file) => Toml::file_exact(file),
            None => Toml::file_exact("memsync.toml"),
        };
        let mut figment = Figment::new();
        if file.is_some_and(|f| !f.is_file()) {
            return Err(ConfigError(vec![format!(
                "--config: {} is not a file",
                file.unwrap_or(Path::new("")).display()
            )]));
        }
        if file.is_some() || Path::new("memsync.toml").is_file() {
            figment = figment.merge(toml);
        }
        Self::from_figment(figment.merge(Env::prefixed("MEMSYNC_").split("__")))
    }

    fn from_figment(figment: Figment) -> Result<Self, ConfigError> {
        let mut read = Reader {
            figment,
            faults: Vec::new(),
            known: BTreeSet::new(),
        };
        let data_dir: PathBuf = read.get("data_dir").unwrap_or_else(|| PathBuf::from("data"));
        let default_url = || format!("sqlite://{}", data_dir.join("memsync.db").display());
        let config = Self {
            listen: read.get("listen").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            address_file: read.get("address_file"),
            bootstrap: read.get("bootstrap").unwrap_or(true),
            dashboard: read.get("dashboard").unwrap_or(true),
            shutdown_timeout: read.seconds("shutdown_timeout", 30.0),
            log: LogConfig {
                filter: read.get("log").unwrap_or_else(|| "info".to_owned()),
                format: read.get("log_format").unwrap_or(LogFormat::Text),
            },
            database: DatabaseConfig {
                url: read.get("database.url").unwrap_or_else(default_url),
                replica_url: read.get("database.replica_url"),
                min_connections: read.get("database.min_connections").unwrap_or(0),
                max_connections: read.get("database.max_connections").unwrap_or(10),
                auto_migrate: read.get("database.auto_migrate").unwrap_or(true),
                timeout: read.seconds("database.timeout", 5.0),
                statement_timeout: read.seconds("database.statement_timeout", 30.0),
                idle_timeout: read.seconds("database.idle_timeout", 600.0),
                max_lifetime: read.seconds("database.max_lifetime", 1800.0),
            },
            auth: AuthConfig {
                key_cache: read.seconds("auth.key_cache", 2.0),
                jwt_secret: read.secret("auth.jwt_secret"),
                jwt_previous_secret: read.secret("auth.jwt_previous_secret"),
                is_registration_open: read.get("auth.registration") != Some(Registration::Closed),
                access_token_lifetime: read.seconds("auth.access_token_lifetime", 900.0),
                refresh_token_lifetime: read.seconds("auth.refresh_token_lifetime", 30.0 * DAY_S),
            },
            encryption: EncryptionConfig {
                master_key: read.key("encryption.master_key"),
                previous_master_key: read.key("encryption.previous_master_key"),
            },
            embedder: read.embedder(),
            limits: read.limits(),
            tls: read.tls(),
            tls_required: read.get("tls.required").unwrap_or(false),
            trusted_proxies: read.networks("trusted_proxies"),
            public_url: read.get("public_url"),
            usage_flush_interval: read.seconds("usage.flush_interval", 10.0),
            usage_retention: read.seconds("usage.retention", 90.0 * DAY_S),
            audit_retention: read.seconds("audit.retention", 365.0 * DAY_S),
            cors_allowed_origins: read.list("cors.allowed_origins"),
            index_memory_mb: read.get("index.memory_mb").unwrap_or(512),
            max_memories_per_person: read.get("index.max_memories_per_person").unwrap_or(200_000),
            max_concurrent_requests: read.get("limits.max_concurrent_requests").unwrap_or(1024),
            max_request_memory_mb: read.get("limits.max_request_memory_mb").unwrap_or(512),
            connections: ConnectionsConfig {
                max: read.get("limits.max_connections").unwrap_or(8192),
                max_per_address: read.get("limits.max_connections_per_address").unwrap_or(1024),
                header_timeout: read.seconds("limits.header_timeout", 10.0),
                body_timeout: read.seconds("limits.body_timeout", 30.0),
                idle_timeout: read.seconds("limits.idle_timeout", 300.0),
            },
            unknown: Vec::new(),
            data_dir,
        };
        let config = Self {
            unknown: read.unknown(),
            ..config
        };
        config.validate(&mut read.faults);
        if read.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(read.faults))
        }
    }

    fn validate(&self, faults: &mut Vec<String>) {
        let database = &self.database;
        if !database.url.starts_with("sqlite:") && !is_postgres(&database.url) {
            faults.push("database.url: must begin with sqlite: or postgres:".to_owned());
        }
        if let Some(replica) = &database.replica_url
            && !(is_postgres(replica) && is_postgres(&database.url))
        {
            faults.push("database.replica_url: must begin with postgres:, as database.url then does".to_owned());
        }
        if database.min_connections > database.max_connections {
            faults.push("database.min_connections: must be at most database.max_connections".to_owned());
        }
        for (name, is_zero) in [
            ("database.max_connections", database.max_connections == 0),
            ("database.timeout", database.timeout.is_zero()),
            ("database.statement_timeout", database.statement_timeout.is_zero()),
            ("index.memory_mb", self.index_memory_mb == 0),
            ("limits.max_concurrent_requests", self.max_concurrent_requests == 0),
            ("limits.max_request_memory_mb", self.max_request_memory_mb == 0),
            ("limits.max_connections", self.connections.max == 0),
            (
                "limits.max_connections_per_address",
                self.connections.max_per_address == 0,
            ),
            ("limits.header_timeout", self.connections.header_timeout.is_zero()),
            ("limits.body_timeout", self.connections.body_timeout.is_zero()),
            ("limits.idle_timeout", self.connections.idle_timeout.is_zero()),
            (
                "auth.access_token_lifetime",
                self.auth.access_token_lifetime.as_secs() == 0,
            ),
            (
                "auth.refresh_token_lifetime",
                self.auth.refresh_token_lifetime.as_secs() == 0,
            ),
            ("usage.flush_interval", self.usage_flush_interval.is_zero()),
        ] {
            if is_zero {
                faults.push(format!("{name}: must be at least 1"));
            }
        }
        if let Err(e) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            faults.push(format!("log: {e}"));
        }
        let is_public_url = |url: &Uri| {
            matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some() && url.query().is_none()
        };
        if self.public_url.as_ref().is_some_and(|url| !is_public_url(url)) {
            faults.push("public_url: must be http:// or https:// with a host".to_owned());
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

fn is_postgres(url: &str) -> bool {
    ["postgres:", "postgresql:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
