//! Room for requests: those beyond it are refused at once, before memory grows.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What a request takes while it is answered, as a multiple of its body: JSON, message, texts, facts.
const COPIES: u64 = 4;
/// The body of a request that does not say how long it is: most times a gRPC call, and short.
const UNSAID_BYTES: u64 = 64 << 10;
/// No body is held that is longer; it is refused, or read as a stream.
const LONGEST_HELD_BYTES: u64 = 4 << 20;
/// Whoever asks after the health of a server that is full is told.
const ALWAYS_ADMITTED: [&str; 3] = ["/healthcheck", "/v1/healthcheck", "/grpc.health.v1.Health/Check"];

/// Room for requests being answered. Clones share it.
#[derive(Clone, Debug)]
pub struct Room {
    requests: Arc<Semaphore>,
    memory_kib: Arc<Semaphore>,
    total_kib: u32,
}

impl Room {
    /// For so many requests at one time, that take so much memory in MiB.
    pub fn new(requests: usize, memory_mb: u32) -> Self {
        let total_kib = memory_mb.saturating_mul(1024);
        Self {
            requests: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))),
            memory_kib: Arc::new(Semaphore::new(total_kib as usize)),
            total_kib,
        }
    }

    fn enter(&self, headers: &HeaderMap) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let said = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let bytes = said.unwrap_or(UNSAID_BYTES).min(LONGEST_HELD_BYTES) * COPIES;
        // The largest request fits alone, however little room there is.
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX).min(self.total_kib);
        Some((
            self.requests.try_acquire().ok()?,
            self.memory_kib.try_acquire_many(kib).ok()?,
        ))
    }
}

/// The router for as many requests as there is room for; `refuse` answers the others.
pub fn within<F, R>(router: Router, room: &Room, refuse: F) -> Router
where
    F: Fn(Request) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let room = room.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        let (room, refuse) = (room.clone(), refuse.clone());
        async move {
            if ALWAYS_ADMITTED.contains(&request.uri().path()) {
                return next.run(request).await;
            }
            let place = room.enter(request.headers());
            match place {
                Some(_held) => next.run(request).await,
                None => refuse(request).await,
            }
        }
    }))
}
