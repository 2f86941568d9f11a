//! Failures as REST answers them: one JSON body for every one, with the HTTP status that its reason or code stands for.
//!
//! Reads `grpc-status-details-bin` (ErrorInfo, BadRequest, RetryInfo) of the services' statuses, never message text.
//! Every other file of this room makes its failures as a `Problem`; the dispatcher in `transcode` writes it out.

use std::borrow::Cow;

use crate::in_process::CallError;
use axum::body::Body;
use axum::response::Response;
use chrono::{SecondsFormat, Utc};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

#[cfg(test)]
mod tests;

/// Details that ErrorInfo carries as comma-separated text and JSON as a list.
const LISTS: [&str; 3] = ["valid_categories", "valid_formats", "supported_types"];
/// Details that ErrorInfo carries as text and JSON as a number.
const NUMBERS: [&str; 8] = [
    "max_size_mb",
    "limit",
    "current",
    "reset_time",
    "retry_after",
    "current_memory_count",
    "length",
    "max_length",
];
/// What to tell a client that may try again, where nothing says when.
const DEFAULT_RETRY_AFTER_SECONDS: u64 = 1;

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) reason: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
    pub(super) details: Map<String, Value>,
    retry_after: Option<u64>,
    /// Headers beside the body: rate limits, `Allow`.
    pub(super) headers: Box<HeaderMap>,
}

/// A field of a request that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldViolation {
    /// The path of the field, such as `messages[2].content`.
    pub(super) field: String,
    /// What is wrong with it.
    pub(super) reason: Cow<'static, str>,
    /// For a word that is no value of an enum with a reason of its own: that reason and the valid words.
    pub(super) invalid_word: Option<InvalidWord>,
}

/// Why a word was refused, where the contract has a reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidWord {
    pub(super) reason: String,
    pub(super) valid: Vec<String>,
}

impl FieldViolation {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
            invalid_word: None,
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let mut problem = Self::from_status(&error.status);
        problem.headers.extend(*error.headers);
        problem
    }
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            reason: reason.into(),
            message: message.into(),
            details: Map::new(),
            retry_after: None,
            headers: Box::default(),
        }
    }

    /// 404 for a path that is no route.
    pub(super) fn route_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND", "No such route")
    }

    /// 501 for a route that this version does not serve yet.
    pub(super) fn not_implemented() -> Self {
        let message = "This version does not serve this route yet";
        Self::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", message)
    }

    /// 405 with the verbs that the path has.
    pub(super) fn method_not_allowed(allow: HeaderValue) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "This route does not allow that method",
        );
        problem.headers.insert(ALLOW, allow);
        problem
    }

    /// 415 for a body that is not JSON.
    pub(super) fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "The body must be JSON, with Content-Type: application/json",
        )
    }

    /// 413 for a body above the limit.
    pub(super) fn payload_too_large(max_bytes: usize) -> Self {
        let mib = max_bytes as f64 / (1024.0 * 1024.0);
        let size = if mib.fract() == 0.0 {
            json!(mib as u64)
        } else {
            json!((mib * 1000.0).round() / 1000.0)
        };
        let mut problem = Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            format!("The request body must not be larger than {size} MB"),
        );
        problem.details.insert("max_size_mb".to_owned(), size);
        problem
    }

    /// 500 that tells nothing of the inside.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Internal error")
    }

    /// 503 with a time to wait.
    pub(super) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            "Service unavailable",
        )
    }

    /// 400 for fields that can't be taken, all of them at once.
    pub(super) fn invalid(violations: &[FieldViolation]) -> Self {
        let first_word = violations.iter().find_map(|violation| violation.invalid_word.as_ref());
        let only_words = violations.iter().all(|violation| violation.invalid_word.is_some());
        let reason = match first_word {
            Some(word) if only_words => word.reason.clone().into(),
            _ => Cow::Borrowed("VALIDATION_ERROR"),
        };
        let message = match violations {
            [one] => format!("{}: {}", one.field, one.reason).into(),
            _ => Cow::Borrowed("The request is not valid"),
        };
        let mut problem = Self::new(StatusCode::BAD_REQUEST, reason, message);
        problem.add_violations(
            violations
                .iter()
                .map(|violation| (violation.field.as_str(), violation.reason.as_ref())),
        );
        if let Some(word) = first_word {
            // INVALID_CATEGORY → valid_categories.
            let noun = word
                .reason
                .strip_prefix("INVALID_")
                .unwrap_or("VALUE")
                .to_ascii_lowercase();
            let plural = noun
                .strip_suffix('y')
                .map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies"));
            problem.details.insert(format!("valid_{plural}"), json!(word.valid));
        }
        problem
    }

    /// What a gRPC status says.
    pub(super) fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| !info.reason.is_empty());
        let reason: Cow<'static, str> = match info {
            Some(info) => info.reason.clone().into(),
            None => default_reason(status.code()).into(),
        };
        let http = http_status(&reason, status.code());
        if http == StatusCode::INTERNAL_SERVER_ERROR {
            return Self::internal();
        }
        // Without ErrorInfo the text is a library's, which may tell of the inside where the fault is on this side.
        let own_words = info.is_some() || !http.is_server_error();
        let message: Cow<'static, str> = match status.message() {
            text if own_words && !text.is_empty() => text.to_owned().into(),
            _ => default_message(http).into(),
        };
        let mut problem = Self::new(http, reason, message);
        problem.add_details(&details);
        problem.retry_after = retry_after(&details, status);
        problem
    }

    fn add_details(&mut self, details: &ErrorDetails) {
        if let Some(info) = details.error_info() {
            for (name, text) in &info.metadata {
                self.details.insert(name.clone(), detail_value(name, text));
            }
        }
        if let Some(bad) = details.bad_request() {
            let violations = bad.field_violations.iter();
            self.add_violations(violations.map(|violation| (violation.field.as_str(), violation.description.as_str())));
        }
    }

    fn add_violations<'a>(&mut self, violations: impl Iterator<Item = (&'a str, &'a str)>) {
        let list: Vec<Value> = violations
            .map(|(field, reason)| json!({"field": field, "reason": reason}))
            .collect();
        let Some(Value::Object(first)) = list.first().cloned() else {
            return;
        };
        self.details.extend(first);
        self.details.insert("violations".to_owned(), list.into());
    }

    /// The body, as bytes.
    pub(super) fn body(&self, request_id: &str) -> Vec<u8> {
        let body = ErrorBody {
            detail: &self.message,
            status_code: self.status.as_u16(),
            error: ErrorObject {
                code: &self.reason,
                message: &self.message,
                details: &self.details,
            },
            status: "error",
            timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            request_id,
            retry_after: self.wait(),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The whole answer.
    pub(super) fn into_response(self, request_id: &str) -> Response {
        let mut response = Response::new(Body::from(self.body(request_id)));
        *response.status_mut() = self.status;
        let wait = self.wait();
        *response.headers_mut() = *self.headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = wait {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"memsync\""));
        }
        response
    }

    fn wait(&self) -> Option<u64> {
        let may_retry = matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        may_retry.then(|| self.retry_after.unwrap_or(DEFAULT_RETRY_AFTER_SECONDS))
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    detail: &'a str,
    status_code: u16,
    error: ErrorObject<'a>,
    status: &'static str,
    timestamp: String,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: &'a str,
    message: &'a str,
    details: &'a Map<String, Value>,
}

