//! A request is for one host, and a host is never a text that somebody made up.

use memsync::config::Config;
use memsync::model::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::TestServer;

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The status and the body that a server answers bytes with.
async fn sent(server: &TestServer, head: &str) -> (u16, Value) {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    let bytes = format!("{head}\r\nconnection: close\r\n\r\n");
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_two_hosts_or_for_none_that_can_be_one_is_refused() {
    let server = TestServer::start().await;
    for head in [
        "GET /healthcheck HTTP/1.1\r\nhost: a.example\r\nhost: a.example",
        "GET /healthcheck HTTP/1.1\r\nhost: a.example\r\nhost: b.example",
        "GET http://a.example/healthcheck HTTP/1.1\r\nhost: b.example",
        "GET http://a.example:81/healthcheck HTTP/1.1\r\nhost: a.example",
        "GET /healthcheck HTTP/1.1\r\nhost: \"><script>",
        "GET /healthcheck HTTP/1.1\r\nhost: user@a.example",
        "GET /healthcheck HTTP/1.1\r\nhost: a.example/path",
        "GET /healthcheck HTTP/1.1\r\nhost: a.example, b.example",
        "GET /dashboard HTTP/1.1\r\nhost: a.example\r\nhost: b.example",
        "POST /memsync.v1.MemoryService/ListMemories HTTP/1.1\r\nhost: a b",
    ] {
        let (status, body) = sent(&server, head).await;
        assert_eq!(status, 400, "{head}");
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR", "{head}");
        assert_eq!(body["error"]["details"]["field"], "host", "{head}");
    }
    for head in [
        "GET /healthcheck HTTP/1.1\r\nhost: a.example",
        "GET /healthcheck HTTP/1.1\r\nhost: [::1]:8080",
        "GET http://A.example/healthcheck HTTP/1.1\r\nhost: a.example:80",
        "GET /healthcheck HTTP/1.0",
    ] {
        assert_eq!(sent(&server, head).await.0, 200, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_a_host_or_the_public_url_and_never_a_text_of_the_client() {
    let behind_proxy = |config: &mut Config| config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = TestServer::start_with(behind_proxy, Clock::system()).await;
    let own = format!("http://{}", server.address());
    for (forwarded, issuer) in [
        ("memory.example.com", "http://memory.example.com"),
        ("evil.example, memory.example.com:81", "http://memory.example.com:81"),
        ("evil.example/\"><script>", own.as_str()),
        ("user@evil.example", own.as_str()),
        ("", own.as_str()),
    ] {
        let rest = server.anonymous().with("x-forwarded-host", forwarded);
        assert_eq!(rest.get(METADATA).await.ok()["issuer"], issuer, "{forwarded}");
    }

    let named = |config: &mut Config| config.public_url = Some("https://memory.example.com".parse().unwrap());
    let server = TestServer::start_with(named, Clock::system()).await;
    let rest = server.anonymous().with("x-forwarded-host", "evil.example");
    assert_eq!(
        rest.get(METADATA).await.ok()["issuer"],
        json!("https://memory.example.com")
    );
}
