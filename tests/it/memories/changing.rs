//! A memory is changed field by field, and what it was is kept.

use serde_json::{Value, json};

use crate::support::{Answer, Rest, TestServer, conversation};

async fn patch(rest: &Rest, id: &str, body: &Value) -> Answer {
    crate::support::send(rest.request("PATCH", &format!("/v1/memories/{id}")).json(body)).await
}

async fn one_memory(rest: &Rest, words: &str) -> String {
    let stored = rest.store(&conversation("t", &[words])).await;
    stored["memories"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_given_fields_change_and_the_answer_shows_all_of_them() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut story = conversation("t", &["I play the cello."]);
    story["metadata"] = json!({"kept": 1, "changed": "a", "removed": true});
    let stored = rest.store(&story).await;
    let id = stored["memories"][0]["id"].as_str().unwrap();
    let before = rest.get(&format!("/v1/memories/{id}")).await;
    assert_eq!(before.header("etag"), Some("\"1\""));
    let before = before.ok();

    let change = json!({"metadata": {"changed": "b", "removed": null, "added": [1]}, "importance": 0.25});
    let answer = patch(&rest, id, &change).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let answer = answer.ok();
    let expected = json!({
        "memory_id": id,
        "content": before["memory"],
        "category": before["categories"][0],
        "categories": before["categories"],
        "memory_type": before["type"],
        "instruction": false,
        "importance": 0.25,
        "metadata": {"kept": 1, "changed": "b", "added": [1]},
        "created_at": before["created_at"],
        "updated_at": answer["updated_at"],
        "version": 2,
    });
    assert_eq!(answer, expected);
    let after = rest.get(&format!("/v1/memories/{id}")).await.ok();
    let mut unchanged = before.clone();
    for field in ["importance", "metadata", "updated_at", "version"] {
        unchanged[field] = after[field].clone();
    }
    assert_eq!(after, unchanged);
    assert_eq!(after["updated_at"], answer["updated_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_text_is_what_search_finds_from_then_on() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let id = one_memory(&rest, "I play the cello.").await;
    one_memory(&rest, "I bake sourdough bread.").await;
    let change = json!({"content": "Breeds Icelandic horses", "category": "interests", "memory_type": "semantic"});
    let answer = patch(&rest, &format!("{id}?include_embeddings=true"), &change)
        .await
        .ok();
    assert_eq!(answer["embeddings"].as_array().map(Vec::len), Some(256));
    let without = patch(&rest, &id, &json!({"content": "Breeds Icelandic horses and ponies"}))
        .await
        .ok();
    assert!(without.get("embeddings").is_none(), "{without}");
    for rerank in [false, true] {
        let found = rest
            .search(&json!({"query": "horses", "limit": 1, "rerank": rerank}))
            .await;
        assert_eq!(found[0]["id"], id.as_str());
        let found = rest.search(&json!({"query": "cello", "rerank": rerank})).await;
        assert!(
            !found
                .iter()
                .any(|memory| memory["memory"].as_str().unwrap().contains("cello")),
            "{found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_version_that_is_not_current_is_a_conflict() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let id = one_memory(&rest, "I play the cello.").await;
    patch(&rest, &id, &json!({"importance": 0.1, "expected_version": 1}))
        .await
        .ok();
    patch(&rest, &id, &json!({"importance": 0.2, "expected_version": 1}))
        .await
        .failure(409, "CONFLICT");
    patch(&rest.with("if-match", "\"1\""), &id, &json!({"importance": 0.2}))
        .await
        .failure(409, "CONFLICT");
    let answer = patch(&rest.with("if-match", "\"2\""), &id, &json!({"importance": 0.3}))
        .await
        .ok();
    assert_eq!((&answer["version"], &answer["importance"]), (&json!(3), &json!(0.3)));
    let same = patch(&rest, &id, &json!({"importance": 0.3})).await.ok();
    assert_eq!(same["version"], 3, "nothing changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_changes_name_their_fields_and_foreign_memories_look_absent() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let id = one_memory(&rest, "I play the cello.").await;
    let bad = json!({"content": " ", "importance": 2, "memory_type": "eternal", "categories": ["career", "travel", "health", "finance"]});
    let details = patch(&rest, &id, &bad).await.failure(400, "VALIDATION_ERROR");
    assert!(
        details["violations"].as_array().is_some_and(|list| !list.is_empty()),
        "{details}"
    );
    patch(&rest, &id, &json!({"category": "sports"}))
        .await
        .failure(400, "INVALID_CATEGORY");
    patch(&rest.with("if-match", "x"), &id, &json!({"importance": 0.5}))
        .await
        .failure(400, "VALIDATION_ERROR");
    let grace = server
        .create_key("grace@example.com", &crate::support::DEFAULT_SCOPES)
        .await;
    let grace = server.rest(&grace.secret);
    for answer in [
        patch(&grace, &id, &json!({"importance": 0.5})).await,
        patch(&rest, &format!("{id}?user_id=other"), &json!({"importance": 0.5})).await,
        grace.get(&format!("/v1/memories/{id}/history")).await,
        rest.get(&format!("/v1/memories/{id}/history?user_id=other")).await,
    ] {
        answer.failure(404, "MEMORY_NOT_FOUND");
    }
    assert_eq!(rest.get(&format!("/v1/memories/{id}")).await.ok()["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sensitive_stays_private_however_it_is_filed() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let id = one_memory(&rest, "I play the cello.").await;
    let change = json!({"content": "Card number 4111 1111 1111 1111", "categories": ["interests", "career", "travel"]});
    let answer = patch(&rest, &id, &change).await.ok();
    assert_eq!(answer["categories"], json!(["interests", "career", "private"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_every_version_and_who_made_it() {
    let server = TestServer::start().await;
    let key = server
        .create_key("ada@example.com", &crate::support::DEFAULT_SCOPES)
        .await;
    let rest = server.rest(&key.secret);
    let id = one_memory(&rest, "I work at Google as an engineer.").await;
    let text = rest.get(&format!("/v1/memories/{id}")).await.ok()["memory"].clone();
    patch(&rest, &id, &json!({"content": "Works at Google as a senior engineer"}))
        .await
        .ok();
    patch(&rest, &id, &json!({"categories": ["career", "identity"]}))
        .await
        .ok();
    let stored = rest.store(&conversation("t", &["I joined Meta as a director."])).await;
    assert_eq!(stored["memories"][0]["operation"], "updated", "{stored}");

    for path in ["/v1/memories", "/memories"] {
        let history = rest.get(&format!("{path}/{id}/history")).await.ok();
        let versions = history["versions"].as_array().unwrap();
        let told: Vec<_> = versions
            .iter()
            .map(|version| {
                (
                    version["version"].as_i64().unwrap(),
                    version["operation"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [(1, "added"), (2, "updated"), (3, "reclassified"), (4, "superseded")]
        );
        assert_eq!(history["memory_id"], id.as_str());
        assert_eq!(versions[0]["memory"], text);
        assert_eq!(versions[1]["memory"], "Works at Google as a senior engineer");
        assert_eq!(versions[2]["categories"], json!(["career", "identity"]));
        assert_eq!(versions[3]["superseded_by"], stored["memories"][0]["id"]);
        assert!(versions.iter().all(|version| version["changed_by"] == key.id.as_str()));
        assert!(
            versions[..3]
                .iter()
                .all(|version| version.get("superseded_by").is_none())
        );
        let times: Vec<_> = versions
            .iter()
            .map(|version| version["changed_at"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_lose_no_change() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let id = one_memory(&rest, "I play the cello.").await;
    let writers = (0..16).map(|writer| {
        let (rest, id) = (rest.clone(), id.clone());
        tokio::spawn(async move {
            let change = json!({"metadata": {format!("writer {writer}"): true}});
            patch(&rest, &id, &change).await.ok();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let memory = rest.get(&format!("/v1/memories/{id}")).await.ok();
    assert_eq!(memory["version"], 17);
    assert_eq!(memory["metadata"].as_object().unwrap().len(), 16);
    let history = rest.get(&format!("/v1/memories/{id}/history")).await.ok();
    assert_eq!(history["versions"].as_array().unwrap().len(), 17);
}
