//! One request can't fill the database, whatever it says.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::process::{BOUND, Process, Rest, eventually};
use crate::support::{DEFAULT_SCOPES, TestServer, conversation, send};

/// As much as a request may be, of sentences that are each a fact of their own.
fn flood() -> Value {
    let mut number = 0;
    let mut message = || {
        let mut words = String::new();
        while words.len() < 31_000 {
            words += &format!("I own kayak {number}k. ");
            number += 1;
        }
        words
    };
    let words: Vec<String> = (0..120).map(|_| message()).collect();
    assert!(number > 150_000, "{number}");
    conversation("flood", &words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_too_many_facts_is_refused_and_nobody_else_waits_for_it() {
    let place = tempfile::tempdir().unwrap();
    let server = Process::start(place.path());
    let (rest, flood) = (Rest::new(server.url(), &server.first_key()), flood());
    let before = server.peak_memory_mib();
    let attack = join_all((0..2).map(async |number| {
        let mut body = flood.clone();
        body["user_id"] = format!("flood {number}").into();
        let request = reqwest::Client::new().post(format!("{}/v1/memories", server.url()));
        send(request.header("x-api-key", rest.key()).json(&body)).await
    }));
    let others = async {
        for number in 0..10 {
            let mut body = conversation("t", &[&format!("I bought theodolite number {number} in Porto.")]);
            body["user_id"] = "ada".into();
            let (status, answer) = rest.post("/v1/memories", &body).await.unwrap();
            assert_eq!((status, &answer["memories_created"]), (200, &json!(1)), "{answer}");
        }
    };
    let (refused, ()) = tokio::join!(attack, others);
    for answer in refused {
        let details = answer.failure(400, "VALIDATION_ERROR");
        assert_eq!(
            (&details["field"], &details["limit"]),
            (&json!("messages"), &json!(5000))
        );
        let reason = details["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("must make at most 5000 memories: messages["),
            "{reason}"
        );
    }
    let (_, people) = rest.get("/v1/users").await.unwrap();
    let expected = json!([{"user_id": "ada", "memory_count": 10}]);
    assert_eq!(people["users"], expected, "nothing of a refused store is kept");
    let grown = server.peak_memory_mib() - before;
    assert!(grown < 400, "it took {grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_can_not_fill_the_database_by_being_kept_with_many_memories() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let words: Vec<String> = (1000..1600).map(|number| format!("I own kayak {number}k.")).collect();
    let words: Vec<String> = words.chunks(10).map(|words| words.join(" ")).collect();
    let mut body = conversation("t", &words.iter().map(String::as_str).collect::<Vec<_>>());
    body["metadata"] = json!({"note": "x".repeat(16_000)});
    let details = rest.post("/v1/memories", &body).await.failure(400, "VALIDATION_ERROR");
    let reason = "must be at most 13981 bytes as JSON, to be kept with each of 600 memories";
    assert_eq!(
        (&details["field"], &details["reason"], &details["limit"]),
        (&json!("metadata"), &json!(reason), &json!(13981))
    );
    assert_eq!(rest.list("").await.len(), 0);
    body["metadata"] = json!({"note": "x".repeat(1_000)});
    assert_eq!(rest.store(&body).await["memories_created"], 600);
    let filter = json!({"query": "Which kayak?", "metadata": body["metadata"], "limit": 7});
    assert_eq!(rest.search(&filter).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_says_how_far_it_would_have_fitted_and_a_task_says_the_same() {
    let server = TestServer::start_with(
        |config| config.limits.max_memories_per_request = 3,
        memsync::model::Clock::system(),
    )
    .await;
    let rest = server.ada().await;
    let words = [
        "I work as a nurse.",
        "I love hiking.",
        "My cat is called Misty.",
        "I moved to Oslo.",
        "I am learning Japanese.",
    ];
    let body = conversation("t", &words);
    let reason = "must make at most 3 memories: messages[3] goes beyond";
    let violation = json!({"field": "messages", "reason": reason});
    let details = json!({"field": "messages", "reason": reason, "limit": 3, "violations": [violation]});
    let answer = rest.post("/v1/memories", &body).await;
    assert_eq!(answer.failure(400, "VALIDATION_ERROR"), details);
    assert_eq!(answer.json()["detail"], format!("messages: {reason}"));

    let mut later = body.clone();
    later["async"] = true.into();
    let id = rest.post("/v1/memories", &later).await.json()["task_id"].clone();
    let path = format!("/v1/integrations/status/{}", id.as_str().unwrap());
    let task = eventually("it has ended", BOUND, async || {
        let task = rest.get(&path).await.ok();
        (task["status"] == "FAILED").then_some(task)
    })
    .await;
    let expected = json!({"task_id": id, "status": "FAILED", "error_message": format!("messages: {reason}")});
    assert_eq!(task, expected);
    assert_eq!(rest.list("").await.len(), 0);

    let fits = rest.store(&conversation("t", &words[..3])).await;
    assert_eq!(fits["memories_created"], 3);
    // What is told again makes no more than it did.
    let again = ["I bought a bike."; 50];
    assert_eq!(rest.store(&conversation("again", &again)).await["memories_created"], 1);
    let other = server.create_key("grace@example.com", &DEFAULT_SCOPES).await;
    assert_eq!(server.rest(&other.secret).list("").await.len(), 0);
}
