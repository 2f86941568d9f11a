//! How sessions go on and end.

use memsync::config::{Config, Hidden};
use memsync::model::Clock;
use serde_json::json;

use super::{NEXT_PASSWORD, assert_tokens, assert_unauthenticated, blamed};
use crate::support::{Hand, PASSWORD, Person, TestServer};

async fn assert_alive(server: &TestServer, person: &Person) {
    server.bearer(&person.access_token).get("/v1/auth/me").await.ok();
}

async fn assert_dead(server: &TestServer, person: &Person) {
    let rest = server.bearer(&person.access_token);
    assert_unauthenticated(&rest.get("/v1/auth/me").await);
    assert_unauthenticated(&rest.get("/v1/memories").await);
    assert_unauthenticated(&server.refresh(&person.refresh_token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_gives_a_new_pair_of_the_same_session() {
    let server = TestServer::start().await;
    let first = server.register("ada@example.com").await;
    let answer = server.refresh(&first.refresh_token).await.ok();
    let second = assert_tokens(&answer, "ada@example.com");
    assert_eq!(second.user_id, first.user_id);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.access_token, first.access_token);
    assert_alive(&server, &second).await;
    assert_alive(&server, &first).await;
    let third = Person::from_tokens(&server.refresh(&second.refresh_token).await.ok());
    assert_alive(&server, &third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_spent_twice_ends_its_session_and_no_other() {
    let server = TestServer::start().await;
    let first = server.register("ada@example.com").await;
    let other = server.sign_in("ada@example.com").await;
    let second = Person::from_tokens(&server.refresh(&first.refresh_token).await.ok());
    let third = Person::from_tokens(&server.refresh(&second.refresh_token).await.ok());
    assert_alive(&server, &third).await;
    assert_unauthenticated(&server.refresh(&first.refresh_token).await);
    for person in [&first, &second, &third] {
        assert_dead(&server, person).await;
    }
    assert_alive(&server, &other).await;
    server.refresh(&other.refresh_token).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_spend_one_refresh_token_at_one_time_at_most_one_gets_a_pair() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let spend = || server.refresh(&ada.refresh_token);
    let (first, second) = tokio::join!(spend(), spend());
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let winner = if first.status.is_success() { first } else { second };
    assert_dead(&server, &Person::from_tokens(&winner.ok())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_refresh_token_gets_nothing() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let (session, random) = ada.refresh_token.rsplit_once('_').unwrap();
    for bad in [
        "nonsense",
        "memsync_rt_",
        "memsync_rt_sess_none_abc",
        &ada.access_token,
        random,
    ] {
        assert_unauthenticated(&server.refresh(bad).await);
    }
    assert_alive(&server, &ada).await;
    for body in [json!({}), json!({"refresh_token": ""})] {
        let answer = server.anonymous().post("/v1/auth/refresh", &body).await;
        assert_eq!(blamed(&answer), ["refresh_token".to_owned()].into());
    }
    assert!(session.starts_with("memsync_rt_sess_"), "{session}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_never_given_out_ends_no_session() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    // What a session is called stands in the audit log, for every key that may read it.
    let (session, random) = ada.refresh_token.rsplit_once('_').unwrap();
    let guess: String = random.chars().rev().collect();
    assert_unauthenticated(&server.refresh(&format!("{session}_{guess}")).await);
    assert_alive(&server, &ada).await;
    server.refresh(&ada.refresh_token).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_by_reuse_is_told_in_the_audit_log() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let other = server.sign_in("ada@example.com").await;
    server.refresh(&ada.refresh_token).await.ok();
    assert_unauthenticated(&server.refresh(&ada.refresh_token).await);
    let log = server
        .bearer(&other.access_token)
        .get("/v1/audit-log?limit=1")
        .await
        .ok();
    let event = &log["events"][0];
    assert_eq!(
        (&event["action"], &event["actor"]),
        (&json!("session.reuse_detected"), &json!("ada@example.com"))
    );
    let (session, _) = ada.refresh_token.rsplit_once('_').unwrap();
    assert_eq!(format!("memsync_rt_{}", event["target"].as_str().unwrap()), session);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_is_out_at_once_and_only_there() {
    let server = TestServer::start().await;
    let here = server.register("ada@example.com").await;
    let there = server.sign_in("ada@example.com").await;
    assert_alive(&server, &here).await;
    let rest = server.bearer(&here.access_token);
    let answer = rest.post("/v1/auth/logout", &json!({})).await.ok();
    assert_eq!(answer, json!({"success": true}));
    assert_dead(&server, &here).await;
    assert_unauthenticated(&rest.post("/v1/auth/logout", &json!({})).await);
    assert_alive(&server, &there).await;
    server.refresh(&there.refresh_token).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_other_session_and_the_old_password() {
    let server = TestServer::start().await;
    let here = server.register("ada@example.com").await;
    let there = server.sign_in("ada@example.com").await;
    let grace = server.register("grace@example.com").await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    for person in [&here, &there] {
        assert_alive(&server, person).await;
    }
    let rest = server.bearer(&here.access_token);
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});

    let wrong = rest
        .post("/v1/auth/password", &change("another password", NEXT_PASSWORD))
        .await;
    assert_unauthenticated(&wrong);
    for (new, current, field) in [
        ("short", PASSWORD, "new_password"),
        ("Password1234", PASSWORD, "new_password"),
        ("ada@example.com", PASSWORD, "new_password"),
        (NEXT_PASSWORD, "", "current_password"),
    ] {
        let answer = rest.post("/v1/auth/password", &change(current, new)).await;
        assert_eq!(blamed(&answer), [field.to_owned()].into());
    }
    assert_alive(&server, &there).await;
    server.sign_in("ada@example.com").await;

    let answer = rest.post("/v1/auth/password", &change(PASSWORD, NEXT_PASSWORD)).await;
    assert_eq!(answer.ok(), json!({"success": true}));
    assert_dead(&server, &there).await;
    assert_alive(&server, &here).await;
    server.refresh(&here.refresh_token).await.ok();
    assert_unauthenticated(&server.login("ada@example.com", PASSWORD).await);
    server.login("ada@example.com", NEXT_PASSWORD).await.ok();
    server.rest(&key).get("/v1/memories").await.ok();
    assert_alive(&server, &grace).await;
    server.sign_in("grace@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_under_way_with_the_old_password_does_not_outlive_it() {
    let server = TestServer::start().await;
    let here = server.register("ada@example.com").await;
    let rest = server.bearer(&here.access_token);
    let change = json!({"current_password": PASSWORD, "new_password": NEXT_PASSWORD});
    let change = tokio::spawn(async move { rest.post("/v1/auth/password", &change).await.ok() });
    let mut under_way = Vec::new();
    while !change.is_finished() {
        let sign_in = || server.login("ada@example.com", PASSWORD);
        let answers = tokio::join!(sign_in(), sign_in(), sign_in());
        under_way.extend([answers.0, answers.1, answers.2]);
    }
    change.await.unwrap();
    for answer in under_way.iter().filter(|answer| answer.status.is_success()) {
        assert_dead(&server, &Person::from_tokens(&answer.ok())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_passwords_of_a_change_that_are_missing_are_named() {
    let server = TestServer::start().await;
    let ada = server.register("ada@example.com").await;
    let rest = server.bearer(&ada.access_token);
    let answer = rest.post("/v1/auth/password", &json!({})).await;
    assert_eq!(
        blamed(&answer),
        ["current_password", "new_password"].map(str::to_owned).into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_works_until_the_second_it_ends_and_the_session_goes_on() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let ada = server.register("ada@example.com").await;
    hand.forward(899);
    assert_alive(&server, &ada).await;
    hand.forward(1);
    assert_unauthenticated(&server.bearer(&ada.access_token).get("/v1/auth/me").await);
    let next = Person::from_tokens(&server.refresh(&ada.refresh_token).await.ok());
    assert_alive(&server, &next).await;

    // Every refresh starts the hour of the session anew.
    hand.forward(3599);
    let last = Person::from_tokens(&server.refresh(&next.refresh_token).await.ok());
    assert_alive(&server, &last).await;
    hand.forward(3600);
    assert_dead(&server, &last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_previous_secret_work_while_it_is_kept() {
    fn with(current: &'static str, previous: Option<&'static str>) -> impl Fn(&mut Config) {
        let hidden = |secret: &str| Hidden(secret.to_owned());
        move |config| {
            config.auth.jwt_secret = Some(hidden(current));
            config.auth.jwt_previous_secret = previous.map(hidden);
        }
    }
    const OLD: &str = "the old secret, of thirty-two bytes and more";
    const NEW: &str = "the new secret, of thirty-two bytes and more";
    let server = TestServer::start_with(with(OLD, None), Clock::system()).await;
    let old = server.register("ada@example.com").await;

    let server = server.restart_with(with(NEW, Some(OLD)), Clock::system()).await;
    assert_alive(&server, &old).await;
    let new = server.sign_in("ada@example.com").await;

    let server = server.restart_with(with(NEW, None), Clock::system()).await;
    assert_alive(&server, &new).await;
    assert_unauthenticated(&server.bearer(&old.access_token).get("/v1/auth/me").await);
    let next = Person::from_tokens(&server.refresh(&old.refresh_token).await.ok());
    assert_alive(&server, &next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_outlive_a_restart_and_their_end_does_too() {
    let server = TestServer::start().await;
    let kept = server.register("ada@example.com").await;
    let ended = server.sign_in("ada@example.com").await;
    let rest = server.bearer(&ended.access_token);
    rest.post("/v1/auth/logout", &json!({})).await.ok();
    let server = server.restart_with(|_| {}, Clock::system()).await;
    assert_alive(&server, &kept).await;
    assert_dead(&server, &ended).await;
}
