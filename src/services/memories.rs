//! Storing, finding and reading memories.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::Receipts;
use super::cpu::on_cpu;
use super::indexes::{Change, PersonIndexes, embed};
use super::plan::{Expiry, Fact, Plan};
use crate::error::{Error, Result};
use crate::extraction::{self, Turn};
use crate::model::{Caller, Clock, Memory, MemoryId, MemoryType, Operation, Owner, Role};
use crate::providers::Embedder;
use crate::search::{Filter, Hit, Query};
use crate::store::{IdempotencyRecord, NewEmbedding, NewMemory, Person, Store, Transaction};
pub use crate::store::{ListQuery, ListSort};

/// How often storing starts again when another instance changed the same person meanwhile.
pub(super) const ATTEMPTS: usize = 8;
/// Known memories that a new fact is held against.
const SIMILAR: usize = 24;
/// How long an idempotency key is remembered.
const IDEMPOTENCY_HOURS: i64 = 24;

/// The memories of people.
pub struct MemoryService {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) indexes: PersonIndexes,
    pub(super) receipts: Arc<Receipts>,
}

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
    pub said_at: Option<DateTime<Utc>>,
    /// When what is remembered is forgotten again; else as the account's settings say.
    pub expires_at: Option<DateTime<Utc>>,
    /// The client's idempotency key, and SHA-256 of what it sent with it.
    pub idempotency: Option<(String, [u8; 32])>,
}

/// What storing did: the memories in the order of the conversation.
#[derive(Clone, Debug)]
pub struct StoreOutcome {
    /// Each memory, and what was done to it.
    pub memories: Vec<(Arc<Memory>, Operation)>,
}

/// A search, checked.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Whose memories.
    pub owner: Owner,
    /// What to find.
    pub query: String,
    /// How many at most.
    pub limit: usize,
    /// Rank a wider pool by everything known.
    pub rerank: bool,
    /// Which memories count.
    pub filter: Filter,
    /// Search what was known at this time; what is known now when absent.
    pub as_of: Option<DateTime<Utc>>,
}

/// A list, checked.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Whose memories.
    pub owner: Owner,
    /// Which of them, in what order.
    pub query: ListQuery,
    /// List what was known at this time; what is known now when absent.
    pub as_of: Option<DateTime<Utc>>,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct MemoryPage {
    /// The memories.
    pub memories: Vec<Memory>,
    /// How many there are on all pages.
    pub total: u64,
}

impl MemoryService {
    /// `index_memory_mb`: bound of the in-memory indexes, in MiB.
    pub fn new(
        store: Store,
        clock: Clock,
        embedder: Arc<dyn Embedder>,
        index_memory_mb: u64,
        receipts: Arc<Receipts>,
    ) -> Self {
        let indexes = PersonIndexes::new(store.clone(), Arc::clone(&embedder), index_memory_mb);
        Self {
            store,
            clock,
            embedder,
            indexes,
            receipts,
        }
    }

