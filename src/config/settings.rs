//! The one declaration of all settings. What reads them, `memsync config`, the README's table and the suggestions for
//! misspelt names work from it; a new setting needs a row here and a field of [`Config`](super::Config).

use std::path::Path;

use super::form::Form;

const ANY_U32: Form = Form::Whole(0, u32::MAX as u64);
const POSITIVE_U32: Form = Form::Whole(1, u32::MAX as u64);
/// No program opens more to one database, and room for them is made at once.
const MAX_CONNECTIONS: u64 = 10_000;
const SECONDS: Form = Form::Seconds(0.0);
/// PostgreSQL counts in milliseconds and takes 0 for no limit.
const SECONDS_OR_PART: Form = Form::Seconds(0.001);
const WHOLE_SECONDS: Form = Form::Seconds(1.0);

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in `memsync.toml`, with dots between levels.
    pub name: &'static str,
    /// What its values look like.
    pub form: Form,
    /// What holds where it is not set.
    pub default: DefaultValue,
    /// What it is for: a sentence in Markdown, without its full stop.
    pub about: &'static str,
}

/// What holds where a setting is not set.
#[derive(Clone, Copy, Debug)]
pub enum DefaultValue {
    /// A value, written as a variable would have it.
    Value(&'static str),
    /// A value that follows from other settings: how the documents name it, and how it is made of their values.
    Derived(&'static str, Derivation),
    /// None; what that means.
    Unset(&'static str),
}

/// Makes a value of those of other settings, which are asked for by name.
pub type Derivation = fn(value: &dyn Fn(&str) -> String) -> String;

use DefaultValue::{Derived, Unset, Value};

impl Setting {
    /// Its variable.
    pub fn variable(&self) -> String {
        format!("MEMSYNC_{}", self.name.replace('.', "__").to_ascii_uppercase())
    }
}

/// What twelve accounts may ask.
const TWELVE_ACCOUNTS: DefaultValue = Derived("12 × `limits.requests_per_minute`", |value| {
    let requests: u32 = value("limits.requests_per_minute").parse().unwrap_or(0);
    requests.saturating_mul(12).to_string()
});

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

const fn set(name: &'static str, form: Form, default: DefaultValue, about: &'static str) -> Setting {
    Setting {
        name,
        form,
        default,
        about,
    }
}

/// Every setting, those of one section together.
pub const SETTINGS: &[Setting] = &[
    set(
        "listen",
        Form::Address,
        Value("127.0.0.1:8080"),
        "where to listen; port 0 takes any free one",
    ),
    set(
        "address_file",
        Form::Path,
        Unset("–"),
        "a file to write the chosen address to",
    ),
    set(
        "data_dir",
        Form::Path,
        Value("./data"),
        "where the SQLite file and generated secrets live",
    ),
    set(
        "bootstrap",
        Form::Switch,
        Value("true"),
        "create an account and a key on an empty database",
    ),
    set("dashboard", Form::Switch, Value("true"), "serve the dashboard"),
    set(
        "trusted_proxies",
        Form::Networks,
        Unset("none"),
        "addresses or CIDR blocks whose `X-Forwarded-*` or `Forwarded` headers are trusted",
    ),
    set(
        "public_url",
        Form::WebUrl,
        Unset("each request's host"),
        "the URL that OAuth clients reach this server by",
    ),
    set(
        "shutdown_timeout",
        SECONDS,
        Value("30"),
        "seconds that a stop waits for requests under way",
    ),
    set(
        "log",
        Form::LogFilter,
        Value("info"),
        "what is logged: a level, or a filter such as `memsync=debug,info`",
    ),
    set(
        "log_format",
        Form::Word(&["text", "json"]),
        Value("text"),
        "`json`: one object per line",
    ),
    set(
        "database.url",
        Form::DatabaseUrl,
        Derived("`sqlite://{data_dir}/memsync.db`", |value| {
            let file = Path::new(&value("data_dir")).join("memsync.db");
            format!("sqlite://{}", file.display())
        }),
        "or `postgres://…` (PostgreSQL 14 to 18); `?sslmode=verify-full&sslrootcert=FILE` for TLS",
    ),
    set(
        "database.replica_url",
        Form::DatabaseUrl,
        Unset("–"),
        "a read replica of PostgreSQL: indexes are loaded from it whenever it has caught up",
    ),
    set(
        "database.max_connections",
        Form::Whole(1, MAX_CONNECTIONS),
        Value("10"),
        "connections in the pool",
    ),
    set(
        "database.min_connections",
        Form::Whole(0, MAX_CONNECTIONS),
        Value("0"),
        "connections to PostgreSQL that are kept open while idle",
    ),
    set(
        "database.auto_migrate",
        Form::Switch,
        Value("true"),
        "bring PostgreSQL's schema up to date at start (SQLite's always is)",
    ),
    set(
        "database.timeout",
        SECONDS_OR_PART,
        Value("5"),
        "seconds to wait for a connection or a lock",
    ),
    set(
        "database.statement_timeout",
        SECONDS_OR_PART,
        Value("30"),
        "seconds that a statement may run on PostgreSQL",
    ),
    set(
        "database.idle_timeout",
        SECONDS,
        Value("600"),
        "seconds that an idle connection to PostgreSQL is kept",
    ),
    set(
        "database.max_lifetime",
        SECONDS,
        Value("1800"),
        "seconds that a connection to PostgreSQL lives",
    ),
    set(
        "auth.registration",
        Form::Word(&["open", "closed"]),
        Value("open"),
        "`closed`: only the command line makes accounts",
    ),
    set(
        "auth.jwt_secret",
        Form::Secret,
        Unset("made once, kept in the data directory"),
        "signs access tokens; at least 32 bytes, the same on all instances",
    ),
    set(
        "auth.jwt_previous_secret",
        Form::Secret,
        Unset("–"),
        "the previous secret: still accepted until its last token has expired",
    ),
    set(
        "auth.access_token_lifetime",
        WHOLE_SECONDS,
        Value("900"),
        "seconds that an access token is valid",
    ),
    set(
        "auth.refresh_token_lifetime",
        WHOLE_SECONDS,
        Value("2592000"),
        "seconds that a session lasts without being refreshed",
    ),
    set(
        "auth.key_cache",
        SECONDS,
        Value("2"),
        "seconds that a checked key or session is cached",
    ),
    set(
        "encryption.master_key",
        Form::Key,
        Unset("made once, kept in the data directory"),
        "encrypts private memories and backups; 32 bytes in base64, the same on all instances",
    ),
    set(
        "encryption.previous_master_key",
        Form::Key,
        Unset("–"),
        "decrypts what was encrypted before a rotation",
    ),
    set(
        "limits.requests_per_minute",
        ANY_U32,
        Value("100"),
        "requests per account; 0 for no limit",
    ),
    set(
        "limits.searches_per_minute",
        ANY_U32,
        Value("50"),
        "searches per account; 0 for no limit",
    ),
    set(
        "limits.integrations_per_minute",
        ANY_U32,
        Value("10"),
        "submissions to integrations per account; 0 for no limit",
    ),
    set(
        "limits.unauthenticated_per_minute",
        ANY_U32,
        TWELVE_ACCOUNTS,
        "requests per address without valid credentials; 0 for no limit",
    ),
    set(
        "limits.requests_per_minute_per_address",
        ANY_U32,
        TWELVE_ACCOUNTS,
        "requests per address for all accounts together; 0 for no limit; loopback addresses have none",
    ),
    set(
        "limits.registrations_per_hour_per_address",
        ANY_U32,
        Value("20"),
        "registrations per address and hour; 0 for no limit",
    ),
    set(
        "limits.registrations_per_hour",
        ANY_U32,
        Value("1000"),
        "registrations per hour in total; 0 for no limit",
    ),
    set(
        "limits.max_concurrent_requests",
        POSITIVE_U32,
        Value("1024"),
        "requests being worked on at one time; more are refused with 503",
    ),
    set(
        "limits.max_request_memory_mb",
        POSITIVE_U32,
        Value("512"),
        "memory for requests at one time, counted as four times the bytes that have arrived; an account may take half",
    ),
    set(
        "limits.max_memories_per_request",
        POSITIVE_U32,
        Value("5000"),
        "a store that would make more memories is refused with 400",
    ),
    set(
        "limits.max_memories_per_account",
        ANY_U32,
        Value("0"),
        "memories that an account may have, superseded ones included; more are refused with 403; 0 for no limit",
    ),
    set(
        "limits.max_memories_per_person",
        ANY_U32,
        Value("0"),
        "the same for each of its people; 0 for no limit",
    ),
    set(
        "limits.max_connections",
        POSITIVE_U32,
        Value("8192"),
        "open connections; beyond that the one that has been idle longest is closed",
    ),
    set(
        "limits.max_connections_per_address",
        POSITIVE_U32,
        Value("1024"),
        "open connections from one address that is not a trusted proxy",
    ),
    set(
        "limits.header_timeout",
        SECONDS_OR_PART,
        Value("10"),
        "seconds for the TLS handshake and for the head of a request",
    ),
    set(
        "limits.body_timeout",
        SECONDS_OR_PART,
        Value("30"),
        "seconds for a body, plus one for every 8 KiB of it; for the next piece of a stream; for a client to go on reading an answer",
    ),
    set(
        "limits.idle_timeout",
        SECONDS_OR_PART,
        Value("300"),
        "seconds that a connection is kept without a request",
    ),
    set(
        "tls.cert",
        Form::Path,
        Unset("–"),
        "a PEM file with the certificate chain: serve TLS 1.2 and 1.3; SIGHUP reads it again",
    ),
    set("tls.key", Form::Path, Unset("–"), "a PEM file with the private key"),
    set(
        "tls.required",
        Form::Switch,
        Value("false"),
        "refuse requests that are encrypted neither here nor at a trusted proxy, except health checks",
    ),
    set(
        "cors.allowed_origins",
        Form::Origins,
        Unset("none"),
        "origins that a browser may call from, or `*`",
    ),
    set(
        "embedder.kind",
        Form::Word(&["builtin", "local"]),
        Value("builtin"),
        "`local`: vectors come from the model in `embedder.path`; needs a binary built with `--features local-embedder`",
    ),
    set(
        "embedder.path",
        Form::Path,
        Unset("–"),
        "a sentence-transformers directory of a BERT model: `config.json`, `tokenizer.json`, `model.safetensors`",
    ),
    set(
        "index.memory_mb",
        POSITIVE_U32,
        Value("512"),
        "bound of the in-memory indexes; searches with `as_of` may take a quarter of it",
    ),
    set(
        "index.max_memories_per_person",
        ANY_U32,
        Value("200000"),
        "people with more are searched in PostgreSQL, if it has pgvector; 0 for everybody (docs/SCALING.md)",
    ),
    set(
        "usage.flush_interval",
        SECONDS_OR_PART,
        Value("10"),
        "seconds between writes of usage counts",
    ),
    set(
        "usage.retention",
        SECONDS,
        Value("7776000"),
        "seconds that usage counts are kept",
    ),
    set(
        "audit.retention",
        SECONDS,
        Value("31536000"),
        "seconds that the audit log is kept",
    ),
];
