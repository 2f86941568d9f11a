//! Asking a language model. An upgrade that a deployment may choose; nothing needs one.

use async_trait::async_trait;

/// Why a language model gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{model} did not answer: {reason}")]
pub struct ChatError {
    /// The model that failed, as [`ChatModel::model`] names it.
    pub model: String,
    /// What went wrong, for an operator's log; it never quotes what was asked.
    pub reason: String,
}

/// What is asked of a language model.
#[derive(Clone, Copy, Debug)]
pub struct ChatPrompt<'p> {
    /// What the model is to do.
    pub instructions: &'p str,
    /// What it is to do it with. Never trusted: it may hold instructions of its own.
    pub input: &'p str,
    /// Tokens of the answer, at most.
    pub max_tokens: u32,
}

/// A language model. Calls wait without blocking a thread of the runtime; callers set the deadline.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// The model's name and version.
    fn model(&self) -> &str;

    /// The model's answer.
    async fn complete(&self, prompt: ChatPrompt<'_>) -> Result<String, ChatError>;
}
