//! A whole server in this process on a fresh database, and clients of both transports.

mod database;
mod descriptors;
mod people;
mod postgres;
mod proto_json;
mod proxy;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use memsync::app::{App, Running};
use memsync::config::{
    AuthConfig, Config, ConnectionsConfig, DatabaseConfig, EmbedderConfig, EncryptionConfig, LimitsConfig, LogConfig,
    LogFormat,
};
use memsync::model::{ApiKeyId, Clock, Scope};
use memsync::proto::v1::auth_service_client::AuthServiceClient;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::providers::Embedder;
use memsync::services::{EmbeddingService, IndexSettings, MemoryQuotas, MemoryService, NewApiKey, PersonStore};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Status;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

pub use database::TestDatabase;
pub use descriptors::{Access, Binding, access, bindings, call_raw, success_status};
pub use people::{Hand, PASSWORD, Person};
pub use postgres::Postgres;
pub use proto_json::proto_json;
pub use proxy::{Proxy, Way};

/// A server of its own, with a directory of its own.
pub struct TestServer {
    pub running: Running,
    pub dir: TempDir,
    pub database: TestDatabase,
}

/// A key as its owner sees it.
#[derive(Clone)]
pub struct Key {
    pub id: ApiKeyId,
    pub secret: String,
}

/// As many memories as anybody likes.
const UNLIMITED: MemoryQuotas = MemoryQuotas {
    per_account: 0,
    per_person: 0,
};

/// A server's people as one with another embedder has them, with nothing read yet.
pub struct OtherEmbedder {
    pub memories: Arc<MemoryService>,
    pub embeddings: Arc<EmbeddingService>,
}

impl OtherEmbedder {
    pub fn of(server: &TestServer, embedder: Arc<dyn Embedder>) -> Self {
        let app = &server.running.app;
        let settings = IndexSettings {
            memory_mb: 64,
            max_memories_per_person: 200_000,
        };
        let people = PersonStore::new(app.store.clone(), Clock::system(), embedder, settings, UNLIMITED);
        let people = Arc::new(people);
        let (tasks, receipts) = (Arc::clone(&app.tasks), Arc::clone(&app.receipts));
        let memories = MemoryService::new(Arc::clone(&people), tasks, receipts, usize::MAX, settings);
        Self {
            memories: Arc::new(memories),
            embeddings: Arc::new(EmbeddingService::new(people)),
        }
    }
}

