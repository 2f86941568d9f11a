//! Writing: where words came from, repeated requests, many writers.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use super::{field_list, ids};
use crate::support::{Rest, TestServer, conversation};

#[tokio::test(flavor = "multi_thread")]
async fn people_of_an_account_share_no_idempotency_keys() {
    let server = TestServer::start().await;
    let rest = server.ada().await.with("idempotency-key", "once");
    for user_id in ["", "alice", "bob"] {
        let rest = rest.with("x-user-id", user_id);
        let first = rest.store(&conversation("t", &["I live in Oslo."])).await;
        assert_eq!(first["memories_created"], 1, "{user_id}");
        assert_eq!(
            rest.store(&conversation("t", &["I live in Oslo."])).await["memories"],
            first["memories"]
        );
        let other = rest
            .post("/v1/memories", &conversation("t", &["I live in Bergen."]))
            .await;
        other.failure(409, "CONFLICT");
        assert_eq!(rest.list("").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn message_ids_are_the_clients_or_the_place_in_the_thread_across_requests() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&conversation("t", &["Hello!", "I work as a nurse."])).await;
    let mut second = conversation("t", &["My cat is called Misty.", "I am allergic to peanuts."]);
    second["messages"][1]["id"] = "client-7".into();
    ada.store(&second).await;
    ada.store(&conversation("u", &["I am learning Japanese."])).await;
    let source = |word: &'static str| {
        let ada = ada.clone();
        async move {
            let all = ada.list("page_size=100").await;
            let memory = all
                .iter()
                .find(|m| m["memory"].as_str().unwrap().contains(word))
                .unwrap();
            field_list(memory, "source_message_ids")
        }
    };
    assert_eq!(source("nurse").await, ["t#1"]);
    assert_eq!(source("Misty").await, ["t#2"]);
    assert_eq!(source("peanuts").await, ["client-7"]);
    assert_eq!(source("Japanese").await, ["u#0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_stores_once_and_answers_the_same() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let once = ada.with("idempotency-key", "order-1");
    let body = conversation("t", &["I work as a nurse at the city hospital."]);
    let mut first = once.store(&body).await;
    let mut again = once.store(&body).await;
    for answer in [&mut first, &mut again] {
        answer.as_object_mut().unwrap().remove("processing_time");
    }
    assert_eq!(first, again);
    assert_eq!(first["memories_created"], 1);
    let other = once
        .post("/v1/memories", &conversation("t", &["I am allergic to peanuts."]))
        .await;
    other.failure(409, "CONFLICT");
    let listed = ada.list("").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        field_list(&listed[0], "source_message_ids"),
        ["t#0"],
        "the second request added nothing to it"
    );
    // Another account's keys are its own.
    let grace = server.create_key("grace@example.com", &["memories:write"]).await;
    let grace = server.rest(&grace.secret).with("idempotency-key", "order-1");
    assert_eq!(
        grace.store(&conversation("t", &["I live in Oslo."])).await["memories_created"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_duplicates_store_once() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let once = ada.with("idempotency-key", "order-1");
    let body = conversation("t", &["I work as a nurse at the city hospital."]);
    let answers = join_all((0..8).map(|_| once.store(&body))).await;
    for answer in &answers {
        assert_eq!(answer["memories"], answers[0]["memories"]);
    }
    let listed = ada.list("").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(field_list(&listed[0], "source_message_ids"), ["t#0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_of_one_person_lose_nothing() {
    const CITIES: [&str; 16] = [
        "Oslo", "Bergen", "Lisbon", "Kyoto", "Lima", "Cairo", "Dublin", "Prague", "Vienna", "Athens", "Boston",
        "Denver", "Seoul", "Hanoi", "Nairobi", "Quito",
    ];
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let write = |ada: Rest, city: &'static str| async move {
        let text = format!("My friend from {city} gave me a painting of {city}.");
        let answer = ada.post("/v1/memories", &conversation(city, &[&text])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        answer.json()["memories"].as_array().unwrap().clone()
    };
    let answers = join_all(CITIES.map(|city| write(ada.clone(), city))).await;
    let acknowledged = ids(&answers.concat());
    let listed = ada.list("page_size=100").await;
    assert!(acknowledged.is_subset(&ids(&listed)), "{acknowledged:?} {listed:?}");
    let sources: BTreeSet<String> = listed
        .iter()
        .flat_map(|m| field_list(m, "source_message_ids"))
        .collect();
    assert_eq!(sources, CITIES.iter().map(|city| format!("{city}#0")).collect());
    let found = ada.search(&json!({"query": "painting", "limit": 100})).await;
    assert_eq!(ids(&found), ids(&listed), "the index missed no write");
}