    /// Takes the facts out of a conversation and stores them: all of them, durably, or none.
    pub async fn store(&self, caller: &Caller, request: StoreRequest) -> Result<StoreOutcome> {
        let now = self.clock.now();
        if let Some(outcome) = self.earlier_outcome(&request, now).await? {
            return Ok(outcome);
        }
        let request = Arc::new(request);
        let facts = self.extract(Arc::clone(&request), now).await?;
        let owner = &request.owner;
        let slot = self.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            self.indexes.refresh(owner, &slot, &guard).await?;
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
                Plan::make(&request, &facts, first, expiry, now, |vector| {
                    state.index.nearest(vector, SIMILAR, now)
                })
            });
            self.write(&transaction, caller, &request, &person, now, &plan).await?;
            if let Some((key, request_hash)) = &request.idempotency {
                let record = IdempotencyRecord {
                    key: key.clone(),
                    request_hash: *request_hash,
                    outcome: outcome_to_json(&plan.outcome),
                    created_at: now,
                };
                let since = now - TimeDelta::hours(IDEMPOTENCY_HOURS);
                if !transaction
                    .insert_idempotency_record(&owner.account_id, &record, since)
                    .await?
                {
                    drop(transaction);
                    let outcome = self.earlier_outcome(&request, now).await?;
                    return outcome.ok_or(Error::Conflict("The idempotency key is in use"));
                }
            }
            transaction.commit().await?;
            let outcome = StoreOutcome {
                memories: plan.outcome.clone(),
            };
            slot.apply(person, self.changes(plan).await?, &guard);
            self.indexes.reweigh(owner, &slot).await;
            return Ok(outcome);
        }
        Err(Error::Unavailable("other instances keep changing this person".into()))
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

    /// Finds memories by meaning.
    pub async fn search(&self, request: SearchRequest) -> Result<Vec<Hit>> {
        if let Some(at) = request.as_of {
            return self.search_as_of(request, at).await;
        }
        let slot = self.indexes.open(&request.owner).await?;
        if slot.read(|state| state.index.is_empty()) {
            return Ok(Vec::new());
        }
        let (embedder, now) = (Arc::clone(&self.embedder), self.clock.now());
        on_cpu(move || {
            let vector = embedder
                .embed_one(&request.query)
                .map_err(|e| Error::Unavailable(Box::new(e)))?;
            let query = Query {
                text: &request.query,
                vector: &vector,
                filter: &request.filter,
                limit: request.limit,
                rerank: request.rerank,
                now,
            };
            Ok(slot.read(|state| state.index.search(&query)))
        })
        .await
    }

    /// One page of a person's current memories.
    pub async fn list(&self, request: ListRequest) -> Result<MemoryPage> {
        let Some(person) = self.store.person(&request.owner).await? else {
            return Ok(MemoryPage::default());
        };
        if let Some(at) = request.as_of {
            return self.list_as_of(&request, &person.id, at).await;
        }
        let Owner { account_id, user_id } = &request.owner;
        let (memories, total) = self
            .store
            .list_memories(account_id, &person.id, user_id, &request.query, self.clock.now())
            .await?;
        Ok(MemoryPage { memories, total })
    }

    /// One memory of a person. [`Error::MemoryNotFound`] for every other id.
    pub async fn get(&self, owner: &Owner, id: &MemoryId) -> Result<Memory> {
        let person = self.store.person(owner).await?.ok_or(Error::MemoryNotFound)?;
        let memory = self
            .store
            .memory(&owner.account_id, &person.id, &owner.user_id, id, self.clock.now())
            .await?;
        memory.ok_or(Error::MemoryNotFound)
    }

    /// The time by which this service judges what has ended.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
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
            let candidates = extraction::extract(&turns);
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
        caller: &Caller,
        request: &StoreRequest,
        person: &Person,
        now: DateTime<Utc>,
        plan: &Plan,
    ) -> Result<()> {
        let account = &request.owner.account_id;
        let changed_by = caller.credential();
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
            transaction
                .insert_embeddings(account, self.embedder.model(), &vectors)
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

    async fn earlier_outcome(&self, request: &StoreRequest, now: DateTime<Utc>) -> Result<Option<StoreOutcome>> {
        let Some((key, request_hash)) = &request.idempotency else {
            return Ok(None);
        };
        let since = now - TimeDelta::hours(IDEMPOTENCY_HOURS);
        let Some(record) = self
            .store
            .idempotency_record(&request.owner.account_id, key, since)
            .await?
        else {
            return Ok(None);
        };
        if record.request_hash != *request_hash {
            return Err(Error::Conflict("The idempotency key was used with another request"));
        }
        let mut memories = Vec::new();
        for (id, operation) in outcome_from_json(&record.outcome) {
            match self.get(&request.owner, &id).await {
                Ok(memory) => memories.push((Arc::new(memory), operation)),
                Err(Error::MemoryNotFound) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Some(StoreOutcome { memories }))
    }
}

impl fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryService")
    }
}

fn outcome_to_json(outcome: &[(Arc<Memory>, Operation)]) -> Value {
    outcome
        .iter()
        .map(|(memory, operation)| json!([memory.id.as_str(), operation.as_str()]))
        .collect()
}

fn outcome_from_json(outcome: &Value) -> Vec<(MemoryId, Operation)> {
    let pair = |item: &Value| {
        let id = MemoryId::from_stored(item.get(0)?.as_str()?);
        Some((id, item.get(1)?.as_str()?.parse().ok()?))
    };
    outcome
        .as_array()
        .map(|items| items.iter().filter_map(pair).collect())
        .unwrap_or_default()
}
