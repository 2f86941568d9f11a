//! The table `memories`: what its rows say, and reading them. `change.rs` writes them.

mod change;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{Condition, JoinType, Order, PaginatorTrait, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};

use super::vault::AccountCipher;
use super::{Store, db_error, persons};

use crate::error::{Error, Result};
use crate::model::{AccountId, Category, Memory, MemoryId, MemoryType, Owner, PersonId, Source};

/// A row holds 25 bound values, and SQLite takes 32,766 in a statement.
const ROWS_PER_STATEMENT: usize = 1_000;
const IDS_PER_STATEMENT: usize = 10_000;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "memories")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub person_id: String,
    pub revision: i64,
    pub version: i64,
    pub text: String,
    pub memory_type: String,
    pub categories: String,
    pub category_bits: i32,
    pub importance: f64,
    pub reinforced: i32,
    pub source: String,
    pub agent_id: String,
    pub thread_id: String,
    pub metadata: Option<Json>,
    pub event_time: Option<DateTimeUtc>,
    pub sources: Json,
    pub context: Option<String>,
    pub operation: String,
    pub changed_by: String,
    pub superseded_by: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub sealed: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::persons::Entity",
        from = "(Column::AccountId, Column::PersonId)",
        to = "(super::persons::Column::AccountId, super::persons::Column::Id)"
    )]
    Person,
}

impl ActiveModelBehavior for ActiveModel {}

/// A [`Source`] as the column `sources` keeps it.
#[derive(Serialize, Deserialize)]
struct StoredSource {
    message_id: String,
    position: i64,
    quote: String,
}

/// What a memory says, in the clear or as the column `sealed` keeps it for a private one.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) text: String,
    pub(super) metadata: Option<Json>,
    sources: Json,
    context: Option<String>,
}

impl Contents {
    /// What an earlier version said.
    pub(super) fn said(text: String, metadata: Option<Json>) -> Self {
        Self {
            text,
            metadata,
            ..Self::default()
        }
    }

    fn of(memory: &Memory) -> Self {
        Self {
            text: memory.text.clone(),
            metadata: memory.metadata.clone().map(Json::Object),
            sources: sources_to_json(&memory.sources),
            context: memory.context.clone(),
        }
    }

    /// As they are kept: beside what is sealed nothing is left in the clear.
    fn stored(memory: &Memory, cipher: Option<&AccountCipher>) -> Result<(Self, Option<Vec<u8>>)> {
        let contents = Self::of(memory);
        match cipher.filter(|_| memory.is_private()) {
            None => Ok((contents, None)),
            Some(cipher) => {
                let nothing = Self {
                    sources: Json::Array(Vec::new()),
                    ..Self::default()
                };
                Ok((nothing, Some(contents.seal(cipher, memory.id.as_str())?)))
            }
        }
    }

    pub(super) fn seal(&self, cipher: &AccountCipher, memory_id: &str) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|e| Error::Internal(Box::new(e)))?;
        cipher.seal(&plain, memory_id)
    }

    pub(super) fn open(sealed: &[u8], cipher: Option<&AccountCipher>, memory_id: &str) -> Result<Self> {
        let cipher = cipher.ok_or_else(|| Error::Internal("a sealed memory was read without its key".into()))?;
        let plain = cipher.open(sealed, memory_id)?;
        serde_json::from_slice(&plain).map_err(|e| Error::Internal(Box::new(e)))
    }
}

/// A memory to store, of the person that the call names.
#[derive(Clone, Copy, Debug)]
pub struct NewMemory<'a> {
    /// The memory.
    pub memory: &'a Memory,
    /// `added`, or `updated` where it takes the place of an older one.
    pub operation: &'a str,
    /// The key or session that stores it.
    pub changed_by: &'a str,
}

/// A memory as it is stored.
#[derive(Clone, Debug)]
pub struct MemoryRow {
    /// The memory.
    pub memory: Memory,
    /// Why this version came about: a word of the contract's `operation`.
    pub operation: String,
    /// The key or session that made it.
    pub changed_by: String,
}

