//! Deadlines: a request ends when its caller has stopped waiting.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::Status;

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

    /// How long this request may take; for ever when absent.
    fn of(&self, request: &Request) -> Option<Duration> {
        let wanted = grpc_timeout(request.headers());
        if self.unbounded.contains(request.uri().path()) {
            wanted
        } else {
            Some(wanted.map_or(self.max, |wanted| wanted.min(self.max)))
        }
    }

    /// The answer to a request, if it comes in time.
    pub(super) async fn within<F>(&self, request: Request, answer: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let deadline = self.of(&request);
        let answer = answer(request);
        let Some(deadline) = deadline else { return answer.await };
        match tokio::time::timeout(deadline, answer).await {
            Ok(response) => response,
            Err(_) => Status::from(Error::DeadlineExceeded).into_http(),
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
