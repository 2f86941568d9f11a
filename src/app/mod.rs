//! The composition root: settings → store, embedder, services, routers, server. The one place that sees everything.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use prost_reflect::DescriptorPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::admission::{Capacity, CapacityLimits};
use crate::config::{Config, EmbedderConfig};
use crate::dashboard;
use crate::error::{Error, Result};
use crate::grpc::{self, GrpcOptions, MAX_MESSAGE_BYTES};
use crate::in_process::RestClient;
use crate::jobs;
use crate::model::Clock;
use crate::oauth::{self, OAuthOptions};
use crate::openapi;
use crate::proto::DESCRIPTORS;
#[cfg(feature = "local-embedder")]
use crate::providers::LocalModel;
use crate::providers::{Embedder, StaticTable};
use crate::rest::{self, RestSettings};
use crate::server::{self, ConnectionLimits, ServerHandle, TlsCertificate};
use crate::services::{
    AuditLog, AuthService, CandidateService, EmbeddingService, IndexSettings, MemoryQuotas, MemoryService, PersonStore,
    PortabilityService, ProfileService, RateLimitSettings, RateLimiter, Receipts, TaskQueue, UsageService,
};
use crate::store::Store;

mod background;
mod database;
mod first_start;
mod keys;

use background::Background;
pub use database::{connect, why_away};
pub use first_start::setup_url;
use keys::auth_settings;
pub use keys::{exposed_secrets, has_master_key, receipts, rotate_master_key};

/// How long a request may take at most.
const MAX_DEADLINE: Duration = Duration::from_secs(60);
const VERSION: &str = env!("CARGO_PKG_VERSION");
const SERVICES: [&str; 5] = [
    "",
    "memsync.v1.AuthService",
    "memsync.v1.IntegrationService",
    "memsync.v1.MemoryService",
    "memsync.v1.ProfileService",
];

/// The services over one database.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// Accounts and keys.
    pub auth: Arc<AuthService>,
    /// How often.
    pub limits: Arc<RateLimiter>,
    /// How much.
    pub usage: Arc<UsageService>,
    /// Who did what.
    pub audit: Arc<AuditLog>,
    /// Signed statements of what was erased.
    pub receipts: Arc<Receipts>,
    /// Memories.
    pub memories: Arc<MemoryService>,
    /// Exports and imports.
    pub portability: Arc<PortabilityService>,
    /// Vectors.
    pub embeddings: Arc<EmbeddingService>,
    /// Background work.
    pub tasks: Arc<TaskQueue>,
    /// Profiles.
    pub profiles: Arc<ProfileService>,
    candidates: Arc<CandidateService>,
    clock: Clock,
    is_ready: Arc<watch::Sender<bool>>,
}

/// A server that is listening.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The services behind it.
    pub app: App,
    handle: ServerHandle,
    health: HealthReporter,
    serving: JoinHandle<std::io::Result<()>>,
    background: Background,
    certificate: Option<TlsCertificate>,
    shutdown_timeout: Duration,
}

