//! Turning text into vectors, as the rest of the service sees it.
//!
//! Services call it for what they store and for what is asked; they keep [`Embedder::model`] beside every vector, since
//! vectors of different models do not compare.

use async_trait::async_trait;

/// Why a text got no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{model} could not embed the text: {reason}")]
pub struct EmbedError {
    /// The model that failed, as [`Embedder::model`] names it.
    pub model: String,
    /// What went wrong, for an operator's log; it never quotes the text.
    pub reason: String,
}

/// Text → unit vector.
///
/// Calls wait without blocking a thread of the runtime, however long the model takes. Callers set the deadline: a call that
/// is dropped has no effect.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model's name and version. Two embedders with the same name give the same vectors.
    fn model(&self) -> &str;

    /// How many numbers a vector has; the same for every text.
    fn dimensions(&self) -> usize;

    /// One vector per text to be found, in the same order, each of length 1. A text without anything the model knows, such
    /// as an empty one, gives all zeros.
    async fn encode_documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// The vector of a question, of length 1 or all zeros. Models that tell questions from documents override it.
    async fn encode_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let vectors = self.encode_documents(&[text]).await?;
        vectors.into_iter().next().ok_or_else(|| EmbedError {
            model: self.model().to_owned(),
            reason: "no vector came back".to_owned(),
        })
    }
}

/// Brings a vector to length 1; leaves zeros as they are.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for x in vector {
            *x /= length;
        }
    }
}
