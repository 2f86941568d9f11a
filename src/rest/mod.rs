//! REST: a client of the gRPC services in the same process, driven by `google.api.http` beside the RPCs.
//!
//! JSON ⇄ protobuf, routes from the descriptors, and the one shape of every failure live here. No rules, no services and
//! no store: whatever an RPC does, REST does through it. Called by the composition root only, which hands in the tonic
//! routes with their layers.
//!
//! `bindings` (from `rules`) and `schema` are compiled at start-up; `transcode` takes each request through `routes`,
//! `body`, `decode` and `params`, `call`, `encode` or `stream`, or `error`.

mod bindings;
mod body;
mod decode;
mod decoder;
mod demand;
mod encode;
mod error;
mod free_json;
mod health;
mod layers;
mod misnamed;
mod params;
mod planned;
mod routes;
mod rules;
mod scalar;
mod schema;
mod stream;
#[cfg(test)]
mod tests;
mod transcode;
mod visit;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use prost_reflect::DescriptorPool;

pub use bindings::RouteError;
pub(crate) use rules::{HttpRule, http_rules, success_status};
pub use schema::UnsupportedType;
pub(crate) use schema::{UNSPECIFIED, invalid_reason, list_form, omit_empty, words};
pub(crate) use stream::NDJSON;

use crate::admission::{Fault, drain};
use crate::in_process::GrpcClient;
use crate::model::Origin;
use error::{FieldViolation, Problem};
use routes::RouteTable;
use transcode::Transcoder;

/// What REST needs to know beside the descriptors.
#[derive(Debug, Clone)]
pub struct RestSettings {
    /// The largest JSON body that is read.
    pub max_body_bytes: usize,
    /// Origins whose pages may call the API, such as `https://app.example.com`, or `*`. Without any, answers carry no
    /// CORS headers.
    pub allowed_origins: Vec<String>,
    /// Whether every request but a health check must be encrypted.
    pub tls_required: bool,
    /// The version that the health check names.
    pub version: &'static str,
}

/// Routes for every RPC with an HTTP rule, and the health check; every other path is answered too. `grpc` are the tonic
/// routes with their whole layer stack. A declaration that can't be served is an error.
pub fn router(descriptors: &DescriptorPool, grpc: Router, settings: &RestSettings) -> Result<Router, RouteError> {
    let (schema, bindings) = bindings::read(descriptors)?;
    let transcoder = Arc::new(Transcoder {
        schema: Arc::new(schema),
        routes: RouteTable::new(bindings)?,
        grpc: GrpcClient::new(grpc),
        settings: settings.clone(),
    });
    let router = Router::new()
        .fallback(move |request: Request| {
            let transcoder = Arc::clone(&transcoder);
            async move { transcoder.handle(request).await }
        })
        .layer(layers::compression());
    let router = match settings.tls_required {
        true => router.layer(from_fn(only_over_tls)),
        false => router,
    };
    for_browsers(router, &settings.allowed_origins)
}

/// The router with what browsers need: CORS for the pages of these origins, and headers that keep a browser from doing
/// anything with an answer but reading it.
pub fn for_browsers(router: Router, allowed_origins: &[String]) -> Result<Router, RouteError> {
    let router = router.layer(axum::middleware::map_response(layers::harmless));
    Ok(match layers::cors(allowed_origins)? {
        Some(cors) => router.layer(cors),
        None => router,
    })
}

/// Lets through what came over TLS, here or at a trusted proxy; and health checks, since load balancers often speak no TLS.
pub async fn only_over_tls(request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Arc<Origin>>();
    if origin.is_some_and(|origin| origin.secure) || health::is_path(request.uri().path()) {
        return next.run(request).await;
    }
    let message = "This server requires TLS";
    refused(
        Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message),
        request,
    )
    .await
}

/// A refusal in the shape of every failure, by whoever stands before REST.
pub fn refusal(request: &HeaderMap, status: StatusCode, code: &'static str, message: &'static str) -> Response {
    let request_id = request.get("x-request-id").and_then(|id| id.to_str().ok());
    Problem::new(status, code, message).into_response(request_id.unwrap_or_default())
}

/// What a request is told whose path is no route.
pub async fn no_such_route(request: Request) -> Response {
    refused(Problem::route_not_found(), request).await
}

/// What a request is told whose path takes GET only.
pub async fn only_get(request: Request) -> Response {
    let allow = routes::allow([Method::GET].iter());
    match *request.method() {
        Method::OPTIONS => transcode::options(allow),
        _ => refused(Problem::method_not_allowed(allow), request).await,
    }
}

/// What a request is told that names no host, or several. Nothing of its body is read.
pub fn no_single_host(request: &HeaderMap) -> Response {
    let violation = FieldViolation::new("host", "must be one host name or address, the same as in the URL");
    let request_id = request.get("x-request-id").and_then(|id| id.to_str().ok());
    Problem::invalid(&[violation]).into_response(request_id.unwrap_or_default())
}

/// The answer to a request that was not taken on, or whose body did not come as it must.
pub fn overloaded(request: &HeaderMap, fault: Fault) -> Response {
    let problem = match fault {
        Fault::Full => Problem::unavailable(),
        Fault::TooSlow => {
            let message = "The request body did not arrive in time";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)
        }
        Fault::TooLarge(bytes) => {
            let reason = format!("must be at most {bytes} bytes long without credentials");
            Problem::invalid(&[FieldViolation::new("body", reason)])
        }
    };
    let request_id = request.get("x-request-id").and_then(|id| id.to_str().ok());
    problem.into_response(request_id.unwrap_or_default())
}

async fn refused(problem: Problem, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    drain(body, &parts).await;
    let request_id = parts.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    problem.into_response(request_id.unwrap_or_default())
}
