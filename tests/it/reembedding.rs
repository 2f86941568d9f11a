//! After a change of the embedder every memory gets a vector of the new one, while others store, change, search and
//! erase: what is found is the same all the time, and no vector tells of what a memory says no longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memsync::model::{AccountId, Clock, Filter, Memory, Owner, quantised};
use memsync::providers::{EmbedError, Embedder};
use memsync::services::{
    EmbeddingCount, EmbeddingService, MemoryService, Pruning, Reembedded, Reembedding, SearchRequest,
};
use memsync::store::{AddedEmbeddings, EmbeddedPage, Place};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use serde_json::json;

use crate::process::{self, BOUND, Process, eventually, memsync};
use crate::support::{DEFAULT_SCOPES, OtherEmbedder, Rest, TestServer, conversation};

const SECRET: &str = "My password is Quokka-Bartholomew-9.";
const FACTS: [&str; 5] = [
    "I work as a baker in Porto.",
    "I love hiking in the mountains.",
    "My sister Clara lives in Berlin.",
    "I am allergic to peanuts.",
    SECRET,
];

/// An embedder that knows letters only: how often each is in a text.
struct Letters;

#[tonic::async_trait]
impl Embedder for Letters {
    fn model(&self) -> &str {
        "letters@1"
    }

    fn dimensions(&self) -> usize {
        26
    }

