//! The table `sessions`: who is signed in, and which programs act for whom.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, QueryTrait};

use super::{Store, Transaction, accounts, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, OAuthClientId, ScopeSet, SessionId};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub account_id: String,
    pub client_id: Option<String>,
    pub scopes: String,
    pub family_key: Vec<u8>,
    pub refresh_hash: Option<Vec<u8>>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
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

/// A session: a family of access and refresh tokens that ends as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which every access token names.
    pub id: SessionId,
    /// The account that it acts for.
    pub account_id: AccountId,
    /// The program that acts; the person where there is none.
    pub client_id: Option<OAuthClientId>,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Marks the refresh tokens that this session was given, so that none can be made up. It opens nothing.
    pub family_key: [u8; 32],
    /// SHA-256 of the one refresh token that works; none where it can't be refreshed.
    pub refresh_hash: Option<[u8; 32]>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ends, unless it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl TryFrom<Model> for Session {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: SessionId::from_stored(row.id),
            account_id: AccountId::from_stored(row.account_id),
            client_id: row.client_id.map(OAuthClientId::from_stored),
            scopes: row.scopes.parse().map_err(|e| Error::Internal(Box::new(e)))?,
            family_key: bytes(row.family_key)?,
            refresh_hash: row.refresh_hash.map(bytes).transpose()?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        })
    }
}

fn bytes(stored: Vec<u8>) -> Result<[u8; 32]> {
    stored
        .try_into()
        .map_err(|_| Error::Internal("a stored key or hash of a session is not 32 bytes".into()))
}

impl Store {
    /// A session and its account's e-mail address; also when it has ended.
    pub async fn session(&self, id: &SessionId) -> Result<Option<(Session, String)>> {
        let row = Entity::find_by_id(id.as_str())
            .find_also_related(accounts::Entity)
            .one(&self.read)
            .await
            .map_err(db_error)?;
        match row {
            Some((session, Some(account))) => Ok(Some((session.try_into()?, account.email))),
            Some((_, None)) | None => Ok(None),
        }
    }

    /// Forgets sessions that ended before this time.
    pub async fn purge_sessions(&self, before: DateTime<Utc>) -> Result<()> {
        Entity::delete_many()
            .filter(Column::ExpiresAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Begins a session.
    pub async fn insert_session(&self, session: &Session) -> Result<()> {
        let row = ActiveModel {
            id: Set(session.id.to_string()),
            account_id: Set(session.account_id.to_string()),
            client_id: Set(session.client_id.as_ref().map(OAuthClientId::to_string)),
            scopes: Set(session.scopes.to_string()),
            family_key: Set(session.family_key.to_vec()),
            refresh_hash: Set(session.refresh_hash.map(Vec::from)),
            created_at: Set(session.created_at),
            expires_at: Set(session.expires_at),
            revoked_at: Set(session.revoked_at),
        };
        Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Puts another refresh token in the place of `old`; false where `old` is not the one that works, or the session
    /// has ended.
    pub async fn rotate_session(
        &self,
        id: &SessionId,
        old: &[u8; 32],
        new: &[u8; 32],
        expires_at: DateTime<Utc>,
    ) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::RefreshHash, Expr::value(new.to_vec()))
            .col_expr(Column::ExpiresAt, Expr::value(expires_at))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::RefreshHash.eq(old.to_vec()))
            .filter(Column::RevokedAt.is_null())
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }

    /// Ends a session; false where there is none that lives.
    pub async fn revoke_session(&self, id: &SessionId, now: DateTime<Utc>) -> Result<bool> {
        let done = revoke(now).filter(Column::Id.eq(id.as_str())).exec(&self.0).await;
        Ok(done.map_err(db_error)?.rows_affected == 1)
    }

    /// Ends every session of an account but `kept`, those of programs too.
    pub async fn revoke_sessions_but(
        &self,
        kept: Option<&SessionId>,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        revoke(now)
            .filter(Column::AccountId.eq(account_id.as_str()))
            .apply_if(kept, |update, kept| {
                update.filter(Expr::col(Column::Id).ne(kept.as_str()))
            })
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

fn revoke(now: DateTime<Utc>) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::RevokedAt.is_null())
}
