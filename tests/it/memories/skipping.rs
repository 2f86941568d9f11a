//! A user's message that leaves no memory is named in the answer, with the reason.

use memsync::proto::v1 as pb;
use serde_json::{Value, json};

use crate::process::{BOUND, eventually};
use crate::support::{DEFAULT_SCOPES, TestServer, conversation, field};

const REASONS: [&str; 10] = [
    "question",
    "request",
    "not_to_be_remembered",
    "quoted",
    "fiction",
    "text_to_transform",
    "code",
    "given_memories",
    "small_talk",
    "nothing_to_keep",
];

fn talk() -> Value {
    let mut body = conversation("t", &[]);
    body["messages"] = json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Hello!", "id": "m-1"},
        {"role": "assistant", "content": "Hi! How can I help?", "id": "m-2"},
        {"role": "user", "content": "I work as a nurse."},
        {"role": "user", "content": "Thanks!"},
    ]);
    body
}

/// The messages that a list names, each with a reason that there is.
#[track_caller]
fn named(skipped: &Value) -> Vec<&str> {
    let skipped = skipped.as_array().unwrap();
    for message in skipped {
        assert_eq!(message.as_object().unwrap().len(), 2, "{message}");
        assert!(REASONS.contains(&message["reason"].as_str().unwrap()), "{message}");
    }
    field(skipped, "message_id")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_left_nothing_are_named_in_their_order_and_a_replay_names_the_same() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let once = rest.with("idempotency-key", "once");
    let (first, again) = (once.store(&talk()).await, once.store(&talk()).await);
    assert_eq!(first["memories_created"], 1, "{first}");
    assert_eq!(named(&first["skipped"]), ["m-1", "t#4"]);
    assert_eq!(first["skipped"], again["skipped"]);

    let known = rest
        .store(&conversation("t", &["I work as a nurse.", "Goodbye!"]))
        .await;
    assert_eq!(known["memories"][0]["operation"], "unchanged");
    assert_eq!(named(&known["skipped"]), ["t#6"], "what was known left its words");
    let all_told = rest.store(&conversation("t", &["I love hiking."])).await;
    assert_eq!(all_told["skipped"], json!([]));
    let sources = rest.search(&json!({"query": "hiking", "limit": 1})).await;
    assert_eq!(sources[0]["source_message_ids"], json!(["t#7"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_names_them_too() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut client = server.memories(&[("x-api-key", &key)]);
    let said = |content: &str| pb::Message {
        role: pb::Role::User.into(),
        content: content.to_owned(),
        ..Default::default()
    };
    let request = pb::StoreMemoriesRequest {
        messages: vec![said("I work as a nurse."), said("Thanks!")],
        agent_id: "assistant".to_owned(),
        thread_id: "t".to_owned(),
        source: "chat".to_owned(),
        ..Default::default()
    };
    let stored = client.store_memories(request).await.unwrap().into_inner();
    let skipped: Vec<_> = stored
        .skipped
        .iter()
        .map(|message| message.message_id.as_str())
        .collect();
    assert_eq!(skipped, ["t#1"]);
    assert_ne!(stored.skipped[0].reason(), pb::SkipReason::Unspecified);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_names_them_in_its_result() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut later = talk();
    later["async"] = true.into();
    let accepted = rest.post("/v1/memories", &later).await.json();
    assert_eq!(accepted["skipped"], json!([]), "nothing is known yet");
    let path = format!("/v1/integrations/status/{}", accepted["task_id"].as_str().unwrap());
    let task = eventually("it has ended", BOUND, async || {
        let task = rest.get(&path).await.ok();
        (task["status"] == "SUCCESS").then_some(task)
    })
    .await;
    assert_eq!(named(&task["result"]["skipped"]), ["m-1", "t#4"]);
}
