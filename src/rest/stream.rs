//! Streams: answers as NDJSON, a line a message, and raw bodies as a stream of requests.
//!
//! `transcode` calls it for RPCs that stream. Nothing is held beyond one message.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::bindings::Binding;
use super::encode;
use super::error::Problem;
use super::schema::Schema;
use super::wire;
use crate::in_process::Frames;

/// The type of streamed answers.
pub(crate) const NDJSON: &str = "application/x-ndjson";
/// The largest piece of a raw body that is put into one request.
const MAX_PIECE_BYTES: usize = 1024 * 1024;

/// What a line needs.
struct Lines<S> {
    frames: Frames,
    schema: S,
    binding: LineShape,
    request_id: String,
    failed: bool,
}

#[derive(Clone, Copy)]
struct LineShape {
    output: super::schema::MessageId,
    only: Option<usize>,
}

/// Answers with the messages as lines. A failure before the first is returned; a later one is the last line.
pub(super) async fn ndjson<S>(
    schema: S,
    binding: &Binding,
    visible: HeaderMap,
    mut frames: Frames,
    request_id: &str,
) -> Result<Response, Problem>
where
    S: AsRef<Schema> + Send + 'static,
{
    let shape = LineShape {
        output: binding.output,
        only: binding.answer,
    };
    let first = match frames.next().await? {
        Some(message) => Some(Ok::<_, std::convert::Infallible>(line(
            schema.as_ref(),
            shape,
            &message,
        )?)),
        None => None,
    };
    let rest = Lines {
        frames,
        schema,
        binding: shape,
        request_id: request_id.to_owned(),
        failed: false,
    };
    let rest = stream::unfold(rest, |mut lines| async move {
        if lines.failed {
            return None;
        }
        let next = match lines.frames.next().await {
            Ok(None) => return None,
            Ok(Some(message)) => line(lines.schema.as_ref(), lines.binding, &message),
            Err(error) => Err(Problem::from(error)),
        };
        let bytes = next.unwrap_or_else(|problem| {
            lines.failed = true;
            let mut body = problem.body(&lines.request_id);
            body.push(b'\n');
            body.into()
        });
        Some((Ok(bytes), lines))
    });
    let mut response = Response::new(Body::from_stream(stream::iter(first).chain(rest)));
    *response.status_mut() = binding.success;
    *response.headers_mut() = visible;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

fn line(schema: &Schema, shape: LineShape, message: &Bytes) -> Result<Bytes, Problem> {
    let mut text = Vec::with_capacity(message.len() * 2);
    encode::answer(schema, shape.output, shape.only, message, &mut text).map_err(|_| Problem::internal())?;
    text.push(b'\n');
    Ok(text.into())
}

/// The request messages: `head` with the parameters, where there are any, then pieces of the raw body in the field
/// `number`.
pub(super) fn requests(head: Option<Vec<u8>>, number: u32, body: Body) -> Body {
    let head = stream::iter(head.map(|frame| Ok::<_, axum::Error>(Bytes::from(frame))));
    let pieces = body.into_data_stream().map_ok(move |data| frames(number, &data));
    Body::from_stream(head.chain(pieces))
}

fn frames(number: u32, data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 32);
    for piece in data.chunks(MAX_PIECE_BYTES) {
        let mut frame = wire::new_frame(piece.len() + 8);
        wire::put_bytes(&mut frame, number, piece);
        // A piece is far below what a frame can hold.
        if wire::finish_frame(&mut frame).is_ok() {
            out.extend_from_slice(&frame);
        }
    }
    out.into()
}
