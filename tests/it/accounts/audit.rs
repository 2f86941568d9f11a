//! The audit log: who did what, newest first, to its own account alone.

use serde_json::{Value, json};

use super::NEXT_PASSWORD;
use crate::support::{Hand, PASSWORD, Rest, TestServer, conversation};

async fn events(rest: &Rest, query: &str) -> Value {
    rest.get(&format!("/v1/audit-log?{query}")).await.ok()
}

/// What each event says but for its id and request: action, key, target.
fn told(page: &Value) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |event: &Value, name: &str| event.get(name).map(|value| value.as_str().unwrap().to_owned());
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            (
                text(event, "action").unwrap(),
                text(event, "api_key_id"),
                text(event, "target"),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_sign_ins_key_changes_and_refusals_newest_first() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    server.login("ada@example.com", "another password").await;
    server.login("nobody@example.com", "another password").await;
    let session = server.sign_in("ada@example.com").await;
    let created = rest
        .post("/v1/api-keys", &json!({"name": "k", "scopes": ["memories:read"]}))
        .await
        .json();
    let id = created["api_key_id"].as_str().unwrap().to_owned();
    let key = server.rest(created["key"].as_str().unwrap());
    let refused = key
        .with("x-request-id", "req-of-the-refused")
        .post("/v1/memories", &conversation("t", &["I live in Oslo."]))
        .await;
    refused.failure(403, "PERMISSION_DENIED");
    rest.patch(&format!("/v1/api-keys/{id}"), &json!({"name": "other"}))
        .await
        .ok();
    let rotated = rest
        .post(&format!("/v1/api-keys/{id}/rotate"), &json!({"grace_period": 60}))
        .await
        .json();
    let next = rotated["api_key_id"].as_str().unwrap().to_owned();
    rest.delete(&format!("/v1/api-keys/{next}")).await.ok();
    let change = json!({"current_password": PASSWORD, "new_password": NEXT_PASSWORD});
    rest.post("/v1/auth/password", &change).await.ok();
    server.refresh(&session.refresh_token).await;
    rest.post("/v1/auth/logout", &json!({})).await.ok();

    let rest = server.login("ada@example.com", NEXT_PASSWORD).await.ok();
    let rest = server.bearer(rest["access_token"].as_str().unwrap());
    let page = events(&rest, "").await;
    let expected = [
        ("session.created", None, "sess_"),
        ("session.ended", None, "sess_"),
        ("password.changed", None, ""),
        ("key.deleted", None, next.as_str()),
        ("key.created", None, next.as_str()),
        ("key.rotated", None, id.as_str()),
        ("key.updated", None, id.as_str()),
        ("request.refused", Some(id.as_str()), "StoreMemories"),
        ("key.created", None, id.as_str()),
        ("session.created", None, "sess_"),
        ("session.refused", None, ""),
        ("account.created", None, ""),
    ];
    let told = told(&page);
    assert_eq!(told.len(), expected.len(), "{page:#}");
    for ((action, key, target), expected) in told.iter().zip(expected) {
        assert_eq!((action.as_str(), key.as_deref()), (expected.0, expected.1), "{page:#}");
        let target = target.as_deref().unwrap_or_default();
        assert!(target.starts_with(expected.2), "{action}: {target}");
        assert_eq!(target.is_empty(), expected.2.is_empty(), "{action}: {target}");
    }
    for event in page["events"].as_array().unwrap() {
        assert!(event["id"].as_str().unwrap().starts_with("evt_"), "{event}");
        assert_eq!(
            (&event["actor"], &event["address"], &event["occurred_at"]),
            (
                &json!("ada@example.com"),
                &json!("127.0.0.1"),
                &json!("2027-01-15T08:00:00Z")
            ),
        );
        assert!(event["request_id"].is_string(), "{event}");
    }
    assert_eq!(page["events"][7]["request_id"], "req-of-the-refused");
    assert_eq!(page.get("next_cursor"), None);
    let text = page.to_string();
    for secret in [created["key"].as_str().unwrap(), PASSWORD, NEXT_PASSWORD] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_audit_log_hold_every_event_once() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    for name in ["a", "b", "c", "d", "e"] {
        rest.post("/v1/api-keys", &json!({"name": name})).await;
    }
    let all = events(&rest, "").await;
    let all = all["events"].as_array().unwrap();
    assert_eq!(all.len(), 6);
    let mut paged = Vec::new();
    let mut cursor = String::new();
    for expected in [2, 2, 2] {
        let page = events(&rest, &format!("limit=2{cursor}")).await;
        let part = page["events"].as_array().unwrap();
        assert_eq!(part.len(), expected);
        paged.extend(part.iter().cloned());
        match page.get("next_cursor") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => cursor = "the last page".to_owned(),
        }
        // What comes in between moves no page.
        rest.post("/v1/api-keys", &json!({"name": "later"})).await;
    }
    assert_eq!(cursor, "the last page");
    assert_eq!(&paged, all);
    for query in ["limit=0", "limit=101", "cursor=", "cursor=a%0Ab"] {
        let answer = rest.get(&format!("/v1/audit-log?{query}")).await;
        answer.failure(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_audit_log_of_another_account_also_by_its_cursor() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let grace = server.register("grace@example.com").await;
    let (ada, grace) = (server.bearer(&ada.access_token), server.bearer(&grace.access_token));
    for name in ["a", "b"] {
        ada.post("/v1/api-keys", &json!({"name": name})).await;
        grace.post("/v1/api-keys", &json!({"name": name})).await;
    }
    let adas = events(&ada, "limit=1").await;
    let cursor = adas["next_cursor"].as_str().unwrap();
    for query in [String::new(), format!("cursor={cursor}")] {
        let page = events(&grace, &query).await;
        let page = page["events"].as_array().unwrap();
        assert!(!page.is_empty());
        for event in page {
            assert_eq!(event["actor"], "grace@example.com");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_does_to_an_account_is_in_its_audit_log() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &["usage:read"]).await;
    let page = events(&server.rest(&key.secret), "").await;
    assert_eq!(told(&page).len(), 2, "{page}");
    for (event, action) in page["events"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["key.created", "account.created"])
    {
        assert_eq!(
            (&event["action"], &event["actor"]),
            (&json!(action), &json!("operator"))
        );
        assert_eq!((event.get("address"), event.get("request_id")), (None, None));
    }
    assert_eq!(page["events"][0]["target"], key.id.as_str());
}
