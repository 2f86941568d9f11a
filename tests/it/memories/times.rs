//! "Today" is the speaker's day, and times are what clients write.

use memsync::proto::v1 as pb;
use prost_types::Timestamp;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};

use crate::support::{DEFAULT_SCOPES, Hand, Rest, TestServer, conversation};

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

/// A memory's time and how exactly it is known, as an answer shows them.
fn time_and_precision(shown: &Value) -> [Option<&str>; 2] {
    ["event_time", "event_time_precision"].map(|name| shown.get(name).map(|told| told.as_str().unwrap()))
}

/// Said on Sunday, 10 May 2026.
const TIMED: [(&str, [Option<&str>; 2]); 6] = [
    (
        "I bought a bike on 3 May 2026.",
        [Some("2026-05-03T00:00:00Z"), Some("day")],
    ),
    (
        "I cleaned the attic last week.",
        [Some("2026-04-27T00:00:00Z"), Some("week")],
    ),
    (
        "I ran a marathon last month.",
        [Some("2026-04-01T00:00:00Z"), Some("month")],
    ),
    (
        "I hiked through Norway last summer.",
        [Some("2025-06-01T00:00:00Z"), Some("season")],
    ),
    (
        "I graduated from university in 2019.",
        [Some("2019-01-01T00:00:00Z"), Some("year")],
    ),
    ("I play the cello.", [None, None]),
];

#[tokio::test(flavor = "multi_thread")]
async fn how_exactly_a_time_is_known_is_said_wherever_the_time_is() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let rest = server.rest(&key);
    let mut ids = Vec::new();
    for (index, (words, expected)) in TIMED.into_iter().enumerate() {
        let mut story = conversation(&format!("t{index}"), &[words]);
        story["messages"][0]["timestamp"] = "2026-05-10T10:00:00Z".into();
        let stored = rest.store(&story).await;
        let told = &stored["memories"][0];
        assert_eq!(time_and_precision(told), expected, "{words}: {stored}");
        let id = told["id"].as_str().unwrap().to_owned();
        assert_eq!(
            time_and_precision(&rest.get(&format!("/v1/memories/{id}")).await.ok()),
            expected
        );
        ids.push(id);
    }
    let expected_of = |id: &Value| TIMED[ids.iter().position(|known| id == known.as_str()).unwrap()].1;
    let found = rest.search(&json!({"query": "the user", "limit": 100})).await;
    let listed = rest.list("page_size=100").await;
    assert_eq!((found.len(), listed.len()), (TIMED.len(), TIMED.len()));
    for shown in found.iter().chain(&listed) {
        assert_eq!(time_and_precision(shown), expected_of(&shown["id"]), "{shown}");
    }
    let mut client = server.memories(&[("x-api-key", &key)]);
    let request = |id: &String| pb::GetMemoryRequest {
        memory_id: id.clone(),
        ..Default::default()
    };
    for (id, precision) in [(&ids[3], Some(pb::TimePrecision::Season.into())), (&ids[5], None)] {
        let shown = client
            .get_memory(request(id))
            .await
            .unwrap()
            .into_inner()
            .memory
            .unwrap();
        assert_eq!(shown.event_time_precision, precision);
    }

    // What an earlier version stored says when, and not how exactly.
    let database = Database::connect(server.database.url(server.dir.path())).await.unwrap();
    let forget = "UPDATE memories SET event_time_precision = NULL";
    database.execute_unprepared(forget).await.unwrap();
    database.close().await.unwrap();
    let shown = rest.get(&format!("/v1/memories/{}", ids[0])).await.ok();
    assert_eq!(time_and_precision(&shown), [TIMED[0].1[0], None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_text_brings_its_own_time_and_precision_and_earlier_versions_keep_theirs() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let mut story = conversation("t", &["I bought a bike on 3 May 2026."]);
    story["messages"][0]["timestamp"] = "2026-05-10T10:00:00Z".into();
    let path = format!(
        "/v1/memories/{}",
        rest.store(&story).await["memories"][0]["id"].as_str().unwrap()
    );
    let expected = [
        [Some("2026-05-03T00:00:00Z"), Some("day")],
        [Some("2019-01-01T00:00:00Z"), Some("year")],
        [None, None],
        [None, None],
    ];
    let mut moments = vec![hand.now()];
    for change in [
        json!({"content": "User bought a bike in 2019."}),
        json!({"content": "User has a bike."}),
        json!({"importance": 0.1}),
    ] {
        hand.forward(10);
        rest.patch(&path, &change).await.ok();
        moments.push(hand.now());
    }
    for (moment, expected) in moments.iter().zip(expected) {
        let moment = moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let then = rest.list(&format!("as_of={moment}")).await;
        assert_eq!(time_and_precision(&then[0]), expected, "{moment}");
    }
    let exported: Value = serde_json::from_slice(&rest.get("/v1/export").await.bytes).unwrap();
    let versions: Vec<_> = exported["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(time_and_precision)
        .collect();
    assert_eq!(versions, expected);

    let deleted = rest.delete(&path).await.ok();
    let backup = deleted["backup_id"].as_str().unwrap();
    rest.post(&format!("/v1/backups/{backup}/restore"), &json!({}))
        .await
        .ok();
    let restored: Value = serde_json::from_slice(&rest.get("/v1/export").await.bytes).unwrap();
    assert_eq!(restored["versions"], exported["versions"]);
}
