//! Newer facts take the place of older ones, and what was known when can be told.

use serde_json::{Value, json};

use crate::support::{Hand, Rest, TestServer, conversation};

async fn tell(rest: &Rest, words: &str) -> Value {
    let stored = rest.store(&conversation("t", &[words])).await;
    assert_eq!(stored["memories"].as_array().unwrap().len(), 1, "{stored}");
    stored["memories"][0].clone()
}

/// The texts of a list, oldest first.
async fn texts(rest: &Rest, query: &str) -> Vec<String> {
    let listed = rest.list(&format!("sort=created_at&order=asc&{query}")).await;
    let text = |memory: &Value| memory["memory"].as_str().unwrap().to_owned();
    listed.iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_career_reads_right_from_history_and_has_one_current_employer() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let engineer = tell(&rest, "I work at Google as an engineer.").await;
    let senior = tell(&rest, "I got promoted to senior engineer at Google.").await;
    let meta = tell(&rest, "I joined Meta.").await;
    let done = |memory: &Value| memory["operation"].as_str().unwrap().to_owned();
    assert_eq!([&engineer, &senior, &meta].map(done), ["added", "updated", "updated"]);
    assert_eq!(texts(&rest, "").await, ["User joined Meta."]);
    for rerank in [false, true] {
        let search = json!({"query": "Which company employs the user?", "rerank": rerank, "limit": 10});
        let found = rest.search(&search).await;
        assert_eq!(found.len(), 1, "one current employer: {found:?}");
        assert_eq!(found[0]["id"], meta["id"]);
        let search = json!({"query": "employer", "rerank": rerank, "include_superseded": true});
        assert_eq!(rest.search(&search).await.len(), 3);
    }
    assert_eq!(texts(&rest, "include_superseded=true").await.len(), 3);

    let id = |memory: &Value| memory["id"].as_str().unwrap().to_owned();
    let history = async |memory: &Value| rest.get(&format!("/v1/memories/{}/history", id(memory))).await.ok();
    let told = |history: &Value| -> Vec<(Value, Value, Value)> {
        let versions = history["versions"].as_array().unwrap().iter();
        let told = versions.map(|v| (v["operation"].clone(), v["memory"].clone(), v["superseded_by"].clone()));
        told.collect()
    };
    let first = history(&engineer).await;
    let text = json!("User works at Google as an engineer.");
    let expected = [
        (json!("added"), text.clone(), Value::Null),
        (json!("superseded"), text, senior["id"].clone()),
    ];
    assert_eq!(told(&first), expected);
    let second = history(&senior).await;
    assert_eq!(second["supersedes"], json!([engineer["id"]]));
    assert_eq!(told(&second)[1].2, meta["id"]);
    let third = history(&meta).await;
    assert_eq!(third["supersedes"], json!([senior["id"]]));
    assert_eq!(
        told(&third),
        [(json!("updated"), json!("User joined Meta."), Value::Null)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_longer_holds_is_closed_and_what_holds_beside_it_stays() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    for (words, operation) in [
        ("I am vegetarian.", "added"),
        ("I eat meat again.", "updated"),
        ("I have two cats.", "added"),
        ("I have a dog.", "added"),
        ("I live in Lyon.", "added"),
        ("I moved to Porto.", "updated"),
        ("My sister lives in Oslo.", "added"),
    ] {
        assert_eq!(tell(&rest, words).await["operation"], operation, "{words}");
    }
    let learning = tell(&rest, "I'm learning React.").await;
    let proficient = tell(&rest, "I'm now proficient in React.").await;
    assert_eq!(
        (&learning["type"], &proficient["type"]),
        (&json!("episodic"), &json!("semantic"))
    );
    assert_eq!(proficient["operation"], "updated");
    let expected = [
        "User eats meat again.",
        "User has two cats.",
        "User has a dog.",
        "User moved to Porto.",
        "User's sister lives in Oslo.",
        "User is now proficient in React.",
    ];
    assert_eq!(texts(&rest, "").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_told_three_times_is_one_memory_that_names_all_its_sources() {
    let server = TestServer::start().await;
    let rest = server.ada().await;
    let words = "My sister Nora lives in Oslo.";
    let first = tell(&rest, words).await;
    for _ in 0..2 {
        let again = tell(&rest, words).await;
        assert_eq!((&again["id"], &again["operation"]), (&first["id"], &json!("unchanged")));
    }
    let memory = rest
        .get(&format!("/v1/memories/{}", first["id"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!(memory["source_message_ids"], json!(["t#0", "t#1", "t#2"]));
    assert_eq!(memory["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_and_a_list_tell_what_was_known_at_a_time() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let mut times = vec![hand.now()];
    for words in [
        "I work at Google as an engineer.",
        "I joined Meta.",
        "I play the cello.",
    ] {
        hand.forward(10);
        tell(&rest, words).await;
        hand.forward(10);
        times.push(hand.now());
    }
    hand.forward(10);
    let cello = rest.search(&json!({"query": "cello", "limit": 1})).await[0]["id"].clone();
    let path = format!("/v1/memories/{}", cello.as_str().unwrap());
    rest.patch(&path, &json!({"content": "User plays the viola."}))
        .await
        .ok();
    let known: [&[&str]; 4] = [
        &[],
        &["User works at Google as an engineer."],
        &["User joined Meta."],
        &["User joined Meta.", "User plays the cello."],
    ];
    for (time, known) in times.iter().zip(known) {
        let time = time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(texts(&rest, &format!("as_of={time}")).await, known, "{time}");
        for rerank in [false, true] {
            let search = json!({"query": "music and work", "as_of": time, "rerank": rerank});
            let mut found: Vec<String> = rest
                .search(&search)
                .await
                .iter()
                .map(|memory| memory["memory"].as_str().unwrap().to_owned())
                .collect();
            found.sort_by_key(|text| known.iter().position(|known| known == text));
            assert_eq!(found, known, "{search}");
        }
    }
    let all = texts(&rest, "include_superseded=true&as_of=2100-01-01T00:00:00Z").await;
    assert_eq!(
        all,
        [
            "User works at Google as an engineer.",
            "User joined Meta.",
            "User plays the viola."
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_the_past_is_page_by_page_what_the_list_was_then() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let rest = server.ada().await;
    let mut ids = Vec::new();
    for words in [
        "I work at Google as an engineer.",
        "I play the cello.",
        "I moved to Oslo last week.",
        "My sister Anna lives in Bergen.",
        "I am allergic to peanuts.",
        "I joined Meta.",
    ] {
        hand.forward(10);
        ids.push(tell(&rest, words).await["id"].as_str().unwrap().to_owned());
    }
    let change = async |id: &str, change: Value| {
        hand.forward(10);
        rest.patch(&format!("/v1/memories/{id}"), &change).await.ok();
    };
    change(&ids[1], json!({"importance": 0.9, "metadata": {"mood": "calm"}})).await;
    hand.forward(10);
    let then = hand.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut queries = vec![String::new(), "include_superseded=true".to_owned()];
    for sort in ["created_at", "updated_at", "importance"] {
        for page in 1..4 {
            queries.push(format!("sort={sort}&order=asc&page_size=2&page={page}"));
            queries.push(format!("sort={sort}&page_size=2&page={page}&include_superseded=true"));
        }
    }
    for filter in [
        "category=interests",
        "category=career",
        "category=travel",
        "type=episodic",
        "type=semantic",
        "agent_id=assistant",
        "agent_id=other",
        "thread_id=t",
        "category=career&include_superseded=true",
    ] {
        queries.push(filter.to_owned());
    }
    let mut answers = Vec::new();
    for query in &queries {
        answers.push(rest.get(&format!("/v1/memories?{query}")).await.ok());
    }
    assert_eq!(answers[0]["pagination"]["total_items"], 5);

    for (id, category) in ids
        .iter()
        .zip(["travel", "career", "finance", "health", "interests", "learning"])
    {
        change(
            id,
            json!({"category": category, "importance": 0.3, "memory_type": "semantic"}),
        )
        .await;
        change(id, json!({"content": "User keeps bees.", "memory_type": "episodic"})).await;
    }
    hand.forward(10);
    tell(&rest, "I collect theodolites.").await;
    for (query, answer) in queries.iter().zip(&answers) {
        let path = format!("/v1/memories?as_of={then}&{query}");
        assert_eq!(rest.get(&path).await.ok(), *answer, "{query}");
    }
}
