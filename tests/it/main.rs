//! Everything that a user relies on, through the real server.

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
mod readme;
mod rest_shape;
mod support;
mod transport;
