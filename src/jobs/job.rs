//! What a kind of background work is.

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::services::ClaimedTask;

/// How often a task is tried, and how long it waits in between.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Attempts in all. After the last one the task has failed.
    pub attempts: i32,
    /// The pause after the first failure; twice as long after each further one.
    pub first_pause: Duration,
}

impl Retries {
    /// The pause after so many attempts.
    pub(super) fn pause_after(self, attempts: i32) -> Duration {
        self.first_pause * 2_u32.pow(attempts.clamp(1, 16).unsigned_abs() - 1)
    }
}

/// A kind of background work. Its tasks are rows of the database: any instance may do one, and one instance does.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// The word for it in the database. It never changes.
    const KIND: &'static str;
    /// How long an attempt may take. Shorter than a task's lease of 30 s.
    const TIME_LIMIT: Duration = Duration::from_secs(25);
    /// How often it is tried after faults that may pass.
    const RETRIES: Retries = Retries {
        attempts: 8,
        first_pause: Duration::from_secs(1),
    };
    /// What is to be done.
    type Payload: DeserializeOwned + Send;

    /// Does it, and ends the task in the transaction that stores what was done.
    async fn run(&self, task: &ClaimedTask, payload: Self::Payload) -> Result<()>;
}
