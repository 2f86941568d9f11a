//! The table `setup_links`: for an account without a password, the link by which its owner gives it one.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::AccountId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "setup_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    pub token_hash: Vec<u8>,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A link that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupLink {
    /// The account that it is for.
    pub account_id: AccountId,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// The account's link, also one that has ended.
    pub async fn setup_link(&self, account_id: &AccountId) -> Result<Option<SetupLink>> {
        let row = Entity::find_by_id(account_id.as_str())
            .one(&self.read)
            .await
            .map_err(db_error)?;
        row.map(|row| {
            let hash = row.token_hash.try_into();
            Ok(SetupLink {
                account_id: AccountId::from_stored(row.account_id),
                token_hash: hash.map_err(|_| Error::Internal("a stored token hash is not 32 bytes".into()))?,
                expires_at: row.expires_at,
            })
        })
        .transpose()
    }

    /// Forgets links that have ended.
    pub async fn purge_setup_links(&self, now: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::ExpiresAt.lte(now))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Makes this the account's link; one from before ends.
    pub async fn put_setup_link(&self, link: &SetupLink) -> Result<()> {
        let row = ActiveModel {
            account_id: Set(link.account_id.to_string()),
            token_hash: Set(link.token_hash.to_vec()),
            expires_at: Set(link.expires_at),
        };
        let replaced = OnConflict::column(Column::AccountId)
            .update_columns([Column::TokenHash, Column::ExpiresAt])
            .to_owned();
        Entity::insert(row)
            .on_conflict(replaced)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Spends the link with this token; false where it was spent or replaced.
    pub async fn delete_setup_link(&self, account_id: &AccountId, token_hash: &[u8; 32]) -> Result<bool> {
        let done = Entity::delete_many()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::TokenHash.eq(token_hash.to_vec()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }
}
