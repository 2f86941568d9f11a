//! No key makes or changes a key, itself included, to more than itself.

use serde_json::{Value, json};

use super::{ada, create, id_of, listed, with_key};

/// A key that manages keys and is bounded in every way.
fn bounded() -> Value {
    json!({
        "name": "bounded", "scopes": ["memories:read", "keys:read", "keys:write"], "expires_in": 1000,
        "rate_limit_per_minute": 1000, "allowed_user_ids": ["p1", "p2"], "allowed_ips": ["127.0.0.0/8"],
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_never_more_than_the_key_that_makes_it() {
    let (server, hand, rest) = ada().await;
    let maker = create(&rest, &bounded()).await;
    let client = with_key(&server, &maker).with("x-user-id", "p1");
    hand.forward(100);

    for scope in ["memories:write", "profile:read", "usage:read", "integrations:write"] {
        let body = with(json!({"name": "more"}), "scopes", json!(["memories:read", scope]));
        let details = client
            .post("/v1/api-keys", &body)
            .await
            .failure(403, "PERMISSION_DENIED");
        assert_eq!(details, json!({"required_scope": scope}));
    }
    let default = client.post("/v1/api-keys", &json!({"name": "default"})).await;
    assert_eq!(
        default.failure(403, "PERMISSION_DENIED"),
        json!({"required_scope": "memories:write"})
    );
    let base = json!({"name": "more", "scopes": ["memories:read"]});
    for (name, value) in [
        ("allowed_user_ids", json!(["p3"])),
        ("allowed_user_ids", json!(["p1", "p3"])),
        ("allowed_ips", json!(["0.0.0.0/0"])),
        ("allowed_ips", json!(["127.0.0.0/7"])),
        ("allowed_ips", json!(["127.0.0.1", "::/0"])),
        ("rate_limit_per_minute", json!(1001)),
        ("expires_in", json!(901)),
        ("expires_in", json!(31_536_000)),
    ] {
        let body = with(base.clone(), name, value);
        let refused = client.post("/v1/api-keys", &body).await;
        assert_eq!(refused.failure(403, "PERMISSION_DENIED"), json!({}), "{body}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(name), "{refused:?}");
    }
    let keys = rest.get("/v1/api-keys").await.ok();
    assert_eq!(keys["total"], 1, "no refused key was made");

    let heir = create(&client, &base).await;
    assert_eq!(heir["expires_at"], maker["expires_at"]);
    let row = listed(&rest, id_of(&heir)).await;
    assert_eq!(
        json!([
            row["rate_limit_per_minute"],
            row["allowed_user_ids"],
            row["allowed_ips"]
        ]),
        json!([1000, ["p1", "p2"], ["127.0.0.0/8"]]),
        "what a new key is not told, it inherits"
    );
    let less = json!({
        "name": "less", "scopes": ["memories:read"], "expires_in": 900, "rate_limit_per_minute": 1,
        "allowed_user_ids": ["p2"], "allowed_ips": ["127.0.0.1"],
    });
    create(&client, &less).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_changed_to_more_than_the_key_that_changes_it() {
    let (server, _hand, rest) = ada().await;
    let maker = create(&rest, &bounded()).await;
    let client = with_key(&server, &maker);
    let heir = create(&client, &json!({"name": "heir", "scopes": ["memories:read"]})).await;
    for id in [id_of(&maker), id_of(&heir)] {
        let path = format!("/v1/api-keys/{id}");
        let before = listed(&rest, id).await;
        let more = json!({"scopes": ["memories:read", "memories:write"]});
        let details = client.patch(&path, &more).await.failure(403, "PERMISSION_DENIED");
        assert_eq!(details, json!({"required_scope": "memories:write"}));
        for limit in [0, 1001, 1_000_000] {
            let answer = client.patch(&path, &json!({"rate_limit_per_minute": limit})).await;
            assert_eq!(answer.failure(403, "PERMISSION_DENIED"), json!({}), "{limit}");
        }
        let mut after = listed(&rest, id).await;
        after["last_used"] = before["last_used"].clone();
        let mut before = before;
        before["last_used"] = after["last_used"].clone();
        assert_eq!(after, before, "a refused change changes nothing");
        // What no change can move is no way around the bounds either.
        let moved = json!({"allowed_user_ids": [], "allowed_ips": [], "expires_in": 31_536_000, "name": "n"});
        let answer = client.patch(&path, &moved).await.ok();
        for name in ["allowed_user_ids", "allowed_ips", "expires_at"] {
            assert_eq!(answer[name], before[name], "{name}");
        }
    }
    client
        .patch(
            &format!("/v1/api-keys/{}", id_of(&heir)),
            &json!({"rate_limit_per_minute": 1}),
        )
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_touches_no_key_that_is_more_than_itself() {
    let (server, _hand, rest) = ada().await;
    let client = with_key(&server, &create(&rest, &bounded()).await);
    let base = json!({
        "name": "target", "scopes": ["memories:read"], "expires_in": 1000, "rate_limit_per_minute": 10,
        "allowed_user_ids": ["p1"], "allowed_ips": ["127.0.0.1"],
    });
    for (name, value) in [
        ("scopes", json!(["memories:write"])),
        ("expires_in", json!(1001)),
        ("expires_in", Value::Null),
        ("rate_limit_per_minute", json!(1001)),
        ("rate_limit_per_minute", Value::Null),
        ("allowed_user_ids", json!([])),
        ("allowed_user_ids", json!(["p3"])),
        ("allowed_ips", json!([])),
        ("allowed_ips", json!(["10.0.0.1"])),
    ] {
        let target = create(&rest, &with(base.clone(), name, value.clone())).await;
        let path = format!("/v1/api-keys/{}", id_of(&target));
        for (verb, path) in [
            ("PATCH", path.clone()),
            ("POST", format!("{path}/rotate")),
            ("DELETE", path.clone()),
        ] {
            let answer = client.call(verb, &path, &json!({"name": "mine"})).await;
            answer.failure(403, "PERMISSION_DENIED");
        }
        let row = listed(&rest, id_of(&target)).await;
        assert_eq!((&row["name"], &row["status"]), (&json!("target"), &json!("active")));
        let narrowed = json!({"scopes": ["memories:read"], "rate_limit_per_minute": 1});
        client.patch(&path, &narrowed).await.failure(403, "PERMISSION_DENIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_rotates_itself_outlives_itself_by_nothing() {
    let (server, hand, rest) = ada().await;
    let maker = create(&rest, &bounded()).await;
    let client = with_key(&server, &maker);
    hand.forward(500);
    let path = format!("/v1/api-keys/{}/rotate", id_of(&maker));
    let answer = client.post(&path, &json!({"grace_period": 604_800})).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let rotated = answer.json();
    assert_eq!(rotated["expires_at"], maker["expires_at"]);
    let (old, new) = (listed(&rest, id_of(&maker)).await, listed(&rest, id_of(&rotated)).await);
    for name in [
        "name",
        "scopes",
        "expires_at",
        "rate_limit_per_minute",
        "allowed_user_ids",
        "allowed_ips",
    ] {
        assert_eq!(old[name], new[name], "{name}");
    }
    hand.forward(500);
    for key in [&maker, &rotated] {
        super::assert_unauthenticated(&with_key(&server, key).get("/v1/api-keys").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_key_with_the_scope_manages_keys() {
    let (server, _hand, rest) = ada().await;
    let reader = create(&rest, &json!({"name": "r", "scopes": ["keys:read"]})).await;
    let client = with_key(&server, &reader);
    client.get("/v1/api-keys").await.ok();
    let path = format!("/v1/api-keys/{}", id_of(&reader));
    for (verb, path) in [
        ("POST", "/v1/api-keys".to_owned()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/rotate")),
    ] {
        let answer = client.call(verb, &path, &json!({"name": "n"})).await;
        assert_eq!(
            answer.failure(403, "PERMISSION_DENIED"),
            json!({"required_scope": "keys:write"}),
            "{verb} {path}"
        );
    }
}
