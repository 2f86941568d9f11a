//! Deadlines: a request ends when its caller has stopped waiting.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tokio::time::Instant;
use tonic::Status;

use crate::admission::Arrival;
use crate::error::Error;

/// How long requests may take.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    max: Duration,
    /// RPCs that take a stream, by path: how long these take is up to whoever sends it.
    unbounded: Arc<HashSet<String>>,
}

impl Deadlines {
    pub(super) fn new(descriptors: &DescriptorPool, max: Duration) -> Self {
        let rpcs = descriptors
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        let streaming = rpcs.filter(MethodDescriptor::is_client_streaming);
        let path = |rpc: MethodDescriptor| format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
        Self {
            max,
            unbounded: Arc::new(streaming.map(path).collect()),
        }
    }

    /// The answer to a request, if it comes in time: in the caller's, and in this server's from when the request was there
    /// to its end.
    pub(super) async fn within<F>(&self, request: Request, answer: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let wanted = grpc_timeout(request.headers());
        let is_bounded = !self.unbounded.contains(request.uri().path());
        let arrival = request.extensions().get::<Arrival>().cloned();
        let answer = answer(request);
        let deadline = async {
            let now = Instant::now();
            match wanted {
                Some(wanted) if !is_bounded || wanted <= self.max => tokio::time::sleep_until(now + wanted).await,
                Some(_) | None if is_bounded => self.pass(now, arrival.as_ref()).await,
                Some(_) | None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            response = answer => response,
            () = deadline => Status::from(Error::DeadlineExceeded).into_http(),
        }
    }

    /// Returns when the request has been worked on for as long as it may.
    async fn pass(&self, mut since: Instant, arrival: Option<&Arrival>) {
        loop {
            tokio::time::sleep_until(since + self.max).await;
            let Some(arrival) = arrival else { return };
            match arrival.worked_on_since() {
                Some(latest) if latest.elapsed() >= self.max => return,
                Some(latest) => since = latest,
                // How long a client may leave its body unfinished is bounded elsewhere.
                None => since = Instant::now(),
            }
        }
    }
}

/// The header `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_timeout_is_read_in_each_unit_and_garbage_is_ignored() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().expect("a header value"));
            grpc_timeout(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("4S"), Some(Duration::from_secs(4)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for garbage in ["", "S", "1", "123456789S", "-1S", "1s", "1.5S"] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
    }
}
