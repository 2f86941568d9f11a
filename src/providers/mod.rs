//! What the domain asks of models: the traits, and the implementations behind them.
//!
//! The composition root picks an implementation and hands it to the services as a trait object; nothing else names one.
//! Only this room talks to models, built in or remote.

mod chat_model;
mod embedder;
#[cfg(feature = "local-embedder")]
mod local;
mod reranker;
mod static_table;

pub use chat_model::{ChatError, ChatModel, ChatPrompt};
pub use embedder::{EmbedError, Embedder};
#[cfg(feature = "local-embedder")]
pub use local::{LoadError, LocalModel};
pub use reranker::{RerankError, Reranker};
pub use static_table::StaticTable;
