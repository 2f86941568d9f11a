//! The table `api_keys`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect};

use super::{Store, Transaction, accounts, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, ApiKeyId, Grant};

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
    pub allowed_user_ids: Option<Json>,
    pub allowed_ips: Option<Json>,
    pub rate_limit_per_minute: Option<i32>,
    pub last_used: Option<DateTimeUtc>,
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
    pub grant: Grant,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, as far as that is written down.
    pub last_used: Option<DateTime<Utc>>,
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyStatus {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl ApiKeyRow {
    /// Whether it works at this time.
    pub fn status(&self, now: DateTime<Utc>) -> ApiKeyStatus {
        match (self.revoked_at, self.grant.expires_at) {
            (Some(_), _) => ApiKeyStatus::Revoked,
            (None, Some(at)) if at <= now => ApiKeyStatus::Expired,
            (None, _) => ApiKeyStatus::Active,
        }
    }
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
            grant: Grant {
                scopes: row.scopes.parse().map_err(|e| Error::Internal(Box::new(e)))?,
                user_ids: list(row.allowed_user_ids)?,
                networks: list(row.allowed_ips)?
                    .iter()
                    .map(|network: &String| network.parse())
                    .collect::<Result<_, _>>()
                    .map_err(|e| Error::Internal(Box::new(e)))?,
                requests_per_minute: row.rate_limit_per_minute.and_then(|limit| u32::try_from(limit).ok()),
                expires_at: row.expires_at,
            },
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            last_used: row.last_used,
        })
    }
}

fn list(json: Option<Json>) -> Result<Vec<String>> {
    match json {
        None => Ok(Vec::new()),
        Some(json) => serde_json::from_value(json).map_err(|e| Error::Internal(Box::new(e))),
    }
}

fn some_list<T: ToString>(items: &[T]) -> Option<Json> {
    (!items.is_empty()).then(|| items.iter().map(T::to_string).collect::<Vec<_>>().into())
}

impl Store {
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

    /// A page of the keys of an account, or of all, newest first; and how many there are on all pages.
    pub async fn api_keys(
        &self,
        account_id: Option<&AccountId>,
        status: Option<(ApiKeyStatus, DateTime<Utc>)>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<ApiKeyRow>, u64)> {
        let mut query = Entity::find().order_by_desc(Column::Id);
        if let Some(account_id) = account_id {
            query = query.filter(Column::AccountId.eq(account_id.as_str()));
        }
        if let Some((status, now)) = status {
            query = query.filter(is_in(status, now));
        }
        let total = query.clone().count(&self.read).await.map_err(db_error)?;
        let rows = query
            .offset(offset)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        Ok((rows.into_iter().map(ApiKeyRow::try_from).collect::<Result<_>>()?, total))
    }

    /// Notes when keys were last used.
    pub async fn touch_api_keys(&self, used: &[(ApiKeyId, DateTime<Utc>)]) -> Result<()> {
        let transaction = self.begin().await?;
        for (id, at) in used {
            Entity::update_many()
                .col_expr(Column::LastUsed, Expr::value(*at))
                .filter(Column::Id.eq(id.as_str()))
                .filter(
                    Condition::any()
                        .add(Column::LastUsed.is_null())
                        .add(Column::LastUsed.lt(*at)),
                )
                .exec(&transaction.0)
                .await
                .map_err(db_error)?;
        }
        transaction.commit().await
    }
}

fn is_in(status: ApiKeyStatus, now: DateTime<Utc>) -> Condition {
    let lives_on = Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(now));
    let not_revoked = Condition::all().add(Column::RevokedAt.is_null());
    match status {
        ApiKeyStatus::Active => not_revoked.add(lives_on),
        ApiKeyStatus::Expired => not_revoked.add(Column::ExpiresAt.lte(now)),
        ApiKeyStatus::Revoked => Condition::all().add(Column::RevokedAt.is_not_null()),
    }
}

impl Transaction {
    /// Stores a key.
    pub async fn insert_api_key(&self, key: &ApiKeyRow) -> Result<()> {
        let row = ActiveModel {
            id: Set(key.id.to_string()),
            account_id: Set(key.account_id.to_string()),
            name: Set(key.name.clone()),
            key_hash: Set(key.key_hash.to_vec()),
            key_hint: Set(key.key_hint.clone()),
            scopes: Set(key.grant.scopes.to_string()),
            created_at: Set(key.created_at),
            expires_at: Set(key.grant.expires_at),
            revoked_at: Set(key.revoked_at),
            allowed_user_ids: Set(some_list(&key.grant.user_ids)),
            allowed_ips: Set(some_list(&key.grant.networks)),
            rate_limit_per_minute: Set(limit(&key.grant)),
            last_used: Set(key.last_used),
        };
        Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// A key of this account, or, for an operator, of any; locked against other changes until the transaction ends.
    pub async fn api_key(&self, account_id: Option<&AccountId>, id: &ApiKeyId) -> Result<Option<ApiKeyRow>> {
        let mut query = Entity::find_by_id(id.as_str());
        if let Some(account_id) = account_id {
            query = query.filter(Column::AccountId.eq(account_id.as_str()));
        }
        let row = query.lock_exclusive().one(&self.0).await.map_err(db_error)?;
        row.map(ApiKeyRow::try_from).transpose()
    }

    /// Writes what may change of a key: name, scopes, limit, end, revocation.
    pub async fn update_api_key(&self, key: &ApiKeyRow) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Name, Expr::value(key.name.clone()))
            .col_expr(Column::Scopes, Expr::value(key.grant.scopes.to_string()))
            .col_expr(Column::RateLimitPerMinute, Expr::value(limit(&key.grant)))
            .col_expr(Column::ExpiresAt, Expr::value(key.grant.expires_at))
            .col_expr(Column::RevokedAt, Expr::value(key.revoked_at))
            .filter(Column::Id.eq(key.id.as_str()))
            .filter(Column::AccountId.eq(key.account_id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

fn limit(grant: &Grant) -> Option<i32> {
    grant
        .requests_per_minute
        .map(|limit| i32::try_from(limit).unwrap_or(i32::MAX))
}
