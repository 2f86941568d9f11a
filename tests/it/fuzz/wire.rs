//! Bytes that no HTTP client would send.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::BOUND;
use crate::support::{DEFAULT_SCOPES, TestServer, conversation};

/// How long a server may think before it is told that nothing more comes.
const PATIENCE: Duration = Duration::from_millis(300);

/// What comes back for these bytes, up to the end of the connection; empty where it ends without an answer. A server
/// that still waits for more learns after a moment that nothing more comes.
async fn answer_to(server: &TestServer, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    // A server that has seen enough may close before it has read everything.
    let _ = connection.write_all(bytes).await;
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    let mut patience = PATIENCE;
    loop {
        match tokio::time::timeout(patience, connection.read(&mut part)).await {
            Ok(Ok(0) | Err(_)) => return String::from_utf8_lossy(&answer).into_owned(),
            Ok(Ok(read)) => answer.extend_from_slice(&part[..read]),
            Err(_) if patience == BOUND => panic!("no end: {}", String::from_utf8_lossy(&answer)),
            Err(_) => {
                let _ = connection.shutdown().await;
                patience = BOUND;
            }
        }
    }
}

/// What comes back for a whole request that asks for the end of its connection.
async fn answer_to_whole(server: &TestServer, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(BOUND, connection.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused_or_cut_off_and_the_server_goes_on() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let body = conversation("t", &["I live in Oslo."]).to_string();
    let post = |headers: &str, body: &str| {
        format!(
            "POST /v1/memories HTTP/1.1\r\nhost: h\r\nx-api-key: {key}\r\nconnection: close\r\n{headers}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let length = body.len();
    let too_long = "x".repeat(100_000);
    let refused: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("half a line", b"GET /v1/mem".to_vec()),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("NULs", vec![0; 1000]),
        ("no version", b"GET /v1/memories\r\n\r\n".to_vec()),
        (
            "another version",
            b"GET /v1/memories HTTP/3.7\r\nhost: h\r\n\r\n".to_vec(),
        ),
        ("a NUL in a header", post("x-user-id: a\0b", &body)),
        ("a folded header", post("x-user-id: a\r\n b", &body)),
        ("a header without a name", post(": x", &body)),
        ("a header without a colon", post("x-user-id", &body)),
        ("a space in a header's name", post("x-user id: x", &body)),
        (
            "two lengths",
            post(&format!("content-length: {length}\r\ncontent-length: 1"), &body),
        ),
        ("a negative length", post("content-length: -1", &body)),
        ("a length that is none", post("content-length: many", &body)),
        (
            "a length beyond all numbers",
            post("content-length: 99999999999999999999999", &body),
        ),
        (
            "chunks that are none",
            post("transfer-encoding: chunked", "zz\r\nnothing\r\n0\r\n\r\n"),
        ),
        (
            "a chunk beyond all numbers",
            post("transfer-encoding: chunked", "ffffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ),
        (
            "chunks without an end",
            post("transfer-encoding: chunked", "5\r\n{\"a\":"),
        ),
        ("another transfer encoding", post("transfer-encoding: gzip", &body)),
        (
            "a body that is cut off",
            post(&format!("content-length: {}", length + 10), &body),
        ),
        (
            "neither a length nor chunks",
            post("content-type: application/json", &body),
        ),
        (
            "a URL that is too long",
            format!("GET /v1/memories/{too_long} HTTP/1.1\r\nhost: h\r\n\r\n").into(),
        ),
        ("too many headers", post(&"x-more: 1\r\n".repeat(500), &body)),
        (
            "a target that is none",
            b"GET \x01\x02 HTTP/1.1\r\nhost: h\r\n\r\n".to_vec(),
        ),
        (
            "an asterisk",
            b"GET * HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        (
            "CONNECT",
            b"CONNECT evil.example.com:443 HTTP/1.1\r\nhost: evil\r\n\r\n".to_vec(),
        ),
        ("half an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM".to_vec()),
        (
            "an HTTP/2 preface with garbage",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff".to_vec(),
        ),
    ];
    for (what, bytes) in refused {
        let answer = answer_to(&server, &bytes).await;
        let is_refusal = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        // HTTP/2 says goodbye in frames.
        assert!(is_refusal || what.contains("HTTP/2"), "{what}: {answer:?}");
    }
    let rest = server.rest(&key);
    assert!(rest.list("").await.is_empty(), "none of it was taken for a request");

    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", length);
    for (what, bytes) in [
        ("chunks", post("transfer-encoding: chunked", &chunks)),
        ("a length", post(&format!("content-length: {length}"), &body)),
        (
            "more bytes than announced",
            post(&format!("content-length: {length}"), &format!("{body}}}}}")),
        ),
        (
            "the same length twice",
            post(&format!("content-length: {length}\r\ncontent-length: {length}"), &body),
        ),
    ] {
        let answer = answer_to_whole(&server, &bytes).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {answer:?}");
    }
    let hits = rest.search(&json!({"query": "Where does the user live?"})).await;
    assert!(hits[0]["memory"].as_str().unwrap().contains("Oslo"), "{hits:?}");
    assert_eq!(rest.list("").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_both_a_length_and_chunks_can_smuggle_no_second_request() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let body = conversation("t", &["I live in Oslo."]).to_string();
    let hidden = format!(
        "POST /v1/memories HTTP/1.1\r\nhost: h\r\nx-api-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let smuggled = format!("0\r\n\r\n{hidden}");
    for lengths in [
        "content-length: LEN\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: LEN",
    ] {
        let lengths = lengths.replace("LEN", &smuggled.len().to_string());
        let bytes = format!("POST /v1/memories HTTP/1.1\r\nhost: h\r\nx-api-key: {key}\r\n{lengths}\r\n\r\n{smuggled}");
        let answer = answer_to(&server, bytes.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "one answer at most: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(server.rest(&key).list("").await.is_empty());
}
