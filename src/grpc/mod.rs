//! The gRPC services: decode, call one use case, encode. The only home of tonic server code; no rules, no SQL.
//!
//! [`router`] puts the layers around them that both transports share: REST is a client of this very router.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderMap;
use prost_reflect::DescriptorPool;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthReporter;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::admission::Fault;
use crate::error::Error;
use crate::proto::v1::auth_service_server::AuthServiceServer;
use crate::proto::v1::integration_service_server::IntegrationServiceServer;
use crate::proto::v1::memory_service_server::MemoryServiceServer;
use crate::proto::v1::profile_service_server::ProfileServiceServer;
use crate::services::{
    AuditLog, AuthService, MemoryService, PortabilityService, ProfileService, RateLimiter, TaskQueue, UsageService,
};

mod access;
mod auth_service;
mod convert;
mod convert_auth;
mod convert_changes;
mod convert_portability;
mod convert_profile;
mod convert_store;
mod deadline;
mod health;
mod integration_service;
mod interceptor;
mod memory_service;
mod metadata;
mod place;
mod profile_service;
mod reflection;
mod status;
mod validate;

pub use access::AccessError;
pub(crate) use access::{Access, declared_access};
use deadline::Deadlines;
use interceptor::Admission;
pub(crate) use status::SUGGESTION;

/// Every message is at most this long, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// What the router is made of.
#[derive(Debug)]
pub struct GrpcOptions {
    /// Accounts and keys.
    pub auth: Arc<AuthService>,
    /// How often.
    pub limits: Arc<RateLimiter>,
    /// How much.
    pub usage: Arc<UsageService>,
    /// Who did what.
    pub audit: Arc<AuditLog>,
    /// Memories.
    pub memories: Arc<MemoryService>,
    /// Exports and imports.
    pub portability: Arc<PortabilityService>,
    /// Background work.
    pub tasks: Arc<TaskQueue>,
    /// Profiles.
    pub profiles: Arc<ProfileService>,
    /// Whether every request must be encrypted.
    pub tls_required: bool,
    /// How long a request may take when the caller sets no `grpc-timeout`, and at most when it does; one that takes a
    /// stream may take longer.
    pub max_deadline: Duration,
}

/// The services with their layers: deadline, admit. Fails when an RPC says not who may call it.
pub fn router(
    descriptors: &DescriptorPool,
    health: HealthReporter,
    options: GrpcOptions,
) -> Result<Router, AccessError> {
    let access = Arc::new(access::AccessTable::read(descriptors)?);
    let integrations = IntegrationServiceServer::new(integration_service::Integrations(options.tasks))
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let memories = MemoryServiceServer::new(memory_service::Memories {
        memories: options.memories,
        portability: options.portability,
    })
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip)
    .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let profiles = ProfileServiceServer::new(profile_service::Profiles(options.profiles))
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let auth = AuthServiceServer::new(auth_service::Auth {
        auth: Arc::clone(&options.auth),
        limits: Arc::clone(&options.limits),
        usage: Arc::clone(&options.usage),
        audit: Arc::clone(&options.audit),
    })
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip)
    .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let reflection = || reflection::builder(descriptors).map_err(AccessError::Reflection);
    let routes = Routes::new(memories)
        .add_service(auth)
        .add_service(integrations)
        .add_service(profiles)
        .add_service(HealthServer::new(health::Health::new(health)))
        .add_service(reflection()?.build_v1().map_err(AccessError::Reflection)?)
        .add_service(reflection()?.build_v1alpha().map_err(AccessError::Reflection)?);

    let deadlines = Deadlines::new(descriptors, options.max_deadline);
    let admission = Admission {
        access,
        auth: options.auth,
        limits: options.limits,
        usage: options.usage,
        audit: options.audit,
        tls_required: options.tls_required,
    };
    let layers = ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(status::panicked))
        .layer(from_fn_with_state(Arc::new((deadlines, admission)), surround));
    Ok(routes.into_axum_router().reset_fallback().layer(layers))
}

/// What stands around every call. One layer: each clones and boxes all that is within it, at every request.
async fn surround(State(layer): State<Arc<(Deadlines, Admission)>>, request: Request, next: Next) -> Response {
    let (deadlines, admission) = &*layer;
    let answer = deadlines.within(request, |request| interceptor::admit(admission, request, next));
    status::name_transport_faults(answer.await)
}

/// The answer to a request that was not taken on, or whose body did not come as it must.
pub fn overloaded(_: &HeaderMap, fault: Fault) -> Response {
    Status::from(Error::from(fault)).into_http()
}
