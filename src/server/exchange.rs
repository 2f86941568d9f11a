//! One request and its answer on a connection, from the request's head to the last byte of the answer that the client
//! took.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use axum_server::ConnectionShutdown;
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::{Frame, SizeHint};
use tower::Service;

use super::connections::Connection;

/// Answers go to the socket in pieces of at most this many bytes, so that those which a client does not read are seen.
const PIECE_BYTES: usize = 64 << 10;
/// It is this server's turn.
const OURS: u64 = 0;

/// A request under way.
#[derive(Debug)]
pub(super) struct Exchange {
    id: u64,
    connection: Arc<Connection>,
    /// The tick at which it became the client's turn to read, or [`OURS`].
    unread_since: AtomicU64,
}

impl Exchange {
    pub(super) fn new(id: u64, connection: Arc<Connection>) -> Self {
        Self {
            id,
            connection,
            unread_since: AtomicU64::new(OURS),
        }
    }

    /// For how many ticks the client has left its answer unread.
    pub(super) fn unread_ticks(&self, now: u64) -> u64 {
        match self.unread_since.load(Ordering::Relaxed) {
            OURS => 0,
            since => now.saturating_sub(since),
        }
    }

    fn is_ours(&self) {
        self.unread_since.store(OURS, Ordering::Relaxed);
    }

    fn is_the_client_s(&self) {
        self.unread_since.store(self.connection.now(), Ordering::Relaxed);
    }
}

/// An exchange, until it is dropped.
struct UnderWay(Arc<Exchange>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.connection.end(self.0.id);
    }
}

/// The service of one connection.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S> Counted<S> {
    pub(super) fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }
}

impl<S, B> Service<http::Request<B>> for Counted<S>
where
    S: Service<http::Request<B>, Response = Response<Body>, Future: Send + 'static>,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let shutdown = request.extensions().get::<ConnectionShutdown>();
        let under_way = UnderWay(self.connection.begin(shutdown));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            under_way.0.is_the_client_s();
            Ok(answer.map(|body| Answer {
                body,
                left: None,
                under_way,
            }))
        })
    }
}

/// An answer's body, as the socket takes it.
pub(super) struct Answer {
    body: Body,
    /// What is left of a piece that was too long.
    left: Option<Bytes>,
    under_way: UnderWay,
}

impl Answer {
    /// The next piece of what is at hand.
    fn piece(&mut self, mut data: Bytes) -> Frame<Bytes> {
        if data.len() > PIECE_BYTES {
            self.left = Some(data.split_off(PIECE_BYTES));
        }
        self.under_way.0.is_the_client_s();
        Frame::data(data)
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(data) = self.left.take() {
            return Poll::Ready(Some(Ok(self.piece(data))));
        }
        self.under_way.0.is_ours();
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match frame {
            Some(Ok(frame)) => Some(Ok(match frame.into_data() {
                Ok(data) => self.piece(data),
                Err(trailers) => trailers,
            })),
            other => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.left {
            None => self.body.size_hint(),
            // Asked for before the first piece only.
            Some(_) => SizeHint::default(),
        }
    }
}
