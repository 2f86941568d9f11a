//! Bodies that are announced and never come, come too slowly, or come from too many at one time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use futures::{SinkExt, Stream, StreamExt, channel::mpsc};
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::ServiceExt;

use crate::process::{BOUND, Process, Rest, eventually, memsync};
use crate::support::{Answer, send};

/// Longer than any of these tests takes.
const NEVER: (&str, &str) = ("MEMSYNC_LIMITS__BODY_TIMEOUT", "600");
const NO_LIMIT: (&str, &str) = ("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "0");
const STRANGERS: (&str, &str) = ("MEMSYNC_LIMITS__UNAUTHENTICATED_PER_MINUTE", "0");
const JSON: (&str, &str) = ("content-type", "application/json");

fn start(settings: &[(&str, &str)]) -> (Process, Rest, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), settings);
    let rest = Rest::new(server.url(), &server.first_key());
    (server, rest, data)
}

/// One HTTP/2 connection, which any request can be sent on.
fn http2(server: &Process) -> Channel {
    Endpoint::from_shared(server.url()).unwrap().connect_lazy()
}

async fn post(channel: Channel, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
    let mut request = http::Request::builder().method(Method::POST).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = tokio::time::timeout(BOUND, channel.oneshot(request.body(body).unwrap()))
        .await
        .unwrap();
    let (parts, body) = answer.unwrap().into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

fn streamed(
    pieces: impl Stream<Item = Bytes> + Send + Sync + 'static,
) -> StreamBody<impl Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + Sync + 'static> {
    StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece))))
}

/// A body that begins and never ends, and what keeps it open.
fn unfinished(begin: &'static str) -> (mpsc::Sender<Bytes>, Body) {
    let (mut sender, receiver) = mpsc::channel(4);
    sender.try_send(Bytes::from_static(begin.as_bytes())).unwrap();
    (sender, Body::new(streamed(receiver)))
}

/// So many requests with bodies that never end, on one connection, which go on until they are dropped.
fn hold(server: &Process, count: usize, path: &'static str, key: Option<&str>) -> tokio::task::JoinSet<()> {
    let channel = http2(server);
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (channel, key) = (channel.clone(), key.unwrap_or("none").to_owned());
        held.spawn(async move {
            let (_sender, body) = unfinished("{\"email\":");
            let request = http::Request::post(path)
                .header("x-api-key", key)
                .header(JSON.0, JSON.1);
            let _ = channel.oneshot(request.body(body).unwrap()).await;
        });
    }
    held
}

async fn store(rest: &Rest) -> (u16, serde_json::Value) {
    let fact = json!({"messages": [{"role": "user", "content": "I live in Oslo."}], "agent_id": "a",
        "thread_id": "t", "source": "s"});
    rest.post("/v1/memories", &fact).await.unwrap()
}

