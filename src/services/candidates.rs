//! Building the candidates of people who have outgrown memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::cpu::on_cpu;
use super::person_store::{PersonStore, candidates, kept_or_made, new_embeddings};
use crate::error::Result;
use crate::model::{Memory, MemoryId, Owner, PersonId};
use crate::store::Store;

/// Candidates that are built in one transaction.
const BATCH: u64 = 200;

/// How far the building of candidates is.
#[derive(Debug, Default)]
pub struct CandidateBuild {
    person: Option<(Owner, PersonId)>,
    last: Option<MemoryId>,
}

/// What came of one batch.
enum Batch {
    /// Built up to this memory.
    Built(MemoryId),
    /// One of its memories has changed meanwhile: it is to be read again.
    Changed,
    /// There are no more.
    End,
}

/// Keeps the tables of candidates.
#[derive(Debug)]
pub struct CandidateService {
    people: Arc<PersonStore>,
}

impl CandidateService {
    /// Over these people.
    pub fn new(people: Arc<PersonStore>) -> Self {
        Self { people }
    }

    /// Makes ready where candidates are kept, over a `store` of this service's database. False where it can't keep any.
    pub async fn prepare(&self, store: &Store, may_create: bool) -> Result<bool> {
        store
            .prepare_candidates(self.people.embedder.dimensions(), may_create)
            .await
    }

    /// Builds some more candidates of people who have outgrown what is held in memory; false where there are no such people.
    /// What was built when it is interrupted stays, and is passed over the next time.
    pub async fn build(&self, build: &mut CandidateBuild) -> Result<bool> {
        let model = self.people.embedder.model();
        if !self.people.store.keeps_candidates() {
            return Ok(false);
        }
        let Some((owner, person_id)) = &build.person else {
            build.person = self.people.store.candidates_to_build(model).await?;
            return Ok(build.person.is_some());
        };
        match self.build_batch(owner, person_id, build.last.as_ref()).await? {
            Batch::Built(last) => build.last = Some(last),
            Batch::Changed => {}
            Batch::End => {
                let (account, now) = (&owner.account_id, self.people.clock.now());
                self.people
                    .store
                    .finish_candidates(account, person_id, model, now)
                    .await?;
                *build = CandidateBuild::default();
            }
        }
        Ok(true)
    }

    /// Builds the candidates of the memories after `last`.
    async fn build_batch(&self, owner: &Owner, person_id: &PersonId, last: Option<&MemoryId>) -> Result<Batch> {
        let (account, model) = (&owner.account_id, self.people.embedder.model());
        let rows = self
            .people
            .store
            .memories_after(owner, person_id, last, BATCH, self.people.clock.now())
            .await?;
        let Some(row) = rows.last() else { return Ok(Batch::End) };
        let last = row.memory.id.clone();
        let memories: Vec<Memory> = rows.into_iter().map(|row| row.memory).collect();
        let versions = memories.iter().map(|memory| (memory.id.clone(), memory.version));
        let versions: HashMap<MemoryId, i64> = versions.collect();
        let kept = self.people.store.embeddings_of(account, model, versions.keys()).await?;
        let vectors = kept_or_made(&*self.people.embedder, memories.iter(), kept).await?;
        let mut new = on_cpu(move || Ok(candidates(&new_embeddings(&memories, &vectors)))).await?;
        let transaction = self.people.store.begin().await?;
        let held = transaction.hold_versions(account, versions.keys()).await?;
        if held.iter().any(|(id, version)| versions.get(id) != Some(version)) {
            // Perhaps to a private one. What is held stays: whoever would change it sees to its candidate afterwards.
            return Ok(Batch::Changed);
        }
        new.retain(|candidate| held.contains_key(&candidate.memory_id));
        transaction.insert_candidates(account, person_id, model, &new).await?;
        transaction.commit().await?;
        Ok(Batch::Built(last))
    }
}