pub(super) fn categories(words: &str) -> Result<Vec<Category>> {
    let categories = words.split(' ').map(str::parse).collect::<Result<_, _>>();
    categories.map_err(|e: crate::model::UnknownWord| Error::Internal(Box::new(e)))
}

/// What a list is sorted by; equal ones by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListSort {
    /// When it was first stored.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// How important it is.
    Importance,
}

/// Which memories to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Only this category.
    pub category: Option<Category>,
    /// Only this type.
    pub memory_type: Option<MemoryType>,
    /// Only from this agent.
    pub agent_id: Option<String>,
    /// Only from this conversation.
    pub thread_id: Option<String>,
    /// Also what newer memories took the place of.
    pub include_superseded: bool,
    /// What to sort by.
    pub sort: ListSort,
    /// Smallest or oldest first.
    pub ascending: bool,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to give.
    pub limit: u64,
}

impl Model {
    /// The memory, as `cipher` opens it where it is sealed.
    pub(super) fn opened(self, user_id: &str, cipher: Option<&AccountCipher>) -> Result<MemoryRow> {
        let contents = match &self.sealed {
            Some(sealed) => Contents::open(sealed, cipher, &self.id)?,
            None => Contents {
                text: self.text,
                metadata: self.metadata,
                sources: self.sources,
                context: self.context,
            },
        };
        let sources: Vec<StoredSource> =
            serde_json::from_value(contents.sources).map_err(|e| Error::Internal(Box::new(e)))?;
        let memory = Memory {
            id: MemoryId::from_stored(self.id),
            text: contents.text,
            memory_type: self.memory_type.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            categories: categories(&self.categories)?,
            importance: self.importance as f32,
            source: self.source,
            agent_id: self.agent_id,
            thread_id: self.thread_id,
            user_id: (!user_id.is_empty()).then(|| user_id.to_owned()),
            metadata: object(contents.metadata),
            event_time: self.event_time,
            sources: sources
                .into_iter()
                .map(|s| Source {
                    message_id: s.message_id,
                    position: s.position,
                    quote: s.quote,
                })
                .collect(),
            expires_at: self.expires_at,
            superseded_by: self.superseded_by.map(MemoryId::from_stored),
            reinforced: u32::try_from(self.reinforced).unwrap_or(0),
            context: contents.context,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        Ok(MemoryRow {
            memory,
            operation: self.operation,
            changed_by: self.changed_by,
        })
    }
}

/// The JSON object, if it is one.
pub(super) fn object(json: Option<Json>) -> Option<serde_json::Map<String, Json>> {
    match json {
        Some(Json::Object(map)) => Some(map),
        Some(_) | None => None,
    }
}

/// Memories that are not over yet.
pub(super) fn is_alive(now: DateTime<Utc>) -> Condition {
    Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

impl Store {
    /// The person's memories changed after `revision`, superseded ones too.
    pub async fn memories_since(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        revision: i64,
    ) -> Result<Vec<MemoryRow>> {
        let rows = of_person(account_id, person_id)
            .filter(Column::Revision.gt(revision))
            .order_by_asc(Column::Id)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        self.opened(account_id, user_id, rows).await
    }

    /// Opens what is sealed among rows of one account and person.
    pub(super) async fn opened(
        &self,
        account_id: &AccountId,
        user_id: &str,
        rows: Vec<Model>,
    ) -> Result<Vec<MemoryRow>> {
        let cipher = match rows.iter().any(|row| row.sealed.is_some()) {
            true => Some(self.cipher(account_id).await?),
            false => None,
        };
        let opened = rows.into_iter().map(|row| row.opened(user_id, cipher.as_deref()));
        opened.collect()
    }

    /// One memory of the person, also when it is superseded, unless its time is over.
    pub async fn memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        id: &MemoryId,
        now: DateTime<Utc>,
    ) -> Result<Option<Memory>> {
        let row = of_person(account_id, person_id)
            .filter(Column::Id.eq(id.as_str()))
            .filter(is_alive(now))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let opened = self.opened(account_id, user_id, row.into_iter().collect()).await?;
        Ok(opened.into_iter().next().map(|row| row.memory))
    }

    /// Whose the account's memories with these ids are, by `user_id`; ids of none are passed over.
    pub async fn owners_of(&self, account_id: &AccountId, ids: &[MemoryId]) -> Result<HashMap<MemoryId, String>> {
        let mut owners = HashMap::new();
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let rows: Vec<(String, String)> = Entity::find()
                .select_only()
                .column(Column::Id)
                .column(persons::Column::UserId)
                .join(JoinType::InnerJoin, Relation::Person.def())
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::Id.is_in(chunk.iter().map(MemoryId::as_str)))
                .into_tuple()
                .all(&self.read)
                .await
                .map_err(db_error)?;
            owners.extend(
                rows.into_iter()
                    .map(|(id, user_id)| (MemoryId::from_stored(id), user_id)),
            );
        }
        Ok(owners)
    }

    /// How many memories a person has, superseded ones too; everybody of the account where none is named.
    pub async fn count_memories(
        &self,
        account_id: &AccountId,
        user_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let all = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(is_alive(now));
        let select = match user_id {
            None => all,
            Some(user_id) => all
                .join(JoinType::InnerJoin, Relation::Person.def())
                .filter(persons::Column::UserId.eq(user_id)),
        };
        select.count(&self.read).await.map_err(db_error)
    }

    /// The first `limit` memories of a person whose ids come after `after`, by id, superseded ones too.
    pub async fn memories_after(
        &self,
        owner: &Owner,
        person_id: &PersonId,
        after: Option<&MemoryId>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Vec<MemoryRow>> {
        let rows = of_person(&owner.account_id, person_id)
            .filter(Column::Id.gt(after.map_or("", MemoryId::as_str)))
            .filter(is_alive(now))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        self.opened(&owner.account_id, &owner.user_id, rows).await
    }

    /// One page of the person's current memories, and how many there are in all.
    pub async fn list_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        query: &ListQuery,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Memory>, u64)> {
        let mut select = of_person(account_id, person_id).filter(is_alive(now));
        if !query.include_superseded {
            select = select.filter(Column::SupersededBy.is_null());
        }
        if let Some(category) = query.category {
            let bit = i32::from(category.bit());
            select = select.filter(Expr::col(Column::CategoryBits).bit_and(bit).ne(0));
        }
        if let Some(memory_type) = query.memory_type {
            select = select.filter(Column::MemoryType.eq(memory_type.as_str()));
        }
        if let Some(agent_id) = &query.agent_id {
            select = select.filter(Column::AgentId.eq(agent_id));
        }
        if let Some(thread_id) = &query.thread_id {
            select = select.filter(Column::ThreadId.eq(thread_id));
        }
        let total = select.clone().count(&self.read).await.map_err(db_error)?;
        let column = match query.sort {
            ListSort::CreatedAt => Column::CreatedAt,
            ListSort::UpdatedAt => Column::UpdatedAt,
            ListSort::Importance => Column::Importance,
        };
        let order = if query.ascending { Order::Asc } else { Order::Desc };
        let rows = select
            .order_by(column, order.clone())
            .order_by(Column::Id, order)
            .offset(query.offset)
            .limit(query.limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let opened = self.opened(account_id, user_id, rows).await?;
        Ok((opened.into_iter().map(|row| row.memory).collect(), total))
    }
}

pub(super) fn of_person(account_id: &AccountId, person_id: &PersonId) -> Select<Entity> {
    Entity::find()
        .filter(Column::AccountId.eq(account_id.as_str()))
        .filter(Column::PersonId.eq(person_id.as_str()))
}

fn category_words(memory: &Memory) -> String {
    let words: Vec<&str> = memory.categories.iter().map(|c| c.as_str()).collect();
    words.join(" ")
}

fn category_bits(memory: &Memory) -> i32 {
    memory.categories.iter().fold(0, |bits, c| bits | i32::from(c.bit()))
}

fn sources_to_json(sources: &[Source]) -> Json {
    let source = |s: &Source| serde_json::json!({"message_id": s.message_id, "position": s.position, "quote": s.quote});
    Json::Array(sources.iter().map(source).collect())
}
