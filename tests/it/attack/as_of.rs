//! Searches of the past take the memory that is set aside for them, and no more.

use std::ops::Range;

use futures::future::join_all;
use memsync::model::Clock;
use serde_json::{Value, json};

use crate::support::{Rest, TestServer, conversation};

const FUTURE: &str = "2100-01-01T00:00:00Z";

/// Stores these facts, all of them new.
async fn collect(rest: &Rest, facts: Range<usize>) {
    let words: Vec<String> = facts
        .map(|number| format!("I bought kayak number {number} in the town of Porto."))
        .collect();
    for words in words.chunks(200) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let stored = rest.store(&conversation("t", &words)).await;
        assert_eq!(stored["memories_created"], words.len());
    }
}

fn question() -> Value {
    json!({"query": "Which kayak is number 7?", "as_of": FUTURE, "limit": 5})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_that_takes_more_memory_than_is_set_aside_is_refused_by_name_and_can_be_listed() {
    let server = TestServer::start_with(|config| config.index_memory_mb = 1, Clock::system()).await;
    let rest = server.ada().await;
    collect(&rest, 0..20).await;
    let found = rest.search(&question()).await;
    assert_eq!(found.len(), 5, "a small one is searched");
    collect(&rest, 20..620).await;
    let details = rest
        .post("/v1/memories/search", &question())
        .await
        .failure(400, "VALIDATION_ERROR");
    assert_eq!(details["field"], "as_of");
    let reason = details["reason"].as_str().unwrap();
    assert!(reason.contains("MiB"), "{reason}");
    let now = json!({"query": "Which kayak is number 7?", "limit": 5});
    assert_eq!(rest.search(&now).await.len(), 5, "today is searched as ever");
    let path = |page: usize| format!("/v1/memories?as_of={FUTURE}&page_size=100&page={page}");
    let page = rest.get(&path(7)).await.ok();
    assert_eq!(
        page["pagination"],
        json!({"page": 7, "page_size": 100, "total_items": 620, "total_pages": 7, "has_next": false,
            "has_previous": true})
    );
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_of_the_past_beyond_a_few_are_put_off() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    collect(&rest, 0..400).await;
    let expected = rest.search(&question()).await;
    let question = question();
    let answers = join_all((0..100).map(|_| rest.post("/v1/memories/search", &question))).await;
    let (answered, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    for answer in &refused {
        answer.failure(503, "SERVICE_UNAVAILABLE");
        assert!(answer.header("retry-after").is_some());
    }
    for answer in &answered {
        assert_eq!(answer.json()["memories"], json!(expected));
    }
    assert!(
        !answered.is_empty() && !refused.is_empty(),
        "{} answered, {} refused",
        answered.len(),
        refused.len()
    );
    assert_eq!(rest.search(&question).await, expected, "and then there is room again");
}
