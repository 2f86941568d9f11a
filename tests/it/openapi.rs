//! The OpenAPI document holds what the server does, and the pages show it without any other host.

use std::collections::BTreeSet;

use memsync::model::Clock;
use memsync::proto::DESCRIPTORS;
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};

use crate::clients_python::python;
use crate::process::memsync;
use crate::support::{Rest, TestServer, bindings, conversation, success_status};

const VERBS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

async fn document(server: &TestServer) -> Value {
    server.anonymous().get("/openapi.json").await.ok()
}

/// Every operation: verb, path, the operation itself.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            assert!(VERBS.contains(&verb.as_str()), "{path} {verb}");
            found.push((verb.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

/// What a `$ref` leads to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn fill(path: &str, id: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') {
            id.to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn public_tools_find_the_document_and_its_examples_valid() {
    let server = TestServer::start().await;
    let file = server.dir.path().join("openapi.json");
    std::fs::write(&file, document(&server).await.to_string()).unwrap();
    python("openapi_document.py", &[file.to_str().unwrap()]);
}

#[tokio::test]
async fn every_rpc_with_a_route_is_in_the_document_under_each_of_its_paths() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        for binding in bindings(&method) {
            let operation = &document["paths"][&binding.template][binding.verb.to_lowercase()];
            let success = success_status(&method).to_string();
            assert!(
                operation["responses"][&success].is_object(),
                "{} {} of {} is missing",
                binding.verb,
                binding.template,
                method.full_name()
            );
        }
    }
    let operations = operations(&document);
    let mut ids = BTreeSet::new();
    for (_, path, operation) in &operations {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "two operations are called {id}");
        assert_ne!(operation["summary"], "", "{path} has no summary");
    }
    for (_, path, operation) in &operations {
        let answers = operation["responses"].as_object().unwrap().values();
        for link in answers
            .flat_map(|answer| answer["links"].as_object())
            .flat_map(|links| links.values())
        {
            assert!(ids.contains(link["operationId"].as_str().unwrap()), "{path}: {link}");
        }
    }
}

#[tokio::test]
async fn every_route_of_the_document_is_served() {
    let server = TestServer::start().await;
    for (verb, path, _) in operations(&document(&server).await) {
        let answer = server
            .anonymous()
            .call(&verb, &fill(&path, "nothing"), &Value::Null)
            .await;
        let code = serde_json::from_slice::<Value>(&answer.bytes).unwrap_or_default()["error"]["code"].clone();
        assert!(
            answer.status != 405 && code != "ROUTE_NOT_FOUND",
            "{verb} {path}: {} {code}",
            answer.status
        );
    }
}

#[tokio::test]
async fn the_command_line_prints_the_document_that_a_server_gives_to_whoever_has_another() {
    let server = TestServer::start().await;
    let answer = server.anonymous().get("/openapi.json").await;
    let printed = memsync(server.dir.path(), &[], &["openapi"])
        .expect_success("openapi")
        .stdout;
    assert_eq!(printed.trim_end().as_bytes(), answer.bytes);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));

    let known = server.anonymous().with("if-none-match", answer.header("etag").unwrap());
    assert_eq!(known.get("/openapi.json").await.status, 304);
    let wrong = server.anonymous().post("/openapi.json", &json!({})).await;
    wrong.failure(405, "METHOD_NOT_ALLOWED");
    let verbs = server.anonymous().call("OPTIONS", "/openapi.json", &Value::Null).await;
    assert_eq!(
        (verbs.status.as_u16(), verbs.header("allow")),
        (204, wrong.header("allow"))
    );
}

#[tokio::test]
async fn a_public_url_is_where_the_document_sends_clients() {
    let url = |config: &mut memsync::config::Config| {
        config.public_url = Some("https://memory.example/".parse().unwrap());
    };
    let server = TestServer::start_with(url, Clock::system()).await;
    let document = document(&server).await;
    assert_eq!(document["servers"], json!([{"url": "https://memory.example"}]));
    let flow = &document["components"]["securitySchemes"]["OAuth2"]["flows"]["authorizationCode"];
    assert_eq!(flow["tokenUrl"], "https://memory.example/oauth/token");
}

