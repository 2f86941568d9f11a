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

/// Three employers, each of which took the place of the one before.
async fn career(rest: &Rest) -> [String; 3] {
    let mut ids = Vec::new();
    for words in [
        "I work at Google as an engineer.",
        "I got promoted to senior engineer at Google.",
        "I joined Meta.",
    ] {
        let stored = rest.store(&conversation("t", &[words])).await;
        ids.push(stored["memories"][0]["id"].as_str().unwrap().to_owned());
    }
    ids.try_into().unwrap()
}

/// The ids of what holds now; search says the same as the list.
async fn held(rest: &Rest) -> Vec<String> {
    let ids = |memories: Vec<Value>| {
        let ids = memories.iter().map(|memory| memory["id"].as_str().unwrap().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    };
    let listed = ids(rest.list("").await);
    let found = ids(rest.search(&json!({"query": "employer", "limit": 100})).await);
    assert_eq!(found, listed);
    listed
}

async fn restore(rest: &Rest, deletion: &Value) {
    let path = format!("/v1/backups/{}/restore", deletion["backup_id"].as_str().unwrap());
    rest.post(&path, &json!({})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_memory_had_replaced_holds_again() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let [engineer, senior, meta] = career(&rest).await;
    assert_eq!(held(&rest).await, [meta.as_str()]);
    let answer = delete(&rest, &meta, "").await.ok();
    assert_eq!(answer["restored"], json!([senior]), "not what that one had replaced");
    assert_eq!(held(&rest).await, [senior.as_str()]);
    let history = rest.get(&format!("/v1/memories/{senior}/history")).await.ok();
    let versions = history["versions"].as_array().unwrap();
    let told = versions
        .iter()
        .map(|version| (&version["operation"], version["superseded_by"].as_str()));
    let expected = [
        (json!("updated"), None),
        (json!("superseded"), Some(meta.as_str())),
        (json!("restored"), None),
    ];
    assert!(
        told.eq(expected.iter().map(|(operation, by)| (operation, *by))),
        "{history}"
    );
    let again = rest
        .store(&conversation("t", &["I got promoted to senior engineer at Google."]))
        .await;
    assert_eq!(again["memories"][0]["operation"], "unchanged", "it is known again");

    let answer = delete(&rest, &senior, "backup=false").await.ok();
    assert_eq!(answer["restored"], json!([engineer]));
    let answer = delete(&rest, &engineer, "").await.ok();
    assert!(answer.get("restored").is_none(), "{answer}");
    assert!(held(&rest).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_back_where_it_is_not_wanted_or_something_newer_is_left() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let [engineer, senior, meta] = career(&rest).await;
    let answer = delete(&rest, &senior, "").await.ok();
    assert!(answer.get("restored").is_none(), "{answer}");
    assert_eq!(held(&rest).await, [meta.as_str()]);
    let history = rest.get(&format!("/v1/memories/{meta}/history")).await.ok();
    assert_eq!(
        history["supersedes"],
        json!([engineer]),
        "it took the place of what that one had replaced"
    );
    restore(&rest, &answer).await;
    assert_eq!(held(&rest).await, [meta.as_str()], "it comes back as what was replaced");

    let answer = delete(&rest, &meta, "restore_superseded=false").await.ok();
    assert!(answer.get("restored").is_none(), "{answer}");
    assert!(held(&rest).await.is_empty());
    restore(&rest, &answer).await;
    assert_eq!(held(&rest).await, [meta.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_brings_back_the_newest_that_is_left() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let [engineer, senior, meta] = career(&rest).await;
    let both = json!({"memory_ids": [senior, meta]});
    let answer = rest.post("/v1/memories/batch-delete", &both).await.ok();
    assert_eq!(answer["restored"], json!([engineer]));
    assert_eq!(held(&rest).await, [engineer.as_str()]);
    restore(&rest, &answer).await;
    assert_eq!(held(&rest).await, [meta.as_str()], "one value holds");
    let kept = json!({"memory_ids": [senior, meta], "restore_superseded": false});
    let answer = rest.post("/v1/memories/batch-delete", &kept).await.ok();
    assert!(answer.get("restored").is_none(), "{answer}");
    assert!(held(&rest).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_brought_back_leaves_one_current_value() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let [_, senior, meta] = career(&rest).await;
    let deleted = delete(&rest, &meta, "").await.ok();
    restore(&rest, &deleted).await;
    assert_eq!(
        held(&rest).await,
        [meta.as_str()],
        "what had come back is replaced again"
    );

    let deleted = delete(&rest, &meta, "").await.ok();
    let earlier = delete(&rest, &senior, "").await.ok();
    restore(&rest, &deleted).await;
    assert_eq!(held(&rest).await, [meta.as_str()], "also where one between is gone");
    restore(&rest, &earlier).await;
    assert_eq!(held(&rest).await, [meta.as_str()]);

    let deleted = delete(&rest, &meta, "").await.ok();
    let stored = rest.store(&conversation("t", &["I joined Spotify."])).await;
    let spotify = stored["memories"][0]["id"].as_str().unwrap();
    assert_eq!(held(&rest).await, [spotify]);
    restore(&rest, &deleted).await;
    assert_eq!(held(&rest).await, [spotify], "what was told since is newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_brings_nothing_back() {
    let server = TestServer::start().await;
    let rest = server.ada().await.with("x-user-id", "p1");
    career(&rest).await;
    let erased = rest.delete("/v1/users/p1/data").await.ok();
    assert_eq!(erased["erased"]["memories"], 3);
    assert!(held(&rest).await.is_empty());
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
