//! The table `idempotency_records`: what the first request with a key did.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::{Store, Transaction, db_error, is_unique_violation};
use crate::error::{Error, Result};
use crate::model::AccountId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub request_hash: Vec<u8>,
    pub outcome: Json,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What the first request with an idempotency key did.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyRecord {
    /// The client's key.
    pub key: String,
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// What it did, for the service to read.
    pub outcome: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// The record of this key, where it is younger than `since`.
    pub async fn idempotency_record(
        &self,
        account_id: &AccountId,
        key: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<IdempotencyRecord>> {
        let row = Entity::find_by_id((account_id.to_string(), key.to_owned()))
            .filter(Column::CreatedAt.gt(since))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        row.map(|row| {
            Ok(IdempotencyRecord {
                key: row.key,
                request_hash: row
                    .request_hash
                    .try_into()
                    .map_err(|_| Error::Internal("a stored request hash is not 32 bytes".into()))?,
                outcome: row.outcome,
                created_at: row.created_at,
            })
        })
        .transpose()
    }
}

impl Transaction {
    /// Keeps a record, in place of one not younger than `since`. False where another request with this key came
    /// first: then this transaction must not go on.
    pub async fn insert_idempotency_record(
        &self,
        account_id: &AccountId,
        record: &IdempotencyRecord,
        since: DateTime<Utc>,
    ) -> Result<bool> {
        Entity::delete_many()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Key.eq(&record.key))
            .filter(Column::CreatedAt.lte(since))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            key: Set(record.key.clone()),
            request_hash: Set(record.request_hash.to_vec()),
            outcome: Set(record.outcome.clone()),
            created_at: Set(record.created_at),
        };
        match Entity::insert(row).exec_without_returning(&self.0).await {
            Ok(_) => Ok(true),
            Err(e) if is_unique_violation(&e) => Ok(false),
            Err(e) => Err(db_error(e)),
        }
    }
}
