//! How often a key and an account may ask, and what every answer says of it.

use memsync::config::LimitsConfig;
use memsync::proto::v1::{self as pb};
use serde_json::json;
use tonic::Code;
use tonic::metadata::MetadataMap;
use tonic_types::StatusExt;

use super::{assert_unauthenticated, create, id_of, with_key};
use crate::support::{Answer, Hand, Rest, TestServer, conversation};

/// Limits of the account: all requests, and searches.
async fn server(requests: u32, searches: u32) -> (TestServer, Hand) {
    let hand = Hand::new();
    let limits = LimitsConfig {
        requests_per_minute: requests,
        searches_per_minute: searches,
        integrations_per_minute: 0,
        are_set: true,
        unauthenticated_per_minute: 0,
        max_memories_per_request: 5_000,
        max_memories_per_account: 0,
        max_memories_per_person: 0,
        requests_per_minute_per_address: 0,
        registrations_per_hour_per_address: 0,
        registrations_per_hour: 0,
    };
    let server = TestServer::start_with(|config| config.limits = limits, hand.clock()).await;
    (server, hand)
}

/// The headers: limit, remaining, reset.
#[track_caller]
fn shown(answer: &Answer) -> (u32, u32, i64) {
    let number = |name: &str| answer.header(name).unwrap_or_else(|| panic!("{name}: {answer:?}"));
    (
        number("x-ratelimit-limit").parse().unwrap(),
        number("x-ratelimit-remaining").parse().unwrap(),
        number("x-ratelimit-reset").parse().unwrap(),
    )
}

#[track_caller]
fn shown_metadata(metadata: &MetadataMap) -> (u32, u32, i64) {
    let text = |name: &str| metadata.get(name).unwrap().to_str().unwrap();
    (
        text("x-ratelimit-limit").parse().unwrap(),
        text("x-ratelimit-remaining").parse().unwrap(),
        text("x-ratelimit-reset").parse().unwrap(),
    )
}

