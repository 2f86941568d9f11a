//! Work that is done later: taken on durably, done once, asked after by its id.

use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::memories::{ConversationMessage, MemoryService, StoreOutcome, StoreRequest};
use crate::error::{Error, Result};
use crate::model::{AccountId, Caller, Category, Operation, TaskId, TaskState};
pub use crate::store::TaskRow;
use crate::store::{DueTask, NewTask};

/// How long an instance has for a task before another may take it.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// The same, for the work itself: it must be over before the lease is.
const TIME_LIMIT: Duration = Duration::from_secs(25);
/// How often a task is begun.
const ATTEMPTS: i32 = 8;
/// How long after the first failure the next attempt is; then twice as long each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How long the outcome of a task can be asked for, and one that was given up be retried.
const KEPT: TimeDelta = TimeDelta::days(7);

const STORE: &str = "store";

/// A conversation to remember, as a task keeps it.
#[derive(Serialize, Deserialize)]
struct Conversation {
    messages: Vec<Message>,
    agent_id: String,
    thread_id: String,
    source: String,
    metadata: Option<Map<String, Value>>,
    said_at: DateTime<FixedOffset>,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct Message {
    role: String,
    content: String,
    id: Option<String>,
    name: Option<String>,
    said_at: Option<DateTime<Utc>>,
    #[serde(default)]
    utc_offset_s: Option<i32>,
}

/// What is wrong with a task itself.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("this kind of task is unknown")]
    Kind,
    #[error("the task can't be decrypted")]
    Sealed,
    #[error("the task can't be read")]
    Payload,
}

/// How far a task is, and what it did.
#[derive(Clone, Debug)]
pub struct TaskReport {
    /// Its id.
    pub id: TaskId,
    /// How far it is.
    pub state: TaskState,
    /// What it did, where it is done.
    pub result: Option<TaskResult>,
    /// Why it was refused, where it asked for more than may be stored.
    pub refused: Option<String>,
}

/// What a task did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskResult {
    /// Messages that it read.
    pub indexed_items: u32,
    /// Memories that are new.
    pub memories_created: u32,
    /// Categories among the memories.
    pub categories_found: Vec<String>,
    /// Time spent, in seconds.
    pub processing_s: f64,
}

impl TaskResult {
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
        }
    }
}

impl MemoryService {
    /// Takes a conversation on, durably, to be remembered soon. Gives the task's id.
    pub async fn store_later(&self, caller: &Caller, request: StoreRequest) -> Result<TaskId> {
        let now = self.clock.now();
        let earlier = async || {
            let recorded = self.recorded(&request, now).await?;
            let id = recorded.as_ref().and_then(|recorded| recorded["task_id"].as_str());
            Ok::<_, Error>(id.map(TaskId::from_stored))
        };
        if let Some(id) = earlier().await? {
            return Ok(id);
        }
        let id = TaskId::generate();
        let payload = serde_json::to_vec(&Conversation::of(&request, now)).map_err(|e| Error::Internal(Box::new(e)))?;
        let task = NewTask {
            id: &id,
            owner: &request.owner,
            kind: STORE,
            payload: &payload,
            changed_by: caller.credential(),
        };
        let transaction = self.store.begin().await?;
        transaction.insert_task(task, now).await?;
        let outcome = || json!({"task_id": id.as_str()});
        if !self.record(&transaction, &request, outcome, now).await? {
            drop(transaction);
            return earlier().await?.ok_or(Error::Conflict("The idempotency key is in use"));
        }
        transaction.commit().await?;
        self.work.notify_one();
        Ok(id)
    }

    /// How far a task of the caller's account is. [`Error::TaskNotFound`] where it has no such task.
    pub async fn task(&self, caller: &Caller, id: &TaskId) -> Result<TaskReport> {
        let task = self.store.task(&caller.account_id, id).await?;
        let task = task.filter(|task| caller.grant.covers_person(&task.owner.user_id));
        let task = task.ok_or(Error::TaskNotFound)?;
        Ok(TaskReport {
            id: task.id,
            state: task.state,
            refused: task
                .result
                .as_ref()
                .and_then(|result| Some(result.get("refused")?.as_str()?.to_owned())),
            result: task.result.and_then(|result| serde_json::from_value(result).ok()),
        })
    }

