//! What published clients and today's SDKs send is understood, or refused by name; never answered with somebody else's
//! memories.

use serde_json::{Value, json};
use tonic_types::StatusExt;

use crate::support::{Answer, Rest, TestServer, conversation, field};

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn messages(messages: Value) -> Value {
    json!({"messages": messages, "agent_id": "assistant", "thread_id": "t", "source": "chat"})
}

/// The one violation of a 400: the name that was sent, and the right one.
#[track_caller]
fn refused(answer: &Answer, name: &str, instead: &str) {
    let reason = format!("is not a field of this request; use {instead}");
    let expected = json!({"field": name, "reason": reason, "violations": [{"field": name, "reason": reason}]});
    assert_eq!(answer.failure(400, "VALIDATION_ERROR"), expected);
}

const SEARCH_FIELDS: &str = "user_id, agent_id, thread_id, categories, type, instruction, created_after, created_before, min_importance, metadata";

/// Two people behind one key, and the account's own person.
async fn three_people(server: &TestServer) -> Rest {
    let ada = server.ada().await;
    ada.store(&conversation("t", &["I work as a nurse."])).await;
    for (person, words) in [("alice", "I work as a baker."), ("bob", "I work as a diver.")] {
        ada.store(&with(conversation("t", &[words]), "user_id", person.into()))
            .await;
    }
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_by_another_name_is_a_400_that_names_the_right_field() {
    let server = TestServer::start().await;
    let ada = three_people(&server).await;
    for name in [
        "userId",
        "userID",
        "user-id",
        "userid",
        "UserId",
        "USER_ID",
        "user",
        "namespace",
        "tenant_id",
    ] {
        let searched = json!({"query": "work", name: "alice"});
        refused(&ada.post("/v1/memories/search", &searched).await, name, "user_id");
        refused(&ada.post("/memories/search", &searched).await, name, "user_id");
        let stored = with(conversation("t", &["I work."]), name, "alice".into());
        refused(&ada.post("/v1/memories", &stored).await, name, "user_id");
        for path in [
            "/v1/memories",
            "/memories",
            "/v1/memories/mem_1",
            "/v1/memories/mem_1/history",
            "/v1/export",
            "/v1/profile",
            "/v1/profile/bio",
            "/v1/profile/history",
            "/v1/users/profile",
            "/v1/users/bio",
        ] {
            refused(&ada.get(&format!("{path}?{name}=alice")).await, name, "user_id");
        }
        refused(
            &ada.delete(&format!("/v1/memories/mem_1?{name}=alice")).await,
            name,
            "user_id",
        );
        let import = ada.request("POST", &format!("/v1/import?{name}=alice")).body("{}");
        refused(&crate::support::send(import).await, name, "user_id");
        for (verb, path, body) in [
            ("PATCH", "/v1/memories/mem_1", json!({"importance": 0.5})),
            ("POST", "/v1/memories/batch-delete", json!({"memory_ids": ["mem_1"]})),
            ("PATCH", "/v1/profile/bio", json!({"bio": "Bakes."})),
            ("PUT", "/v1/users/bio", json!({"user_bio": "Bakes."})),
            ("PATCH", "/v1/profile/privacy", json!({"bio_public": true})),
        ] {
            let answer = ada.call(verb, path, &with(body.clone(), name, "alice".into())).await;
            refused(&answer, name, "user_id");
            let answer = ada.call(verb, &format!("{path}?{name}=alice"), &body).await;
            refused(&answer, name, "user_id");
        }
    }
    // A body that nobody reads names nobody.
    let stray = "must be in the query: this request has no body";
    for (verb, path) in [
        ("GET", "/v1/memories"),
        ("GET", "/v1/profile"),
        ("DELETE", "/v1/memories/mem_1"),
    ] {
        let answer = ada.call(verb, path, &json!({"user_id": "alice"})).await;
        let details = answer.failure(400, "VALIDATION_ERROR");
        assert_eq!(
            (&details["field"], &details["reason"]),
            (&json!("user_id"), &json!(stray)),
            "{verb} {path}"
        );
        refused(
            &ada.call(verb, path, &json!({"userId": "alice"})).await,
            "userId",
            "user_id",
        );
    }
    let nothing = json!({"user_id": null, "reason": "tidying up", "memory_id": "mem_2"});
    let absent = ada.call("DELETE", "/v1/memories/mem_1", &nothing).await;
    absent.failure(404, "MEMORY_NOT_FOUND");
    assert_eq!(
        ada.list("user_id=alice").await.len(),
        1,
        "nothing was stored or deleted"
    );
    assert_eq!(ada.list("").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_other_services_are_a_400_that_names_the_fields_of_this_one() {
    let server = TestServer::start().await;
    let ada = three_people(&server).await;
    for (name, value) in [
        ("filters", json!({"user_id": "alice"})),
        ("filters", json!({"AND": [{"user_id": "alice"}]})),
        ("filters", json!({})),
        ("filter", json!("user_id = 'alice'")),
        ("where", json!([["user_id", "=", "alice"]])),
    ] {
        let answer = ada
            .post("/v1/memories/search", &json!({"query": "work", name: value}))
            .await;
        refused(&answer, name, SEARCH_FIELDS);
    }
    let search = async |name: &str, value: Value| {
        ada.post("/v1/memories/search", &json!({"query": "work", name: value}))
            .await
    };
    refused(&search("run_id", "t".into()).await, "run_id", "thread_id");
    refused(&search("agentID", "a".into()).await, "agentID", "agent_id");
    refused(&search("thread-id", "t".into()).await, "thread-id", "thread_id");
    refused(
        &search("CreatedAfter", "x".into()).await,
        "CreatedAfter",
        "created_after",
    );
    refused(
        &search("min-importance", 1.into()).await,
        "min-importance",
        "min_importance",
    );
    refused(&search("category", "career".into()).await, "category", "categories");
    let listed = "user_id, agent_id, thread_id, category, type, instruction";
    refused(&ada.get("/v1/memories?filters=x").await, "filters", listed);
    refused(
        &ada.get("/v1/memories?filters.user_id=alice").await,
        "filters.user_id",
        listed,
    );
    refused(
        &ada.get("/v1/memories?where%5Buser_id%5D=alice").await,
        "where[user_id]",
        listed,
    );
    refused(
        &ada.get("/v1/memories?categories=career").await,
        "categories",
        "category",
    );
    let several = json!({"query": "work", "filters": {"user_id": "alice"}, "userId": "alice"});
    let details = ada
        .post("/v1/memories/search", &several)
        .await
        .failure(400, "VALIDATION_ERROR");
    let named: Vec<&str> = field(details["violations"].as_array().unwrap(), "field");
    assert_eq!(named, ["filters", "userId"]);
    // Whoever may not ask learns nothing of it.
    let nobody = server.anonymous();
    let answer = nobody
        .post("/v1/memories/search", &json!({"query": "work", "filters": {}}))
        .await;
    answer.failure(401, "AUTHENTICATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_nothing_is_passed_over_and_camel_case_means_its_field() {
    let server = TestServer::start().await;
    let ada = three_people(&server).await;
    let body = json!({
        "query": "work", "user_id": "alice", "filters": null, "run_id": null, "userId": null,
        "temperature": 0.5, "stream": false, "metadata": null,
    });
    assert_eq!(field(&ada.search(&body).await, "memory"), ["User works as a baker."]);
    assert_eq!(ada.list("user_id=alice&utm_source=x").await.len(), 1);
    let later = "2999-01-01T00:00:00Z";
    for narrowed in [
        json!({"agentId": "nobody"}),
        json!({"threadId": "none"}),
        json!({"createdAfter": later}),
        json!({"minImportance": 1.0}),
    ] {
        let mut body = json!({"query": "work", "user_id": "alice"});
        body.as_object_mut()
            .unwrap()
            .extend(narrowed.as_object().unwrap().clone());
        assert_eq!(ada.search(&body).await, Vec::<Value>::new(), "{narrowed}");
    }
    assert_eq!(ada.list("agentId=nobody").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_in_parts_is_read_as_its_text() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let parts = json!([
        {"type": "text", "text": "I work as a nurse."},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text", "text": "I live in Rome."}]},
        {"type": "thinking", "text": "I live in Lima."},
        {"type": "text", "text": "I love hiking."},
        {"type": "text", "text": null},
    ]);
    let stored = ada.store(&messages(json!([{"role": "user", "content": parts}]))).await;
    let stored = stored["memories"].as_array().unwrap();
    assert_eq!(
        field(stored, "memory"),
        ["User works as a nurse.", "User loves hiking."]
    );
    let plain = messages(json!([{"role": "user", "content": "I work as a nurse.\nI love hiking."}]));
    let again = ada.store(&plain).await;
    assert_eq!(again["memories_created"], 0, "{again}");

    for (content, name, reason) in [
        (json!({"type": "text"}), "messages[0].content", "must be a string"),
        (json!(["I work."]), "messages[0].content[0]", "must be an object"),
        (
            json!([{"type": "text", "text": 1}]),
            "messages[0].content[0].text",
            "must be a string",
        ),
        (
            json!([{"type": "text", "text": "x".repeat(20_000)}, {"type": "text", "text": "y".repeat(20_000)}]),
            "messages[0].content",
            "must be at most 32768 bytes",
        ),
        (
            json!(vec![json!({"type": "text"}); 101]),
            "messages[0].content",
            "must be at most 100 parts",
        ),
    ] {
        let answer = ada
            .post("/v1/memories", &messages(json!([{"role": "user", "content": content}])))
            .await;
        let expected = json!({"field": name, "reason": reason, "violations": [{"field": name, "reason": reason}]});
        assert_eq!(answer.failure(400, "VALIDATION_ERROR"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_says_nothing_is_skipped_and_the_others_keep_their_places() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let call = json!([{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let stored = ada
        .store(&messages(json!([
            {"role": "assistant", "content": "Where do you live?"},
            {"role": "assistant", "content": null, "tool_calls": call},
            {"role": "assistant", "content": ""},
            {"role": "assistant"},
            {"role": "user", "content": [{"type": "image", "source": {}}]},
            {"role": "user", "content": []},
            {"role": "user", "content": "In Bergen."},
            {"role": "user", "content": "I work as a nurse."},
        ])))
        .await;
    let told = field(stored["memories"].as_array().unwrap(), "memory").join(" ");
    assert_eq!(told.to_lowercase(), "user lives in bergen. user works as a nurse.");
    let found = ada.search(&json!({"query": "nurse", "limit": 1})).await;
    assert_eq!(found[0]["source_message_ids"], json!(["t#7"]));
    let nothing = ada
        .store(&messages(json!([{"role": "assistant", "content": null}])))
        .await;
    assert_eq!((&nothing["success"], &nothing["memories"]), (&json!(true), &json!([])));
    let next = ada
        .store(&messages(json!([{"role": "user", "content": "I love hiking."}])))
        .await;
    let id = next["memories"][0]["id"].as_str().unwrap();
    let memory = ada.get(&format!("/v1/memories/{id}")).await.ok();
    assert_eq!(memory["source_message_ids"], json!(["t#9"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tools_functions_and_developers_say_is_nobodys_memory() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let others = ["tool", "function", "developer", "system", "TOOL", "ROLE_TOOL"].map(|role| {
        json!({"role": role, "name": "get_user", "tool_call_id": "call_1",
            "content": "I live in Rome. I work as a spy. User lives in Rome. My name is Max."})
    });
    let mut all = others.to_vec();
    all.push(json!({"role": "user", "content": "Yes. I love hiking."}));
    let stored = ada.store(&messages(json!(all))).await;
    assert_eq!(
        field(stored["memories"].as_array().unwrap(), "memory"),
        ["User loves hiking."]
    );
    let answer = ada
        .post("/v1/memories", &messages(json!([{"role": "boss", "content": "x"}])))
        .await;
    let reason = "must be one of: user, assistant, system, developer, tool, function";
    assert_eq!(answer.failure(400, "VALIDATION_ERROR")["reason"], reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_store_tells_when_and_how_important_and_a_replay_says_the_same() {
    let server = TestServer::start().await;
    let ada = server.ada().await.with("idempotency-key", "once");
    let told = json!([{"role": "user", "content": "I bought a bike on 3 May 2026.", "timestamp": "2026-05-10T10:00:00Z"},
        {"role": "user", "content": "I am allergic to peanuts.", "timestamp": "2026-05-10T10:01:00Z"}]);
    let first = ada.store(&messages(told.clone())).await;
    let again = ada.store(&messages(told)).await;
    assert_eq!(first["memories"], again["memories"]);
    let stored = first["memories"].as_array().unwrap();
    assert_eq!(stored.len(), 2, "{first}");
    for shown in stored {
        let id = shown["id"].as_str().unwrap();
        let memory = ada.get(&format!("/v1/memories/{id}")).await.ok();
        let mut expected = json!({
            "id": id, "memory": memory["memory"], "categories": memory["categories"], "type": memory["type"],
            "created_at": memory["created_at"], "operation": "added", "importance": memory["importance"],
            "instruction": false,
        });
        for name in ["event_time", "event_time_precision"] {
            if let Some(told) = memory.get(name) {
                expected[name] = told.clone();
            }
        }
        assert_eq!(*shown, expected);
    }
    assert_eq!(stored[0]["event_time"], "2026-05-03T00:00:00Z");
    assert!(stored[1].get("event_time").is_none(), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_takes_the_place_of_all_that_a_memory_had() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let stored = ada.store(&conversation("t", &["I work as a nurse."])).await;
    let path = format!("/v1/memories/{}", stored["memories"][0]["id"].as_str().unwrap());
    let three = json!({"categories": ["career", "health", "identity"]});
    ada.patch(&path, &three).await.ok();
    let one = ada.patch(&path, &json!({"category": "learning"})).await.ok();
    assert_eq!(
        (&one["category"], &one["categories"]),
        (&json!("learning"), &json!(["learning"]))
    );
    assert_eq!(ada.get(&path).await.ok()["categories"], json!(["learning"]));
    let both = json!({"category": "health", "categories": ["career", "health"]});
    let both = ada.patch(&path, &both).await.ok();
    assert_eq!(
        (&both["category"], &both["categories"]),
        (&json!("health"), &json!(["health", "career"]))
    );
    // What is private by its text stays so.
    let secret = ada
        .store(&conversation("t", &["My password is sesame-77-orchard."]))
        .await;
    let path = format!("/v1/memories/{}", secret["memories"][0]["id"].as_str().unwrap());
    let open = ada.patch(&path, &json!({"category": "productivity"})).await.ok();
    assert_eq!(open["categories"], json!(["productivity", "private"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_as_bearer_token_is_the_same_key() {
    let server = TestServer::start_with(
        |config| config.limits.requests_per_minute = 6,
        memsync::model::Clock::system(),
    )
    .await;
    let key = server
        .create_key("ada@example.com", &["memories:read", "memories:write"])
        .await;
    let (by_header, by_bearer) = (server.rest(&key.secret), server.bearer(&key.secret));
    let first = by_header
        .post("/v1/memories", &conversation("t", &["I work as a nurse."]))
        .await;
    let second = by_bearer.get("/v1/memories").await;
    assert_eq!(second.ok()["data"][0]["memory"], "User works as a nurse.");
    let left = |answer: &Answer| answer.header("x-ratelimit-remaining").unwrap().parse::<u32>().unwrap();
    assert_eq!((left(&first), left(&second)), (5, 4), "one allowance");
    let who = by_bearer.get("/v1/auth/me").await.ok();
    assert_eq!(
        (&who["auth_method"], &who["api_key_id"]),
        (&json!("api_key"), &json!(key.id.to_string()))
    );
    let health = by_bearer.get("/healthcheck").await.ok();
    assert_eq!(health["authenticated"], true);
    by_bearer.get("/v1/profile").await.failure(403, "PERMISSION_DENIED");
    let status = server
        .memories(&[("authorization", &format!("bearer {}", key.secret))])
        .list_memories(memsync::proto::v1::ListMemoriesRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(status.data.len(), 1);
    let limited = by_bearer.get("/v1/memories").await;
    assert_eq!(limited.failure(429, "RATE_LIMIT_EXCEEDED")["limit"], 6);

    let bad = format!("{}x", &key.secret[..key.secret.len() - 1]);
    let (shown, hidden) = (
        server.bearer(&bad).get("/v1/memories").await,
        server.rest(&bad).get("/v1/memories").await,
    );
    shown.failure(401, "AUTHENTICATION_ERROR");
    assert_eq!(shown.json()["detail"], hidden.json()["detail"]);
    let status = server
        .memories(&[("authorization", &format!("Bearer {bad}"))])
        .list_memories(memsync::proto::v1::ListMemoriesRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    assert_eq!(
        status.get_error_details().error_info().unwrap().reason,
        "AUTHENTICATION_ERROR"
    );
}
