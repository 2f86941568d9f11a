//! Background work. `queue.rs` drives durable tasks: each kind is a [`Job`] in a file of its own, registered in
//! [`JobKinds`]. The other files are loops that a server runs beside answering requests; `app/` only starts them.

mod bios;
mod candidates;
mod database_health;
mod expiry;
mod flush;
mod job;
mod purge;
mod queue;
mod reembedding;
mod store_conversation;

use std::future::Future;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

pub use bios::write_bios;
pub use candidates::build_candidates;
pub use database_health::watch_database;
pub use expiry::remove_expired;
pub use flush::{flush, flush_regularly};
pub use job::{Job, Lane, Retries};
pub use purge::{Retention, purge};
pub use queue::{JobKinds, run_queue};
pub use reembedding::reembed;
pub use store_conversation::StoreConversation;

/// Does `work` now and then every `interval`, counted from the end where it takes longer.
async fn every<F: Future<Output = ()>>(interval: Duration, mut work: impl FnMut() -> F) {
    let mut tick = tokio::time::interval(interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        work().await;
    }
}
