//! The table `memory_versions`: what memories were before they changed.

use chrono::{DateTime, Utc};
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use serde::{Deserialize, Serialize};

use super::memories::{self, categories, of_person};
use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, Category, MemoryId, MemoryType, PersonId};

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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A version of a memory, the current one or an earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryVersion {
    /// From 1.
    pub version: i64,
    /// Its text.
    pub text: String,
    /// Its type.
    pub memory_type: MemoryType,
    /// Its categories.
    pub categories: Vec<Category>,
    /// Why it came about: `added`, `updated`, `superseded` or `reclassified`.
    pub operation: String,
    /// The key or session that made it.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// The memory that took its place.
    pub superseded_by: Option<MemoryId>,
}

impl TryFrom<Model> for MemoryVersion {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            version: row.version,
            text: row.text,
            memory_type: row.memory_type.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            categories: categories(&row.categories)?,
            operation: row.operation,
            changed_by: row.changed_by,
            changed_at: row.changed_at,
            superseded_by: None,
        })
    }
}

impl Store {
    /// Every version of a memory of the person, oldest first; none where there is no such memory.
    pub async fn memory_versions(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        id: &MemoryId,
    ) -> Result<Vec<MemoryVersion>> {
        let current = of_person(account_id, person_id).filter(memories::Column::Id.eq(id.as_str()));
        let Some(current) = current.one(&self.read).await.map_err(db_error)? else {
            return Ok(Vec::new());
        };
        let earlier = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::MemoryId.eq(id.as_str()))
            .filter(Column::Version.lt(current.version))
            .order_by_asc(Column::Version)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let current = MemoryVersion {
            version: current.version,
            text: current.text,
            memory_type: current.memory_type.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            categories: categories(&current.categories)?,
            operation: current.operation,
            changed_by: current.changed_by,
            changed_at: current.updated_at,
            superseded_by: current.superseded_by.map(MemoryId::from_stored),
        };
        let earlier = earlier.into_iter().map(MemoryVersion::try_from);
        earlier.chain([Ok(current)]).collect()
    }
}

impl Transaction {
    /// Keeps the current version of a memory before it changes.
    pub(super) async fn keep_version(&self, account_id: &AccountId, person_id: &PersonId, id: &MemoryId) -> Result<()> {
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
            ])
            .from(memories::Entity)
            .and_where(Expr::col(memories::Column::AccountId).eq(account_id.as_str()))
            .and_where(Expr::col(memories::Column::PersonId).eq(person_id.as_str()))
            .and_where(Expr::col(memories::Column::Id).eq(id.as_str()))
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
            ])
            .select_from(current)
            .map_err(|e| Error::Internal(Box::new(e)))?
            .to_owned();
        self.0.execute(&insert).await.map_err(db_error)?;
        Ok(())
    }
}
