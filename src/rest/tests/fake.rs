//! A small gRPC server in an axum handler, behind the real REST router.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost_reflect::{DynamicMessage, prost::Message as _};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

use super::pool;
use crate::in_process::{FRAME_PREFIX, frame_length};
use crate::model::JudgeOnly;
use crate::rest::{RestSettings, router, wire};

/// What the fake server was asked.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) rpc: String,
    pub(super) headers: HeaderMap,
    pub(super) marked: bool,
    pub(super) messages: Vec<Bytes>,
}

#[derive(Debug, Clone)]
struct Mark;

type Log = Arc<Mutex<Vec<Seen>>>;

pub(super) struct Server {
    rest: Router,
    log: Log,
}

pub(super) fn server() -> Server {
    server_with(&[])
}

pub(super) fn server_with(origins: &[&str]) -> Server {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let grpc = Router::new().fallback(move |request: Request| fake(Arc::clone(&seen), request));
    let settings = RestSettings {
        max_body_bytes: 64 * 1024,
        allowed_origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        tls_required: false,
        version: "9.9",
    };
    Server {
        rest: router(&pool(), grpc, &settings).expect("starts"),
        log,
    }
}

/// A gRPC server: what it answers hangs on the RPC and the key.
async fn fake(log: Log, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_public = ["Check", "Login"].iter().any(|rpc| parts.uri.path().ends_with(rpc));
    let is_stranger = !is_public && parts.headers.get("x-api-key").is_none_or(|key| key == "bad");
    if is_stranger {
        return unauthenticated().into_http();
    }
    let Ok(body) = body.collect().await else {
        let mut refusal = Status::unknown("the body broke off").into_http();
        refusal
            .headers_mut()
            .insert("x-ratelimit-remaining", HeaderValue::from(41));
        return refusal;
    };
    let mut messages = Vec::new();
    let mut rest = body.to_bytes();
    while !rest.is_empty() {
        let length = frame_length(&rest).expect("a frame");
        let mut frame = rest.split_to(FRAME_PREFIX + length);
        messages.push(frame.split_off(FRAME_PREFIX));
    }
    let rpc = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let marked = parts.extensions.get::<Mark>().is_some();
    let judged = parts.extensions.get::<JudgeOnly>().is_some();
    log.lock().expect("unpoisoned").push(Seen {
        rpc: rpc.clone(),
        headers: parts.headers.clone(),
        marked,
        messages,
    });
    assert_eq!(parts.headers[CONTENT_TYPE], "application/grpc");
    match (rpc.as_str(), parts.headers.get("x-api-key").map(HeaderValue::as_bytes)) {
        ("Check", _) => unary(&[8, 1]),
        _ if judged => admitted(),
        ("SearchMemories", _) => unary(&search_answer()),
        ("ExportMemories", Some(b"cut")) => streamed(3, Status::internal("disk on fire")),
        ("ExportMemories", _) => streamed(3, Status::ok("")),
        ("ImportMemories", _) => unary(&[8, 2]),
        ("GetMemory", _) => panic!("a fault in a service"),
        ("CreateApiKey", _) => unary(&[]),
        ("DeleteMemory", _) => Response::builder().status(503).body(Body::empty()).expect("a response"),
        _ => Status::with_error_details(
            Code::NotFound,
            "No such memory",
            ErrorDetails::with_error_info("MEMORY_NOT_FOUND", "memsync", []),
        )
        .into_http(),
    }
}

fn unauthenticated() -> Status {
    let details = ErrorDetails::with_error_info("AUTHENTICATION_ERROR", "memsync", []);
    Status::with_error_details(Code::Unauthenticated, "Invalid authentication credentials", details)
}

fn admitted() -> Response {
    let mut response = Status::ok("").into_http();
    response
        .headers_mut()
        .insert("x-ratelimit-remaining", HeaderValue::from(41));
    response
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = wire::new_frame(message.len());
    frame.extend_from_slice(message);
    wire::finish_frame(&mut frame).expect("fits");
    frame.into()
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).expect("headers");
    trailers
}

fn unary(message: &[u8]) -> Response {
    answer(vec![framed(message)], &Status::ok(""))
}

fn answer(frames: Vec<Bytes>, status: &Status) -> Response {
    let data = frames.into_iter().map(Frame::data);
    let frames = data
        .chain([Frame::trailers(trailers(status))])
        .map(Ok::<_, std::io::Error>);
    let frames: Vec<_> = frames.collect();
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("41"));
    headers.insert("x-inside", HeaderValue::from_static("secret"));
    response
}

fn streamed(count: usize, status: Status) -> Response {
    // Frames cut in odd places, as a transport may.
    let all: Vec<u8> = (0..count)
        .flat_map(|_| framed(&[0x0a, 5, 0x0a, 3, 0x0a, 1, b'm']))
        .collect();
    answer(all.chunks(7).map(Bytes::copy_from_slice).collect(), &status)
}

fn search_answer() -> Vec<u8> {
    let descriptor = pool()
        .get_message_by_name("memsync.v1.SearchMemoriesResponse")
        .expect("declared");
    let mut message = DynamicMessage::new(descriptor);
    message.set_field_by_name("user_bio", prost_reflect::Value::String("b".repeat(2000)));
    message.encode_to_vec()
}

pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(super) fn code(&self) -> String {
        let json = self.json();
        assert_eq!(json["status_code"], self.status.as_u16());
        assert_eq!(json["status"], "error");
        json["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Server {
    pub(super) async fn send(&self, verb: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut request = Request::builder().method(verb).uri(path).extension(Mark);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let Ok(response) = self.rest.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        Got {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.expect("a body").to_bytes(),
        }
    }

    pub(super) async fn post(&self, path: &str, body: &'static str) -> Got {
        self.send(
            Method::POST,
            path,
            &[("x-api-key", "good"), ("content-type", "application/json")],
            body,
        )
        .await
    }

    pub(super) fn calls(&self) -> usize {
        self.log.lock().expect("unpoisoned").len()
    }

    pub(super) fn last(&self) -> Seen {
        self.log.lock().expect("unpoisoned").last().cloned().unwrap_or_default()
    }
}