/// Sends the beginning of an HTTP/1 request and gives the socket, on which nothing more is sent.
async fn begin(address: SocketAddr, head: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn status_line(socket: &mut TcpStream) -> String {
    let mut answer = vec![0; 12];
    tokio::time::timeout(BOUND, socket.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_sign_ins_keep_nobody_out() {
    let (server, rest, _data) = start(&[
        NEVER,
        NO_LIMIT,
        STRANGERS,
        ("MEMSYNC_LIMITS__MAX_CONCURRENT_REQUESTS", "64"),
    ]);
    let held = hold(&server, 200, "/v1/auth/login", None);
    let announced = "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                     content-length: 4194304\r\n\r\n{";
    let sockets = join_all((0..40).map(|_| begin(server.address, announced))).await;
    for _ in 0..5 {
        assert_eq!(store(&rest).await.0, 200);
        assert_eq!(rest.get("/v1/memories").await.unwrap().0, 200);
        let health = reqwest::get(format!("{}/healthcheck", server.url())).await.unwrap();
        assert_eq!(health.status(), 200);
    }
    drop((sockets, held));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_unfinished_bodies_keeps_no_other_out() {
    let (server, rest, data) = start(&[NEVER, NO_LIMIT, ("MEMSYNC_LIMITS__MAX_CONCURRENT_REQUESTS", "16")]);
    let arguments = [
        "key",
        "create",
        "--email",
        "eve@example.com",
        "--name",
        "k",
        "--create-account",
    ];
    let key = memsync(data.path(), &[], &arguments).expect_success("a key").stdout;
    let held = hold(&server, 200, "/v1/memories", Some(key.trim()));
    for _ in 0..5 {
        assert_eq!(store(&rest).await.0, 200);
    }
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_before_anything_of_the_body_is_read() {
    let (server, _rest, _data) = start(&[NEVER]);
    let (_sender, body) = unfinished("{");
    let headers = [("x-api-key", "memsync_sk_live_wrong"), JSON];
    post(http2(&server), "/v1/memories", &headers, body)
        .await
        .failure(401, "AUTHENTICATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowance_is_taken_before_the_body_is_read() {
    let (server, rest, _data) = start(&[NEVER, ("MEMSYNC_LIMITS__REQUESTS_PER_MINUTE", "3")]);
    for _ in 0..3 {
        assert_eq!(rest.get("/v1/memories").await.unwrap().0, 200);
    }
    let (_sender, body) = unfinished("{");
    let answer = post(http2(&server), "/v1/memories", &[("x-api-key", rest.key()), JSON], body).await;
    answer.failure(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_ends_with_a_408() {
    let (server, rest, _data) = start(&[
        ("MEMSYNC_LIMITS__BODY_TIMEOUT", "1"),
        ("MEMSYNC_LIMITS__SEARCHES_PER_MINUTE", "50"),
    ]);
    let (_sender, body) = unfinished("{\"query\":");
    let answer = post(
        http2(&server),
        "/v1/memories/search",
        &[("x-api-key", rest.key()), JSON],
        body,
    )
    .await;
    answer.failure(408, "REQUEST_TIMEOUT");
    assert!(answer.header("x-ratelimit-remaining").is_some());

    let head = format!(
        "POST /v1/memories/search HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-api-key: {}\r\n\
         content-length: 100\r\n\r\n{{",
        rest.key()
    );
    assert_eq!(
        status_line(&mut begin(server.address, &head).await).await,
        "HTTP/1.1 408"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_drips_is_too_slow_and_one_that_flows_is_not() {
    let (server, rest, _data) = start(&[("MEMSYNC_LIMITS__BODY_TIMEOUT", "1")]);
    let headers = [("x-api-key", rest.key()), JSON];
    let (mut drop_by_drop, body) = unfinished("{\"query\":\"");
    let drip = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while drop_by_drop.send(Bytes::from_static(b"a")).await.is_ok() {
            ticks.tick().await;
        }
    });
    let answer = post(http2(&server), "/v1/memories/search", &headers, body).await;
    answer.failure(408, "REQUEST_TIMEOUT");
    drip.abort();

    let pieces = ["{\"query\":", "\"oslo\"", "}"].map(|piece| Bytes::from_static(piece.as_bytes()));
    let flowing = Body::new(streamed(futures::stream::iter(pieces)));
    post(http2(&server), "/v1/memories/search", &headers, flowing)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grpc_call_that_does_not_send_its_message_ends_in_time() {
    let (server, rest, _data) = start(&[("MEMSYNC_LIMITS__BODY_TIMEOUT", "1")]);
    let (_sender, body) = unfinished("\0\0\0\0\u{10}");
    let headers = [
        ("x-api-key", rest.key()),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let answer = post(http2(&server), "/memsync.v1.MemoryService/ListMemories", &headers, body).await;
    assert_eq!(
        (answer.status, answer.header("grpc-status")),
        (StatusCode::OK, Some("4"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_holds_whatever_is_announced() {
    let (server, rest, _data) = start(&[NO_LIMIT, ("MEMSYNC_LIMITS__MAX_REQUEST_MEMORY_MB", "64")]);
    store(&rest).await;
    let before = server.peak_memory_mib();
    let piece = Bytes::from("kayak ".repeat(10_000));
    let chunked = |_| {
        let body = streamed(futures::stream::iter(vec![piece.clone(); 64]));
        let request = Client::new().post(format!("{}/v1/memories", server.url()));
        send(request.header("x-api-key", rest.key()).body(reqwest::Body::wrap(body)))
    };
    let answers = join_all((0..100).map(chunked)).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty(), "all at one time are more than there is memory for");
    for answer in refused {
        answer.failure(503, "SERVICE_UNAVAILABLE");
    }
    let after = server.peak_memory_mib();
    assert!(
        after < before + 256,
        "{before} MiB before, {after} MiB after 100 bodies of 3.7 MiB"
    );
    eventually("the memory is free again", BOUND, async || {
        (store(&rest).await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_body_is_answered_also_where_the_client_writes_before_it_reads() {
    let (server, _rest, _data) = start(&[STRANGERS]);
    let long = format!("token={}", "a".repeat(3 << 20));
    let head = "HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length:";
    for path in ["/oauth/revoke", "/v1/auth/login"] {
        let request = format!("POST {path} {head} {}\r\n\r\n{long}", long.len());
        let mut socket = begin(server.address, &request).await;
        assert_eq!(status_line(&mut socket).await, "HTTP/1.1 400", "{path}");
    }
}
