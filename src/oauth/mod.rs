//! OAuth 2.0 as HTTP: authorisation, tokens, revocation, introspection, discovery. HTTP by nature, so beside `rest/`.
//!
//! A driver like `grpc/`: reads requests, calls `services`, writes answers. No rules and no store.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::{Origin, ScopeSet};
use crate::services::{AuthService, OAuthError, RateLimiter};

mod authorize;
mod token;

/// What the endpoints work with.
#[derive(Clone, Debug)]
pub struct OAuthOptions {
    /// Accounts and programs.
    pub auth: Arc<AuthService>,
    /// How often an address may come.
    pub limits: Arc<RateLimiter>,
    /// The URL that clients reach this server by; from each request's own host when absent.
    pub public_url: Option<Uri>,
    /// Whether every request must be encrypted.
    pub tls_required: bool,
}

/// The endpoints.
pub fn router(options: OAuthOptions) -> Router {
    let limited = Router::new()
        .route("/oauth/authorize", get(authorize::ask).post(authorize::decide))
        .route("/oauth/token", post(token::issue))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/introspect", post(token::introspect))
        .layer(from_fn_with_state(options.clone(), guard));
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(server_metadata))
        .route("/.well-known/oauth-protected-resource", get(resource_metadata))
        .merge(limited)
        .layer(from_fn_with_state(options.clone(), only_over_tls))
        .with_state(options)
}

/// Refuses what is not encrypted where it must be.
async fn only_over_tls(State(options): State<OAuthOptions>, request: Request, next: Next) -> Response {
    if options.tls_required && !origin(request.extensions()).secure {
        return failure(OAuthError::Service(Error::ForbiddenHere("This server requires TLS")));
    }
    next.run(request).await
}

/// Refuses who comes too often.
async fn guard(State(options): State<OAuthOptions>, request: Request, next: Next) -> Response {
    let origin = origin(request.extensions());
    let limits = &options.limits;
    let taken = limits.take_from_address(origin.address);
    match taken.and_then(|()| limits.take_anonymous(origin.address)) {
        Ok(()) => next.run(request).await,
        Err(limited) => failure(OAuthError::Service(limited)),
    }
}

fn origin(extensions: &Extensions) -> Arc<Origin> {
    extensions.get::<Arc<Origin>>().cloned().unwrap_or_default()
}

/// Who issues the tokens: this server's own URL (RFC 8414).
fn issuer(options: &OAuthOptions, origin: &Origin) -> String {
    if let Some(url) = &options.public_url {
        return url.to_string().trim_end_matches('/').to_owned();
    }
    let scheme = if origin.secure { "https" } else { "http" };
    format!("{scheme}://{}", origin.host.as_deref().unwrap_or("localhost"))
}

async fn server_metadata(State(options): State<OAuthOptions>, request: Request) -> Json<Value> {
    let issuer = issuer(&options, &origin(request.extensions()));
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "scopes_supported": scopes(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn resource_metadata(State(options): State<OAuthOptions>, request: Request) -> Json<Value> {
    let issuer = issuer(&options, &origin(request.extensions()));
    Json(json!({
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": scopes(),
        "bearer_methods_supported": ["header"],
    }))
}

fn scopes() -> Vec<String> {
    ScopeSet::for_programs().iter().map(|scope| scope.to_string()).collect()
}

/// The name, the description and the HTTP status of a failure (RFC 6749, 4.1.2.1 and 5.2).
fn described(error: &OAuthError) -> (&'static str, String, StatusCode) {
    match error {
        OAuthError::Protocol { code, description } => {
            let status = match *code {
                "invalid_client" => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            (code, description.to_string(), status)
        }
        OAuthError::Service(error) => {
            let (code, status) = match error {
                Error::RateLimited(_) => ("temporarily_unavailable", StatusCode::TOO_MANY_REQUESTS),
                Error::Unavailable(_) => ("temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE),
                Error::ForbiddenHere(_) => ("access_denied", StatusCode::FORBIDDEN),
                Error::Unauthenticated => ("access_denied", StatusCode::UNAUTHORIZED),
                _ => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
            };
            if status.is_server_error() {
                tracing::error!(%error, "an OAuth request failed");
            }
            (code, error.to_string(), status)
        }
    }
}

/// A failure as programs read it.
fn failure(error: OAuthError) -> Response {
    let (code, description, status) = described(&error);
    let body = Json(json!({"error": code, "error_description": description}));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if code == "invalid_client" {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"memsync\""));
    }
    retry_after(&error, &mut response);
    response
}

fn retry_after(error: &OAuthError, response: &mut Response<Body>) {
    if let OAuthError::Service(Error::RateLimited(limited)) = error {
        let seconds = limited.retry_after.as_secs() + 1;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
