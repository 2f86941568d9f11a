//! From `x-api-key` to a [`Caller`] in the request's extensions. A tower layer, because a key is resolved through the
//! database; tonic's own interceptors can't wait.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use tonic::Status;

use super::access::{Access, AccessTable};
use crate::error::{Error, Result};
use crate::model::Caller;
use crate::services::AuthService;

/// What the layer works with.
#[derive(Clone, Debug)]
pub(super) struct Authenticate {
    pub(super) access: Arc<AccessTable>,
    pub(super) auth: Arc<AuthService>,
}

/// Lets a request through that may call its RPC, with its caller; answers every other one.
pub(super) async fn authenticate(State(layer): State<Authenticate>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(access) = layer.access.rule(path) else {
        // Health and reflection are open; an unknown method of ours finds no handler.
        return next.run(request).await;
    };
    if access != Access::Public {
        let key = request.headers().get("x-api-key").cloned();
        match caller(&layer.auth, key, access).await {
            Ok(caller) => {
                tracing::Span::current().record("user_id", caller.account_id.as_str());
                request.extensions_mut().insert(caller);
            }
            Err(error) => return Status::from(error).into_http(),
        }
    }
    next.run(request).await
}

async fn caller(auth: &AuthService, key: Option<HeaderValue>, access: Access) -> Result<Arc<Caller>> {
    let key = key.ok_or(Error::Unauthenticated)?;
    let caller = auth
        .authenticate(key.to_str().map_err(|_| Error::Unauthenticated)?)
        .await?;
    match access {
        Access::Public | Access::Authenticated => Ok(caller),
        Access::Scope(scope) if caller.may(scope) => Ok(caller),
        Access::Scope(scope) => Err(Error::Forbidden(scope)),
        Access::SignedIn => Err(Error::Unauthenticated),
    }
}
