//! Refuses requests beyond what can be answered at one time, before memory grows.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Semaphore;
use tonic::Status;

use crate::error::Error;

/// Room for requests being answered.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new(requests: usize) -> Self {
        Self(Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))))
    }
}

pub(super) async fn shed_load(State(room): State<Room>, request: Request, next: Next) -> Response {
    match room.0.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Status::from(Error::Unavailable("too many requests at one time".into())).into_http(),
    }
}
