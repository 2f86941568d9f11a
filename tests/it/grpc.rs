//! What gRPC clients rely on beside the answers: health, reflection, compression, deadlines, sizes, error details.

use bytes::Bytes;
use futures::FutureExt;
use http_body_util::{BodyExt, Full};
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::{self as pb};
use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use tokio_stream::once;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::{v1, v1alpha};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

use crate::support::{DEFAULT_SCOPES, TestServer, send};

const SERVICES: [&str; 3] = ["", "memsync.v1.MemoryService", "memsync.v1.AuthService"];

fn message(content: &str) -> pb::Message {
    pb::Message {
        role: pb::Role::User.into(),
        content: content.to_owned(),
        ..Default::default()
    }
}

fn store(messages: Vec<pb::Message>) -> pb::StoreMemoriesRequest {
    pb::StoreMemoriesRequest {
        messages,
        agent_id: "assistant".to_owned(),
        thread_id: "t".to_owned(),
        source: "chat".to_owned(),
        ..Default::default()
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// Sends these very bytes as a gRPC request; the status of the answer.
async fn raw(channel: &Channel, path: &str, headers: &[(&str, &str)], bytes: Vec<u8>) -> Status {
    let mut request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(tonic::body::Body::new(Full::new(Bytes::from(bytes))))
        .unwrap();
    let response = channel.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let body = response.into_body().collect().await.unwrap();
    Status::from_header_map(body.trailers().unwrap()).unwrap()
}

/// The details, which must carry this reason.
#[track_caller]
fn details(status: &Status, code: Code, reason: &str) -> ErrorDetails {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(
        (status.code(), info.reason.as_str(), info.domain.as_str()),
        (code, reason, "memsync"),
        "{status:?}"
    );
    details
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_open_and_says_serving_for_every_service() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel());
    let serving = HealthCheckResponse {
        status: ServingStatus::Serving.into(),
    };
    for service in SERVICES {
        let request = || HealthCheckRequest {
            service: service.to_owned(),
        };
        assert_eq!(health.check(request()).await.unwrap().into_inner(), serving);
        let mut watched = health.watch(request()).await.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap(), Some(serving));
    }
    let unknown = health
        .check(HealthCheckRequest {
            service: "no.such.Service".to_owned(),
        })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_an_unknown_service_says_so_and_stays_open_until_the_server_stops() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel());
    let watch = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let mut unknown = health.watch(watch("no.such.Service")).await.unwrap().into_inner();
    let first = unknown.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let mut known = health.watch(watch("")).await.unwrap().into_inner();
    assert_eq!(known.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let stopping = tokio::spawn(server.running.stop());
    // The server's own watch tells of the stop; the other has nothing to tell, and has not ended before.
    assert_eq!(
        known.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    assert!(unknown.message().now_or_never().is_none());
    drop((unknown, known, health));
    stopping.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_reflections_are_open_and_list_the_services() {
    let expected = [
        "grpc.health.v1.Health",
        "memsync.v1.AuthService",
        "memsync.v1.MemoryService",
    ];
    let server = TestServer::start().await;

    let list = v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(server.channel());
    let mut answers = client.server_reflection_info(once(list)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");

    let symbol = v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::FileContainingSymbol(
            "memsync.v1.StoreMemoriesRequest".to_owned(),
        )),
        ..Default::default()
    };
    let mut answers = client.server_reflection_info(once(symbol)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    assert!(
        matches!(
            answer,
            Some(v1::server_reflection_response::MessageResponse::FileDescriptorResponse(
                _
            ))
        ),
        "{answer:?}"
    );

    let list = v1alpha::ServerReflectionRequest {
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel());
    let mut answers = client.server_reflection_info(once(list)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_taken_and_given() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut client = MemoryServiceClient::new(server.channel())
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let mut request = Request::new(store(vec![message("I live in Oslo.")]));
    request.metadata_mut().insert("x-api-key", key.parse().unwrap());
    let answer = client.store_memories(request).await.unwrap();
    assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(answer.into_inner().memories_created, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_has_passed_ends_the_call() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    // More work than fits before the timer's first tick.
    let messages: Vec<pb::Message> = (0..500)
        .map(|n| {
            message(&format!(
                "My friend number {n} lives in town number {n} and works as a baker."
            ))
        })
        .collect();
    let bytes = framed(&store(messages).encode_to_vec());
    // Not by tonic's client, which would end the call by itself.
    let rpc = server.rest(&key).with("grpc-timeout", "1n");
    let request = rpc.request("POST", "/memsync.v1.MemoryService/StoreMemories");
    let answer = send(request.header("content-type", "application/grpc").body(bytes)).await;
    let status = Status::from_header_map(&answer.headers).unwrap();
    details(&status, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_four_mib_is_refused_by_its_size() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut client = server.memories(&[("x-api-key", &key)]);
    let status = client
        .store_memories(store(vec![message(&"x".repeat(5 << 20))]))
        .await
        .unwrap_err();
    let details = details(&status, Code::ResourceExhausted, "PAYLOAD_TOO_LARGE");
    assert_eq!(details.error_info().unwrap().metadata["max_size_mb"], "4");
    client.list_memories(pb::ListMemoriesRequest::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_methods_and_services_are_unimplemented() {
    let server = TestServer::start().await;
    let channel = server.channel();
    for path in [
        "/memsync.v1.MemoryService/Nothing",
        "/no.such.Service/Get",
        "/memsync.v2.MemoryService/StoreMemories",
    ] {
        let status = raw(&channel, path, &[], framed(&[])).await;
        assert_eq!(status.code(), Code::Unimplemented, "{path}: {status:?}");
    }
    let status = raw(&channel, "/no.such.Service/Get", &[], framed(&[])).await;
    details(&status, Code::Unimplemented, "ROUTE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_every_bad_field() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let mut client = server.memories(&[("x-api-key", &key)]);
    let bad = pb::StoreMemoriesRequest {
        messages: vec![
            message("Hi."),
            pb::Message {
                role: 99,
                ..message(&"x".repeat(32_769))
            },
        ],
        agent_id: "a\u{0}b".to_owned(),
        user_id: Some("x".repeat(129)),
        ..store(Vec::new())
    };
    let status = client.store_memories(bad).await.unwrap_err();
    let details = details(&status, Code::InvalidArgument, "VALIDATION_ERROR");
    let mut violations: Vec<(String, String)> = details
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|violation| (violation.field.clone(), violation.description.clone()))
        .collect();
    violations.sort();
    let expected = [
        ("agent_id", "must have no control or invisible characters"),
        ("messages[1].content", "must be at most 32768 bytes"),
        (
            "messages[1].role",
            "must be one of: user, assistant, system, developer, tool, function",
        ),
        ("user_id", "must be 0 to 128 characters"),
    ];
    assert_eq!(
        violations,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_the_callers_fault_and_the_server_goes_on() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let channel = server.channel();
    let garbage: [Vec<u8>; 8] = [
        // A wire type that there is not; a length beyond the end; a text that is not UTF-8; a number that never ends.
        framed(&[0x0f, 1]),
        framed(&[0x0a, 200, 1]),
        framed(&[0x12, 2, 0xff, 0xfe]),
        framed(&[0xff; 20]),
        // A frame that says more than comes; a compression flag that there is not; half a prefix; nothing.
        vec![0, 0, 0, 0, 9, 1],
        vec![7, 0, 0, 0, 0],
        vec![0, 0],
        Vec::new(),
    ];
    for rpc in ["StoreMemories", "SearchMemories", "ListMemories", "GetMemory"] {
        let path = format!("/memsync.v1.MemoryService/{rpc}");
        for bytes in &garbage {
            let status = raw(&channel, &path, &[("x-api-key", &key)], bytes.clone()).await;
            let details = details(&status, Code::InvalidArgument, "VALIDATION_ERROR");
            assert!(
                !details.bad_request().unwrap().field_violations.is_empty(),
                "{rpc} {bytes:?}"
            );
        }
        let anonymous = raw(&channel, &path, &[], garbage[0].clone()).await;
        assert_eq!(anonymous.code(), Code::Unauthenticated);
    }
    let mut client = server.memories(&[("x-api-key", &key)]);
    let deep = (0..200).fold(Value { kind: None }, |inner, _| Value {
        kind: Some(Kind::ListValue(ListValue { values: vec![inner] })),
    });
    let deep = pb::SearchMemoriesRequest {
        query: "x".to_owned(),
        metadata: Some(Struct {
            fields: [("a".to_owned(), deep)].into(),
        }),
        ..Default::default()
    };
    let status = client.search_memories(deep).await.unwrap_err();
    details(&status, Code::InvalidArgument, "VALIDATION_ERROR");
    let stored = client
        .store_memories(store(vec![message("I live in Oslo.")]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(stored.memories_created, 1);
}
