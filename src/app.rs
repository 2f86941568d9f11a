//! The composition root: settings → store, embedder, services, routers, server. The one place that sees everything.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use prost_reflect::DescriptorPool;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::grpc::{self, GrpcOptions, MAX_MESSAGE_BYTES};
use crate::model::{Clock, ScopeSet};
use crate::proto::DESCRIPTORS;
use crate::providers::StaticTable;
use crate::rest::{self, RestSettings};
use crate::server::{self, ServerHandle};
use crate::services::{ApiKeySecret, AuthService, MemoryService, NewApiKey};
use crate::store::{Store, StoreOptions};

/// The account of the first start.
const BOOTSTRAP_EMAIL: &str = "local@memsync.dev";
/// How long a request may take at most.
const MAX_DEADLINE: Duration = Duration::from_secs(60);
/// How often the database is asked whether it still answers.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
const SERVICES: [&str; 3] = ["", "memsync.v1.AuthService", "memsync.v1.MemoryService"];

/// The services over one database.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// Accounts and keys.
    pub auth: Arc<AuthService>,
    /// Memories.
    pub memories: Arc<MemoryService>,
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
    watching: JoinHandle<()>,
    shutdown_timeout: Duration,
}

impl App {
    /// Opens the database, brings its schema up to date, and makes the services.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self> {
        let store = Store::connect(&StoreOptions {
            url: config.database.url.clone(),
            max_connections: config.database.max_connections,
            timeout: config.database.timeout,
        })
        .await?;
        if config.database.auto_migrate || config.database.url.starts_with("sqlite:") {
            store.migrate_up().await?;
        }
        let auth = Arc::new(AuthService::new(store.clone(), clock.clone(), config.auth.key_cache));
        let embedder = StaticTable::built_in();
        let memories = Arc::new(MemoryService::new(
            store.clone(),
            clock,
            embedder,
            config.index_memory_mb,
        ));
        Ok(Self { store, auth, memories })
    }

    /// On an empty database, makes an account with a key.
    pub async fn bootstrap(&self) -> Result<Option<ApiKeySecret>> {
        if !self.auth.is_empty().await? {
            return Ok(None);
        }
        let account = match self.auth.create_account(BOOTSTRAP_EMAIL, None).await {
            // Another instance on the same database was first.
            Err(Error::Conflict(_)) => return Ok(None),
            account => account?,
        };
        let new = NewApiKey {
            account_id: account.id,
            name: "first key".to_owned(),
            scopes: ScopeSet::default_for_keys(),
            expires_in: None,
        };
        let (_, secret) = self.auth.create_api_key(new).await?;
        Ok(Some(secret))
    }

    /// Listens, and serves in the background.
    pub async fn start(self, config: &Config) -> anyhow::Result<Running> {
        let tls = match &config.tls {
            Some(tls) => Some(server::load_tls(tls).await?),
            None => None,
        };
        let (health, health_service) = health_reporter();
        for service in SERVICES {
            health.set_service_status(service, ServingStatus::Serving).await;
        }
        let descriptors = DescriptorPool::decode(DESCRIPTORS)?;
        let options = GrpcOptions {
            auth: Arc::clone(&self.auth),
            memories: Arc::clone(&self.memories),
            max_concurrent_requests: config.max_concurrent_requests,
            max_deadline: MAX_DEADLINE,
        };
        let grpc = grpc::router(&descriptors, health_service, options)?;
        let router = both(&descriptors, grpc, config)?;

        let listener = TcpListener::bind(config.listen).with_context(|| format!("listen: {}", config.listen))?;
        let address = listener.local_addr()?;
        if let Some(file) = &config.address_file {
            std::fs::write(file, address.to_string())?;
        }
        let handle = ServerHandle::new();
        let serving = tokio::spawn(server::serve(listener, tls, router, handle.clone()));
        let watching = tokio::spawn(watch_database(self.store.clone(), health.clone()));
        let shutdown_timeout = config.shutdown_timeout;
        Ok(Running {
            address,
            app: self,
            handle,
            health,
            serving,
            watching,
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

    /// Stops: health turns to NOT_SERVING, requests under way are finished, the database is closed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.watching.abort();
        for service in SERVICES {
            self.health.set_service_status(service, ServingStatus::NotServing).await;
        }
        self.handle.graceful_shutdown(Some(self.shutdown_timeout));
        if !self.serving.is_finished() {
            self.serving.await??;
        }
        self.app.store.close().await?;
        Ok(())
    }
}

/// gRPC by its own paths, REST for everything else.
fn both(descriptors: &DescriptorPool, grpc: Router, config: &Config) -> anyhow::Result<Router> {
    let settings = RestSettings {
        max_body_bytes: MAX_MESSAGE_BYTES,
        allowed_origins: config.cors_allowed_origins.clone(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let rest = rest::router(descriptors, grpc.clone(), settings)?;
    Ok(grpc.fallback_service(rest))
}

async fn watch_database(store: Store, health: HealthReporter) {
    let mut tick = tokio::time::interval(HEALTH_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let status = match store.ping().await {
            Ok(()) => ServingStatus::Serving,
            Err(_) => ServingStatus::NotServing,
        };
        for service in SERVICES {
            health.set_service_status(service, status).await;
        }
    }
}
