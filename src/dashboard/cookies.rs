//! A session as a browser keeps it: two tokens that scripts can't read, and one against forged requests that they can.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{Extensions, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::Origin;

const ACCESS: &str = "memsync_access";
const REFRESH: &str = "memsync_refresh";
const CSRF: &str = "memsync_csrf";
/// Browsers take a cookie of this name only over TLS, for this very host, from this very host.
const HOST_PREFIX: &str = "__Host-";

/// The tokens of a session.
pub(super) struct Session {
    access: String,
    refresh: String,
}

impl Session {
    pub(super) fn new(access: String, refresh: String) -> Self {
        Self { access, refresh }
    }

    /// The session that a request's cookies name.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let is_secure = is_secure(request.extensions());
        let cookies = request.headers().get_all(COOKIE).iter();
        let cookies: Vec<Cookie<'_>> = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(Cookie::split_parse)
            .flatten()
            .collect();
        let value = |name| {
            let name = full_name(name, is_secure);
            let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
            named.next().map(|cookie| cookie.value().to_owned())
        };
        Some(Self::new(value(ACCESS)?, value(REFRESH)?))
    }

    /// What REST takes.
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.access)).ok()?;
        bearer.set_sensitive(true);
        Some(bearer)
    }

    pub(super) fn refresh_token(&self) -> &str {
        &self.refresh
    }

    /// Whether this is the token that pages of this session send with each change.
    pub(super) fn is_csrf_token(&self, token: &[u8]) -> bool {
        self.csrf_token().as_bytes().ct_eq(token).into()
    }

    /// A digest of a secret that only the browser's cookies hold: nobody else can make it, and it needs no room.
    fn csrf_token(&self) -> String {
        let digest = Sha256::new_with_prefix("memsync dashboard csrf\0").chain_update(&self.refresh);
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }

    /// Has the browser keep it until it is closed.
    pub(super) fn keep(&self, response: &mut Response, is_secure: bool) {
        set(response, ACCESS, &self.access, true, is_secure);
        set(response, REFRESH, &self.refresh, true, is_secure);
        set(response, CSRF, &self.csrf_token(), false, is_secure);
    }
}

/// Has the browser forget its session.
pub(super) fn clear(response: &mut Response, is_secure: bool) {
    for name in [ACCESS, REFRESH, CSRF] {
        let mut cookie = cookie(name, "", name != CSRF, is_secure);
        cookie.make_removal();
        append(response, &cookie);
    }
}

/// Whether the browser came by TLS, here or at a trusted proxy.
pub(super) fn is_secure(extensions: &Extensions) -> bool {
    extensions.get::<Arc<Origin>>().is_some_and(|origin| origin.secure)
}

fn set(response: &mut Response, name: &str, value: &str, is_hidden: bool, is_secure: bool) {
    append(response, &cookie(name, value, is_hidden, is_secure));
}

fn append(response: &mut Response, cookie: &Cookie<'_>) {
    if let Ok(mut value) = HeaderValue::try_from(cookie.to_string()) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
}

fn cookie<'a>(name: &str, value: &'a str, is_hidden: bool, is_secure: bool) -> Cookie<'a> {
    Cookie::build((full_name(name, is_secure), value))
        .path("/")
        .http_only(is_hidden)
        .secure(is_secure)
        .same_site(SameSite::Strict)
        .build()
}

fn full_name(name: &str, is_secure: bool) -> String {
    let prefix = if is_secure { HOST_PREFIX } else { "" };
    format!("{prefix}{name}")
}
