//! Nobody sees another's memories: neither accounts nor the people of one account, by no way of asking.

use memsync::proto::v1::{self as pb};
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{DEFAULT_SCOPES, Rest, TestServer, conversation};

const QUESTION: &str = "Where does the user live and work?";

/// One who asks: a key, and the `user_id` with it.
struct Person {
    key: String,
    user_id: Option<&'static str>,
    town: &'static str,
    ids: Vec<String>,
}

impl Person {
    /// Adds the person to a body or a query.
    fn body(&self, mut body: Value) -> Value {
        if let Some(user_id) = self.user_id {
            body["user_id"] = user_id.into();
        }
        body
    }

    fn query(&self) -> String {
        self.user_id
            .map(|user_id| format!("&user_id={user_id}"))
            .unwrap_or_default()
    }

    /// The same person, named by the header.
    fn by_header(&self, server: &TestServer) -> Rest {
        let rest = server.rest(&self.key);
        match self.user_id {
            Some(user_id) => rest.with("x-user-id", user_id),
            None => rest,
        }
    }

    /// Fails when `answer` shows an id or a word of one of the others.
    #[track_caller]
    fn assert_own(&self, everybody: &[Self], answer: &str) {
        assert!(
            answer.contains(self.town),
            "{} finds what is theirs: {answer}",
            self.town
        );
        for other in everybody.iter().filter(|other| other.town != self.town) {
            assert!(
                !answer.contains(other.town),
                "{} sees {}: {answer}",
                self.town,
                other.town
            );
            assert!(!other.ids.iter().any(|id| answer.contains(id.as_str())), "{answer}");
        }
    }
}

