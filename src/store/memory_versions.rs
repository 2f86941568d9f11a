//! The table `memory_versions`: what memories were before they changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::memories::{self, Contents, MemoryRow, categories, event_time_precision, is_alive, object, of_person};
use super::vault::AccountCipher;
use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, Category, Memory, MemoryId, MemoryType, PersonId, TimePrecision};

/// A statement takes 32,766 bound values on SQLite.
const IDS_PER_STATEMENT: usize = 10_000;
/// A row holds 16 of them.
const ROWS_PER_STATEMENT: usize = 2_000;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "memory_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub memory_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub text: String,
    pub memory_type: String,
    pub categories: String,
    pub operation: String,
    pub changed_by: String,
    pub changed_at: DateTimeUtc,
    pub sealed: Option<Vec<u8>>,
    pub importance: Option<f64>,
    pub metadata: Option<Json>,
    pub event_time: Option<DateTimeUtc>,
    pub superseded_by: Option<String>,
    // Backups of before these columns hold rows without them.
    #[serde(default)]
    pub event_time_precision: Option<String>,
    #[serde(default)]
    pub is_instruction: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A version of a memory, the current one or an earlier.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryVersion {
    /// From 1.
    pub version: i64,
    /// Its text.
    pub text: String,
    /// Its type.
    pub memory_type: MemoryType,
    /// Its categories.
    pub categories: Vec<Category>,
    /// Why it came about: `added`, `updated`, `superseded`, `reclassified` or `restored`.
    pub operation: String,
    /// The key or session that made it.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// The memory that took its place.
    pub superseded_by: Option<MemoryId>,
    /// Its importance.
    pub importance: Option<f32>,
    /// Its metadata.
    pub metadata: Option<Map<String, Value>>,
    /// When the thing happened that it tells of.
    pub event_time: Option<DateTime<Utc>>,
    /// How exactly that is known.
    pub event_time_precision: Option<TimePrecision>,
    /// Whether it was a standing wish about how the assistant behaves.
    pub is_instruction: bool,
}

impl Model {
    pub(super) fn opened(self, cipher: Option<&AccountCipher>) -> Result<MemoryVersion> {
        let (text, metadata) = match &self.sealed {
            Some(sealed) => {
                let contents = Contents::open(sealed, cipher, &self.memory_id)?;
                (contents.text, contents.metadata)
            }
            None => (self.text, self.metadata),
        };
        Ok(MemoryVersion {
            version: self.version,
            text,
            memory_type: self.memory_type.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            categories: categories(&self.categories)?,
            operation: self.operation,
            changed_by: self.changed_by,
            changed_at: self.changed_at,
            superseded_by: self.superseded_by.map(MemoryId::from_stored),
            importance: self.importance.map(|importance| importance as f32),
            metadata: object(metadata),
            event_time: self.event_time,
            event_time_precision: event_time_precision(self.event_time, self.event_time_precision.as_deref())?,
            is_instruction: self.is_instruction,
        })
    }
}

impl From<MemoryRow> for MemoryVersion {
    fn from(row: MemoryRow) -> Self {
        let memory = row.memory;
        Self {
            version: memory.version,
            text: memory.text,
            memory_type: memory.memory_type,
            categories: memory.categories,
            operation: row.operation,
            changed_by: row.changed_by,
            changed_at: memory.updated_at,
            superseded_by: memory.superseded_by,
            importance: Some(memory.importance),
            metadata: memory.metadata,
            event_time: memory.event_time,
            event_time_precision: memory.event_time_precision,
            is_instruction: memory.is_instruction,
        }
    }
}

impl Store {
    /// Every version of a memory of the person, oldest first; none where there is no such memory.
    pub async fn memory_versions(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        id: &MemoryId,
        now: DateTime<Utc>,
    ) -> Result<Vec<MemoryVersion>> {
        let current = of_person(account_id, person_id)
            .filter(memories::Column::Id.eq(id.as_str()))
            .filter(is_alive(now));
        let current = current.all(&self.read).await.map_err(db_error)?;
        let Some(current) = self.opened(account_id, "", current).await?.into_iter().next() else {
            return Ok(Vec::new());
        };
        let mut versions = self
            .earlier_versions(account_id, std::slice::from_ref(id), None)
            .await?
            .remove(id)
            .unwrap_or_default();
        versions.retain(|version| version.version < current.memory.version);
        versions.push(current.into());
        Ok(versions)
    }

    /// The ids of the memories that this one took the place of.
    pub async fn superseded_by(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        id: &MemoryId,
    ) -> Result<Vec<MemoryId>> {
        let ids: Vec<String> = of_person(account_id, person_id)
            .select_only()
            .column(memories::Column::Id)
            .filter(memories::Column::SupersededBy.eq(id.as_str()))
            .order_by_asc(memories::Column::Id)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        Ok(ids.into_iter().map(MemoryId::from_stored).collect())
    }

    /// `earlier_versions` of any time.
    pub async fn versions_of(
        &self,
        account_id: &AccountId,
        ids: &[MemoryId],
    ) -> Result<HashMap<MemoryId, Vec<MemoryVersion>>> {
        self.earlier_versions(account_id, ids, None).await
    }

