//! Everything that a user relies on, through the real server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod accounts;
mod architecture;
mod authentication;
mod backups;
mod cli;
mod clients_node;
mod clients_oauth;
mod clients_python;
mod crash;
mod faults;
mod fuzz;
mod garbage;
mod grpc;
mod instances;
mod isolation;
mod isolation_property;
mod keys;
mod leases;
mod local_embedder;
mod logs;
mod memories;
mod parity;
mod portability;
mod postgres;
mod process;
mod profiles;
mod quality;
mod readme;
mod reembedding;
mod rest_shape;
mod support;
mod tls;
mod transport;
