//! Every way in which credentials are bad.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use memsync::model::Scope;
use memsync::services::Secret;
use serde_json::{Value, json};

use crate::support::TestServer;

/// What the server signs with, so that a test can forge as well as anybody who knew it.
pub const JWT_SECRET: &str = "the secret of the access tests, 32 bytes and more";

/// Who comes, and with which headers.
pub type Bad = (&'static str, Vec<(&'static str, String)>);

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

fn unsigned(claims: &Value, algorithm: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"alg": algorithm, "typ": "JWT"})), part(claims))
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut changed = claims.clone();
    changed[name] = value;
    changed
}

/// Tokens that no RPC takes. Each but the first few differs in one thing from one that works.
async fn bad_tokens(server: &TestServer) -> Vec<(&'static str, String)> {
    let person = server.register("ada@example.com").await;
    let other = server.register("grace@example.com").await;
    let ended = server.sign_in("ada@example.com").await;
    let session = server.bearer(&ended.access_token);
    session.post("/v1/auth/logout", &json!({})).await.ok();
    let claims = claims(&person.access_token);
    let past = claims["iat"].as_i64().unwrap() - 1;
    let ours = |claims: &Value| signed(claims, Algorithm::HS256, JWT_SECRET);
    server.bearer(&ours(&claims)).get("/v1/auth/me").await.ok();
    let mut tampered = person.access_token.clone().into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    vec![
        ("no token", String::new()),
        ("garbage as token", "nonsense".to_owned()),
        ("three dots as token", "...".to_owned()),
        ("a refresh token as access token", person.refresh_token.clone()),
        ("an expired token", ours(&with(&claims, "exp", past.into()))),
        ("a token that says alg none", unsigned(&claims, "none")),
        ("a token that says alg None", unsigned(&claims, "None")),
        ("a token without its signature", unsigned(&claims, "HS256")),
        (
            "a token signed with a wrong secret",
            signed(&claims, Algorithm::HS256, "another secret of thirty-two bytes, or more"),
        ),
        (
            "a token signed with an empty secret",
            signed(&claims, Algorithm::HS256, ""),
        ),
        (
            "a token of another algorithm",
            signed(&claims, Algorithm::HS512, JWT_SECRET),
        ),
        ("a token that was changed", String::from_utf8(tampered).unwrap()),
        (
            "a token for another audience",
            ours(&with(&claims, "aud", "other".into())),
        ),
        ("a token of another issuer", ours(&with(&claims, "iss", "other".into()))),
        ("a token of no session", ours(&with(&claims, "sid", "sess_none".into()))),
        (
            "a token of another account's session",
            ours(&with(&claims, "sub", other.user_id.into())),
        ),
        (
            "a person's token that says it is a program's",
            ours(&with(&claims, "scope", "memories:read".into())),
        ),
        ("a token of a session that ended", ended.access_token),
    ]
}

async fn bad_keys(server: &TestServer) -> Vec<(&'static str, String)> {
    let all = Scope::ALL.map(|scope| scope.as_str());
    let revoked = server.create_key("ada@example.com", &all).await;
    server.rest(&revoked.secret).get("/v1/auth/me").await.ok();
    server.running.app.auth.revoke_api_key(&revoked.id).await.unwrap();
    let expired = server
        .create_expiring_key("ada@example.com", &all, Some(Duration::ZERO))
        .await;
    vec![
        ("no key", String::new()),
        ("a malformed key", "nonsense".to_owned()),
        ("a key cut short", revoked.secret[..40].to_owned()),
        ("an unknown key", Secret::api_key().unwrap().expose().to_owned()),
        ("a revoked key", revoked.secret),
        ("an expired key", expired.secret),
    ]
}

pub async fn bad_credentials(server: &TestServer) -> Vec<Bad> {
    let tokens = bad_tokens(server).await;
    let keys = bad_keys(server).await;
    let good_token = server.sign_in("ada@example.com").await.access_token;
    let all = Scope::ALL.map(|scope| scope.as_str());
    let good_key = server.create_key("ada@example.com", &all).await.secret;
    server.bearer(&good_token).get("/v1/auth/me").await.ok();
    server.rest(&good_key).get("/v1/auth/me").await.ok();
    let mut all: Vec<Bad> = vec![
        ("nobody", Vec::new()),
        ("a key by Basic", vec![("authorization", format!("Basic {good_key}"))]),
        ("a key without a scheme", vec![("authorization", good_key)]),
        ("a token as key", vec![("x-api-key", good_token.clone())]),
        ("a token without a scheme", vec![("authorization", good_token.clone())]),
        ("a token as cookie", vec![("cookie", format!("session={good_token}"))]),
        (
            "a bad key beside a good token",
            vec![
                ("x-api-key", "nonsense".to_owned()),
                ("authorization", format!("Bearer {good_token}")),
            ],
        ),
    ];
    let bearer = |(who, token): (&'static str, String)| (who, vec![("authorization", format!("Bearer {token}"))]);
    all.extend(tokens.into_iter().map(bearer));
    for (who, key) in keys {
        all.push((who, vec![("authorization", format!("Bearer {key}"))]));
        all.push((who, vec![("x-api-key", key)]));
    }
    all
}
