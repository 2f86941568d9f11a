//! The whole room against the fake server: forwarding, statuses, streams, health.

use axum::Router;
use axum::body::Body;
use futures::stream;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::fake::{server, server_with};
use super::pool;
use crate::rest::{RestSettings, router};

#[tokio::test]
async fn a_call_carries_message_headers_and_extensions() {
    let server = server();
    let headers = [
        ("x-api-key", "good"),
        ("x-user-id", "ann"),
        ("idempotency-key", "i"),
        ("x-forwarded-for", "1.2.3.4"),
        ("cookie", "c"),
        ("grpc-encoding", "gzip"),
    ];
    let got = server
        .send(
            Method::POST,
            "/memories/search/?limit=3",
            &headers,
            r#"{"query":"tea"}"#,
        )
        .await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.headers[CONTENT_TYPE], "application/json");
    assert_eq!(got.headers["x-ratelimit-remaining"], "41");
    assert!(!got.headers.contains_key("x-inside"));
    assert_eq!(got.json()["memories"], json!([]));
    let seen = server.last();
    assert_eq!((seen.rpc.as_str(), seen.marked), ("SearchMemories", true));
    assert_eq!(seen.messages, [&b"\x0a\x03tea\x10\x03"[..]]);
    assert_eq!(seen.headers["x-user-id"], "ann");
    assert_eq!(seen.headers["x-forwarded-for"], "1.2.3.4");
    assert!(!seen.headers.contains_key("cookie") && !seen.headers.contains_key("grpc-encoding"));
}

#[tokio::test]
async fn errors_of_the_service_have_the_documented_shape() {
    let server = server();
    let headers = [("x-api-key", "good"), ("x-request-id", "req_7")];
    let got = server
        .send(Method::GET, "/v1/memories/m/history", &headers, Body::empty())
        .await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (StatusCode::NOT_FOUND, "MEMORY_NOT_FOUND")
    );
    assert_eq!(got.json()["request_id"], "req_7");
    assert_eq!(got.json()["detail"], "No such memory");
    let got = server
        .send(Method::DELETE, "/v1/memories/m", &headers, Body::empty())
        .await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
    );
    assert_eq!(got.json()["retry_after"], 1);
}

#[tokio::test]
async fn a_panic_is_a_500_in_the_documented_shape() {
    let headers = [("x-api-key", "good"), ("x-request-id", "req_8")];
    let got = server()
        .send(Method::GET, "/v1/memories/m", &headers, Body::empty())
        .await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR")
    );
    assert_eq!(got.json()["request_id"], "req_8");
}

