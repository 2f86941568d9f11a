//! Where work that computes for long runs, so that it holds up no other request.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::JoinError;

/// As many at one time as there are cores: more would only make each other slower.
static CORES: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(
        available_parallelism()
            .map_or(LEAST_CORES, NonZero::get)
            .max(LEAST_CORES),
    )
});
/// A long one shall not hold up everybody.
const LEAST_CORES: usize = 2;

/// Runs work that computes and never waits for anything but a core, on a thread where it holds up no request. Fails only
/// where the work panics.
pub(crate) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    // Nobody closes it.
    let core = CORES.acquire().await.ok();
    tokio::task::spawn_blocking(move || {
        // Held to the end of the work, even if the caller has gone away.
        let _core = core;
        work()
    })
    .await
}