fn detail_value(name: &str, text: &str) -> Value {
    if LISTS.contains(&name) {
        return text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    }
    if NUMBERS.contains(&name) {
        if let Ok(whole) = text.parse::<i64>() {
            return whole.into();
        }
        if let Some(number) = text.parse().ok().and_then(serde_json::Number::from_f64) {
            return Value::Number(number);
        }
    }
    text.into()
}

fn retry_after(details: &ErrorDetails, status: &Status) -> Option<u64> {
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    let from_info = delay.map(|delay| delay.as_secs() + u64::from(delay.subsec_nanos() > 0));
    let from_metadata = || status.metadata().get("retry-after")?.to_str().ok()?.parse().ok();
    let from_details = || details.error_info()?.metadata.get("retry_after")?.parse().ok();
    from_info.or_else(from_metadata).or_else(from_details)
}

fn default_reason(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument | Code::OutOfRange => "VALIDATION_ERROR",
        Code::Unauthenticated => "AUTHENTICATION_ERROR",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::NotFound => "ROUTE_NOT_FOUND",
        Code::Aborted | Code::AlreadyExists => "CONFLICT",
        Code::ResourceExhausted => "RATE_LIMIT_EXCEEDED",
        Code::Unimplemented => "NOT_IMPLEMENTED",
        Code::Unavailable => "SERVICE_UNAVAILABLE",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Cancelled => "CANCELLED",
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::FailedPrecondition => "INTERNAL_ERROR",
    }
}

fn http_status(reason: &str, code: Code) -> StatusCode {
    match reason {
        "ROUTE_NOT_FOUND" => return StatusCode::NOT_FOUND,
        "METHOD_NOT_ALLOWED" => return StatusCode::METHOD_NOT_ALLOWED,
        "UNSUPPORTED_MEDIA_TYPE" => return StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "PAYLOAD_TOO_LARGE" | "FILE_TOO_LARGE" => return StatusCode::PAYLOAD_TOO_LARGE,
        "NOT_IMPLEMENTED" => return StatusCode::NOT_IMPLEMENTED,
        "REQUEST_TIMEOUT" => return StatusCode::REQUEST_TIMEOUT,
        _ => {}
    }
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Aborted | Code::AlreadyExists => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::FailedPrecondition => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn default_message(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request is not valid",
        StatusCode::UNAUTHORIZED => "Invalid authentication credentials",
        StatusCode::FORBIDDEN => "Insufficient permissions",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::CONFLICT => "The request conflicts with what is stored",
        StatusCode::PAYLOAD_TOO_LARGE => "The request is too large",
        StatusCode::TOO_MANY_REQUESTS => "Rate limit exceeded",
        StatusCode::NOT_IMPLEMENTED => "Not implemented",
        StatusCode::SERVICE_UNAVAILABLE => "Service unavailable",
        StatusCode::GATEWAY_TIMEOUT => "The deadline passed before the answer was ready",
        _ => "The request was cancelled",
    }
}