/// The scopes of a key that is made without naming any.
pub const DEFAULT_SCOPES: [&str; 6] = [
    "memories:read",
    "memories:write",
    "profile:read",
    "profile:write",
    "integrations:read",
    "integrations:write",
];

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}, Clock::system()).await
    }

    /// Starts a server whose settings `change` has the last word on.
    pub async fn start_with(change: impl FnOnce(&mut Config), clock: Clock) -> Self {
        install_crypto();
        Self::start_in(tempfile::tempdir().unwrap(), TestDatabase::create(), change, clock).await
    }

    /// Starts a server on what another one left.
    pub async fn start_in(
        dir: TempDir,
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
        clock: Clock,
    ) -> Self {
        let mut config = config(dir.path());
        config.database.url = database.url(dir.path());
        change(&mut config);
        let app = App::open(&config, clock).await.unwrap();
        let running = app.start(&config).await.unwrap();
        Self { running, dir, database }
    }

    /// In how many places of the database, or of the server's directory, a word stands in the clear.
    pub fn traces_of(&self, word: &str) -> usize {
        self.database.traces_of(word, self.dir.path())
    }

    /// Stops the server and starts another one on its directory.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config), clock: Clock) -> Self {
        self.running.stop().await.unwrap();
        Self::start_in(self.dir, self.database, change, clock).await
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// A key of the account with this address, which is made where there is none yet.
    pub async fn create_key(&self, email: &str, scopes: &[&str]) -> Key {
        self.create_expiring_key(email, scopes, None).await
    }

    pub async fn create_expiring_key(&self, email: &str, scopes: &[&str], expires_in: Option<Duration>) -> Key {
        let scopes = scopes.iter().map(|scope| scope.parse::<Scope>().unwrap());
        let new = NewApiKey {
            name: "test".to_owned(),
            scopes: Some(scopes.collect()),
            expires_in,
            ..NewApiKey::default()
        };
        self.issue_key(email, new).await
    }

    /// A key with the default scopes that may touch one person only.
    pub async fn key_bound_to(&self, email: &str, user_id: &str) -> Key {
        let new = NewApiKey {
            name: "bound".to_owned(),
            user_ids: vec![user_id.to_owned()],
            ..NewApiKey::default()
        };
        self.issue_key(email, new).await
    }

    async fn issue_key(&self, email: &str, new: NewApiKey) -> Key {
        let auth = &self.running.app.auth;
        let account = match auth.find_account(email).await.unwrap() {
            Some(account) => account,
            None => auth.create_account(email, None, None).await.unwrap(),
        };
        let (row, secret) = auth.issue_api_key(&account.id, new).await.unwrap();
        Key {
            id: row.id,
            secret: secret.expose().to_owned(),
        }
    }

    /// A REST client with a key of the account `ada@example.com`.
    pub async fn ada(&self) -> Rest {
        let key = self.create_key("ada@example.com", &DEFAULT_SCOPES).await;
        self.rest(&key.secret)
    }

    pub fn rest(&self, key: &str) -> Rest {
        Rest {
            client: reqwest::Client::new(),
            base: self.url(""),
            headers: vec![("x-api-key".to_owned(), key.to_owned())],
        }
    }

    pub fn anonymous(&self) -> Rest {
        Rest {
            client: reqwest::Client::new(),
            base: self.url(""),
            headers: Vec::new(),
        }
    }

    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url("")).unwrap().connect_lazy()
    }

    pub fn memories(&self, metadata: &[(&str, &str)]) -> MemoryServiceClient<InterceptedService<Channel, Sender>> {
        MemoryServiceClient::with_interceptor(self.channel(), Sender::new(metadata))
    }

    pub fn auth(&self, metadata: &[(&str, &str)]) -> AuthServiceClient<InterceptedService<Channel, Sender>> {
        AuthServiceClient::with_interceptor(self.channel(), Sender::new(metadata))
    }
}

/// Settings of a server in this directory, on SQLite.
pub fn config(dir: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        address_file: None,
        data_dir: dir.to_owned(),
        bootstrap: false,
        dashboard: true,
        shutdown_timeout: Duration::from_secs(30),
        log: LogConfig {
            filter: "off".to_owned(),
            format: LogFormat::Text,
        },
        database: DatabaseConfig {
            url: format!("sqlite://{}", dir.join("memsync.db").display()),
            replica_url: None,
            min_connections: 0,
            max_connections: 4,
            auto_migrate: true,
            timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(1800),
        },
        auth: AuthConfig {
            key_cache: Duration::from_secs(3600),
            jwt_secret: None,
            jwt_previous_secret: None,
            is_registration_open: true,
            access_token_lifetime: Duration::from_secs(900),
            refresh_token_lifetime: Duration::from_secs(3600),
        },
        encryption: EncryptionConfig::default(),
        embedder: EmbedderConfig::BuiltIn,
        limits: LimitsConfig {
            requests_per_minute: 0,
            searches_per_minute: 0,
            integrations_per_minute: 0,
            are_set: true,
            unauthenticated_per_minute: 0,
            max_memories_per_request: 5_000,
            max_memories_per_account: 0,
            max_memories_per_person: 0,
            requests_per_minute_per_address: 0,
            registrations_per_hour_per_address: 0,
            registrations_per_hour: 0,
        },
        tls: None,
        tls_required: false,
        trusted_proxies: Vec::new(),
        public_url: None,
        usage_flush_interval: Duration::from_secs(3600),
        usage_retention: Duration::from_secs(86_400),
        audit_retention: Duration::from_secs(86_400),
        cors_allowed_origins: Vec::new(),
        index_memory_mb: 64,
        max_memories_per_person: database::max_memories_per_person(),
        max_concurrent_requests: 1024,
        max_request_memory_mb: 512,
        connections: ConnectionsConfig {
            max: 8192,
            max_per_address: 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
        },
        warnings: Vec::new(),
    }
}

pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    });
}

