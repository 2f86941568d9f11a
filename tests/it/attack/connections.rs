//! Connections that say nothing, half of something, or do not read.

use std::net::SocketAddr;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{BOUND, Process, Rest};
use crate::support::install_crypto;

const HEALTH: &[u8] = b"GET /healthcheck HTTP/1.1\r\nhost: x\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

async fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Reads until the server closes the connection.
async fn is_closed(socket: &mut TcpStream) -> bool {
    let read = async {
        let mut buffer = [0; 1024];
        while let Ok(1..) = socket.read(&mut buffer).await {}
    };
    tokio::time::timeout(BOUND, read).await.is_ok()
}

/// A connection that has had a request: those that did earlier have been idle for longer.
async fn used(address: SocketAddr) -> TcpStream {
    let mut socket = connect(address, b"").await;
    is_answered(&mut socket).await;
    socket
}

/// Asks on a connection whether the server is well, and reads the whole answer.
async fn is_answered(socket: &mut TcpStream) {
    socket.write_all(HEALTH).await.unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
    while !answer.ends_with(b"}") {
        let read = tokio::time::timeout(BOUND, socket.read(&mut piece))
            .await
            .unwrap()
            .unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

async fn is_healthy(server: &Process) -> bool {
    install_crypto();
    let answer = reqwest::Client::new()
        .get(format!("{}/healthcheck", server.url()))
        .send()
        .await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_does_not_get_to_a_request_is_closed() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &[("MEMSYNC_LIMITS__HEADER_TIMEOUT", "1")]);
    let silent: [&[u8]; 5] = [
        b"",
        &PREFACE[..10],
        PREFACE,
        b"GET /healthcheck HTTP/1.1\r\n",
        b"GET /healthcheck HTTP/1.1\r\nhost: x\r\nx-slow: ",
    ];
    let closed =
        join_all(silent.map(async |bytes: &[u8]| is_closed(&mut connect(server.address, bytes).await).await)).await;
    assert_eq!(closed, [true; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_requests_is_closed_after_a_while() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_LIMITS__IDLE_TIMEOUT", "1"),
        ("MEMSYNC_LIMITS__HEADER_TIMEOUT", "600"),
    ];
    let server = Process::start_with(data.path(), &settings);
    assert!(is_closed(&mut connect(server.address, HEALTH).await).await, "HTTP/1");
    assert!(
        is_closed(&mut connect(server.address, &[PREFACE, SETTINGS].concat()).await).await,
        "HTTP/2"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_too_many_connections_the_one_idle_for_longest_makes_way() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_LIMITS__MAX_CONNECTIONS", "8"),
        ("MEMSYNC_LIMITS__HEADER_TIMEOUT", "600"),
    ];
    let server = Process::start_with(data.path(), &settings);
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(used(server.address).await);
    }
    assert!(is_healthy(&server).await, "a newcomer gets in");
    assert!(is_closed(&mut sockets[0]).await, "the oldest made way");
    is_answered(&mut sockets[7]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_a_bound_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_LIMITS__MAX_CONNECTIONS_PER_ADDRESS", "4"),
        ("MEMSYNC_LIMITS__HEADER_TIMEOUT", "600"),
    ];
    let server = Process::start_with(data.path(), &settings);
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(used(server.address).await);
    }
    assert!(is_closed(&mut sockets[0]).await, "the oldest from there made way");
    is_answered(&mut sockets[4]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_silent_sockets_under_a_low_limit_of_files_keep_nobody_out() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_after(data.path(), "ulimit -Sn 400 && ulimit -Hn 1024", &[]);
    let own_limit = rlimit_of_this_process();
    let mut sockets = Vec::new();
    for _ in 0..1050.min(own_limit.saturating_sub(200)) {
        sockets.push(TcpStream::connect(server.address).await.unwrap());
    }
    for _ in 0..5 {
        assert!(is_healthy(&server).await);
    }
    server.wait_for_log("the limit on open files allows fewer connections");
}

fn rlimit_of_this_process() -> usize {
    usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024)).unwrap_or(usize::MAX)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_answers_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_LIMITS__BODY_TIMEOUT", "1"),
        ("MEMSYNC_LIMITS__IDLE_TIMEOUT", "600"),
    ];
    let server = Process::start_with(data.path(), &settings);
    // An HTTP/2 client that allows no stream a single byte (SETTINGS_INITIAL_WINDOW_SIZE = 0).
    let no_window = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let mut socket = connect(server.address, &[PREFACE, &no_window].concat()).await;
    // GET http://x/openapi.json in HPACK literals (RFC 7541, appendix A for the indices).
    let mut headers = vec![0x82, 0x86, 0x04, 13];
    headers.extend_from_slice(b"/openapi.json");
    headers.extend_from_slice(&[0x01, 1, b'x']);
    let length = u8::try_from(headers.len()).unwrap();
    let frame = [&[0, 0, length, 1, 5, 0, 0, 0, 1], headers.as_slice()].concat();
    socket.write_all(&frame).await.unwrap();
    assert!(is_closed(&mut socket).await);
    assert!(is_healthy(&server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_no_connection_without_a_request() {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("MEMSYNC_SHUTDOWN_TIMEOUT", "600"),
        ("MEMSYNC_LIMITS__HEADER_TIMEOUT", "600"),
        ("MEMSYNC_LIMITS__IDLE_TIMEOUT", "600"),
    ];
    let server = Process::start_with(data.path(), &settings);
    let silent: [&[u8]; 4] = [b"", &PREFACE[..10], PREFACE, b"GET / HTTP/1.1\r\n"];
    let half_open = join_all(silent.map(|bytes| connect(server.address, bytes))).await;
    let used = used(server.address).await;
    let rest = Rest::new(server.url(), &server.first_key());
    assert_eq!(rest.get("/v1/memories").await.unwrap().0, 200);
    let ended = tokio::task::spawn_blocking(|| server.stop());
    let ended = tokio::time::timeout(BOUND, ended)
        .await
        .expect("it waits for nobody")
        .unwrap();
    ended.expect_success("a stop");
    drop((half_open, used));
}
