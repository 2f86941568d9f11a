//! MemSync: the long-term memory of AI applications, as one service. `docs/ARCHITECTURE.md` shows the rooms.

pub mod admission;
pub mod app;
pub mod config;
mod cpu;
pub mod dashboard;
pub mod error;
pub mod eval;
pub mod extraction;
pub mod grpc;
pub mod in_process;
mod inference;
pub mod jobs;
pub mod model;
pub mod oauth;
pub mod openapi;
pub mod parser;
pub mod profile;
pub mod proto;
pub mod providers;
pub mod rest;
pub mod search;
pub mod secrets;
pub mod server;
pub mod services;
pub mod store;
