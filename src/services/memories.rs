//! Finding and reading memories, and what is asked for. [`super::storing`] stores them.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, Offset, Utc};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::Receipts;
use super::as_of::AsOfRoom;
use super::cpu::on_cpu;
use super::indexes::{IndexSettings, PersonIndexes, Slot, embed_one};
use crate::error::{Error, Result};
use crate::model::{AccountId, Clock, Filter, Memory, MemoryId, Operation, Owner, PersonId, Role};
use crate::providers::Embedder;
use crate::search::{Hit, PersonIndex, Query};
use crate::store::Store;
pub use crate::store::{ListQuery, ListSort};

/// How often storing starts again when another instance changed the same person meanwhile.
pub(super) const ATTEMPTS: usize = 8;

/// How many memories may be stored.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// By one request.
    pub per_request: usize,
    /// In an account; 0 for no limit.
    pub per_account: u64,
    /// Of a person; 0 for no limit.
    pub per_person: u64,
}

/// The memories of people.
pub struct MemoryService {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) indexes: PersonIndexes,
    pub(super) limits: MemoryLimits,
    pub(super) as_of: AsOfRoom,
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
    pub(super) fn said_at(&self, message: &ConversationMessage, now: DateTime<Utc>) -> DateTime<FixedOffset> {
        let of_all = self.said_at.unwrap_or_else(|| now.fixed_offset());
        let offset = message.utc_offset;
        match message.said_at {
            Some(said_at) => said_at.with_timezone(&offset.unwrap_or(Utc.fix())),
            None => of_all.with_timezone(&offset.unwrap_or(*of_all.offset())),
        }
    }
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
    /// Memories over this database.
    pub fn new(
        store: Store,
        clock: Clock,
        embedder: Arc<dyn Embedder>,
        settings: IndexSettings,
        limits: MemoryLimits,
        receipts: Arc<Receipts>,
    ) -> Self {
        let indexes = PersonIndexes::new(store.clone(), clock.clone(), Arc::clone(&embedder), settings);
        Self {
            store,
            clock,
            embedder,
            indexes,
            limits,
            as_of: AsOfRoom::new(settings.as_of_kib()),
            receipts,
            work: Notify::new(),
        }
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
        let candidates = self.candidates(&slot, &request, now).await?;
        on_cpu(move || {
            let vector = embed_one(&*embedder, &request.query)?;
            let query = Query {
                text: &request.query,
                vector: &vector,
                filter: &request.filter,
                limit: request.limit,
                rerank: request.rerank,
                explain: request.explain,
                now,
            };
            Ok(match candidates {
                Some(index) => ask(&index, &query),
                None => slot.read(|state| ask(&state.index, &query)),
            })
        })
        .await
    }

    /// What may answer, where the index does not hold all.
    async fn candidates(
        &self,
        slot: &Slot,
        request: &SearchRequest,
        now: DateTime<Utc>,
    ) -> Result<Option<PersonIndex>> {
        let person = slot.read(|state| state.person().filter(|_| state.is_window()).cloned());
        let Some(person) = person else { return Ok(None) };
        let (embedder, text) = (Arc::clone(&self.embedder), request.query.clone());
        let vector = on_cpu(move || embed_one(&*embedder, &text)).await?;
        let index = self.indexes.candidates_for(slot, &person, request, &vector, now);
        index.await.map(Some)
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

    /// A page of the account's people that the caller may touch, by `user_id`, each with how many of their memories hold
    /// now; and whether more follow.
    pub async fn people(
        &self,
        account: &AccountId,
        among: &[String],
        after: Option<&str>,
        limit: u64,
    ) -> Result<(Vec<(String, u64)>, bool)> {
        let mut people = self.store.persons_after(account, among, after, limit + 1).await?;
        let has_more = people.len() as u64 > limit;
        people.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: Vec<&PersonId> = people.iter().map(|(person, _)| &person.id).collect();
        let counts = self
            .store
            .count_current_memories(account, &ids, self.clock.now())
            .await?;
        let people = people.into_iter().map(|(person, owner)| {
            let count = counts.get(&person.id).copied().unwrap_or_default();
            (owner.user_id, count)
        });
        Ok((people.collect(), has_more))
    }

    /// The time by which this service judges what has ended.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryService")
    }
}
