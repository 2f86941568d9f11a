//! Storing a conversation: its facts, held against what is known, in one transaction.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, FixedOffset, Offset, Utc};
use serde_json::{Map, Value};

use super::plan::{Expiry, Extracted, Fact, Plan};
use super::{MemoryService, StoreTaskResult, idempotency};
use crate::error::{Error, Result};
use crate::extraction::{self, TooManyFacts, Turn};
use crate::model::{Caller, Memory, MemoryType, Operation, Owner, Role, SkipReason};
use crate::search::PersonIndex;
use crate::services::cpu::on_cpu;
use crate::services::person_store::{ATTEMPTS, Slot, encode_documents};
use crate::services::tasks::{ClaimedTask, TaskStep};
use crate::store::{NewEmbedding, NewMemory, Person, Transaction};

/// Known memories that a new fact is held against.
const SIMILAR: usize = 24;
/// Metadata of all memories of a request, at most.
const MAX_REQUEST_METADATA_BYTES: usize = 8 << 20;
/// Facts that are held against them at one time.
const FACTS_AT_ONCE: usize = 128;

/// One message of a conversation, checked.
#[derive(Clone, Debug)]
pub struct ConversationMessage {
    /// Who wrote it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// The client's id of it.
    pub id: Option<String>,
    /// The speaker's name.
    pub name: Option<String>,
    /// When it was said.
    pub said_at: Option<DateTime<Utc>>,
    /// How far the speaker's clock is from UTC; UTC itself, or the conversation's where it says when, when absent.
    pub utc_offset: Option<FixedOffset>,
}

/// A conversation to remember, checked.
#[derive(Clone, Debug)]
pub struct StoreRequest {
    /// Whose memories these become.
    pub owner: Owner,
    /// In the order in which they were said; at least one.
    pub messages: Vec<ConversationMessage>,
    /// The agent.
    pub agent_id: String,
    /// The conversation.
    pub thread_id: String,
    /// The system that it came from.
    pub source: String,
    /// Kept with every memory.
    pub metadata: Option<Map<String, Value>>,
    /// When it was held, for messages without a time; else now.
    pub said_at: Option<DateTime<FixedOffset>>,
    /// When what is remembered is forgotten again; else as the account's settings say.
    pub expires_at: Option<DateTime<Utc>>,
    /// The client's idempotency key, and SHA-256 of what it sent with it.
    pub idempotency: Option<(String, [u8; 32])>,
}

impl StoreRequest {
    /// When a message was said, by its speaker's clock.
    fn said_at(&self, message: &ConversationMessage, now: DateTime<Utc>) -> DateTime<FixedOffset> {
        let of_all = self.said_at.unwrap_or_else(|| now.fixed_offset());
        let offset = message.utc_offset;
        match message.said_at {
            Some(said_at) => said_at.with_timezone(&offset.unwrap_or(Utc.fix())),
            None => of_all.with_timezone(&offset.unwrap_or(*of_all.offset())),
        }
    }
}

/// What storing did, in the order of the conversation.
#[derive(Clone, Debug, Default)]
pub struct StoreOutcome {
    /// Each memory, and what was done to it.
    pub memories: Vec<(Arc<Memory>, Operation)>,
    /// The users' messages that left none.
    pub skipped: Vec<SkippedMessage>,
}

/// A message that left no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMessage {
    /// As in [`crate::model::Source::message_id`].
    pub message_id: String,
    /// Why.
    pub reason: SkipReason,
}

impl MemoryService {
    /// Takes the facts out of a conversation and stores them: all of them, durably, or none.
    pub async fn store(&self, caller: &Caller, request: StoreRequest) -> Result<StoreOutcome> {
        self.store_as(caller.credential(), request, None).await
    }

