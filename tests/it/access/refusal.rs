//! What whoever is not let in hears, however they ask.

use prost_reflect::MethodDescriptor;
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{BAD_MESSAGE, path};
use crate::support::{Answer, Rest, TestServer, bindings, call_raw, send};

/// What a refusal says; the details beside the reason must be exactly these.
pub struct Refusal<'a> {
    http: u16,
    code: Code,
    reason: &'static str,
    message: &'static str,
    scope: Option<&'a str>,
}

pub const UNAUTHENTICATED: Refusal<'static> = Refusal {
    http: 401,
    code: Code::Unauthenticated,
    reason: "AUTHENTICATION_ERROR",
    message: "Invalid authentication credentials",
    scope: None,
};

pub fn lacking(scope: &str) -> Refusal<'_> {
    Refusal {
        http: 403,
        code: Code::PermissionDenied,
        reason: "PERMISSION_DENIED",
        message: "Insufficient permissions",
        scope: Some(scope),
    }
}

impl Refusal<'_> {
    #[track_caller]
    fn assert_rest(&self, what: &str, answer: &Answer) {
        assert_eq!(answer.status.as_u16(), self.http, "{what}: {answer:?}");
        let details = match self.scope {
            Some(scope) => json!({"required_scope": scope}),
            None => json!({}),
        };
        assert_eq!(answer.failure(self.http, self.reason), details, "{what}");
        assert_eq!(answer.json()["detail"], self.message, "{what}");
        assert_eq!(answer.json().get("retry_after"), None, "{what}");
    }

    #[track_caller]
    fn assert_grpc(&self, what: &str, answer: Result<Vec<u8>, Status>) {
        let status = answer.expect_err(what);
        assert_eq!(
            (status.code(), status.message()),
            (self.code, self.message),
            "{what}: {status:?}"
        );
        let details = status.get_error_details();
        let info = details.error_info().unwrap_or_else(|| panic!("{what}: {status:?}"));
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (self.reason, "memsync"));
        let scope = self.scope.map(|scope| ("required_scope".to_owned(), scope.to_owned()));
        assert_eq!(info.metadata, scope.into_iter().collect(), "{what}");
        assert!(
            details.bad_request().is_none() && details.retry_info().is_none(),
            "{what}"
        );
    }
}

/// Asks for one RPC by every way that there is, with readable and unreadable bodies; all must be refused like this.
pub async fn assert_refused(
    clients: &Clients,
    headers: &[(&str, &str)],
    method: &MethodDescriptor,
    refusal: &Refusal<'_>,
    (who, bodies): (&str, &[(&str, &[u8])]),
) {
    let rpc = method.full_name();
    for message in [Vec::new(), BAD_MESSAGE.to_vec()] {
        let what = format!("{who}: {rpc} {message:?}");
        refusal.assert_grpc(&what, call_raw(clients.channel.clone(), headers, method, message).await);
    }
    let rest = clients.rest(headers);
    for binding in bindings(method) {
        let path = path(&binding.template, "x1");
        for (content_type, body) in bodies {
            let request = rest.request(&binding.verb, &path).header("content-type", *content_type);
            let what = format!("{who}: {} {path} {}", binding.verb, String::from_utf8_lossy(body));
            refusal.assert_rest(&what, &send(request.body(body.to_vec())).await);
        }
        let query = format!("{path}?limit=many&page=-1&status=odd");
        let what = format!("{who}: {} {query}", binding.verb);
        refusal.assert_rest(&what, &send(rest.request(&binding.verb, &query)).await);
    }
}

/// Connections that all callers share.
pub struct Clients {
    pub channel: Channel,
    rest: Rest,
}

impl Clients {
    pub fn of(server: &TestServer) -> Self {
        Self {
            channel: server.channel(),
            rest: server.anonymous(),
        }
    }

    pub fn rest(&self, headers: &[(&str, &str)]) -> Rest {
        let add = |rest: Rest, (name, value): &(&str, &str)| rest.with(name, value);
        headers.iter().fold(self.rest.clone(), add)
    }
}
