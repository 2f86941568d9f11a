//! Tokens: issued (RFC 6749, 4.1.3, 4.4 and 6), revoked (RFC 7009), explained (RFC 7662).

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::{OAuthOptions, failure};
use crate::model::Origin;
use crate::services::{OAuthError, OAuthTokens, ProgramCredentials};

#[derive(Deserialize)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct HeldToken {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

type Posted<T> = Result<Form<T>, FormRejection>;

fn invalid_request(description: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::Protocol {
        code: "invalid_request",
        description: description.into(),
    }
}

fn posted<T>(form: Posted<T>) -> Result<T, OAuthError> {
    let form = form
        .map_err(|_| invalid_request("the body must be application/x-www-form-urlencoded, with each parameter once"))?;
    Ok(form.0)
}

fn needed(value: Option<String>, name: &'static str) -> Result<String, OAuthError> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| invalid_request(format!("{name} is missing")))
}

/// By the header, or by the body, never by both (RFC 6749, 2.3).
fn credentials(
    headers: &HeaderMap,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<ProgramCredentials, OAuthError> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Ok(ProgramCredentials {
            client_id: needed(client_id, "client_id")?,
            client_secret,
        });
    };
    let refused = || OAuthError::Protocol {
        code: "invalid_client",
        description: "client authentication failed".into(),
    };
    let (id, secret) = basic(header).ok_or_else(refused)?;
    if client_secret.is_some() || client_id.is_some_and(|other| other != id) {
        return Err(invalid_request("the client must authenticate in one way only"));
    }
    Ok(ProgramCredentials {
        client_id: id,
        client_secret: Some(secret),
    })
}

fn basic(header: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .ok()
            .map(|text| text.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

pub(super) async fn issue(
    State(options): State<OAuthOptions>,
    Extension(origin): Extension<Arc<Origin>>,
    headers: HeaderMap,
    form: Posted<TokenForm>,
) -> Response {
    match tokens(&options, &origin, &headers, form).await {
        Ok(tokens) => {
            let mut body = json!({
                "access_token": tokens.access_token,
                "token_type": "Bearer",
                "expires_in": tokens.expires_in,
                "scope": tokens.scopes.to_string(),
            });
            if let Some(refresh_token) = tokens.refresh_token {
                body["refresh_token"] = refresh_token.expose().into();
            }
            ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(error) => failure(error),
    }
}

async fn tokens(
    options: &OAuthOptions,
    origin: &Origin,
    headers: &HeaderMap,
    form: Posted<TokenForm>,
) -> Result<OAuthTokens, OAuthError> {
    let form = posted(form)?;
    let auth = &options.auth;
    let grant_type = needed(form.grant_type, "grant_type")?;
    let program = credentials(headers, form.client_id, form.client_secret)?;
    let scope = form.scope.as_deref();
    match grant_type.as_str() {
        "authorization_code" => {
            let code = needed(form.code, "code")?;
            let verifier = needed(form.code_verifier, "code_verifier")?;
            auth.exchange_code(&program, &code, form.redirect_uri.as_deref(), &verifier)
                .await
        }
        "refresh_token" => {
            let token = needed(form.refresh_token, "refresh_token")?;
            auth.refresh_grant(origin, &program, &token, scope).await
        }
        "client_credentials" => auth.client_credentials(&program, scope).await,
        _ => Err(OAuthError::Protocol {
            code: "unsupported_grant_type",
            description: "grant_type must be authorization_code, refresh_token or client_credentials".into(),
        }),
    }
}

pub(super) async fn revoke(
    State(options): State<OAuthOptions>,
    headers: HeaderMap,
    form: Posted<HeldToken>,
) -> Response {
    let revoked = async {
        let form = posted(form)?;
        let token = needed(form.token, "token")?;
        let program = credentials(&headers, form.client_id, form.client_secret)?;
        options.auth.revoke_grant(&program, &token).await
    };
    match revoked.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => failure(error),
    }
}

pub(super) async fn introspect(
    State(options): State<OAuthOptions>,
    headers: HeaderMap,
    form: Posted<HeldToken>,
) -> Response {
    let introspected = async {
        let form = posted(form)?;
        let token = needed(form.token, "token")?;
        let program = credentials(&headers, form.client_id, form.client_secret)?;
        options.auth.introspect(&program, &token).await
    };
    let body = match introspected.await {
        Ok(Some(found)) => {
            let mut body = json!({
                "active": true,
                "scope": found.scopes.to_string(),
                "client_id": found.client_id.as_str(),
                "sub": found.account_id.as_str(),
                "exp": found.expires_at,
                "iss": "memsync",
                "aud": "memsync",
                "token_type": "refresh_token",
            });
            if let Some(issued_at) = found.issued_at {
                body["iat"] = issued_at.into();
                body["token_type"] = "Bearer".into();
            }
            body
        }
        Ok(None) => json!({"active": false}),
        Err(error) => return failure(error),
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
