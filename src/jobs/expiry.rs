//! Removes memories that have expired, on one instance at a time.

use std::time::Duration;

use super::every;
use crate::error::Result;
use crate::services::{Lease, MemoryService};

const INTERVAL: Duration = Duration::from_secs(60);
/// Another instance takes over after two missed turns.
const LEASE: Duration = Duration::from_secs(150);

/// Removes them for ever.
pub async fn remove_expired(memories: &MemoryService, lease: &Lease) {
    every(INTERVAL, async || match sweep(memories, lease).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "expired memories were removed"),
        Err(error) => tracing::warn!(%error, "expired memories are not removed yet"),
    })
    .await;
}

async fn sweep(memories: &MemoryService, lease: &Lease) -> Result<usize> {
    match lease.hold(LEASE).await? {
        true => memories.forget_expired().await,
        false => Ok(0),
    }
}
