//! An account and its people have as many memories as the operator grants them, whichever way they come.

use futures::future::join_all;
use memsync::model::Clock;
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt;

use crate::process::{BOUND, eventually};
use crate::support::{Rest, TestServer, conversation};

async fn server(per_account: u64, per_person: u64) -> TestServer {
    let limits = |config: &mut memsync::config::Config| {
        config.limits.max_memories_per_account = per_account;
        config.limits.max_memories_per_person = per_person;
    };
    TestServer::start_with(limits, Clock::system()).await
}

fn told(user_id: &str, words: &[&str]) -> Value {
    let mut body = conversation("t", words);
    body["user_id"] = user_id.into();
    body
}

async fn is_full(rest: &Rest, body: &Value, limit: u64, current: u64) {
    let answer = rest.post("/v1/memories", body).await;
    let details = answer.failure(403, "QUOTA_EXCEEDED");
    assert_eq!(details, json!({"limit": limit, "current": current}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_has_all_that_they_may_gets_no_more_and_others_do() {
    let server = server(0, 3).await;
    let rest = server.ada().await;
    rest.store(&told("ben", &["I work as a nurse.", "I love hiking."]))
        .await;
    // All or nothing: one would have fitted.
    let two = told("ben", &["My cat is called Misty.", "I moved to Oslo."]);
    is_full(&rest, &two, 3, 2).await;
    assert_eq!(rest.list("user_id=ben").await.len(), 2);
    rest.store(&told("ben", &["My cat is called Misty."])).await;
    is_full(&rest, &told("ben", &["I moved to Oslo."]), 3, 3).await;
    // What is known already takes no room.
    let again = rest.store(&told("ben", &["I love hiking."])).await;
    assert_eq!(again["memories"][0]["operation"], "unchanged");
    rest.store(&told("anna", &["I moved to Oslo."])).await;

    let key = server.create_key("ada@example.com", &["memories:write"]).await;
    let message = memsync::proto::v1::StoreMemoriesRequest {
        messages: vec![memsync::proto::v1::Message {
            role: memsync::proto::v1::Role::User.into(),
            content: "I moved to Oslo.".to_owned(),
            ..Default::default()
        }],
        agent_id: "a".to_owned(),
        thread_id: "t".to_owned(),
        source: "s".to_owned(),
        user_id: Some("ben".to_owned()),
        ..Default::default()
    };
    let mut client = server.memories(&[("x-api-key", &key.secret)]);
    let refused = client.store_memories(message).await.unwrap_err();
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(
        (refused.code(), info.reason.as_str(), info.metadata["current"].as_str()),
        (Code::PermissionDenied, "QUOTA_EXCEEDED", "3")
    );

    let mut later = told("ben", &["I moved to Oslo."]);
    later["async"] = true.into();
    let id = rest.post("/v1/memories", &later).await.json()["task_id"].clone();
    let path = format!("/v1/integrations/status/{}", id.as_str().unwrap());
    let task = eventually("it has ended", BOUND, async || {
        let task = rest.get(&path).await.ok();
        (task["status"] == "FAILED").then_some(task)
    })
    .await;
    assert_eq!(task["error_message"], "This person may have 3 memories and has 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_an_import_nor_a_restored_backup_goes_beyond_a_quota() {
    let server = server(3, 0).await;
    let rest = server.ada().await;
    let words = ["I work as a nurse.", "I love hiking.", "My cat is called Misty."];
    rest.store(&told("ben", &words)).await;
    let exported = rest.get("/v1/export?user_id=ben").await;
    let id = rest.list("user_id=ben").await[0]["id"].as_str().unwrap().to_owned();
    let deleted = rest.delete(&format!("/v1/memories/{id}?user_id=ben")).await.ok();
    rest.store(&told("anna", &["I moved to Oslo."])).await;

    let details = json!({"limit": 3, "current": 3});
    let restore = format!("/v1/backups/{}/restore", deleted["backup_id"].as_str().unwrap());
    let answer = rest.post(&restore, &json!({})).await;
    assert_eq!(answer.failure(403, "QUOTA_EXCEEDED"), details);
    let import = rest.request("POST", "/v1/import").body(exported.bytes.clone());
    let answer = crate::support::send(import).await;
    assert_eq!(answer.failure(403, "QUOTA_EXCEEDED"), details);
    assert_eq!(rest.list("user_id=ben").await.len(), 2);

    rest.delete("/v1/users/anna/data").await.ok();
    rest.post(&restore, &json!({})).await.ok();
    assert_eq!(rest.list("user_id=ben").await.len(), 3, "the backup was not spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_one_time_do_not_get_past_the_quota_of_their_account() {
    let server = server(10, 0).await;
    let rest = server.ada().await;
    let bodies: Vec<Value> = (0..30)
        .map(|number| told(&format!("person {number}"), &["I moved to Oslo."]))
        .collect();
    let answers = join_all(bodies.iter().map(|body| rest.post("/v1/memories", body))).await;
    let stored = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.failure(403, "QUOTA_EXCEEDED");
    }
    assert_eq!(stored, 10);
}
