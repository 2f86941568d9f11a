//! The gRPC client: a request as a client elsewhere would send it, and the answer with its trailers. Knows frames and
//! headers, not messages.

use axum::Router;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, IF_MATCH, RETRY_AFTER, TE, USER_AGENT};
use http::request::Parts;
use http::response;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use tonic::{Code, Status};
use tower::ServiceExt;

use crate::model::{Accepted, JudgeOnly};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of the request that the services see.
const FORWARD: [HeaderName; 15] = [
    X_API_KEY,
    AUTHORIZATION,
    HeaderName::from_static("x-user-id"),
    X_REQUEST_ID,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    USER_AGENT,
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Bytes before a gRPC message: one flag, four of length.
pub const FRAME_PREFIX: usize = 5;

/// Calls the services as a client elsewhere would, through all their layers: authentication, limits and audit hold for
/// every caller.
#[derive(Debug, Clone)]
pub struct GrpcClient(Router);

/// Who calls and how: what a call takes over from the HTTP request.
#[derive(Debug, Clone)]
pub struct CallContext {
    headers: HeaderMap,
    extensions: Extensions,
}

/// A call that failed.
#[derive(Debug)]
pub struct CallError {
    /// Why.
    pub status: Box<Status>,
    /// The metadata that the client should see.
    pub headers: Box<HeaderMap>,
}

/// The answer to a unary call.
#[derive(Debug)]
pub struct Answer {
    /// The message.
    pub message: Bytes,
    /// The metadata that the client should see.
    pub headers: HeaderMap,
    /// Whether what was asked for is done later.
    pub is_accepted: bool,
}

impl CallContext {
    /// What the services see of an HTTP request.
    pub fn of(parts: &Parts) -> Self {
        let mut headers = HeaderMap::with_capacity(FORWARD.len() + 2);
        for name in &FORWARD {
            for value in parts.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        Self {
            headers,
            extensions: parts.extensions.clone(),
        }
    }

    /// Whether it has a key or a token.
    pub fn has_credentials(&self) -> bool {
        self.headers.contains_key(X_API_KEY) || self.headers.contains_key(AUTHORIZATION)
    }

    /// The same caller without credentials.
    pub fn anonymous(&self) -> Self {
        let mut context = self.clone();
        context.headers.remove(X_API_KEY);
        context.headers.remove(AUTHORIZATION);
        context
    }
}

impl GrpcClient {
    /// A client of these services.
    pub const fn new(services: Router) -> Self {
        Self(services)
    }

    /// Calls an RPC that answers once.
    pub async fn unary(&self, rpc: &Uri, context: CallContext, body: Body) -> Result<Answer, CallError> {
        let (mut parts, body) = self.start(rpc, context, body).await?;
        let is_accepted = parts.extensions.remove::<Accepted>().is_some();
        let headers = parts.headers;
        let collected = body.collect().await.map_err(|_| broken(rpc, "its answer broke off"))?;
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let frame = collected.to_bytes();
        let mut visible = visible(&headers);
        visible.extend(self::visible(&trailers));
        outcome(&trailers, &headers, &visible)
            .map_err(|error| error.unwrap_or_else(|| broken(rpc, "it gave no status")))?;
        let message = frame.get(..FRAME_PREFIX).and_then(frame_length);
        match message {
            Some(length) if frame.len() == FRAME_PREFIX + length => Ok(Answer {
                message: frame.slice(FRAME_PREFIX..),
                headers: visible,
                is_accepted,
            }),
            _ => Err(broken(rpc, "its answer is not one message")),
        }
    }

    /// Has a caller judged as this RPC would, without making the call. Gives the metadata that the caller should see.
    pub async fn judge(&self, rpc: &Uri, mut context: CallContext) -> Result<HeaderMap, CallError> {
        context.extensions.insert(JudgeOnly);
        let (parts, _) = self.start(rpc, context, Body::empty()).await?;
        Ok(visible(&parts.headers))
    }

    /// Has a caller judged who calls no RPC. Gives the metadata that the caller should see.
    pub async fn identify(&self, context: CallContext) -> Result<HeaderMap, CallError> {
        self.judge(&Uri::from_static("/memsync.v1.AuthService/WhoAmI"), context)
            .await
    }

    /// Calls an RPC that answers with a stream. A failure before the first message is the call's failure.
    pub async fn stream(&self, rpc: &Uri, context: CallContext, body: Body) -> Result<(HeaderMap, Frames), CallError> {
        let (parts, body) = self.start(rpc, context, body).await?;
        let headers = parts.headers;
        let visible = visible(&headers);
        Ok((
            visible,
            Frames {
                rpc: rpc.clone(),
                body,
                buffer: BytesMut::new(),
                ended: headers.contains_key(Status::GRPC_STATUS),
            },
        ))
    }

    async fn start(&self, rpc: &Uri, context: CallContext, body: Body) -> Result<(response::Parts, Body), CallError> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = rpc.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = context.headers;
        *request.extensions_mut() = context.extensions;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));

        let response = match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        if let Some(status) = Status::from_header_map(&parts.headers).filter(|status| status.code() != Code::Ok) {
            return Err(failed(status, &visible(&parts.headers)));
        }
        if parts.status != StatusCode::OK {
            let status = Status::new(code_of(parts.status), "");
            return Err(failed(status, &visible(&parts.headers)));
        }
        Ok((parts, body))
    }
}