#[tokio::test]
async fn requests_that_can_not_be_read_are_refused_with_their_status() {
    let server = server();
    let key = ("x-api-key", "good");
    let search = "/v1/memories/search";
    let typed = [key, ("content-type", "text/plain")];
    assert_eq!(
        server.send(Method::POST, search, &typed, "{}").await.code(),
        "UNSUPPORTED_MEDIA_TYPE"
    );
    let large = server.send(Method::POST, search, &[key], "x".repeat(65 * 1024)).await;
    assert_eq!(
        (large.status, large.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE")
    );
    assert_eq!(
        large.headers["x-ratelimit-remaining"], "41",
        "a refusal is an answer to an authenticated caller"
    );
    assert_eq!(
        server.post(search, "{").await.json()["error"]["details"]["field"],
        "body"
    );
    let words = server.post(search, r#"{"categories":["sports"]}"#).await;
    assert_eq!(
        (words.status, words.code().as_str()),
        (StatusCode::BAD_REQUEST, "INVALID_CATEGORY")
    );
    assert_eq!(words.json()["error"]["details"]["valid_categories"][0], "identity");
    let wrong = server.post(search, r#"{"limit":"x","query":5}"#).await;
    assert_eq!(
        wrong.json()["error"]["details"]["violations"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(wrong.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_stranger_s_garbage_is_a_401_as_over_grpc() {
    let server = server();
    for key in [("x-api-key", "bad"), ("x-other", "")] {
        let got = server
            .send(Method::POST, "/v1/memories", &[key, ("idempotency-key", "i")], "{")
            .await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (StatusCode::UNAUTHORIZED, "AUTHENTICATION_ERROR")
        );
    }
    assert_eq!(server.calls(), 0, "nothing was read of their bodies");
    let public = server.send(Method::POST, "/v1/auth/login", &[], "{").await;
    assert_eq!(public.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn unknown_routes_and_wrong_verbs_say_so() {
    let server = server();
    let nothing = server.send(Method::GET, "/v2/x", &[], Body::empty()).await;
    assert_eq!(
        (nothing.status, nothing.code().as_str()),
        (StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND")
    );
    let verb = server.send(Method::PUT, "/v1/memories", &[], "{}").await;
    assert_eq!(
        (verb.status, verb.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED")
    );
    assert_eq!(verb.headers[ALLOW], "POST, GET, HEAD, OPTIONS");
    let options = server
        .send(Method::OPTIONS, "/v1/memories/search", &[], Body::empty())
        .await;
    assert_eq!(
        (options.status, &options.headers[ALLOW]),
        (StatusCode::NO_CONTENT, &HeaderValue::from_static("POST, OPTIONS"))
    );
    let head = server.send(Method::HEAD, "/healthcheck", &[], Body::empty()).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn an_unknown_rpc_gets_a_grpc_answer() {
    let got = server()
        .send(
            Method::POST,
            "/x.Y/Z",
            &[("content-type", "application/grpc+proto")],
            Body::empty(),
        )
        .await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.headers["grpc-status"], "12");
    assert_eq!(got.headers[CONTENT_TYPE], "application/grpc");
}

#[tokio::test]
async fn the_health_check_judges_the_credentials_that_it_is_given() {
    let server = server();
    let open = server.send(Method::GET, "/healthcheck", &[], Body::empty()).await;
    assert_eq!(
        open.json(),
        json!({"status": "ok", "authenticated": false, "version": "9.9"})
    );
    let good = server
        .send(Method::GET, "/v1/healthcheck/", &[("x-api-key", "good")], Body::empty())
        .await;
    assert_eq!(good.json()["authenticated"], true);
    let bad = server
        .send(Method::GET, "/healthcheck", &[("x-api-key", "bad")], Body::empty())
        .await;
    assert_eq!(
        (bad.status, bad.json()["status_code"].clone()),
        (StatusCode::UNAUTHORIZED, json!(401))
    );
    assert_eq!(
        server
            .send(Method::POST, "/healthcheck", &[], Body::empty())
            .await
            .headers[ALLOW],
        "GET, HEAD, OPTIONS"
    );
}

#[tokio::test]
async fn a_key_in_the_url_is_refused_and_never_repeated() {
    for path in [
        "/v1/memories?api_key=memsync_sk_live_abc",
        "/healthcheck?key=memsync_sk_live_abc",
    ] {
        let got = server()
            .send(Method::GET, path, &[("x-api-key", "good")], Body::empty())
            .await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (StatusCode::BAD_REQUEST, "VALIDATION_ERROR")
        );
        let text = String::from_utf8_lossy(&got.body).into_owned();
        assert!(text.contains("rotate that key") && !text.contains("live_abc"), "{text}");
    }
}

#[tokio::test]
async fn a_streamed_answer_is_lines_and_a_late_failure_the_last_one() {
    let server = server();
    let got = server
        .send(Method::GET, "/v1/export", &[("x-api-key", "good")], Body::empty())
        .await;
    assert_eq!(got.headers[CONTENT_TYPE], "application/x-ndjson");
    let lines: Vec<Value> = got
        .body
        .split(|&b| b == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["memory"]["id"], "m");
    let cut = server
        .send(Method::GET, "/v1/export", &[("x-api-key", "cut")], Body::empty())
        .await;
    let text = String::from_utf8_lossy(&cut.body).into_owned();
    let last: Value = serde_json::from_str(text.lines().last().expect("lines")).expect("JSON");
    assert_eq!(
        (text.lines().count(), &last["error"]["code"]),
        (4, &json!("INTERNAL_ERROR"))
    );
    assert!(!text.contains("disk"));
    let bad = server
        .send(Method::GET, "/v1/export", &[("x-api-key", "bad")], Body::empty())
        .await;
    assert_eq!(bad.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_raw_body_becomes_a_stream_of_requests() {
    let server = server();
    let body = Body::from_stream(stream::iter(["{\"a\":1}\n", "{}"].map(Ok::<_, std::io::Error>)));
    let headers = [("x-api-key", "good"), ("content-type", "application/x-ndjson")];
    let got = server
        .send(Method::POST, "/v1/import?user_id=u&chunk=x", &headers, body)
        .await;
    assert_eq!(
        got.json(),
        json!({"imported": 2, "skipped": 0, "failed": 0, "errors": []})
    );
    assert_eq!(
        server.last().messages,
        [&b"\x12\x01u"[..], b"\x0a\x08{\"a\":1}\n", b"\x0a\x02{}"]
    );
}

#[tokio::test]
async fn success_has_the_declared_status() {
    assert_eq!(
        server().post("/v1/api-keys", r#"{"name":"n"}"#).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let server = server();
    let headers = [("x-api-key", "good"), (ACCEPT_ENCODING.as_str(), "gzip")];
    let large = server.send(Method::POST, "/v1/memories/search", &headers, "{}").await;
    assert_eq!(large.headers[CONTENT_ENCODING], "gzip");
    assert!(large.body.len() < 500);
    let small = server.send(Method::GET, "/healthcheck", &headers, Body::empty()).await;
    assert!(!small.headers.contains_key(CONTENT_ENCODING));
    let stream = server.send(Method::GET, "/v1/export", &headers, Body::empty()).await;
    assert!(!stream.headers.contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn only_allowed_origins_get_cors_headers() {
    let allowed = server_with(&["https://app.example.com"]);
    let origin = ("origin", "https://app.example.com");
    let got = allowed
        .send(Method::GET, "/healthcheck", &[origin], Body::empty())
        .await;
    assert_eq!(got.headers["access-control-allow-origin"], "https://app.example.com");
    let preflight = [origin, ("access-control-request-method", "POST")];
    let got = allowed
        .send(Method::OPTIONS, "/v1/memories", &preflight, Body::empty())
        .await;
    assert!(
        got.headers["access-control-allow-headers"]
            .to_str()
            .expect("text")
            .contains("x-api-key")
    );
    let other = allowed
        .send(
            Method::GET,
            "/healthcheck",
            &[("origin", "https://evil.example")],
            Body::empty(),
        )
        .await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    let none = server()
        .send(Method::GET, "/healthcheck", &[origin], Body::empty())
        .await;
    assert!(!none.headers.contains_key("access-control-allow-origin"));
    let settings = RestSettings {
        max_body_bytes: 1,
        allowed_origins: vec!["nonsense".into()],
        tls_required: false,
        version: "",
    };
    assert!(router(&pool(), Router::new(), &settings).is_err());
}
