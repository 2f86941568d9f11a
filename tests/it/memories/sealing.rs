//! What is private is kept encrypted: the files hold no word of it, and without its account's key nobody reads it.

use serde_json::json;

use crate::process::{self, Process, memsync};
use crate::support::{PASSWORD, TestServer, conversation, field};

const SECRET: &str = "My password is Quokka-Bartholomew-9.";

#[tokio::test(flavor = "multi_thread")]
async fn no_file_holds_a_private_memory_in_the_clear_and_search_finds_it() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let mut body = conversation("t", &["I like long theodolites.", SECRET]);
    body["metadata"] = json!({"note": "zymurgy"});
    let stored = rest.store(&body).await;
    let secret = &stored["memories"][1];
    assert_eq!(secret["categories"].as_array().unwrap().last(), Some(&json!("private")));
    assert!(server.traces_of("theodolites") > 0, "these are the files");
    for word in ["quokka", "bartholomew"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
    let id = secret["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/memories/{id}");
    // Its metadata is sealed as well; that of the memory beside it is not.
    rest.delete(&format!(
        "/v1/memories/{}?backup=false",
        stored["memories"][0]["id"].as_str().unwrap()
    ))
    .await
    .ok();
    assert_eq!(server.traces_of("zymurgy"), 0);
    assert_eq!(rest.get(&path).await.ok()["metadata"], json!({"note": "zymurgy"}));

    rest.patch(
        &path,
        &json!({"content": "User's password is Wombat-Ferdinand-3.", "metadata": {"a": "pangolin"}}),
    )
    .await
    .ok();
    for word in ["quokka", "wombat", "ferdinand", "pangolin", "zymurgy"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
    for rerank in [false, true] {
        let found = rest
            .search(&json!({"query": "password", "rerank": rerank, "metadata": {"a": "pangolin"}}))
            .await;
        assert_eq!(field(&found, "memory"), ["User's password is Wombat-Ferdinand-3."]);
    }
    let history = rest.get(&format!("{path}/history")).await.ok();
    assert!(
        history["versions"][0]["memory"]
            .as_str()
            .unwrap()
            .contains("Quokka-Bartholomew-9")
    );

    // A server that has just started reads it from the files.
    let server = server.restart_with(|_| {}, memsync::model::Clock::system()).await;
    let rest = server.ada().await;
    let found = rest.search(&json!({"query": "password", "rerank": true})).await;
    assert_eq!(field(&found, "id"), [id.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_becomes_private_is_sealed_with_what_it_was_before() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let stored = rest.store(&conversation("t", &["I collect theodolites."])).await;
    let path = format!("/v1/memories/{}", stored["memories"][0]["id"].as_str().unwrap());
    rest.patch(&path, &json!({"content": "User collects sextants."}))
        .await
        .ok();
    assert!(server.traces_of("theodolite") > 0 && server.traces_of("sextant") > 0);
    let before = rest.get(&format!("{path}/history")).await.ok();
    rest.patch(&path, &json!({"categories": ["interests", "private"]}))
        .await
        .ok();
    // What a change overwrote is gone from the log with the next checkpoint, as after every deletion.
    server.running.app.memories.purge().await.unwrap();
    for word in ["theodolite", "sextant"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
    let after = rest.get(&format!("{path}/history")).await.ok();
    assert_eq!(after["versions"][0], before["versions"][0]);
    assert_eq!(after["versions"][1], before["versions"][1]);
    assert_eq!(after["versions"][2]["operation"], "reclassified");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_deletes_the_account_deletes_the_key() {
    let server = TestServer::start().await;
    let person = server.register("ada@example.com").await;
    let rest = server.bearer(&person.access_token);
    rest.store(&conversation("t", &[SECRET])).await;
    let body = json!({"password": PASSWORD});
    let deleted = rest.call("DELETE", "/v1/auth/me", &body).await.ok();
    let receipt = server
        .running
        .app
        .receipts
        .verify(deleted["receipt"].as_str().unwrap())
        .unwrap();
    assert_eq!(receipt.sub, person.user_id);
    for word in ["quokka", "bartholomew", "ada@example.com"] {
        assert_eq!(server.traces_of(word), 0, "{word}");
    }
    // The same person again has another key and none of the memories.
    let again = server.register("ada@example.com").await;
    let rest = server.bearer(&again.access_token);
    assert!(rest.list("").await.is_empty());
    rest.store(&conversation("t", &[SECRET])).await;
    assert_eq!(rest.search(&json!({"query": "password"})).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_key_opens_everything_while_the_server_runs_and_the_old_one_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let key = server.first_key();
    let rest = process::Rest::new(server.url(), &key);
    let secret = conversation("t", &[SECRET]);
    assert_eq!(rest.post("/v1/memories", &secret).await.unwrap().0, 200);
    let old = std::fs::read(data.path().join("master_key")).unwrap();
    memsync(data.path(), &[], &["rotate-master-key"]).expect_success("rotate-master-key");
    let new = std::fs::read(data.path().join("master_key")).unwrap();
    assert_ne!(old, new);
    assert!(!data.path().join("master_key.new").exists());
    let pin = conversation("u", &["My PIN is 4821."]);
    assert_eq!(rest.post("/v1/memories", &pin).await.unwrap().0, 200);
    let found = rest
        .post("/v1/memories/search", &json!({"query": "password"}))
        .await
        .unwrap();
    assert_eq!(found.1["memories"].as_array().unwrap().len(), 2);
    server.stop().expect_success("SIGTERM");

    let server = Process::start(data.path());
    let rest = process::Rest::new(server.url(), &key);
    let listed = rest.get("/v1/memories").await.unwrap();
    assert_eq!(listed.1["data"].as_array().unwrap().len(), 2, "{}", listed.1);
    server.stop().expect_success("SIGTERM");

    std::fs::write(data.path().join("master_key"), old).unwrap();
    let server = Process::start(data.path());
    server.wait_for_log("private memories and backups can't be read");
    let rest = process::Rest::new(server.url(), &key);
    let (status, answer) = rest.get("/v1/memories").await.unwrap();
    assert_eq!(
        (status, &answer["error"]["code"]),
        (503, &json!("SERVICE_UNAVAILABLE")),
        "{answer}"
    );
    server.stop().expect_success("SIGTERM");
}
