//! An erasure leaves nothing: not in answers, not in indexes, not in the files of the database.

use serde_json::{Value, json};

use crate::support::{Rest, TestServer, conversation, send};

async fn erase(rest: &Rest, user_id: &str) -> Value {
    send(rest.request("DELETE", &format!("/v1/users/{user_id}/data")))
        .await
        .ok()
}

fn story(user_id: &str, words: &[&str]) -> Value {
    let mut story = conversation("t", words);
    story["user_id"] = user_id.into();
    story
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_gone_and_the_others_stay() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let words = ["I work as a nurse in Oslo.", "I love hiking."];
    let stored = rest.store(&story("p1", &words)).await;
    let id = stored["memories"][0]["id"].as_str().unwrap();
    send(
        rest.request("PATCH", &format!("/v1/memories/{id}?user_id=p1"))
            .json(&json!({"importance": 0.1})),
    )
    .await
    .ok();
    rest.store(&story("p2", &words)).await;

    let answer = erase(&rest, "p1").await;
    let erased = json!({"memories": 2, "versions": 3, "embeddings": 2, "profiles": 0, "jobs": 0, "backups": 0});
    assert_eq!((&answer["success"], &answer["erased"]), (&json!(true), &erased));
    let receipt = answer["receipt"].as_str().unwrap();
    let receipt = server.running.app.receipts.verify(receipt).unwrap();
    let account = rest.get("/v1/auth/me").await.ok()["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(receipt.sub, format!("{account}/p1"));
    assert_eq!(receipt.erased["memories"], 2);

    rest.get(&format!("/v1/memories/{id}?user_id=p1"))
        .await
        .failure(404, "MEMORY_NOT_FOUND");
    assert!(
        rest.search(&json!({"query": "nurse", "user_id": "p1"}))
            .await
            .is_empty()
    );
    assert!(rest.list("user_id=p1").await.is_empty());
    assert_eq!(rest.list("user_id=p2").await.len(), 2);
    assert_eq!(erase(&rest, "p1").await["erased"]["memories"], 0, "nobody is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_data_are_erased_and_nobody_elses() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    rest.store(&conversation("t", &["I work as a nurse in Oslo."])).await;
    rest.store(&story("p1", &["I love hiking."])).await;
    let bound = server.key_bound_to("ada@example.com", "p1").await;
    let bound = server.rest(&bound.secret).delete("/v1/data").await;
    bound.failure(403, "PERMISSION_DENIED");

    let answer = rest.delete("/v1/data").await.ok();
    assert_eq!(
        (&answer["success"], &answer["erased"]["memories"]),
        (&json!(true), &json!(1))
    );
    assert!(answer["receipt"].is_string());
    assert!(rest.list("").await.is_empty());
    assert_eq!(rest.list("user_id=p1").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_the_same_name_starts_anew() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    rest.store(&story("p1", &["I work as a nurse in Oslo."])).await;
    assert_eq!(rest.search(&json!({"query": "work", "user_id": "p1"})).await.len(), 1);
    erase(&rest, "p1").await;
    let again = rest.store(&story("p1", &["I play the cello."])).await;
    assert_eq!(again["memories_created"], 1);
    let found = rest
        .search(&json!({"query": "work", "user_id": "p1", "limit": 10}))
        .await;
    assert!(
        found
            .iter()
            .all(|memory| !memory["memory"].as_str().unwrap().contains("nurse")),
        "{found:?}"
    );
    assert_eq!(found.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_name_of_somebody_erased_nor_an_id_of_their_memories_is_left_in_any_table() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let name = "zaphod-beeblebrox";
    let words = [
        "I work at Google as an engineer.",
        "I joined Meta.",
        "I love hiking.",
        "My password is Heart-of-Gold-7.",
    ];
    let keyed = rest.with("idempotency-key", "of-zaphod");
    let stored = keyed.store(&story(name, &words)).await;
    let memories = stored["memories"].as_array().unwrap();
    let mut ids: Vec<String> = memories
        .iter()
        .map(|memory| memory["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 4, "{stored}");
    let mut later = story(name, &["I play the cello."]);
    later["async"] = true.into();
    let task = keyed
        .with("idempotency-key", "of-zaphod-later")
        .post("/v1/memories", &later)
        .await;
    ids.push(task.json()["task_id"].as_str().unwrap().to_owned());
    for (id, query) in [(&ids[1], "backup=true"), (&ids[2], "backup=false")] {
        let path = format!("/v1/memories/{id}?user_id={name}&{query}");
        rest.delete(&path).await.ok();
    }
    let kept = rest.store(&story("trillian", &["I love astrophysics."])).await;
    let kept = kept["memories"][0]["id"].as_str().unwrap();
    rest.delete(&format!("/v1/memories/{kept}?user_id=trillian")).await.ok();
    for id in [ids[0].as_str(), ids[2].as_str(), name] {
        assert!(server.traces_of(id) > 0, "{id} is in what is read");
    }
    erase(&rest, name).await;
    for trace in ids.iter().map(String::as_str).chain([name, "of-zaphod"]) {
        assert_eq!(server.traces_of(trace), 0, "{trace}");
    }
    assert!(server.traces_of(kept) > 0, "the audit log tells of others' deletions");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_database_holds_an_erased_sentence() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    rest.store(&story(
        "p1",
        &["I work as a zymurgist in Oslo.", "My quokka is called Bartholomew."],
    ))
    .await;
    rest.store(&story("p2", &["I collect theodolites."])).await;
    for word in ["zymurgist", "quokka", "theodolite"] {
        assert!(server.traces_of(word) > 0, "{word} is in the files that are read");
    }
    erase(&rest, "p1").await;
    for word in ["zymurgist", "quokka", "bartholomew"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
    assert!(server.traces_of("theodolite") > 0);
}