    /// What memories were before they became what they are, oldest first; with `until`, not what came later.
    pub(super) async fn earlier_versions(
        &self,
        account_id: &AccountId,
        ids: &[MemoryId],
        until: Option<DateTime<Utc>>,
    ) -> Result<HashMap<MemoryId, Vec<MemoryVersion>>> {
        let mut earlier: HashMap<MemoryId, Vec<MemoryVersion>> = HashMap::new();
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let rows = Entity::find()
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::MemoryId.is_in(chunk.iter().map(MemoryId::as_str)))
                .apply_if(until, |select, until| select.filter(Column::ChangedAt.lte(until)))
                .order_by_asc(Column::MemoryId)
                .order_by_asc(Column::Version)
                .all(&self.read)
                .await
                .map_err(db_error)?;
            let cipher = match rows.iter().any(|row| row.sealed.is_some()) {
                true => Some(self.cipher(account_id).await?),
                false => None,
            };
            for row in rows {
                let id = MemoryId::from_stored(&row.memory_id);
                earlier.entry(id).or_default().push(row.opened(cipher.as_deref())?);
            }
        }
        Ok(earlier)
    }
}

impl Transaction {
    /// Keeps the current versions of memories before they change.
    pub(super) async fn keep_versions(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        ids: &[MemoryId],
    ) -> Result<()> {
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let current = Query::select()
                .columns([
                    memories::Column::AccountId,
                    memories::Column::Id,
                    memories::Column::Version,
                    memories::Column::Text,
                    memories::Column::MemoryType,
                    memories::Column::Categories,
                    memories::Column::Operation,
                    memories::Column::ChangedBy,
                    memories::Column::UpdatedAt,
                    memories::Column::Sealed,
                    memories::Column::Importance,
                    memories::Column::Metadata,
                    memories::Column::EventTime,
                    memories::Column::SupersededBy,
                    memories::Column::EventTimePrecision,
                    memories::Column::IsInstruction,
                ])
                .from(memories::Entity)
                .and_where(Expr::col(memories::Column::AccountId).eq(account_id.as_str()))
                .and_where(Expr::col(memories::Column::PersonId).eq(person_id.as_str()))
                .and_where(Expr::col(memories::Column::Id).is_in(chunk.iter().map(MemoryId::as_str)))
                .to_owned();
            let insert = Query::insert()
                .into_table(Entity)
                .columns([
                    Column::AccountId,
                    Column::MemoryId,
                    Column::Version,
                    Column::Text,
                    Column::MemoryType,
                    Column::Categories,
                    Column::Operation,
                    Column::ChangedBy,
                    Column::ChangedAt,
                    Column::Sealed,
                    Column::Importance,
                    Column::Metadata,
                    Column::EventTime,
                    Column::SupersededBy,
                    Column::EventTimePrecision,
                    Column::IsInstruction,
                ])
                .select_from(current)
                .map_err(|e| Error::Internal(Box::new(e)))?
                .to_owned();
            self.0.execute(&insert).await.map_err(db_error)?;
        }
        Ok(())
    }

    /// Stores what memories were before they became what they are.
    pub async fn insert_versions(
        &self,
        account_id: &AccountId,
        versions: &[(&Memory, &[MemoryVersion])],
    ) -> Result<()> {
        let mut rows = Vec::new();
        for (memory, earlier) in versions {
            let cipher = match memory.is_private() && !earlier.is_empty() {
                true => Some(self.cipher(account_id, memory.updated_at).await?),
                false => None,
            };
            for version in *earlier {
                let plain = Contents::said(version.text.clone(), version.metadata.clone().map(Json::Object));
                let (contents, sealed) = match &cipher {
                    Some(cipher) => (Contents::default(), Some(plain.seal(cipher, memory.id.as_str())?)),
                    None => (plain, None),
                };
                let words: Vec<&str> = version.categories.iter().map(|category| category.as_str()).collect();
                rows.push(ActiveModel {
                    account_id: Set(account_id.to_string()),
                    memory_id: Set(memory.id.to_string()),
                    version: Set(version.version),
                    text: Set(contents.text),
                    memory_type: Set(version.memory_type.as_str().to_owned()),
                    categories: Set(words.join(" ")),
                    operation: Set(version.operation.clone()),
                    changed_by: Set(version.changed_by.clone()),
                    changed_at: Set(version.changed_at),
                    sealed: Set(sealed),
                    importance: Set(version.importance.map(f64::from)),
                    metadata: Set(contents.metadata),
                    event_time: Set(version.event_time),
                    superseded_by: Set(version.superseded_by.as_ref().map(ToString::to_string)),
                    event_time_precision: Set(version.event_time_precision.map(|p| p.as_str().to_owned())),
                    is_instruction: Set(version.is_instruction),
                });
            }
        }
        for chunk in rows.chunks(ROWS_PER_STATEMENT) {
            Entity::insert_many(chunk.to_vec())
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }

    /// Seals what a memory was before it became private.
    pub(super) async fn seal_versions(
        &self,
        account_id: &AccountId,
        id: &MemoryId,
        cipher: &AccountCipher,
    ) -> Result<()> {
        let of_memory = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::MemoryId.eq(id.as_str()))
            .filter(Column::Sealed.is_null());
        for row in of_memory.all(&self.0).await.map_err(db_error)? {
            let contents = Contents::said(row.text, row.metadata);
            Entity::update_many()
                .col_expr(Column::Text, Expr::value(""))
                .col_expr(Column::Metadata, Expr::value(Option::<Json>::None))
                .col_expr(Column::Sealed, Expr::value(contents.seal(cipher, id.as_str())?))
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::MemoryId.eq(id.as_str()))
                .filter(Column::Version.eq(row.version))
                .exec(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }
}
