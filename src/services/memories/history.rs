//! Reading one memory, and how it came to be what it is.

use super::MemoryService;
use crate::error::{Error, Result};
use crate::model::{Memory, MemoryId, Owner, Source};
use crate::store::MemoryVersion;

/// How a memory came to be what it is.
#[derive(Clone, Debug)]
pub struct History {
    /// Every version, oldest first.
    pub versions: Vec<MemoryVersion>,
    /// The memories that it took the place of.
    pub supersedes: Vec<MemoryId>,
    /// The words that it was taken from.
    pub sources: Vec<Source>,
}

impl MemoryService {
    /// One memory of a person. [`Error::MemoryNotFound`] for every other id.
    pub async fn get(&self, owner: &Owner, id: &MemoryId) -> Result<Memory> {
        let person = self.people.store.person(owner).await?.ok_or(Error::MemoryNotFound)?;
        let memory = self
            .people
            .store
            .memory(
                &owner.account_id,
                &person.id,
                &owner.user_id,
                id,
                self.people.clock.now(),
            )
            .await?;
        memory.ok_or(Error::MemoryNotFound)
    }

    /// How a memory came to be what it is. [`Error::MemoryNotFound`] where the person has no such memory.
    pub async fn history(&self, owner: &Owner, id: &MemoryId) -> Result<History> {
        let person = self.people.store.person(owner).await?.ok_or(Error::MemoryNotFound)?;
        let now = self.people.clock.now();
        let versions = self
            .people
            .store
            .memory_versions(&owner.account_id, &person.id, id, now)
            .await?;
        if versions.is_empty() {
            return Err(Error::MemoryNotFound);
        }
        let supersedes = self
            .people
            .store
            .superseded_by(&owner.account_id, &person.id, id)
            .await?;
        Ok(History {
            versions,
            supersedes,
            sources: self.get(owner, id).await?.sources,
        })
    }
}
