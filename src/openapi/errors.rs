//! Failures: their one shape, and with which status each reason comes.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::OpenApiError;
use super::comments::Comments;
use super::headers;
use super::options::Documentation;
use super::schemas::reference;
use crate::grpc::Access;
use crate::grpc::SUGGESTION;
use crate::proto::v1::ErrorReason::{self, *};
use crate::rest::{HttpRule, invalid_reason};

/// What the proto puts before a reason.
const PREFIX: &str = "ERROR_REASON_";

/// The reasons that the operation can fail for.
pub(super) fn reasons(method: &MethodDescriptor, rule: &HttpRule, access: Access) -> BTreeSet<ErrorReason> {
    let mut reasons = BTreeSet::from([ValidationError, RateLimitExceeded, InternalError, ServiceUnavailable]);
    reasons.extend(Documentation::of(method).errors);
    add_invalid_words(&method.input(), &mut BTreeSet::new(), &mut reasons);
    if access != Access::Public {
        reasons.insert(AuthenticationError);
    }
    let names_person = method.input().get_field_by_name("user_id").is_some();
    if names_person || matches!(access, Access::Scope(_)) {
        reasons.insert(PermissionDenied);
    }
    if !rule.body.is_empty() && !method.is_client_streaming() {
        reasons.extend([PayloadTooLarge, UnsupportedMediaType]);
    }
    if !method.is_client_streaming() {
        reasons.insert(DeadlineExceeded);
    }
    reasons
}

/// Adds the reasons of the words in a message that have one of their own. `seen` holds the messages looked at.
fn add_invalid_words(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<ErrorReason>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        match field.kind() {
            Kind::Message(inner) => add_invalid_words(&inner, seen, found),
            Kind::Enum(enumeration) => {
                let reason = invalid_reason(&enumeration);
                found.extend(reason.and_then(|reason| ErrorReason::from_str_name(&format!("{PREFIX}{reason}"))));
            }
            _ => {}
        }
    }
}

fn code(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches(PREFIX)
}

/// The component responses; a set of reasons becomes one when an operation has it.
#[derive(Debug, Default)]
pub(super) struct Responses(Map<String, Value>);

impl Responses {
    pub(super) fn into_components(self) -> Map<String, Value> {
        self.0
    }

    /// The answers of an operation that fails for these reasons, by status.
    pub(super) fn of(&mut self, reasons: &BTreeSet<ErrorReason>) -> Map<String, Value> {
        let mut by_status: BTreeMap<u16, Vec<ErrorReason>> = BTreeMap::new();
        for reason in reasons {
            by_status.entry(sample(*reason).0).or_default().push(*reason);
        }
        let mut responses = Map::new();
        for (status, reasons) in by_status {
            let codes: Vec<&str> = reasons.iter().map(|reason| code(*reason)).collect();
            let name = format!("{status}_{}", codes.join("_"));
            let response = || failure(status, &reasons);
            self.0.entry(name.clone()).or_insert_with(response);
            let reference = format!("#/components/responses/{name}");
            responses.insert(status.to_string(), json!({ "$ref": reference }));
        }
        responses
    }
}

fn failure(status: u16, reasons: &[ErrorReason]) -> Value {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let examples: Map<String, Value> = reasons
        .iter()
        .map(|reason| (code(*reason).to_owned(), json!({"value": example(*reason)})))
        .collect();
    let codes: Vec<String> = reasons.iter().map(|reason| format!("`{}`", code(*reason))).collect();
    json!({
        "description": format!("{}: {}.", status.canonical_reason().unwrap_or("Failure"), codes.join(" or ")),
        "headers": headers::of_answer(status, true, false),
        "content": {"application/json": {"schema": reference("Error"), "examples": examples}},
    })
}

fn example(reason: ErrorReason) -> Value {
    let (status, message, details) = sample(reason);
    let mut body = json!({
        "detail": message,
        "status_code": status,
        "error": {"code": code(reason), "message": message, "details": details},
        "status": "error",
        "timestamp": "2026-01-15T16:30:00Z",
        "request_id": "req_019c1f0e5a7b7c3e9d2f4a6b8c0d1e2f",
    });
    if matches!(status, 429 | 503) {
        body["retry_after"] = json!(if status == 429 { 30 } else { 1 });
    }
    body
}

