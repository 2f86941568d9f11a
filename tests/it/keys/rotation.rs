//! A key in place of an old one, which lives on for a while.

use serde_json::json;

use super::{ROUTES, ada, assert_unauthenticated, create, id_of, listed, with_key};

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_works_on_until_its_grace_period_ends() {
    let (server, hand, rest) = ada().await;
    for path in ROUTES {
        let bounds = json!({
            "name": "k", "scopes": ["memories:read"], "rate_limit_per_minute": 50, "allowed_user_ids": ["p1"],
            "allowed_ips": ["127.0.0.0/8"], "expires_in": 86_400,
        });
        let old = create(&rest, &bounds).await;
        hand.forward(100);
        let old_client = with_key(&server, &old).with("x-user-id", "p1");
        old_client.get("/v1/memories").await.ok();
        let path = format!("{path}/{}/rotate", id_of(&old));
        let answer = rest.post(&path, &json!({"grace_period": 60})).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
        let new = answer.json();
        let created = hand.now();
        let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let expected = json!({
            "api_key_id": new["api_key_id"], "key": new["key"], "name": "k", "scopes": ["memories:read"],
            "created_at": time(created), "expires_at": time(created + chrono::TimeDelta::seconds(86_400)),
        });
        assert_eq!(new, expected);
        assert_ne!(new["key"], old["key"]);
        let row = listed(&rest, id_of(&new)).await;
        assert_eq!(
            json!([
                row["rate_limit_per_minute"],
                row["allowed_user_ids"],
                row["allowed_ips"]
            ]),
            json!([50, ["p1"], ["127.0.0.0/8"]])
        );
        assert_eq!(row.get("last_used"), None, "the new key was never used");

        let new_client = with_key(&server, &new).with("x-user-id", "p1");
        hand.forward(59);
        old_client.get("/v1/memories").await.ok();
        new_client.get("/v1/memories").await.ok();
        hand.forward(1);
        assert_unauthenticated(&old_client.get("/v1/memories").await);
        new_client.get("/v1/memories").await.ok();
        assert_eq!(listed(&rest, id_of(&old)).await["status"], "expired");

        // Without a grace period the old one is dead at once, and so is whoever rotates it again.
        let path = format!("/v1/api-keys/{}/rotate", id_of(&new));
        let last = rest.post(&path, &json!({})).await;
        assert_eq!(last.status.as_u16(), 201);
        assert_unauthenticated(&new_client.get("/v1/memories").await);
        assert_eq!(listed(&rest, id_of(&new)).await["status"], "revoked");
        rest.post(&path, &json!({})).await.failure(404, "API_KEY_NOT_FOUND");
        let details = rest.post(&path, &json!({"grace_period": 604_801})).await;
        assert_eq!(details.failure(400, "VALIDATION_ERROR")["field"], "grace_period");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_period_never_lengthens_the_life_of_the_old_key() {
    let (server, hand, rest) = ada().await;
    let old = create(&rest, &json!({"name": "k", "expires_in": 10})).await;
    let path = format!("/v1/api-keys/{}/rotate", id_of(&old));
    let new = rest.post(&path, &json!({"grace_period": 604_800})).await.json();
    hand.forward(10);
    assert_unauthenticated(&with_key(&server, &old).get("/v1/memories").await);
    assert_eq!(new["expires_at"], "2027-01-15T08:00:10Z");
    assert_unauthenticated(&with_key(&server, &new).get("/v1/memories").await);
}
