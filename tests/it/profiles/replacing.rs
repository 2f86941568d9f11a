//! A bio that lost a memory is given on without it until the new one is written.

use serde_json::{Value, json};

use super::{LIFE, bio, id_of, told};
use crate::support::{Rest, TestServer, conversation};

const SEARCH: &str = "What does she do?";

async fn found(ada: &Rest) -> Value {
    ada.post("/v1/memories/search", &json!({"query": SEARCH})).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_search_after_a_replacement_has_a_bio_without_what_was_replaced() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    // More than once: whoever writes it anew in the background can be faster than a search.
    for person in ["nora", "nina", "nell", "nuri"] {
        let store = async |thread: &str, words: &[&str]| {
            let mut story = conversation(thread, words);
            story["user_id"] = person.into();
            ada.store(&story).await
        };
        store("life", &LIFE).await;
        let path = format!("/v1/profile/bio?user_id={person}");
        let bio = async || ada.get(&path).await.ok()["bio"].as_str().unwrap().to_owned();
        assert!(bio().await.contains("Fjord Boats"));
        let stored = store("later", &["I joined Harbour Yachts as a carpenter."]).await;
        assert_eq!(stored["memories_updated"], 1, "{stored}");
        let search = json!({"query": SEARCH, "user_id": person});
        let answer = ada.post("/v1/memories/search", &search).await.ok();
        let text = answer["user_bio"]
            .as_str()
            .unwrap_or_else(|| panic!("no bio: {answer}"));
        assert!(!text.contains("Fjord Boats") && text.contains("rowing"), "{text}");
        let written = bio().await;
        assert!(
            written.contains("Harbour Yachts") && written.contains("rowing"),
            "{written}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_or_made_private_leaves_the_bio_of_the_next_search_and_the_rest_stays() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let memories = told(&ada).await;
    assert!(bio(&ada).await.contains("cello"));
    let cello = id_of(&memories, "cello");
    ada.delete(&format!("/v1/memories/{cello}?backup=false")).await.ok();
    let text = found(&ada).await["user_bio"].as_str().unwrap().to_owned();
    assert!(!text.contains("cello") && text.contains("Finnish"), "{text}");
    assert!(bio(&ada).await.contains("rowing"));
    assert_eq!(server.traces_of("cello"), 0);

    let sister = id_of(&memories, "Anna");
    let private = json!({"category": "private"});
    ada.patch(&format!("/v1/memories/{sister}"), &private).await.ok();
    let text = found(&ada).await["user_bio"].as_str().unwrap().to_owned();
    assert!(!text.contains("Anna") && text.contains("rowing"), "{text}");
    assert!(bio(&ada).await.contains("rowing"));
    let history = ada.get("/v1/profile/history").await.ok();
    assert!(
        !history.to_string().contains("Anna") && history.to_string().contains("rowing"),
        "{history}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_deleted_stands_in_no_sentence_any_more() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let memories = told(&ada).await;
    assert!(bio(&ada).await.contains("Nora"));
    let named: Vec<&Value> = memories
        .iter()
        .filter(|m| m["memory"].as_str().unwrap().contains("Nora"))
        .collect();
    for memory in &named {
        ada.delete(&format!("/v1/memories/{}?backup=false", memory["id"].as_str().unwrap()))
            .await
            .ok();
    }
    assert!(!found(&ada).await.to_string().contains("Nora"));
    assert!(!bio(&ada).await.contains("Nora"));
    let history = ada.get("/v1/profile/history").await.ok();
    assert!(!history.to_string().contains("Nora"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_told_again_leaves_the_bio_as_it_is() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    told(&ada).await;
    let written = bio(&ada).await;
    let again = ada
        .store(&conversation("again", &["I love rowing on the fjord."]))
        .await;
    assert_eq!(again["memories"][0]["operation"], "unchanged", "{again}");
    assert_eq!(found(&ada).await["user_bio"], written);
    let history = ada.get("/v1/profile/history").await.ok();
    assert_eq!(history["snapshots"].as_array().unwrap().len(), 1);
}
