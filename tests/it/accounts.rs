//! Accounts and the sessions of the people behind them.

mod audit;
mod sessions;

use std::collections::BTreeSet;

use memsync::model::Clock;
use memsync::proto::v1::{self as pb};
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Answer, Hand, PASSWORD, Person, TestServer, conversation};

const NEXT_PASSWORD: &str = "ten white herons by the lake";

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    assert_eq!(answer.failure(401, "AUTHENTICATION_ERROR"), json!({}));
    assert_eq!(answer.json()["detail"], "Invalid authentication credentials");
}

/// Checks that these are tokens of this account, all of the answer; the person.
#[track_caller]
fn assert_tokens(answer: &Value, email: &str) -> Person {
    let person = Person::from_tokens(answer);
    let expected = json!({
        "user_id": person.user_id,
        "email": email,
        "access_token": person.access_token,
        "refresh_token": person.refresh_token,
        "expires_in": 900,
        "token_type": "Bearer",
    });
    assert_eq!(answer, &expected);
    assert!(person.user_id.starts_with("user_"), "{answer}");
    assert_eq!(person.access_token.split('.').count(), 3, "{answer}");
    assert!(person.refresh_token.starts_with("memsync_rt_"), "{answer}");
    person
}

/// The fields that a failure blames.
#[track_caller]
fn blamed(answer: &Answer) -> BTreeSet<String> {
    let details = answer.failure(400, "VALIDATION_ERROR");
    let violations = details["violations"].as_array().unwrap();
    assert_eq!(details["field"], violations[0]["field"], "{details}");
    assert_eq!(details["reason"], violations[0]["reason"], "{details}");
    let fields = violations.iter().map(|v| v["field"].as_str().unwrap().to_owned());
    fields.collect()
}

async fn register(server: &TestServer, body: &Value) -> Answer {
    server.anonymous().post("/v1/auth/register", body).await
}

