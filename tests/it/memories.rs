//! The main job: a conversation becomes memories, and a question finds them.

mod async_store;
mod cancelled_index_load;
mod changing;
mod deleting;
mod erasing;
mod expiring;
mod failed_tasks;
mod instructions;
mod people;
mod previewing;
mod quotas;
mod sealing;
mod skipping;
mod superseding;
mod times;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use memsync::model::Clock;
use serde_json::{Value, json};

use crate::support::{TestServer, conversation, field};

const LIFE: [&str; 8] = [
    "I work as a nurse at the city hospital.",
    "My sister Anna lives in Bergen.",
    "I love hiking and photography.",
    "I am allergic to peanuts.",
    "I bought a new bike yesterday.",
    "I am learning Japanese.",
    "I moved to Oslo last year.",
    "My cat is called Misty.",
];

fn promotion() -> Value {
    json!({
        "messages": [
            {"role": "user", "content": "I just got promoted to Senior Software Engineer at Google! I'll be working on \
                their ML infrastructure team."},
            {"role": "assistant", "content": "Congratulations! That's a huge achievement. How do you feel about it?"},
            {"role": "user", "content": "Thanks! I'm really excited. I'll be leading a team of 5 engineers and working \
                on scaling their recommendation systems."},
        ],
        "agent_id": "assistant", "thread_id": "promotion", "source": "chat",
    })
}

/// A clock that stands still until it is moved on, by the second.
fn clock() -> (Arc<AtomicI64>, Clock) {
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let hand = Arc::clone(&now);
    (
        now,
        Clock::from_fn(move || DateTime::from_timestamp(hand.load(Ordering::SeqCst), 0).unwrap()),
    )
}

