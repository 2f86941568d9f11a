//! Headers of requests and answers.

use http::StatusCode;
use prost_reflect::MethodDescriptor;
use serde_json::{Map, Value, json};

use super::options::Documentation;

/// References to the headers that the operation reads; the path holds the fields `captured`.
pub(super) fn of_request(method: &MethodDescriptor, captured: &[String]) -> Vec<Value> {
    let documentation = Documentation::of(method);
    let names_person = method.input().get_field_by_name("user_id").is_some();
    let person_in_path = captured.iter().any(|name| name == "user_id");
    let mut headers = Vec::new();
    if names_person && !person_in_path {
        headers.push("X-User-Id");
    }
    if documentation.takes_idempotency_key {
        headers.push("Idempotency-Key");
    }
    if documentation.takes_if_match {
        headers.push("If-Match");
    }
    headers.push("X-Request-Id");
    let reference = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    headers.into_iter().map(reference).collect()
}

/// References to the headers of an answer with this status.
pub(super) fn of_answer(status: StatusCode, has_caller: bool, has_etag: bool) -> Value {
    let mut names = vec!["X-Request-Id"];
    if has_caller {
        names.extend(["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]);
    }
    if has_etag {
        names.push("ETag");
    }
    match status {
        StatusCode::UNAUTHORIZED => names.push("WWW-Authenticate"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => names.push("Retry-After"),
        _ => {}
    }
    let reference = |name: &str| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    names.into_iter().map(reference).collect::<Map<_, _>>().into()
}

/// The headers of answers as components.
pub(super) fn of_answers() -> Value {
    let header = |description: &str, required: bool, kind: &str| {
        let schema = json!({ "type": kind });
        json!({"description": description, "required": required, "schema": schema})
    };
    json!({
        "X-Request-Id": header("The request's id. It is the caller's if that was valid.", true, "string"),
        "X-RateLimit-Limit": header("Requests allowed per minute; absent if there is no limit.", false, "integer"),
        "X-RateLimit-Remaining": header("Requests left in this minute.", false, "integer"),
        "X-RateLimit-Reset": header("When the minute ends, in Unix seconds.", false, "integer"),
        "Retry-After": header("Seconds to wait.", true, "integer"),
        "WWW-Authenticate": header("How to authenticate.", true, "string"),
        "ETag": header("The version, for `If-Match`.", true, "string"),
    })
}

/// The headers of requests as components.
pub(super) fn of_requests() -> Value {
    json!({
        "X-User-Id": {
            "name": "X-User-Id",
            "in": "header",
            "description": "The person, if the request has no `user_id`.",
            "schema": {"type": "string", "maxLength": 128},
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body within 24 hours get the first answer, and nothing is stored twice. \
                Another body is a 409.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        },
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "Change the memory only if this is its current ETag; otherwise 409.",
            "schema": {"type": "string", "pattern": "^(\\*|(W/)?\"[0-9]{1,18}\")$"},
            "example": "\"1\"",
        },
        "X-Request-Id": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "An id for this request, which is returned and logged. The server makes one if it is \
                missing or has other characters.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
        },
    })
}
