//! Standing wishes about how the assistant behaves are told from other memories.

use memsync::proto::v1 as pb;
use serde_json::{Value, json};

use crate::support::{DEFAULT_SCOPES, Hand, Rest, TestServer, conversation, field};

const WISH: &str = "Always answer me in metric units.";
const FACT: &str = "I work as a nurse.";

async fn both(rest: &Rest) -> [Value; 2] {
    let stored = rest.store(&conversation("t", &[WISH, FACT])).await;
    let memories = stored["memories"].as_array().unwrap().clone();
    memories.try_into().unwrap_or_else(|_| panic!("{stored}"))
}

fn path(memory: &Value) -> String {
    format!("/v1/memories/{}", memory["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_marked_wherever_it_is_shown_and_lists_and_searches_can_ask_for_either() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await;
    let rest = server.rest(&key.secret);
    let [wish, fact] = both(&rest).await;
    assert_eq!(
        (&wish["instruction"], &fact["instruction"]),
        (&json!(true), &json!(false))
    );
    let later = "2100-01-01T00:00:00Z";
    let mut client = server.memories(&[("x-api-key", &key.secret)]);
    for (is_instruction, memory) in [(true, &wish), (false, &fact)] {
        let shown = rest.get(&path(memory)).await.ok();
        assert_eq!(shown["instruction"], is_instruction);
        let filter = format!("instruction={is_instruction}");
        assert_eq!(rest.list(&filter).await, std::slice::from_ref(&shown));
        assert_eq!(rest.list(&format!("{filter}&as_of={later}")).await, [shown]);
        let search = json!({"query": "the user", "instruction": is_instruction});
        for more in [json!({}), json!({"rerank": true}), json!({"as_of": later})] {
            let mut search = search.clone();
            search
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let found = rest.search(&search).await;
            assert_eq!(field(&found, "id"), [memory["id"].as_str().unwrap()], "{search}");
            assert_eq!(found[0]["instruction"], is_instruction);
        }
        let request = pb::ListMemoriesRequest {
            instruction: Some(is_instruction),
            ..Default::default()
        };
        let listed = client.list_memories(request).await.unwrap().into_inner().data;
        let listed: Vec<_> = listed
            .iter()
            .map(|memory| (memory.id.as_str(), memory.instruction))
            .collect();
        assert_eq!(listed, [(memory["id"].as_str().unwrap(), is_instruction)]);
    }
    assert_eq!(rest.list("").await.len(), 2);
    rest.get("/v1/memories?instruction=maybe")
        .await
        .failure(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_what_a_memory_is_and_the_past_stays_as_it_was() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let [_, fact] = both(&rest).await;
    let before = hand.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    hand.forward(10);
    let changed = rest.patch(&path(&fact), &json!({"instruction": true})).await.ok();
    let expected = json!({
        "memory_id": fact["id"], "content": fact["memory"], "category": fact["categories"][0],
        "categories": fact["categories"], "memory_type": fact["type"], "instruction": true,
        "importance": fact["importance"], "created_at": fact["created_at"], "updated_at": changed["updated_at"],
        "version": 2,
    });
    assert_eq!(changed, expected);
    let same = rest.patch(&path(&fact), &json!({"instruction": true})).await.ok();
    assert_eq!(same, changed, "nothing changed");
    let renamed = rest
        .patch(&path(&fact), &json!({"content": "User is a nurse."}))
        .await
        .ok();
    assert_eq!(renamed["instruction"], true);

    let history = rest.get(&format!("{}/history", path(&fact))).await.ok();
    let versions = history["versions"].as_array().unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|v| (v["operation"].as_str().unwrap(), v["instruction"] == true))
        .collect();
    assert_eq!(told, [("added", false), ("reclassified", true), ("updated", true)]);

    assert_eq!(rest.list("instruction=false").await.len(), 0);
    let then = rest.list(&format!("instruction=false&as_of={before}")).await;
    assert_eq!((&then[0]["id"], &then[0]["instruction"]), (&fact["id"], &json!(false)));
    let search = json!({"query": "nurse", "instruction": false, "as_of": before});
    assert_eq!(field(&rest.search(&search).await, "memory"), ["User works as a nurse."]);
    let details = rest.patch(&path(&fact), &json!({"instruction": "yes"})).await;
    assert_eq!(details.failure(400, "VALIDATION_ERROR")["field"], "instruction");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_one_still_when_it_comes_back_from_a_backup() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let [wish, _] = both(&rest).await;
    let before = rest.get(&path(&wish)).await.ok();
    let deleted = rest.delete(&path(&wish)).await.ok();
    let backup = deleted["backup_id"].as_str().unwrap();
    rest.post(&format!("/v1/backups/{backup}/restore"), &json!({}))
        .await
        .ok();
    assert_eq!(rest.get(&path(&wish)).await.ok(), before);
    assert_eq!(rest.list("instruction=true").await, [before]);
}
