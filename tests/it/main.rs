//! Everything that a user relies on, through the real server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod authentication;
mod cli;
mod clients_node;
mod clients_python;
mod crash;
mod garbage;
mod grpc;
mod isolation;
mod memories;
mod parity;
mod postgres;
mod process;
mod readme;
mod rest_shape;
mod support;
mod transport;
