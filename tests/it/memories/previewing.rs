//! A preview answers what a store would, and leaves everything as it is.

use memsync::proto::v1 as pb;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{DEFAULT_SCOPES, Hand, TestServer, conversation, field};

fn preview(mut body: Value) -> Value {
    body["preview"] = true.into();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_a_store_would_do_and_everything_stays_as_it_is() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    rest.store(&conversation(
        "t",
        &["I work at Google as an engineer.", "I love hiking."],
    ))
    .await;
    let hiking = rest.search(&json!({"query": "hiking", "limit": 1})).await[0]["id"].clone();
    let before = rest.get("/v1/export").await.bytes;
    let body = conversation(
        "t",
        &["I joined Meta.", "I love hiking.", "I play the theodolite.", "Thanks!"],
    );

    let mut told = rest.store(&preview(body.clone())).await;
    let shown: Vec<_> = told["memories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|memory| {
            (
                memory["operation"].clone(),
                memory["memory"].clone(),
                memory["id"].clone(),
            )
        })
        .collect();
    let expected = [
        (json!("updated"), json!("User joined Meta."), json!("")),
        (json!("unchanged"), json!("User loves hiking."), hiking),
        (json!("added"), json!("User plays the theodolite."), json!("")),
    ];
    assert_eq!(shown, expected, "{told}");
    assert_eq!(
        (&told["memories_created"], &told["memories_updated"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(field(told["skipped"].as_array().unwrap(), "message_id"), ["t#5"]);
    assert_eq!(told["preview"], true);

    assert_eq!(rest.get("/v1/export").await.bytes, before);
    assert_eq!(server.traces_of("theodolite"), 0);
    assert_eq!(rest.search(&json!({"query": "theodolite"})).await.len(), 2);
    assert_eq!(rest.list("include_superseded=true").await.len(), 2);

    // The store does just that.
    let mut stored = rest.store(&body).await;
    for answer in [&mut told, &mut stored] {
        let answer = answer.as_object_mut().unwrap();
        answer.remove("processing_time");
        answer.remove("preview");
        for memory in answer["memories"].as_array_mut().unwrap() {
            memory.as_object_mut().unwrap().remove("id");
        }
    }
    assert_eq!(told, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_makes_no_person_and_takes_no_key_no_quota_and_no_place_in_a_conversation() {
    let one_each = |config: &mut memsync::config::Config| config.limits.max_memories_per_person = 1;
    let server = TestServer::start_with(one_each, memsync::model::Clock::system()).await;
    let rest = server.ada().await;
    let of_kim = |words: &[&str]| {
        let mut body = conversation("t", words);
        body["user_id"] = "kim".into();
        body
    };
    let once = rest.with("idempotency-key", "once");
    for _ in 0..2 {
        let told = once
            .store(&preview(of_kim(&["I work as a nurse.", "I love hiking."])))
            .await;
        assert_eq!(told["memories_created"], 2, "{told}");
    }
    assert_eq!(rest.get("/v1/users").await.ok()["users"], json!([]));
    let looking = server.create_key("ada@example.com", &["usage:read"]).await;
    let usage = server.rest(&looking.secret).get("/v1/usage").await.ok();
    assert_eq!(usage["totals"]["memories_created"], 0, "{usage}");
    let stored = once.store(&of_kim(&["I love hiking."])).await;
    assert_eq!((&stored["memories_created"], stored.get("preview")), (&json!(1), None));
    let listed = rest.list("user_id=kim").await;
    assert_eq!(listed[0]["source_message_ids"], json!(["t#0"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_needs_the_right_to_store_and_is_not_done_later() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let rest = server.rest(&key);
    let reading = server.create_key("ada@example.com", &["memories:read"]).await;
    let body = preview(conversation("t", &["I work as a nurse."]));
    let refused = server.rest(&reading.secret).post("/v1/memories", &body).await;
    refused.failure(403, "PERMISSION_DENIED");
    let mut later = body;
    later["async"] = true.into();
    let violation = json!({"field": "preview", "reason": "contradicts async"});
    let expected = json!({"field": "preview", "reason": "contradicts async", "violations": [violation]});
    let refused = rest.post("/v1/memories", &later).await;
    assert_eq!(refused.failure(400, "VALIDATION_ERROR"), expected);

    let mut client = server.memories(&[("x-api-key", &key)]);
    let request = pb::StoreMemoriesRequest {
        messages: vec![pb::Message {
            role: pb::Role::User.into(),
            content: "I work as a nurse.".to_owned(),
            ..Default::default()
        }],
        agent_id: "assistant".to_owned(),
        thread_id: "t".to_owned(),
        source: "chat".to_owned(),
        preview: Some(true),
        ..Default::default()
    };
    let told = client.store_memories(request.clone()).await.unwrap().into_inner();
    let ids: Vec<_> = told.memories.iter().map(|memory| memory.id.as_str()).collect();
    assert_eq!((ids, told.preview, told.memories_created), (vec![""], Some(true), 1));
    let later = pb::StoreMemoriesRequest {
        r#async: Some(true),
        ..request
    };
    assert_eq!(
        client.store_memories(later).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert!(rest.list("").await.is_empty());
}
