//! A deletion deletes: from search at once, from the files for good, unless a backup was wanted.

use memsync::proto::v1 as pb;
use serde_json::{Value, json};

use crate::support::{Answer, Rest, TestServer, conversation, send};

async fn delete(rest: &Rest, id: &str, query: &str) -> Answer {
    send(rest.request("DELETE", &format!("/v1/memories/{id}?{query}"))).await
}

async fn three(rest: &Rest) -> Vec<String> {
    let words = [
        "I work as a nurse in Oslo.",
        "I love hiking.",
        "My quokka is called Bartholomew.",
    ];
    let stored = rest.store(&conversation("t", &words)).await;
    let memories = stored["memories"].as_array().unwrap();
    assert_eq!(memories.len(), 3, "{stored}");
    memories
        .iter()
        .map(|memory| memory["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_memory_is_found_by_nothing_any_more() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let all = three(&rest).await;
    let answer = delete(&rest, &all[0], "").await.ok();
    let backup_id = answer["backup_id"].as_str().unwrap();
    assert!(backup_id.starts_with("backup_"));
    let expected = json!({
        "success": true, "memory_id": all[0], "deleted_at": answer["deleted_at"], "backup_id": backup_id,
    });
    assert_eq!(answer, expected);
    for path in ["", "/history"] {
        rest.get(&format!("/v1/memories/{}{path}", all[0]))
            .await
            .failure(404, "MEMORY_NOT_FOUND");
    }
    delete(&rest, &all[0], "").await.failure(404, "MEMORY_NOT_FOUND");
    for rerank in [false, true] {
        let search = json!({"query": "nurse", "rerank": rerank, "include_superseded": true, "limit": 100});
        assert_eq!(rest.search(&search).await.len(), 2);
    }
    assert_eq!(rest.list("").await.len(), 2);

    let answer = delete(&rest, &all[1], "backup=false&cascade=true").await.ok();
    let cascade = json!({"profile_updates": 0, "derived_insights": 0, "embeddings": 1});
    assert_eq!(answer["cascade_deletions"], cascade);
    assert!(answer.get("backup_id").is_none());
    let again = rest.store(&conversation("t", &["I love hiking."])).await;
    assert_eq!(again["memories_created"], 1, "what was deleted is not known any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_deletes_over_grpc_as_over_rest() {
    let server = TestServer::start().await;
    let key = server
        .create_key("ada@example.com", &crate::support::DEFAULT_SCOPES)
        .await;
    let rest = server.rest(&key.secret);
    let all = three(&rest).await;
    let mut client = server.memories(&[("x-api-key", &key.secret)]);
    let one = pb::DeleteMemoryRequest {
        memory_id: all[0].clone(),
        cascade: Some(true),
        ..Default::default()
    };
    let answer = client.delete_memory(one).await.unwrap().into_inner();
    assert!(answer.success && answer.memory_id == all[0] && answer.deleted_at.is_some());
    assert!(answer.backup_id.is_some_and(|id| id.starts_with("backup_")));
    assert_eq!(answer.cascade_deletions.unwrap().embeddings, 1);
    let many = pb::BatchDeleteMemoriesRequest {
        memory_ids: vec![all[0].clone(), all[1].clone()],
        backup: Some(false),
        ..Default::default()
    };
    let answer = client.batch_delete_memories(many).await.unwrap().into_inner();
    assert_eq!(
        (answer.deleted, answer.not_found),
        (vec![all[1].clone()], vec![all[0].clone()])
    );
    assert_eq!((answer.backup_id, answer.cascade_deletions), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_what_it_deleted_and_what_it_did_not_find() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let all = three(&rest).await;
    let body = json!({"memory_ids": [all[2], "mem_none", all[0], all[2]], "cascade": true});
    for path in ["/v1/memories/batch-delete", "/memories/batch-delete"] {
        let answer = rest.post(path, &body).await.ok();
        let first = path.starts_with("/v1");
        let (deleted, not_found) = if first {
            (json!([all[2], all[0]]), json!(["mem_none"]))
        } else {
            (json!([]), json!([all[2], "mem_none", all[0]]))
        };
        assert_eq!((&answer["deleted"], &answer["not_found"]), (&deleted, &not_found));
        assert_eq!(answer["cascade_deletions"]["embeddings"], if first { 2 } else { 0 });
        assert_eq!(answer.get("backup_id").is_some(), first);
    }
    assert_eq!(rest.list("").await.len(), 1);
    for bad in [json!([]), json!(vec!["mem_1"; 1001]), json!([""])] {
        rest.post("/v1/memories/batch-delete", &json!({"memory_ids": bad}))
            .await
            .failure(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_deletes_another_persons_memory() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let all = three(&rest).await;
    let grace = server
        .create_key("grace@example.com", &crate::support::DEFAULT_SCOPES)
        .await;
    let grace = server.rest(&grace.secret);
    delete(&grace, &all[0], "").await.failure(404, "MEMORY_NOT_FOUND");
    delete(&rest, &all[0], "user_id=other")
        .await
        .failure(404, "MEMORY_NOT_FOUND");
    let body = json!({"memory_ids": all, "user_id": "other"});
    let answer = rest.post("/v1/memories/batch-delete", &body).await.ok();
    assert_eq!(answer["deleted"], json!([]));
    assert_eq!(rest.list("").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_back_what_was_deleted_with_its_history() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let all = three(&rest).await;
    let change = json!({"importance": 0.9, "metadata": {"a": 1}});
    send(rest.request("PATCH", &format!("/v1/memories/{}", all[0])).json(&change))
        .await
        .ok();
    let read = async |path: &str| rest.get(&format!("/v1/memories/{}{path}", all[0])).await.ok();
    let before: [Value; 2] = [read("").await, read("/history").await];
    let backup_id = delete(&rest, &all[0], "").await.ok()["backup_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let memories = &server.running.app.memories;
    let id = memsync::model::BackupId::from_stored(&backup_id);
    let restored = memories.restore(&id).await.unwrap();
    assert_eq!(
        restored.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        [all[0].as_str()]
    );
    assert_eq!([read("").await, read("/history").await], before);
    let found = rest.search(&json!({"query": "nurse", "limit": 1})).await;
    assert_eq!(found[0]["id"], all[0].as_str());
    assert!(memories.restore(&id).await.is_err(), "a backup is spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_taken_back_by_its_own_account_alone() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let all = three(&rest).await;
    let backup_id = delete(&rest, &all[0], "").await.ok()["backup_id"].clone();
    let restore = format!("/v1/backups/{}/restore", backup_id.as_str().unwrap());
    let bob = server
        .create_key("bob@example.com", &crate::support::DEFAULT_SCOPES)
        .await;
    let bound = server.key_bound_to("ada@example.com", "p1").await;
    for other in [bob, bound] {
        let answer = server.rest(&other.secret).post(&restore, &json!({})).await;
        answer.failure(404, "BACKUP_NOT_FOUND");
    }
    assert_eq!(rest.list("").await.len(), 2);
    let answer = rest.post(&restore, &json!({})).await.ok();
    assert_eq!(answer, json!({"success": true, "restored": [all[0]]}));
    let found = rest.search(&json!({"query": "nurse", "limit": 1})).await;
    assert_eq!(found[0]["id"], all[0].as_str(), "it is found at once");
    rest.post(&restore, &json!({})).await.failure(404, "BACKUP_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_database_holds_a_deleted_sentence_in_the_clear() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    for query in ["backup=false", "backup=true"] {
        let stored = rest
            .store(&conversation("t", &["My quokka is called Bartholomew."]))
            .await;
        assert!(
            server.traces_of("quokka") > 0,
            "the files that are read are those of the database"
        );
        delete(&rest, stored["memories"][0]["id"].as_str().unwrap(), query)
            .await
            .ok();
        for word in ["quokka", "bartholomew"] {
            assert_eq!(server.traces_of(word), 0, "{query}: {word}");
        }
    }
}
