//! Connections: how many there are, how long a silent one stays, and which make way for new ones.
//!
//! Before its first request a connection has `first_request_timeout` (of `axum_server`); here is what comes after. A
//! connection without a request under way is idle. Where there are too many, the one that has been idle for longest is
//! closed first, and where none is idle the newcomer is turned away.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum_server::ConnectionShutdown;
use axum_server::accept::Accept;
use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

use super::ConnectionLimits;
use super::exchange::{Counted, Exchange};

/// How often connections are looked at.
const TICK: Duration = Duration::from_secs(1);
/// The same while the server stops.
const STOPPING_TICK: Duration = Duration::from_millis(100);
/// How long a client has to close a connection that it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// The same while the server stops.
const STOPPING_GRACE: Duration = Duration::from_millis(500);
/// Where there are too many, one in so many is closed at a time.
const SHED_ONE_IN: usize = 64;

/// All open connections. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    /// Their connections are those of many clients.
    trusted_proxies: Box<[IpNet]>,
    open: Mutex<Open>,
    /// Ticks since the start, counted from 1.
    now: AtomicU64,
    is_stopping: AtomicBool,
    stop: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next_id: u64,
    by_id: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    connections: Connections,
    address: IpAddr,
    /// Dropped to end a connection that has had no request.
    end: Mutex<Option<oneshot::Sender<()>>>,
    /// Known from the first request on.
    shutdown: OnceLock<ConnectionShutdown>,
    activity: Mutex<Activity>,
}

#[derive(Debug)]
struct Activity {
    next_id: u64,
    under_way: HashMap<u64, Arc<Exchange>>,
    idle_since: Instant,
    /// When the client was asked to close it.
    asked_at: Option<Instant>,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits, trusted_proxies: &[IpNet]) -> Self {
        Self(Arc::new(Shared {
            limits,
            trusted_proxies: trusted_proxies.into(),
            open: Mutex::default(),
            now: AtomicU64::new(1),
            is_stopping: AtomicBool::new(false),
            stop: Notify::new(),
        }))
    }

    pub(super) fn header_timeout(&self) -> Duration {
        self.0.limits.header_timeout
    }

    /// Ticks since the start.
    pub(super) fn now(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed)
    }

    /// Has connections close as soon as they have no request under way.
    pub(super) fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
        self.0.stop.notify_one();
    }

    /// Closes what has been silent for too long, for as long as it is polled.
    pub(super) async fn watch(&self) {
        loop {
            let tick = match self.0.is_stopping.load(Ordering::Relaxed) {
                true => STOPPING_TICK,
                false => TICK,
            };
            tokio::select! {
                () = tokio::time::sleep(tick) => {}
                () = self.0.stop.notified() => {}
            }
            self.0.now.fetch_add(1, Ordering::Relaxed);
            let open: Vec<_> = self.0.open.lock().by_id.values().cloned().collect();
            for connection in open {
                connection.look();
            }
        }
    }

    fn enter(&self, address: IpAddr) -> Option<(u64, Arc<Connection>, oneshot::Receiver<()>)> {
        let limits = &self.0.limits;
        let is_proxy = self.0.trusted_proxies.iter().any(|network| network.contains(&address));
        let mut open = self.0.open.lock();
        let from_there = open.by_address.get(&address).copied().unwrap_or_default();
        if !is_proxy && from_there >= limits.max_per_address && !open.shed(|connection| connection.address == address) {
            return None;
        }
        if open.by_id.len() >= limits.max && !open.shed(|_| true) {
            return None;
        }
        let (end, ended) = oneshot::channel();
        let connection = Arc::new(Connection {
            connections: self.clone(),
            address,
            end: Mutex::new(Some(end)),
            shutdown: OnceLock::new(),
            activity: Mutex::new(Activity {
                next_id: 0,
                under_way: HashMap::new(),
                idle_since: Instant::now(),
                asked_at: None,
            }),
        });
        let id = open.next_id;
        open.next_id += 1;
        open.by_id.insert(id, Arc::clone(&connection));
        *open.by_address.entry(address).or_default() += 1;
        Some((id, connection, ended))
    }

    fn leave(&self, id: u64) {
        self.0.open.lock().remove(id);
    }
}

