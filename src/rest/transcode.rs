//! One REST request from start to end: find the route, read the message, call the RPC, write the answer.
//!
//! Only the order of steps is here; every step has a file of its own. `rest::router` mounts it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::RestSettings;
use super::bindings::{Binding, BodyRule};
use super::decoder::Decoder;
use super::demand::Demand;
use super::error::{FieldViolation, Problem};
use super::routes::{Found, RouteTable};
use super::schema::Schema;
use super::{body, encode, health, params, stream, wire};
use crate::admission::drain;
use crate::in_process::{CallContext, FRAME_PREFIX, GrpcClient};
use crate::model::Origin;

/// Everything that answers REST requests.
#[derive(Debug)]
pub(super) struct Transcoder {
    pub(super) schema: Arc<Schema>,
    pub(super) routes: RouteTable,
    pub(super) grpc: GrpcClient,
    pub(super) settings: RestSettings,
}

impl Transcoder {
    /// Answers a request. Never fails: every failure is an answer in the documented shape.
    pub(super) async fn handle(&self, request: Request) -> Response {
        if is_grpc(request.headers()) {
            return unknown_rpc();
        }
        let request_id = request.headers().get("x-request-id").cloned();
        let request_id = request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        match AssertUnwindSafe(self.answer(request, request_id)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => problem.into_response(request_id),
            Err(_) => {
                tracing::error!(request_id, "a REST request panicked");
                Problem::internal().into_response(request_id)
            }
        }
    }

    async fn answer(&self, request: Request, request_id: &str) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let found = match self.find(&parts) {
            Ok(found) => found,
            Err(problem) => {
                drain(body, &parts).await;
                return Err(problem);
            }
        };
        match found {
            Target::Verbs(allow) => Ok(options(allow)),
            Target::Planned => {
                let judged = self.grpc.identify(CallContext::of(&parts)).await;
                drain(body, &parts).await;
                let mut problem = Problem::not_implemented();
                problem.headers.extend(judged?);
                Err(problem)
            }
            Target::Health => health::check(&self.grpc, CallContext::of(&parts), self.settings.version).await,
            Target::Route(binding, captures) => {
                self.call_when_admitted(binding, &captures, &parts, body, request_id)
                    .await
            }
        }
    }

    /// Calls the RPC. The services judge the caller before they ask for the message, and the body is read only then: no
    /// stranger has this server read what they send, and whoever has no access or no allowance left learns that first.
    async fn call_when_admitted(
        &self,
        binding: &Binding,
        captures: &[&str],
        parts: &Parts,
        body: Body,
        request_id: &str,
    ) -> Result<Response, Problem> {
        let context = CallContext::of(parts);
        let (demand, message) = Demand::new();
        let call = self.call(binding, context, message, request_id);
        tokio::pin!(call);
        let supply = tokio::select! {
            biased;
            answer = &mut call => {
                drain(body, parts).await;
                return answer;
            }
            supply = demand.wanted() => supply,
        };
        match self.read(binding, captures, parts, body).await {
            Ok(message) => {
                supply.send(message);
                call.await
            }
            Err(mut problem) => {
                drop(supply);
                if let Err(judged) = call.await {
                    problem.headers.extend(*judged.headers);
                }
                Err(problem)
            }
        }
    }

    fn find<'p>(&self, parts: &'p Parts) -> Result<Target<'_, 'p>, Problem> {
        if let Some(parameter) = parts.uri.query().and_then(params::key_parameter) {
            return Err(key_in_url(parameter));
        }
        let path = parts.uri.path();
        if health::is_path(path) {
            note_route(parts, path);
            return match parts.method {
                Method::GET | Method::HEAD => Ok(Target::Health),
                Method::OPTIONS => Ok(Target::Verbs(health::allow())),
                _ => Err(Problem::method_not_allowed(health::allow())),
            };
        }
        match self.routes.find(&parts.method, path) {
            Found::Route(binding, captures) => {
                note_route(parts, &binding.template);
                Ok(Target::Route(binding, captures))
            }
            Found::Planned(template) => {
                note_route(parts, template);
                Ok(Target::Planned)
            }
            Found::OtherVerbs(template, allow) => {
                note_route(parts, template);
                match parts.method {
                    Method::OPTIONS => Ok(Target::Verbs(allow)),
                    _ => Err(Problem::method_not_allowed(allow)),
                }
            }
            Found::Nothing => Err(Problem::route_not_found()),
        }
    }

    /// The body of the gRPC request.
    async fn read(&self, binding: &Binding, captures: &[&str], parts: &Parts, body: Body) -> Result<Body, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let frame = |json| request_frame(&self.schema, binding, captures, query, json);
        match binding.body {
            BodyRule::None => {
                let stray = body::stray(body, parts).await;
                Ok(Body::from(frame(stray.as_deref())?))
            }
            BodyRule::Whole | BodyRule::Field(_) => {
                let json = body::json(body, parts, self.settings.max_body_bytes).await?;
                Ok(Body::from(frame(Some(&json))?))
            }
            BodyRule::Chunks(index) => {
                let number = self.schema.message(binding.input).fields[index].number;
                let head = Some(frame(None)?).filter(|frame| frame.len() > FRAME_PREFIX);
                Ok(stream::requests(head, number, body))
            }
        }
    }

    async fn call(
        &self,
        binding: &Binding,
        context: CallContext,
        message: Body,
        request_id: &str,
    ) -> Result<Response, Problem> {
        if binding.streams_answer {
            let (visible, frames) = self.grpc.stream(&binding.rpc, context, message).await?;
            return stream::ndjson(self.schema.clone(), binding, visible, frames, request_id).await;
        }
        let answer = self.grpc.unary(&binding.rpc, context, message).await?;
        let mut json = Vec::with_capacity(answer.message.len() * 2 + 64);
        if encode::answer(&self.schema, binding.output, binding.answer, &answer.message, &mut json).is_err() {
            tracing::error!(rpc = binding.rpc.path(), "the answer is no message of its type");
            return Err(Problem::internal());
        }
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = if answer.is_accepted {
            StatusCode::ACCEPTED
        } else {
            binding.success
        };
        *response.headers_mut() = answer.headers;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}

