//! No acknowledged write is lost, however the process dies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::process::{BOUND, Process, Rest};

const ROUNDS: usize = 3;
const WRITERS: usize = 6;
/// Acknowledgements after which the server is killed.
const ENOUGH: usize = 60;

/// Memories that a server acknowledged: text by id, of one person.
pub type Acknowledged = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_9_during_a_stream_of_stores_loses_no_acknowledged_memory() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path());
    let key = server.first_key();
    let mut acknowledged: Vec<Acknowledged> = vec![Acknowledged::new(); WRITERS];
    for round in 0..ROUNDS {
        let total = Arc::new((AtomicUsize::new(0), Notify::new()));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let rest = Rest::new(server.url(), &key);
                tokio::spawn(write_until_it_dies(rest, round, writer, Arc::clone(&total)))
            })
            .collect();
        tokio::time::timeout(BOUND, total.1.notified()).await.unwrap();
        // The writers are in the middle of their next stores.
        server.kill();
        for (writer, task) in writers.into_iter().enumerate() {
            acknowledged[writer].extend(task.await.unwrap());
        }

        server = Process::start(data.path());
        let rest = Rest::new(server.url(), &key);
        for (writer, memories) in acknowledged.iter().enumerate() {
            assert!(!memories.is_empty(), "writer {writer} was never acknowledged");
            every_one_is_found(&rest, writer, memories).await;
        }
    }
}

/// A memory in the format of exports.
pub fn line(number: usize, user_id: &str) -> String {
    let time = "2026-01-01T00:00:00Z";
    let version = json!({"version": 1, "memory": "-", "type": "semantic", "categories": ["interests"],
        "operation": "added", "changed_by": "key_1", "changed_at": time});
    let memory = json!({"id": format!("mem_{number:032}"), "memory": format!("User owns kayak number {number}."),
        "type": "semantic", "categories": ["interests"], "importance": 0.5, "source": "s", "agent_id": "a",
        "thread_id": "t", "user_id": user_id, "version": 1, "created_at": time, "updated_at": time});
    json!({"format": 1, "memory": memory, "versions": [version]}).to_string() + "\n"
}

