//! What a server does beside answering: watch the database, write counts, sweep, drive the jobs.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use uuid::Uuid;

use super::{App, SERVICES};
use crate::config::Config;
use crate::error::Result;
use crate::jobs;
use crate::services::CandidateBuild;

/// How often the database is asked whether it still answers.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// How often what is too old is forgotten.
const PURGE_INTERVAL: Duration = Duration::from_secs(3600);
/// How often people are looked for who have outgrown memory.
const CANDIDATES_INTERVAL: Duration = Duration::from_secs(5);
/// How often memories are looked for whose time is over.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

impl App {
    /// Writes what is counted in memory; what can't be written now waits for the next time.
    pub(super) async fn flush(&self) {
        for written in [self.usage.flush().await, self.audit.flush().await] {
            if let Err(error) = written {
                tracing::warn!(%error, "usage counts are not written yet");
            }
        }
    }

    /// Whether this instance is the one that does a sweep. The one that does goes on with it; another takes over when it
    /// has missed two.
    async fn sweeps(&self, what: &str, instance: &str, every: Duration) -> Result<bool> {
        let now = self.clock.now();
        let lease = TimeDelta::from_std(every * 5 / 2).unwrap_or(TimeDelta::MAX);
        self.store.take_lease(what, instance, now, now + lease).await
    }

    async fn build_all_candidates(&self, instance: &str) -> Result<()> {
        let mut build = CandidateBuild::default();
        while self.sweeps("candidates", instance, CANDIDATES_INTERVAL).await?
            && self.memories.build_candidates(&mut build).await?
        {}
        Ok(())
    }

    /// Forgets memories whose time is over; says how many.
    async fn forget_expired(&self, instance: &str) -> Result<usize> {
        match self.sweeps("expiry", instance, EXPIRY_INTERVAL).await? {
            true => self.memories.forget_expired().await,
            false => Ok(0),
        }
    }

    /// Forgets what is too old.
    async fn purge(&self, instance: &str, config: &Config) -> Result<()> {
        if !self.sweeps("purge", instance, PURGE_INTERVAL).await? {
            return Ok(());
        }
        let days = |retention| TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
        self.auth.purge().await?;
        self.memories.purge().await?;
        self.usage.purge(days(config.usage_retention)).await?;
        self.audit.purge(days(config.audit_retention)).await
    }
}

pub(super) async fn do_jobs(app: App, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = app.ready() => {}
        _ = stopped.changed() => return,
    }
    if let Err(error) = app.memories.resume_tasks().await {
        tracing::warn!(%error, "tasks of the previous run wait until their leases end");
    }
    jobs::run(app.memories, app.profiles, stopped).await;
}

/// Builds candidates of people who have outgrown memory, on one instance at a time.
pub(super) async fn build_candidates(app: App) {
    app.ready().await;
    let instance = Uuid::now_v7().to_string();
    let mut tick = tokio::time::interval(CANDIDATES_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = app.build_all_candidates(&instance).await {
            tracing::warn!(%error, "candidates are not built yet");
        }
    }
}

pub(super) async fn maintain(app: App, config: Config) {
    app.ready().await;
    let instance = Uuid::now_v7().to_string();
    let mut flush = tokio::time::interval(config.usage_flush_interval);
    let mut purge = tokio::time::interval(PURGE_INTERVAL);
    let mut expire = tokio::time::interval(EXPIRY_INTERVAL);
    for interval in [&mut flush, &mut purge, &mut expire] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            _ = flush.tick() => app.flush().await,
            _ = expire.tick() => match app.forget_expired(&instance).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "expired memories were removed"),
                Err(error) => tracing::warn!(%error, "expired memories are not removed yet"),
            },
            _ = purge.tick() => {
                if let Err(error) = app.purge(&instance, &config).await {
                    tracing::warn!(%error, "old data is not removed yet");
                }
            }
        }
    }
}

/// Makes the database ready where it is not yet, and asks ever after whether it answers. Tells of changes only: whoever
/// watches the health service hears of nothing else.
pub(super) async fn watch_database(app: App, config: Config, health: HealthReporter, mut told: ServingStatus) {
    let mut tick = tokio::time::interval(HEALTH_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let is_ready = *app.is_ready.borrow();
        let answer = match is_ready {
            true => {
                let (answer, _) = tokio::join!(app.store.ping(), app.store.ping_replica());
                answer
            }
            false => app.prepare(&config).await,
        };
        let status = match answer {
            Ok(()) => ServingStatus::Serving,
            Err(_) => ServingStatus::NotServing,
        };
        if status == told {
            continue;
        }
        match answer {
            Ok(()) => tracing::info!("the database is available"),
            Err(error) => tracing::warn!(
                error = format!("{:#}", anyhow::Error::from(error)),
                "the database is unavailable"
            ),
        }
        for service in SERVICES {
            health.set_service_status(service, status).await;
        }
        told = status;
    }
}
