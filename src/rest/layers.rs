//! What wraps every REST answer: CORS, compression, and headers that keep browsers harmless.
//!
//! `rest::router` puts these around the transcoder. Streams and small answers are not compressed.

use axum::response::Response;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::bindings::RouteError;

const COMPRESS_ABOVE_BYTES: u64 = 1024;
const PREFLIGHT_SECONDS: u64 = 600;

type JsonOnly = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// gzip for JSON that is worth it.
pub(super) fn compression() -> CompressionLayer<And<SizeAbove, JsonOnly>> {
    let json_only: JsonOnly = |_, _, headers, _| {
        headers
            .get(CONTENT_TYPE)
            .is_some_and(|content_type| content_type.as_bytes().starts_with(b"application/json"))
    };
    CompressionLayer::new()
        .gzip(true)
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES).and(json_only))
}

/// An answer that no browser keeps, guesses about, frames or runs; what the answer itself says goes first.
pub(super) async fn harmless(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// CORS for these origins; `None` where there are none.
pub(super) fn cors(allowed_origins: &[String]) -> Result<Option<CorsLayer>, RouteError> {
    if allowed_origins.is_empty() {
        return Ok(None);
    }
    let origins = if allowed_origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let fault = |origin: &String| RouteError::Origin(origin.clone());
        let values = allowed_origins.iter().map(|origin| {
            let is_origin = origin
                .parse::<http::Uri>()
                .is_ok_and(|uri| uri.scheme().is_some() && uri.path() == "/");
            if !is_origin || origin.ends_with('/') {
                return Err(fault(origin));
            }
            HeaderValue::from_str(origin).map_err(|_| fault(origin))
        });
        AllowOrigin::list(values.collect::<Result<Vec<_>, _>>()?)
    };
    let named = |name| HeaderName::from_static(name);
    Ok(Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                named("x-api-key"),
                AUTHORIZATION,
                CONTENT_TYPE,
                named("x-user-id"),
                named("x-request-id"),
                named("idempotency-key"),
                IF_MATCH,
            ])
            .expose_headers([
                named("x-request-id"),
                named("x-ratelimit-limit"),
                named("x-ratelimit-remaining"),
                named("x-ratelimit-reset"),
                RETRY_AFTER,
                ETAG,
            ])
            .max_age(std::time::Duration::from_secs(PREFLIGHT_SECONDS)),
    ))
}
