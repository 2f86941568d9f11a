//! The socket: TLS for both transports on one port, and a stop that drops nothing.

use memsync::config::TlsConfig;
use memsync::model::Clock;
use memsync::proto::v1::memory_service_client::MemoryServiceClient;
use memsync::proto::v1::{self as pb};
use reqwest::Version;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Request;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{DEFAULT_SCOPES, TestServer, conversation};

#[tokio::test(flavor = "multi_thread")]
async fn one_port_speaks_grpc_and_rest_over_tls() {
    let files = tempfile::tempdir().unwrap();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    std::fs::write(&cert, &pem).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = TestServer::start_with(|config| config.tls = Some(TlsConfig { cert, key }), Clock::system()).await;
    let secret = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let port = server.address().port();

    let rest = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()])
        .resolve("localhost", server.address())
        .build()
        .unwrap();
    let request = rest
        .post(format!("https://localhost:{port}/v1/memories"))
        .header("x-api-key", &secret);
    let answer = request
        .json(&conversation("t", &["I live in Oslo."]))
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_11));

    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&pem))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address()))
        .unwrap()
        .tls_config(tls)
        .unwrap();
    let mut client = MemoryServiceClient::new(endpoint.connect().await.unwrap());
    let mut request = Request::new(pb::ListMemoriesRequest::default());
    request.metadata_mut().insert("x-api-key", secret.parse().unwrap());
    let listed = client.list_memories(request).await.unwrap().into_inner();
    assert_eq!(listed.data.len(), 1);

    let stranger = reqwest::Client::builder()
        .tls_certs_only([])
        .resolve("localhost", server.address())
        .build()
        .unwrap();
    let refused = stranger
        .get(format!("https://localhost:{port}/healthcheck"))
        .send()
        .await;
    assert!(
        refused.is_err(),
        "a client that does not know the certificate hears nothing"
    );
    let plain = reqwest::get(server.url("/healthcheck")).await;
    assert!(plain.is_err(), "plain text gets no answer from a port with TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_requests_under_way_and_says_not_serving() {
    let server = TestServer::start().await;
    let key = server.create_key("ada@example.com", &DEFAULT_SCOPES).await.secret;
    let address = server.address();
    let mut health = HealthClient::new(server.channel());
    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let serving = watched.message().await.unwrap().unwrap();
    assert_eq!(serving.status(), ServingStatus::Serving);

    // The server says that it waits for the body: from here on the request is under way.
    let body = conversation("t", &["I live in Oslo."]).to_string();
    let head = format!(
        "POST /v1/memories HTTP/1.1\r\nhost: memsync\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    let TestServer { running, dir, database } = server;
    let stopping = tokio::spawn(running.stop());
    let stopped = watched.message().await.unwrap().unwrap();
    assert_eq!(stopped.status(), ServingStatus::NotServing);
    drop((watched, health));

    connection.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let json: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(json["memories_created"], json!(1));
    stopping.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");

    // What it acknowledged on the way out is there after the next start.
    let next = TestServer::start_in(dir, database, |_| {}, Clock::system()).await;
    assert_eq!(next.rest(&key).list("").await.len(), 1);
}
