//! The table `idempotency_records`: what the first request with a key did.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition};
use sha2::{Digest, Sha256};

use super::{Store, Transaction, db_error, is_unique_violation};
use crate::error::{Error, Result};
use crate::model::Owner;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    /// A digest of the person and the client's key: an account's people share no keys.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub request_hash: Vec<u8>,
    pub outcome: Json,
    pub created_at: DateTimeUtc,
    /// Whose; unknown of records of before there was this column.
    pub user_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What the first request with an idempotency key did.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// What it did, for the service to read.
    pub outcome: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// The record of this key of a person, where it is younger than `since`.
    pub async fn idempotency_record(
        &self,
        owner: &Owner,
        key: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<IdempotencyRecord>> {
        let row = Entity::find_by_id((owner.account_id.to_string(), digest(owner, key)))
            .filter(Column::CreatedAt.gt(since))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        row.map(|row| {
            Ok(IdempotencyRecord {
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

    /// Forgets records that are not younger than this time.
    pub async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::CreatedAt.lte(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

fn digest(owner: &Owner, key: &str) -> String {
    let digest = Sha256::new()
        // No user_id and no key has a NUL.
        .chain_update(&owner.user_id)
        .chain_update([0])
        .chain_update(key)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Transaction {
    /// Keeps a record, in place of one not younger than `since`. False where another request with this key came
    /// first: then this transaction must not go on.
    pub async fn insert_idempotency_record(
        &self,
        owner: &Owner,
        key: &str,
        record: &IdempotencyRecord,
        since: DateTime<Utc>,
    ) -> Result<bool> {
        let key = digest(owner, key);
        Entity::delete_many()
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(Column::Key.eq(&key))
            .filter(Column::CreatedAt.lte(since))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        let row = ActiveModel {
            account_id: Set(owner.account_id.to_string()),
            key: Set(key),
            request_hash: Set(record.request_hash.to_vec()),
            outcome: Set(record.outcome.clone()),
            created_at: Set(record.created_at),
            user_id: Set(Some(owner.user_id.clone())),
        };
        match Entity::insert(row).exec_without_returning(&self.0).await {
            Ok(_) => Ok(true),
            Err(e) if is_unique_violation(&e) => Ok(false),
            Err(e) => Err(db_error(e)),
        }
    }

    /// Forgets a person's records, and those of which it is not known whose they are.
    pub(super) async fn delete_idempotency_records(&self, owner: &Owner) -> Result<()> {
        let theirs = Condition::any()
            .add(Column::UserId.eq(&owner.user_id))
            .add(Column::UserId.is_null());
        Entity::delete_many()
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(theirs)
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
