//! Writes what is counted in memory.

use std::sync::Arc;
use std::time::Duration;

use super::every;
use crate::services::{AuditLog, UsageService};

/// Writes it; what can't be written now waits for the next time.
pub async fn flush(usage: &Arc<UsageService>, audit: &Arc<AuditLog>) {
    for written in [usage.flush().await, audit.flush().await] {
        if let Err(error) = written {
            tracing::warn!(%error, "usage counts are not written yet");
        }
    }
}

/// Writes it every `interval`, for ever.
pub async fn flush_regularly(usage: &Arc<UsageService>, audit: &Arc<AuditLog>, interval: Duration) {
    every(interval, async || flush(usage, audit).await).await;
}
