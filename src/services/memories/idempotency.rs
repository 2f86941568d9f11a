//! Requests that come twice with the same idempotency key: the first is done, the others get its answer.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{MemoryService, SkippedMessage, StoreOutcome, StoreRequest};
use crate::error::{Error, Result};
use crate::model::{MemoryId, Operation};
use crate::store::{IdempotencyRecord, Transaction};

/// How long an idempotency key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

impl MemoryService {
    /// What the first request with this one's key did. [`Error::Conflict`] where that was another request.
    pub(super) async fn recorded(&self, request: &StoreRequest, now: DateTime<Utc>) -> Result<Option<Value>> {
        let Some((key, request_hash)) = &request.idempotency else {
            return Ok(None);
        };
        let since = now - REMEMBERED;
        let record = self.people.store.idempotency_record(&request.owner, key, since).await?;
        match record {
            Some(record) if record.request_hash != *request_hash => {
                Err(Error::Conflict("The idempotency key was used with another request"))
            }
            record => Ok(record.map(|record| record.outcome)),
        }
    }

    /// Keeps what a request does with its key, where it has one. False where another request with this key came first:
    /// then this transaction must not go on.
    pub(super) async fn record(
        &self,
        transaction: &Transaction,
        request: &StoreRequest,
        outcome: impl FnOnce() -> Value,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let Some((key, request_hash)) = &request.idempotency else {
            return Ok(true);
        };
        let record = IdempotencyRecord {
            request_hash: *request_hash,
            outcome: outcome(),
            created_at: now,
        };
        transaction
            .insert_idempotency_record(&request.owner, key, &record, now - REMEMBERED)
            .await
    }

    /// Forgets what is older than keys are remembered.
    pub(super) async fn purge_idempotency(&self) -> Result<()> {
        let before = self.people.clock.now() - REMEMBERED;
        self.people.store.purge_idempotency_records(before).await
    }

    /// The answer that the first request got, without what has been deleted since.
    pub(super) async fn answer_again(&self, request: &StoreRequest, recorded: &Value) -> Result<StoreOutcome> {
        let mut memories = Vec::new();
        for (id, operation) in memories_of(recorded) {
            match self.get(&request.owner, &id).await {
                Ok(memory) => memories.push((Arc::new(memory), operation)),
                Err(Error::MemoryNotFound) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(StoreOutcome {
            memories,
            skipped: skipped_of(recorded),
        })
    }
}

/// Ids and words only: texts would outlive a deletion here. A memory is a list, a message that left none an object, which
/// earlier versions pass over.
pub(super) fn to_json(outcome: &StoreOutcome) -> Value {
    let memories = outcome.memories.iter();
    let memories = memories.map(|(memory, operation)| json!([memory.id.as_str(), operation.as_str()]));
    let skipped = outcome.skipped.iter();
    let skipped = skipped.map(|skipped| json!({"message_id": skipped.message_id, "reason": skipped.reason.as_str()}));
    memories.chain(skipped).collect()
}

fn memories_of(recorded: &Value) -> Vec<(MemoryId, Operation)> {
    let pair = |item: &Value| {
        let id = MemoryId::from_stored(item.get(0)?.as_str()?);
        Some((id, item.get(1)?.as_str()?.parse().ok()?))
    };
    recorded.as_array().into_iter().flatten().filter_map(pair).collect()
}

fn skipped_of(recorded: &Value) -> Vec<SkippedMessage> {
    let skipped = |item: &Value| {
        Some(SkippedMessage {
            message_id: item.get("message_id")?.as_str()?.to_owned(),
            reason: item.get("reason")?.as_str()?.parse().ok()?,
        })
    };
    recorded.as_array().into_iter().flatten().filter_map(skipped).collect()
}
