//! Storing, finding and reading memories.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::Receipts;
use super::cpu::on_cpu;
use super::idempotency;
use super::indexes::{Change, PersonIndexes, embed};
use super::plan::{Expiry, Fact, Plan};
use super::sense;
use super::tasks::TaskResult;
use crate::error::{Error, Result};
use crate::extraction::{self, Turn};
use crate::model::{Caller, Clock, Memory, MemoryId, MemoryType, Operation, Owner, Role};
use crate::providers::Embedder;
use crate::search::{Filter, Hit, PersonIndex, Query};
use crate::store::{DueTask, NewEmbedding, NewMemory, Person, Store, Transaction};
pub use crate::store::{ListQuery, ListSort};

/// How often storing starts again when another instance changed the same person meanwhile.
pub(super) const ATTEMPTS: usize = 8;
/// Known memories that a new fact is held against.
const SIMILAR: usize = 24;

/// The memories of people.
pub struct MemoryService {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) indexes: PersonIndexes,
    pub(super) receipts: Arc<Receipts>,
    /// Told of each task that is taken on.
    pub(super) work: Notify,
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
    /// Tell how each score came about.
    pub explain: bool,
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
        let indexes = PersonIndexes::new(store.clone(), clock.clone(), Arc::clone(&embedder), index_memory_mb);
        Self {
            store,
            clock,
            embedder,
            indexes,
            receipts,
            work: Notify::new(),
        }
    }

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
                    return Err(Error::Conflict("the task is not to be done any more"));
                }
            }
            let wants_bio = slot.read(|state| state.profile.wants_another(state.index.len() + plan.added.len()));
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
        self.with_query(request, PersonIndex::search).await
    }

    /// Asks the person's index in any way, with what a search without `as_of` would ask it.
    pub(crate) async fn with_query<T: Default + Send + 'static>(
        &self,
        request: SearchRequest,
        ask: impl FnOnce(&PersonIndex, &Query<'_>) -> T + Send + 'static,
    ) -> Result<T> {
        let slot = self.indexes.open(&request.owner).await?;
        if slot.read(|state| state.index.is_empty()) {
            return Ok(T::default());
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
                explain: request.explain,
                now,
            };
            Ok(slot.read(|state| ask(&state.index, &query)))
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
}

impl fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryService")
    }
}