/// Kills a server `after` a request was sent, or when it answered. The server started again on the same data, and the
/// answer.
async fn killed_during(
    server: Process,
    data: &Path,
    after: Duration,
    request: impl Future<Output = reqwest::Result<(u16, Value)>> + Send + 'static,
) -> (Process, Option<(u16, Value)>) {
    let mut request = tokio::spawn(request);
    let answer = tokio::time::timeout(after, &mut request).await;
    server.kill();
    let answer = match answer {
        Ok(answered) => answered,
        Err(_) => request.await,
    };
    (Process::start(data), answer.unwrap().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_9_in_an_import_a_batch_deletion_or_an_erasure_leaves_all_or_nothing_or_goes_on() {
    const MANY: usize = 3_000;
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path());
    let key = server.first_key();
    let lines: String = (0..MANY).map(|number| line(number, "anna")).collect();
    let ids: Vec<String> = (0..1_000).map(|number| format!("mem_{number:032}")).collect();
    for round in 0..ROUNDS {
        // Later in each round, so that the end comes at different places.
        let after = Duration::from_millis(20 + 60 * round as u64);

        let (rest, body) = (Rest::new(server.url(), &key), lines.clone());
        let import = async move { rest.post_bytes("/v1/import", body).await };
        (server, _) = killed_during(server, data.path(), after, import).await;
        let rest = Rest::new(server.url(), &key);
        let before = list_all(&rest, "anna").await.len();
        let report = rest.post_bytes("/v1/import", lines.clone()).await.unwrap().1;
        assert_eq!(
            (&report["skipped"], &report["imported"]),
            (&json!(before), &json!(MANY - before)),
            "the same import goes on: {report}"
        );
        assert_eq!(list_all(&rest, "anna").await.len(), MANY);

        let body = json!({"memory_ids": ids, "user_id": "anna"});
        let (delete, sent) = (Rest::new(server.url(), &key), body.clone());
        let delete = async move { delete.post("/v1/memories/batch-delete", &sent).await };
        let answer;
        (server, answer) = killed_during(server, data.path(), after, delete).await;
        let rest = Rest::new(server.url(), &key);
        let left = list_all(&rest, "anna").await.len();
        assert!([MANY, MANY - ids.len()].contains(&left), "{left} are left of {MANY}");
        if answer.is_some() {
            assert_eq!(left, MANY - ids.len(), "an acknowledged deletion holds");
        }
        let search = json!({"query": "kayak number 7", "user_id": "anna"});
        assert_eq!(rest.post("/v1/memories/search", &search).await.unwrap().0, 200);

        let erase = async move { rest.delete("/v1/users/anna/data").await };
        (server, _) = killed_during(server, data.path(), after, erase).await;
        let rest = Rest::new(server.url(), &key);
        let left_now = list_all(&rest, "anna").await.len();
        assert!([0, left].contains(&left_now), "{left_now} are left of {left}");
        assert_eq!(rest.delete("/v1/users/anna/data").await.unwrap().0, 200);
        assert_eq!(list_all(&rest, "anna").await.len(), 0);
    }
}

async fn write_until_it_dies(
    rest: Rest,
    round: usize,
    writer: usize,
    total: Arc<(AtomicUsize, Notify)>,
) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for number in 0.. {
        let text = format!(
            "I bought a red kayak number {round}{number:04} in the town of {}.",
            town(number)
        );
        let body = json!({
            "messages": [{"role": "user", "content": text}], "user_id": person(writer),
            "agent_id": "crash", "thread_id": format!("{round}-{number}"), "source": "test",
        });
        let Ok((status, answer)) = rest.post("/v1/memories", &body).await else {
            return acknowledged; // The server is gone: this store was not acknowledged.
        };
        assert_eq!(status, 200, "{answer}");
        for memory in answer["memories"].as_array().unwrap() {
            acknowledged.insert(text_of(memory, "id"), text_of(memory, "memory"));
        }
        if total.0.fetch_add(1, Ordering::SeqCst) + 1 == ENOUGH {
            total.1.notify_one();
        }
    }
    acknowledged
}

async fn every_one_is_found(rest: &Rest, writer: usize, memories: &Acknowledged) {
    let person = person(writer);
    let listed = list_all(rest, &person).await;
    for (id, text) in memories {
        let (status, memory) = rest.get(&format!("/v1/memories/{id}?user_id={person}")).await.unwrap();
        assert_eq!(
            (status, &memory["memory"]),
            (200, &json!(text)),
            "{id} of {person} by id: {memory}"
        );
        assert_eq!(listed.get(id), Some(text), "{id} of {person} is not listed");
    }
    // Searching all of them would take longer than the rest of the test; these were the last before a crash.
    for (id, text) in memories.iter().rev().take(5) {
        let body = json!({"query": text, "limit": 100, "user_id": person});
        let (status, found) = rest.post("/v1/memories/search", &body).await.unwrap();
        assert_eq!(status, 200, "{found}");
        let found: Vec<&Value> = found["memories"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
        assert!(
            found.contains(&&json!(id)),
            "{id} of {person} ({text}) is not found: {found:?}"
        );
    }
}

/// The texts of all memories of a person, by id.
pub async fn list_all(rest: &Rest, person: &str) -> Acknowledged {
    let mut all = Acknowledged::new();
    for page in 1.. {
        let path = format!("/v1/memories?user_id={person}&page_size=100&page={page}");
        let (status, answer) = rest.get(&path).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        for memory in answer["data"].as_array().unwrap() {
            all.insert(text_of(memory, "id"), text_of(memory, "memory"));
        }
        if answer["pagination"]["has_next"] == false {
            break;
        }
    }
    all
}

fn person(writer: usize) -> String {
    format!("writer-{writer}")
}

pub fn text_of(memory: &Value, field: &str) -> String {
    memory[field].as_str().unwrap().to_owned()
}

pub fn town(number: usize) -> &'static str {
    ["Bergen", "Porto", "Gdansk", "Nantes", "Split", "Turku", "Cork"][number % 7]
}
