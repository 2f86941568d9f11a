//! gRPC and REST say the same, for every route of the descriptors.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use self::table::{By, Call, Expected::*, Fresh, Known, calls};
use crate::process::{BOUND, eventually};
use crate::support::{Answer, Binding, Rest, TestServer, bindings, call_raw, conversation, proto_json, success_status};

fn fill(template: &str, values: &Value) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => values[name]
            .as_str()
            .unwrap_or_else(|| panic!("{template} {values}"))
            .to_owned(),
        None => part.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn over_rest(rest: &Rest, binding: &Binding, call: &Call) -> Answer {
    let mut path = fill(&binding.template, &call.path);
    if !call.query.is_empty() {
        path = format!("{path}?{}", call.query);
    }
    rest.call(&binding.verb, &path, &call.body).await
}

/// The answer as the JSON that the contract makes of it.
async fn over_grpc(
    server: &TestServer,
    header: (&str, &str),
    method: &MethodDescriptor,
    message: Vec<u8>,
) -> Result<Value, Status> {
    let answer = call_raw(server.channel(), &[header], method, message).await?;
    Ok(proto_json(
        &DynamicMessage::decode(method.output(), &answer[..]).unwrap(),
    ))
}

/// Somebody new for one row of one transport; only accounts that the row's RPC is about are made.
async fn fresh(server: &TestServer, rpc: &str, number: usize) -> Fresh {
    let mut fresh = Fresh {
        person: format!("person {number}"),
        email: format!("somebody-{number}@example.com"),
        ..Fresh::default()
    };
    if !rpc.starts_with("AuthService.") && rpc != "MemoryService.EraseOwnData" {
        return fresh;
    }
    let person = server.register(&fresh.email).await;
    let session = server.bearer(&person.access_token);
    let key = session.post("/v1/api-keys", &json!({"name": "first"})).await.json();
    let client = json!({"name": "first", "redirect_uris": ["https://example.com/back"]});
    let client = session.post("/v1/oauth/clients", &client).await.json();
    fresh.api_key_id = key["api_key_id"].as_str().unwrap().to_owned();
    fresh.client_id = client["client"]["client_id"].as_str().unwrap().to_owned();
    (fresh.access_token, fresh.refresh_token) = (person.access_token, person.refresh_token);
    if rpc == "AuthService.SetUpAccount" {
        let auth = &server.running.app.auth;
        let address = format!("nobodys-{number}@example.com");
        let nobodys = auth.create_account(&address, None, None).await.unwrap();
        let token = auth.new_setup_token(&nobodys).await.unwrap();
        fresh.setup_token = token.unwrap().expose().to_owned();
    }
    fresh
}

/// What every call makes anew, or each row's own account.
const NEW: [&str; 27] = [
    "task_id",
    "id",
    "created_at",
    "processing_time",
    "user_id",
    "email",
    "access_token",
    "refresh_token",
    "api_key_id",
    "key",
    "key_hint",
    "client_id",
    "client_secret",
    "deleted_at",
    "expires_at",
    "start",
    "updated_at",
    "generated_at",
    "version",
    "receipt",
    "actor",
    "target",
    "request_id",
    "occurred_at",
    "next_cursor",
    "p50_ms",
    "p95_ms",
];

/// Takes out what every call makes anew.
fn without_new(answer: &mut Value) {
    match answer {
        Value::Object(map) => {
            for name in NEW {
                map.entry(name).and_modify(|value| {
                    assert!(value.is_number() || value.as_str().is_some_and(|text| !text.is_empty()));
                    *value = "new".into();
                });
            }
            map.values_mut().for_each(without_new);
        }
        Value::Array(list) => list.iter_mut().for_each(without_new),
        _ => {}
    }
}

/// The code, the message, and every detail of a gRPC failure, as REST would show them.
fn failure(status: &Status) -> (String, BTreeMap<String, String>, BTreeSet<String>) {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "memsync");
    let fields = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|v| v.field.clone()).collect());
    (
        info.reason.clone(),
        info.metadata.clone().into_iter().collect(),
        fields.unwrap_or_default(),
    )
}

