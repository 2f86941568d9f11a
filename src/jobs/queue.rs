//! The driver of durable tasks: takes what is due, has its kind of job do it, and says how it ended.
//!
//! Several instances may do so over one database; each task is taken by one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};

use super::Job;
use super::job::Retries;
use crate::error::{Error, Result};
use crate::services::{ClaimedTask, TaskQueue, failure};

/// How often the database is asked for tasks that were taken on elsewhere, or put off.
const POLL: Duration = Duration::from_secs(1);

/// The kinds of jobs that an instance does.
#[derive(Default)]
pub struct JobKinds(BTreeMap<&'static str, Kind>);

struct Kind {
    job: Arc<dyn AnyJob>,
    time_limit: Duration,
    retries: Retries,
}

/// A [`Job`] whose payload is not read yet.
#[async_trait]
trait AnyJob: Send + Sync {
    async fn run_any(&self, task: &ClaimedTask) -> Result<()>;
}

#[async_trait]
impl<J: Job> AnyJob for J {
    async fn run_any(&self, task: &ClaimedTask) -> Result<()> {
        self.run(task, task.payload()?).await
    }
}

impl JobKinds {
    /// With one more kind.
    pub fn with<J: Job>(mut self, job: J) -> Self {
        let kind = Kind {
            job: Arc::new(job),
            time_limit: J::TIME_LIMIT,
            retries: J::RETRIES,
        };
        self.0.insert(J::KIND, kind);
        self
    }
}

/// Does what is due until `stop` says true; what is under way then is finished first.
pub async fn run_queue(queue: Arc<TaskQueue>, kinds: JobKinds, mut stop: watch::Receiver<bool>) {
    if let Err(error) = queue.resume().await {
        tracing::warn!(%error, "tasks of the previous run wait until their leases end");
    }
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_idle = match do_next(&queue, &kinds).await {
            Ok(did_one) => !did_one,
            Err(error) => {
                tracing::warn!(%error, "background tasks can't run now");
                true
            }
        };
        if *stop.borrow() {
            return;
        }
        if is_idle {
            tokio::select! {
                () = queue.wait() => {}
                _ = poll.tick() => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// Does the task that has been due longest; false where none is due.
async fn do_next(queue: &TaskQueue, kinds: &JobKinds) -> Result<bool> {
    let Some(task) = queue.claim().await? else {
        return Ok(false);
    };
    let Some(kind) = kinds.0.get(task.kind()) else {
        tracing::error!(task_id = %task.id(), kind = task.kind(), "this kind of task is unknown");
        queue.fail(&task, "this kind of task is unknown", false).await?;
        return Ok(true);
    };
    let done = match timeout(kind.time_limit, kind.job.run_any(&task)).await {
        Ok(done) => done,
        Err(_) => Err(Error::DeadlineExceeded),
    };
    match done {
        Ok(()) => {}
        Err(error @ (Error::Unavailable(_) | Error::DeadlineExceeded)) if task.attempts() < kind.retries.attempts => {
            let pause = TimeDelta::from_std(kind.retries.pause_after(task.attempts())).unwrap_or(TimeDelta::MAX);
            queue.postpone(&task, pause, &failure(&error)).await?;
        }
        Err(error) => {
            let why = failure(&error);
            let is_refusal = matches!(error, Error::TooMuch { .. } | Error::QuotaExceeded { .. });
            tracing::error!(
                task_id = %task.id(),
                attempts = task.attempts(),
                error = format!("{:#}", anyhow::Error::from(error)),
                "a task failed permanently"
            );
            queue.fail(&task, &why, is_refusal).await?;
        }
    }
    Ok(true)
}

impl fmt::Debug for JobKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
