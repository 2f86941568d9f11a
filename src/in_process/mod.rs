//! Clients of this service inside its own process. Whatever speaks another protocol goes through them, so that
//! authentication, limits and the audit log hold for it as they do for everybody.
//!
//! `rest/` calls the gRPC services, and `dashboard/` calls REST.

mod grpc;
mod rest;

pub use grpc::{Answer, CallContext, CallError, FRAME_PREFIX, Frames, GrpcClient, frame_length};
pub use rest::RestClient;
