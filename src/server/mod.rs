//! The socket: TCP and TLS, HTTP/1 and HTTP/2 on one port, request ids, the request log, graceful stop. `connections`
//! bounds how many there are and how long a silent one stays, `concurrency` what is taken on at one time; `assets` are
//! the files that are part of the program.
//!
//! `app` makes it; what is served is a router that it knows nothing of.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use http::HeaderValue;
use http::header::STRICT_TRANSPORT_SECURITY;
use hyper_util::rt::TokioTimer;
use ipnet::IpNet;
use tracing::Instrument;
use uuid::Uuid;

use crate::config::TlsConfig;
use crate::model::{AccountId, Origin};

mod assets;
mod concurrency;
mod connections;
mod exchange;
mod forwarded;
mod host;

pub use assets::{Assets, Text};
pub use concurrency::{Refusal, limited};
use connections::{BoundedAcceptor, Connections};
pub use host::names_one_host;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// What is read ahead of one HTTP/1 connection, and the longest head of a request, in bytes.
const READ_AHEAD: usize = 64 << 10;
/// Requests under way on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// What a client may send on one HTTP/2 stream, and on all of one connection, before it is read, in bytes.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Files that are open beside connections: the database's, the listener, the log.
const OTHER_FILES: u64 = 256;
const MAX_REQUEST_ID: usize = 128;
/// What the request log says where a path is no route.
const NO_ROUTE: &str = "unknown";
/// A browser that was here once comes back encrypted for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The bounds on connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Open at one time.
    pub max: usize,
    /// Open at one time from one address.
    pub max_per_address: usize,
    /// How long a client may take for the head of a request.
    pub header_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub unread_timeout: Duration,
}

/// Stops the server.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    server: Handle<SocketAddr>,
    connections: Connections,
}

impl ServerHandle {
    /// For a server with these bounds. Connections from `trusted_proxies` are not counted by address.
    pub fn new(limits: &ConnectionLimits, trusted_proxies: &[IpNet]) -> Self {
        Self {
            server: Handle::new(),
            connections: Connections::new(limits.clone(), trusted_proxies),
        }
    }

    /// Takes no more connections, and closes each as soon as it has no request under way, or after `timeout`.
    pub fn graceful_shutdown(&self, timeout: Duration) {
        self.server.graceful_shutdown(Some(timeout));
        self.connections.stop();
    }
}

/// Lets this process have as many open files as the system allows it, and gives how many connections that leaves.
pub fn raise_file_limit() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX)
}

/// Serves `router` until `handle` stops it.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsCertificate>,
    router: Router,
    trusted_proxies: Vec<IpNet>,
    handle: ServerHandle,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let surroundings = Surroundings {
        trusted_proxies: trusted_proxies.into(),
        is_tls: tls.is_some(),
    };
    let service = router
        .layer(from_fn_with_state(surroundings, observe))
        .into_make_service_with_connect_info::<SocketAddr>();
    let ServerHandle { server, connections } = handle;
    let header_timeout = connections.header_timeout();
    let mut server = axum_server::from_tcp(listener)?
        .handle(server)
        .first_request_timeout(header_timeout);
    let http = server.http_builder();
    http.http1()
        .timer(TokioTimer::new())
        .max_buf_size(READ_AHEAD)
        .header_read_timeout(header_timeout);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let acceptor = BoundedAcceptor(connections.clone());
    let served = async {
        match tls {
            None => server.acceptor(acceptor).serve(service).await,
            Some(certificate) => {
                let acceptor = RustlsAcceptor::new(certificate.rustls)
                    .handshake_timeout(header_timeout)
                    .acceptor(acceptor);
                server.acceptor(acceptor).serve(service).await
            }
        }
    };
    tokio::select! {
        served = served => served,
        () = connections.watch() => Ok(()),
    }
}

