//! What a server does after a change of the embedder: gives memories vectors of the new one, in its own time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::error::Result;
use crate::services::{EmbeddingService, Lease, Reembedding};

/// How often memories are looked for that lack a vector: an instance of another version may store such ones.
const INTERVAL: Duration = Duration::from_secs(86_400);
/// How often it is tried again where another instance is at it, or something failed.
const RETRY: Duration = Duration::from_secs(60);
/// How long whoever does it has it for themselves, and by when they say that they go on.
const LEASE: Duration = Duration::from_secs(120);
const RENEWED_AFTER: Duration = Duration::from_secs(30);
/// How many times as long as it looked for such memories it rests before it looks further. Requests go first: a start on
/// many memories takes no more than a tenth of a core from them.
const REST_AFTER_LOOKING: u32 = 9;
/// The lease must not run out meanwhile.
const LONGEST_REST: Duration = RENEWED_AFTER;
/// How often the log says how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Gives vectors to memories that lack one, for ever.
pub async fn reembed(embeddings: Arc<EmbeddingService>, lease: &Lease) {
    let mut tick = tokio::time::interval(RETRY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done: Option<Instant> = None;
    loop {
        tick.tick().await;
        if done.is_some_and(|done| done.elapsed() < INTERVAL) {
            continue;
        }
        match reembed_all(&embeddings, lease).await {
            Ok(true) => done = Some(Instant::now()),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "vectors of the current model are not computed yet"),
        }
    }
}

/// Gives every memory a vector of the model in use; false where another instance is at it.
async fn reembed_all(embeddings: &Arc<EmbeddingService>, lease: &Lease) -> Result<bool> {
    // Looking through all memories is itself for one instance.
    if !lease.hold(LEASE).await? {
        return Ok(false);
    }
    let model = embeddings.model();
    let (mut renewed, mut told) = (Instant::now(), Instant::now());
    let (mut stored, mut missing) = (0, None);
    loop {
        let mut changed = 0;
        let mut walk = Reembedding::new(Arc::clone(embeddings));
        loop {
            let begun = Instant::now();
            let Some(step) = walk.step().await? else { break };
            let looked_only = step.memories == 0;
            let rest = begun.elapsed() * if looked_only { REST_AFTER_LOOKING } else { 1 };
            stored += step.stored;
            changed += step.changed;
            if step.memories > 0 && missing.is_none() {
                let count = embeddings.count().await?.missing + step.stored;
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
                if !lease.hold(LEASE).await? {
                    return Ok(false);
                }
            }
            tokio::time::sleep(rest.min(LONGEST_REST)).await;
        }
        if changed == 0 {
            break;
        }
    }
    lease.release().await?;
    if stored > 0 {
        tracing::info!(model, stored, "all memories have vectors of the current model");
    }
    Ok(true)
}
