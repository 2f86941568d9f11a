//! What is taken on to be done later is done, once, and nobody else learns of it.

use serde_json::{Value, json};

use crate::process::{BOUND, Process, eventually};
use crate::support::{DEFAULT_SCOPES, Rest, TestServer, conversation, field};

fn later(thread: &str, words: &[&str]) -> Value {
    let mut body = conversation(thread, words);
    body["async"] = true.into();
    body
}

/// The answer of a task that has ended.
async fn ended(rest: &Rest, id: &str) -> Value {
    eventually(id, BOUND, async || {
        let task = rest.get(&format!("/v1/integrations/status/{id}")).await.ok();
        (task["status"] == "SUCCESS" || task["status"] == "FAILED").then_some(task)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_taken_on_is_remembered_soon() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let answer = rest
        .post("/v1/memories", &later("t", &["I work as a nurse.", "I love hiking."]))
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let taken = answer.json();
    assert_eq!((&taken["success"], &taken["memories"]), (&json!(true), &json!([])));
    let id = taken["task_id"].as_str().unwrap();
    assert!(id.starts_with("task_"), "{id}");
    let task = ended(&rest, id).await;
    let expected = json!({
        "task_id": id, "status": "SUCCESS",
        "result": {
            "indexed_items": 2, "memories_created": 2, "processing_time": task["result"]["processing_time"],
            "categories_found": ["career", "interests"], "skipped": [],
        },
    });
    assert_eq!(task, expected);
    let found = rest
        .search(&json!({"query": "What is the user's job?", "limit": 1}))
        .await;
    assert_eq!(found[0]["memory"], "User works as a nurse.");
    assert_eq!(found[0]["source_message_ids"], json!(["t#0"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_takes_it_on_once() {
    let server = TestServer::start().await;
    let rest = server.ada().await.with("idempotency-key", "once");
    let body = later("t", &["I work as a nurse."]);
    let all = futures::future::join_all((0..8).map(|_| rest.post("/v1/memories", &body))).await;
    let ids: Vec<Value> = all.iter().map(|answer| answer.json()["task_id"].clone()).collect();
    assert!(ids[0].is_string() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    ended(&rest, ids[0].as_str().unwrap()).await;
    assert_eq!(rest.list("").await.len(), 1);
    let now = conversation("t", &["I work as a nurse."]);
    rest.post("/v1/memories", &now).await.failure(409, "CONFLICT");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_learns_of_a_task() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut body = later("t", &["I work as a nurse."]);
    body["user_id"] = "anna".into();
    let id = rest.post("/v1/memories", &body).await.json()["task_id"]
        .as_str()
        .unwrap()
        .to_owned();
    ended(&rest, &id).await;
    let path = format!("/v1/integrations/status/{id}");
    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    server
        .rest(&grace.secret)
        .get(&path)
        .await
        .failure(404, "INTEGRATION_NOT_FOUND");
    let reading = server.create_key("ada@example.com", &["memories:read"]).await;
    server
        .rest(&reading.secret)
        .get(&path)
        .await
        .failure(403, "PERMISSION_DENIED");
    let bound = server.key_bound_to("ada@example.com", "ben").await;
    server
        .rest(&bound.secret)
        .get(&path)
        .await
        .failure(404, "INTEGRATION_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_erases_what_is_still_to_be_done() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let words = format!("My quokka number {number} is called Bartholomew {number}.");
        let mut body = later(&format!("t{number}"), &[&words]);
        body["user_id"] = "anna".into();
        let taken = rest.post("/v1/memories", &body).await.json();
        ids.push(taken["task_id"].as_str().unwrap().to_owned());
    }
    let erased = rest.delete("/v1/users/anna/data").await.ok();
    assert_eq!(erased["erased"]["jobs"], 20);
    for id in &ids {
        rest.get(&format!("/v1/integrations/status/{id}"))
            .await
            .failure(404, "INTEGRATION_NOT_FOUND");
    }
    // When a later task has been done, none of the erased ones is still under way.
    let taken = rest.post("/v1/memories", &later("t", &["I love hiking."])).await.json();
    ended(&rest, taken["task_id"].as_str().unwrap()).await;
    assert!(rest.list("user_id=anna").await.is_empty());
    for word in ["quokka", "bartholomew"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_9_behind_the_acknowledgement_loses_no_task_and_does_none_twice() {
    const TASKS: usize = 30;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let key = server.first_key();
    let rest = crate::process::Rest::new(server.url(), &key);
    for number in 0..TASKS {
        let body = later(&format!("t{number}"), &[&format!("I own kayak number {number}.")]);
        assert_eq!(rest.post("/v1/memories", &body).await.unwrap().0, 202);
    }
    server.kill();
    let server = Process::start(data.path());
    let rest = crate::process::Rest::new(server.url(), &key);
    let listed = eventually("all tasks are done", BOUND, async || {
        let (_, page) = rest.get("/v1/memories?page_size=100").await.unwrap();
        (page["pagination"]["total_items"] == TASKS).then_some(page)
    })
    .await;
    let memories = listed["data"].as_array().unwrap();
    let mut texts = field(memories, "memory");
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), TASKS);
    server.stop().expect_success("SIGTERM");
}