    async fn encode_documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vector = |text: &&str| {
            let mut counts = [0_f32; 26];
            for letter in text.bytes().filter(u8::is_ascii_alphabetic) {
                counts[usize::from(letter.to_ascii_lowercase() - b'a')] += 1.0;
            }
            let length = counts.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
            counts.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}

fn with_letters(server: &TestServer) -> OtherEmbedder {
    OtherEmbedder::of(server, Arc::new(Letters))
}

async fn database(server: &TestServer) -> DatabaseConnection {
    Database::connect(server.database.url(server.dir.path())).await.unwrap()
}

/// Stores the facts for a person; the ids.
async fn store(rest: &Rest, user_id: &str) -> Vec<String> {
    let mut body = conversation("t", &FACTS);
    body["user_id"] = user_id.into();
    let stored = rest.store(&body).await;
    let memories = stored["memories"].as_array().unwrap();
    assert_eq!(memories.len(), FACTS.len(), "{stored}");
    memories
        .iter()
        .map(|memory| memory["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn account(rest: &Rest) -> AccountId {
    let me = rest.get("/v1/auth/me").await.ok();
    AccountId::from_stored(me["user_id"].as_str().unwrap())
}

async fn answers(rest: &Rest, people: &[&str]) -> Vec<String> {
    let mut answers = Vec::new();
    for user_id in people {
        for query in ["work", "the mountains", "password", "Clara"] {
            for rerank in [false, true] {
                let body = json!({"query": query, "user_id": user_id, "rerank": rerank, "limit": 10});
                answers.push(json!(rest.search(&body).await).to_string());
            }
        }
    }
    answers
}

async fn found_by(service: &MemoryService, account_id: &AccountId, user_id: &str) -> Vec<(String, f32)> {
    let mut found = Vec::new();
    for query in ["work", "the mountains", "password", "Clara"] {
        let request = SearchRequest {
            owner: Owner {
                account_id: account_id.clone(),
                user_id: user_id.to_owned(),
            },
            query: query.to_owned(),
            limit: 10,
            rerank: false,
            explain: false,
            include_bio: false,
            filter: Filter::default(),
            as_of: None,
        };
        let hits = service.search(request).await.unwrap().hits;
        found.extend(hits.iter().map(|hit| (hit.memory.text.clone(), hit.vector_distance)));
    }
    found
}

/// Walks until nothing lacks a vector; how many were stored.
async fn reembed(service: &Arc<EmbeddingService>) -> u64 {
    let mut stored = 0;
    while service.count().await.unwrap().missing > 0 {
        let mut walk = Reembedding::new(Arc::clone(service));
        while let Some(step) = walk.step().await.unwrap() {
            stored += step.stored;
        }
    }
    stored
}

/// Fails unless every memory of the account has the vector of what it says, and those are all.
async fn every_vector_is_of_its_text(server: &TestServer, account_id: &AccountId) {
    let store = &server.running.app.store;
    let page = page(server, account_id).await;
    assert_eq!(page.missing, []);
    for (account, ids) in page.present {
        let vectors = store
            .embeddings_of(&account, Letters.model(), ids.iter())
            .await
            .unwrap();
        assert_eq!(vectors.len(), ids.len());
        for read in store.unembedded(&account, &ids).await.unwrap() {
            let Memory { id, text, .. } = &read.memory;
            let expected = quantised(&Letters.encode_query(text).await.unwrap());
            assert_eq!(quantised(&vectors[id]), expected, "{text}");
        }
    }
    let stray = "SELECT count(*) FROM embeddings e WHERE NOT EXISTS (SELECT 1 FROM memories m
        WHERE m.account_id = e.account_id AND m.id = e.memory_id)";
    assert_eq!(count(&database(server).await, stray).await, 0);
}

async fn page(server: &TestServer, account_id: &AccountId) -> EmbeddedPage {
    let store = &server.running.app.store;
    let page = store
        .embedded_after(Letters.model(), &Place::default(), 1_000)
        .await
        .unwrap();
    let mut page = page.unwrap();
    page.present.retain(|(account, _)| account == account_id);
    page.missing.retain(|(account, _)| account == account_id);
    page
}

async fn count(database: &DatabaseConnection, sql: &str) -> i64 {
    let backend = database.get_database_backend();
    let statement = sea_orm::Statement::from_string(backend, sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_the_same_before_during_and_after() {
    let server = TestServer::start().await;
    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    let mut accounts = Vec::new();
    for rest in [server.ada().await, server.rest(&grace.secret)] {
        store(&rest, "p1").await;
        store(&rest, "p2").await;
        accounts.push(account(&rest).await);
    }
    let found = async |service: &MemoryService| {
        let mut found = Vec::new();
        for account in &accounts {
            found.extend(found_by(service, account, "p2").await);
        }
        found
    };
    let letters = with_letters(&server);
    let before = found(&letters.memories).await;
    assert!(
        before.len() > 16 && before.iter().any(|(text, _)| text.contains("Quokka")),
        "{before:?}"
    );
    let (missing, total) = (20, 20);
    assert_eq!(
        letters.embeddings.count().await.unwrap(),
        EmbeddingCount { missing, total }
    );

    let mut walk = Reembedding::new(Arc::clone(&letters.embeddings));
    let mut steps = Vec::new();
    while let Some(step) = walk.step().await.unwrap() {
        steps.push(step.stored);
        assert_eq!(found(&letters.memories).await, before, "with the index of before");
        assert_eq!(found(&with_letters(&server).memories).await, before, "read anew");
    }
    assert_eq!(steps, [0, 10, 10], "looks for them, then account by account");
    let missing = 0;
    assert_eq!(
        letters.embeddings.count().await.unwrap(),
        EmbeddingCount { missing, total }
    );
    let database = database(&server).await;
    let private = "SELECT count(*) FROM embeddings WHERE is_sealed AND model = 'letters@1/i8'";
    assert_eq!(
        count(&database, private).await,
        4,
        "vectors of private memories are sealed"
    );

    let mut pruning = Pruning::new(Arc::clone(&letters.embeddings));
    let mut deleted = 0;
    while let Some(step) = pruning.step().await.unwrap() {
        deleted += step;
    }
    assert_eq!(deleted, 20);
    let others = "SELECT count(*) FROM embeddings WHERE model <> 'letters@1/i8'";
    assert_eq!(count(&database, others).await, 0);
    for account in &accounts {
        every_vector_is_of_its_text(&server, account).await;
    }
    assert_eq!(found(&with_letters(&server).memories).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_that_changed_since_it_was_read_gets_no_vector_of_what_it_said() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let ids = store(&rest, "p1").await;
    store(&rest, "gone").await;
    let account = account(&rest).await;
    let app = &server.running.app;
    let (_, all) = page(&server, &account).await.missing.remove(0);
    let read = app.store.unembedded(&account, &all).await.unwrap();
    assert_eq!(read.len(), 10);

    let path = |number: usize| format!("/v1/memories/{}?user_id=p1", ids[number]);
    rest.patch(&path(0), &json!({"content": "User works as a carpenter in Oslo."}))
        .await
        .ok();
    rest.delete(&path(1)).await.ok();
    let becomes_private = json!({"categories": ["relationships", "private"]});
    rest.patch(&path(2), &becomes_private).await.ok();
    rest.delete("/v1/users/gone/data").await.ok();
    let texts: Vec<&str> = read.iter().map(|read| read.memory.text.as_str()).collect();
    let vectors = Letters.encode_documents(&texts).await.unwrap();
    for expected in [
        AddedEmbeddings { stored: 2, changed: 8 },
        AddedEmbeddings { stored: 0, changed: 8 },
    ] {
        let transaction = app.store.begin().await.unwrap();
        let added = transaction
            .add_embeddings(&account, Letters.model(), &read, &vectors)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(added, expected, "two that nobody touched, once");
    }
    assert_eq!(
        page(&server, &account).await.missing[0].1.len(),
        2,
        "the changed ones lack one"
    );

    assert_eq!(reembed(&with_letters(&server).embeddings).await, 2);
    every_vector_is_of_its_text(&server, &account).await;
    let sealed = "SELECT count(*) FROM embeddings WHERE is_sealed AND model = 'letters@1/i8'";
    assert_eq!(count(&database(&server).await, sealed).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_changes_a_memory_waits_for_a_vector_of_it_that_is_being_stored() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let ids = store(&rest, "p1").await;
    let account = account(&rest).await;
    let app = &server.running.app;
    let (_, all) = page(&server, &account).await.missing.remove(0);
    let read = app.store.unembedded(&account, &all).await.unwrap();
    let texts: Vec<&str> = read.iter().map(|read| read.memory.text.as_str()).collect();
    let vectors = Letters.encode_documents(&texts).await.unwrap();

    let transaction = app.store.begin().await.unwrap();
    let model = Letters.model();
    let added = transaction.add_embeddings(&account, model, &read, &vectors).await;
    let (stored, changed) = (5, 0);
    assert_eq!(added.unwrap(), AddedEmbeddings { stored, changed });
    let path = format!("/v1/memories/{}?user_id=p1", ids[0]);
    let change = json!({"content": "User works as a carpenter in Oslo."});
    let mut changing = tokio::spawn(async move { rest.patch(&path, &change).await.ok() });
    // Where nothing holds it back, it is done by then, and misses the vector.
    let held_back = tokio::time::timeout(Duration::from_millis(500), &mut changing).await;
    transaction.commit().await.unwrap();
    if held_back.is_err() {
        changing.await.unwrap();
    }
    assert_eq!(
        reembed(&with_letters(&server).embeddings).await,
        1,
        "the change took the vector away"
    );
    every_vector_is_of_its_text(&server, &account).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_writers_two_walks_at_once_leave_no_stale_and_no_stray_vector() {
    const PEOPLE: usize = 24;
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let account = account(&rest).await;
    let mut ids = BTreeMap::new();
    for person in 0..PEOPLE {
        let user_id = format!("p{person}");
        ids.insert(user_id.clone(), store(&rest, &user_id).await);
    }
    let letters = with_letters(&server);
    let writing = async {
        for (number, (user_id, ids)) in ids.iter().enumerate() {
            let change = json!({"content": format!("User works as a carpenter in hall {number}.")});
            rest.patch(&format!("/v1/memories/{}?user_id={user_id}", ids[0]), &change)
                .await
                .ok();
            rest.delete(&format!("/v1/memories/{}?user_id={user_id}", ids[1]))
                .await
                .ok();
            if number % 4 == 0 {
                rest.delete(&format!("/v1/users/{user_id}/data")).await.ok();
            }
        }
    };
    let walk = || {
        let embeddings = Arc::clone(&letters.embeddings);
        async move {
            let mut walked: Vec<Reembedded> = Vec::new();
            for _ in 0..3 {
                let mut walk = Reembedding::new(Arc::clone(&embeddings));
                while let Some(step) = walk.step().await.unwrap() {
                    walked.push(step);
                }
            }
            walked
        }
    };
    let (first, second) = (tokio::spawn(walk()), tokio::spawn(walk()));
    writing.await;
    let walked = [first.await.unwrap(), second.await.unwrap()].concat();
    assert!(walked.iter().map(|step| step.stored).sum::<u64>() > 0, "{walked:?}");
    reembed(&letters.embeddings).await;
    every_vector_is_of_its_text(&server, &account).await;
    let page = page(&server, &account).await;
    let left: usize = page.present.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(
        left,
        (PEOPLE - PEOPLE / 4) * (FACTS.len() - 1),
        "what was erased does not come back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_does_it_by_itself_and_answers_the_same_meanwhile() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let people = ["p1", "p2"];
    for user_id in people {
        store(&rest, user_id).await;
    }
    let before = answers(&rest, &people).await;
    let database = database(&server).await;
    let size = "SELECT sum(length(vector)) FROM embeddings WHERE NOT is_sealed";
    assert_eq!(count(&database, size).await, 8 * 256, "a byte a dimension");
    // What vectors of an older version look like.
    let aged = database
        .execute_unprepared("UPDATE embeddings SET model = 'table@0'")
        .await
        .unwrap();
    assert_eq!(aged.rows_affected(), 10);
    let server = server.restart_with(|_| {}, Clock::system()).await;
    let rest = server.ada().await;
    assert_eq!(answers(&rest, &people).await, before);
    eventually("every memory has a vector of its model", BOUND, async || {
        let current = "SELECT count(*) FROM embeddings WHERE model <> 'table@0'";
        (count(&database, current).await == 10).then_some(())
    })
    .await;
    assert_eq!(answers(&rest, &people).await, before);
    let server = server.restart_with(|_| {}, Clock::system()).await;
    assert_eq!(
        answers(&server.ada().await, &people).await,
        before,
        "read from what was stored"
    );
    let aged = "SELECT count(*) FROM embeddings WHERE model = 'table@0'";
    assert_eq!(
        count(&database, aged).await,
        10,
        "the old ones stay until they are pruned"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_says_how_many_does_it_and_forgets_the_others() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let rest = process::Rest::new(server.url(), &server.first_key());
    let mut body = conversation("t", &FACTS);
    body["user_id"] = "ada".into();
    assert_eq!(rest.post("/v1/memories", &body).await.unwrap().0, 200);
    let search = async |rest: &process::Rest| {
        let body = json!({"query": "work", "user_id": "ada", "rerank": true});
        let (status, mut found) = rest.post("/v1/memories/search", &body).await.unwrap();
        assert_eq!(status, 200, "{found}");
        found["memories"].take()
    };
    let before = search(&rest).await;
    server.stop().expect_success("SIGTERM");
    let url = format!("sqlite://{}", data.path().join("memsync.db").display());
    let age = async || {
        let database = Database::connect(&url).await.unwrap();
        let aged = database
            .execute_unprepared("UPDATE embeddings SET model = 'table@0'")
            .await
            .unwrap();
        database.close().await.unwrap();
        assert_eq!(aged.rows_affected(), FACTS.len() as u64);
    };
    age().await;
    let run = |arguments: &[&str]| {
        let arguments = [&["reembed"], arguments].concat();
        memsync(data.path(), &[], &arguments).expect_success("reembed").stdout
    };
    assert!(run(&["--dry-run"]).starts_with("5 of 5 memories have no vector of "));
    let done = run(&["--prune"]);
    assert!(done.starts_with("embedded 5 memories with "), "{done}");
    assert!(done.ends_with("forgot 5 vectors of other models\n"), "{done}");
    assert!(run(&["--dry-run"]).starts_with("0 of 5 memories have no vector of "));
    assert!(run(&[]).starts_with("embedded 0 memories with "));

    age().await;
    let server = Process::start(data.path());
    let rest = process::Rest::new(server.url(), rest.key());
    // Beside the server, which is at the same.
    let both: Vec<String> = std::thread::scope(|scope| {
        let both = [scope.spawn(|| run(&["--prune"])), scope.spawn(|| run(&["--prune"]))];
        both.map(|thread| thread.join().unwrap()).into()
    });
    assert!(both.iter().all(|said| said.starts_with("embedded ")), "{both:?}");
    assert_eq!(search(&rest).await, before);
    assert!(run(&["--dry-run"]).starts_with("0 of 5 memories have no vector of "));
    server.stop().expect_success("SIGTERM");
    let server = Process::start(data.path());
    assert_eq!(search(&process::Rest::new(server.url(), rest.key())).await, before);
}
