//! PostgreSQL answers as SQLite does: one scenario through the real binary on both, and the answers compared.

mod encrypted;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Process, Rest, eventually, memsync};
use crate::support::Postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_and_sqlite_give_the_same_answers() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let on_sqlite = scenario(a.path(), &[]).await;
    let on_postgres = scenario(b.path(), &[("MEMSYNC_DATABASE__URL", &url)]).await;
    assert!(!b.path().join("memsync.db").exists(), "nothing goes to SQLite");
    for ((step, sqlite), (_, postgres)) in on_sqlite.iter().zip(&on_postgres) {
        assert_eq!(sqlite, postgres, "{step}: left SQLite, right PostgreSQL");
    }
    assert_eq!(on_sqlite.len(), on_postgres.len());
}

#[test]
fn two_instances_can_start_at_once_on_an_empty_postgresql() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let settings = [("MEMSYNC_DATABASE__URL", url.as_str())];
    let start = |place: &tempfile::TempDir| Process::start_with(place.path(), &settings);
    let printed: Vec<String> = std::thread::scope(|scope| {
        let both = places.each_ref().map(|place| scope.spawn(move || start(place)));
        let both = both.map(|thread| thread.join().expect("an instance did not start"));
        both.map(|server| server.stop().expect_success("SIGTERM").stdout).into()
    });
    let keys = printed.iter().filter(|text| text.contains("memsync_sk_live_")).count();
    assert_eq!(keys, 1, "one instance makes the first account, and prints its key");
    let accounts = memsync(places[0].path(), &settings, &["user", "list"])
        .expect_success("user list")
        .stdout;
    assert_eq!(accounts.lines().count(), 2, "a header and one account: {accounts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_program_starts_and_stores_on_the_schema_of_a_newer_one() {
    let postgres = Postgres::start();
    let (data, url) = (tempfile::tempdir().unwrap(), postgres.url());
    let settings = [("MEMSYNC_DATABASE__URL", url.as_str())];
    let server = Process::start_with(data.path(), &settings);
    let key = server.first_key();
    server.stop().expect_success("SIGTERM");
    // What a newer one would leave: a change that this one does not know.
    postgres.sql("ALTER TABLE memories ADD COLUMN of_tomorrow text");
    postgres.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_tomorrow', 0)");
    let server = Process::start_with(data.path(), &settings);
    let rest = Rest::new(server.url(), &key);
    let body = json!({"messages": [{"role": "user", "content": "I live in Oslo."}], "agent_id": "a", "thread_id": "t",
        "source": "s"});
    let (status, answer) = rest.post("/v1/memories", &body).await.unwrap();
    assert_eq!((status, &answer["memories_created"]), (200, &json!(1)), "{answer}");
}

/// What is asked and answered; ids and times are replaced, for they differ from run to run.
async fn scenario(data: &Path, settings: &[(&str, &str)]) -> Vec<(String, Value)> {
    let settings = [settings, &[("MEMSYNC_BOOTSTRAP", "false")]].concat();
    let command = |arguments: &[&str]| {
        memsync(data, &settings, arguments)
            .expect_success(&arguments.join(" "))
            .stdout
    };
    let mut answers = Vec::new();
    for arguments in [
        ["migrate", "up"].as_slice(),
        &["migrate", "down", "3"],
        &["migrate", "status"],
        &["migrate", "down", "3"],
        &["migrate", "up"],
        &["migrate", "status"],
    ] {
        answers.push((arguments.join(" "), json!(command(arguments))));
    }
    let key = [
        "key",
        "create",
        "--email",
        "ada@example.com",
        "--name",
        "n",
        "--create-account",
        "--json",
    ];
    let key: Value = serde_json::from_str(&command(&key)).unwrap();
    let server = Process::start_with(data, &settings);
    let rest = Rest::new(server.url(), key["key"].as_str().unwrap());
    let anna = store(&rest, &mut answers, "anna", &ANNA).await;
    store(
        &rest,
        &mut answers,
        "ben",
        &["I work as a baker in Porto. I play the cello."],
    )
    .await;
    idempotency(&rest, &mut answers).await;
    searches(&rest, &mut answers).await;
    lists(&rest, &mut answers).await;
    profiles(&rest, &mut answers).await;

    for person in ["anna", "ben", ""] {
        let got = rest
            .get(&format!("/v1/memories/{}?user_id={person}", anna[0]))
            .await
            .unwrap();
        assert_eq!(
            got.0,
            if person == "anna" { 200 } else { 404 },
            "{person:?} reads Anna's memory: {}",
            got.1
        );
        record(&mut answers, format!("get as {person:?}"), got);
    }
    command(&["key", "revoke", key["api_key_id"].as_str().unwrap()]);
    eventually("the revoked key is refused", Duration::from_secs(4), async || {
        (rest.get("/v1/memories").await.unwrap().0 == 401).then_some(())
    })
    .await;
    server.stop().expect_success("SIGTERM");
    answers
}

