//! Routes that the API names and this version does not serve yet say so.

use serde_json::{Value, json};

use crate::support::{TestServer, send};

const PLANNED: [(&str, &str); 26] = [
    ("POST", "/v1/integrations/files"),
    ("POST", "/integrations/files"),
    ("POST", "/v1/integrations/chat"),
    ("POST", "/integrations/chat"),
    ("POST", "/v1/integrations/social"),
    ("POST", "/integrations/social"),
    ("POST", "/v1/integrations/index/social"),
    ("POST", "/v1/integrations/index/file"),
    ("POST", "/v1/integrations/index/chat"),
    ("GET", "/v1/integrations"),
    ("DELETE", "/v1/integrations/int_1"),
    ("GET", "/v1/integrations/int_1/status"),
    ("GET", "/integrations/int_1/status"),
    ("GET", "/v1/integrations/int_1/events"),
    ("POST", "/v1/webhooks"),
    ("GET", "/v1/webhooks"),
    ("GET", "/v1/webhooks/hook_1"),
    ("PATCH", "/v1/webhooks/hook_1"),
    ("DELETE", "/v1/webhooks/hook_1"),
    ("POST", "/v1/webhooks/hook_1/rotate"),
    ("POST", "/v1/webhooks/hook_1/test"),
    ("GET", "/v1/webhooks/hook_1/deliveries"),
    ("POST", "/v1/webhooks/hook_1/deliveries/evt_1/replay"),
    ("GET", "/v1/events"),
    ("GET", "/v1/memories/count"),
    ("GET", "/v1/profile/attributes"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_still_to_come_is_a_501_for_whoever_is_known() {
    let server = TestServer::start_with(
        |config| config.limits.requests_per_minute = 1000,
        memsync::model::Clock::system(),
    )
    .await;
    let ada = server.ada().await;
    let stranger = server.rest("memsync_sk_live_bad");
    for (verb, path) in PLANNED {
        let answer = ada.call(verb, path, &json!({"platform": "chatgpt"})).await;
        assert_eq!(answer.failure(501, "NOT_IMPLEMENTED"), json!({}), "{verb} {path}");
        assert_eq!(answer.json()["detail"], "This version does not serve this route yet");
        assert_eq!(answer.header("x-ratelimit-limit"), Some("1000"), "{verb} {path}");
        for unknown in [&stranger, &server.anonymous()] {
            let refused = unknown.call(verb, path, &Value::Null).await;
            refused.failure(401, "AUTHENTICATION_ERROR");
        }
    }
    let form = ada.request("POST", "/v1/integrations/files");
    let form = form
        .header("content-type", "multipart/form-data; boundary=x")
        .body(vec![b'x'; 5 << 20]);
    send(form).await.failure(501, "NOT_IMPLEMENTED");
    for (verb, path, allow) in [
        ("GET", "/v1/integrations/chat", "POST, OPTIONS"),
        ("PUT", "/v1/webhooks", "POST, GET, HEAD, OPTIONS"),
    ] {
        let answer = ada.call(verb, path, &Value::Null).await;
        answer.failure(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), Some(allow), "{verb} {path}");
    }
    for path in ["/v1/integrations/index/else", "/webhooks", "/integrations"] {
        ada.call("POST", path, &json!({})).await.failure(404, "ROUTE_NOT_FOUND");
    }
    let task = ada.get("/v1/integrations/status/task_none").await;
    task.failure(404, "INTEGRATION_NOT_FOUND");
}
