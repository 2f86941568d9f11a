//! API keys: their life, their bounds, how often they may ask, and how much they did.

mod bounds;
mod escalation;
mod limits;
mod rotation;
mod usage;

use std::time::Duration;

use memsync::model::ApiKeyId;
use memsync::proto::v1::{self as pb};
use serde_json::{Value, json};

use crate::support::{Answer, DEFAULT_SCOPES, Hand, Rest, TestServer};

/// Both ways to write every route of keys.
const ROUTES: [&str; 2] = ["/v1/api-keys", "/api-keys"];

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    assert_eq!(answer.failure(401, "AUTHENTICATION_ERROR"), json!({}));
}

/// Makes a key, which must succeed; the whole answer.
async fn create(rest: &Rest, body: &Value) -> Value {
    let answer = rest.post("/v1/api-keys", body).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    answer.json()
}

fn id_of(key: &Value) -> &str {
    key["api_key_id"].as_str().unwrap()
}

/// A client with a key as it was answered.
fn with_key(server: &TestServer, key: &Value) -> Rest {
    server.rest(key["key"].as_str().unwrap())
}

/// A server, its clock, and a session of `ada@example.com`.
async fn ada() -> (TestServer, Hand, Rest) {
    let hand = Hand::new();
    let server = TestServer::start_with(
        |config| {
            config.auth.access_token_lifetime = Duration::from_secs(1_000_000);
            config.auth.refresh_token_lifetime = Duration::from_secs(1_000_000);
        },
        hand.clock(),
    )
    .await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    (server, hand, rest)
}

/// The key of this id as the list shows it.
async fn listed(rest: &Rest, id: &str) -> Value {
    let page = rest.get("/v1/api-keys?limit=100").await.ok();
    let keys = page["api_keys"].as_array().unwrap();
    keys.iter().find(|key| key["api_key_id"] == id).unwrap().clone()
}