fn assert_same_failure(what: &str, expected: (u16, Code, &str), rest: &Answer, grpc: &Status) {
    let (http, code, reason) = expected;
    let shown = rest.failure(http, reason);
    let (grpc_reason, metadata, fields) = failure(grpc);
    assert_eq!((grpc.code(), grpc_reason.as_str()), (code, reason), "{what}: {grpc:?}");
    let violations = shown["violations"].as_array().cloned().unwrap_or_default();
    let rest_fields: BTreeSet<String> = violations
        .iter()
        .map(|v| v["field"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rest_fields, fields, "{what}: both name the same fields");
    for (name, text) in metadata {
        let value = match &shown[&name] {
            Value::Array(list) => list
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(","),
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        assert_eq!(value, text, "{what}: {name}");
    }
}

/// The id of a task, when it is done.
async fn done(rest: &Rest, taken: &Value) -> String {
    let id = taken["task_id"].as_str().unwrap();
    eventually(id, BOUND, async || {
        let task = rest.get(&format!("/v1/integrations/status/{id}")).await.ok();
        (task["status"] == "SUCCESS").then_some(())
    })
    .await;
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_its_rpc_does() {
    every_route_is_called(&TestServer::start().await).await;
}

/// Calls every RPC over both transports, and holds the answers against each other.
pub async fn every_route_is_called(server: &TestServer) {
    let scopes = memsync::model::Scope::ALL.map(|scope| scope.as_str());
    let key = server.create_key("ada@example.com", &scopes).await;
    let rest = server.rest(&key.secret);
    let mut story = conversation(
        "t",
        &[
            "I work as a nurse in Oslo.",
            "I love hiking.",
            "I bought a bike yesterday.",
        ],
    );
    story["metadata"] = json!({"count": 3, "inner": {"list": [1, 0.5, null, true]}});
    let stored = rest.store(&story).await;
    let mut alone = conversation("t", &["I live in Bergen."]);
    alone["user_id"] = "solo".into();
    rest.store(&alone).await;
    let mut told = conversation(
        "t",
        &[
            "I live in Bergen.",
            "I work as a carpenter at Fjord Boats.",
            "I love rowing.",
            "I love rowing races in Bergen.",
            "My sister Anna lives in Oslo.",
            "I want to build a wooden boat.",
            "I am learning Finnish.",
        ],
    );
    told["user_id"] = "told".into();
    rest.store(&told).await;
    rest.get("/v1/profile/bio?user_id=told").await.ok();
    let mut later = conversation("t", &["I play chess."]);
    later["async"] = true.into();
    later["user_id"] = "later".into();
    let task_id = done(&rest, &rest.post("/v1/memories", &later).await.json()).await;
    let known = Known {
        task_id,
        memory_id: stored["memories"][0]["id"].as_str().unwrap().to_owned(),
        api_key_id: key.id.to_string(),
    };

    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let (mut routes, mut rows) = (0, 0);
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        let rpc = method.full_name().trim_start_matches("memsync.v1.").to_owned();
        let bindings = bindings(&method);
        assert!(!bindings.is_empty(), "{rpc} has no route");
        for binding in bindings {
            routes += 1;
            rows += 2;
            let of_rest = fresh(server, &rpc, rows).await;
            let of_grpc = fresh(server, &rpc, rows + 1).await;
            let row =
                |fresh: &Fresh| calls(&rpc, &known, fresh).unwrap_or_else(|| panic!("{rpc} has no row in the table"));
            for (rest_call, grpc_call) in row(&of_rest).into_iter().zip(row(&of_grpc)) {
                let what = format!("{rpc}: {} {} {}", binding.verb, binding.template, rest_call.body);
                let client = match rest_call.by {
                    By::Key => rest.clone(),
                    By::Session => server.bearer(&of_rest.access_token),
                };
                let over_rest = over_rest(&client, &binding, &rest_call).await;
                let bearer = format!("Bearer {}", of_grpc.access_token);
                let header = match grpc_call.by {
                    By::Key => ("x-api-key", key.secret.as_str()),
                    By::Session => ("authorization", bearer.as_str()),
                };
                let over_grpc = over_grpc(server, header, &method, grpc_call.message).await;
                match (rest_call.expected, over_grpc) {
                    (Failure(http, code, reason), Err(status)) => {
                        assert_same_failure(&what, (http, code, reason), &over_rest, &status);
                    }
                    (Same | NewAnswer | Taken, Ok(mut answer)) => {
                        assert_eq!(
                            over_rest.status.as_u16(),
                            if rest_call.expected == Taken {
                                202
                            } else {
                                success_status(&method)
                            },
                            "{what}: {over_rest:?}"
                        );
                        let mut shown = over_rest.json();
                        if !binding.response_body.is_empty() {
                            answer = answer[&binding.response_body].take();
                        }
                        if rest_call.expected != Same {
                            without_new(&mut shown);
                            without_new(&mut answer);
                        }
                        assert_eq!(shown, answer, "{what}");
                    }
                    (expected, grpc) => panic!("{what}: expected {expected:?}: {over_rest:?} {grpc:?}"),
                }
            }
        }
    }
    assert!(routes > 28, "the additional bindings are called too: {routes}");
}
