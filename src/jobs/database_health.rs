//! Asks the database whether it still answers.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::error::Result;

const INTERVAL: Duration = Duration::from_secs(1);

/// Asks for ever, and tells of changes only: `is_serving` is what was told last.
pub async fn watch_database<C: Future<Output = Result<()>>, T: Future<Output = ()>>(
    mut is_serving: bool,
    check: impl Fn() -> C,
    tell: impl Fn(bool) -> T,
) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let answer = check().await;
        if answer.is_ok() == is_serving {
            continue;
        }
        is_serving = answer.is_ok();
        match answer {
            Ok(()) => tracing::info!("the database is available"),
            Err(error) => tracing::warn!(
                error = format!("{:#}", anyhow::Error::from(error)),
                "the database is unavailable"
            ),
        }
        tell(is_serving).await;
    }
}
