//! People whose memories outgrow an instance: the database finds candidates, and the ranking is made over those.
//!
//! A person gets candidates once there are more memories than `index.max_memories_per_person`: from then on every write
//! stores them too, and [`MemoryService::build_candidates`] makes those of the memories before. When all are there, an
//! instance holds only the newest memories, for the profile and as a sample of the rest.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::cpu::on_cpu;
use super::indexes::{PersonIndexes, Slot, kept_or_made, new_embeddings};
use super::memories::{MemoryService, SearchRequest};
use crate::error::Result;
use crate::model::{Filter, Memory, MemoryId, Owner, PersonId};
use crate::search::{self, PersonIndex};
use crate::store::{
    CONTEXT_MARK, CandidateQuery, CandidateTerm, NewCandidate, NewEmbedding, Person, Store, Transaction,
};

/// Candidates of each kind, near ones and matching ones, at least.
const DEPTH: usize = 300;
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

impl PersonIndexes {
    /// Whether the database finds all candidates of a person.
    pub(super) fn has_candidates(&self, person: &Person) -> bool {
        person.are_candidates_ready && self.writes_candidates(person)
    }

    fn writes_candidates(&self, person: &Person) -> bool {
        self.store.keeps_candidates() && person.candidate_model.as_deref() == Some(self.embedder.model())
    }

    /// Asks for candidates of a person who has outgrown what is held in memory.
    pub(super) async fn see_to_candidates(&self, owner: &Owner, slot: &Slot) {
        let person = slot.read(|state| match state.person() {
            Some(person) if state.index.len() > self.max_memories_per_person => Some(person.clone()),
            _ => None,
        });
        let Some(person) = person.filter(|person| self.store.keeps_candidates() && !self.writes_candidates(person))
        else {
            return;
        };
        let model = self.embedder.model();
        if let Err(error) = self.store.want_candidates(&owner.account_id, &person.id, model).await {
            tracing::warn!(%error, "a person who has outgrown memory is still searched there");
        }
    }

    /// An index of what may answer the question of a person who has candidates.
    pub(super) async fn candidates_for(
        &self,
        slot: &Slot,
        person: &Person,
        request: &SearchRequest,
        vector: &[f32],
        now: DateTime<Utc>,
    ) -> Result<PersonIndex> {
        let question = match request.rerank {
            true => search::question_terms(&request.query, now),
            false => Vec::new(),
        };
        let (sample, private, total, terms) = slot.read(|state| {
            let sample = state.index.sample(vector, &request.filter, now);
            let total = state.total();
            let terms = question.into_iter().map(|(term, weight)| CandidateTerm {
                frequency: state.index.frequency_among(&term, total),
                term,
                weight,
            });
            (
                sample,
                state.index.pick(Memory::is_private),
                total,
                terms.collect::<Vec<_>>(),
            )
        });
        let query = CandidateQuery {
            owner: &request.owner,
            person_id: &person.id,
            model: self.embedder.model(),
            filter: &request.filter,
            now,
            limit: DEPTH.max(3 * request.limit),
        };
        let reach = if request.rerank { search::NEIGHBOURS } else { 0 };
        let replica = self.store.replica_with(&request.owner, person).await;
        let source = replica.as_ref().unwrap_or(&self.store);
        let found = source.candidates_for(&query, vector, &terms, total, reach).await?;
        let mut index = self.index_of(source, &request.owner, found.memories, private).await?;
        index.stand_for(&sample, total, found.frequencies);
        Ok(index)
    }

    /// An index of the memories nearest to any of these vectors, of a person who has candidates.
    pub(super) async fn nearest_to(
        &self,
        owner: &Owner,
        slot: &Slot,
        person_id: &PersonId,
        vectors: &[&[f32]],
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<PersonIndex> {
        let filter = Filter::default();
        let query = CandidateQuery {
            owner,
            person_id,
            model: self.embedder.model(),
            filter: &filter,
            now,
            limit,
        };
        let found = self.store.candidates_near(&query, vectors).await?;
        let private = slot.read(|state| state.index.pick(Memory::is_private));
        self.index_of(&self.store, owner, found.memories, private).await
    }

    async fn index_of(
        &self,
        source: &Store,
        owner: &Owner,
        memories: Vec<Memory>,
        others: Vec<(Arc<Memory>, Vec<f32>)>,
    ) -> Result<PersonIndex> {
        let ids = memories.iter().map(|memory| &memory.id);
        let model = self.embedder.model();
        let kept = source.embeddings_of(&owner.account_id, model, ids).await?;
        let embedder = Arc::clone(&self.embedder);
        on_cpu(move || {
            let vectors = kept_or_made(&*embedder, memories.iter(), kept)?;
            let mut index = PersonIndex::new(embedder.dimensions());
            for (memory, vector) in memories.into_iter().zip(vectors) {
                index.upsert(Arc::new(memory), &vector);
            }
            for (memory, vector) in others {
                index.upsert(memory, &vector);
            }
            Ok(index)
        })
        .await
    }
}

impl MemoryService {
    /// Makes ready where candidates are kept, over a `store` of this service's database. False where it can't keep any.
    pub async fn prepare_candidates(&self, store: &Store, may_create: bool) -> Result<bool> {
        store.prepare_candidates(self.embedder.dimensions(), may_create).await
    }