/// Sends the same metadata with every call.
#[derive(Clone)]
pub struct Sender(Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>);

impl Sender {
    pub fn new(metadata: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        Self(metadata.iter().map(pair).collect())
    }
}

impl Interceptor for Sender {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        for (name, value) in &self.0 {
            request.metadata_mut().insert(name.clone(), value.clone());
        }
        Ok(request)
    }
}

/// A REST client that sends the same headers with every request.
#[derive(Clone)]
pub struct Rest {
    client: reqwest::Client,
    base: String,
    headers: Vec<(String, String)>,
}

/// A whole REST answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Rest {
    /// The same client with one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        self.headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value.as_bytes()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request("POST", path).json(body)).await
    }

    /// A request of any verb; without a body where that is null.
    pub async fn call(&self, verb: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(verb, path);
        send(if body.is_null() { request } else { request.json(body) }).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call("PATCH", path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &Value::Null).await
    }

    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request("POST", path).header("content-type", "application/json");
        send(request.body(body)).await
    }

    /// Stores a conversation, which must succeed.
    pub async fn store(&self, body: &Value) -> Value {
        self.post("/v1/memories", body).await.ok()
    }

    /// Searches, which must succeed; the memories found.
    pub async fn search(&self, body: &Value) -> Vec<Value> {
        let answer = self.post("/v1/memories/search", body).await.ok();
        answer["memories"].as_array().unwrap().clone()
    }

    /// Lists, which must succeed; the memories of the page.
    pub async fn list(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v1/memories?{query}")).await.ok();
        answer["data"].as_array().unwrap().clone()
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.unwrap().to_vec(),
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {}: {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is a failure in the documented shape, all of it; its `details`.
    #[track_caller]
    pub fn failure(&self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status.as_u16(), &body["error"]["code"]),
            (status, &json!(code)),
            "{body}"
        );
        self.documented_shape();
        body["error"]["details"].clone()
    }

    /// Checks that this is a page that runs and loads nothing but its own server's files, and is framed by nobody; its text.
    #[track_caller]
    pub fn strict_page(&self) -> String {
        let text = String::from_utf8(self.bytes.clone()).unwrap();
        assert_eq!(self.status, StatusCode::OK, "{text}");
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = self.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|stated| stated == rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("x-frame-options"), Some("DENY"));
        text
    }

    /// Checks that the body has the shape of every failure, and agrees with the status and the headers.
    #[track_caller]
    pub fn documented_shape(&self) {
        let body = self.json();
        let message = &body["error"]["message"];
        let retry_after = body.get("retry_after");
        let mut expected = json!({
            "detail": message,
            "status_code": self.status.as_u16(),
            "error": {"code": body["error"]["code"], "message": message, "details": body["error"]["details"]},
            "status": "error",
            "timestamp": body["timestamp"],
            "request_id": self.header("x-request-id"),
        });
        if let Some(seconds) = retry_after {
            expected["retry_after"] = seconds.clone();
            assert_eq!(self.header("retry-after"), Some(seconds.to_string().as_str()));
        }
        assert_eq!(body, expected);
        assert!(message.as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert!(
            body["error"]["code"].as_str().is_some_and(|code| !code.is_empty()),
            "{body}"
        );
        assert!(body["error"]["details"].is_object(), "{body}");
        assert!(
            body["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')),
            "{body}"
        );
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}

/// A conversation of the user's own words, in the thread `thread`.
pub fn conversation(thread: &str, words: &[&str]) -> Value {
    let messages: Vec<Value> = words
        .iter()
        .map(|text| json!({"role": "user", "content": text}))
        .collect();
    json!({"messages": messages, "agent_id": "assistant", "thread_id": thread, "source": "chat"})
}

/// The values of one field, in order.
pub fn field<'v>(memories: &'v [Value], name: &str) -> Vec<&'v str> {
    memories.iter().map(|memory| memory[name].as_str().unwrap()).collect()
}

/// How many files of a directory hold a word in the clear, in letters of any case.
pub fn files_with(directory: &Path, word: &str) -> usize {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let holds = |bytes: &[u8]| {
        bytes
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    files.filter(|file| holds(&std::fs::read(file).unwrap())).count()
}
