//! Signing in, up and out, and getting the next tokens: REST's own routes, with the tokens in cookies instead of answers.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, body};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;

use super::cookies::{self, Session};
use crate::in_process::RestClient;

/// Tokens and an address fit many times.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Headers of the browser's request that a call made for it carries.
const FORWARD: [HeaderName; 1] = [HeaderName::from_static("x-request-id")];

/// What REST answers when somebody signs in; of more it is not told.
#[derive(Deserialize)]
struct SignedIn {
    user_id: String,
    email: String,
    access_token: String,
    refresh_token: String,
}

/// Whether the request is for the session that a token would be of.
pub(super) fn makes_one(request: &Request) -> bool {
    request.method() == Method::POST
        && matches!(
            request.uri().path(),
            "/dashboard/session" | "/dashboard/session/register" | "/dashboard/session/setup"
        )
}

pub(super) async fn sign_in(State(api): State<RestClient>, request: Request) -> Response {
    enter(api, request, Uri::from_static("/v1/auth/login")).await
}

pub(super) async fn register(State(api): State<RestClient>, request: Request) -> Response {
    enter(api, request, Uri::from_static("/v1/auth/register")).await
}

pub(super) async fn set_up(State(api): State<RestClient>, request: Request) -> Response {
    enter(api, request, Uri::from_static("/v1/auth/setup")).await
}

/// Spends the refresh token; a spent one ends the session, here and in the browser.
pub(super) async fn refresh(State(api): State<RestClient>, request: Request) -> Response {
    let Some(session) = Session::of(&request) else {
        return super::refusal(
            &request,
            StatusCode::UNAUTHORIZED,
            "AUTHENTICATION_ERROR",
            "Invalid authentication credentials",
        );
    };
    let (parts, _) = request.into_parts();
    let answer = spend(api, &parts, session.refresh_token()).await;
    let has_ended = answer.status() == StatusCode::UNAUTHORIZED;
    let is_secure = cookies::is_secure(&parts.extensions);
    let mut response = keep(answer, is_secure).await;
    if has_ended {
        cookies::clear(&mut response, is_secure);
    }
    response
}

/// Ends the session. The browser forgets it whatever comes of that.
pub(super) async fn sign_out(State(api): State<RestClient>, request: Request) -> Response {
    let session = Session::of(&request);
    let (parts, _) = request.into_parts();
    if let Some(session) = session {
        let ended = log_out(&api, &parts, &session).await;
        if ended.status() == StatusCode::UNAUTHORIZED {
            // The token's time was over; the session's need not be.
            let answer = spend(api.clone(), &parts, session.refresh_token()).await;
            if let Ok((_, signed_in)) = read(answer).await {
                let session = Session::new(signed_in.access_token, signed_in.refresh_token);
                log_out(&api, &parts, &session).await;
            }
        }
    }
    let mut response = Json(json!({"success": true})).into_response();
    cookies::clear(&mut response, cookies::is_secure(&parts.extensions));
    response
}

async fn enter(api: RestClient, request: Request, route: Uri) -> Response {
    let is_secure = cookies::is_secure(request.extensions());
    let (mut parts, body) = request.into_parts();
    parts.uri = route;
    // An answer that is read here must not be compressed.
    for name in [COOKIE, AUTHORIZATION, super::X_API_KEY, super::CSRF, ACCEPT_ENCODING] {
        parts.headers.remove(name);
    }
    let answer = api.send(Request::from_parts(parts, body)).await;
    keep(answer, is_secure).await
}

async fn spend(api: RestClient, parts: &Parts, refresh_token: &str) -> Response {
    let body = Body::from(json!({"refresh_token": refresh_token}).to_string());
    api.send(made_for(parts, Uri::from_static("/v1/auth/refresh"), body))
        .await
}

async fn log_out(api: &RestClient, parts: &Parts, session: &Session) -> Response {
    let mut request = made_for(parts, Uri::from_static("/v1/auth/logout"), Body::from("{}"));
    if let Some(bearer) = session.bearer() {
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    api.send(request).await
}

/// A request of this server's own, on behalf of the browser's.
fn made_for(parts: &Parts, route: Uri, body: Body) -> Request {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = route;
    *request.extensions_mut() = parts.extensions.clone();
    let headers = request.headers_mut();
    for name in &FORWARD {
        if let Some(value) = parts.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// The answer without its tokens, which go into cookies.
async fn keep(answer: Response, is_secure: bool) -> Response {
    let (mut response, signed_in) = match read(answer).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let SignedIn {
        user_id,
        email,
        access_token,
        refresh_token,
    } = signed_in;
    *response.body_mut() = Body::from(json!({"user_id": user_id, "email": email}).to_string());
    Session::new(access_token, refresh_token).keep(&mut response, is_secure);
    response
}

/// A good answer, emptied, with what it says; a failure as it is.
async fn read(answer: Response) -> Result<(Response, SignedIn), Response> {
    if !answer.status().is_success() {
        return Err(answer);
    }
    let (mut parts, body) = answer.into_parts();
    let bytes = body::to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default();
    let signed_in = serde_json::from_slice(&bytes).map_err(|error| {
        tracing::error!(%error, "the answer to a sign-in can't be read");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })?;
    parts.headers.remove(CONTENT_LENGTH);
    Ok((Response::from_parts(parts, Body::empty()), signed_in))
}
