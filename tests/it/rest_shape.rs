//! The outside of REST: every failure in one shape, and the headers that clients lean on.

use std::collections::HashSet;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use memsync::model::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, conversation, send};

const CATEGORIES: [&str; 10] = [
    "identity",
    "career",
    "interests",
    "relationships",
    "health",
    "finance",
    "learning",
    "travel",
    "productivity",
    "private",
];

/// The whole body, but for the time and the id of the request, which are checked to be there.
#[track_caller]
fn assert_body(answer: &Answer, status: u16, code: &str, message: &str, details: &Value) {
    answer.failure(status, code);
    let body = answer.json();
    let expected = json!({
        "detail": message, "status_code": status, "status": "error",
        "error": {"code": code, "message": message, "details": details},
        "timestamp": body["timestamp"], "request_id": body["request_id"],
    });
    assert_eq!(body, expected);
}

fn one(field: &str, reason: &str) -> Value {
    json!({"field": field, "reason": reason, "violations": [{"field": field, "reason": reason}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_a_400_that_says_where_it_breaks() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for (bytes, reason) in [
        (
            &br#"{"query": }"#[..],
            "is not valid JSON: expected value at line 1 column 11",
        ),
        (
            br#"{"query": "x""#,
            "is not valid JSON: EOF while parsing an object at line 1 column 13",
        ),
        (
            br#"{"query": "x"} x"#,
            "is not valid JSON: trailing characters at line 1 column 16",
        ),
        (b"{\"query\": \"\xff\"}", "is not valid UTF-8 at byte 11"),
    ] {
        let answer = ada.post_bytes("/v1/memories/search", bytes).await;
        assert_body(
            &answer,
            400,
            "VALIDATION_ERROR",
            &format!("body: {reason}"),
            &one("body", reason),
        );
    }
    let list = ada.post_bytes("/v1/memories/search", "[1]").await;
    let reason = "must be an object";
    assert_body(
        &list,
        400,
        "VALIDATION_ERROR",
        "body: must be an object",
        &one("body", reason),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_type_is_named_by_its_path() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let mut body = conversation("t", &["I live in Oslo.", "I work."]);
    body["messages"][1]["content"] = 7.into();
    let answer = ada.post("/v1/memories", &body).await;
    let message = "messages[1].content: must be a string";
    let details = one("messages[1].content", "must be a string");
    assert_body(&answer, 400, "VALIDATION_ERROR", message, &details);
    let answer = ada.get("/v1/memories?page=one").await;
    assert_eq!(answer.failure(400, "VALIDATION_ERROR")["field"], "page");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_is_reported_at_once() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let long = "x".repeat(32_769);
    let body = json!({"messages": [{"role": "user", "content": long}], "agent_id": "", "thread_id": "a\nb"});
    let details = ada.post("/v1/memories", &body).await.failure(400, "VALIDATION_ERROR");
    let mut violations = details["violations"].as_array().unwrap().clone();
    violations.sort_by_key(|violation| violation["field"].to_string());
    let expected = json!([
        {"field": "agent_id", "reason": "must be 1 to 128 characters"},
        {"field": "messages[0].content", "reason": "must be at most 32768 bytes"},
        {"field": "source", "reason": "must be 1 to 128 characters"},
        {"field": "thread_id", "reason": "must have no control or invisible characters"},
    ]);
    assert_eq!(json!(violations), expected);
    assert_eq!(details["field"], details["violations"][0]["field"]);
    assert_eq!(details["reason"], details["violations"][0]["reason"]);

    let types = json!({"query": 1, "limit": "x", "rerank": "maybe"});
    let details = ada
        .post("/v1/memories/search", &types)
        .await
        .failure(400, "VALIDATION_ERROR");
    let fields: HashSet<&str> = details["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, HashSet::from(["query", "limit", "rerank"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_no_category_is_answered_with_the_ten_that_are() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let search = ada
        .post(
            "/v1/memories/search",
            &json!({"query": "x", "categories": ["career", "sports"]}),
        )
        .await;
    let details = search.failure(400, "INVALID_CATEGORY");
    assert_eq!(
        (&details["field"], &details["valid_categories"]),
        (&json!("categories[1]"), &json!(CATEGORIES))
    );
    let list = ada.get("/v1/memories?category=sports").await;
    let details = list.failure(400, "INVALID_CATEGORY");
    assert_eq!(
        (&details["field"], &details["valid_categories"]),
        (&json!("category"), &json!(CATEGORIES))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_and_wrong_verbs_are_told_apart() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for path in ["/v1", "/v2/memories", "/v1/memories/a/b", "/favicon.ico"] {
        assert_body(
            &ada.get(path).await,
            404,
            "ROUTE_NOT_FOUND",
            "No such route",
            &json!({}),
        );
    }
    for (verb, path, allow) in [
        ("PUT", "/v1/memories", "POST, GET, HEAD, OPTIONS"),
        ("GET", "/v1/memories/search", "POST, OPTIONS"),
        ("POST", "/v1/memories/mem_1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("DELETE", "/healthcheck", "GET, HEAD, OPTIONS"),
    ] {
        let answer = send(ada.request(verb, path)).await;
        assert_body(
            &answer,
            405,
            "METHOD_NOT_ALLOWED",
            "This route does not allow that method",
            &json!({}),
        );
        let sorted = |list: &str| {
            list.split(", ")
                .map(str::to_owned)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(sorted(answer.header("allow").unwrap()), sorted(allow), "{verb} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_json_is_a_415() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let request = ada
            .request("POST", "/v1/memories/search")
            .header("content-type", content_type);
        let answer = send(request.body(r#"{"query":"x"}"#)).await;
        let message = "The body must be JSON, with Content-Type: application/json";
        assert_body(&answer, 415, "UNSUPPORTED_MEDIA_TYPE", message, &json!({}));
    }
    let request = ada
        .request("POST", "/v1/memories/search")
        .header("content-type", "application/json; charset=utf-8");
    send(request.body(r#"{"query":"x"}"#)).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_four_mib_is_a_413_and_the_connection_survives() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let large = serde_json::to_vec(&conversation("t", &["x".repeat(5 << 20).as_str()])).unwrap();
    let answer = ada.post_bytes("/v1/memories", large.clone()).await;
    let message = "The request body must not be larger than 4 MB";
    assert_body(&answer, 413, "PAYLOAD_TOO_LARGE", message, &json!({"max_size_mb": 4}));
    let pieces: Vec<_> = large
        .chunks(64 << 10)
        .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let chunked = reqwest::Body::wrap(StreamBody::new(futures::stream::iter(pieces)));
    let answer = ada.post_bytes("/v1/memories", chunked).await;
    assert_body(&answer, 413, "PAYLOAD_TOO_LARGE", message, &json!({"max_size_mb": 4}));
    assert!(ada.list("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_url_is_refused_whatever_the_route() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    for parameter in ["api_key", "key", "x-api-key", "access_token", "API_KEY"] {
        for path in ["/v1/memories", "/healthcheck", "/nothing"] {
            let answer = server.rest(&key).get(&format!("{path}?{parameter}={key}")).await;
            let details = answer.failure(400, "VALIDATION_ERROR");
            assert_eq!(details["field"], parameter.to_lowercase());
            assert!(
                !String::from_utf8_lossy(&answer.bytes).contains(&key),
                "the answer repeats no key"
            );
        }
    }
    server.rest(&key).get("/v1/memories?key=something+else").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_echoed_where_it_is_sane_and_else_made() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for path in ["/v1/memories", "/v1/memories/mem_none", "/nothing"] {
        let answer = ada.with("x-request-id", "trace-7_a.b:c").get(path).await;
        assert_eq!(answer.header("x-request-id"), Some("trace-7_a.b:c"), "{path}");
        let mut made = HashSet::new();
        for insane in ["", "two words", "<script>", "é", "x".repeat(129).as_str()] {
            let answer = ada.with("x-request-id", insane).get(path).await;
            let id = answer.header("x-request-id").unwrap().to_owned();
            assert!(id.starts_with("req_") && id.len() > 20, "{insane}: {id}");
            made.insert(id);
        }
        made.insert(ada.get(path).await.header("x-request-id").unwrap().to_owned());
        assert_eq!(made.len(), 6, "every request has an id of its own");
    }
    let failure = ada.with("x-request-id", "trace-7").get("/nothing").await;
    assert_eq!(failure.json()["request_id"], "trace-7");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_of_allowed_origins_get_in_and_others_do_not() {
    const ORIGIN: &str = "https://app.example.com";
    let server = TestServer::start_with(
        |config| config.cors_allowed_origins = vec![ORIGIN.to_owned()],
        Clock::system(),
    )
    .await;
    let ada = server.ada().await;
    let from = |origin: &str| ada.with("origin", origin);
    let answer = from(ORIGIN).get("/v1/memories").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert!(
        answer
            .header("access-control-expose-headers")
            .unwrap()
            .contains("x-request-id")
    );
    let refused = from("https://evil.example.com").get("/v1/memories").await;
    assert_eq!(refused.header("access-control-allow-origin"), None);
    let failed = server.anonymous().with("origin", ORIGIN).get("/v1/memories").await;
    failed.failure(401, "AUTHENTICATION_ERROR");
    assert_eq!(
        failed.header("access-control-allow-origin"),
        Some(ORIGIN),
        "a page can read why it failed"
    );

    let preflight = server
        .anonymous()
        .with("origin", ORIGIN)
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "x-api-key,content-type");
    let answer = send(preflight.request("OPTIONS", "/v1/memories")).await;
    assert!(answer.status.is_success(), "{}", answer.status);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(
        ["x-api-key", "content-type", "idempotency-key"]
            .iter()
            .all(|name| allowed.contains(name)),
        "{allowed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_allowed_origins_no_answer_speaks_of_cors() {
    let server = TestServer::start().await;
    let ada = server.ada().await.with("origin", "https://app.example.com");
    let answer = ada
        .with("access-control-request-method", "POST")
        .get("/v1/memories")
        .await;
    answer.ok();
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-")),
        "{:?}",
        answer.headers
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_compressed_for_those_who_ask() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let facts: Vec<String> = ["Oslo", "Lima", "Cairo", "Kyoto", "Quito", "Seoul"]
        .iter()
        .map(|city| format!("My friend in {city} owns a bakery in {city}."))
        .collect();
    let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
    ada.store(&conversation("t", &facts)).await;
    let plain = ada.get("/v1/memories").await;
    assert!(plain.bytes.len() > 1024 && plain.header("content-encoding").is_none());
    let zipped = ada.with("accept-encoding", "gzip").get("/v1/memories").await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert_eq!(zipped.bytes[..2], [0x1f, 0x8b]);
    assert!(
        zipped.bytes.len() < plain.bytes.len() / 2,
        "{} {}",
        zipped.bytes.len(),
        plain.bytes.len()
    );
}