/// The status, a message and details that a reason comes with.
fn sample(reason: ErrorReason) -> (u16, &'static str, Value) {
    let none = || json!({});
    let few = || json!({"current_memory_count": 3, "suggestion": SUGGESTION});
    match reason {
        ValidationError => {
            let violation = json!({"field": "limit", "reason": "must be 1 to 100"});
            let details = json!({"field": "limit", "reason": "must be 1 to 100", "violations": [violation]});
            (400, "limit: must be 1 to 100", details)
        }
        InvalidCategory => (
            400,
            "category is not a category",
            json!({"valid_categories": ["identity", "career"]}),
        ),
        InvalidFormat => (
            400,
            "format is not a format",
            json!({"valid_formats": ["full", "short"]}),
        ),
        BioTooLong => (
            400,
            "The bio is longer than 500 characters",
            json!({"length": 501, "max_length": 500}),
        ),
        AuthenticationError => (401, "Invalid authentication credentials", none()),
        PermissionDenied => (
            403,
            "Insufficient permissions",
            json!({"required_scope": "memories:read"}),
        ),
        QuotaExceeded => (
            403,
            "This person may have 100000 memories and has 99998",
            json!({"limit": 100_000, "current": 99_998}),
        ),
        CannotDeleteActiveKey => (403, "An API key can't delete itself", none()),
        MemoryNotFound => (404, "Memory not found", none()),
        BackupNotFound => (404, "Backup not found", none()),
        ApiKeyNotFound => (404, "API key not found", none()),
        OauthClientNotFound => (404, "OAuth client not found", none()),
        IntegrationNotFound => (404, "Task not found", none()),
        ProfileNotFound => (404, "There are not enough memories for a profile", few()),
        BioNotFound => (404, "There is no bio", few()),
        RouteNotFound => (404, "No such route", none()),
        MethodNotAllowed => (405, "This route does not allow that method", none()),
        RequestTimeout => (408, "The request body did not arrive in time", none()),
        Conflict => (409, "The memory has changed in the meantime", none()),
        DeletionConflict => (409, "The memory has changed in the meantime", none()),
        EmailTaken => (409, "There is already an account with this e-mail address", none()),
        PayloadTooLarge => (
            413,
            "The request body must not be larger than 4 MB",
            json!({"max_size_mb": 4}),
        ),
        UnsupportedMediaType => {
            let message = "The body must be JSON, with Content-Type: application/json";
            (415, message, none())
        }
        RateLimitExceeded => {
            let details = json!({"limit": 100, "reset_time": 1_768_494_660});
            (429, "Rate limit exceeded", details)
        }
        Unspecified | InternalError => (500, "Internal error", none()),
        NotImplemented => (501, "Not served yet", none()),
        ServiceUnavailable => (503, "Service unavailable", none()),
        DeadlineExceeded => (504, "Deadline exceeded", none()),
    }
}

/// The schemas of a failure.
pub(super) fn schemas(pool: &DescriptorPool, comments: &Comments) -> Result<Map<String, Value>, OpenApiError> {
    let name = "memsync.v1.ErrorReason";
    let declared = pool.get_enum_by_name(name).ok_or(OpenApiError::Missing(name))?;
    let mut description = "What went wrong, for programs to branch on. Later versions can add more.".to_owned();
    let mut codes = Vec::new();
    for value in declared.values().filter(|value| value.number() != 0) {
        let code = value.name().trim_start_matches(PREFIX).to_owned();
        description += &format!("\n- `{code}`: {}", comments.of(&declared.parent_file(), value.path()));
        codes.push(code);
    }
    let schemas = json!({
        "ErrorReason": {"type": "string", "enum": codes, "description": description},
        "ErrorObject": {
            "type": "object",
            "description": "The failure, for programs.",
            "required": ["code", "message", "details"],
            "properties": {
                "code": reference("ErrorReason"),
                "message": {"type": "string", "description": "What went wrong, for people. The wording can change."},
                "details": {
                    "type": "object",
                    "additionalProperties": true,
                    "description": "Details that depend on the code: `field`, `reason` and `violations` of a \
                        VALIDATION_ERROR, `limit` and `reset_time` of a RATE_LIMIT_EXCEEDED, and so on.",
                },
            },
        },
        "Error": {
            "type": "object",
            "description": "Every failure has this shape.",
            "required": ["detail", "status_code", "error", "status", "timestamp", "request_id"],
            "properties": {
                "detail": {"type": "string", "description": "The same as `error.message`."},
                "status_code": {"type": "integer", "format": "int32", "description": "The HTTP status."},
                "error": reference("ErrorObject"),
                "status": {"type": "string", "enum": ["error"], "description": "Always `error`."},
                "timestamp": {"type": "string", "format": "date-time", "description": "When."},
                "request_id": {"type": "string", "description": "The request, as in the header X-Request-Id."},
                "retry_after": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "description": "With 429 and 503: seconds to wait, as in the header Retry-After.",
                },
            },
        },
    });
    match schemas {
        Value::Object(schemas) => Ok(schemas),
        _ => Ok(Map::new()),
    }
}
