//! What a server does after a change of the embedder: gives memories vectors of the new one, in its own time.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::App;
use crate::error::Result;
use crate::services::Reembedding;

/// How often memories are looked for that lack a vector: an instance of another version may store such ones.
const INTERVAL: Duration = Duration::from_secs(86_400);
/// How often it is tried again where another instance is at it, or something failed.
const RETRY: Duration = Duration::from_secs(60);
/// How long whoever does it has it for themselves, and by when they say that they go on.
const LEASE: TimeDelta = TimeDelta::seconds(120);
const RENEWED_AFTER: Duration = Duration::from_secs(30);
/// How many times as long as it looked for such memories it rests before it looks further. Requests go first: a start on
/// many memories takes no more than a tenth of a core from them.
const REST_AFTER_LOOKING: u32 = 9;
/// The lease must not run out meanwhile.
const LONGEST_REST: Duration = RENEWED_AFTER;
/// How often the log says how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

pub(super) async fn reembed(app: App) {
    app.ready().await;
    let instance = Uuid::now_v7().to_string();
    let mut tick = tokio::time::interval(RETRY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done: Option<Instant> = None;
    loop {
        tick.tick().await;
        if done.is_some_and(|done| done.elapsed() < INTERVAL) {
            continue;
        }
        match app.reembed(&instance).await {
            Ok(true) => done = Some(Instant::now()),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "vectors of the current model are not computed yet"),
        }
    }
}

impl App {
    /// Gives every memory a vector of the model in use; false where another instance is at it.
    async fn reembed(&self, instance: &str) -> Result<bool> {
        // Looking through all memories is itself for one instance.
        if !self.keep_reembedding(instance, LEASE).await? {
            return Ok(false);
        }
        let model = self.memories.embedding_model();
        let (mut renewed, mut told) = (Instant::now(), Instant::now());
        let (mut stored, mut missing) = (0, None);
        loop {
            let mut changed = 0;
            let mut walk = Reembedding::new(self.memories.clone());
            loop {
                let begun = Instant::now();
                let Some(step) = walk.step().await? else { break };
                let looked_only = step.memories == 0;
                let rest = begun.elapsed() * if looked_only { REST_AFTER_LOOKING } else { 1 };
                stored += step.stored;
                changed += step.changed;
                if step.memories > 0 && missing.is_none() {
                    let count = self.memories.count_embeddings().await?.missing + step.stored;
                    tracing::info!(model, missing = count, "computing vectors of the current model");
                    missing = Some(count);
                }
                if let Some(missing) = missing
                    && told.elapsed() >= TOLD_EVERY
                {
                    told = Instant::now();
                    tracing::info!(stored, missing, "still computing vectors of the current model");
                }
                if renewed.elapsed() >= RENEWED_AFTER {
                    renewed = Instant::now();
                    if !self.keep_reembedding(instance, LEASE).await? {
                        return Ok(false);
                    }
                }
                tokio::time::sleep(rest.min(LONGEST_REST)).await;
            }
            if changed == 0 {
                break;
            }
        }
        self.keep_reembedding(instance, TimeDelta::zero()).await?;
        if stored > 0 {
            tracing::info!(model, stored, "all memories have vectors of the current model");
        }
        Ok(true)
    }

    async fn keep_reembedding(&self, instance: &str, lease: TimeDelta) -> Result<bool> {
        let now = self.clock.now();
        self.store.take_lease("reembed", instance, now, now + lease).await
    }
}