const ANNA: [&str; 4] = [
    "I'm a software engineer at Google working on machine learning projects.",
    "I love hiking in my free time.",
    "My sister Clara visits me next week.",
    "I am allergic to peanuts.",
];

async fn store(rest: &Rest, answers: &mut Vec<(String, Value)>, person: &str, texts: &[&str]) -> Vec<String> {
    let body = body(person, "first", texts);
    let answer = rest.post("/v1/memories", &body).await.unwrap();
    assert_eq!(answer.0, 200, "{}", answer.1);
    let ids = ids(&answer.1["memories"]);
    assert!(!ids.is_empty(), "nothing was stored for {person}");
    record(answers, format!("store for {person}"), answer);
    ids
}

fn body(person: &str, thread: &str, texts: &[&str]) -> Value {
    let messages: Vec<Value> = texts
        .iter()
        .map(|text| json!({"role": "user", "content": text, "timestamp": "2026-03-02T10:00:00Z"}))
        .collect();
    json!({
        "messages": messages, "user_id": person, "agent_id": "agent", "thread_id": thread, "source": "test",
        "metadata": {"platform": "chat", "deep": {"number": 7, "half": 0.5, "list": [true, null, "é"]}},
    })
}

async fn idempotency(rest: &Rest, answers: &mut Vec<(String, Value)>) {
    let key = [("idempotency-key", "once")];
    let body = body("cleo", "second", &["I moved to Lisbon. I teach chemistry."]);
    let first = rest.post_with("/v1/memories", &body, &key).await.unwrap();
    let again = rest.post_with("/v1/memories", &body, &key).await.unwrap();
    assert_eq!((first.0, again.0), (200, 200), "{} {}", first.1, again.1);
    assert_eq!(
        ids(&first.1["memories"]),
        ids(&again.1["memories"]),
        "the first answer again"
    );
    assert_eq!(first.1["memories_created"], again.1["memories_created"]);
    let mut other = body;
    other["thread_id"] = json!("third");
    let conflict = rest.post_with("/v1/memories", &other, &key).await.unwrap();
    assert_eq!(
        (conflict.0, &conflict.1["error"]["code"]),
        (409, &json!("CONFLICT")),
        "{}",
        conflict.1
    );
    for (what, answer) in [
        ("store once", first),
        ("store again", again),
        ("another body", conflict),
    ] {
        record(answers, what.to_owned(), answer);
    }
}