async fn page(rest: &Rest, query: &str) -> (Vec<String>, Value) {
    let page = rest.get(&format!("/v1/api-keys?{query}")).await.ok();
    let keys = page["api_keys"].as_array().unwrap().iter();
    let names = keys.map(|key| key["name"].as_str().unwrap().to_owned()).collect();
    (names, json!([page["total"], page["has_more"]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_shown_once_and_listed_with_a_hint() {
    let (server, _hand, rest) = ada().await;
    for path in ROUTES {
        let answer = rest.post(path, &json!({"name": "plain", "colour": "red"})).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
        let key = answer.json();
        let expected = json!({
            "api_key_id": key["api_key_id"], "key": key["key"], "name": "plain", "scopes": DEFAULT_SCOPES,
            "created_at": "2027-01-15T08:00:00Z",
        });
        assert_eq!(key, expected);
        let secret = key["key"].as_str().unwrap();
        assert!(secret.starts_with("memsync_sk_live_"), "{secret}");
        assert!(id_of(&key).starts_with("key_"), "{key}");
        let hint = format!("{}…{}", &secret[..20], &secret[secret.len() - 4..]);
        let expected = json!({
            "api_key_id": key["api_key_id"], "name": "plain", "key_hint": hint, "scopes": DEFAULT_SCOPES,
            "status": "active", "created_at": "2027-01-15T08:00:00Z",
        });
        assert_eq!(listed(&rest, id_of(&key)).await, expected);
        let list = rest.get(path).await.ok();
        assert!(!list.to_string().contains(secret), "{list}");
        with_key(&server, &key).get("/v1/memories").await.ok();
    }

    let bounds = json!({
        "name": "bounded", "scopes": ["usage:read", "memories:read"], "expires_in": 60, "rate_limit_per_minute": 30,
        "allowed_user_ids": ["p1"], "allowed_ips": ["127.0.0.1", "10.0.0.0/8"],
    });
    let key = create(&rest, &bounds).await;
    let expected = json!({
        "api_key_id": key["api_key_id"], "key": key["key"], "name": "bounded",
        "scopes": ["memories:read", "usage:read"],
        "created_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T08:01:00Z",
    });
    assert_eq!(key, expected);
    let row = listed(&rest, id_of(&key)).await;
    let expected = json!({
        "api_key_id": key["api_key_id"], "name": "bounded", "key_hint": row["key_hint"],
        "scopes": ["memories:read", "usage:read"], "status": "active", "created_at": "2027-01-15T08:00:00Z",
        "expires_at": "2027-01-15T08:01:00Z", "rate_limit_per_minute": 30, "allowed_user_ids": ["p1"],
        "allowed_ips": ["127.0.0.1/32", "10.0.0.0/8"],
    });
    assert_eq!(row, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_managed_over_grpc_as_over_rest() {
    let (server, hand, _) = ada().await;
    let token = format!("Bearer {}", server.sign_in("ada@example.com").await.access_token);
    let mut client = server.auth(&[("authorization", &token)]);
    let new = pb::CreateApiKeyRequest {
        name: "first".to_owned(),
        scopes: vec!["memories:read".to_owned()],
        expires_in: Some(60),
        ..Default::default()
    };
    let now = Some(prost_types::Timestamp {
        seconds: hand.unix(),
        nanos: 0,
    });
    let end = Some(prost_types::Timestamp {
        seconds: hand.unix() + 60,
        nanos: 0,
    });
    let created = client.create_api_key(new).await.unwrap().into_inner();
    let expected = pb::CreateApiKeyResponse {
        name: "first".to_owned(),
        scopes: vec!["memories:read".to_owned()],
        created_at: now,
        expires_at: end,
        ..created.clone()
    };
    assert_eq!(created, expected);
    let list = pb::ListApiKeysRequest::default();
    let list = client.list_api_keys(list).await.unwrap().into_inner();
    let row = pb::ApiKey {
        api_key_id: created.api_key_id.clone(),
        name: "first".to_owned(),
        key_hint: list.api_keys[0].key_hint.clone(),
        scopes: vec!["memories:read".to_owned()],
        status: pb::ApiKeyStatus::Active.into(),
        last_used: None,
        created_at: now,
        expires_at: end,
        rate_limit_per_minute: None,
        allowed_user_ids: Vec::new(),
        allowed_ips: Vec::new(),
    };
    let expected = pb::ListApiKeysResponse {
        api_keys: vec![row.clone()],
        total: 1,
        has_more: false,
    };
    assert_eq!(list, expected);
    let change = pb::UpdateApiKeyRequest {
        api_key_id: created.api_key_id.clone(),
        name: Some("renamed".to_owned()),
        rate_limit_per_minute: Some(5),
        ..Default::default()
    };
    let changed = client.update_api_key(change).await.unwrap().into_inner();
    let expected = pb::ApiKey {
        name: "renamed".to_owned(),
        rate_limit_per_minute: Some(5),
        ..row
    };
    assert_eq!(changed.api_key, Some(expected));
    let rotation = pb::RotateApiKeyRequest {
        api_key_id: created.api_key_id.clone(),
        grace_period: None,
    };
    let rotated = client.rotate_api_key(rotation).await.unwrap().into_inner();
    assert_ne!((&rotated.api_key_id, &rotated.key), (&created.api_key_id, &created.key));
    assert_eq!((rotated.name.as_str(), rotated.expires_at), ("renamed", end));
    assert_unauthenticated(&server.rest(&created.key).get("/v1/memories").await);
    server.rest(&rotated.key).get("/v1/memories").await.ok();
    let deletion = pb::DeleteApiKeyRequest {
        api_key_id: rotated.api_key_id.clone(),
    };
    let deleted = client.delete_api_key(deletion).await.unwrap().into_inner();
    let expected = pb::DeleteApiKeyResponse {
        success: true,
        api_key_id: rotated.api_key_id,
        deleted_at: now,
    };
    assert_eq!(deleted, expected);
    assert_unauthenticated(&server.rest(&rotated.key).get("/v1/memories").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_by_status_and_paged_newest_first() {
    let (server, hand, rest) = ada().await;
    let other = server.register("grace@example.com").await;
    create(&server.bearer(&other.access_token), &json!({"name": "grace's"})).await;
    assert_eq!(page(&rest, "").await, (Vec::new(), json!([0, false])));
    for name in ["a", "b", "c"] {
        create(&rest, &json!({"name": name})).await;
        hand.forward(1);
    }
    create(&rest, &json!({"name": "short", "expires_in": 5})).await;
    let gone = create(&rest, &json!({"name": "gone", "expires_in": 5})).await;
    rest.delete(&format!("/v1/api-keys/{}", id_of(&gone))).await.ok();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        page(&rest, "status=active").await,
        (names(&["short", "c", "b", "a"]), json!([4, false]))
    );
    assert_eq!(page(&rest, "status=expired").await, (Vec::new(), json!([0, false])));
    hand.forward(5);
    for (query, expected, counts) in [
        ("", names(&["gone", "short", "c", "b", "a"]), json!([5, false])),
        ("status=active", names(&["c", "b", "a"]), json!([3, false])),
        ("status=expired", names(&["short"]), json!([1, false])),
        ("status=revoked", names(&["gone"]), json!([1, false])),
        ("status=active&limit=2", names(&["c", "b"]), json!([3, true])),
        ("status=active&limit=2&offset=2", names(&["a"]), json!([3, false])),
        ("status=active&limit=3", names(&["c", "b", "a"]), json!([3, false])),
        ("limit=1&offset=3", names(&["b"]), json!([5, true])),
        ("offset=5", Vec::new(), json!([5, false])),
        ("offset=2147483647", Vec::new(), json!([5, false])),
    ] {
        assert_eq!(page(&rest, query).await, (expected, counts), "{query}");
    }
    let unprefixed = rest.get("/api-keys?status=revoked").await.ok();
    assert_eq!(unprefixed["api_keys"][0]["status"], "revoked");
    for query in ["limit=0", "limit=101", "offset=-1", "status=lost", "limit=many"] {
        let field = query.split('=').next().unwrap();
        for path in ROUTES {
            let details = rest
                .get(&format!("{path}?{query}"))
                .await
                .failure(400, "VALIDATION_ERROR");
            assert_eq!(details["field"], field, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_used_says_when_to_the_minute() {
    let (server, hand, rest) = ada().await;
    let key = create(&rest, &json!({"name": "k"})).await;
    assert_eq!(listed(&rest, id_of(&key)).await.get("last_used"), None);
    hand.forward(3661);
    with_key(&server, &key).get("/v1/memories").await.ok();
    hand.forward(1000);
    assert_eq!(listed(&rest, id_of(&key)).await["last_used"], "2027-01-15T09:01:00Z");
    // Also from the database, once the counts are written.
    rest.get("/v1/usage").await.ok();
    assert_eq!(listed(&rest, id_of(&key)).await["last_used"], "2027-01-15T09:01:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_secret_and_counts_at_once() {
    let (server, _hand, rest) = ada().await;
    for path in ROUTES {
        let key = create(&rest, &json!({"name": "k"})).await;
        let client = with_key(&server, &key);
        client.get("/v1/memories").await.ok();
        let path = format!("{path}/{}", id_of(&key));
        let before = listed(&rest, id_of(&key)).await;
        let change = json!({"name": "renamed", "scopes": ["profile:read"], "rate_limit_per_minute": 7});
        let answer = rest.patch(&path, &change).await.ok();
        let mut expected = before.clone();
        expected["name"] = "renamed".into();
        expected["scopes"] = json!(["profile:read"]);
        expected["rate_limit_per_minute"] = 7.into();
        assert_eq!(answer, expected);
        assert_eq!(listed(&rest, id_of(&key)).await, expected);
        let refused = client.get("/v1/memories").await;
        assert_eq!(
            refused.failure(403, "PERMISSION_DENIED"),
            json!({"required_scope": "memories:read"})
        );
        assert_eq!(refused.header("x-ratelimit-limit"), Some("7"));

        let unlimited = rest.patch(&path, &json!({"rate_limit_per_minute": 0})).await.ok();
        assert_eq!(unlimited.get("rate_limit_per_minute"), None);
        assert_eq!(
            (&unlimited["name"], &unlimited["scopes"]),
            (&expected["name"], &expected["scopes"])
        );
        let nothing = rest.patch(&path, &json!({})).await.ok();
        let last_used = |mut row: Value| {
            row["last_used"].take();
            row
        };
        assert_eq!(last_used(nothing), last_used(unlimited));
        let bad = json!({"name": "", "scopes": ["all"], "rate_limit_per_minute": -1});
        let details = rest.patch(&path, &bad).await.failure(400, "VALIDATION_ERROR");
        assert_eq!(details["violations"].as_array().unwrap().len(), 3, "{details}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_is_dead_at_once_and_absent_ever_after() {
    let (server, _hand, rest) = ada().await;
    for path in ROUTES {
        let key = create(&rest, &json!({"name": "k", "scopes": ["keys:write", "memories:read"]})).await;
        let other = create(
            &rest,
            &json!({"name": "other", "scopes": ["keys:write", "memories:read"]}),
        )
        .await;
        let client = with_key(&server, &key);
        client.get("/v1/memories").await.ok();
        let path = format!("{path}/{}", id_of(&key));

        let own = client.delete(&path).await;
        assert_eq!(own.failure(403, "CANNOT_DELETE_ACTIVE_KEY"), json!({}));
        client.get("/v1/memories").await.ok();

        let wider = with_key(&server, &other).delete(&path).await.ok();
        assert_eq!(
            wider,
            json!({"success": true, "api_key_id": id_of(&key), "deleted_at": "2027-01-15T08:00:00Z"})
        );
        assert_unauthenticated(&client.get("/v1/memories").await);
        let row = listed(&rest, id_of(&key)).await;
        assert_eq!(row["status"], "revoked");
        assert_eq!(rest.delete(&path).await.failure(404, "API_KEY_NOT_FOUND"), json!({}));
        for (verb, path) in [("PATCH", path.clone()), ("POST", format!("{path}/rotate"))] {
            let answer = rest.call(verb, &path, &json!({})).await;
            assert_eq!(answer.failure(404, "API_KEY_NOT_FOUND"), json!({}), "{verb}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_operator_revokes_is_dead_at_once() {
    let (server, _hand, rest) = ada().await;
    let key = create(&rest, &json!({"name": "k"})).await;
    with_key(&server, &key).get("/v1/memories").await.ok();
    let id = ApiKeyId::from_stored(id_of(&key));
    server.running.app.auth.revoke_api_key(&id).await.unwrap();
    assert_unauthenticated(&with_key(&server, &key).get("/v1/memories").await);
}
