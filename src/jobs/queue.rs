//! The driver of durable tasks: takes what is due, has its kind of job do a slice, and says how it ended.
//!
//! Several instances may do so over one database; each task is taken by one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::future::{BoxFuture, FutureExt, join_all};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::Job;
use super::job::{Lane, Retries};
use crate::error::{Error, Result};
use crate::services::{ClaimedTask, TaskQueue, failure};

/// How often the database is asked for tasks that were taken on elsewhere, or put off.
const POLL: Duration = Duration::from_secs(1);
/// How often the lease of a task under way is renewed; it lasts three times as long.
const RENEW: Duration = Duration::from_secs(10);

/// The kinds of jobs that an instance does.
#[derive(Default)]
pub struct JobKinds(BTreeMap<&'static str, Kind>);

struct Kind {
    job: Arc<dyn AnyJob>,
    lane: Lane,
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
        self.run_slice(task, task.payload()?).await
    }
}

impl JobKinds {
    /// With one more kind.
    #[must_use]
    pub fn with<J: Job>(mut self, job: J) -> Self {
        let kind = Kind {
            job: Arc::new(job),
            lane: J::LANE,
            time_limit: J::TIME_LIMIT,
            retries: J::RETRIES,
        };
        self.0.insert(J::KIND, kind);
        self
    }
}

/// Does what is due until `stop` says true; what is under way then is finished first.
pub async fn run_queue(queue: Arc<TaskQueue>, kinds: JobKinds, stop: watch::Receiver<bool>) {
    if let Err(error) = queue.resume().await {
        tracing::warn!(%error, "tasks of the previous run wait until their leases end");
    }
    let words: Vec<&str> = kinds.0.keys().copied().collect();
    let mut workers: Vec<BoxFuture<'_, ()>> = vec![work(&queue, stop.clone(), || fail_unknown(&queue, &words)).boxed()];
    for (word, kind) in &kinds.0 {
        for _ in 0..kind.lane.per_instance {
            let next = || do_next(&queue, word, kind);
            workers.push(work(&queue, stop.clone(), next).boxed());
        }
    }
    join_all(workers).await;
}

/// Does one thing after the other: `next` says whether there was one.
async fn work<F: Future<Output = Result<bool>>>(
    queue: &TaskQueue,
    mut stop: watch::Receiver<bool>,
    next: impl Fn() -> F,
) {
    let mut added = queue.added();
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        added.mark_unchanged();
        let is_idle = match next().await {
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
                _ = added.changed() => {}
                _ = poll.tick() => {}
                _ = stop.changed() => return,
            }
        }
    }
}

async fn fail_unknown(queue: &TaskQueue, known: &[&str]) -> Result<bool> {
    let Some(task) = queue.claim_other(known).await? else {
        return Ok(false);
    };
    tracing::error!(task_id = %task.id(), kind = task.kind(), "this kind of task is unknown");
    queue.fail(&task, "this kind of task is unknown", false).await?;
    Ok(true)
}

/// Does a slice of the task of this kind that has been due longest; false where none is due.
async fn do_next(queue: &TaskQueue, word: &str, kind: &Kind) -> Result<bool> {
    let Some(task) = queue.claim(word, kind.lane.per_account).await? else {
        return Ok(false);
    };
    if task.is_to_stop() {
        queue.cancel(&task).await?;
        return Ok(true);
    }
    match run_slice(queue, kind, &task).await {
        Ok(()) => {}
        Err(error @ (Error::Unavailable(_) | Error::DeadlineExceeded)) if task.tries() < kind.retries.tries => {
            let pause = TimeDelta::from_std(kind.retries.pause_after(task.tries())).unwrap_or(TimeDelta::MAX);
            queue.postpone(&task, pause, &failure(&error)).await?;
        }
        Err(error) => {
            let why = failure(&error);
            let is_refusal = matches!(error, Error::TooMuch { .. } | Error::QuotaExceeded { .. });
            tracing::error!(
                task_id = %task.id(),
                tries = task.tries(),
                error = format!("{:#}", anyhow::Error::from(error)),
                "a task failed permanently"
            );
            queue.fail(&task, &why, is_refusal).await?;
        }
    }
    Ok(true)
}

/// Runs a slice for as long as the task is this instance's.
async fn run_slice(queue: &TaskQueue, kind: &Kind, task: &ClaimedTask) -> Result<()> {
    let slice = timeout(kind.time_limit, kind.job.run_any(task));
    tokio::pin!(slice);
    let mut renew = interval_at(Instant::now() + RENEW, RENEW);
    let ended = loop {
        tokio::select! {
            ended = &mut slice => break ended,
            // Where the database does not answer, the slice finds that out itself.
            _ = renew.tick() => if let Ok(false) = queue.renew(task).await {
                return Err(Error::Conflict("the task was taken over or cancelled"));
            },
        }
    };
    match ended {
        Ok(Ok(())) if !task.has_ended() => Err(Error::Internal("the job did not say how its slice ended".into())),
        Ok(ended) => ended,
        Err(_) => Err(Error::DeadlineExceeded),
    }
}

impl fmt::Debug for JobKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
