//! Who gets in, and that everybody else hears the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use memsync::model::Clock;
use memsync::proto::v1::{self as pb};
use memsync::services::Secret;
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Answer, DEFAULT_SCOPES, TestServer, conversation};

const WORDS: &str = "Invalid authentication credentials";

/// Asks over both transports with this key, or without one; both must refuse in the one documented way.
async fn assert_refused(server: &TestServer, key: Option<&str>) {
    let rest = match key {
        Some(key) => server.rest(key),
        None => server.anonymous(),
    };
    let metadata: Vec<(&str, &str)> = key.iter().map(|key| ("x-api-key", *key)).collect();
    for path in ["/v1/memories", "/memories", "/v1/auth/me", "/v1/memories/mem_1"] {
        assert_unauthenticated(&rest.get(path).await);
    }
    assert_unauthenticated(
        &rest
            .post("/v1/memories", &conversation("t", &["I live in Oslo."]))
            .await,
    );
    if let Some(key) = key {
        assert_unauthenticated(&server.bearer(key).get("/v1/memories").await);
    }
    let mut client = server.memories(&metadata);
    let list = pb::ListMemoriesRequest::default();
    let status = client.list_memories(list).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, WORDS));
    let info = status.get_error_details().error_info().cloned().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("AUTHENTICATION_ERROR", "memsync")
    );
    assert!(info.metadata.is_empty(), "{info:?}");
    let who = server.auth(&metadata).who_am_i(pb::WhoAmIRequest {}).await.unwrap_err();
    assert_eq!((who.code(), who.message()), (Code::Unauthenticated, WORDS));
}

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    assert_eq!(answer.failure(401, "AUTHENTICATION_ERROR"), json!({}));
    assert_eq!(answer.json()["detail"], WORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_malformed_mistyped_or_unknown_key_gets_in_and_all_hear_the_same() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut mistyped = key.clone();
    let last = if mistyped.pop() == Some('a') { 'b' } else { 'a' };
    mistyped.push(last);
    let unknown = Secret::api_key().unwrap();
    assert_refused(&server, None).await;
    for bad in [
        "",
        "nonsense",
        "memsync_sk_live_",
        mistyped.as_str(),
        &key[1..],
        unknown.expose(),
    ] {
        assert_refused(&server, Some(bad)).await;
    }
    for header in [format!("Basic {key}"), key] {
        let otherwise = server.anonymous().with("authorization", &header);
        assert_unauthenticated(&otherwise.get("/v1/memories").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_working_at_once_and_only_it() {
    let server = TestServer::start().await;
    let revoked = server.create_key("ada@example.com", &DEFAULT_SCOPES).await;
    let kept = server.create_key("ada@example.com", &DEFAULT_SCOPES).await;
    server.rest(&revoked.secret).get("/v1/memories").await.ok();
    server.running.app.auth.revoke_api_key(&revoked.id).await.unwrap();
    assert_refused(&server, Some(&revoked.secret)).await;
    server.rest(&kept.secret).get("/v1/memories").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_until_the_second_it_expires() {
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let hand = Arc::clone(&now);
    let clock = Clock::from_fn(move || DateTime::from_timestamp(hand.load(Ordering::SeqCst), 0).unwrap());
    let server = TestServer::start_with(|_| {}, clock).await;
    let lifetime = Some(Duration::from_secs(60));
    let key = server
        .create_expiring_key("ada@example.com", &DEFAULT_SCOPES, lifetime)
        .await;
    now.fetch_add(59, Ordering::SeqCst);
    server.rest(&key.secret).get("/v1/memories").await.ok();
    now.fetch_add(1, Ordering::SeqCst);
    assert_refused(&server, Some(&key.secret)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_is_forbidden_and_told_which_one_it_lacks() {
    let server = TestServer::start().await;
    let reader = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let writer = server.create_key("ada@example.com", &["memories:write"]).await.secret;
    let story = conversation("t", &["I live in Oslo."]);

    let answer = server.rest(&reader).post("/v1/memories", &story).await;
    assert_eq!(
        answer.failure(403, "PERMISSION_DENIED"),
        json!({"required_scope": "memories:write"})
    );
    assert_eq!(answer.json()["detail"], "Insufficient permissions");
    assert!(server.rest(&reader).list("").await.is_empty());

    let answer = server.rest(&writer).get("/v1/memories").await;
    assert_eq!(
        answer.failure(403, "PERMISSION_DENIED"),
        json!({"required_scope": "memories:read"})
    );
    assert_eq!(server.rest(&writer).store(&story).await["memories_created"], 1);

    let mut client = server.memories(&[("x-api-key", &writer)]);
    let search = pb::SearchMemoriesRequest {
        query: "home".to_owned(),
        ..Default::default()
    };
    let status = client.search_memories(search).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::PermissionDenied, "Insufficient permissions")
    );
    let info = status.get_error_details().error_info().cloned().unwrap();
    assert_eq!(info.reason, "PERMISSION_DENIED");
    assert_eq!(info.metadata["required_scope"], "memories:read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_answers_by_the_key_that_it_is_given() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await;
    let version = env!("CARGO_PKG_VERSION");
    for path in ["/healthcheck", "/v1/healthcheck"] {
        let open = server.anonymous().get(path).await.ok();
        assert_eq!(
            open,
            json!({"status": "ok", "authenticated": false, "version": version})
        );
        let known = server.rest(&key.secret).get(path).await.ok();
        assert_eq!(
            known,
            json!({"status": "ok", "authenticated": true, "version": version})
        );
        for bad in ["nonsense", Secret::api_key().unwrap().expose()] {
            assert_unauthenticated(&server.rest(bad).get(path).await);
        }
    }
    server.running.app.auth.revoke_api_key(&key.id).await.unwrap();
    assert_unauthenticated(&server.rest(&key.secret).get("/healthcheck").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_am_i_names_the_account_the_key_and_its_scopes() {
    let server = TestServer::start().await;
    let key = server
        .create_key("Ada@Example.com", &["memories:read", "usage:read"])
        .await;
    let account = server
        .running
        .app
        .auth
        .find_account("ada@example.com")
        .await
        .unwrap()
        .unwrap();
    let answer = server.rest(&key.secret).get("/v1/auth/me").await.ok();
    let expected = json!({
        "user_id": account.id.as_str(),
        "email": "ada@example.com",
        "auth_method": "api_key",
        "api_key_id": key.id.as_str(),
        "scopes": ["memories:read", "usage:read"],
        "rate_limits": {"requests_per_minute": 0, "searches_per_minute": 0, "integrations_per_minute": 0},
    });
    assert_eq!(answer, expected);
    let mut client = server.auth(&[("x-api-key", &key.secret)]);
    let who = client.who_am_i(pb::WhoAmIRequest {}).await.unwrap().into_inner();
    assert_eq!(who.api_key_id.as_deref(), Some(key.id.as_str()));
    assert_eq!((who.user_id.as_str(), who.scopes.len()), (account.id.as_str(), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_database_holds_a_key() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await;
    server
        .rest(&key.secret)
        .store(&conversation("t", &["I live in Oslo."]))
        .await;
    // Everything after the prefix and the four characters of the hint.
    let secret = &key.secret["memsync_sk_live_".len() + 4..];
    let mut read = BTreeSet::new();
    let mut saw_hint = false;
    for entry in std::fs::read_dir(server.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(
            !holds(&key.secret) && !holds(secret) && !holds(&secret[..20]),
            "{}",
            path.display()
        );
        saw_hint |= holds(&key.secret[.."memsync_sk_live_".len() + 4]);
        read.insert(path);
    }
    assert!(saw_hint, "the files that were read are those of the database: {read:?}");
}
