//! The table `api_keys`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use super::{Store, accounts, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, ApiKeyId, ScopeSet};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub account_id: String,
    pub name: String,
    #[sea_orm(unique)]
    pub key_hash: Vec<u8>,
    pub key_hint: String,
    pub scopes: String,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::accounts::Entity",
        from = "Column::AccountId",
        to = "super::accounts::Column::Id"
    )]
    Account,
}

impl Related<accounts::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Account.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// What it is called.
    pub name: String,
    /// SHA-256 of the whole key.
    pub key_hash: [u8; 32],
    /// Its first and last characters, to recognise it by.
    pub key_hint: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its time is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl TryFrom<Model> for ApiKeyRow {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: ApiKeyId::from_stored(row.id),
            account_id: AccountId::from_stored(row.account_id),
            name: row.name,
            key_hash: row
                .key_hash
                .try_into()
                .map_err(|_| Error::Internal("a stored key hash is not 32 bytes".into()))?,
            key_hint: row.key_hint,
            scopes: row.scopes.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        })
    }
}

impl Store {
    /// Stores a key.
    pub async fn insert_api_key(&self, key: &ApiKeyRow) -> Result<()> {
        let row = ActiveModel {
            id: Set(key.id.to_string()),
            account_id: Set(key.account_id.to_string()),
            name: Set(key.name.clone()),
            key_hash: Set(key.key_hash.to_vec()),
            key_hint: Set(key.key_hint.clone()),
            scopes: Set(key.scopes.to_string()),
            created_at: Set(key.created_at),
            expires_at: Set(key.expires_at),
            revoked_at: Set(key.revoked_at),
        };
        Entity::insert(row)
            .exec_without_returning(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// The key with this hash, and its account's e-mail address; also when it is expired or revoked.
    pub async fn api_key_by_hash(&self, key_hash: &[u8; 32]) -> Result<Option<(ApiKeyRow, String)>> {
        let row = Entity::find()
            .filter(Column::KeyHash.eq(key_hash.to_vec()))
            .find_also_related(accounts::Entity)
            .one(&self.read)
            .await
            .map_err(db_error)?;
        match row {
            Some((key, Some(account))) => Ok(Some((key.try_into()?, account.email))),
            Some((_, None)) | None => Ok(None),
        }
    }

    /// The keys of an account, or of all, newest first.
    pub async fn api_keys(&self, account_id: Option<&AccountId>) -> Result<Vec<ApiKeyRow>> {
        let mut query = Entity::find().order_by_desc(Column::Id);
        if let Some(account_id) = account_id {
            query = query.filter(Column::AccountId.eq(account_id.as_str()));
        }
        query
            .all(&self.read)
            .await
            .map_err(db_error)?
            .into_iter()
            .map(ApiKeyRow::try_from)
            .collect()
    }

    /// Revokes a key; gives its hash, or nothing where no such key works.
    pub async fn revoke_api_key(&self, id: &ApiKeyId, at: DateTime<Utc>) -> Result<Option<[u8; 32]>> {
        let rows = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(at))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::RevokedAt.is_null())
            .exec_with_returning(&self.write)
            .await
            .map_err(db_error)?;
        rows.into_iter()
            .next()
            .map(|row| ApiKeyRow::try_from(row).map(|key| key.key_hash))
            .transpose()
    }
}
