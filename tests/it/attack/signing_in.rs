//! Guessing at passwords, making accounts by the dozen, and what the answers to that give away.

use memsync::config::Config;
use memsync::proto::v1::{self as pb};
use serde_json::json;
use tonic::Code;

use crate::support::{Answer, Hand, PASSWORD, Rest, TestServer};

const ADA: &str = "ada@example.com";

/// A server behind a proxy, whose clients come from wherever they say.
async fn behind_proxy(change: impl FnOnce(&mut Config)) -> (TestServer, Hand) {
    let hand = Hand::new();
    let trusting = |config: &mut Config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        change(config);
    };
    (TestServer::start_with(trusting, hand.clock()).await, hand)
}

fn at(server: &TestServer, address: &str) -> Rest {
    server.anonymous().with("x-forwarded-for", address)
}

async fn sign_in(server: &TestServer, address: &str, password: &str) -> Answer {
    let body = json!({"email": ADA, "password": password});
    at(server, address).post("/v1/auth/login", &body).await
}

async fn register(server: &TestServer, address: &str, email: &str) -> Answer {
    let body = json!({"email": email, "password": PASSWORD});
    at(server, address).post("/v1/auth/register", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_from_everywhere_does_not_lock_out_an_owner_who_was_here_before() {
    let (server, _hand) = behind_proxy(|_| {}).await;
    let registered = register(&server, "198.51.100.7", ADA).await.json();
    sign_in(&server, "2001:db8:1:2::3", PASSWORD).await.ok();
    for guess in 0..100 {
        let answer = sign_in(&server, &format!("203.0.113.{guess}"), "a guess at the password").await;
        answer.failure(401, "AUTHENTICATION_ERROR");
    }

    // From places that are new, the right password waits like every other.
    for password in [PASSWORD, "a guess at the password"] {
        let refused = sign_in(&server, "192.0.2.1", password).await;
        let details = refused.failure(429, "RATE_LIMIT_EXCEEDED");
        assert_eq!(details["limit"], 100, "{details}");
    }
    for known in ["198.51.100.7", "2001:db8:1:2::3", "2001:db8:1:2:ffff::1"] {
        sign_in(&server, known, PASSWORD).await.ok();
    }
    // Nor do they hold up somebody with a session, wherever that is.
    let away = at(&server, "192.0.2.99");
    let session = away.with(
        "authorization",
        &format!("Bearer {}", registered["access_token"].as_str().unwrap()),
    );
    let change = json!({"current_password": "a wrong one", "new_password": "four blue kites above the dunes"});
    session
        .post("/v1/auth/password", &change)
        .await
        .failure(401, "AUTHENTICATION_ERROR");

    // A place that is known is no place to guess from.
    for _ in 0..10 {
        let wrong = sign_in(&server, "198.51.100.7", "a guess at the password").await;
        wrong.failure(401, "AUTHENTICATION_ERROR");
    }
    let refused = sign_in(&server, "198.51.100.7", "a guess at the password").await;
    assert_eq!(refused.failure(429, "RATE_LIMIT_EXCEEDED")["limit"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_remembers_its_last_twenty_places_also_after_a_new_start() {
    let (server, hand) = behind_proxy(|_| {}).await;
    register(&server, "198.51.100.1", ADA).await;
    for place in 1..=20 {
        hand.forward(1);
        sign_in(&server, &format!("192.0.2.{place}"), PASSWORD).await.ok();
    }
    let trusting = |config: &mut Config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let server = server.restart_with(trusting, hand.clock()).await;
    for guess in 0..100 {
        sign_in(&server, &format!("203.0.113.{guess}"), "a guess at the password").await;
    }
    sign_in(&server, "198.51.100.1", PASSWORD)
        .await
        .failure(429, "RATE_LIMIT_EXCEEDED");
    for known in ["192.0.2.1", "192.0.2.20"] {
        sign_in(&server, known, PASSWORD).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_writes_no_more_than_an_unknown_address_and_is_told_all_the_same() {
    let server = TestServer::start().await;
    let ada = server.register(ADA).await;
    let wrong = server.login(ADA, "a guess at the password").await;
    wrong.failure(401, "AUTHENTICATION_ERROR");
    let unknown = server.login("nobody@example.com", "a guess at the password").await;
    unknown.failure(401, "AUTHENTICATION_ERROR");
    assert_eq!(server.traces_of("session.refused"), 0, "the answer waited for a write");

    let events = server.bearer(&ada.access_token).get("/v1/audit-log").await.ok();
    let actions: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["action"])
        .collect();
    assert_eq!(actions, ["session.refused", "account.created"]);
    assert_eq!(events["events"][0]["actor"], ADA);
    assert_eq!(server.traces_of("nobody@example.com"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_makes_so_many_accounts_an_hour_and_everybody_together_so_many() {
    let (server, hand) = behind_proxy(|config| {
        config.limits.registrations_per_hour_per_address = 3;
        config.limits.registrations_per_hour = 5;
    })
    .await;
    // What could make no account does not count.
    for _ in 0..5 {
        register(&server, "203.0.113.1", "no address")
            .await
            .failure(400, "VALIDATION_ERROR");
    }
    for n in 0..2 {
        let made = register(&server, "203.0.113.1", &format!("a{n}@example.com")).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
    }
    // What tells who has an account does.
    register(&server, "203.0.113.1", "a0@example.com")
        .await
        .failure(409, "EMAIL_TAKEN");
    let refused = register(&server, "203.0.113.1", "a3@example.com").await;
    let details = refused.failure(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(details, json!({"limit": 3, "reset_time": hand.unix() + 1200}));
    assert_eq!(refused.json()["retry_after"], 1200);
    assert_eq!(refused.header("retry-after"), Some("1200"));

    for n in 0..2 {
        let made = register(&server, "203.0.113.2", &format!("b{n}@example.com")).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
    }
    let refused = register(&server, "203.0.113.3", "c@example.com").await;
    assert_eq!(refused.failure(429, "RATE_LIMIT_EXCEEDED")["limit"], 5);
    let request = pb::RegisterRequest {
        email: "c@example.com".to_owned(),
        password: PASSWORD.to_owned(),
        name: None,
    };
    let refused = server.auth(&[]).register(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(server.running.app.auth.list_accounts().await.unwrap().len(), 4);
    at(&server, "203.0.113.1")
        .post(
            "/v1/auth/login",
            &json!({"email": "a0@example.com", "password": PASSWORD}),
        )
        .await
        .ok();

    hand.forward(1200);
    let made = register(&server, "203.0.113.1", "a3@example.com").await;
    assert_eq!(made.status.as_u16(), 201, "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_accounts_get_an_address_no_more_requests() {
    let (server, hand) = behind_proxy(|config| config.limits.requests_per_minute_per_address = 6).await;
    let mut keys = Vec::new();
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        keys.push(server.create_key(email, &["memories:read"]).await.secret);
    }
    let from = |address: &str, key: &str| server.rest(key).with("x-forwarded-for", address);
    for key in &keys {
        from("203.0.113.1", key).get("/v1/memories").await.ok();
        from("203.0.113.1", "nonsense")
            .get("/v1/memories")
            .await
            .failure(401, "AUTHENTICATION_ERROR");
    }
    for key in &keys {
        let refused = from("203.0.113.1", key).get("/v1/memories").await;
        let details = refused.failure(429, "RATE_LIMIT_EXCEEDED");
        assert_eq!(details, json!({"limit": 6, "reset_time": hand.unix() + 10}));
        assert_eq!(refused.json()["retry_after"], 10);
        // Elsewhere, and on the server's own machine, they work.
        from("203.0.113.2", key).get("/v1/memories").await.ok();
        for _ in 0..7 {
            server.rest(key).get("/v1/memories").await.ok();
        }
    }
    let page = at(&server, "203.0.113.1").get("/oauth/authorize").await;
    assert_eq!(page.status.as_u16(), 429);
    at(&server, "203.0.113.1").get("/healthcheck").await.ok();
    hand.forward(10);
    from("203.0.113.1", &keys[0]).get("/v1/memories").await.ok();
}
