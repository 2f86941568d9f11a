//! Encryption as an operator sets it up: certificates that change while the server runs, and who is let in without.

use std::net::SocketAddr;
use std::path::Path;

use memsync::proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use rcgen::{CertifiedKey, KeyPair};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_types::StatusExt;

use crate::process::Process;
use crate::support::{Answer, bindings, call_raw, install_crypto, send};

const HSTS: &str = "strict-transport-security";
const TLS_ONLY: &str = "This server requires TLS";

/// A server with a certificate.
struct Encrypted {
    process: Process,
    files: TempDir,
    _data: TempDir,
}

impl Encrypted {
    fn start(made: &CertifiedKey<KeyPair>) -> Self {
        install_crypto();
        let (files, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(files.path(), &made.cert.pem(), &made.signing_key);
        let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
        let settings = [
            ("MEMSYNC_TLS__CERT", cert.to_str().unwrap()),
            ("MEMSYNC_TLS__KEY", key.to_str().unwrap()),
        ];
        let process = Process::start_with(data.path(), &settings);
        Self {
            process,
            files,
            _data: data,
        }
    }

    /// Puts a certificate in the place of the one that is used; the server is not told.
    fn replace(&self, made: &CertifiedKey<KeyPair>) {
        write(self.files.path(), &made.cert.pem(), &made.signing_key);
    }

    /// Sends SIGHUP, and waits for what the server says to it.
    fn reload(&self, says: &str) {
        self.process.hang_up();
        self.process.wait_for_log(says);
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/healthcheck", self.process.address.port())
    }

    /// Whether both transports can be spoken by somebody who believes this certificate alone, on new connections.
    async fn is_known_by(&self, made: &CertifiedKey<KeyPair>) -> bool {
        let rest = client(made, self.process.address).get(self.url()).send().await;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(made.cert.pem()))
            .domain_name("localhost");
        let endpoint = Endpoint::from_shared(format!("https://{}", self.process.address)).unwrap();
        let grpc = endpoint.tls_config(tls).unwrap().connect().await;
        assert_eq!(rest.is_ok(), grpc.is_ok(), "both or none: {rest:?} {grpc:?}");
        rest.is_ok()
    }
}

fn certificate() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn write(directory: &Path, cert: &str, key: &KeyPair) {
    std::fs::write(directory.join("cert.pem"), cert).unwrap();
    std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
}