    /// Makes due again what a process that died left under way, where no other instance can be at it.
    pub async fn resume_tasks(&self) -> Result<()> {
        self.store.release_tasks(self.clock.now()).await
    }

    /// Returns when a task was taken on here.
    pub async fn wait_for_work(&self) {
        self.work.notified().await;
    }

    /// Does the task that has been due longest; false where none is due.
    pub async fn do_next_task(&self) -> Result<bool> {
        let Some(task) = self.store.take_task(self.clock.now(), LEASE).await? else {
            return Ok(false);
        };
        let done = match tokio::time::timeout(TIME_LIMIT, self.do_task(&task)).await {
            Ok(done) => done,
            Err(_) => Err(Error::DeadlineExceeded),
        };
        match done {
            Ok(()) => {}
            Err(error @ (Error::Unavailable(_) | Error::DeadlineExceeded)) if task.attempts < ATTEMPTS => {
                let pause = FIRST_PAUSE * 2_i32.pow(task.attempts.clamp(1, 16).unsigned_abs() - 1);
                let until = self.clock.now() + pause;
                self.store.postpone_task(&task, until, &why(&error)).await?;
            }
            Err(error) => {
                let why = why(&error);
                let is_refusal = matches!(error, Error::TooMuch { .. } | Error::QuotaExceeded { .. });
                tracing::error!(
                    task_id = %task.id,
                    attempts = task.attempts,
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "a task failed permanently"
                );
                let refused = is_refusal.then(|| json!({"refused": why}));
                self.store.fail_task(&task, &why, refused, self.clock.now()).await?;
            }
        }
        Ok(true)
    }

    async fn do_task(&self, task: &DueTask) -> Result<()> {
        if task.kind != STORE {
            return Err(Error::Internal(Box::new(Flaw::Kind)));
        }
        let payload = task
            .payload
            .as_ref()
            .ok_or_else(|| Error::Internal(Box::new(Flaw::Sealed)))?;
        let conversation: Conversation =
            serde_json::from_slice(payload).map_err(|_| Error::Internal(Box::new(Flaw::Payload)))?;
        let request = conversation.into_request(task)?;
        self.store_as(&task.changed_by, request, Some(task)).await?;
        Ok(())
    }

    /// The tasks of an account, or of all, in one state or any, for whoever runs the command line.
    pub async fn list_tasks(&self, account_id: Option<&AccountId>, state: Option<TaskState>) -> Result<Vec<TaskRow>> {
        self.store.list_tasks(account_id, state).await
    }

    /// Has tasks done that were given up, the one with this id or all, for whoever runs the command line. Says how many.
    pub async fn retry_tasks(&self, id: Option<&TaskId>) -> Result<u64> {
        self.store.retry_tasks(id, self.clock.now()).await
    }

    /// Forgets tasks that ended long ago.
    pub(super) async fn purge_tasks(&self) -> Result<()> {
        self.store.purge_tasks(self.clock.now() - KEPT).await
    }
}

/// Why an attempt failed, for the operator, in words that can't be anybody's.
fn why(error: &Error) -> String {
    match error {
        Error::Unavailable(_) => "the database or the embedder did not answer".to_owned(),
        Error::DeadlineExceeded => format!("it took longer than {} s", TIME_LIMIT.as_secs()),
        Error::Conflict(reason) => (*reason).to_owned(),
        Error::TooMuch { .. } | Error::QuotaExceeded { .. } => error.to_string(),
        Error::Internal(cause) => match cause.downcast_ref::<Flaw>() {
            Some(flaw) => flaw.to_string(),
            None => "internal error".to_owned(),
        },
        // Of a request's words these may be some.
        _ => "the request can't be carried out".to_owned(),
    }
}

impl Conversation {
    fn of(request: &StoreRequest, now: DateTime<Utc>) -> Self {
        let message = |message: &ConversationMessage| Message {
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

    fn into_request(self, task: &DueTask) -> Result<StoreRequest> {
        let message = |message: Message| {
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
            owner: task.owner.clone(),
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
