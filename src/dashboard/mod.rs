//! The dashboard: its pages as they lie in `assets/dashboard/`, and the way from a browser's session to REST.
//!
//! A client of `rest/` in the same process: it turns cookies into Bearer tokens and knows no services. What the pages do
//! with it is theirs.

mod cookies;
mod session;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{Redirect, Response};
use axum::routing::{any, get, post};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use rust_embed::RustEmbed;

use crate::in_process::RestClient;
use crate::model::SignedInOnly;
use crate::rest;
use crate::server::Assets;
use cookies::Session;

/// Scripts, styles and requests of this origin alone, nothing inline, and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What pages ask of REST stands behind this.
const API: &str = "/dashboard/api";

/// The pages and all that they load.
#[derive(RustEmbed)]
#[folder = "assets/dashboard/"]
struct Files;

/// The dashboard's routes. `api` is REST, by which they do everything.
pub fn router(api: RestClient) -> Router {
    let sessions = Router::new()
        .route("/dashboard/session", post(session::sign_in).delete(session::sign_out))
        .route("/dashboard/session/register", post(session::register))
        .route("/dashboard/session/setup", post(session::set_up))
        .route("/dashboard/session/refresh", post(session::refresh))
        .method_not_allowed_fallback(no_such_method)
        .route("/dashboard/api/{*path}", any(call))
        .layer(from_fn(only_from_its_pages))
        .with_state(api);
    let pages = Router::new()
        .route("/", get(async || Redirect::to("/dashboard")))
        .route("/dashboard", get(page))
        .route("/dashboard/{*path}", get(page))
        .route("/dashboard/assets/{*path}", get(file))
        .method_not_allowed_fallback(rest::only_get)
        .layer(map_response(alone))
        .with_state(Arc::new(Assets::new(POLICY)));
    sessions.merge(pages)
}

type Pages = State<Arc<Assets<Files>>>;

/// Every page is the same document; its script shows the one that the address names.
async fn page(State(pages): Pages, request: Request) -> Response {
    let document = pages.answer("index.html", request.headers());
    document.unwrap_or_else(|| no_route(&request))
}

async fn file(State(pages): Pages, Path(path): Path<String>, request: Request) -> Response {
    let file = pages.answer(&path, request.headers());
    file.unwrap_or_else(|| no_route(&request))
}

/// No other origin shares a window with a page, or loads what is here.
async fn alone(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("same-origin"));
    }
    response
}

/// Refuses what another site makes a browser send: requests that say so, and changes without the token that only pages of
/// this origin can read. Without a session there is no token; then the header must be there all the same, since a form of
/// another site can't send it.
async fn only_from_its_pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_own = match site {
        None | Some(b"same-origin") => true,
        Some(site) => is_read && site == b"none",
    };
    let token = headers.get(CSRF).map(HeaderValue::as_bytes);
    let has_token = token.is_some_and(|token| match Session::of(&request) {
        Some(session) => session.is_csrf_token(token) || session::makes_one(&request),
        None => true,
    });
    if is_own && (is_read || has_token) {
        next.run(request).await
    } else {
        refusal(
            &request,
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "This request did not come from a page of the dashboard",
        )
    }
}

/// What the page asks of REST, as the person who is signed in. Tokens are for cookies alone, so the routes that give them
/// out are not served here, however they are spelt; see `session`.
async fn call(State(api): State<RestClient>, request: Request) -> Response {
    let session = Session::of(&request);
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let Some(path) = path.strip_prefix(API).and_then(|path| path.parse::<Uri>().ok()) else {
        return no_route(&request);
    };
    let ends_session = request.method() == Method::DELETE
        && percent_decode_str(path.path().trim_end_matches('/')).eq(b"/v1/auth/me".iter().copied());
    let (mut parts, body) = request.into_parts();
    parts.uri = path;
    parts.extensions.insert(SignedInOnly);
    for name in [COOKIE, AUTHORIZATION, X_API_KEY, CSRF] {
        parts.headers.remove(name);
    }
    if let Some(bearer) = session.as_ref().and_then(Session::bearer) {
        parts.headers.insert(AUTHORIZATION, bearer);
    }
    let is_secure = cookies::is_secure(&parts.extensions);
    let mut response = api.send(Request::from_parts(parts, body)).await;
    if ends_session && response.status().is_success() {
        cookies::clear(&mut response, is_secure);
    }
    response
}

fn no_route(request: &Request) -> Response {
    refusal(request, StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND", "No such route")
}

async fn no_such_method(request: Request) -> Response {
    refusal(
        &request,
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "This route does not allow that method",
    )
}

fn refusal(request: &Request, status: StatusCode, code: &'static str, message: &'static str) -> Response {
    rest::refusal(request.headers(), status, code, message)
}
