//! "Today" is the speaker's day, and times are what clients write.

use memsync::proto::v1 as pb;
use prost_types::Timestamp;
use serde_json::{Value, json};

use crate::support::{DEFAULT_SCOPES, Rest, TestServer, conversation};

/// When the memory of a message happens that was sent at this time.
async fn event_time(rest: &Rest, thread: &str, words: &str, timestamp: Value) -> Value {
    let mut story = conversation(thread, &[words]);
    story["messages"][0]["timestamp"] = timestamp;
    let stored = rest.store(&story).await;
    let id = stored["memories"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{stored}"));
    rest.get(&format!("/v1/memories/{id}")).await.ok()["event_time"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn today_is_the_day_of_the_times_own_offset() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let rest = server.rest(&key);
    for (index, (words, timestamp, day)) in [
        (
            "I visited my sister Anna today.",
            "2026-01-15T22:30:00-08:00",
            "2026-01-15T00:00:00Z",
        ),
        (
            "I visited my brother Tom today.",
            "2026-01-16T06:30:00Z",
            "2026-01-16T00:00:00Z",
        ),
        (
            "I visited my cousin Mia yesterday.",
            "2026-01-16T08:30:00+13:00",
            "2026-01-15T00:00:00Z",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let told = event_time(&rest, &format!("t{index}"), words, json!(timestamp)).await;
        assert_eq!(told, day, "{timestamp}");
    }
    let mut story = conversation("m", &["I visited my uncle Ben today."]);
    story["metadata"] = json!({"timestamp": "2026-01-15T22:30:00-08:00"});
    let stored = rest.store(&story).await;
    let id = stored["memories"][0]["id"].as_str().unwrap();
    let told = rest.get(&format!("/v1/memories/{id}")).await.ok();
    assert_eq!(told["event_time"], "2026-01-15T00:00:00Z");

    let mut client = server.memories(&[("x-api-key", &key)]);
    let said = pb::Message {
        role: pb::Role::User.into(),
        content: "I visited my aunt Eva today.".to_owned(),
        timestamp: Some(Timestamp {
            seconds: 1_768_545_000,
            nanos: 0,
        }),
        utc_offset_minutes: Some(-480),
        ..Default::default()
    };
    let request = |message: pb::Message| pb::StoreMemoriesRequest {
        messages: vec![message],
        agent_id: "assistant".to_owned(),
        thread_id: "g".to_owned(),
        source: "chat".to_owned(),
        ..Default::default()
    };
    let stored = client.store_memories(request(said.clone())).await.unwrap().into_inner();
    let told = rest.get(&format!("/v1/memories/{}", stored.memories[0].id)).await.ok();
    assert_eq!(told["event_time"], "2026-01-15T00:00:00Z");
    let far = pb::Message {
        utc_offset_minutes: Some(1440),
        ..said
    };
    client.store_memories(request(far)).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn seconds_and_milliseconds_since_1970_are_times() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    for (index, timestamp) in [
        json!(1_768_494_600),
        json!(1_768_494_600_000_i64),
        json!(1_768_494_600.5),
        json!("1768494600"),
        json!("1768494600000"),
    ]
    .into_iter()
    .enumerate()
    {
        let friend = ["Anna", "Tom", "Mia", "Ben", "Eva"][index];
        let words = format!("I visited my friend {friend} yesterday.");
        let told = event_time(&rest, &format!("t{index}"), &words, timestamp.clone()).await;
        assert_eq!(told, "2026-01-14T00:00:00Z", "{timestamp}");
    }
    let search = json!({"query": "visit", "created_after": 1_768_494_600, "limit": 100});
    assert_eq!(rest.search(&search).await.len(), 5);
    assert_eq!(rest.list("as_of=1768494600").await.len(), 0);
    let mut story = conversation("t", &["I love hiking."]);
    story["metadata"] = json!({"timestamp": 1_768_494_600_000_i64});
    rest.store(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rfc_3339_can_not_write_is_no_time() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    for bad in [
        json!("+262142-12-31T23:59:59Z"),
        json!("0000-06-01T00:00:00Z"),
        json!("0001-01-01T00:00:00+01:00"),
        json!("9999-12-31T23:59:59-01:00"),
        json!("2026"),
        json!("20260115"),
        json!(1e300),
        json!(1_768_494_600_000_000_i64),
        json!(true),
    ] {
        let mut story = conversation("t", &["I love hiking."]);
        story["messages"][0]["timestamp"] = bad.clone();
        let details = rest.post("/v1/memories", &story).await.failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "messages[0].timestamp", "{bad}");
        let mut story = conversation("t", &["I love hiking."]);
        story["metadata"] = json!({"timestamp": bad});
        let details = rest.post("/v1/memories", &story).await.failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "metadata.timestamp", "{bad}");
        for name in ["created_after", "created_before", "as_of"] {
            let search = json!({"query": "q", name: bad});
            let details = rest
                .post("/v1/memories/search", &search)
                .await
                .failure(400, "VALIDATION_ERROR");
            assert_eq!(details["field"], name, "{bad}");
        }
    }
    let told = event_time(
        &rest,
        "t",
        "I will visit my sister Anna next year.",
        json!("9999-12-31T12:00:00Z"),
    )
    .await;
    assert_eq!(told, Value::Null, "the year 10000 is none");
}
