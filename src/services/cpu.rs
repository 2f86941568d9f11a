//! Where work that computes for long runs, so that it holds up no other request.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::error::{Error, Result};

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

/// Runs work that computes and never waits for anything but a core, on a thread where it holds up no request.
pub(super) async fn on_cpu<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let core = CORES.acquire().await.map_err(|e| Error::Internal(Box::new(e)))?;
    let done = tokio::task::spawn_blocking(move || {
        // Held to the end of the work, even where whoever asked for it has gone away.
        let _core = core;
        work()
    });
    done.await.map_err(|e| Error::Internal(Box::new(e)))?
}
