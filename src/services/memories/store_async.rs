//! Storing a conversation later: taken on durably, done by a job.

use std::time::Instant;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{ConversationMessage, MemoryService, StoreOutcome, StoreRequest};
use crate::error::{Error, Result};
use crate::model::{Caller, Category, Operation, Owner, TaskId};
use crate::services::tasks::{ClaimedTask, TaskStep};

/// The kind of these tasks.
pub const STORE_CONVERSATION: &str = "store";

/// A conversation to remember, as a task keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoreTask {
    messages: Vec<StoredMessage>,
    agent_id: String,
    thread_id: String,
    source: String,
    metadata: Option<Map<String, Value>>,
    said_at: DateTime<FixedOffset>,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredMessage {
    role: String,
    content: String,
    id: Option<String>,
    name: Option<String>,
    said_at: Option<DateTime<Utc>>,
    #[serde(default)]
    utc_offset_s: Option<i32>,
}

/// What storing did, as the task's result tells it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StoreTaskResult {
    /// Messages that it read.
    pub indexed_items: u32,
    /// Memories that are new.
    pub memories_created: u32,
    /// Categories among the memories.
    pub categories_found: Vec<String>,
    /// Time spent, in seconds.
    pub processing_s: f64,
    /// Ids of the users' messages that left no memory, and why; absent of tasks that an earlier version did.
    #[serde(default)]
    pub skipped: Vec<(String, String)>,
}

impl StoreTaskResult {
    pub(super) fn of(request: &StoreRequest, outcome: &StoreOutcome, started: Instant) -> Self {
        let created = |(_, operation): &&(_, Operation)| *operation == Operation::Added;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let found = |category: &Category| outcome.memories.iter().any(|(m, _)| m.categories.contains(category));
        Self {
            indexed_items: count(request.messages.len()),
            memories_created: count(outcome.memories.iter().filter(created).count()),
            categories_found: Category::ALL
                .into_iter()
                .filter(found)
                .map(|c| c.as_str().to_owned())
                .collect(),
            processing_s: started.elapsed().as_secs_f64(),
            skipped: outcome
                .skipped
                .iter()
                .map(|skipped| (skipped.message_id.clone(), skipped.reason.as_str().to_owned()))
                .collect(),
        }
    }
}

impl MemoryService {
    /// Takes a conversation on, durably, to be remembered soon. Gives the task's id.
    pub async fn store_async(&self, caller: &Caller, request: StoreRequest) -> Result<TaskId> {
        let now = self.people.clock.now();
        let earlier = async || {
            let recorded = self.recorded(&request, now).await?;
            let id = recorded.as_ref().and_then(|recorded| recorded["task_id"].as_str());
            Ok::<_, Error>(id.map(TaskId::from_stored))
        };
        if let Some(id) = earlier().await? {
            return Ok(id);
        }
        let payload = StoreTask::of(&request, now);
        let transaction = self.people.store.begin().await?;
        let id = self
            .tasks
            .add_in(
                &transaction,
                &request.owner,
                STORE_CONVERSATION,
                &payload,
                caller.credential(),
            )
            .await?;
        let outcome = || json!({"task_id": id.as_str()});
        if !self.record(&transaction, &request, outcome, now).await? {
            drop(transaction);
            return earlier().await?.ok_or(Error::Conflict("The idempotency key is in use"));
        }
        transaction.commit().await?;
        self.tasks.announce();
        Ok(id)
    }

    /// Stores a conversation for a task, and ends the slice with it: the task goes on with `next`, or is done.
    pub async fn store_for(&self, task: &ClaimedTask, conversation: StoreTask, next: Option<TaskStep>) -> Result<()> {
        let request = conversation.into_request(task.owner().clone())?;
        self.store_as(task.changed_by(), request, Some((task, next))).await?;
        Ok(())
    }
}

impl StoreTask {
    fn of(request: &StoreRequest, now: DateTime<Utc>) -> Self {
        let message = |message: &ConversationMessage| StoredMessage {
            role: message.role.as_str().to_owned(),
            content: message.content.clone(),
            id: message.id.clone(),
            name: message.name.clone(),
            said_at: message.said_at,
            utc_offset_s: message.utc_offset.map(|offset| offset.local_minus_utc()),
        };
        Self {
            messages: request.messages.iter().map(message).collect(),
            agent_id: request.agent_id.clone(),
            thread_id: request.thread_id.clone(),
            source: request.source.clone(),
            metadata: request.metadata.clone(),
            // "Yesterday" counts from when it was sent, however long it waits.
            said_at: request.said_at.unwrap_or_else(|| now.fixed_offset()),
            expires_at: request.expires_at,
        }
    }

    fn into_request(self, owner: Owner) -> Result<StoreRequest> {
        let message = |message: StoredMessage| {
            Ok(ConversationMessage {
                role: message.role.parse().map_err(|e| Error::Internal(Box::new(e)))?,
                content: message.content,
                id: message.id,
                name: message.name,
                said_at: message.said_at,
                utc_offset: message.utc_offset_s.and_then(FixedOffset::east_opt),
            })
        };
        Ok(StoreRequest {
            owner,
            messages: self.messages.into_iter().map(message).collect::<Result<_>>()?,
            agent_id: self.agent_id,
            thread_id: self.thread_id,
            source: self.source,
            metadata: self.metadata,
            said_at: Some(self.said_at),
            expires_at: self.expires_at,
            idempotency: None,
        })
    }
}
