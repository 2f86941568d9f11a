//! Writes biographies that are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::services::ProfileService;

/// How often the database is asked for those that became due elsewhere, or were put off.
const POLL: Duration = Duration::from_secs(1);

/// Writes one after the other until `stop` says true; the one under way then is finished first.
pub async fn write_bios(profiles: Arc<ProfileService>, mut stop: watch::Receiver<bool>) {
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_idle = match profiles.write_next().await {
            Ok(wrote_one) => !wrote_one,
            Err(error) => {
                tracing::warn!(%error, "biographies can't be written now");
                true
            }
        };
        if *stop.borrow() {
            return;
        }
        if is_idle {
            tokio::select! {
                () = profiles.wait_for_due() => {}
                _ = poll.tick() => {}
                _ = stop.changed() => return,
            }
        }
    }
}
