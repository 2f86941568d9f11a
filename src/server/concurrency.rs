//! The layer that takes requests on within a [`Capacity`], and answers those that it can't.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderMap, HeaderName};

use crate::admission::{Capacity, Fault, drain};
use crate::model::Origin;

/// Probes are answered by a server that is full, too.
const ALWAYS_ADMITTED: [&str; 3] = ["/healthcheck", "/v1/healthcheck", "/grpc.health.v1.Health/Check"];
const RATE_LIMIT: &str = "x-ratelimit-";

/// How a protocol words a refusal, from the request's headers.
pub type Refusal = fn(&HeaderMap, Fault) -> Response;

/// The router for as much as there is capacity for. Bodies are held to their bounds while they arrive; `refuse` words the
/// answer to a request that was not taken on or whose body did not come as it must.
pub fn limited(router: Router, capacity: &Capacity, refuse: Refusal) -> Router {
    let capacity = capacity.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        let capacity = capacity.clone();
        async move {
            if ALWAYS_ADMITTED.contains(&request.uri().path()) {
                return next.run(request).await;
            }
            let origin = request.extensions().get::<Arc<Origin>>();
            let arrival = match origin {
                Some(origin) => capacity.arrive(origin),
                None => capacity.arrive(&Origin::default()),
            };
            let arrival = match arrival {
                Ok(arrival) => arrival,
                Err(fault) => {
                    let (parts, body) = request.into_parts();
                    drain(body, &parts).await;
                    return refuse(&parts.headers, fault);
                }
            };
            let request_id = request_id(request.headers());
            let version = request.version();
            let mut request = request.map(|body| arrival.wrap(body, version));
            request.extensions_mut().insert(arrival.clone());
            let response = next.run(request).await;
            match arrival.fault() {
                None => response,
                Some(fault) => refused(response, refuse(&request_id, fault)),
            }
        }
    }))
}

fn request_id(headers: &HeaderMap) -> HeaderMap {
    let name = HeaderName::from_static("x-request-id");
    let id = headers.get(&name).cloned();
    id.map(|id| (name, id)).into_iter().collect()
}

/// The refusal, with what the answer in its place said of the caller's allowance.
fn refused(answer: Response, mut refusal: Response) -> Response {
    let allowance = answer.headers().iter();
    let allowance = allowance.filter(|(name, _)| name.as_str().starts_with(RATE_LIMIT));
    refusal
        .headers_mut()
        .extend(allowance.map(|(name, value)| (name.clone(), value.clone())));
    refusal
}
