//! `/healthcheck`: the health service's word without credentials, the caller's identity with them.
//!
//! `transcode` calls it before it looks for a route.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Uri};

use super::error::Problem;
use super::routes;
use super::wire::{Raw, Reader};
use crate::in_process::{CallContext, GrpcClient};

const PATHS: [&str; 2] = ["/healthcheck", "/v1/healthcheck"];
/// `HealthCheckResponse.status` and its value for a service that serves.
const STATUS_FIELD: u32 = 1;
const SERVING: u64 = 1;
/// A frame with an empty message.
const EMPTY_FRAME: [u8; 5] = [0; 5];

pub(super) fn is_path(path: &str) -> bool {
    PATHS.contains(&path.strip_suffix('/').unwrap_or(path))
}

/// The verbs of the health check.
pub(super) fn allow() -> HeaderValue {
    routes::allow([Method::GET].iter())
}

/// Answers a health check.
pub(super) async fn check(grpc: &GrpcClient, context: CallContext, version: &str) -> Result<Response, Problem> {
    let authenticated = context.has_credentials();
    let mut headers = if authenticated {
        grpc.identify(context).await?
    } else {
        serving(grpc, context).await?;
        http::HeaderMap::new()
    };
    let body = serde_json::json!({"status": "ok", "authenticated": authenticated, "version": version});
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut response = Response::new(Body::from(body.to_string()));
    *response.headers_mut() = headers;
    Ok(response)
}

async fn serving(grpc: &GrpcClient, context: CallContext) -> Result<(), Problem> {
    let rpc = Uri::from_static("/grpc.health.v1.Health/Check");
    let answer = grpc
        .unary(&rpc, context.anonymous(), Body::from(&EMPTY_FRAME[..]))
        .await;
    let message = answer.map_err(|_| Problem::unavailable())?.message;
    let mut reader = Reader::new(&message);
    let mut status = 0;
    while let Ok(Some((number, raw))) = reader.record() {
        if let (STATUS_FIELD, Raw::Varint(value)) = (number, raw) {
            status = value;
        }
    }
    if status == SERVING {
        Ok(())
    } else {
        Err(Problem::unavailable())
    }
}
