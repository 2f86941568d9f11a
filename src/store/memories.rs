//! The table `memories`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, Order, PaginatorTrait, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};

use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, Category, Memory, MemoryId, MemoryType, PersonId, Source};

/// A row holds 23 bound values, and SQLite takes 32,766 in a statement.
const ROWS_PER_STATEMENT: usize = 1_000;

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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A [`Source`] as the column `sources` keeps it.
#[derive(Serialize, Deserialize)]
struct StoredSource {
    message_id: String,
    position: i64,
    quote: String,
}

/// A memory to store, of the person that the call names.
#[derive(Clone, Copy, Debug)]
pub struct NewMemory<'a> {
    /// The memory.
    pub memory: &'a Memory,
    /// `added`, or `updated` where it takes the place of an older one.
    pub operation: &'static str,
}

/// A memory whose place a newer one takes.
#[derive(Clone, Debug)]
pub struct Superseded {
    /// The older memory.
    pub id: MemoryId,
    /// The newer one.
    pub by: MemoryId,
}

/// A memory as it is stored.
#[derive(Clone, Debug)]
pub struct MemoryRow {
    /// The memory.
    pub memory: Memory,
    /// The newer one that has taken its place.
    pub superseded_by: Option<MemoryId>,
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
    /// What to sort by.
    pub sort: ListSort,
    /// Smallest or oldest first.
    pub ascending: bool,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to give.
    pub limit: u64,
}

impl MemoryRow {
    fn from_model(row: Model, user_id: &str) -> Result<Self> {
        let sources: Vec<StoredSource> =
            serde_json::from_value(row.sources).map_err(|e| Error::Internal(Box::new(e)))?;
        let memory = Memory {
            id: MemoryId::from_stored(row.id),
            text: row.text,
            memory_type: row.memory_type.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            categories: categories(&row.categories)?,
            importance: row.importance as f32,
            source: row.source,
            agent_id: row.agent_id,
            thread_id: row.thread_id,
            user_id: (!user_id.is_empty()).then(|| user_id.to_owned()),
            metadata: match row.metadata {
                Some(Json::Object(map)) => Some(map),
                Some(_) | None => None,
            },
            event_time: row.event_time,
            sources: sources
                .into_iter()
                .map(|s| Source {
                    message_id: s.message_id,
                    position: s.position,
                    quote: s.quote,
                })
                .collect(),
            context: row.context,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Ok(Self {
            memory,
            superseded_by: row.superseded_by.map(MemoryId::from_stored),
            operation: row.operation,
            changed_by: row.changed_by,
        })
    }
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
        rows.into_iter()
            .map(|row| MemoryRow::from_model(row, user_id))
            .collect()
    }

    /// One memory of the person, also when it is superseded.
    pub async fn memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        id: &MemoryId,
    ) -> Result<Option<Memory>> {
        let row = of_person(account_id, person_id)
            .filter(Column::Id.eq(id.as_str()))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        row.map(|row| MemoryRow::from_model(row, user_id).map(|r| r.memory))
            .transpose()
    }

    /// One page of the person's current memories, and how many there are in all.
    pub async fn list_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        query: &ListQuery,
    ) -> Result<(Vec<Memory>, u64)> {
        let mut select = of_person(account_id, person_id).filter(Column::SupersededBy.is_null());
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
        let memories = rows
            .into_iter()
            .map(|row| MemoryRow::from_model(row, user_id).map(|r| r.memory));
        Ok((memories.collect::<Result<_>>()?, total))
    }
}