fn ids(memories: &[Value]) -> BTreeSet<String> {
    memories
        .iter()
        .map(|memory| memory["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_becomes_career_memories_and_small_talk_none() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let stored = ada.store(&promotion()).await;
    let memories = stored["memories"].as_array().unwrap().clone();
    let texts = field(&memories, "memory");
    assert!((3..=4).contains(&memories.len()), "{texts:?}");
    assert_eq!(stored["success"], true);
    assert_eq!(stored["memories_created"], memories.len());
    assert_eq!(stored["memories_updated"], 0);
    assert!(
        stored["categories_detected"]
            .as_array()
            .unwrap()
            .contains(&json!("career"))
    );
    for memory in &memories {
        assert_eq!(memory["operation"], "added");
        assert!(
            memory["categories"].as_array().unwrap().contains(&json!("career")),
            "{memory}"
        );
    }
    let about = |word: &str| {
        memories
            .iter()
            .find(|memory| memory["memory"].as_str().unwrap().contains(word))
    };
    assert_eq!(about("promoted").unwrap()["type"], "episodic");
    assert!(
        about("ML infrastructure").is_some() && about("5 engineers").is_some(),
        "{texts:?}"
    );
    for small_talk in ["Thanks", "ongratulations", "achievement"] {
        assert!(about(small_talk).is_none(), "{texts:?}");
    }
    // Every memory can be traced to the user's messages, never to the assistant's.
    let sources: BTreeSet<String> = ada
        .list("")
        .await
        .iter()
        .flat_map(|memory| field_list(memory, "source_message_ids"))
        .collect();
    assert_eq!(
        sources,
        BTreeSet::from(["promotion#0".to_owned(), "promotion#2".to_owned()])
    );
}

fn field_list(memory: &Value, name: &str) -> Vec<String> {
    let list = memory[name].as_array().unwrap();
    list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_and_a_hobby_become_lasting_memories_of_career_and_interests() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let text = "I'm a software engineer at Google working on machine learning projects. I love hiking and photography \
                in my free time.";
    let stored = ada.store(&conversation("about", &[text])).await;
    let memories = stored["memories"].as_array().unwrap();
    assert!(memories.len() >= 2, "{stored}");
    assert!(memories.iter().all(|memory| memory["type"] == "semantic"), "{stored}");
    assert_eq!(stored["categories_detected"], json!(["career", "interests"]));
    for (question, word) in [
        ("What does the user do for work?", "software engineer"),
        ("What are the user's hobbies?", "hiking"),
    ] {
        for rerank in [false, true] {
            let hits = ada.search(&json!({"query": question, "rerank": rerank})).await;
            let first = hits[0]["memory"].as_str().unwrap();
            assert!(first.contains(word), "{question} {rerank}: {first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_work_finds_the_promotion_first_among_other_things() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&conversation("other", &LIFE[1..])).await;
    ada.store(&promotion()).await;
    let hits = ada.search(&json!({"query": "What does the user do for work?"})).await;
    assert!(
        field_list(&hits[0], "categories").contains(&"career".to_owned()),
        "{}",
        hits[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_memories_gets_an_empty_answer() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    for user_id in [None, Some("nobody yet")] {
        let mut body = json!({"query": "anything"});
        if let Some(user_id) = user_id {
            body["user_id"] = user_id.into();
        }
        let answer = ada.post("/v1/memories/search", &body).await.ok();
        assert_eq!(answer, json!({"memories": []}));
    }
    let page = json!({"page": 1, "page_size": 20, "total_items": 0, "total_pages": 0, "has_next": false,
        "has_previous": false});
    assert_eq!(
        ada.get("/v1/memories").await.ok(),
        json!({"data": [], "pagination": page})
    );
    let nothing = ada.store(&conversation("t", &["Thanks!"])).await;
    assert_eq!(nothing["memories"], json!([]));
    assert_eq!(nothing["categories_detected"], json!([]));
    assert_eq!(
        (&nothing["memories_created"], &nothing["success"]),
        (&json!(0), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_reads_the_same_stored_listed_and_got() {
    let server = TestServer::start_with(|_| {}, clock().1).await;
    let ada = server.ada().await;
    let mut body = conversation("trip", &["I moved to Oslo."]);
    body["user_id"] = "person 1".into();
    body["metadata"] = json!({"count": 3, "ratio": 0.5, "big": 9_007_199_254_740_991_u64, "on": true, "none": null,
        "list": [1, -2, "x"], "inner": {"n": 7}});
    let stored = ada.store(&body).await["memories"][0].clone();
    let listed = ada.list("user_id=person+1").await;
    let id = stored["id"].as_str().unwrap();
    assert!(id.starts_with("mem_"));
    let expected = json!({
        "id": id, "memory": stored["memory"], "type": stored["type"], "categories": stored["categories"],
        "importance": listed[0]["importance"], "source": "chat", "agent_id": "assistant", "thread_id": "trip",
        "user_id": "person 1", "metadata": body["metadata"], "instruction": false, "source_message_ids": ["trip#0"], "version": 1,
        "created_at": "2027-01-15T08:00:00Z", "updated_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(listed, std::slice::from_ref(&expected));
    assert!((0.0..=1.0).contains(&expected["importance"].as_f64().unwrap()));
    for prefix in ["/v1", ""] {
        let got = ada
            .get(&format!("{prefix}/memories/{id}?user_id=person%201"))
            .await
            .ok();
        assert_eq!(got, expected);
    }
    // A whole number is an integer on the wire, not 3.0.
    let text = String::from_utf8(ada.get(&format!("/memories/{id}?user_id=person%201")).await.bytes).unwrap();
    assert!(
        text.contains(r#""count":3,"#) && text.contains("9007199254740991"),
        "{text}"
    );
    let unknown = ada.get("/v1/memories/mem_unknown").await;
    assert_eq!(unknown.failure(404, "MEMORY_NOT_FOUND"), json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_sorted_and_filtered() {
    let (now, clock) = clock();
    let server = TestServer::start_with(|_| {}, clock).await;
    let ada = server.ada().await;
    for (index, text) in LIFE.iter().enumerate() {
        let mut body = conversation(&format!("thread {}", index % 2), &[text]);
        body["agent_id"] = format!("agent {}", index % 3).into();
        ada.store(&body).await;
        now.fetch_add(60, Ordering::SeqCst);
    }
    let all = ada.list("page_size=100").await;
    assert!(all.len() >= LIFE.len(), "{all:?}");
    let total = all.len();
    let mut paged = Vec::new();
    for page in 1..=total.div_ceil(3) {
        let answer = ada.get(&format!("/v1/memories?page={page}&page_size=3")).await.ok();
        let expected = json!({"page": page, "page_size": 3, "total_items": total, "total_pages": total.div_ceil(3),
            "has_next": page < total.div_ceil(3), "has_previous": page > 1});
        assert_eq!(answer["pagination"], expected);
        paged.extend(answer["data"].as_array().unwrap().clone());
    }
    assert_eq!(paged, all, "the pages are the list: nothing twice, nothing missing");

    let times = field(&all, "created_at");
    assert!(
        times.is_sorted_by(|a, b| a >= b) && times[0] != times[total - 1],
        "newest first: {times:?}"
    );
    let oldest_first = ada.list("page_size=100&sort=created_at&order=asc").await;
    assert_eq!(oldest_first, all.iter().rev().cloned().collect::<Vec<_>>());
    let by_importance = ada.list("page_size=100&sort=importance").await;
    let importance: Vec<f64> = by_importance
        .iter()
        .map(|m| m["importance"].as_f64().unwrap())
        .collect();
    assert!(importance.is_sorted_by(|a, b| a >= b), "{importance:?}");
    assert_eq!(ids(&by_importance), ids(&all));

    for (query, keep) in filters() {
        let found = ada.list(&format!("page_size=100&{query}")).await;
        let expected: Vec<Value> = all.iter().filter(|memory| keep(memory)).cloned().collect();
        assert!(
            !expected.is_empty() && expected.len() < total,
            "{query} tells memories apart"
        );
        assert_eq!(found, expected, "{query}");
    }
}

type Keep = fn(&Value) -> bool;
type BoxedKeep = Box<dyn Fn(&Value) -> bool>;

fn filters() -> [(&'static str, Keep); 5] {
    [
        ("category=health", |m| {
            m["categories"].to_string().contains("\"health\"")
        }),
        ("type=episodic", |m| m["type"] == "episodic"),
        ("agent_id=agent+1", |m| m["agent_id"] == "agent 1"),
        ("thread_id=thread%200", |m| m["thread_id"] == "thread 0"),
        ("thread_id=thread%200&agent_id=agent%200", |m| {
            m["thread_id"] == "thread 0" && m["agent_id"] == "agent 0"
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_ascend_by_distance_and_descend_by_score_and_keep_to_the_limit() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&conversation("t", &LIFE)).await;
    let query = "Where does the sister live?";
    let numbers = |hits: &[Value], name: &str| -> Vec<f64> { hits.iter().map(|h| h[name].as_f64().unwrap()).collect() };
    let plain = ada.search(&json!({"query": query, "limit": 100})).await;
    let distances = numbers(&plain, "vector_distance");
    assert!(plain.len() > 3 && distances.is_sorted(), "{distances:?}");
    assert!(distances.iter().all(|d| (0.0..=1.0).contains(d)));
    assert!(plain.iter().all(|hit| hit.get("rerank_score").is_none()));
    let ranked = ada.search(&json!({"query": query, "limit": 100, "rerank": true})).await;
    let scores = numbers(&ranked, "rerank_score");
    assert!(ranked.len() > 3 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(scores.iter().all(|s| (0.0..=1.0).contains(s)));
    numbers(&ranked, "vector_distance");
    assert!(
        ranked[0]["memory"].as_str().unwrap().contains("Bergen"),
        "{}",
        ranked[0]
    );
    for limit in [1, 2] {
        let first = ada.search(&json!({"query": query, "limit": limit})).await;
        assert_eq!(first, plain[..limit]);
    }
    let text = plain[2]["memory"].as_str().unwrap();
    let itself = ada.search(&json!({"query": text, "limit": 1})).await;
    assert_eq!(itself[0]["id"], plain[2]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_returns_only_what_its_filters_let_through() {
    let (now, clock) = clock();
    let server = TestServer::start_with(|_| {}, clock).await;
    let ada = server.ada().await;
    for (index, text) in LIFE.iter().enumerate() {
        let mut body = conversation(&format!("thread {}", index % 2), &[text]);
        body["agent_id"] = format!("agent {}", index % 3).into();
        body["metadata"] = json!({"room": index % 2, "colour": "red"});
        ada.store(&body).await;
        now.fetch_add(60, Ordering::SeqCst);
    }
    let all = ada.search(&json!({"query": "the user", "limit": 100})).await;
    assert_eq!(
        ids(&all),
        ids(&ada.list("page_size=100").await),
        "without a filter everything is found"
    );
    let middle = "2027-01-15T08:03:30Z";
    let importance = all
        .iter()
        .map(|m| m["importance"].as_f64().unwrap())
        .fold(0.0, f64::max);
    let cases: Vec<(Value, BoxedKeep)> = vec![
        (
            json!({"categories": ["health", "travel"]}),
            Box::new(|m| {
                let categories = m["categories"].to_string();
                categories.contains("\"health\"") || categories.contains("\"travel\"")
            }),
        ),
        (json!({"type": "episodic"}), Box::new(|m| m["type"] == "episodic")),
        (json!({"agent_id": "agent 1"}), Box::new(|m| m["agent_id"] == "agent 1")),
        (
            json!({"thread_id": "thread 1"}),
            Box::new(|m| m["thread_id"] == "thread 1"),
        ),
        (
            json!({"metadata": {"room": 1}}),
            Box::new(|m| m["metadata"]["room"] == 1),
        ),
        (
            json!({"metadata": {"room": 0, "colour": "red"}}),
            Box::new(|m| m["metadata"]["room"] == 0),
        ),
        (
            json!({"min_importance": importance}),
            Box::new(move |m| m["importance"].as_f64() == Some(importance)),
        ),
        (
            json!({"created_after": middle}),
            Box::new(move |m| m["created_at"].as_str().unwrap() > middle),
        ),
        (
            json!({"created_before": middle}),
            Box::new(move |m| m["created_at"].as_str().unwrap() < middle),
        ),
    ];
    for (filter, keep) in cases {
        let expected: BTreeSet<String> = ids(&all.iter().filter(|m| keep(m)).cloned().collect::<Vec<_>>());
        assert!(
            !expected.is_empty() && expected.len() < all.len(),
            "{filter} tells memories apart"
        );
        for rerank in [false, true] {
            let mut body = filter.clone();
            body["query"] = "the user".into();
            body["limit"] = 100.into();
            body["rerank"] = rerank.into();
            assert_eq!(ids(&ada.search(&body).await), expected, "{body}");
        }
    }
    let none = json!({"query": "the user", "metadata": {"room": 1, "colour": "blue"}});
    assert!(ada.search(&none).await.is_empty());
}