impl App {
    /// Makes the services, and the database ready for them.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self> {
        let app = Self::assemble(config, clock).await?;
        app.prepare(config).await?;
        Ok(app)
    }

    /// Makes the services over a database that need not answer yet.
    pub async fn assemble(config: &Config, clock: Clock) -> Result<Self> {
        let store = connect(config).await?;
        let receipts = Arc::new(receipts(config)?);
        let audit = Arc::new(AuditLog::new(store.clone(), clock.clone()));
        let auth = AuthService::new(
            store.clone(),
            clock.clone(),
            auth_settings(config)?,
            Arc::clone(&receipts),
            Arc::clone(&audit),
        );
        let limits = RateLimitSettings {
            requests: config.limits.requests_per_minute,
            searches: config.limits.searches_per_minute,
            integrations: config.limits.integrations_per_minute,
            unauthenticated: config.limits.unauthenticated_per_minute,
            requests_of_address: config.limits.requests_per_minute_per_address,
        };
        let limits = RateLimiter::new(store.clone(), clock.clone(), limits);
        let usage = UsageService::new(store.clone(), clock.clone());
        let indexes = IndexSettings {
            memory_mb: config.index_memory_mb,
            max_memories_per_person: config.max_memories_per_person,
        };
        let quotas = MemoryQuotas {
            per_account: config.limits.max_memories_per_account,
            per_person: config.limits.max_memories_per_person,
        };
        let people = PersonStore::new(store.clone(), clock.clone(), embedder(config)?, indexes, quotas);
        let people = Arc::new(people);
        let tasks = Arc::new(TaskQueue::new(store.clone(), clock.clone()));
        let memories = MemoryService::new(
            Arc::clone(&people),
            Arc::clone(&tasks),
            Arc::clone(&receipts),
            config.limits.max_memories_per_request,
            indexes,
        );
        Ok(Self {
            store,
            auth: Arc::new(auth),
            limits: Arc::new(limits),
            usage: Arc::new(usage),
            audit,
            receipts,
            memories: Arc::new(memories),
            portability: Arc::new(PortabilityService::new(Arc::clone(&people))),
            profiles: Arc::new(ProfileService::new(Arc::clone(&people))),
            embeddings: Arc::new(EmbeddingService::new(Arc::clone(&people))),
            candidates: Arc::new(CandidateService::new(people)),
            tasks,
            clock,
            is_ready: Arc::new(watch::Sender::new(false)),
        })
    }

    /// Brings the schema up to date. From then on requests can be answered.
    pub async fn prepare(&self, config: &Config) -> Result<()> {
        // Requests must not see a schema that is not there yet: for them the database is still away.
        let store = self.store.unguarded();
        if config.database.auto_migrate || config.database.url.starts_with("sqlite:") {
            store.migrate_up().await?;
        }
        let can_migrate = config.database.auto_migrate;
        if !self.candidates.prepare(&store, can_migrate).await? && config.max_memories_per_person == 0 {
            tracing::warn!(
                "index.max_memories_per_person is ignored: this database can't find candidates, so memory holds everybody"
            );
        }
        if let Err(error) = store.check_master_key().await {
            let cause = anyhow::Error::from(error);
            tracing::warn!("private memories and backups can't be read or written: {cause:#}");
        }
        self.store.ping().await?;
        self.is_ready.send_replace(true);
        Ok(())
    }

    /// Returns when the database is ready.
    pub async fn ready(&self) {
        let mut is_ready = self.is_ready.subscribe();
        // The sender lives as long as `self`.
        let _ = is_ready.wait_for(|is_ready| *is_ready).await;
    }

    /// Whether the database has answered and is up to date.
    pub fn is_ready(&self) -> bool {
        *self.is_ready.borrow()
    }

    /// Listens, and serves in the background. Where the database does not answer yet, requests are refused with 503 until
    /// it does.
    pub async fn start(self, config: &Config) -> anyhow::Result<Running> {
        if !self.is_ready() {
            match self.prepare(config).await {
                // A file that can't be opened is not going to come by itself.
                Err(Error::Unavailable(cause)) if !config.database.url.starts_with("sqlite:") => {
                    let why = why_away(config).await;
                    let why = why.unwrap_or_else(|| format!("{:#}", anyhow::anyhow!(cause)));
                    tracing::warn!("waiting for the database: {why}");
                    self.store.expect_nothing();
                }
                prepared => prepared?,
            }
        }
        let status = match *self.is_ready.borrow() {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        let certificate = match &config.tls {
            Some(tls) => Some(TlsCertificate::load(tls).await?),
            None => None,
        };
        let health = HealthReporter::new();
        for service in SERVICES {
            health.set_service_status(service, status).await;
        }
        let descriptors = DescriptorPool::decode(DESCRIPTORS)?;
        let options = GrpcOptions {
            auth: Arc::clone(&self.auth),
            limits: Arc::clone(&self.limits),
            usage: Arc::clone(&self.usage),
            audit: Arc::clone(&self.audit),
            memories: Arc::clone(&self.memories),
            portability: Arc::clone(&self.portability),
            tasks: Arc::clone(&self.tasks),
            profiles: Arc::clone(&self.profiles),
            tls_required: config.tls_required,
            max_deadline: MAX_DEADLINE,
        };
        let grpc = grpc::router(&descriptors, health.clone(), options)?;
        let router = routes(&descriptors, grpc, &self, config)?;

        let listener = bind(config.listen)?;
        let address = listener.local_addr()?;
        if let Some(file) = &config.address_file {
            std::fs::write(file, address.to_string())
                .with_context(|| format!("address_file: can't write {}", file.display()))?;
        }
        let handle = ServerHandle::new(&connection_limits(config), &config.trusted_proxies);
        let serving = tokio::spawn(server::serve(
            listener,
            certificate.clone(),
            router,
            config.trusted_proxies.clone(),
            handle.clone(),
        ));
        let background = Background::start(&self, config, health.clone(), status);
        let shutdown_timeout = config.shutdown_timeout;
        Ok(Running {
            address,
            app: self,
            handle,
            health,
            serving,
            background,
            certificate,
            shutdown_timeout,
        })
    }
}

