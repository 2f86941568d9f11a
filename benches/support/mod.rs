//! What benches share: installations and servers of their own, clients, callers, figures, and invented people.

pub mod callers;
pub mod figures;
pub mod grpc;
pub mod installation;
#[path = "../../tests/it/support/postgres.rs"]
pub mod postgres;
pub mod rest;
pub mod sentences;
