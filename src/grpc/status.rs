//! [`Error`] as a gRPC status with `ErrorInfo`, `BadRequest` and `RetryInfo`. The only place that knows `Status` codes.

use std::any::Any;
use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::MAX_MESSAGE_BYTES;
use crate::admission::Fault;
use crate::error::{Error, Violation};
use crate::model::Category;
use crate::profile::BioFormat;
use crate::proto::v1::ErrorReason;

const DOMAIN: &str = "memsync";
/// What helps where a profile can't be made yet.
pub(crate) const SUGGESTION: &str = "Store conversations until there are at least 5 memories in at least 2 categories";
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        log_cause(&error);
        let (code, reason) = classify(&error);
        let mut message = error.to_string();
        let mut details = ErrorDetails::new();
        let mut metadata = HashMap::new();
        match &error {
            Error::Invalid(violations) => {
                if let [first, rest @ ..] = violations.as_slice() {
                    message = format!("{}: {}", first.field, first.reason);
                    if !rest.is_empty() {
                        message += &format!(" (and {} more)", rest.len());
                    }
                }
                add_violations(&mut details, violations);
            }
            Error::TooMuch { field, reason, limit } => {
                add_violations(&mut details, &[Violation::new(*field, reason.clone())]);
                metadata.insert("limit".to_owned(), limit.to_string());
            }
            Error::QuotaExceeded { limit, current, .. } => {
                metadata.insert("limit".to_owned(), limit.to_string());
                metadata.insert("current".to_owned(), current.to_string());
            }
            Error::InvalidCategory(field) => {
                let valid = Category::ALL.map(Category::as_str).join(",");
                details.add_bad_request_violation(field.clone(), "must be one of the ten categories");
                metadata.insert("valid_categories".to_owned(), valid);
            }
            Error::InvalidFormat(field) => {
                let valid = BioFormat::ALL.map(BioFormat::as_str).join(",");
                details.add_bad_request_violation(field.clone(), "must be a format of a bio");
                metadata.insert("valid_formats".to_owned(), valid);
            }
            Error::BioTooLong { length, max } => {
                metadata.insert("length".to_owned(), length.to_string());
                metadata.insert("max_length".to_owned(), max.to_string());
            }
            Error::ProfileNotFound {
                current_memory_count: count,
            }
            | Error::BioNotFound {
                current_memory_count: count,
            } => {
                metadata.insert("current_memory_count".to_owned(), count.to_string());
                metadata.insert("suggestion".to_owned(), SUGGESTION.to_owned());
            }
            Error::Forbidden(scope) => {
                metadata.insert("required_scope".to_owned(), scope.to_string());
            }
            Error::TooLarge(max_size_mb) => {
                metadata.insert("max_size_mb".to_owned(), max_size_mb.to_string());
            }
            Error::ForbiddenPerson => {
                metadata.insert("field".to_owned(), "user_id".to_owned());
            }
            Error::RateLimited(limited) => {
                metadata.insert("limit".to_owned(), limited.limit.to_string());
                metadata.insert("reset_time".to_owned(), limited.reset_time.to_string());
                details.set_retry_info(Some(limited.retry_after));
            }
            Error::Unavailable(_) => {
                details.set_retry_info(Some(RETRY_AFTER));
            }
            Error::Unauthenticated
            | Error::MemoryNotFound
            | Error::ApiKeyNotFound
            | Error::BackupNotFound
            | Error::OAuthClientNotFound
            | Error::TaskNotFound
            | Error::ForbiddenHere(_)
            | Error::CannotDeleteActiveKey
            | Error::EmailTaken
            | Error::Conflict(_)
            | Error::DeletionConflict
            | Error::DeadlineExceeded
            | Error::BodyTimeout
            | Error::Internal(_) => {}
        }
        let reason = reason.as_str_name().trim_start_matches("ERROR_REASON_");
        details.set_error_info(reason, DOMAIN, metadata);
        Self::with_error_details(code, message, details)
    }
}