/// Somebody signed in, with one memory and its id, whom any example can be tried by.
async fn prepared(server: &TestServer) -> (Rest, String) {
    let session = server.bearer(&server.register("grace@example.com").await.access_token);
    let stored = session
        .store(&conversation(
            "t",
            &["I work as a data engineer in Lisbon.", "I love climbing."],
        ))
        .await;
    (session, stored["memories"][0]["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_example_of_a_request_works_as_it_stands() {
    let server = TestServer::start().await;
    let (session, id) = prepared(&server).await;
    let document = document(&server).await;
    let mut tried = 0;
    // Whoever signs in has registered before.
    let mut operations = operations(&document);
    operations.sort_by_key(|(_, path, _)| path != "/v1/auth/register");
    for (verb, path, operation) in operations {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        if example.is_null() {
            continue;
        }
        let answer = session.call(&verb, &fill(&path, &id), example).await;
        let declared = &operation["responses"][answer.status.as_str()];
        assert!(
            answer.status.is_success() && !declared.is_null(),
            "{verb} {path}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.bytes)
        );
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} examples");
}

/// Values just outside of a schema's limits, each with the limit that it breaks. `item` is one of a list.
fn outside(schema: &Value, item: &Value) -> Vec<(&'static str, Value)> {
    let limit = |name: &str| schema[name].as_i64();
    let least = |name: &str| limit(name).filter(|least| *least > 0);
    let text = |length: i64| json!("x".repeat(usize::try_from(length).unwrap()));
    let list = |length: i64| json!(vec![item; usize::try_from(length).unwrap()]);
    let outside = [
        ("maxLength", limit("maxLength").map(|most| text(most + 1))),
        ("minLength", least("minLength").map(|least| text(least - 1))),
        ("maximum", limit("maximum").map(|most| json!(most + 1))),
        ("minimum", limit("minimum").map(|least| json!(least - 1))),
        ("maxItems", limit("maxItems").map(|most| list(most + 1))),
        ("minItems", least("minItems").map(|least| list(least - 1))),
    ];
    outside
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[tokio::test]
async fn what_lies_outside_of_the_declared_limits_is_refused_by_the_field_s_name() {
    let server = TestServer::start().await;
    let (session, id) = prepared(&server).await;
    let document = document(&server).await;
    let mut tried = BTreeSet::new();
    for (verb, path, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"];
        let whole = resolved(&document, &body["schema"]);
        let valid = match (&body["example"], &whole["required"]) {
            (Value::Null, Value::Null) => json!({}),
            (Value::Null, _) => continue,
            (example, _) => example.clone(),
        };
        for (name, schema) in whole["properties"].as_object().into_iter().flatten() {
            let item = valid[name].get(0).cloned().unwrap_or(json!("mem_x"));
            for (limit, value) in outside(schema, &item) {
                let mut request = valid.clone();
                request[name] = value;
                let answer = session.call(&verb, &fill(&path, &id), &request).await;
                let said = String::from_utf8_lossy(&answer.bytes).into_owned();
                let names_it = said.contains(name.as_str()) || said.contains("BIO_TOO_LONG");
                assert!(
                    answer.status == 400 && names_it,
                    "{limit} of {verb} {path} {name}: {said}"
                );
                tried.insert(limit);
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["in"] != "query" || path.starts_with("/oauth") {
                continue;
            }
            for (limit, value) in outside(&parameter["schema"], &Value::Null) {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let query = format!("{}?{name}={value}", fill(&path, &id));
                let answer = session.call(&verb, &query, &Value::Null).await;
                let said = String::from_utf8_lossy(&answer.bytes).into_owned();
                assert!(
                    answer.status == 400 && said.contains(name),
                    "{limit} of {verb} {query}: {said}"
                );
                tried.insert(limit);
            }
        }
    }
    let all = ["maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum"];
    assert_eq!(tried.into_iter().collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn the_page_that_shows_the_document_needs_no_other_host() {
    let server = TestServer::start().await;
    let anybody = server.anonymous();
    let page = anybody.get("/docs").await;
    let html = page.strict_page();
    let sources = html
        .split(['"', '\''])
        .filter(|text| text.starts_with("/docs/") || text.contains("://"));
    let sources: Vec<&str> = sources.collect();
    assert!(sources.len() >= 4, "{sources:?}");
    for source in sources {
        let answer = anybody.get(source).await;
        assert_eq!(answer.status.as_u16(), 200, "{source}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let known = anybody.with("if-none-match", answer.header("etag").unwrap());
        assert_eq!(known.get(source).await.status.as_u16(), 304, "{source}");
    }
    anybody.get("/docs/nothing").await.failure(404, "ROUTE_NOT_FOUND");
    anybody
        .get("/docs/../../Cargo.toml")
        .await
        .failure(404, "ROUTE_NOT_FOUND");
    anybody
        .post("/docs", &json!({}))
        .await
        .failure(405, "METHOD_NOT_ALLOWED");
}