fn client(made: &CertifiedKey<KeyPair>, address: SocketAddr) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()])
        .resolve("localhost", address)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_from_sighup_on_and_open_connections_live() {
    let (first, second) = (certificate(), certificate());
    let server = Encrypted::start(&first);
    let open = client(&first, server.process.address);
    assert!(open.get(server.url()).send().await.unwrap().status().is_success());
    assert!(server.is_known_by(&first).await && !server.is_known_by(&second).await);

    server.replace(&second);
    assert!(server.is_known_by(&first).await, "nothing changes before SIGHUP");
    server.reload("the TLS certificate was read again");
    assert!(server.is_known_by(&second).await && !server.is_known_by(&first).await);
    assert!(open.get(server.url()).send().await.unwrap().status().is_success());
    server.process.stop().expect_success("SIGTERM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_no_good_leaves_the_old_one_and_can_be_mended() {
    let (good, other, mended) = (certificate(), certificate(), certificate());
    for broken in ["no PEM", "another key", "no file", "an empty file"] {
        let server = Encrypted::start(&good);
        let cert = server.files.path().join("cert.pem");
        match broken {
            "no PEM" => std::fs::write(&cert, "-----BEGIN CERTIFICATE-----\nnonsense").unwrap(),
            "another key" => write(server.files.path(), &good.cert.pem(), &other.signing_key),
            "no file" => std::fs::remove_file(&cert).unwrap(),
            _ => std::fs::write(&cert, "").unwrap(),
        }
        server.reload("the TLS certificate can't be read: the old one stays");
        assert!(server.is_known_by(&good).await, "{broken}");
        server.replace(&mended);
        server.reload("the TLS certificate was read again");
        assert!(
            server.is_known_by(&mended).await && !server.is_known_by(&good).await,
            "{broken}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_sighup_stops_nothing() {
    install_crypto();
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    server.hang_up();
    server.wait_for_log("there is no certificate to read again");
    let answer = send(reqwest::Client::new().get(format!("{}/healthcheck", server.url()))).await;
    assert_eq!(answer.ok()["status"], "ok");
}

/// A GET, with more headers.
async fn get(client: &reqwest::Client, url: String, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(client.get(url), |request, (name, value)| request.header(*name, *value));
    send(request).await
}

/// The headers that keep a browser harmless, as an answer has them.
fn for_browsers(headers: &HeaderMap) -> Value {
    let shown = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    json!({
        "nosniff": shown("x-content-type-options"),
        "frames": shown("x-frame-options"),
        "referrer": shown("referrer-policy"),
        "cache": shown("cache-control"),
        "policy": shown("content-security-policy"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encrypted_answer_asks_to_stay_encrypted_and_no_plain_one_does() {
    let made = certificate();
    let encrypted = Encrypted::start(&made);
    let data = tempfile::tempdir().unwrap();
    let plain = Process::start(data.path());
    let secure = client(&made, encrypted.process.address);
    let https = format!("https://localhost:{}", encrypted.process.address.port());
    let harmless = json!({
        "nosniff": "nosniff",
        "frames": "DENY",
        "referrer": "no-referrer",
        "cache": "no-store",
        "policy": "default-src 'none'; frame-ancestors 'none'",
    });
    for (path, status) in [
        ("/healthcheck", 200),
        ("/v1/memories", 401),
        ("/v1/nothing", 404),
        ("/v1/memories/search", 405),
        ("/.well-known/oauth-authorization-server", 200),
        ("/.well-known/oauth-protected-resource", 200),
        ("/oauth/authorize", 400),
        ("/oauth/token", 405),
    ] {
        let over_tls = get(&secure, format!("{https}{path}"), &[]).await;
        let forged = [("x-forwarded-proto", "https")];
        let over_tcp = get(&reqwest::Client::new(), format!("{}{path}", plain.url()), &forged).await;
        assert_eq!(
            (over_tls.status.as_u16(), over_tls.header(HSTS)),
            (status, Some("max-age=31536000")),
            "{path}"
        );
        assert_eq!(
            (over_tcp.status.as_u16(), over_tcp.header(HSTS)),
            (status, None),
            "{path}"
        );
        for answer in [over_tls, over_tcp] {
            let mut shown = for_browsers(&answer.headers);
            if answer.header("content-type") == Some("text/html; charset=utf-8") {
                let policy = shown["policy"].take();
                let policy = policy.as_str().unwrap();
                assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
                assert!(policy.ends_with("frame-ancestors 'none'; base-uri 'none'"), "{policy}");
                shown["policy"] = harmless["policy"].clone();
            }
            assert_eq!(shown, harmless, "{path}");
        }
    }
    let issuer = get(&secure, format!("{https}/.well-known/oauth-authorization-server"), &[]).await;
    assert_eq!(issuer.ok()["issuer"], https, "the issuer is where the program found it");
}

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let services: Vec<_> = pool
        .services()
        .filter(|service| service.package_name() == "memsync.v1")
        .collect();
    services
        .iter()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

fn channel(server: &Process) -> Channel {
    Endpoint::from_shared(server.url()).unwrap().connect_lazy()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tls_is_required_plain_text_reaches_no_rpc_and_no_oauth_endpoint() {
    install_crypto();
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_TLS__REQUIRED", "true")]);
    let key = server.first_key();
    let http = reqwest::Client::new();
    // Nobody believes what this client says of a proxy.
    let headers = [("x-api-key", key.as_str()), ("x-forwarded-proto", "https")];
    let mut routes = 0;
    for method in methods() {
        for binding in bindings(&method) {
            routes += 1;
            let path = binding.template.replace(['{', '}'], "");
            let request = http.request(binding.verb.parse().unwrap(), format!("{}{path}", server.url()));
            let request = headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = send(if binding.verb == "GET" {
                request
            } else {
                request.json(&json!({}))
            })
            .await;
            assert_eq!(answer.failure(403, "PERMISSION_DENIED"), json!({}), "{path}");
            assert_eq!(answer.json()["detail"], TLS_ONLY, "{path}");
        }
        let status = call_raw(channel(&server), &headers, &method, Vec::new())
            .await
            .unwrap_err();
        let shown = (status.code(), status.message().to_owned());
        assert_eq!(
            shown,
            (Code::PermissionDenied, TLS_ONLY.to_owned()),
            "{}",
            method.full_name()
        );
        let info = status.get_error_details().error_info().cloned().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("PERMISSION_DENIED", "memsync")
        );
    }
    assert!(routes > 28, "every route: {routes}");

    for (verb, path) in [
        ("GET", "/oauth/authorize?client_id=c"),
        ("POST", "/oauth/authorize"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
        ("POST", "/oauth/introspect"),
    ] {
        let request = http.request(verb.parse().unwrap(), format!("{}{path}", server.url()));
        let answer = send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body("token=t"),
        )
        .await;
        let refusal = json!({"error": "access_denied", "error_description": TLS_ONLY});
        assert_eq!((answer.status.as_u16(), answer.json()), (403, refusal), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }

    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
    ] {
        let answer = get(&http, format!("{}{path}", server.url()), &[]).await;
        let refusal = json!({"error": "access_denied", "error_description": TLS_ONLY});
        assert_eq!((answer.status.as_u16(), answer.json()), (403, refusal), "{path}");
    }

    for path in [
        "/",
        "/dashboard",
        "/dashboard/assets/app.js",
        "/dashboard/api/v1/auth/me",
        "/docs",
        "/openapi.json",
        "/v1/nothing",
        "/nothing",
    ] {
        let answer = get(&http, format!("{}{path}", server.url()), &[]).await;
        assert_eq!(answer.failure(403, "PERMISSION_DENIED"), json!({}), "{path}");
        assert_eq!(answer.json()["detail"], TLS_ONLY, "{path}");
    }

    let mut reflection = ServerReflectionClient::new(channel(&server));
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let refused = reflection
        .server_reflection_info(tokio_stream::once(list))
        .await
        .unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, TLS_ONLY));

    let health = get(&http, format!("{}/healthcheck", server.url()), &[]).await;
    assert_eq!(
        health.ok(),
        json!({"status": "ok", "authenticated": false, "version": env!("CARGO_PKG_VERSION")})
    );
    let mut health = HealthClient::new(channel(&server));
    let checked = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(checked.status(), ServingStatus::Serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_the_clients_own_encryption_counts() {
    install_crypto();
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_TLS__REQUIRED", "true"),
        ("MEMSYNC_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = Process::start_with(data.path(), &settings);
    let key = server.first_key();
    let http = reqwest::Client::new();
    let method = methods()
        .into_iter()
        .find(|method| method.name() == "ListMemories")
        .unwrap();
    for (forwarded, fits) in [
        ("https", true),
        ("HTTPS", true),
        ("http", false),
        ("", false),
        ("https, http", false),
    ] {
        let headers = [("x-api-key", key.as_str()), ("x-forwarded-proto", forwarded)];
        let answer = get(&http, format!("{}/v1/memories", server.url()), &headers).await;
        let grpc = call_raw(channel(&server), &headers, &method, Vec::new()).await;
        let token = http
            .post(format!("{}/oauth/token", server.url()))
            .header("x-forwarded-proto", forwarded);
        let token = send(
            token
                .header("content-type", "application/x-www-form-urlencoded")
                .body("a=b"),
        )
        .await;
        if fits {
            assert_eq!(answer.ok()["data"], json!([]), "{forwarded:?}");
            assert!(grpc.is_ok(), "{forwarded:?}: {grpc:?}");
            assert_eq!(
                (token.status.as_u16(), &token.json()["error"]),
                (400, &json!("invalid_request"))
            );
        } else {
            answer.failure(403, "PERMISSION_DENIED");
            assert_eq!(grpc.unwrap_err().code(), Code::PermissionDenied, "{forwarded:?}");
            assert_eq!(token.status.as_u16(), 403, "{forwarded:?}");
        }
        let asked = fits.then_some("max-age=31536000");
        assert_eq!(
            (answer.header(HSTS), token.header(HSTS)),
            (asked, asked),
            "{forwarded:?}"
        );
    }
    let forwarded = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "memory.example.com"),
    ];
    let metadata = get(
        &http,
        format!("{}/.well-known/oauth-authorization-server", server.url()),
        &forwarded,
    )
    .await;
    assert_eq!(metadata.ok()["issuer"], "https://memory.example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_a_url_is_refused_on_every_route_with_the_advice_to_rotate_it() {
    install_crypto();
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let key = server.first_key();
    let http = reqwest::Client::new();
    for path in [
        "/v1/memories",
        "/memories/mem_1",
        "/healthcheck",
        "/v1/nothing",
        "/nothing",
    ] {
        for parameter in ["api_key", "access_token", "key", "X-API-Key"] {
            // Also for who sends it in the right place too: it is in the logs of every proxy now.
            let headers = [("x-api-key", key.as_str())];
            let url = format!("{}{path}?page=1&{parameter}={key}", server.url());
            let answer = get(&http, url, &headers).await;
            let details = answer.failure(400, "VALIDATION_ERROR");
            assert_eq!(details["field"], parameter.to_lowercase(), "{path}");
            assert!(
                details["reason"].as_str().unwrap().contains("rotate that key"),
                "{details}"
            );
            assert!(
                !String::from_utf8_lossy(&answer.bytes).contains(&key[16..]),
                "the answer repeats the key"
            );
        }
    }
    let log = server.stop().expect_success("SIGTERM").stderr;
    assert!(!log.contains(&key[16..]) && !log.contains("api_key="), "{log}");
}