/// The messages of a streamed answer.
#[derive(Debug)]
pub struct Frames {
    rpc: Uri,
    body: Body,
    buffer: BytesMut,
    ended: bool,
}

impl Frames {
    /// The next message; `None` at a good end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.frame().await {
                None => return Err(broken(&self.rpc, "its stream gave no status")),
                Some(Err(_)) => return Err(broken(&self.rpc, "its stream broke off")),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(frame) => self.end(&frame.into_trailers().unwrap_or_default())?,
                },
            }
        }
    }

    fn take(&mut self) -> Result<Option<Bytes>, CallError> {
        if self.buffer.len() < FRAME_PREFIX {
            return Ok(None);
        }
        let length = frame_length(&self.buffer).ok_or_else(|| broken(&self.rpc, "it sent no gRPC frame"))?;
        if self.buffer.len() < FRAME_PREFIX + length {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(FRAME_PREFIX + length).freeze();
        Ok(Some(frame.split_off(FRAME_PREFIX)))
    }

    fn end(&mut self, trailers: &HeaderMap) -> Result<(), CallError> {
        self.ended = true;
        let visible = visible(trailers);
        let none = HeaderMap::new();
        outcome(trailers, &none, &visible)
            .map_err(|error| error.unwrap_or_else(|| broken(&self.rpc, "its stream gave no status")))?;
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(broken(&self.rpc, "its stream ended inside a message"))
        }
    }
}

/// The status, from trailers or headers. `Err(None)` where there is none.
fn outcome(trailers: &HeaderMap, headers: &HeaderMap, visible: &HeaderMap) -> Result<(), Option<CallError>> {
    let status = Status::from_header_map(trailers)
        .or_else(|| Status::from_header_map(headers))
        .ok_or(None)?;
    if status.code() == Code::Ok {
        Ok(())
    } else {
        Err(Some(failed(status, visible)))
    }
}

/// The length of a frame's message, from its prefix. Compressed frames were not asked for: of them it is nothing.
pub fn frame_length(prefix: &[u8]) -> Option<usize> {
    match prefix {
        [0, length @ ..] => {
            let length: [u8; 4] = length.get(..4)?.try_into().ok()?;
            Some(u32::from_be_bytes(length) as usize)
        }
        _ => None,
    }
}

fn failed(status: Status, visible: &HeaderMap) -> CallError {
    CallError {
        status: Box::new(status),
        headers: Box::new(visible.clone()),
    }
}

fn broken(rpc: &Uri, what: &'static str) -> CallError {
    tracing::error!(rpc = rpc.path(), what, "the in-process call failed");
    failed(Status::internal(""), &HeaderMap::new())
}

/// A layer that answers without a gRPC status means one by its HTTP status.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::REQUEST_TIMEOUT => Code::DeadlineExceeded,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// The metadata that HTTP clients should see.
fn visible(headers: &HeaderMap) -> HeaderMap {
    let shown = |name: &HeaderName| {
        name.as_str().starts_with("x-ratelimit-") || *name == RETRY_AFTER || *name == "etag" || *name == X_REQUEST_ID
    };
    let shown = headers.iter().filter(|(name, _)| shown(name));
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}
