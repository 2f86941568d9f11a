//! `/openapi.json`, and `/docs`: the document in a browser, where each call can be tried.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use rust_embed::RustEmbed;
use serde_json::Value;

use crate::rest;
use crate::server::{Assets, Text};

/// The pages run no script and show no picture but their own, and talk to this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const INDEX: &str = "index.html";

#[derive(RustEmbed)]
#[folder = "assets/docs"]
struct Docs;

/// The routes that show this document.
pub fn router(document: &Value) -> Router {
    let json = Arc::new(Text::new("application/json", document.to_string()));
    let json = move |headers: HeaderMap| async move { json.answer(&headers) };
    let docs = get(page).with_state(Arc::new(Assets::<Docs>::new(POLICY)));
    let docs = docs.fallback(rest::only_get);
    Router::new()
        .route("/openapi.json", get(json).fallback(rest::only_get))
        .route("/docs", docs.clone())
        .route("/docs/", docs.clone())
        .route("/docs/{*path}", docs)
}

async fn page(State(docs): State<Arc<Assets<Docs>>>, request: Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix("/docs").unwrap_or(path).trim_start_matches('/');
    let file = if path.is_empty() { INDEX } else { path };
    match docs.answer(file, request.headers()) {
        Some(response) => response,
        None => rest::no_such_route(request).await,
    }
}
