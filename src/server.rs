//! The socket: TCP and TLS, HTTP/1 and HTTP/2 on one port, request ids, the request log, graceful stop.
//!
//! `app.rs` makes it; what is served is a router that it knows nothing of.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use http::HeaderValue;
use hyper_util::rt::TokioTimer;
use tracing::{Instrument, field};
use uuid::Uuid;

use crate::config::TlsConfig;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_STREAMS: u32 = 1024;
const MAX_REQUEST_ID: usize = 128;

/// Stops the server.
pub type ServerHandle = Handle<SocketAddr>;

/// Serves `router` until `handle` stops it.
///
/// Every accepted connection has TCP_NODELAY: with Nagle's algorithm, multiplexed gRPC waits for delayed
/// acknowledgements.
pub async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    handle: ServerHandle,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let service = router
        .layer(from_fn(observe))
        .into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(handle);
    let http = server.http_builder();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .adaptive_window(true);
    match tls {
        None => server.acceptor(NoDelayAcceptor::new()).serve(service).await,
        Some(config) => {
            let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
            server.acceptor(acceptor).serve(service).await
        }
    }
}

/// Reads certificate and key; both gRPC and REST are offered by ALPN.
pub async fn load_tls(config: &TlsConfig) -> io::Result<RustlsConfig> {
    RustlsConfig::from_pem_file(&config.cert, &config.key).await
}

/// Gives every request an id and logs it: never its query, headers or body.
async fn observe(mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let started = Instant::now();
    let span = tracing::info_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
        user_id = field::Empty,
    );
    request.headers_mut().insert("x-request-id", id.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    let grpc_status = response
        .headers()
        .get("grpc-status")
        .and_then(|code| code.to_str().ok());
    tracing::info!(
        parent: &span,
        status = response.status().as_u16(),
        grpc_status,
        duration_ms = started.elapsed().as_secs_f64() * 1000.0,
        "answered"
    );
    response.headers_mut().insert("x-request-id", id);
    response
}

/// The caller's id, if it sent a sane one.
fn request_id(request: &Request) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        let id = id.as_bytes();
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
    };
    request
        .headers()
        .get("x-request-id")
        .filter(sane)
        .cloned()
        .unwrap_or_else(|| {
            let id = format!("req_{}", Uuid::now_v7().simple());
            HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("req_"))
        })
}