fn classify(error: &Error) -> (Code, ErrorReason) {
    match error {
        Error::Invalid(_) | Error::TooMuch { .. } => (Code::InvalidArgument, ErrorReason::ValidationError),
        Error::QuotaExceeded { .. } => (Code::PermissionDenied, ErrorReason::QuotaExceeded),
        Error::InvalidCategory(_) => (Code::InvalidArgument, ErrorReason::InvalidCategory),
        Error::InvalidFormat(_) => (Code::InvalidArgument, ErrorReason::InvalidFormat),
        Error::BioTooLong { .. } => (Code::InvalidArgument, ErrorReason::BioTooLong),
        Error::ProfileNotFound { .. } => (Code::NotFound, ErrorReason::ProfileNotFound),
        Error::BioNotFound { .. } => (Code::NotFound, ErrorReason::BioNotFound),
        Error::Unauthenticated => (Code::Unauthenticated, ErrorReason::AuthenticationError),
        Error::Forbidden(_) | Error::ForbiddenPerson | Error::ForbiddenHere(_) => {
            (Code::PermissionDenied, ErrorReason::PermissionDenied)
        }
        Error::CannotDeleteActiveKey => (Code::PermissionDenied, ErrorReason::CannotDeleteActiveKey),
        Error::MemoryNotFound => (Code::NotFound, ErrorReason::MemoryNotFound),
        Error::BackupNotFound => (Code::NotFound, ErrorReason::BackupNotFound),
        Error::ApiKeyNotFound => (Code::NotFound, ErrorReason::ApiKeyNotFound),
        Error::TaskNotFound => (Code::NotFound, ErrorReason::IntegrationNotFound),
        Error::OAuthClientNotFound => (Code::NotFound, ErrorReason::OauthClientNotFound),
        Error::EmailTaken => (Code::AlreadyExists, ErrorReason::EmailTaken),
        Error::RateLimited(_) => (Code::ResourceExhausted, ErrorReason::RateLimitExceeded),
        Error::Conflict(_) => (Code::Aborted, ErrorReason::Conflict),
        Error::DeletionConflict => (Code::Aborted, ErrorReason::DeletionConflict),
        Error::TooLarge(_) => (Code::ResourceExhausted, ErrorReason::PayloadTooLarge),
        Error::DeadlineExceeded => (Code::DeadlineExceeded, ErrorReason::DeadlineExceeded),
        Error::BodyTimeout => (Code::DeadlineExceeded, ErrorReason::RequestTimeout),
        Error::Unavailable(_) => (Code::Unavailable, ErrorReason::ServiceUnavailable),
        Error::Internal(_) => (Code::Internal, ErrorReason::InternalError),
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full => Self::Unavailable(fault.into()),
            Fault::TooSlow => Self::BodyTimeout,
            Fault::TooLarge(bytes) => {
                let reason = format!("must be at most {bytes} bytes long without credentials");
                Self::Invalid(vec![Violation::new("body", reason)])
            }
        }
    }
}

fn add_violations(details: &mut ErrorDetails, violations: &[Violation]) {
    for violation in violations {
        details.add_bad_request_violation(violation.field.clone(), violation.reason.clone());
    }
}

fn log_cause(error: &Error) {
    match error {
        Error::Internal(cause) => tracing::error!(cause = %chain(&**cause), "internal error"),
        Error::Unavailable(cause) => tracing::warn!(cause = %chain(&**cause), "dependency unavailable"),
        _ => {}
    }
}

fn chain(cause: &dyn std::error::Error) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(source) = next {
        text += &format!(": {source}");
        next = source.source();
    }
    text
}

/// What a request is told whose RPC is not served.
pub(super) fn no_such_rpc() -> Status {
    let details = ErrorDetails::with_error_info("ROUTE_NOT_FOUND", DOMAIN, []);
    Status::with_error_details(Code::Unimplemented, "No such route", details)
}

/// tonic itself refuses a message that is too long with OUT_OF_RANGE and one that it can't decode with INTERNAL; both
/// are the caller's fault and get the code and the details of the contract.
pub(super) fn name_transport_faults(response: Response) -> Response {
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let error = match headers.get("grpc-status").map(|code| code.as_bytes()) {
        Some(b"11") => Error::TooLarge(MAX_MESSAGE_BYTES >> 20),
        Some(b"13") => Error::Invalid(vec![Violation::new("body", "is not a message of the expected type")]),
        Some(_) | None => return response,
    };
    let mut named = Status::from(error).into_http();
    let allowance = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ratelimit-"));
    named
        .headers_mut()
        .extend(allowance.map(|(name, value)| (name.clone(), value.clone())));
    named
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Status::from(Error::Internal(format!("panic: {text}").into())).into_http::<Body>()
}
