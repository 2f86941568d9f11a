//! Work that computes for long, off the threads that serve requests.

use crate::cpu::compute;
use crate::error::{Error, Result};

/// Runs `work` on a thread where it holds up no request.
pub(super) async fn on_cpu<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    compute(work).await.map_err(|e| Error::Internal(Box::new(e)))?
}
