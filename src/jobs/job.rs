//! What a kind of background work is.

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::services::ClaimedTask;

/// How many tasks of a kind are under way at a time. A lane holds up no other lane.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    /// On one instance.
    pub per_instance: usize,
    /// Of one account.
    pub per_account: u32,
}

/// How often a slice is tried, and how long it waits in between.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Tries in all. After the last one the task has failed.
    pub tries: i32,
    /// The pause after the first failure; twice as long after each further one.
    pub first_pause: Duration,
}

impl Retries {
    /// The pause after so many tries.
    pub(super) fn pause_after(self, tries: i32) -> Duration {
        self.first_pause * 2_u32.pow(tries.clamp(1, 16).unsigned_abs() - 1)
    }
}

/// A kind of background work. Its tasks are rows of the database: any instance may do one, and one instance does.
///
/// Work that lasts is done in slices of some ten seconds at most. A slice ends in the transaction that stores what it did,
/// with a cursor for the next one; then the task goes to the end of the queue. So a crash repeats one slice at most, and
/// nothing is done twice.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// The word for it in the database. It never changes.
    const KIND: &'static str;
    /// How many at a time.
    const LANE: Lane = Lane {
        per_instance: 1,
        per_account: 1,
    };
    /// How long a slice may take. Then it is broken off and tried again.
    const TIME_LIMIT: Duration = Duration::from_secs(25);
    /// How often a slice is tried after faults that may pass.
    const RETRIES: Retries = Retries {
        tries: 8,
        first_pause: Duration::from_secs(1),
    };
    /// What is to be done.
    type Payload: DeserializeOwned + Send;

    /// Does a slice, from [`ClaimedTask::cursor`] on, by a use case that takes the task into its transaction.
    async fn run_slice(&self, task: &ClaimedTask, payload: Self::Payload) -> Result<()>;
}