/// The certificate that connections are encrypted with; both gRPC and REST are offered by ALPN.
#[derive(Clone, Debug)]
pub struct TlsCertificate {
    files: TlsConfig,
    rustls: RustlsConfig,
}

impl TlsCertificate {
    /// Reads certificate and key.
    pub async fn load(files: &TlsConfig) -> io::Result<Self> {
        Ok(Self {
            rustls: RustlsConfig::from_pem_file(&files.cert, &files.key).await?,
            files: files.clone(),
        })
    }

    /// Reads them again, for connections from now on. Keeps the old ones where the new are no good.
    pub async fn reload_or_keep(&self) {
        let reloaded = self.rustls.reload_from_pem_file(&self.files.cert, &self.files.key);
        match reloaded.await {
            Ok(()) => tracing::info!("the TLS certificate was read again"),
            Err(error) => tracing::error!(%error, "the TLS certificate can't be read: the old one stays"),
        }
    }
}

/// What the socket knows of its surroundings.
#[derive(Clone, Debug)]
struct Surroundings {
    /// Networks whose `X-Forwarded-*` is believed.
    trusted_proxies: Arc<[IpNet]>,
    /// Whether this server itself encrypts.
    is_tls: bool,
}

/// Gives every request an id and an [`Origin`], and logs it: never its query, headers or body, and of its path only the
/// pattern, since paths name people.
async fn observe(State(surroundings): State<Surroundings>, mut request: Request, next: Next) -> Response {
    let mut id = request_id(&request);
    let started = Instant::now();
    let origin = Arc::new(origin(&surroundings, &mut request, &id));
    let span = tracing::info_span!("request", request_id = origin.request_id);
    let is_logged = tracing::enabled!(tracing::Level::INFO);
    let pattern = request.extensions().get::<MatchedPath>().cloned();
    let logged = is_logged.then(|| (request.method().clone(), pattern));
    request.headers_mut().insert("x-request-id", id.clone());
    request.extensions_mut().insert(Arc::clone(&origin));
    let mut response = next.run(request).instrument(span).await;
    if let Some((method, pattern)) = logged {
        // A pattern with a wildcard says less than what its handler found.
        let pattern = pattern.as_ref().map(MatchedPath::as_str);
        let exact = pattern.filter(|pattern| !pattern.contains("{*"));
        let found = origin.route.get().map(|route| &**route);
        let path = exact.or(found).or(pattern).unwrap_or(NO_ROUTE);
        let headers = response.headers();
        let grpc_status = headers.get("grpc-status").and_then(|code| code.to_str().ok());
        tracing::info!(
            request_id = origin.request_id,
            %method,
            path,
            user_id = origin.account_id.get().map(AccountId::as_str),
            status = response.status().as_u16(),
            grpc_status,
            duration_ms = (started.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0,
            "answered"
        );
    }
    let headers = response.headers_mut();
    // An id comes once, and would push others out of HPACK's table (RFC 7541, 7.1.3).
    id.set_sensitive(true);
    headers.insert("x-request-id", id);
    if origin.secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// Who speaks, and how safely. What a proxy forwards counts only from a trusted one; from all others it is taken out.
fn origin(surroundings: &Surroundings, request: &mut Request, id: &HeaderValue) -> Origin {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let is_trusted = |address: &IpAddr| {
        let mut networks = surroundings.trusted_proxies.iter();
        networks.any(|network| network.contains(address))
    };
    let mut address = peer;
    let mut secure = surroundings.is_tls;
    if peer.as_ref().is_some_and(is_trusted) {
        let (client, is_encrypted) = forwarded::client(request.headers(), is_trusted);
        address = client.or(peer);
        secure |= is_encrypted;
    } else {
        forwarded::remove(request.headers_mut());
    }
    Origin {
        address,
        secure,
        host: host::named_host(request.headers(), request.uri()).map(str::to_owned),
        request_id: id.to_str().unwrap_or_default().to_owned(),
        ..Origin::default()
    }
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
