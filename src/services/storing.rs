//! Storing a conversation: its facts, held against what is known, in one transaction.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::cpu::on_cpu;
use super::idempotency;
use super::indexes::{Change, Slot, embed};
use super::memories::{ATTEMPTS, MemoryService, StoreOutcome, StoreRequest};
use super::plan::{Expiry, Fact, Plan};
use super::sense;
use super::tasks::TaskResult;
use crate::error::{Error, Result};
use crate::extraction::{self, Turn};
use crate::model::{Caller, Memory, MemoryType, Owner};
use crate::search::PersonIndex;
use crate::store::{DueTask, NewEmbedding, NewMemory, Person, Transaction};

/// Known memories that a new fact is held against.
const SIMILAR: usize = 24;

impl MemoryService {
    /// Takes the facts out of a conversation and stores them: all of them, durably, or none.
    pub async fn store(&self, caller: &Caller, request: StoreRequest) -> Result<StoreOutcome> {
        self.store_as(caller.credential(), request, None).await
    }

    /// [`Self::store`] for a key or session; with a task, that ends with it.
    pub(super) async fn store_as(
        &self,
        changed_by: &str,
        request: StoreRequest,
        task: Option<&DueTask>,
    ) -> Result<StoreOutcome> {
        let (started, now) = (Instant::now(), self.clock.now());
        if let Some(recorded) = self.recorded(&request, now).await? {
            return self.answer_again(&request, &recorded).await;
        }
        let request = Arc::new(request);
        let facts = self.extract(Arc::clone(&request), now).await?;
        let owner = &request.owner;
        let slot = self.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            self.indexes.refresh(owner, &slot, &guard).await?;
            let candidates = self.similar(owner, &slot, &facts, now).await?;
            let transaction = self.store.begin().await?;
            let person = transaction.advance_person(owner, now).await?;
            if !slot.read(|state| state.precedes(&person)) {
                continue;
            }
            let messages = i64::try_from(request.messages.len()).unwrap_or(i64::MAX);
            let first = transaction
                .advance_conversation(&owner.account_id, &person.id, &request.thread_id, messages)
                .await?;
            let expiry = self.expiry(&transaction, &request, &facts, now).await?;
            let plan = slot.read(|state| {
                let index = candidates.as_ref().unwrap_or(&state.index);
                Plan::make(&request, &facts, first, expiry, now, |vector| {
                    index.nearest(vector, SIMILAR, now)
                })
            });
            self.write(&transaction, changed_by, &request, &person, now, &plan)
                .await?;
            let recorded = || idempotency::to_json(&plan.outcome);
            if !self.record(&transaction, &request, recorded, now).await? {
                drop(transaction);
                let recorded = self.recorded(&request, now).await?;
                let recorded = recorded.ok_or(Error::Conflict("The idempotency key is in use"))?;
                return self.answer_again(&request, &recorded).await;
            }
            let outcome = StoreOutcome {
                memories: plan.outcome.clone(),
            };
            if let Some(task) = task {
                let result = serde_json::to_value(TaskResult::of(&request, &outcome, started));
                let result = result.map_err(|e| Error::Internal(Box::new(e)))?;
                if !transaction.finish_task(task, result, now).await? {
                    return Err(Error::Conflict("the task was taken over or cancelled"));
                }
            }
            let wants_bio = slot.read(|state| state.profile.wants_another(state.total() + plan.added.len()));
            if wants_bio {
                transaction.make_profile_due(&owner.account_id, &person.id, now).await?;
            }
            let changes = self.changes(plan).await?;
            transaction.commit().await?;
            slot.apply(person, changes, &guard);
            if wants_bio {
                slot.mark_profile_due(now, &guard);
                self.work.notify_one();
            }
            self.indexes.reweigh(owner, &slot).await;
            return Ok(outcome);
        }
        Err(Error::Unavailable("other instances keep changing this person".into()))
    }

    /// What is known of a person that facts may repeat or replace, where the index does not hold all.
    async fn similar(
        &self,
        owner: &Owner,
        slot: &Slot,
        facts: &[Fact],
        now: DateTime<Utc>,
    ) -> Result<Option<PersonIndex>> {
        let person_id = slot.read(|state| match state.is_window() {
            true => state.person().map(|person| person.id.clone()),
            false => None,
        });
        let Some(person_id) = person_id else { return Ok(None) };
        let vectors: Vec<&[f32]> = facts.iter().map(|fact| fact.vector.as_slice()).collect();
        let index = self.indexes.nearest_to(owner, slot, &person_id, &vectors, SIMILAR, now);
        index.await.map(Some)
    }

    /// When memories of a request are forgotten, by their type.
    async fn expiry(
        &self,
        transaction: &Transaction,
        request: &StoreRequest,
        facts: &[Fact],
        now: DateTime<Utc>,
    ) -> Result<Expiry> {
        let is_asked = request.expires_at.is_none()
            && facts
                .iter()
                .any(|fact| fact.candidate.memory_type == MemoryType::Episodic);
        let lifetime = match is_asked {
            true => transaction.episodic_lifetime(&request.owner.account_id).await?,
            false => None,
        };
        Ok(Expiry {
            semantic: request.expires_at,
            episodic: request.expires_at.or_else(|| now.checked_add_signed(lifetime?)),
        })
    }

    async fn extract(&self, request: Arc<StoreRequest>, now: DateTime<Utc>) -> Result<Vec<Fact>> {
        let embedder = Arc::clone(&self.embedder);
        on_cpu(move || {
            let turns: Vec<Turn<'_>> = request
                .messages
                .iter()
                .map(|message| Turn {
                    role: message.role,
                    name: message.name.as_deref(),
                    content: &message.content,
                    sent_at: message.said_at.or(request.said_at).unwrap_or(now),
                })
                .collect();
            let candidates = extraction::extract(&turns, &sense);
            let texts: Vec<&str> = candidates.iter().map(|c| c.text.as_str()).collect();
            let vectors = embed(&*embedder, &texts)?;
            Ok(candidates
                .into_iter()
                .zip(vectors)
                .map(|(candidate, vector)| Fact { candidate, vector })
                .collect())
        })
        .await
    }

    async fn write(
        &self,
        transaction: &Transaction,
        changed_by: &str,
        request: &StoreRequest,
        person: &Person,
        now: DateTime<Utc>,
        plan: &Plan,
    ) -> Result<()> {
        let account = &request.owner.account_id;
        let added: Vec<NewMemory<'_>> = plan
            .added
            .iter()
            .map(|(memory, _, operation)| NewMemory {
                memory,
                operation: operation.as_str(),
                changed_by,
            })
            .collect();
        if !added.is_empty() {
            transaction
                .insert_memories(account, &person.id, person.revision, &added)
                .await?;
            let vectors: Vec<NewEmbedding<'_>> = plan
                .added
                .iter()
                .map(|(memory, vector, _)| NewEmbedding { memory, vector })
                .collect();
            self.write_embeddings(transaction, &request.owner, person, &vectors)
                .await?;
        }
        for old in &plan.superseded {
            transaction
                .supersede_memory(account, &person.id, person.revision, changed_by, now, old)
                .await?;
        }
        for memory in &plan.reinforced {
            transaction
                .reinforce_memory(account, &person.id, person.revision, memory)
                .await?;
        }
        Ok(())
    }

    async fn changes(&self, plan: Plan) -> Result<Vec<Change>> {
        let embedder = Arc::clone(&self.embedder);
        on_cpu(move || {
            let changed: Vec<Arc<Memory>> = plan.superseded.into_iter().chain(plan.reinforced).collect();
            let texts: Vec<&str> = changed.iter().map(|memory| memory.text.as_str()).collect();
            let vectors = embed(&*embedder, &texts)?;
            let changed = changed.into_iter().zip(vectors);
            let changed = changed.map(|(memory, vector)| Change { memory, vector });
            let added = plan.added.into_iter();
            let added = added.map(|(memory, vector, _)| Change { memory, vector });
            Ok(changed.chain(added).collect())
        })
        .await
    }
}
