//! Where work that computes for long runs, so that it holds up no other request.

use crate::error::{Error, Result};

/// Runs work that computes and never waits on a thread where it holds up no request.
pub(super) async fn on_cpu<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::Internal(Box::new(e)))?
}
