//! Whose memories there are in an account.

use serde_json::{Value, json};

use crate::support::{DEFAULT_SCOPES, TestServer, conversation};

fn said_by(user_id: Option<&str>, words: &[&str]) -> Value {
    let mut said = conversation("t", words);
    if let Some(user_id) = user_id {
        said["user_id"] = user_id.into();
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_an_account_are_listed_page_by_page_with_what_holds_now() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    assert_eq!(rest.get("/v1/users").await.ok(), json!({"users": []}));
    rest.store(&said_by(None, &["I love hiking."])).await;
    rest.store(&said_by(Some("p1"), &["I live in Oslo.", "I love chess."]))
        .await;
    rest.store(&said_by(Some("p1"), &["I moved to Bergen, I live in Bergen now."]))
        .await;
    rest.store(&said_by(Some("p2"), &["I work as a nurse."])).await;
    let p1 = rest.list("user_id=p1").await.len();
    let everybody = [
        json!({"memory_count": 1}),
        json!({"user_id": "p1", "memory_count": p1}),
        json!({"user_id": "p2", "memory_count": 1}),
    ];
    assert_eq!(rest.get("/v1/users").await.ok(), json!({"users": everybody}));

    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = rest.get(&format!("/v1/users?limit=1{cursor}")).await.ok();
        pages.extend(page["users"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, everybody);

    let bound = server.key_bound_to("ada@example.com", "p2").await;
    let bound = server.rest(&bound.secret).get("/v1/users").await.ok();
    assert_eq!(bound, json!({"users": [{"user_id": "p2", "memory_count": 1}]}));
    let bob = server.create_key("bob@example.com", &DEFAULT_SCOPES).await;
    let bob = server.rest(&bob.secret).get("/v1/users").await.ok();
    assert_eq!(bob, json!({"users": []}), "nothing of another account");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_tells_the_words_that_the_memory_was_taken_from() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut said = said_by(None, &["Hello there. I work as a nurse in Oslo."]);
    said["messages"][0]["id"] = "m-1".into();
    let stored = rest.store(&said).await;
    let id = stored["memories"][0]["id"].as_str().unwrap();
    let history = rest.get(&format!("/v1/memories/{id}/history")).await.ok();
    let sources = json!([{"message_id": "m-1", "position": 0, "quote": "I work as a nurse in Oslo."}]);
    assert_eq!(history["sources"], sources);
}