/// Checks that this is the documented refusal.
#[track_caller]
fn assert_limited(answer: &Answer, limit: u32, wait: i64, hand: &Hand) {
    let details = answer.failure(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(details, json!({"limit": limit, "reset_time": hand.unix() + wait}));
    let body = answer.json();
    assert_eq!(
        (&body["detail"], &body["retry_after"]),
        (&json!("Rate limit exceeded"), &json!(wait))
    );
    assert_eq!(answer.header("retry-after"), Some(wait.to_string().as_str()));
    let (shown_limit, remaining, _) = shown(answer);
    assert_eq!((shown_limit, remaining), (limit, 0));
}

async fn get(rest: &Rest) -> Answer {
    rest.get("/v1/memories").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_authenticated_answer_says_what_is_left_until_nothing_is() {
    let (server, hand) = server(6, 0).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let rest = server.rest(&key);
    let now = hand.unix();
    let ok = get(&rest).await;
    ok.ok();
    let invalid = rest.get("/v1/memories?page=0").await;
    invalid.failure(400, "VALIDATION_ERROR");
    let forbidden = rest
        .post("/v1/memories", &conversation("t", &["I live in Oslo."]))
        .await;
    forbidden.failure(403, "PERMISSION_DENIED");
    let absent = rest.get("/v1/memories/mem_none").await;
    absent.failure(404, "MEMORY_NOT_FOUND");
    let unreadable = rest.post_bytes("/v1/memories/search", "garbage").await;
    unreadable.failure(400, "VALIDATION_ERROR");
    let me = rest.get("/v1/auth/me").await;
    me.ok();
    for (taken, answer) in [ok, invalid, forbidden, absent, unreadable, me].iter().enumerate() {
        let taken = u32::try_from(taken).unwrap() + 1;
        assert_eq!(shown(answer), (6, 6 - taken, now + 10 * i64::from(taken)), "{answer:?}");
    }
    let nobody = get(&server.rest("nonsense")).await;
    assert_unauthenticated(&nobody);
    assert_eq!(nobody.header("x-ratelimit-limit"), None);

    // What is refused takes nothing, whatever it asked for.
    for answer in [
        get(&rest).await,
        rest.post_bytes("/v1/memories/search", "garbage").await,
        rest.get("/v1/auth/me").await,
        rest.post("/v1/memories", &json!({})).await,
    ] {
        assert_limited(&answer, 6, 10, &hand);
        assert_eq!(shown(&answer).2, now + 60);
    }
    hand.forward(9);
    assert_limited(&get(&rest).await, 6, 1, &hand);
    hand.forward(1);
    get(&rest).await.ok();
    assert_limited(&get(&rest).await, 6, 10, &hand);
    hand.forward(600);
    assert_eq!(
        shown(&get(&rest).await),
        (6, 5, hand.unix() + 10),
        "no more than is allowed in a minute"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_says_the_same_in_metadata() {
    let (server, hand) = server(2, 0).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let mut client = server.memories(&[("x-api-key", &key)]);
    let now = hand.unix();
    let list = pb::ListMemoriesRequest::default();
    let answer = client.list_memories(list.clone()).await.unwrap();
    assert_eq!(shown_metadata(answer.metadata()), (2, 1, now + 30));
    let absent = pb::GetMemoryRequest {
        memory_id: "mem_none".to_owned(),
        user_id: None,
    };
    let status = client.get_memory(absent).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(shown_metadata(status.metadata()), (2, 0, now + 60));
    let status = client.list_memories(list).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::ResourceExhausted, "Rate limit exceeded")
    );
    assert_eq!(shown_metadata(status.metadata()), (2, 0, now + 60));
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("RATE_LIMIT_EXCEEDED", "memsync")
    );
    let expected = [("limit", "2".to_owned()), ("reset_time", (now + 30).to_string())];
    assert_eq!(
        info.metadata,
        expected.map(|(name, value)| (name.to_owned(), value)).into()
    );
    assert_eq!(details.retry_info().unwrap().retry_delay.unwrap().as_secs(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_and_sessions_of_an_account_share_its_allowance_and_no_others() {
    let (server, hand) = server(4, 0).await;
    let first = server.rest(&server.create_key("ada@example.com", &["memories:read"]).await.secret);
    let second = server.rest(&server.create_key("ada@example.com", &["memories:read"]).await.secret);
    let grace = server.register("grace@example.com").await;
    let session = server.bearer(&grace.access_token);
    let graces = server.rest(&server.create_key("grace@example.com", &["memories:read"]).await.secret);
    for (rest, left) in [
        (&first, 3),
        (&second, 2),
        (&first, 1),
        (&second, 0),
        (&session, 3),
        (&graces, 2),
    ] {
        let answer = get(rest).await;
        answer.ok();
        assert_eq!(shown(&answer).1, left);
    }
    assert_limited(&get(&first).await, 4, 15, &hand);
    assert_limited(&get(&second).await, 4, 15, &hand);
    get(&graces).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_limit_of_its_own_keeps_to_both() {
    let (server, hand) = server(10, 0).await;
    let ada = server.register("ada@example.com").await;
    let session = server.bearer(&ada.access_token);
    let key = create(&session, &json!({"name": "k", "rate_limit_per_minute": 2})).await;
    let rest = with_key(&server, &key);
    let me = rest.get("/v1/auth/me").await;
    assert_eq!(
        me.ok()["rate_limits"],
        json!({"requests_per_minute": 2, "searches_per_minute": 0, "integrations_per_minute": 0})
    );
    assert_eq!(shown(&me), (2, 1, hand.unix() + 30));
    get(&rest).await.ok();
    for _ in 0..3 {
        assert_limited(&get(&rest).await, 2, 30, &hand);
    }
    let answer = get(&session).await;
    assert_eq!(shown(&answer).0, 10);
    assert_eq!(
        shown(&answer).1,
        6,
        "what the key was refused took nothing from the account"
    );

    let path = format!("/v1/api-keys/{}", id_of(&key));
    hand.forward(60);
    let changed = session.patch(&path, &json!({"rate_limit_per_minute": 5})).await;
    changed.ok();
    assert_eq!(shown(&get(&rest).await).0, 5, "a new limit holds at once");
    session.patch(&path, &json!({"rate_limit_per_minute": 0})).await.ok();
    assert_eq!(shown(&get(&rest).await).0, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_limit_nothing_is_said_of_one() {
    let (server, _hand) = server(0, 0).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let rest = server.rest(&key);
    for _ in 0..150 {
        let answer = get(&rest).await;
        answer.ok();
        assert_eq!(answer.header("x-ratelimit-limit"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_have_an_allowance_of_their_own_inside_the_general_one() {
    let (server, hand) = server(100, 2).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let rest = server.rest(&key);
    let search = async || rest.post("/v1/memories/search", &json!({"query": "home"})).await;
    for left in [1, 0] {
        let answer = search().await;
        answer.ok();
        assert_eq!((shown(&answer).0, shown(&answer).1), (2, left));
    }
    for _ in 0..3 {
        assert_limited(&search().await, 2, 30, &hand);
    }
    let list = get(&rest).await;
    list.ok();
    assert_eq!(
        (shown(&list).0, shown(&list).1),
        (100, 97),
        "two searches and this, and nothing for what was refused"
    );
    hand.forward(30);
    search().await.ok();
    assert_limited(&search().await, 2, 30, &hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_one_time_just_as_many_pass_as_are_allowed() {
    let (server, _hand) = server(10, 0).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    let rest = server.rest(&key);
    let answers = futures::future::join_all((0..40).map(|_| get(&rest))).await;
    let passed = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(passed, 10);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_credentials_is_slowed_down_and_whoever_has_them_is_not() {
    let hand = Hand::new();
    let server = TestServer::start_with(|config| config.limits.unauthenticated_per_minute = 4, hand.clock()).await;
    let key = server.create_key("ada@example.com", &["memories:read"]).await.secret;
    assert_unauthenticated(&get(&server.rest("nonsense")).await);
    assert_unauthenticated(&get(&server.anonymous()).await);
    assert_unauthenticated(&get(&server.bearer("nonsense")).await);
    assert_unauthenticated(&server.login("nobody@example.com", "a password of nobody").await);
    for answer in [
        get(&server.rest("nonsense")).await,
        server.login("nobody@example.com", "a password of nobody").await,
        server.refresh("nonsense").await,
    ] {
        let details = answer.failure(429, "RATE_LIMIT_EXCEEDED");
        assert_eq!(details, json!({"limit": 4, "reset_time": hand.unix() + 15}));
        assert_eq!(answer.json()["retry_after"], 15);
    }
    for _ in 0..10 {
        get(&server.rest(&key)).await.ok();
    }
    hand.forward(15);
    assert_unauthenticated(&get(&server.anonymous()).await);
    get(&server.anonymous()).await.failure(429, "RATE_LIMIT_EXCEEDED");
}
