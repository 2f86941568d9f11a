//! The table `memories`: what its rows say. `reading.rs` reads them, `change.rs` writes them.

mod change;
mod reading;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, Select};
use serde::{Deserialize, Serialize};

use super::vault::AccountCipher;
use crate::error::{Error, Result};
use crate::model::{AccountId, Category, Memory, MemoryId, MemoryType, PersonId, Source, TimePrecision};

/// A row holds 27 bound values, and SQLite takes 32,766 in a statement.
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
    // Backups of before these columns hold rows without them.
    #[serde(default)]
    pub event_time_precision: Option<String>,
    #[serde(default)]
    pub is_instruction: bool,
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
    /// Only standing wishes about how the assistant behaves, or only others.
    pub is_instruction: Option<bool>,
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
            event_time_precision: event_time_precision(self.event_time, self.event_time_precision.as_deref())?,
            is_instruction: self.is_instruction,
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

/// How exactly a time is known. An earlier version, which knows no such column, can have taken the time away.
pub(super) fn event_time_precision(time: Option<DateTimeUtc>, word: Option<&str>) -> Result<Option<TimePrecision>> {
    let word = word.filter(|_| time.is_some());
    let precision = word.map(str::parse).transpose();
    precision.map_err(|e: crate::model::UnknownWord| Error::Internal(Box::new(e)))
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