    /// [`Self::store`] for a key or session; with a task, its slice ends with it.
    pub(super) async fn store_as(
        &self,
        changed_by: &str,
        request: StoreRequest,
        task: Option<(&ClaimedTask, Option<TaskStep>)>,
    ) -> Result<StoreOutcome> {
        let (started, now) = (Instant::now(), self.people.clock.now());
        if let Some(recorded) = self.recorded(&request, now).await? {
            return self.answer_again(&request, &recorded).await;
        }
        let request = Arc::new(request);
        let extracted = Arc::new(self.extract(Arc::clone(&request), now).await?);
        let owner = &request.owner;
        let account = &owner.account_id;
        let slot = self.people.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            self.people.indexes.refresh(owner, &slot, &guard).await?;
            let plan = self.plan(&request, &extracted, &slot, now).await?;
            // Whatever takes long has been done by now: others wait for this transaction.
            let transaction = self.people.store.begin().await?;
            self.people.hold_quota(&transaction, account).await?;
            let person = transaction.advance_person(owner, now).await?;
            if !slot.read(|state| state.precedes(&person)) {
                continue;
            }
            let messages = i64::try_from(request.messages.len()).unwrap_or(i64::MAX);
            let first = transaction
                .advance_conversation(account, &person.id, &request.thread_id, messages)
                .await?;
            if first != plan.first_position {
                continue;
            }
            let quotas = self.people.quotas(&transaction, account, &person.id).await?;
            quotas.admit(plan.added.len())?;
            self.write(&transaction, changed_by, &request, &person, now, &plan)
                .await?;
            let recorded = || idempotency::to_json(&plan.outcome);
            if !self.record(&transaction, &request, recorded, now).await? {
                drop(transaction);
                let recorded = self.recorded(&request, now).await?;
                let recorded = recorded.ok_or(Error::Conflict("The idempotency key is in use"))?;
                return self.answer_again(&request, &recorded).await;
            }
            let outcome = plan.outcome.clone();
            match &task {
                None => {}
                Some((task, Some(step))) => task.advance_in(&transaction, step, now).await?,
                Some((task, None)) => {
                    let result = StoreTaskResult::of(&request, &outcome, started);
                    task.finish_in(&transaction, &result, now).await?;
                }
            }
            let wants_bio = slot.read(|state| state.profile.wants_another(state.total() + plan.added.len()));
            if wants_bio {
                transaction.make_profile_due(account, &person.id, now).await?;
            }
            transaction.commit().await?;
            slot.apply(person, plan.into_changes(), &guard);
            if wants_bio {
                slot.mark_profile_due(now, &guard);
                self.people.profile_is_due.notify_one();
            }
            self.people.indexes.reweigh(owner, &slot).await;
            return Ok(outcome);
        }
        Err(Error::Unavailable("other instances keep changing this person".into()))
    }

    /// What is to be done with the facts, as long as the person stays as the index shows them.
    pub(super) async fn plan(
        &self,
        request: &Arc<StoreRequest>,
        extracted: &Arc<Extracted>,
        slot: &Arc<Slot>,
        now: DateTime<Utc>,
    ) -> Result<Plan> {
        let owner = &request.owner;
        let facts = &extracted.facts;
        let mut candidates = self.similar(owner, slot, facts, now).await?;
        let person_id = slot.read(|state| state.person().map(|person| person.id.clone()));
        let first_position = match &person_id {
            Some(id) => {
                let position = self
                    .people
                    .store
                    .next_position(&owner.account_id, id, &request.thread_id);
                position.await?
            }
            None => 0,
        };
        let expiry = self.expiry(request, facts, now).await?;
        let mut plan = Plan::new(request, &extracted.skipped, first_position, expiry);
        // Bit by bit, so that a large one keeps no core from others.
        for start in (0..facts.len()).step_by(FACTS_AT_ONCE) {
            let (request, extracted, slot) = (Arc::clone(request), Arc::clone(extracted), Arc::clone(slot));
            (plan, candidates) = on_cpu(move || {
                slot.read(|state| {
                    let index = candidates.as_ref().unwrap_or(&state.index);
                    for fact in extracted.facts.iter().skip(start).take(FACTS_AT_ONCE) {
                        plan.decide(&request, fact, index.nearest(&fact.vector, SIMILAR, now), now);
                    }
                });
                Ok((plan, candidates))
            })
            .await?;
        }
        plan.vectors_of_known = encode_documents(&*self.people.embedder, &plan.texts_of_known()).await?;
        Ok(plan)
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
        let index = self
            .people
            .indexes
            .nearest_to(owner, slot, &person_id, &vectors, SIMILAR, now);
        index.await.map(Some)
    }

    /// When memories of a request are forgotten, by their type.
    async fn expiry(&self, request: &StoreRequest, facts: &[Fact], now: DateTime<Utc>) -> Result<Expiry> {
        let is_asked = request.expires_at.is_none()
            && facts
                .iter()
                .any(|fact| fact.candidate.memory_type == MemoryType::Episodic);
        let lifetime = match is_asked {
            true => self.people.store.episodic_lifetime(&request.owner.account_id).await?,
            false => None,
        };
        Ok(Expiry {
            semantic: request.expires_at,
            episodic: request.expires_at.or_else(|| now.checked_add_signed(lifetime?)),
        })
    }

    pub(super) async fn extract(&self, request: Arc<StoreRequest>, now: DateTime<Utc>) -> Result<Extracted> {
        let (table, limit) = (self.people.table(), self.max_per_request);
        let extraction = on_cpu(move || {
            let turns: Vec<Turn<'_>> = request
                .messages
                .iter()
                .map(|message| Turn {
                    role: message.role,
                    name: message.name.as_deref(),
                    content: &message.content,
                    sent_at: request.said_at(message, now),
                })
                .collect();
            let extraction = extraction::extract_at_most(limit, &turns, &|text| table.encode(text))
                .map_err(|TooManyFacts(turn)| too_many_memories(limit, turn))?;
            check_metadata(request.metadata.as_ref(), extraction.facts.len())?;
            Ok(extraction)
        })
        .await?;
        let texts: Vec<&str> = extraction.facts.iter().map(|fact| fact.text.as_str()).collect();
        let vectors = encode_documents(&*self.people.embedder, &texts).await?;
        let facts = extraction.facts.into_iter().zip(vectors);
        Ok(Extracted {
            facts: facts.map(|(candidate, vector)| Fact { candidate, vector }).collect(),
            skipped: extraction.skipped,
        })
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
            self.people
                .write_embeddings(transaction, &request.owner, person, &vectors)
                .await?;
        }
        transaction
            .supersede_memories(account, &person.id, person.revision, changed_by, now, &plan.superseded)
            .await?;
        for memory in &plan.reinforced {
            transaction
                .reinforce_memory(account, &person.id, person.revision, memory)
                .await?;
        }
        Ok(())
    }
}

fn too_many_memories(limit: usize, message: usize) -> Error {
    Error::TooMuch {
        field: "messages",
        reason: format!("must make at most {limit} memories: messages[{message}] goes beyond"),
        limit,
    }
}

/// Each memory has the request's metadata: much of it for many of them would fill the database.
fn check_metadata(metadata: Option<&Map<String, Value>>, memories: usize) -> Result<()> {
    let Some(metadata) = metadata else { return Ok(()) };
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if bytes.saturating_mul(memories) <= MAX_REQUEST_METADATA_BYTES {
        return Ok(());
    }
    let limit = MAX_REQUEST_METADATA_BYTES / memories.max(1);
    Err(Error::TooMuch {
        field: "metadata",
        reason: format!("must be at most {limit} bytes as JSON, to be kept with each of {memories} memories"),
        limit,
    })
}
