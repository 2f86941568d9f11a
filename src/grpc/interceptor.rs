//! Whether a request is let through: who asks, whether that was too often, whether they may. A tower layer, because a
//! key is resolved through the database; tonic's own interceptors can't wait. Also counts what was asked.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tonic::Status;

use super::access::{Access, AccessTable, Rule};
use super::status;
use crate::admission::{Arrival, Fault};
use crate::error::{Error, Result};
use crate::model::{AuthMethod, Caller, JudgeOnly, Origin, SignedInOnly};
use crate::services::{
    Allowance, AuditLog, AuthService, Credential, RateLimitClass, RateLimiter, RequestOutcome, UsageService,
};

/// Where the health service's methods are.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// What the layer works with.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) access: Arc<AccessTable>,
    pub(super) auth: Arc<AuthService>,
    pub(super) limits: Arc<RateLimiter>,
    pub(super) usage: Arc<UsageService>,
    pub(super) audit: Arc<AuditLog>,
    pub(super) tls_required: bool,
}

/// In a response's extensions: how many memories the request made.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoriesCreated(pub(super) u32);

/// Lets a request through that may call its RPC, with its caller; answers every other one.
pub(super) async fn admit(layer: &Admission, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let origin = request.extensions().get::<Arc<Origin>>().cloned().unwrap_or_default();
    let path = request.uri().path();
    // Probes of load balancers and of Kubernetes speak no TLS, and learn no more than that the server serves.
    if layer.tls_required && !origin.secure && !path.starts_with(HEALTH) {
        return refuse(Error::ForbiddenHere("This server requires TLS"));
    }
    let Some(rule) = layer.access.rule(path).cloned() else {
        // Health and reflection are open; an unknown method of ours finds no handler.
        return next.run(request).await;
    };
    if let Err(limited) = layer.limits.take_from_address(origin.address) {
        return refuse(limited);
    }
    // A REST request has its own already.
    let _ = origin.route.set(request.uri().path().into());
    let judge_only = request.extensions().get::<JudgeOnly>().is_some();
    if rule.access == Access::Public {
        if request.extensions().get::<SignedInOnly>().is_some() {
            return status::no_such_rpc().into_http();
        }
        return match layer.limits.take_anonymous(origin.address) {
            Err(limited) => refuse(limited),
            Ok(()) if judge_only => Status::ok("").into_http(),
            Ok(()) => next.run(request).await,
        };
    }
    let caller = match layer.identify(request.headers(), &rule, &origin).await {
        Ok(caller) => caller,
        Err(error) => return refuse(error),
    };
    // Set once: the caller of an in-process REST call is the one of its request.
    let _ = origin.account_id.set(caller.account_id.clone());
    let allowance = match layer.limits.take(&caller, rule.class).await {
        Ok(allowance) => allowance,
        Err(error) => return refuse(error),
    };
    let refusal = allowance.as_ref().and_then(|allowance| layer.limits.refusal(allowance));
    let mut response = match refusal.or_else(|| layer.lacking(&caller, &rule, &origin)) {
        Some(error) => refuse(error),
        None if judge_only => Status::ok("").into_http(),
        None => match take_on(&request, &caller, rule.takes_stream) {
            Err(fault) => refuse(fault.into()),
            Ok(()) => {
                request.extensions_mut().insert(Arc::clone(&caller));
                next.run(request).await
            }
        },
    };
    layer.count(&caller, &rule, started, &response, judge_only);
    if let Some(allowance) = allowance {
        show(&allowance, response.headers_mut());
    }
    response
}

/// Says whose request this is, before any of its body is read.
fn take_on(request: &Request, caller: &Caller, takes_stream: bool) -> Result<(), Fault> {
    let Some(arrival) = request.extensions().get::<Arrival>() else {
        return Ok(());
    };
    arrival.identify(&caller.account_id)?;
    if takes_stream { arrival.keep_place() } else { Ok(()) }
}

impl Admission {
    /// The caller; whoever is none is counted by address.
    async fn identify(&self, headers: &HeaderMap, rule: &Rule, origin: &Origin) -> Result<Arc<Caller>> {
        let identified = match credential(headers) {
            Some(credential) => self.auth.authenticate(credential, origin.address).await,
            None => Err(Error::Unauthenticated),
        };
        let identified = identified.and_then(|caller| match (rule.access, &caller.method) {
            (Access::SignedIn, AuthMethod::ApiKey(_) | AuthMethod::OAuth { .. }) => Err(Error::Unauthenticated),
            _ => Ok(caller),
        });
        if let Err(Error::Unauthenticated) = identified {
            self.limits.take_anonymous(origin.address)?;
        }
        identified
    }

    /// The error of a caller without the scope, which is told in the audit log.
    fn lacking(&self, caller: &Caller, rule: &Rule, origin: &Origin) -> Option<Error> {
        match rule.access {
            Access::Scope(scope) if !caller.may(scope) => {
                self.audit.refused(caller, origin, &rule.rpc);
                Some(Error::Forbidden(scope))
            }
            Access::Scope(_) | Access::Public | Access::Authenticated | Access::SignedIn => None,
        }
    }

    fn count(&self, caller: &Caller, rule: &Rule, started: Instant, response: &Response, judge_only: bool) {
        // A failure has its status in the headers; a success in the trailers, which are still to come.
        let failed = response
            .headers()
            .get("grpc-status")
            .is_some_and(|status| status != "0");
        let created = response.extensions().get::<MemoriesCreated>();
        let outcome = RequestOutcome {
            is_error: failed || judge_only,
            latency: started.elapsed(),
            memories_created: created.map_or(0, |created| created.0),
            is_search: rule.class == RateLimitClass::Search,
        };
        self.usage.record(caller, &rule.rpc, outcome);
    }
}

fn refuse(error: Error) -> Response<Body> {
    Status::from(error).into_http()
}

/// What the caller shows: the key, where there are both.
fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    match headers.get("x-api-key") {
        Some(key) => key.to_str().ok().map(Credential::ApiKey),
        None => {
            let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(Credential::Bearer(token.trim_start()))
        }
    }
}

fn show(allowance: &Allowance, headers: &mut HeaderMap) {
    for (name, value) in [
        ("x-ratelimit-limit", HeaderValue::from(allowance.limit)),
        ("x-ratelimit-remaining", fleeting(allowance.remaining.into())),
        ("x-ratelimit-reset", fleeting(allowance.reset.into())),
    ] {
        headers.insert(name, value);
    }
}

/// A value that comes once, and would push others out of HPACK's table (RFC 7541, 7.1.3).
fn fleeting(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}