/// Tells the request log which route this is.
fn note_route(parts: &Parts, pattern: &str) {
    if let Some(origin) = parts.extensions.get::<Arc<Origin>>() {
        // Set once: a request has one route.
        let _ = origin.route.set(pattern.into());
    }
}

enum Target<'t, 'p> {
    Route(&'t Binding, Vec<&'p str>),
    Planned,
    Health,
    Verbs(HeaderValue),
}

/// The request message in its frame, or every violation. The body goes before the query, the path before both.
fn request_frame(
    schema: &Schema,
    binding: &Binding,
    captures: &[&str],
    query: &str,
    json: Option<&[u8]>,
) -> Result<Vec<u8>, Problem> {
    let capacity = json.map_or(0, <[u8]>::len) + query.len() + 64;
    let mut decoder = Decoder::new(schema, wire::new_frame(capacity));
    let mut taken = Vec::new();
    match (binding.body, json) {
        (BodyRule::Whole, Some(json)) => taken = decoder.body(binding.input, &binding.bound, json),
        (BodyRule::Field(index), Some(json)) => {
            decoder.body_field(&schema.message(binding.input).fields[index], json);
            taken.push(index);
        }
        (BodyRule::None, Some(json)) => params::stray_body(&mut decoder, binding, json),
        (BodyRule::Chunks(index), _) => taken.push(index),
        (_, _) => {}
    }
    params::query(&mut decoder, binding, &taken, query);
    params::path(&mut decoder, binding, captures);
    let mut frame = decoder.finish().map_err(|violations| Problem::invalid(&violations))?;
    wire::finish_frame(&mut frame).map_err(|_| Problem::internal())?;
    Ok(frame)
}

fn key_in_url(parameter: &str) -> Problem {
    Problem::invalid(&[FieldViolation::new(
        parameter,
        "a credential must not be in the URL, where logs and histories keep it: \
         rotate that key, and send the new one in the header X-API-Key",
    )])
}

/// The answer to OPTIONS.
pub(super) fn options(allow: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"application/grpc"))
}

/// The answer to a gRPC client that named an RPC that there is not.
fn unknown_rpc() -> Response {
    let details = ErrorDetails::with_error_info("ROUTE_NOT_FOUND", "memsync", []);
    Status::with_error_details(Code::Unimplemented, "No such RPC", details).into_http()
}
