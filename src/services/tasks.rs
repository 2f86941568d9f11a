//! The queue of background work: taken on durably, done once, asked after by its id. What the work is, `jobs/` knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::model::{AccountId, Caller, Clock, Owner, TaskId, TaskState};
pub use crate::store::TaskRow;
use crate::store::{DueTask, NewTask, NextSlice, Store, TaskFilter, Transaction};

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
    /// Why it was refused, where it asked for more than may be stored or was cancelled.
    pub refused: Option<String>,
    /// How far it is within its work, where that takes several slices.
    pub progress: Option<TaskProgress>,
}

/// The background work of a database.
pub struct TaskQueue {
    store: Store,
    clock: Clock,
    /// Counts the tasks that are taken on here.
    added: watch::Sender<u64>,
}

/// A task that this instance has taken. It ends in the transaction that stores what it did.
#[derive(Debug)]
pub struct ClaimedTask {
    task: DueTask,
    /// Whether a transaction has ended the slice.
    has_ended: AtomicBool,
}

/// How far a task is within its work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// What it is doing.
    pub step: String,
    /// Items that are done.
    pub items_processed: u64,
    /// Items in all, where that is known.
    pub items_total: Option<u64>,
    /// What else is counted.
    pub counters: BTreeMap<String, u64>,
}

/// How a slice ends that is not the last one.
#[derive(Clone, Debug)]
pub struct TaskStep {
    /// Where the next one goes on, as the job reads it.
    pub cursor: Value,
    /// How far the task is.
    pub progress: TaskProgress,
    /// Lines for the operator. They never quote what people said.
    pub log: Vec<String>,
}

impl TaskQueue {
    /// The queue in this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            added: watch::Sender::new(0),
        }
    }

    /// Takes on a task of this kind, durably. Gives its id.
    pub async fn add(&self, owner: &Owner, kind: &str, payload: &impl Serialize, changed_by: &str) -> Result<TaskId> {
        let transaction = self.store.begin().await?;
        let id = self.add_in(&transaction, owner, kind, payload, changed_by).await?;
        transaction.commit().await?;
        self.announce();
        Ok(id)
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
        self.added.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes with each task that is taken on here.
    pub fn added(&self) -> watch::Receiver<u64> {
        self.added.subscribe()
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
            progress: task.progress.and_then(|progress| serde_json::from_value(progress).ok()),
        })
    }

    /// Makes due again what a process that died left under way, where no other instance can be at it.
    pub async fn resume(&self) -> Result<()> {
        self.store.release_tasks(self.clock.now()).await
    }

    /// Takes the task of a kind that has been due longest, of accounts with fewer than `per_account` under way.
    pub async fn claim(&self, kind: &str, per_account: u32) -> Result<Option<ClaimedTask>> {
        self.take(TaskFilter::Kind { kind, per_account }).await
    }

    /// Takes the task of none of these kinds that has been due longest.
    pub async fn claim_other(&self, kinds: &[&str]) -> Result<Option<ClaimedTask>> {
        self.take(TaskFilter::OtherThan(kinds)).await
    }

    async fn take(&self, filter: TaskFilter<'_>) -> Result<Option<ClaimedTask>> {
        let task = self.store.take_task(filter, self.clock.now(), LEASE).await?;
        Ok(task.map(|task| ClaimedTask {
            task,
            has_ended: AtomicBool::new(false),
        }))
    }

    /// Keeps a task for another lease. False where it was erased, or another instance has taken it.
    pub async fn renew(&self, task: &ClaimedTask) -> Result<bool> {
        self.store.renew_task(&task.task, self.clock.now() + LEASE).await
    }

    /// Has a task of the caller's account stop, after the slice under way. [`Error::TaskNotFound`] where it has no such
    /// task, or it has ended.
    pub async fn request_cancel(&self, account_id: &AccountId, id: &TaskId) -> Result<()> {
        let requested = self.store.request_task_cancel(account_id, id, self.clock.now());
        match requested.await? {
            true => {
                self.announce();
                Ok(())
            }
            false => Err(Error::TaskNotFound),
        }
    }

    /// Ends a task that is to stop.
    pub async fn cancel(&self, task: &ClaimedTask) -> Result<()> {
        let result = json!({"refused": "The task was cancelled"});
        self.store.cancel_task(&task.task, result, self.clock.now()).await
    }

    /// What a task told the operator, the oldest first.
    pub async fn log(&self, account_id: &AccountId, id: &TaskId) -> Result<Vec<(DateTime<Utc>, String)>> {
        self.store.task_log(account_id, id).await
    }

    /// Puts a task off that could not be done now, and says why.
    pub async fn postpone(&self, task: &ClaimedTask, pause: TimeDelta, why: &str) -> Result<()> {
        self.store
            .postpone_task(&task.task, self.clock.now() + pause, why)
            .await
    }

    /// Gives a task up. What was to be done is kept for [`Self::retry`] until it is purged.
    pub async fn fail(&self, task: &ClaimedTask, why: &str, is_refusal: bool) -> Result<()> {
        let refused = is_refusal.then(|| json!({"refused": why}));
        self.store.fail_task(&task.task, why, refused, self.clock.now()).await
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
        &self.task.id
    }

    /// What sort of work.
    pub fn kind(&self) -> &str {
        &self.task.kind
    }

    /// Whom it is for.
    pub const fn owner(&self) -> &Owner {
        &self.task.owner
    }

    /// The key or session that asked for it.
    pub fn changed_by(&self) -> &str {
        &self.task.changed_by
    }

    /// How often the slice at hand was begun, this time included.
    pub const fn tries(&self) -> i32 {
        self.task.tries
    }

    /// Whether it is to stop.
    pub const fn is_to_stop(&self) -> bool {
        self.task.cancel_requested
    }

    /// Whether a transaction has ended the slice.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Where it goes on; none at its start.
    pub fn cursor<C: DeserializeOwned>(&self) -> Result<Option<C>> {
        let cursor = self.task.cursor.as_deref().map(serde_json::from_slice).transpose();
        cursor.map_err(|_| Error::Internal(Box::new(Flaw::Payload)))
    }

    /// What is to be done.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P> {
        let payload = self.task.payload.as_ref();
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
        let is_ours = transaction.finish_task(&self.task, result, now).await?;
        self.end(is_ours)
    }

    /// Ends the slice with what this transaction did for it; the task goes on later. Fails as [`Self::finish_in`] does.
    pub(super) async fn advance_in(
        &self,
        transaction: &Transaction,
        step: &TaskStep,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let json = |value: &Value| serde_json::to_vec(value).map_err(|e| Error::Internal(Box::new(e)));
        let next = NextSlice {
            cursor: &json(&step.cursor)?,
            progress: &serde_json::to_value(&step.progress).map_err(|e| Error::Internal(Box::new(e)))?,
            log: &step.log,
        };
        let is_ours = transaction.advance_task(&self.task, next, now).await?;
        self.end(is_ours)
    }

    fn end(&self, is_ours: bool) -> Result<()> {
        if !is_ours {
            return Err(Error::Conflict("the task was taken over or cancelled"));
        }
        self.has_ended.store(true, Ordering::Release);
        Ok(())
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
