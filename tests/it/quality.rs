//! How well the engine does on data of our own: no worse than it was, and over REST as through the library.

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use crate::process::memsync;
use crate::support::TestServer;

/// Recall at 10 over the answerable questions of `tests/quality/conversations.json`, as it was measured last.
const RECALL_10: f64 = 0.699;
/// The same over the held-out half of `tests/quality/sentences.jsonl`: keep or drop, type, F1 of the categories.
const KEPT: f64 = 0.976;
const TYPES: f64 = 0.941;
const CATEGORIES: f64 = 0.850;
/// How much a change may take off any of them.
const SLACK: f64 = 0.02;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/quality")
        .join(name)
}

fn measured(arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let answer = memsync(directory.path(), &[], arguments).expect_success("eval");
    serde_json::from_str(&answer.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_is_no_worse_than_it_was_and_the_same_over_rest() {
    let file = data("conversations.json");
    let report = measured(&["eval", "recall", "--json", "--data", file.to_str().unwrap()]);
    let all = report["figures"].as_array().unwrap().last().unwrap();
    let by_library = all["recall"][1].as_f64().unwrap();
    assert!(by_library >= RECALL_10 - SLACK, "recall at 10 fell to {by_library:.3}");

    let server = TestServer::start().await;
    let ada = server.ada().await;
    let conversations: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let (mut recall, mut questions) = (0.0, 0.0);
    for conversation in &conversations {
        let user_id = &conversation["sample_id"];
        let sessions = &conversation["conversation"];
        for session in (1..).map(|n| format!("session_{n}")) {
            let Some(turns) = sessions[&session].as_array() else {
                break;
            };
            let held_at = sessions[format!("{session}_date_time")].as_str().unwrap();
            let held_at = NaiveDateTime::parse_from_str(held_at, "%I:%M %p on %d %B, %Y").unwrap();
            let messages = turns.iter().map(|turn| {
                json!({"role": "user", "name": turn["speaker"], "id": turn["dia_id"], "content": turn["text"],
                       "timestamp": held_at.and_utc().to_rfc3339()})
            });
            ada.store(
                &json!({"user_id": user_id, "agent_id": "eval", "thread_id": session, "source": "eval",
                              "messages": messages.collect::<Vec<_>>()}),
            )
            .await;
        }
        for question in conversation["qa"].as_array().unwrap() {
            if question["category"] == 5 {
                continue;
            }
            let search = json!({"user_id": user_id, "query": question["question"], "limit": 10, "rerank": true});
            let hits = ada.search(&search).await;
            let sources = hits
                .iter()
                .flat_map(|hit| hit["source_message_ids"].as_array().unwrap());
            let found: HashSet<&Value> = sources.collect();
            let evidence = question["evidence"].as_array().unwrap();
            let share = evidence.iter().filter(|id| found.contains(id)).count() as f64 / evidence.len() as f64;
            (recall, questions) = (recall + share, questions + 1.0);
        }
    }
    let over_rest = recall / questions;
    assert!(
        (over_rest - by_library).abs() < 1e-9,
        "{over_rest} over REST, {by_library} through the library"
    );
}

#[test]
fn sentences_that_nothing_was_fitted_on_are_judged_no_worse_than_they_were() {
    let report = measured(&[
        "eval",
        "extract",
        "--json",
        "--data",
        data("sentences.jsonl").to_str().unwrap(),
    ]);
    let held_out = &report["held_out"];
    for (name, was) in [
        ("keep", KEPT),
        ("memory_type", TYPES),
        ("category_micro_f1", CATEGORIES),
    ] {
        let now = held_out[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {held_out}"));
        assert!(now >= was - SLACK, "{name} fell to {now:.3}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explained_score_adds_up() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&crate::support::conversation(
        "t",
        &[
            "I joined Acme as a nurse.",
            "My sister lives in Bergen.",
            "I love rowing.",
        ],
    ))
    .await;
    let search = json!({"query": "Where does the user work now?", "rerank": true, "explain": true});
    let hits = ada.search(&search).await;
    assert!(hits[0]["memory"].as_str().unwrap().contains("Acme"), "{}", hits[0]);
    let number = |value: &Value| value.as_f64().unwrap();
    for hit in &hits {
        let explanation = &hit["explanation"];
        let parts = explanation["parts"].as_array().unwrap();
        let sum: f64 = parts
            .iter()
            .map(|part| number(&part["value"]) * number(&part["worth"]))
            .sum();
        let (score, repetition) = (number(&explanation["score"]), number(&explanation["repetition"]));
        assert!((sum - repetition - score).abs() < 0.01, "{explanation}");
        let behind = number(&hits[0]["explanation"]["score"]) - score;
        assert!((number(&explanation["behind"]) - behind).abs() < 0.01, "{explanation}");
    }
    let plain = ada.search(&json!({"query": "work", "rerank": true})).await;
    assert!(plain.iter().all(|hit| hit.get("explanation").is_none()));
}
