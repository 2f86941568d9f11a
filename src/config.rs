//! Settings: defaults, then `memsync.toml`, then `MEMSYNC_*`. The only place that reads the environment.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Value};

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
    /// How long a stop waits for requests under way.
    pub shutdown_timeout: Duration,
    /// What is logged.
    pub log: LogConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Authentication.
    pub auth: AuthConfig,
    /// TLS; plain text when absent.
    pub tls: Option<TlsConfig>,
    /// Origins that a browser may call from; `*` for any.
    pub cors_allowed_origins: Vec<String>,
    /// Bound of the in-memory indexes, in MiB.
    pub index_memory_mb: u64,
    /// Requests being answered at one time; more are refused with 503.
    pub max_concurrent_requests: usize,
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
    /// Connections in the pool.
    pub max_connections: u32,
    /// Whether `serve` brings PostgreSQL's schema up to date; SQLite's it always does.
    pub auto_migrate: bool,
    /// How long to wait for a connection or a lock.
    pub timeout: Duration,
}

/// Authentication.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// How long a resolved key is believed without asking the database again.
    pub key_cache: Duration,
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
            shutdown_timeout: read.seconds("shutdown_timeout", 30.0),
            log: LogConfig {
                filter: read.get("log").unwrap_or_else(|| "info".to_owned()),
                format: read.get("log_format").unwrap_or(LogFormat::Text),
            },
            database: DatabaseConfig {
                url: read.get("database.url").unwrap_or_else(default_url),
                max_connections: read.get("database.max_connections").unwrap_or(10),
                auto_migrate: read.get("database.auto_migrate").unwrap_or(true),
                timeout: read.seconds("database.timeout", 5.0),
            },
            auth: AuthConfig {
                key_cache: read.seconds("auth.key_cache", 2.0),
            },
            tls: read.tls(),
            cors_allowed_origins: read.list("cors.allowed_origins"),
            index_memory_mb: read.get("index.memory_mb").unwrap_or(512),
            max_concurrent_requests: read.get("limits.max_concurrent_requests").unwrap_or(1024),
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
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| self.database.url.starts_with(scheme))
        {
            faults.push("database.url: must begin with sqlite: or postgres:".to_owned());
        }
        for (name, is_zero) in [
            ("database.max_connections", self.database.max_connections == 0),
            ("index.memory_mb", self.index_memory_mb == 0),
            ("limits.max_concurrent_requests", self.max_concurrent_requests == 0),
        ] {
            if is_zero {
                faults.push(format!("{name}: must be at least 1"));
            }
        }
        if let Err(e) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            faults.push(format!("log: {e}"));
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

struct Reader {
    figment: Figment,
    faults: Vec<String>,
    known: BTreeSet<&'static str>,
}

impl Reader {
    fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.insert(name);
        let value = self.figment.find_value(name).ok()?;
        let text = match &value {
            Value::String(_, text) => Some(text.clone()),
            Value::Bool(_, b) => Some(b.to_string()),
            Value::Num(_, n) => {
                let whole = n
                    .to_i128()
                    .map(|n| n.to_string())
                    .or_else(|| n.to_u128().map(|n| n.to_string()));
                whole.or_else(|| n.to_f64().map(|n| n.to_string()))
            }
            Value::Array(_, items) => items
                .iter()
                .map(|i| i.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(|i| i.join(",")),
            Value::Char(_, c) => Some(c.to_string()),
            Value::Dict(..) | Value::Empty(..) => None,
        };
        if text.is_none() {
            self.faults.push(format!("{name}: must be a single value"));
        }
        text
    }

    fn get<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.faults.push(format!("{name}: {text:?}: {e}"));
                None
            }
        }
    }

    fn seconds(&mut self, name: &'static str, default: f64) -> Duration {
        let seconds = self.get(name).unwrap_or(default);
        Duration::try_from_secs_f64(seconds).unwrap_or_else(|e| {
            self.faults.push(format!("{name}: {seconds}: {e}"));
            Duration::ZERO
        })
    }

    fn list(&mut self, name: &'static str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Names that were given and never asked for.
    fn unknown(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Ok(given) = self.figment.extract::<Dict>() {
            flatten(&given, "", &mut names);
        }
        names.retain(|name| !self.known.contains(name.as_str()));
        names
    }

    fn tls(&mut self) -> Option<TlsConfig> {
        match (self.get("tls.cert"), self.get("tls.key")) {
            (Some(cert), Some(key)) => Some(TlsConfig { cert, key }),
            (None, None) => None,
            (Some(_), None) => {
                self.faults.push("tls.key: is needed beside tls.cert".to_owned());
                None
            }
            (None, Some(_)) => {
                self.faults.push("tls.cert: is needed beside tls.key".to_owned());
                None
            }
        }
    }
}

fn flatten(given: &Dict, prefix: &str, names: &mut Vec<String>) {
    for (key, value) in given {
        let name = format!("{prefix}{key}");
        match value.as_dict() {
            Some(inner) => flatten(inner, &format!("{name}."), names),
            None => names.push(name),
        }
    }
}
