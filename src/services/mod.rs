//! The use cases: rights, the order of steps, transactions. Called by `grpc/` and the command line; knows no transport
//! and no SQL.

mod api_key;
mod auth;
mod cpu;
mod indexes;
mod memories;
mod plan;

pub use api_key::ApiKeySecret;
pub use auth::{AuthService, NewApiKey};
pub use memories::{
    ConversationMessage, ListQuery, ListRequest, ListSort, MemoryPage, MemoryService, SearchRequest, StoreOutcome,
    StoreRequest,
};
