//! The queue of background work: taken on durably, done once, asked after by its id. What the work is, `jobs/` knows.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::model::{AccountId, Caller, Clock, Owner, TaskId, TaskState};
pub use crate::store::TaskRow;
use crate::store::{DueTask, NewTask, Store, Transaction};

/// How long an instance has for a task before another may take it.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long the outcome of a task can be asked for, and one that failed can be retried.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What is wrong with a task itself.
#[derive(Debug, thiserror::Error)]
enum Flaw {
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
    /// What it did, as its kind of job tells it, where it is done.
    pub result: Option<Value>,
    /// Why it was refused, where it asked for more than may be stored.
    pub refused: Option<String>,
}

/// The background work of a database.
pub struct TaskQueue {
    store: Store,
    clock: Clock,
    /// Told of each task that is taken on here.
    added: Notify,
}

/// A task that this instance has taken. It ends in the transaction that stores what it did.
#[derive(Debug)]
pub struct ClaimedTask(DueTask);

impl TaskQueue {
    /// The queue in this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            added: Notify::new(),
        }
    }

    /// Takes on a task of this kind, once the transaction is committed; then comes [`Self::announce`].
    pub(super) async fn add_in(
        &self,
        transaction: &Transaction,
        owner: &Owner,
        kind: &str,
        payload: &impl Serialize,
        changed_by: &str,
    ) -> Result<TaskId> {
        let id = TaskId::generate();
        let payload = serde_json::to_vec(payload).map_err(|e| Error::Internal(Box::new(e)))?;
        let task = NewTask {
            id: &id,
            owner,
            kind,
            payload: &payload,
            changed_by,
        };
        transaction.insert_task(task, self.clock.now()).await?;
        Ok(id)
    }

    /// Tells the jobs of this instance that there is work.
    pub(super) fn announce(&self) {
        self.added.notify_one();
    }

    /// Returns when a task was taken on here.
    pub async fn wait(&self) {
        self.added.notified().await;
    }

    /// How far a task of the caller's account is. [`Error::TaskNotFound`] where it has no such task.
    pub async fn report(&self, caller: &Caller, id: &TaskId) -> Result<TaskReport> {
        let task = self.store.task(&caller.account_id, id).await?;
        let task = task.filter(|task| caller.grant.covers_person(&task.owner.user_id));
        let task = task.ok_or(Error::TaskNotFound)?;
        let refused = task.result.as_ref().and_then(|result| result.get("refused")?.as_str());
        Ok(TaskReport {
            id: task.id,
            state: task.state,
            refused: refused.map(str::to_owned),
            result: task.result,
        })
    }

    /// Makes due again what a process that died left under way, where no other instance can be at it.
    pub async fn resume(&self) -> Result<()> {
        self.store.release_tasks(self.clock.now()).await
    }

    /// Takes the task that has been due longest.
    pub async fn claim(&self) -> Result<Option<ClaimedTask>> {
        let task = self.store.take_task(self.clock.now(), LEASE).await?;
        Ok(task.map(ClaimedTask))
    }

    /// Puts a task off that could not be done now, and says why.
    pub async fn postpone(&self, task: &ClaimedTask, pause: TimeDelta, why: &str) -> Result<()> {
        self.store.postpone_task(&task.0, self.clock.now() + pause, why).await
    }

    /// Gives a task up. What was to be done is kept for [`Self::retry`] until it is purged.
    pub async fn fail(&self, task: &ClaimedTask, why: &str, is_refusal: bool) -> Result<()> {
        let refused = is_refusal.then(|| json!({"refused": why}));
        self.store.fail_task(&task.0, why, refused, self.clock.now()).await
    }

    /// The tasks of an account, or of all, in one state or any, for the command line.
    pub async fn list(&self, account_id: Option<&AccountId>, state: Option<TaskState>) -> Result<Vec<TaskRow>> {
        self.store.list_tasks(account_id, state).await
    }

    /// Has failed tasks done, the one with this id or all, for the command line. Says how many.
    pub async fn retry(&self, id: Option<&TaskId>) -> Result<u64> {
        self.store.retry_tasks(id, self.clock.now()).await
    }

    /// Forgets tasks that ended long ago.
    pub(super) async fn purge(&self) -> Result<()> {
        self.store.purge_tasks(self.clock.now() - KEPT).await
    }
}

impl ClaimedTask {
    /// Its id.
    pub const fn id(&self) -> &TaskId {
        &self.0.id
    }

    /// What sort of work.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Whom it is for.
    pub const fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// The key or session that asked for it.
    pub fn changed_by(&self) -> &str {
        &self.0.changed_by
    }

    /// How often it was begun, this time included.
    pub const fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// What is to be done.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P> {
        let payload = self.0.payload.as_ref();
        let payload = payload.ok_or_else(|| Error::Internal(Box::new(Flaw::Sealed)))?;
        serde_json::from_slice(payload).map_err(|_| Error::Internal(Box::new(Flaw::Payload)))
    }

    /// Ends the task with what this transaction did for it. [`Error::Conflict`] where another instance has taken it, or it
    /// was erased: then the transaction must not go on.
    pub(super) async fn finish_in(
        &self,
        transaction: &Transaction,
        result: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let result = serde_json::to_value(result).map_err(|e| Error::Internal(Box::new(e)))?;
        match transaction.finish_task(&self.0, result, now).await? {
            true => Ok(()),
            false => Err(Error::Conflict("the task was taken over or cancelled")),
        }
    }
}

/// Why an attempt failed, for the operator, in words that can't be anybody's.
pub fn failure(error: &Error) -> String {
    match error {
        Error::Unavailable(_) => "the database or the embedder did not answer".to_owned(),
        Error::DeadlineExceeded => "it took too long".to_owned(),
        Error::Conflict(reason) => (*reason).to_owned(),
        Error::TooMuch { .. } | Error::QuotaExceeded { .. } => error.to_string(),
        Error::Internal(cause) => match cause.downcast_ref::<Flaw>() {
            Some(flaw) => flaw.to_string(),
            None => "internal error".to_owned(),
        },
        // These may quote the request.
        _ => "the request can't be carried out".to_owned(),
    }
}

impl fmt::Debug for TaskQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskQueue")
    }
}