impl Running {
    /// Serves until `signal`, then stops: health turns to NOT_SERVING, requests under way are finished.
    pub async fn run_until(mut self, signal: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = signal => {}
            ended = &mut self.serving => return Ok(ended??),
        }
        self.stop().await
    }

    /// The certificate of this server, where it has one.
    pub fn certificate(&self) -> Option<TlsCertificate> {
        self.certificate.clone()
    }

    /// Stops: health turns to NOT_SERVING, requests under way are finished, counts are written, the database is closed.
    pub async fn stop(self) -> anyhow::Result<()> {
        let jobs = self.background.stop_loops().await;
        for service in SERVICES {
            self.health.set_service_status(service, ServingStatus::NotServing).await;
        }
        self.handle.graceful_shutdown(self.shutdown_timeout);
        if !self.serving.is_finished() {
            self.serving.await??;
        }
        jobs.stop(self.shutdown_timeout).await;
        jobs::flush(&self.app.usage, &self.app.audit).await;
        self.app.store.close().await?;
        Ok(())
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|e| match e.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "listen: {address} is in use: stop the program that listens there, or choose another port with MEMSYNC_LISTEN"
        ),
        ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("listen: {} is not an address of this machine: {e}", address.ip())
        }
        _ => anyhow::anyhow!("listen: can't listen on {address}: {e}"),
    })
}

fn embedder(config: &Config) -> Result<Arc<dyn Embedder>> {
    match &config.embedder {
        EmbedderConfig::BuiltIn => Ok(StaticTable::built_in()),
        #[cfg(feature = "local-embedder")]
        EmbedderConfig::Local(directory) => {
            let model = LocalModel::load(directory).context("embedder.path");
            Ok(Arc::new(model.map_err(|e| Error::Unavailable(e.into()))?))
        }
    }
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    let settings = &config.connections;
    let possible = server::raise_file_limit();
    if possible < settings.max {
        tracing::warn!(
            connections = possible,
            "the limit on open files allows fewer connections than limits.max_connections: raise it (ulimit -n)"
        );
    }
    ConnectionLimits {
        max: settings.max.min(possible).max(1),
        max_per_address: settings.max_per_address,
        header_timeout: settings.header_timeout,
        idle_timeout: settings.idle_timeout,
        unread_timeout: settings.body_timeout,
    }
}

/// gRPC, OAuth, the documentation and the dashboard by their own paths, REST for everything else; all within one capacity.
fn routes(descriptors: &DescriptorPool, grpc: Router, app: &App, config: &Config) -> anyhow::Result<Router> {
    let settings = RestSettings {
        max_body_bytes: MAX_MESSAGE_BYTES,
        allowed_origins: config.cors_allowed_origins.clone(),
        tls_required: config.tls_required,
        version: VERSION,
    };
    let capacity = Capacity::new(CapacityLimits {
        requests: config.max_concurrent_requests,
        memory_mb: config.max_request_memory_mb,
        body_timeout: config.connections.body_timeout,
    });
    let rest = rest::router(descriptors, grpc.clone(), &settings)?;
    // REST, OAuth and gRPC see to it themselves.
    let over_tls = |pages: Router| match config.tls_required {
        true => pages.layer(from_fn(rest::only_over_tls)),
        false => pages,
    };
    let dashboard = match config.dashboard {
        true => rest::for_browsers(over_tls(dashboard::router(RestClient::new(rest.clone()))), &[])?,
        false => Router::new(),
    };
    let dashboard = server::limited(dashboard, &capacity, rest::overloaded);
    let rest = server::limited(rest, &capacity, rest::overloaded);
    let oauth = oauth::router(OAuthOptions {
        auth: Arc::clone(&app.auth),
        limits: Arc::clone(&app.limits),
        public_url: config.public_url.clone(),
        tls_required: config.tls_required,
    });
    let oauth = rest::for_browsers(oauth, &settings.allowed_origins)?;
    let oauth = server::limited(oauth, &capacity, rest::overloaded);
    let document = openapi::document(descriptors, settings.version, config.public_url.as_ref())?;
    let docs = rest::for_browsers(over_tls(openapi::router(&document)), &settings.allowed_origins)?;
    let docs = server::limited(docs, &capacity, rest::overloaded);
    let grpc = server::limited(grpc, &capacity, grpc::overloaded);
    let router = grpc.merge(oauth).merge(docs).merge(dashboard).fallback_service(rest);
    Ok(router.layer(from_fn(only_by_one_host)))
}

async fn only_by_one_host(request: Request, next: Next) -> Response {
    match server::names_one_host(&request) {
        true => next.run(request).await,
        false => rest::no_single_host(request.headers()),
    }
}

/// The OpenAPI document that a server with these settings serves.
pub fn openapi_document(config: &Config) -> anyhow::Result<serde_json::Value> {
    let descriptors = DescriptorPool::decode(DESCRIPTORS)?;
    let document = openapi::document(&descriptors, VERSION, config.public_url.as_ref())?;
    Ok(document)
}