/// Two accounts, two people of the first, and its own person; with the same story but for the town.
async fn everybody(server: &TestServer) -> Vec<Person> {
    let ada = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let grace = server.create_key("grace@example.com", &DEFAULT_SCOPES).await.secret;
    let mut everybody = Vec::new();
    for (key, user_id, town) in [
        (&ada, None, "Oslo"),
        (&ada, Some("p1"), "Lisbon"),
        (&ada, Some("p2"), "Kyoto"),
        (&grace, None, "Dublin"),
        (&grace, Some("p1"), "Prague"),
    ] {
        let mut person = Person {
            key: key.clone(),
            user_id,
            town,
            ids: Vec::new(),
        };
        let live = format!("I live in {town}.");
        let work = format!("I work as a baker in {town}.");
        let story = person.body(conversation("same thread", &[&live, &work]));
        let stored = server.rest(key).store(&story).await;
        let memories = stored["memories"].as_array().unwrap();
        person.ids = memories
            .iter()
            .map(|memory| memory["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(!person.ids.is_empty(), "{stored}");
        everybody.push(person);
    }
    everybody
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_finds_only_ones_own_memories_over_rest() {
    let server = TestServer::start().await;
    let everybody = everybody(&server).await;
    for person in &everybody {
        let rest = server.rest(&person.key);
        for search in [
            json!({"query": QUESTION, "limit": 100}),
            json!({"query": QUESTION, "limit": 100, "rerank": true}),
            json!({"query": QUESTION, "thread_id": "same thread", "agent_id": "assistant"}),
            json!({"query": QUESTION, "include_superseded": true}),
            json!({"query": "Oslo Lisbon Kyoto Dublin Prague", "limit": 100}),
        ] {
            for path in ["/v1/memories/search", "/memories/search"] {
                let answer = rest.post(path, &person.body(search.clone())).await.ok();
                person.assert_own(&everybody, &answer.to_string());
                let answer = person.by_header(&server).post(path, &search).await.ok();
                person.assert_own(&everybody, &answer.to_string());
            }
        }
        for query in [
            "page_size=100",
            "thread_id=same+thread",
            "agent_id=assistant&sort=importance",
        ] {
            let answer = rest.get(&format!("/v1/memories?{query}{}", person.query())).await.ok();
            person.assert_own(&everybody, &answer.to_string());
            assert_eq!(answer["pagination"]["total_items"], person.ids.len());
            let answer = person.by_header(&server).get(&format!("/memories?{query}")).await.ok();
            person.assert_own(&everybody, &answer.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_finds_only_ones_own_memories_over_grpc() {
    let server = TestServer::start().await;
    let everybody = everybody(&server).await;
    for person in &everybody {
        let field = person.user_id.map(str::to_owned);
        let mut metadata = vec![("x-api-key", person.key.as_str())];
        for (user_id, header) in [(field.clone(), None), (None, person.user_id)] {
            metadata.truncate(1);
            metadata.extend(header.map(|user_id| ("x-user-id", user_id)));
            let mut client = server.memories(&metadata);
            for rerank in [false, true] {
                let search = pb::SearchMemoriesRequest {
                    query: QUESTION.to_owned(),
                    limit: Some(100),
                    rerank: Some(rerank),
                    user_id: user_id.clone(),
                    ..Default::default()
                };
                let answer = client.search_memories(search).await.unwrap().into_inner();
                person.assert_own(&everybody, &format!("{answer:?}"));
            }
            let list = pb::ListMemoriesRequest {
                user_id: user_id.clone(),
                ..Default::default()
            };
            let answer = client.list_memories(list).await.unwrap().into_inner();
            person.assert_own(&everybody, &format!("{answer:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_memory_looks_absent() {
    let server = TestServer::start().await;
    let everybody = everybody(&server).await;
    let absent = server.rest(&everybody[0].key).get("/v1/memories/mem_absent").await;
    let absent = (absent.failure(404, "MEMORY_NOT_FOUND"), absent.json()["detail"].clone());
    for person in &everybody {
        let rest = server.rest(&person.key);
        let mut client = server.memories(&[("x-api-key", &person.key)]);
        for owner in &everybody {
            for id in &owner.ids {
                let mine = owner.town == person.town;
                let query = person.query().replacen('&', "?", 1);
                let by_field = rest.get(&format!("/v1/memories/{id}{query}")).await;
                let by_header = person.by_header(&server).get(&format!("/memories/{id}")).await;
                for answer in [by_field, by_header] {
                    if mine {
                        assert_eq!(answer.ok()["id"], id.as_str());
                    } else {
                        let details = answer.failure(404, "MEMORY_NOT_FOUND");
                        assert_eq!((details, answer.json()["detail"].clone()), absent);
                    }
                }
                let get = pb::GetMemoryRequest {
                    memory_id: id.clone(),
                    user_id: person.user_id.map(str::to_owned),
                };
                match client.get_memory(get).await {
                    Ok(answer) => assert!(mine && answer.into_inner().memory.unwrap().id == *id),
                    Err(status) => {
                        assert!(!mine);
                        assert_eq!(
                            (status.code(), status.message()),
                            (Code::NotFound, absent.1.as_str().unwrap())
                        );
                        let info = status.get_error_details().error_info().cloned().unwrap();
                        assert_eq!(info.reason, "MEMORY_NOT_FOUND");
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_of_the_body_goes_before_the_one_of_the_header() {
    let server = TestServer::start().await;
    let everybody = everybody(&server).await;
    let rest = server.rest(&everybody[0].key).with("x-user-id", "p2");
    let answer = rest
        .post("/v1/memories/search", &json!({"query": QUESTION, "user_id": "p1"}))
        .await
        .ok();
    everybody[1].assert_own(&everybody, &answer.to_string());
    // An id that is like another is another's.
    for user_id in ["P1", "p 1", "p", "p1p"] {
        let found = server
            .rest(&everybody[0].key)
            .search(&json!({"query": QUESTION, "user_id": user_id}))
            .await;
        assert!(found.is_empty(), "{user_id:?}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_accounts_key_reads_nothing() {
    let server = TestServer::start().await;
    let everybody = everybody(&server).await;
    assert!(
        server
            .running
            .app
            .auth
            .delete_account("grace@example.com")
            .await
            .unwrap()
            .is_some()
    );
    server
        .rest(&everybody[3].key)
        .get("/v1/memories")
        .await
        .failure(401, "AUTHENTICATION_ERROR");
    assert_eq!(
        server.rest(&everybody[0].key).list("").await.len(),
        everybody[0].ids.len()
    );
}