async fn searches(rest: &Rest, answers: &mut Vec<(String, Value)>) {
    for question in [
        json!({"query": "What does the user do for work?", "user_id": "anna"}),
        json!({"query": "What does the user do for work?", "user_id": "ben"}),
        json!({"query": "What does the user do for work?", "user_id": "nobody"}),
        json!({"query": "free time", "user_id": "anna", "rerank": true, "limit": 2}),
        json!({"query": "user interests", "user_id": "anna", "categories": ["interests"]}),
        json!({"query": "family", "user_id": "anna", "type": "episodic"}),
        json!({"query": "anything", "user_id": "anna", "metadata": {"platform": "chat"}, "min_importance": 0.1}),
        json!({"query": "anything", "user_id": "anna", "metadata": {"platform": "other"}}),
        json!({"query": "anything", "user_id": "anna", "created_after": "2100-01-01T00:00:00Z"}),
    ] {
        let answer = rest.post("/v1/memories/search", &question).await.unwrap();
        assert_eq!(answer.0, 200, "{}", answer.1);
        record(answers, format!("search {question}"), answer);
    }
    let found = |number: usize| answers[answers.len() - 9 + number].1["memories"].to_string();
    assert!(
        found(0).contains("Google") && !found(0).contains("baker"),
        "{}",
        found(0)
    );
    assert!(
        found(1).contains("baker") && !found(1).contains("Google"),
        "{}",
        found(1)
    );
    assert_eq!(
        (found(2), found(7), found(8)),
        ("[]".to_owned(), "[]".to_owned(), "[]".to_owned())
    );
}

async fn lists(rest: &Rest, answers: &mut Vec<(String, Value)>) {
    for filter in [
        "user_id=anna",
        "user_id=anna&page=2&page_size=2&sort=created_at&order=asc",
        "user_id=anna&category=career",
        "user_id=anna&type=semantic&sort=importance&order=desc",
        "user_id=anna&agent_id=agent&thread_id=first&sort=updated_at",
        "user_id=anna&thread_id=other",
        "user_id=ben",
        "",
    ] {
        let answer = rest.get(&format!("/v1/memories?{filter}")).await.unwrap();
        assert_eq!(answer.0, 200, "{}", answer.1);
        record(answers, format!("list {filter:?}"), answer);
    }
}

async fn profiles(rest: &Rest, answers: &mut Vec<(String, Value)>) {
    let life = [
        "My name is Nora Lind and I live in Bergen.",
        "I work as a carpenter at Fjord Boats.",
        "I love rowing on the fjord.",
        "My sister Anna lives in Oslo.",
        "I want to build a wooden boat of my own.",
        "I play the cello in a string quartet.",
    ];
    let nora = store(rest, answers, "nora", &life).await;
    let paths = [
        "/v1/profile/bio?user_id=nora&include=sources",
        "/v1/profile?user_id=nora&include=bio,categories,insights,stats,traits",
        "/v1/users/profile?user_id=nora",
        "/v1/profile/history?user_id=nora",
        "/v1/users/bio?user_id=nobody",
    ];
    for when in ["before", "after"] {
        for path in paths {
            let answer = rest.get(path).await.unwrap();
            let expected = if path.ends_with("nobody") { 404 } else { 200 };
            assert_eq!(answer.0, expected, "{}", answer.1);
            record(answers, format!("{path} {when} a deletion"), answer);
        }
        if when == "before" {
            let last = nora.last().unwrap();
            let path = format!("/v1/memories/{last}?user_id=nora&cascade=true&backup=false");
            let answer = rest.delete(&path).await.unwrap();
            assert_eq!(answer.1["cascade_deletions"]["profile_updates"], 2, "{}", answer.1);
        }
    }
    let bio = |back: usize| answers[answers.len() - back].1["bio"].as_str().unwrap();
    assert!(bio(10).contains("cello") && !bio(5).contains("cello"), "{}", bio(5));
}

fn ids(memories: &Value) -> Vec<String> {
    let id = |memory: &Value| memory["id"].as_str().unwrap().to_owned();
    memories.as_array().unwrap().iter().map(id).collect()
}

fn record(answers: &mut Vec<(String, Value)>, what: String, (status, mut body): (u16, Value)) {
    blank(&mut body);
    body["http_status"] = json!(status);
    answers.push((what, body));
}

/// Replaces what may differ from run to run.
fn blank(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "id" | "memory_ids" | "request_id" | "timestamp" | "created_at" | "updated_at" | "generated_at"
                    | "changed_at" | "expires_at" | "last_updated" | "date_range" | "processing_time" => {
                        *value = json!(format!("some {name}"));
                    }
                    _ => blank(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
