//! The REST client: an HTTP request as a client elsewhere would send it, and its answer.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt;

/// Calls REST through all its layers.
#[derive(Debug, Clone)]
pub struct RestClient(Router);

impl RestClient {
    /// A client of these routes.
    pub const fn new(rest: Router) -> Self {
        Self(rest)
    }

    /// Sends a request. Failures are answers too.
    pub async fn send(&self, request: Request) -> Response {
        match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}
