//! Builds candidates of people who have outgrown memory, on one instance at a time.

use std::time::Duration;

use super::every;
use crate::error::Result;
use crate::services::{CandidateBuild, CandidateService, Lease};

/// How often people are looked for who have outgrown memory.
const INTERVAL: Duration = Duration::from_secs(5);
/// Another instance takes over after two missed turns.
const LEASE: Duration = Duration::from_millis(12_500);

/// Builds them for ever.
pub async fn build_candidates(candidates: &CandidateService, lease: &Lease) {
    every(INTERVAL, async || {
        if let Err(error) = build_all(candidates, lease).await {
            tracing::warn!(%error, "candidates are not built yet");
        }
    })
    .await;
}

async fn build_all(candidates: &CandidateService, lease: &Lease) -> Result<()> {
    let mut build = CandidateBuild::default();
    while lease.hold(LEASE).await? && candidates.build(&mut build).await? {}
    Ok(())
}
