//! Removes what is kept for a time only, on one instance at a time.

use std::time::Duration;

use chrono::TimeDelta;

use super::every;
use crate::error::Result;
use crate::services::{AuditLog, AuthService, Lease, MemoryService, UsageService};

const INTERVAL: Duration = Duration::from_secs(3600);
/// Another instance takes over after two missed turns.
const LEASE: Duration = Duration::from_secs(9_000);

/// How long records are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Counts of use.
    pub usage: Duration,
    /// Audit events.
    pub audit: Duration,
}

/// Removes for ever what has been kept for its time.
pub async fn purge(
    auth: &AuthService,
    memories: &MemoryService,
    usage: &UsageService,
    audit: &AuditLog,
    retention: Retention,
    lease: &Lease,
) {
    let sweep = async || -> Result<()> {
        if !lease.hold(LEASE).await? {
            return Ok(());
        }
        auth.purge().await?;
        memories.purge().await?;
        usage.purge(time(retention.usage)).await?;
        audit.purge(time(retention.audit)).await
    };
    every(INTERVAL, async || {
        if let Err(error) = sweep().await {
            tracing::warn!(%error, "old data is not removed yet");
        }
    })
    .await;
}

fn time(retention: Duration) -> TimeDelta {
    TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX)
}
