//! The error body, its details and its HTTP status.

use std::collections::HashMap;
use std::time::Duration;

use super::*;

fn status(code: Code, reason: &str, metadata: &[(&str, &str)]) -> Status {
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Status::with_error_details(
        code,
        "the words",
        ErrorDetails::with_error_info(reason, "memsync", metadata),
    )
}

fn json(problem: &Problem) -> Value {
    serde_json::from_slice(&problem.body("req_1")).expect("JSON")
}

#[test]
fn the_body_has_the_documented_shape() {
    let body = json(&Problem::from_status(&status(Code::NotFound, "MEMORY_NOT_FOUND", &[])));
    let timestamp = body["timestamp"].as_str().expect("text").to_owned();
    assert!(timestamp.ends_with('Z') && timestamp.len() == 20, "{timestamp}");
    let expected = json!({
        "detail": "the words", "status_code": 404,
        "error": {"code": "MEMORY_NOT_FOUND", "message": "the words", "details": {}},
        "status": "error", "timestamp": timestamp, "request_id": "req_1"
    });
    assert_eq!(body, expected);
}

#[test]
fn violations_and_metadata_become_details() {
    let mut details = ErrorDetails::with_error_info(
        "INVALID_CATEGORY",
        "memsync",
        HashMap::from([
            ("valid_categories".to_owned(), "identity, career".to_owned()),
            ("max_length".to_owned(), "500".to_owned()),
            ("required_scope".to_owned(), "7".to_owned()),
        ]),
    );
    details
        .add_bad_request_violation("a[1]", "is wrong")
        .add_bad_request_violation("b", "too");
    let problem = Problem::from_status(&Status::with_error_details(Code::InvalidArgument, "no", details));
    assert_eq!(
        json(&problem)["error"]["details"],
        json!({
            "valid_categories": ["identity", "career"], "max_length": 500, "required_scope": "7",
            "field": "a[1]", "reason": "is wrong",
            "violations": [{"field": "a[1]", "reason": "is wrong"}, {"field": "b", "reason": "too"}]
        })
    );
}

#[test]
fn codes_and_reasons_become_http_statuses() {
    for (code, reason, http) in [
        (Code::InvalidArgument, "BIO_TOO_LONG", 400),
        (Code::Unauthenticated, "AUTHENTICATION_ERROR", 401),
        (Code::PermissionDenied, "CANNOT_DELETE_ACTIVE_KEY", 403),
        (Code::Unimplemented, "ROUTE_NOT_FOUND", 404),
        (Code::Unimplemented, "METHOD_NOT_ALLOWED", 405),
        (Code::AlreadyExists, "EMAIL_TAKEN", 409),
        (Code::ResourceExhausted, "FILE_TOO_LARGE", 413),
        (Code::ResourceExhausted, "RATE_LIMIT_EXCEEDED", 429),
        (Code::Unimplemented, "NOT_IMPLEMENTED", 501),
        (Code::Unavailable, "SERVICE_UNAVAILABLE", 503),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 504),
        (Code::Cancelled, "CANCELLED", 499),
    ] {
        let problem = Problem::from_status(&status(code, reason, &[]));
        assert_eq!((problem.status.as_u16(), problem.reason.as_ref()), (http, reason));
        if http != 404 && http != 405 && reason != "FILE_TOO_LARGE" {
            assert_eq!(Problem::from_status(&Status::new(code, "")).status.as_u16(), http);
        }
    }
}

#[test]
fn an_internal_failure_tells_nothing_of_the_inside() {
    for code in [Code::Internal, Code::Unknown, Code::DataLoss] {
        let body = json(&Problem::from_status(&status(
            code,
            "INTERNAL_ERROR",
            &[("table", "users")],
        )));
        assert_eq!(body["detail"], "Internal error");
        assert_eq!(body["error"]["details"], json!({}));
    }
    let library = Problem::from_status(&Status::unavailable("tcp connect error to 10.0.0.1"));
    assert_eq!(library.message, "Service unavailable");
}

#[test]
fn whoever_may_try_again_is_told_when() {
    let mut details = ErrorDetails::with_retry_info(Some(Duration::from_millis(1500)));
    details.set_error_info(
        "RATE_LIMIT_EXCEEDED",
        "memsync",
        HashMap::from([("limit".into(), "100".into())]),
    );
    let limited = Problem::from_status(&Status::with_error_details(Code::ResourceExhausted, "", details));
    let body = json(&limited);
    assert_eq!(
        (&body["retry_after"], &body["error"]["details"]["limit"]),
        (&json!(2), &json!(100))
    );
    let response = limited.into_response("");
    assert_eq!(response.headers()[RETRY_AFTER], "2");
    assert_eq!(Problem::unavailable().into_response("").headers()[RETRY_AFTER], "1");
    assert!(json(&Problem::internal()).get("retry_after").is_none());
}

#[test]
fn a_bad_category_alone_has_its_own_reason() {
    let word = || FieldViolation {
        invalid_word: Some(InvalidWord {
            reason: "INVALID_CATEGORY".into(),
            valid: vec!["career".into()],
        }),
        ..FieldViolation::new("categories[0]", "must be one of: career")
    };
    let alone = Problem::invalid(&[word()]);
    assert_eq!(alone.reason, "INVALID_CATEGORY");
    assert_eq!(alone.details["valid_categories"], json!(["career"]));
    assert_eq!(alone.details["field"], "categories[0]");
    let mixed = Problem::invalid(&[word(), FieldViolation::new("limit", "must be an integer")]);
    assert_eq!(mixed.reason, "VALIDATION_ERROR");
    assert_eq!(mixed.details["violations"].as_array().map(Vec::len), Some(2));
}
