//! Scoring documents against a question with a model. An upgrade that a deployment may choose; nothing needs one.

use async_trait::async_trait;

/// Why documents got no scores.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{model} could not score the documents: {reason}")]
pub struct RerankError {
    /// The model that failed, as [`Reranker::model`] names it.
    pub model: String,
    /// What went wrong, for an operator's log; it never quotes a text.
    pub reason: String,
}

/// A cross-encoder or a service like it. Calls wait without blocking a thread of the runtime; callers set the deadline.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// The model's name and version.
    fn model(&self) -> &str;

    /// One score per document, in their order, from 0.0 (says nothing of the question) to 1.0 (answers it).
    async fn score(&self, query: &str, documents: &[&str]) -> Result<Vec<f32>, RerankError>;
}
