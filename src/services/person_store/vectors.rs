//! Vectors of texts, and of memories with those that the database keeps.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::model::{Memory, MemoryId};
use crate::providers::{EmbedError, Embedder};
use crate::store::NewEmbedding;

/// How long a question may take to encode. Somebody waits for it.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a batch of documents may take.
const BATCH_TIMEOUT: Duration = Duration::from_secs(20);
/// Documents in a batch.
const BATCH: usize = 256;

/// The vectors of what is stored, in the order of the texts. [`Error::Unavailable`] where the embedder fails or is late.
pub(in crate::services) async fn encode_documents(embedder: &dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        vectors.extend(in_time(BATCH_TIMEOUT, embedder.encode_documents(batch)).await?);
    }
    Ok(vectors)
}

/// The vector of a question. [`Error::Unavailable`] where the embedder fails or is late.
pub(in crate::services) async fn encode_query(embedder: &dyn Embedder, text: &str) -> Result<Vec<f32>> {
    in_time(QUERY_TIMEOUT, embedder.encode_query(text)).await
}

async fn in_time<T>(limit: Duration, encoding: impl Future<Output = Result<T, EmbedError>>) -> Result<T> {
    match timeout(limit, encoding).await {
        Ok(encoded) => encoded.map_err(|e| Error::Unavailable(Box::new(e))),
        Err(late) => Err(Error::Unavailable(Box::new(late))),
    }
}

/// The vectors of these memories, in their order: those that are kept, and new ones of what lacks one.
pub(in crate::services) async fn kept_or_made<'m>(
    embedder: &dyn Embedder,
    memories: impl Iterator<Item = &'m Memory> + Clone,
    mut kept: HashMap<MemoryId, Vec<f32>>,
) -> Result<Vec<Vec<f32>>> {
    let missing = memories.clone().filter(|memory| !kept.contains_key(&memory.id));
    let missing: Vec<&str> = missing.map(|memory| memory.text.as_str()).collect();
    let mut made = encode_documents(embedder, &missing).await?.into_iter();
    let vector = |memory: &Memory| kept.remove(&memory.id).or_else(|| made.next()).unwrap_or_default();
    Ok(memories.map(vector).collect())
}

/// What memories say, for [`encode_documents`].
pub(in crate::services) fn texts(memories: &[Memory]) -> Vec<&str> {
    memories.iter().map(|memory| memory.text.as_str()).collect()
}

/// Memories with their vectors, for the database.
pub(in crate::services) fn new_embeddings<'a>(
    memories: &'a [Memory],
    vectors: &'a [Vec<f32>],
) -> Vec<NewEmbedding<'a>> {
    let pairs = memories.iter().zip(vectors);
    pairs.map(|(memory, vector)| NewEmbedding { memory, vector }).collect()
}
