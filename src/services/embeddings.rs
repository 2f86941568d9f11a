//! Vectors of the model in use for memories that only have another model's, while others store, change and search.
//!
//! Searches are right without it: whoever reads such a memory into an index embeds it then. This does it once for all.

use std::collections::VecDeque;
use std::sync::Arc;

use super::person_store::{PersonStore, encode_documents};
use crate::error::Result;
use crate::model::{AccountId, MemoryId};
use crate::store::{EmbeddedPage, Place};

/// Memories that are looked at at one time.
const PAGE: u64 = 1_000;
/// Memories that are embedded, and stored in one transaction, at one time: requests wait for no more than these.
const BATCH: usize = 64;

/// A walk through the memories of everybody that gives a vector to each that lacks one.
#[derive(Debug)]
pub struct Reembedding {
    service: Arc<EmbeddingService>,
    place: Place,
    /// Batches of the page under way.
    batches: VecDeque<(AccountId, Vec<MemoryId>)>,
}

/// A walk through the memories of everybody that forgets the vectors of other models.
#[derive(Debug)]
pub struct Pruning {
    service: Arc<EmbeddingService>,
    place: Place,
}

/// What a step of [`Reembedding`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reembedded {
    /// Memories that lacked a vector when they were looked for; 0 where it only looked.
    pub memories: u64,
    /// Vectors that were stored. What others were faster with, or nobody can read, makes the difference.
    pub stored: u64,
    /// Memories that changed meanwhile, and may lack one still.
    pub changed: u64,
}

/// How many memories there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingCount {
    /// Without a vector of the model in use.
    pub missing: u64,
    /// In all.
    pub total: u64,
}

/// The vectors of everybody's memories.
#[derive(Debug)]
pub struct EmbeddingService {
    people: Arc<PersonStore>,
}

impl EmbeddingService {
    /// Over these people.
    pub fn new(people: Arc<PersonStore>) -> Self {
        Self { people }
    }

    /// The name of the model in use.
    pub fn model(&self) -> &str {
        self.people.embedder.model()
    }

    /// How many memories have no vector of the model in use.
    pub async fn count(&self) -> Result<EmbeddingCount> {
        let (mut count, mut place) = (EmbeddingCount::default(), Place::default());
        let ids = |side: &[(AccountId, Vec<MemoryId>)]| side.iter().map(|(_, ids)| ids.len() as u64).sum::<u64>();
        while let Some(page) = self.embedded_after(&place).await? {
            count.missing += ids(&page.missing);
            count.total += ids(&page.missing) + ids(&page.present);
            place = page.last;
        }
        Ok(count)
    }

    async fn embedded_after(&self, place: &Place) -> Result<Option<EmbeddedPage>> {
        self.people
            .store
            .embedded_after(self.people.embedder.model(), place, PAGE)
            .await
    }

    async fn embed_again(&self, account_id: &AccountId, ids: &[MemoryId]) -> Result<Reembedded> {
        let read = self.people.store.unembedded(account_id, ids).await?;
        let texts: Vec<&str> = read.iter().map(|read| read.memory.text.as_str()).collect();
        let vectors = encode_documents(&*self.people.embedder, &texts).await?;
        let memories = ids.len() as u64;
        if read.is_empty() {
            return Ok(Reembedded {
                memories,
                ..Reembedded::default()
            });
        }
        let transaction = self.people.store.begin().await?;
        let added = transaction
            .add_embeddings(account_id, self.people.embedder.model(), &read, &vectors)
            .await?;
        transaction.commit().await?;
        Ok(Reembedded {
            memories,
            stored: added.stored,
            changed: added.changed,
        })
    }
}

impl Reembedding {
    /// From the first memory on.
    pub fn new(service: Arc<EmbeddingService>) -> Self {
        Self {
            service,
            place: Place::default(),
            batches: VecDeque::new(),
        }
    }

    /// Does a little of it: looks at a page of memories, or embeds a batch of those that lack a vector; none at the end.
    /// After an error it can be tried again. Several may do the same at one time.
    pub async fn step(&mut self) -> Result<Option<Reembedded>> {
        let Some((account, ids)) = self.batches.front() else {
            return self.look().await;
        };
        let added = self.service.embed_again(account, ids).await?;
        self.batches.pop_front();
        Ok(Some(added))
    }

    async fn look(&mut self) -> Result<Option<Reembedded>> {
        let Some(page) = self.service.embedded_after(&self.place).await? else {
            return Ok(None);
        };
        for (account, ids) in page.missing {
            let batches = ids.chunks(BATCH).map(|batch| (account.clone(), batch.to_vec()));
            self.batches.extend(batches);
        }
        self.place = page.last;
        Ok(Some(Reembedded::default()))
    }
}

impl Pruning {
    /// From the first memory on.
    pub fn new(service: Arc<EmbeddingService>) -> Self {
        Self {
            service,
            place: Place::default(),
        }
    }

    /// Does a little of it, and says how many vectors are gone; none at the end. Memories without a vector of the model in
    /// use keep what they have.
    pub async fn step(&mut self) -> Result<Option<u64>> {
        let Some(page) = self.service.embedded_after(&self.place).await? else {
            return Ok(None);
        };
        let (store, model) = (&self.service.people.store, self.service.people.embedder.model());
        let mut deleted = 0;
        for (account, ids) in &page.present {
            deleted += store.delete_other_embeddings(account, model, ids).await?;
        }
        self.place = page.last;
        Ok(Some(deleted))
    }
}