    /// Stores the vectors of new memories, and candidates where the person has such.
    pub(super) async fn write_embeddings(
        &self,
        transaction: &Transaction,
        owner: &Owner,
        person: &Person,
        embeddings: &[NewEmbedding<'_>],
    ) -> Result<()> {
        let (account, model) = (&owner.account_id, self.embedder.model());
        transaction.insert_embeddings(account, model, embeddings).await?;
        let is_for_all = self.indexes.max_memories_per_person == 0;
        let begins = is_for_all && person.revision == 1 && self.store.keeps_candidates();
        if begins {
            let now = self.clock.now();
            transaction.begin_candidates(account, &person.id, model, now).await?;
        }
        if begins || self.indexes.writes_candidates(person) {
            let candidates = candidates(embeddings);
            transaction
                .insert_candidates(account, &person.id, model, &candidates)
                .await?;
        }
        Ok(())
    }

    /// Puts the vector of a changed memory in the place of the one that it had.
    pub(super) async fn rewrite_embedding(
        &self,
        transaction: &Transaction,
        owner: &Owner,
        person: &Person,
        embedding: NewEmbedding<'_>,
    ) -> Result<()> {
        let (account, model) = (&owner.account_id, self.embedder.model());
        transaction.replace_embedding(account, model, embedding).await?;
        if self.indexes.writes_candidates(person) {
            let id: &MemoryId = &embedding.memory.id;
            transaction.remove_candidate(account, &person.id, id).await?;
            transaction
                .insert_candidates(account, &person.id, model, &candidates(&[embedding]))
                .await?;
        }
        Ok(())
    }

    /// Builds some more candidates of people who have outgrown what is held in memory; false where there are no such people.
    /// What was built when it is interrupted stays, and is passed over the next time.
    pub async fn build_candidates(&self, build: &mut CandidateBuild) -> Result<bool> {
        let model = self.embedder.model();
        if !self.store.keeps_candidates() {
            return Ok(false);
        }
        let Some((owner, person_id)) = &build.person else {
            build.person = self.store.candidates_to_build(model).await?;
            return Ok(build.person.is_some());
        };
        match self.build_batch(owner, person_id, build.last.as_ref()).await? {
            Batch::Built(last) => build.last = Some(last),
            Batch::Changed => {}
            Batch::End => {
                let (account, now) = (&owner.account_id, self.clock.now());
                self.store.finish_candidates(account, person_id, model, now).await?;
                *build = CandidateBuild::default();
            }
        }
        Ok(true)
    }

    /// Builds the candidates of the memories after `last`.
    async fn build_batch(&self, owner: &Owner, person_id: &PersonId, last: Option<&MemoryId>) -> Result<Batch> {
        let (account, model) = (&owner.account_id, self.embedder.model());
        let rows = self
            .store
            .memories_after(owner, person_id, last, BATCH, self.clock.now())
            .await?;
        let Some(row) = rows.last() else { return Ok(Batch::End) };
        let last = row.memory.id.clone();
        let memories: Vec<Memory> = rows.into_iter().map(|row| row.memory).collect();
        let versions = memories.iter().map(|memory| (memory.id.clone(), memory.version));
        let versions: HashMap<MemoryId, i64> = versions.collect();
        let kept = self.store.embeddings_of(account, model, versions.keys()).await?;
        let embedder = Arc::clone(&self.embedder);
        let mut new = on_cpu(move || {
            let vectors = kept_or_made(&*embedder, memories.iter(), kept)?;
            Ok(candidates(&new_embeddings(&memories, &vectors)))
        })
        .await?;
        let transaction = self.store.begin().await?;
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

/// What may be kept of memories as candidates: nothing of private ones.
fn candidates(embeddings: &[NewEmbedding<'_>]) -> Vec<NewCandidate> {
    let open = embeddings.iter().filter(|embedding| !embedding.memory.is_private());
    open.map(|NewEmbedding { memory, vector }| {
        let (mut terms, context) = search::terms(memory);
        terms.extend(context.iter().map(|term| format!("{CONTEXT_MARK}{term}")));
        terms.sort_unstable();
        terms.dedup();
        let (thread, position) = search::place(memory);
        NewCandidate {
            memory_id: memory.id.clone(),
            vector: vector.to_vec(),
            terms,
            thread,
            position,
        }
    })
    .collect()
}
