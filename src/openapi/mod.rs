//! The OpenAPI document, made from the same declarations that gRPC and REST serve, and the pages that show it.
//!
//! `operations` goes through the RPCs with an HTTP rule; `parameters`, `schemas` and `errors` make the parts of an
//! operation, `comments` and `options` read what the protos say. What no RPC declares (health, OAuth, headers) is
//! written down in `undeclared/`, examples in `examples.json`.

use http::Uri;
use prost_reflect::{DescriptorPool, ServiceDescriptor};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::ScopeSet;
use crate::rest::{RouteError, http_rules};

mod comments;
mod errors;
mod examples;
mod headers;
mod links;
mod operations;
mod options;
mod pages;
mod parameters;
mod schemas;

pub use pages::router;

use comments::Comments;
use examples::Examples;
use operations::Operations;
use schemas::Schemas;

/// The tag of routes without `/v1`, which published clients call.
const UNPREFIXED: &str = "Unprefixed";
const SUMMARY: &str = "The long-term memory of AI applications";
const DESCRIPTION: &str = "This document is made from the `.proto` files that the server is compiled from. Every \
    route is the JSON form of a gRPC call.\n\nUnknown fields of a request are ignored, except other spellings of a field \
    and other services' names for the person or a filter (`userId`, `filters`, `run_id`). Those are a \
    `VALIDATION_ERROR` that names the right field. Absent optional fields of an answer are left out. Every failure has the shape of `Error`; branch on `error.code`. Apart from the listed errors, a \
    server that requires TLS answers 403 to everything that is not encrypted. The routes under the tag *Unprefixed* \
    are the same as those under `/v1`.";

/// The document can't be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenApiError {
    /// A type without a JSON form.
    #[error("`{0}` has no JSON form")]
    Type(String),
    /// An RPC does not say who may call it.
    #[error("{0} has no valid option memsync.v1.access")]
    Undeclared(String),
    /// The descriptors lack something.
    #[error("the descriptors do not define `{0}`")]
    Missing(&'static str),
    /// An HTTP rule that can't be read.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A part that is written by hand is no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What no RPC declares.
#[derive(Debug, Deserialize)]
struct ByHand {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

/// The OpenAPI 3.1 document of the API. `public_url` is where clients reach the server; without it they go to where
/// they have the document from.
pub fn document(descriptors: &DescriptorPool, version: &str, public_url: Option<&Uri>) -> Result<Value, OpenApiError> {
    let comments = Comments::read(descriptors);
    let examples = Examples::read()?;
    let health: ByHand = serde_json::from_str(include_str!("undeclared/health.json"))?;
    let oauth: ByHand = serde_json::from_str(include_str!("undeclared/oauth.json"))?;
    let mut operations = Operations {
        comments: &comments,
        examples: &examples,
        schemas: Schemas::new(descriptors, &comments),
        responses: errors::Responses::default(),
        paths: health.paths.into_iter().chain(oauth.paths).collect(),
    };
    let mut tags = Vec::new();
    for service in descriptors.services() {
        let mut is_served = false;
        for method in service.methods() {
            is_served |= !http_rules(&method)?.is_empty();
            operations.add(&method)?;
        }
        if is_served {
            let comment = comments.of(&service.parent_file(), service.path());
            tags.push(json!({"name": tag(&service), "description": comment}));
        }
    }
    tags.push(json!({"name": "OAuth", "description": "OAuth 2.0, as in the RFCs."}));
    tags.push(json!({"name": "Health", "description": "Whether the server can serve."}));
    tags.push(json!({"name": UNPREFIXED, "description": "The same routes without `/v1`, as some published clients call them."}));

    let responses = operations.responses.into_components();
    let paths = operations.paths;
    let mut components = operations.schemas.into_components();
    components.extend(errors::schemas(descriptors, &comments)?);
    components.extend(health.schemas);
    components.extend(oauth.schemas);
    let base = public_url.map(Uri::to_string);
    let base = base.as_deref().map_or("", |url| url.trim_end_matches('/'));
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "MemSync",
            "version": version,
            "summary": SUMMARY,
            "description": DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": if base.is_empty() { "/" } else { base }}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "parameters": headers::of_requests(),
            "headers": headers::of_answers(),
            "securitySchemes": security_schemes(base),
        },
    }))
}

/// `MemoryService` is `Memory`.
fn tag(service: &ServiceDescriptor) -> String {
    let name = service.name();
    name.strip_suffix("Service").unwrap_or(name).to_owned()
}

fn security_schemes(base: &str) -> Value {
    let scopes = ScopeSet::for_programs();
    let scopes: Map<String, Value> = scopes
        .iter()
        .map(|scope| (scope.to_string(), scope.in_words().into()))
        .collect();
    let token = format!("{base}/oauth/token");
    json!({
        "ApiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key, `memsync_sk_live_…`.",
        },
        "Bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of a signed-in person, from `POST /v1/auth/login`; or an API key, for \
                clients that send no other header.",
        },
        "OAuth2": {
            "type": "oauth2",
            "description": "An access token that a person granted to a program, or a program's own.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": format!("{base}/oauth/authorize"),
                    "tokenUrl": token,
                    "refreshUrl": token,
                    "scopes": scopes,
                },
                "clientCredentials": {"tokenUrl": token, "scopes": scopes},
            },
        },
        "OAuthClient": {
            "type": "http",
            "scheme": "basic",
            "description": "A program by its `client_id` and `client_secret`.",
        },
    })
}