impl Transaction {
    /// Stores new memories of a person.
    pub async fn insert_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        changed_by: &str,
        memories: &[NewMemory<'_>],
    ) -> Result<()> {
        for chunk in memories.chunks(ROWS_PER_STATEMENT) {
            let rows = chunk.iter().map(|new| {
                let memory = new.memory;
                ActiveModel {
                    account_id: Set(account_id.to_string()),
                    id: Set(memory.id.to_string()),
                    person_id: Set(person_id.to_string()),
                    revision: Set(revision),
                    version: Set(memory.version),
                    text: Set(memory.text.clone()),
                    memory_type: Set(memory.memory_type.as_str().to_owned()),
                    categories: Set(category_words(memory)),
                    category_bits: Set(category_bits(memory)),
                    importance: Set(f64::from(memory.importance)),
                    reinforced: Set(0),
                    source: Set(memory.source.clone()),
                    agent_id: Set(memory.agent_id.clone()),
                    thread_id: Set(memory.thread_id.clone()),
                    metadata: Set(memory.metadata.clone().map(Json::Object)),
                    event_time: Set(memory.event_time),
                    sources: Set(sources_to_json(&memory.sources)),
                    context: Set(memory.context.clone()),
                    operation: Set(new.operation.to_owned()),
                    changed_by: Set(changed_by.to_owned()),
                    superseded_by: Set(None),
                    created_at: Set(memory.created_at),
                    updated_at: Set(memory.updated_at),
                }
            });
            Entity::insert_many(rows)
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }

    /// Closes memories whose place newer ones take, keeping the version until now.
    pub async fn supersede_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        changed_by: &str,
        now: DateTime<Utc>,
        superseded: &[Superseded],
    ) -> Result<()> {
        for old in superseded {
            self.keep_version(account_id, person_id, &old.id).await?;
            Entity::update_many()
                .col_expr(Column::Revision, Expr::value(revision))
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .col_expr(Column::Operation, Expr::value("superseded"))
                .col_expr(Column::ChangedBy, Expr::value(changed_by))
                .col_expr(Column::SupersededBy, Expr::value(old.by.as_str()))
                .col_expr(Column::UpdatedAt, Expr::value(now))
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::PersonId.eq(person_id.as_str()))
                .filter(Column::Id.eq(old.id.as_str()))
                .exec(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }

    /// One memory of the person whose revision this transaction advances.
    pub async fn memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        id: &MemoryId,
    ) -> Result<Option<MemoryRow>> {
        let row = of_person(account_id, person_id)
            .filter(Column::Id.eq(id.as_str()))
            .one(&self.0)
            .await
            .map_err(db_error)?;
        row.map(|row| MemoryRow::from_model(row, user_id)).transpose()
    }

    /// Writes what can be changed of a memory, keeping the version until now.
    pub async fn update_memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        operation: &str,
        changed_by: &str,
        memory: &Memory,
    ) -> Result<()> {
        self.keep_version(account_id, person_id, &memory.id).await?;
        Entity::update_many()
            .col_expr(Column::Revision, Expr::value(revision))
            .col_expr(Column::Version, Expr::value(memory.version))
            .col_expr(Column::Text, Expr::value(memory.text.as_str()))
            .col_expr(Column::MemoryType, Expr::value(memory.memory_type.as_str()))
            .col_expr(Column::Categories, Expr::value(category_words(memory)))
            .col_expr(Column::CategoryBits, Expr::value(category_bits(memory)))
            .col_expr(Column::Importance, Expr::value(f64::from(memory.importance)))
            .col_expr(Column::Metadata, Expr::value(memory.metadata.clone().map(Json::Object)))
            .col_expr(Column::EventTime, Expr::value(memory.event_time))
            .col_expr(Column::Operation, Expr::value(operation))
            .col_expr(Column::ChangedBy, Expr::value(changed_by))
            .col_expr(Column::UpdatedAt, Expr::value(memory.updated_at))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.eq(person_id.as_str()))
            .filter(Column::Id.eq(memory.id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Notes that a memory was confirmed, and by which words.
    pub async fn reinforce_memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        id: &MemoryId,
        sources: &[Source],
    ) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Revision, Expr::value(revision))
            .col_expr(Column::Reinforced, Expr::col(Column::Reinforced).add(1))
            .col_expr(Column::Sources, Expr::value(sources_to_json(sources)))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.eq(person_id.as_str()))
            .filter(Column::Id.eq(id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
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
