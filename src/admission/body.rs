//! A request's body on its way: accounted for as it arrives, and in time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Version;
use http::header::EXPECT;
use http::request::Parts;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep};

use super::{Arrival, Fault};

/// The least that a client must send once its time has begun.
const LEAST_BYTES_PER_SECOND: u64 = 8 << 10;

/// What is read and thrown away of a body that nobody wants.
const DRAIN_BYTES: usize = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Reads on without keeping anything, within reason: over HTTP/1 a client that writes before it reads would get a broken
/// connection and not its answer. `parts` are those of the body's request.
pub async fn drain(mut body: Body, parts: &Parts) {
    if let Some(arrival) = parts.extensions.get::<Arrival>() {
        arrival.discard();
    }
    // A client that waits for leave to send has sent nothing yet.
    if body.is_end_stream() || parts.version >= Version::HTTP_2 || parts.headers.contains_key(EXPECT) {
        return;
    }
    let read = async {
        let mut dropped = 0;
        while let Some(Ok(frame)) = body.frame().await {
            dropped += frame.data_ref().map_or(0, Bytes::len);
            if dropped > DRAIN_BYTES {
                return;
            }
        }
    };
    // Whether it ended or the time did, the answer comes next.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

impl Arrival {
    /// The body of this request, held to its bounds. One that is there already comes as it is.
    pub fn wrap(&self, body: Body, version: Version) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Arriving {
            body,
            arrival: self.clone(),
            received_bytes: 0,
            wait: None,
            refused: None,
            is_cut_off: version >= Version::HTTP_2,
        })
    }
}

struct Arriving {
    body: Body,
    arrival: Arrival,
    received_bytes: u64,
    wait: Option<Wait>,
    /// What is told at the end of a body that is no longer wanted.
    refused: Option<Fault>,
    /// Whether the client sees an answer to a body that is not read to its end. Over HTTP/1 it might not.
    is_cut_off: bool,
}

/// How long the client has been waited for.
struct Wait {
    since: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Arriving {
    /// Whether the client has used up its time. A whole body must arrive at some rate; a stream must not pause.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let time = match self.refused {
            Some(_) => DRAIN_TIME,
            None => {
                let timeout = self.arrival.0.capacity.body_timeout;
                timeout + Duration::from_secs(self.received_bytes / LEAST_BYTES_PER_SECOND)
            }
        };
        let wait = self.wait.get_or_insert_with(|| Wait {
            since: Instant::now(),
            sleep: Box::pin(tokio::time::sleep(time)),
        });
        let deadline = wait.since + time;
        if wait.sleep.deadline() != deadline {
            wait.sleep.as_mut().reset(deadline);
        }
        wait.sleep.as_mut().poll(context).is_ready()
    }

    /// Accounts for what has come.
    fn account(&mut self, frame: Option<&Frame<Bytes>>) -> Result<(), Fault> {
        let Some(frame) = frame else {
            return self.arrival.complete();
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        self.received_bytes += bytes as u64;
        if self.arrival.is_stream() {
            self.received_bytes = 0;
            self.wait = None;
        }
        self.arrival.received(bytes)?;
        match self.body.is_end_stream() {
            true => self.arrival.complete(),
            false => Ok(()),
        }
    }

    /// Whether the rest of a refused body is still read.
    fn reads_on(&self, frame: Option<&Frame<Bytes>>) -> bool {
        let is_over = frame.is_none() || self.body.is_end_stream();
        !is_over && !self.is_cut_off && self.received_bytes < DRAIN_BYTES as u64
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        loop {
            let polled = Pin::new(&mut this.body).poll_frame(context);
            if polled.is_pending() {
                this.arrival.wait();
                if this.is_late(context) {
                    let fault = this.refused.unwrap_or_else(|| this.arrival.expire());
                    return Poll::Ready(Some(Err(axum::Error::new(fault))));
                }
            }
            let frame = match ready!(polled) {
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                Some(Ok(frame)) => Some(frame),
                None => None,
            };
            let accounted = this.account(frame.as_ref());
            if let (Err(fault), None) = (accounted, this.refused) {
                this.refused = Some(fault);
                this.wait = None;
                this.arrival.refuse();
            }
            match this.refused {
                None => return Poll::Ready(frame.map(Ok)),
                Some(_) if this.reads_on(frame.as_ref()) => {}
                Some(fault) => return Poll::Ready(Some(Err(axum::Error::new(fault)))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.refused.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
