//! The driver of background work: it asks `services/` to do what is due, one thing after the other.
//!
//! Several instances may do so over one database; each task is taken by one of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::error::Result;
use crate::services::{MemoryService, ProfileService};

/// How often the database is asked for tasks that were taken on elsewhere, or put off.
const POLL: Duration = Duration::from_secs(1);

/// Does what is due until `stop` says true; what is under way then is finished first.
pub async fn run(memories: Arc<MemoryService>, profiles: Arc<ProfileService>, mut stop: watch::Receiver<bool>) {
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_idle = match do_next(&memories, &profiles).await {
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
                () = memories.wait_for_work() => {}
                _ = poll.tick() => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// Does one task, or writes one biography that is due; false where there is neither.
async fn do_next(memories: &MemoryService, profiles: &ProfileService) -> Result<bool> {
    Ok(memories.do_next_task().await? || profiles.write_next().await?)
}
