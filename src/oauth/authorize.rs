//! The page on which a person lets a program act for them (RFC 6749, 4.1.1).
//!
//! Signing in and consenting are one step: the page needs no cookie, so nothing can be submitted in the person's name
//! by another site.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Extension, Form, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use url::Url;

use super::{OAuthOptions, described, issuer, retry_after};
use crate::error::Error;
use crate::model::{Origin, Scope};
use crate::services::{AuthorizationRequest, Consent, OAuthError};

/// SHA-256 of the page's style sheet, for its Content-Security-Policy; a test holds it against the page.
const STYLE_HASH: &str = "sha256-aHaUp7qBZzzxlbwIZDqxWCwCzTgpSKzNEesUm4fi4Tw=";

/// What the program sends by the person's browser, and the page sends back with the decision.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Parameters {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Decision {
    #[serde(flatten)]
    parameters: Parameters,
    decision: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

impl From<Parameters> for AuthorizationRequest {
    fn from(parameters: Parameters) -> Self {
        let Parameters {
            response_type,
            client_id,
            redirect_uri,
            scope,
            state,
            code_challenge,
            code_challenge_method,
        } = parameters;
        Self {
            response_type: response_type.unwrap_or_default(),
            client_id: client_id.unwrap_or_default(),
            redirect_uri,
            scope,
            state,
            code_challenge,
            code_challenge_method,
        }
    }
}

#[derive(Template)]
#[template(path = "authorize.html")]
struct Page<'a> {
    program: &'a str,
    destination: &'a str,
    rights: Vec<&'static str>,
    hidden: Vec<(&'static str, &'a str)>,
    email: &'a str,
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "authorize_error.html")]
struct ErrorPage<'a> {
    reason: &'a str,
}

pub(super) async fn ask(
    State(options): State<OAuthOptions>,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let Ok(Query(parameters)) = query else {
        return dead_end(
            "The program sent a request that can't be read.",
            StatusCode::BAD_REQUEST,
        );
    };
    let request = AuthorizationRequest::from(parameters);
    match consent(&options, &request).await {
        Ok(consent) => page(&request, &consent, "", None, StatusCode::OK),
        Err(refusal) => refusal,
    }
}

pub(super) async fn decide(
    State(options): State<OAuthOptions>,
    Extension(origin): Extension<Arc<Origin>>,
    headers: HeaderMap,
    form: Result<Form<Decision>, FormRejection>,
) -> Response {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return dead_end("This did not come from the page that asks you.", StatusCode::FORBIDDEN);
    }
    let Ok(Form(decision)) = form else {
        return dead_end("The form can't be read.", StatusCode::BAD_REQUEST);
    };
    let issuer = issuer(&options, &origin);
    let request = AuthorizationRequest::from(decision.parameters);
    let consent = match consent(&options, &request).await {
        Ok(consent) => consent,
        Err(refusal) => return refusal,
    };
    if decision.decision.as_deref() != Some("allow") {
        let parameters = [
            ("error", Some("access_denied")),
            ("error_description", Some("the person denied the request")),
            ("state", request.state.as_deref()),
            ("iss", Some(&issuer)),
        ];
        return redirect(&consent.redirect_uri, &parameters);
    }
    let email = decision.email.unwrap_or_default();
    let password = decision.password.unwrap_or_default();
    match options.auth.grant(&origin, &email, &password, &consent).await {
        Ok(code) => {
            let state = request.state.as_deref();
            let parameters = [("code", Some(code.expose())), ("state", state), ("iss", Some(&issuer))];
            redirect(&consent.redirect_uri, &parameters)
        }
        Err(Error::Unauthenticated) => {
            let fault = Some("The e-mail address or the password is wrong.");
            page(&request, &consent, &email, fault, StatusCode::UNAUTHORIZED)
        }
        Err(error @ Error::RateLimited(_)) => {
            let fault = Some("Too many attempts. Wait a little, then try again.");
            let mut response = page(&request, &consent, &email, fault, StatusCode::TOO_MANY_REQUESTS);
            retry_after(&OAuthError::Service(error), &mut response);
            response
        }
        Err(error) => told(&OAuthError::Service(error)),
    }
}

/// What the person can be asked, or the page that says why there is nothing to ask. Nobody is sent anywhere before they
/// have signed in or said no: links to this server would lead to any registered address (RFC 9700, 4.11.2).
async fn consent(options: &OAuthOptions, request: &AuthorizationRequest) -> Result<Consent, Response> {
    options.auth.consent(request).await.map_err(|error| told(&error))
}

fn told(error: &OAuthError) -> Response {
    let (_, description, status) = described(error);
    dead_end(&description, status)
}

fn redirect(to: &str, parameters: &[(&str, Option<&str>)]) -> Response {
    let Ok(mut url) = Url::parse(to) else {
        return dead_end("The program's redirect address can't be used.", StatusCode::BAD_REQUEST);
    };
    let given = parameters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    url.query_pairs_mut().extend_pairs(given);
    ([(CACHE_CONTROL, "no-store")], Redirect::to(url.as_str())).into_response()
}

fn page(
    request: &AuthorizationRequest,
    consent: &Consent,
    email: &str,
    fault: Option<&str>,
    status: StatusCode,
) -> Response {
    let parameters = [
        ("response_type", Some(request.response_type.as_str())),
        ("client_id", Some(request.client_id.as_str())),
        ("redirect_uri", request.redirect_uri.as_deref()),
        ("scope", request.scope.as_deref()),
        ("state", request.state.as_deref()),
        ("code_challenge", request.code_challenge.as_deref()),
        ("code_challenge_method", request.code_challenge_method.as_deref()),
    ];
    let page = Page {
        program: &consent.client.name,
        destination: &consent.redirect_uri,
        rights: consent.scopes.iter().map(Scope::in_words).collect(),
        hidden: parameters
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)))
            .collect(),
        email,
        fault,
    };
    html(page.render(), status, Some(&consent.redirect_uri))
}

/// A page for a person whom nothing can be sent back to.
fn dead_end(reason: &str, status: StatusCode) -> Response {
    html(ErrorPage { reason }.render(), status, None)
}

fn html(page: askama::Result<String>, status: StatusCode, redirect_uri: Option<&str>) -> Response {
    let Ok(page) = page else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // A browser holds the redirect after a form against this list too.
    let destination = redirect_uri.and_then(|uri| Url::parse(uri).ok()).map(|url| {
        let origin = url.origin();
        if origin.is_tuple() {
            origin.ascii_serialization()
        } else {
            format!("{}:", url.scheme())
        }
    });
    let policy = format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        destination.unwrap_or_default()
    );
    let mut response = (status, [(CACHE_CONTROL, "no-store")], Html(page)).into_response();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_of_the_pages_and_no_other() {
        let page = include_str!("../../templates/page.html");
        let style = page.split_once("<style>").expect("a style").1;
        let style = style.split_once("</style>").expect("its end").0;
        let hash = format!("sha256-{}", STANDARD.encode(Sha256::digest(style)));
        assert_eq!(hash, STYLE_HASH);
    }

    #[test]
    fn what_a_program_calls_itself_is_shown_as_text() {
        let page = Page {
            program: "<script>alert(1)</script>",
            destination: "https://a.example/\"onload=\"x",
            rights: vec![Scope::MemoriesRead.in_words()],
            hidden: vec![("state", "\"><script>alert(2)</script>")],
            email: "\"><img src=x>",
            fault: None,
        };
        let html = page.render().expect("rendered");
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
}
