//! What has a time to live leaves search when it is over, and the files soon after.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Hand, Rest, TestServer, conversation, field};

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn tell(rest: &Rest, words: &str, expires_at: Option<DateTime<Utc>>) -> Value {
    let mut body = conversation("t", &[words]);
    if let Some(time) = expires_at {
        body["expires_at"] = rfc3339(time).into();
    }
    let id = rest.store(&body).await["memories"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    rest.get(&format!("/v1/memories/{id}")).await.ok()
}

async fn nobody_finds(rest: &Rest, id: &str) {
    for path in ["", "/history"] {
        rest.get(&format!("/v1/memories/{id}{path}"))
            .await
            .failure(404, "MEMORY_NOT_FOUND");
    }
    let change = json!({"importance": 0.5});
    rest.patch(&format!("/v1/memories/{id}"), &change)
        .await
        .failure(404, "MEMORY_NOT_FOUND");
    for search in [
        json!({"query": "cello"}),
        json!({"query": "cello", "rerank": true}),
        json!({"query": "cello", "include_superseded": true}),
        json!({"query": "cello", "as_of": "2100-01-01T00:00:00Z"}),
    ] {
        let found = rest.search(&search).await;
        assert!(!field(&found, "id").contains(&id), "{search}");
    }
    for query in ["", "as_of=2100-01-01T00:00:00Z"] {
        assert!(!field(&rest.list(query).await, "id").contains(&id), "{query}");
    }
    let exported = rest.get("/v1/export").await;
    assert!(!String::from_utf8_lossy(&exported.bytes).contains(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_leaves_every_answer_at_its_time_and_the_files_with_the_next_sweep() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let end = hand.now() + TimeDelta::seconds(100);
    let cello = tell(&rest, "I play the cello.", Some(end)).await;
    let nurse = tell(&rest, "I work as a nurse.", None).await;
    let id = cello["id"].as_str().unwrap();
    assert_eq!(cello["expires_at"], rfc3339(end).as_str());
    assert_eq!(nurse.get("expires_at"), None);
    hand.forward(99);
    assert_eq!(rest.search(&json!({"query": "cello", "limit": 1})).await[0]["id"], id);
    hand.forward(1);
    nobody_finds(&rest, id).await;
    let again = rest.store(&conversation("t", &["I play the cello."])).await;
    assert_eq!(again["memories_created"], 1, "what is over is not known any more");

    // The sweep of a server that was started later does what this one did not come to.
    let server = server.restart_with(|_| {}, hand.clock()).await;
    server.running.app.memories.forget_expired().await.unwrap();
    let rest = server.ada().await;
    nobody_finds(&rest, id).await;
    let files = std::fs::read_dir(server.dir.path()).unwrap();
    for file in files.map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        // Its tombstone has the id, and nothing has the day on which it was to end.
        let words = cello["expires_at"].as_str().unwrap().as_bytes();
        assert!(
            !bytes.windows(words.len()).any(|window| window == words),
            "{}",
            file.display()
        );
    }
    assert_eq!(rest.list("").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_can_be_set_moved_and_taken_back() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let cello = tell(&rest, "I play the cello.", None).await;
    let path = format!("/v1/memories/{}", cello["id"].as_str().unwrap());
    let soon = rfc3339(hand.now() + TimeDelta::seconds(50));
    let set = rest.patch(&path, &json!({"expires_at": soon})).await.ok();
    assert_eq!((&set["expires_at"], &set["version"]), (&json!(soon), &json!(2)));
    hand.forward(40);
    let never = rest.patch(&path, &json!({"clear_expires_at": true})).await.ok();
    assert_eq!(never.get("expires_at"), None);
    hand.forward(40);
    assert_eq!(rest.get(&path).await.ok()["version"], 3);
    let past = rfc3339(hand.now());
    for bad in [
        json!({"expires_at": past}),
        json!({"expires_at": rfc3339(hand.now() + TimeDelta::seconds(9)), "clear_expires_at": true}),
    ] {
        let details = rest.patch(&path, &bad).await.failure(400, "VALIDATION_ERROR");
        assert_eq!(details["violations"].as_array().unwrap().len(), 1, "{details}");
    }
    let mut body = conversation("t", &["I play the harp."]);
    body["expires_at"] = past.into();
    let details = rest.post("/v1/memories", &body).await.failure(400, "VALIDATION_ERROR");
    assert_eq!(details["field"], "expires_at");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_episodic_memories_live_as_long_as_its_settings_say() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    assert_eq!(rest.get("/v1/memory-settings").await.ok(), json!({}));
    let day = json!({"episodic_lifetime": 86_400});
    assert_eq!(rest.patch("/v1/memory-settings", &day).await.ok(), day);
    assert_eq!(rest.get("/v1/memory-settings").await.ok(), day);
    let tomorrow = rfc3339(hand.now() + TimeDelta::days(1));
    let event = tell(&rest, "I went to the opera yesterday.", None).await;
    assert_eq!(
        (&event["type"], &event["expires_at"]),
        (&json!("episodic"), &json!(tomorrow))
    );
    let lasting = tell(&rest, "I love jazz.", None).await;
    assert_eq!(
        (&lasting["type"], lasting.get("expires_at")),
        (&json!("semantic"), None)
    );
    let hour = hand.now() + TimeDelta::hours(1);
    let own = tell(&rest, "I flew to Malta yesterday.", Some(hour)).await;
    assert_eq!(own["expires_at"], rfc3339(hour).as_str());

    for bad in [59, -1, 3_155_760_001_i64] {
        let details = rest
            .patch("/v1/memory-settings", &json!({"episodic_lifetime": bad}))
            .await
            .failure(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "episodic_lifetime");
    }
    let forever = rest
        .patch("/v1/memory-settings", &json!({"episodic_lifetime": 0}))
        .await
        .ok();
    assert_eq!(forever, json!({}));
    assert_eq!(
        tell(&rest, "I flew to Crete yesterday.", None).await.get("expires_at"),
        None
    );
}
