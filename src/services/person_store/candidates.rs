//! People whose memories outgrow an instance: the database finds candidates, and the ranking is made over those.
//!
//! A person gets candidates once there are more memories than `index.max_memories_per_person`: from then on every write
//! stores them too, and [`CandidateService::build`](crate::services::CandidateService::build) makes those of the memories before. When all are there, an
//! instance holds only the newest memories, for the profile and as a sample of the rest.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{IndexCache, PersonStore, Slot, kept_or_made};
use crate::error::Result;
use crate::model::{Filter, Memory, MemoryId, Owner, PersonId};
use crate::search::{self, PersonIndex};
use crate::services::cpu::on_cpu;
use crate::store::{
    CONTEXT_MARK, CandidateQuery, CandidateTerm, NewCandidate, NewEmbedding, Person, Store, Transaction,
};

/// Candidates of each kind, near ones and matching ones, at least.
const DEPTH: usize = 300;

/// What a search asks for.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct CandidateQuestion<'q> {
    pub(in crate::services) owner: &'q Owner,
    pub(in crate::services) text: &'q str,
    pub(in crate::services) vector: &'q [f32],
    pub(in crate::services) filter: &'q Filter,
    pub(in crate::services) limit: usize,
    pub(in crate::services) rerank: bool,
}

impl IndexCache {
    /// Whether the database finds all candidates of a person.
    pub(in crate::services) fn has_candidates(&self, person: &Person) -> bool {
        person.are_candidates_ready && self.writes_candidates(person)
    }

    fn writes_candidates(&self, person: &Person) -> bool {
        self.store.keeps_candidates() && person.candidate_model.as_deref() == Some(self.embedder.model())
    }

    /// Asks for candidates of a person who has outgrown what is held in memory.
    pub(in crate::services) async fn see_to_candidates(&self, owner: &Owner, slot: &Slot) {
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
    pub(in crate::services) async fn candidates_for(
        &self,
        slot: &Slot,
        person: &Person,
        asked: &CandidateQuestion<'_>,
        now: DateTime<Utc>,
    ) -> Result<PersonIndex> {
        let question = match asked.rerank {
            true => search::question_terms(asked.text, now),
            false => Vec::new(),
        };
        let (sample, private, total, terms) = slot.read(|state| {
            let sample = state.index.sample(asked.vector, asked.filter, now);
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
            owner: asked.owner,
            person_id: &person.id,
            model: self.embedder.model(),
            filter: asked.filter,
            now,
            limit: DEPTH.max(3 * asked.limit),
        };
        let reach = if asked.rerank { search::NEIGHBOURS } else { 0 };
        let replica = self.store.replica_with(asked.owner, person).await;
        let source = replica.as_ref().unwrap_or(&self.store);
        let found = source
            .candidates_for(&query, asked.vector, &terms, total, reach)
            .await?;
        let mut index = self.index_of(source, asked.owner, found.memories, private).await?;
        index.stand_for(&sample, total, found.frequencies);
        Ok(index)
    }

    /// An index of the memories nearest to any of these vectors, of a person who has candidates.
    pub(in crate::services) async fn nearest_to(
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
        let vectors = kept_or_made(&*self.embedder, memories.iter(), kept).await?;
        let mut index = PersonIndex::new(self.embedder.dimensions());
        on_cpu(move || {
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

impl PersonStore {
    /// Stores the vectors of new memories, and candidates where the person has such.
    pub(in crate::services) async fn write_embeddings(
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
    pub(in crate::services) async fn rewrite_embedding(
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
}

/// What may be kept of memories as candidates: nothing of private ones.
pub(in crate::services) fn candidates(embeddings: &[NewEmbedding<'_>]) -> Vec<NewCandidate> {
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