/// A failure without what every answer makes anew.
fn without_new(answer: &Answer) -> Value {
    let mut body = answer.json();
    for name in ["timestamp", "request_id"] {
        assert!(body[name].take().is_string(), "{name}");
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_is_signed_in_with_an_account_of_their_own() {
    let server = TestServer::start().await;
    let body = json!({"email": " Ada@Example.COM ", "password": PASSWORD, "name": "Ada Lovelace", "more": 1});
    let answer = register(&server, &body).await;
    assert_eq!(answer.status.as_u16(), 201);
    let ada = assert_tokens(&answer.json(), "ada@example.com");
    let rest = server.bearer(&ada.access_token);
    let me = rest.get("/v1/auth/me").await.ok();
    let expected = json!({
        "user_id": ada.user_id,
        "email": "ada@example.com",
        "auth_method": "jwt",
        "scopes": [
            "memories:read", "memories:write", "profile:read", "profile:write", "integrations:read",
            "integrations:write", "usage:read", "keys:read", "keys:write",
        ],
        "rate_limits": {"requests_per_minute": 0, "searches_per_minute": 0, "integrations_per_minute": 0},
    });
    assert_eq!(me, expected);
    rest.store(&conversation("t", &["I live in Oslo."])).await;
    assert_eq!(rest.list("").await.len(), 1);

    let request = pb::RegisterRequest {
        email: "grace@example.com".to_owned(),
        password: PASSWORD.to_owned(),
        name: None,
    };
    let grace = server.auth(&[]).register(request).await.unwrap().into_inner();
    assert_eq!(
        (grace.email.as_str(), grace.expires_in, grace.token_type.as_str()),
        ("grace@example.com", 900, "Bearer")
    );
    assert_ne!(grace.user_id, ada.user_id);
    assert!(server.bearer(&grace.access_token).list("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account_however_it_is_written() {
    let server = TestServer::start().await;
    server.register("ada@example.com").await;
    for email in ["ada@example.com", "ADA@example.com", " Ada@Example.com\t"] {
        let answer = register(&server, &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.failure(409, "EMAIL_TAKEN"), json!({}), "{email}");
        server.login(email, PASSWORD).await.ok();
    }
    assert_eq!(server.running.app.auth.list_accounts().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_register_one_address_at_one_time_one_gets_it() {
    let server = TestServer::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let (first, second) = tokio::join!(register(&server, &body), register(&server, &body));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let loser = if first.status.as_u16() == 409 { first } else { second };
    loser.failure(409, "EMAIL_TAKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_address_password_or_name_is_named_and_nothing_is_made() {
    let server = TestServer::start().await;
    let good = "ada@example.com";
    let long = "ab cd".repeat(52);
    let long_email = format!("{}@example.com", "a".repeat(250));
    let long_name = "n".repeat(129);
    for (email, password, name, fields) in [
        ("ada", PASSWORD, "Ada", vec!["email"]),
        ("", PASSWORD, "Ada", vec!["email"]),
        ("@example.com", PASSWORD, "Ada", vec!["email"]),
        ("ada@", PASSWORD, "Ada", vec!["email"]),
        ("a da@example.com", PASSWORD, "Ada", vec!["email"]),
        ("ada@a@example.com", PASSWORD, "Ada", vec!["email"]),
        (&long_email, PASSWORD, "Ada", vec!["email"]),
        (good, "", "Ada", vec!["password"]),
        (good, "elevenchars", "Ada", vec!["password"]),
        (good, "Password1234", "Ada", vec!["password"]),
        (good, "qwertyuiop12", "Ada", vec!["password"]),
        (good, "ada@example.com", "Ada", vec!["password"]),
        (good, &long, "Ada", vec!["password"]),
        (good, PASSWORD, "", vec!["name"]),
        (good, PASSWORD, "a\u{7}b", vec!["name"]),
        (good, PASSWORD, &long_name, vec!["name"]),
        ("ada", "short", " ", vec!["email", "name", "password"]),
    ] {
        let body = json!({"email": email, "password": password, "name": name});
        let fields: BTreeSet<String> = fields.into_iter().map(str::to_owned).collect();
        assert_eq!(blamed(&register(&server, &body).await), fields, "{body}");
    }
    let nothing = register(&server, &json!({})).await;
    assert_eq!(
        blamed(&nothing),
        ["email", "password"].map(str::to_owned).into_iter().collect()
    );
    assert!(server.running.app.auth.list_accounts().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_registration_is_closed_nobody_registers_and_people_still_sign_in() {
    let server = TestServer::start().await;
    server.register("ada@example.com").await;
    let closed = |config: &mut memsync::config::Config| config.auth.is_registration_open = false;
    let server = server.restart_with(closed, Clock::system()).await;
    for email in ["grace@example.com", "ada@example.com", "no address"] {
        let answer = register(&server, &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.failure(403, "PERMISSION_DENIED"), json!({}), "{email}");
        assert_eq!(answer.json()["detail"], "Registration is closed");
    }
    server.sign_in("ada@example.com").await;
    assert_eq!(server.running.app.auth.list_accounts().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_and_a_wrong_password_hear_the_very_same() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let no_password = server.create_key("operator@example.com", &["memories:read"]).await;
    server.rest(&no_password.secret).get("/v1/memories").await.ok();

    let wrong = server.login("ada@example.com", "another password").await;
    assert_unauthenticated(&wrong);
    let wrong = without_new(&wrong);
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("operator@example.com", PASSWORD),
        ("operator@example.com", " "),
        ("no address", PASSWORD),
        ("ada@example.com", &PASSWORD[1..]),
        ("ada@example.com", &PASSWORD.to_uppercase()),
        ("ada@example.com", &format!("{PASSWORD} ")),
    ] {
        let answer = server.login(email, password).await;
        assert_unauthenticated(&answer);
        assert_eq!(without_new(&answer), wrong, "{email}");
    }
    let answer = server.login("ADA@example.com", PASSWORD).await.ok();
    let again = assert_tokens(&answer, "ada@example.com");
    assert_eq!(again.user_id, ada.user_id);
    assert_ne!(again.access_token, ada.access_token);
    server.bearer(&again.access_token).get("/v1/auth/me").await.ok();
    server.bearer(&ada.access_token).get("/v1/auth/me").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_failures_further_sign_ins_wait_with_the_right_password_too() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let emails = ["ada@example.com", "nobody@example.com"];
    server.register(emails[0]).await;
    server.register("grace@example.com").await;
    for email in emails {
        for _ in 0..10 {
            assert_unauthenticated(&server.login(email, "another password").await);
        }
        for email in [email.to_owned(), format!(" {}", email.to_uppercase())] {
            let refused = server.login(&email, PASSWORD).await;
            let details = refused.failure(429, "RATE_LIMIT_EXCEEDED");
            assert_eq!(details, json!({"limit": 10, "reset_time": details["reset_time"]}));
            assert_eq!(refused.json()["detail"], "Rate limit exceeded");
            assert_eq!(refused.json()["retry_after"], 1);
        }
        let request = pb::LoginRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let status = server.auth(&[]).login(request).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "RATE_LIMIT_EXCEEDED");
        assert_eq!(details.retry_info().unwrap().retry_delay.unwrap().as_secs(), 1);
    }
    server.sign_in("grace@example.com").await;

    hand.forward(1);
    assert_unauthenticated(&server.login(emails[0], "another password").await);
    let refused = server.login(emails[0], PASSWORD).await;
    refused.failure(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused.json()["retry_after"], 2, "each failure doubles the wait");
    hand.forward(2);
    server.sign_in(emails[0]).await;
    for _ in 0..9 {
        assert_unauthenticated(&server.login(emails[0], "another password").await);
    }
    server.sign_in(emails[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_names_the_second_at_which_it_ends() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    for _ in 0..10 {
        server.login("ada@example.com", PASSWORD).await;
    }
    let refused = server.login("ada@example.com", PASSWORD).await;
    let details = refused.failure(429, "RATE_LIMIT_EXCEEDED");
    let wait = refused.json()["retry_after"].as_i64().unwrap();
    assert_eq!(details["reset_time"], hand.unix() + wait);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deletes_their_account_leaves_nothing_and_gets_a_receipt() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let grace = server.register("grace@example.com").await;
    let other_session = server.sign_in("ada@example.com").await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let graces_key = server.create_key("grace@example.com", &["memories:read"]).await.secret;
    for person in [&ada, &grace] {
        let story = conversation("t", &["I live in Oslo.", "I love hiking."]);
        server.bearer(&person.access_token).store(&story).await;
    }
    server.rest(&key).get("/v1/memories").await.ok();
    let adas = server.bearer(&ada.access_token);

    let wrong = adas
        .call("DELETE", "/v1/auth/me", &json!({"password": "another"}))
        .await;
    assert_unauthenticated(&wrong);
    for body in [json!({}), json!({"password": ""})] {
        let missing = adas.call("DELETE", "/v1/auth/me", &body).await;
        assert_eq!(blamed(&missing), ["password".to_owned()].into());
    }
    assert_eq!(adas.list("").await.len(), 2, "it is all still there");

    let deleted = adas
        .call("DELETE", "/v1/auth/me", &json!({"password": PASSWORD}))
        .await
        .ok();
    assert_eq!(deleted, json!({"success": true, "receipt": deleted["receipt"]}));
    let receipts = &server.running.app.receipts;
    let receipt = receipts.verify(deleted["receipt"].as_str().unwrap()).unwrap();
    assert_eq!(receipt.sub, ada.user_id);
    assert_eq!(
        receipt.erased,
        json!({"accounts": 1, "persons": 1, "memories": 2, "api_keys": 1})
    );

    for rest in [adas, server.bearer(&other_session.access_token), server.rest(&key)] {
        assert_unauthenticated(&rest.get("/v1/memories").await);
        assert_unauthenticated(&rest.get("/v1/auth/me").await);
    }
    assert_unauthenticated(&server.refresh(&ada.refresh_token).await);
    assert_unauthenticated(&server.refresh(&other_session.refresh_token).await);
    assert_unauthenticated(&server.login("ada@example.com", PASSWORD).await);

    assert_eq!(server.bearer(&grace.access_token).list("").await.len(), 2);
    server.rest(&graces_key).get("/v1/memories").await.ok();
    server.sign_in("grace@example.com").await;
    let again = server.register("ada@example.com").await;
    assert_ne!(again.user_id, ada.user_id);
    let again = server.bearer(&again.access_token);
    assert!(again.list("").await.is_empty(), "a new account is empty");
    let events = again.get("/v1/audit-log").await.ok();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_database_holds_a_password_or_a_token() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let next = Person::from_tokens(&server.refresh(&ada.refresh_token).await.ok());
    let change = json!({"current_password": PASSWORD, "new_password": NEXT_PASSWORD});
    let session = server.bearer(&next.access_token);
    session.post("/v1/auth/password", &change).await.ok();
    server.login("ada@example.com", "a wrong guess at it").await;
    let random = |token: &str| token.rsplit('_').next().unwrap()[..20].to_owned();
    let signature = |token: &str| token.rsplit('.').next().unwrap()[..20].to_owned();
    let secrets = [
        PASSWORD.to_owned(),
        NEXT_PASSWORD.to_owned(),
        "a wrong guess at it".to_owned(),
        random(&ada.refresh_token),
        random(&next.refresh_token),
        signature(&ada.access_token),
        signature(&next.access_token),
    ];
    let mut saw_address = false;
    for entry in std::fs::read_dir(server.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        for secret in &secrets {
            assert!(!holds(secret), "{}: {secret}", path.display());
        }
        saw_address |= holds("ada@example.com");
    }
    assert!(saw_address, "the files that were read are those of the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_database_holds_anything_of_a_deleted_account() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    server.register("grace@example.com").await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await;
    let rest = server.bearer(&ada.access_token);
    rest.store(&conversation("t", &["I live in Velmora."])).await;
    server.login("ada@example.com", "another password").await;
    let refused = server.rest(&key.secret).post("/v1/memories", &json!({})).await;
    refused.failure(403, "PERMISSION_DENIED");
    rest.get("/v1/usage").await.ok();
    // Counted, and written after the account is gone.
    server.rest(&key.secret).get("/v1/memories").await.ok();
    server.rest(&key.secret).post("/v1/memories", &json!({})).await;
    let password = json!({"password": PASSWORD});
    rest.call("DELETE", "/v1/auth/me", &password).await.ok();
    server.running.stop().await.unwrap();
    let mut saw_other = false;
    for entry in std::fs::read_dir(server.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        for trace in ["ada@example.com", "Velmora", "velmora", &ada.user_id, key.id.as_str()] {
            assert!(!holds(trace), "{}: {trace}", path.display());
        }
        saw_other |= holds("grace@example.com");
    }
    assert!(saw_other, "the files that were read are those of the database");
}
