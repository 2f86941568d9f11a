//! gRPC and REST say the same, for every route of the descriptors.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::{Value, json};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use self::table::{Call, Expected::*, calls};
use crate::support::{Answer, Binding, Key, Raw, Rest, Sender, TestServer, bindings, conversation, proto_json, send};

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
    let request = rest.request(&binding.verb, &path);
    send(if call.body.is_null() {
        request
    } else {
        request.json(&call.body)
    })
    .await
}

/// The answer as the JSON that the contract makes of it.
async fn over_grpc(
    server: &TestServer,
    key: &Key,
    method: &MethodDescriptor,
    message: Vec<u8>,
) -> Result<Value, Status> {
    let channel = tonic::service::interceptor::InterceptedService::new(
        server.channel(),
        Sender::new(&[("x-api-key", &key.secret)]),
    );
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let request = Request::new(tokio_stream::once(message));
    let mut answers = client
        .streaming(request, path.parse().unwrap(), Raw)
        .await?
        .into_inner();
    let answer = answers.message().await?.unwrap();
    assert!(answers.message().await?.is_none(), "one answer");
    Ok(proto_json(
        &DynamicMessage::decode(method.output(), &answer[..]).unwrap(),
    ))
}

/// Takes out what every call makes anew.
fn without_new(answer: &mut Value) {
    match answer {
        Value::Object(map) => {
            for name in ["id", "created_at", "processing_time"] {
                map.entry(name).and_modify(|value| {
                    assert!(value.as_str().is_some_and(|text| !text.is_empty()));
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

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_its_rpc_does() {
    let server = TestServer::start().await;
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
    let known = rest.store(&story).await["memories"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let (mut routes, mut fresh) = (0, 0);
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        let rpc = method.full_name().trim_start_matches("memsync.v1.").to_owned();
        let bindings = bindings(&method);
        assert!(!bindings.is_empty(), "{rpc} has no route");
        for binding in bindings {
            routes += 1;
            let mut person = || {
                fresh += 1;
                format!("person {fresh}")
            };
            let row = |person: String| {
                calls(&rpc, &known, &person).unwrap_or_else(|| panic!("{rpc} has no row in the table"))
            };
            let (rest_calls, grpc_calls) = (row(person()), row(person()));
            for (rest_call, grpc_call) in rest_calls.into_iter().zip(grpc_calls) {
                let what = format!("{rpc}: {} {} {}", binding.verb, binding.template, rest_call.body);
                let over_rest = over_rest(&rest, &binding, &rest_call).await;
                let over_grpc = over_grpc(&server, &key, &method, grpc_call.message).await;
                match (rest_call.expected, over_grpc) {
                    (Failure(http, code, reason), Err(status)) => {
                        assert_same_failure(&what, (http, code, reason), &over_rest, &status);
                    }
                    (Same | NewAnswer, Ok(mut answer)) => {
                        let mut shown = over_rest.ok();
                        if !binding.response_body.is_empty() {
                            answer = answer[&binding.response_body].take();
                        }
                        if rest_call.expected == NewAnswer {
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