impl Open {
    fn remove(&mut self, id: u64) -> Option<Arc<Connection>> {
        let connection = self.by_id.remove(&id)?;
        if let Some(count) = self.by_address.get_mut(&connection.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&connection.address);
            }
        }
        Some(connection)
    }

    /// Closes those of these connections that have been idle for longest; says whether there was one.
    fn shed(&mut self, of_these: impl Fn(&Connection) -> bool) -> bool {
        let these = self.by_id.iter().filter(|(_, connection)| of_these(connection));
        let mut idle: Vec<_> = these
            .filter_map(|(&id, connection)| connection.idle_since().map(|since| (since, id)))
            .collect();
        idle.sort_unstable();
        idle.truncate((idle.len() / SHED_ONE_IN).max(1));
        for (_, id) in &idle {
            if let Some(connection) = self.remove(*id) {
                connection.close();
            }
        }
        !idle.is_empty()
    }
}

impl Connection {
    /// A request has come on this connection.
    pub(super) fn begin(self: &Arc<Self>, shutdown: Option<&ConnectionShutdown>) -> Arc<Exchange> {
        if let Some(shutdown) = shutdown {
            self.shutdown.get_or_init(|| shutdown.clone());
        }
        let mut activity = self.activity.lock();
        let id = activity.next_id;
        activity.next_id += 1;
        let exchange = Arc::new(Exchange::new(id, Arc::clone(self)));
        activity.under_way.insert(id, Arc::clone(&exchange));
        exchange
    }

    /// A request has been answered to its end, or given up.
    pub(super) fn end(&self, exchange: u64) {
        let mut activity = self.activity.lock();
        activity.under_way.remove(&exchange);
        if activity.under_way.is_empty() {
            activity.idle_since = Instant::now();
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.connections.now()
    }

    fn idle_since(&self) -> Option<Instant> {
        let activity = self.activity.lock();
        activity.under_way.is_empty().then_some(activity.idle_since)
    }

    /// Closes it where its time is over.
    fn look(&self) {
        let limits = &self.connections.0.limits;
        let is_stopping = self.connections.0.is_stopping.load(Ordering::Relaxed);
        let mut activity = self.activity.lock();
        let unread_ticks = limits.unread_timeout.as_secs().max(1);
        let now = self.now();
        let mut under_way = activity.under_way.values();
        let is_unread = under_way.any(|exchange| exchange.unread_ticks(now) > unread_ticks);
        if is_unread && !is_stopping {
            drop(activity);
            return self.close();
        }
        if !activity.under_way.is_empty() {
            return;
        }
        let grace = if is_stopping { STOPPING_GRACE } else { GRACE };
        let is_over = is_stopping || activity.idle_since.elapsed() >= limits.idle_timeout;
        match (activity.asked_at, self.shutdown.get()) {
            (None, Some(shutdown)) if is_over => {
                activity.asked_at = Some(Instant::now());
                shutdown.graceful_shutdown();
            }
            (None, None) if is_over => activity.asked_at = Some(Instant::now()),
            (Some(asked_at), _) if asked_at.elapsed() >= grace => {
                drop(activity);
                self.close();
            }
            _ => {}
        }
    }

    fn close(&self) {
        match self.shutdown.get() {
            Some(shutdown) => shutdown.shutdown(),
            None => drop(self.end.lock().take()),
        }
    }
}

/// Accepts connections, as many as there may be, with TCP_NODELAY: with Nagle's algorithm, multiplexed gRPC waits for
/// delayed acknowledgements.
#[derive(Clone, Debug)]
pub(super) struct BoundedAcceptor(pub(super) Connections);

impl<S> Accept<TcpStream, S> for BoundedAcceptor {
    type Stream = Watched;
    type Service = Counted<S>;
    type Future = std::future::Ready<io::Result<(Watched, Counted<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accept = || {
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr().map(|peer: SocketAddr| peer.ip().to_canonical())?;
            let full = || io::Error::other("too many connections");
            let (id, connection, ended) = self.0.enter(peer).ok_or_else(full)?;
            let watched = Watched {
                stream,
                ended,
                is_ended: false,
                _entry: Entry {
                    connections: self.0.clone(),
                    id,
                },
            };
            Ok((watched, Counted::new(service, connection)))
        };
        std::future::ready(accept())
    }
}

/// A stream that ends when its connection is closed.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    ended: oneshot::Receiver<()>,
    is_ended: bool,
    _entry: Entry,
}

/// A place among the open connections, until it is dropped.
#[derive(Debug)]
struct Entry {
    connections: Connections,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.leave(self.id);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            return read;
        }
        self.is_ended = self.is_ended || Pin::new(&mut self.ended).poll(context).is_ready();
        match self.is_ended {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Poll::Pending,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
