//! Reading a request's body: its type and its size.
//!
//! `transcode` calls it before `decode`. Never holds more than the limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::error::{FieldViolation, Problem};
use crate::admission::drain;

/// What is looked at of a body that a request needs none of.
const STRAY_BYTES: usize = 64 * 1024;

/// The whole body, if it is JSON and within the limit.
pub(super) async fn json(body: Body, parts: &Parts, max_bytes: usize) -> Result<Bytes, Problem> {
    let bytes = whole(body, parts, max_bytes).await?;
    if !bytes.is_empty() && !is_json(&parts.headers) {
        return Err(Problem::unsupported_media_type());
    }
    Ok(bytes)
}

/// The body of a request that needs none, where it is JSON and short; any other is read and thrown away.
pub(super) async fn stray(body: Body, parts: &Parts) -> Option<Bytes> {
    if body.is_end_stream() || !is_json(&parts.headers) {
        drain(body, parts).await;
        return None;
    }
    whole(body, parts, STRAY_BYTES).await.ok()
}

async fn whole(mut body: Body, parts: &Parts, max_bytes: usize) -> Result<Bytes, Problem> {
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max_bytes as u64) {
        drain(body, parts).await;
        return Err(Problem::payload_too_large(max_bytes));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            drop((first, rest));
            drain(body, parts).await;
            return Err(Problem::invalid(&[FieldViolation::new(
                "body",
                "could not be read to its end",
            )]));
        };
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max_bytes {
            drop((first, rest));
            drain(body, parts).await;
            return Err(Problem::payload_too_large(max_bytes));
        }
        // Most bodies come in one piece, which needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if !first.is_empty() {
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&data);
    }
    Ok(if first.is_empty() { rest.freeze() } else { first })
}

/// JSON by its content type, or without one.
fn is_json(headers: &HeaderMap) -> bool {
    let plain = |coding: &http::HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get(CONTENT_ENCODING).is_none_or(plain) {
        return false;
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(content_type) = content_type.to_str() else {
        return false;
    };
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};

    use super::*;

    fn parts(headers: HeaderMap) -> Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.headers = headers;
        parts
    }

    fn typed(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[test]
    fn only_json_types_are_json() {
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(is_json(&typed(json)), "{json}");
        }
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "text/json",
            "application/jsonx",
            "",
        ] {
            assert!(!is_json(&typed(other)), "{other}");
        }
        assert!(is_json(&HeaderMap::new()));
        let zipped = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        assert!(!is_json(&zipped));
    }

    #[tokio::test]
    async fn a_body_above_the_limit_is_refused_announced_or_chunked() {
        let pieces = || futures::stream::iter((0..4).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345"))));
        let read = json(Body::from_stream(pieces()), &parts(HeaderMap::new()), 20).await;
        assert_eq!(read.expect("just fits"), Bytes::from("12345".repeat(4)));
        let chunked = json(Body::from_stream(pieces()), &parts(HeaderMap::new()), 19)
            .await
            .expect_err("too large");
        assert_eq!(chunked.status, StatusCode::PAYLOAD_TOO_LARGE);
        let announced = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("20"))]);
        let announced = json(Body::from("x".repeat(20)), &parts(announced), 19)
            .await
            .expect_err("too large");
        assert_eq!(announced.reason, "PAYLOAD_TOO_LARGE");
    }

    #[tokio::test]
    async fn an_empty_body_of_any_type_is_taken() {
        assert!(
            json(Body::empty(), &parts(typed("text/plain")), 10)
                .await
                .expect("taken")
                .is_empty()
        );
        let full = json(Body::from("x"), &parts(typed("text/plain")), 10)
            .await
            .expect_err("refused");
        assert_eq!(full.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
