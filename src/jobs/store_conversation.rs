//! Stores conversations that were sent with `async`.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Job, Lane};
use crate::error::Result;
use crate::services::{ClaimedTask, MemoryService, STORE_CONVERSATION, StoreTask};

/// The job.
#[derive(Debug)]
pub struct StoreConversation(pub Arc<MemoryService>);

#[async_trait]
impl Job for StoreConversation {
    const KIND: &'static str = STORE_CONVERSATION;
    /// In order on each instance; an account that stores much may keep several instances busy.
    const LANE: Lane = Lane {
        per_instance: 1,
        per_account: 16,
    };
    type Payload = StoreTask;

    async fn run_slice(&self, task: &ClaimedTask, conversation: StoreTask) -> Result<()> {
        self.0.store_for(task, conversation, None).await
    }
}
