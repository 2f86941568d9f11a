//! What the domain asks of models: the traits, and the implementations behind them.
//!
//! The composition root picks an implementation and hands it to the services as a trait object; nothing else names one.
//! Only this room talks to models, built in or remote.

mod embedder;
#[cfg(feature = "local-embedder")]
mod local;
mod static_table;

pub use embedder::{EmbedError, Embedder};
#[cfg(feature = "local-embedder")]
pub use local::{LoadError, LocalModel};
pub use static_table::StaticTable;
