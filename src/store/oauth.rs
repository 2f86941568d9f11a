//! The tables `oauth_clients` and `oauth_codes`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::{Store, Transaction, db_error};
use crate::error::{Error, Result};
use crate::model::{AccountId, OAuthClientId, ScopeSet, SessionId};

mod clients {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_clients")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub account_id: String,
        pub name: String,
        pub secret_hash: Vec<u8>,
        pub is_public: bool,
        pub redirect_uris: Json,
        pub scopes: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod codes {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_codes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code_hash: Vec<u8>,
        pub client_id: String,
        pub account_id: String,
        pub redirect_uri: String,
        pub scopes: String,
        pub code_challenge: String,
        pub expires_at: DateTimeUtc,
        pub session_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A program that can act for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthClient {
    /// Its id.
    pub id: OAuthClientId,
    /// The account that registered it.
    pub account_id: AccountId,
    /// What it is called.
    pub name: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// Whether it may come without its secret.
    pub is_public: bool,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// What a person granted, until the program fetches its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthCode {
    /// SHA-256 of the code.
    pub code_hash: [u8; 32],
    /// The program.
    pub client_id: OAuthClientId,
    /// The account of the person.
    pub account_id: AccountId,
    /// Where the person was sent back to.
    pub redirect_uri: String,
    /// What was granted.
    pub scopes: ScopeSet,
    /// The PKCE challenge (S256, RFC 7636).
    pub code_challenge: String,
    /// When it works no more.
    pub expires_at: DateTime<Utc>,
    /// The session that it was spent for.
    pub session_id: Option<SessionId>,
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| Error::Internal("a stored hash is not 32 bytes".into()))
}

fn scopes(words: &str) -> Result<ScopeSet> {
    words.parse().map_err(|e| Error::Internal(Box::new(e)))
}

impl TryFrom<clients::Model> for OAuthClient {
    type Error = Error;

    fn try_from(row: clients::Model) -> Result<Self> {
        Ok(Self {
            id: OAuthClientId::from_stored(row.id),
            account_id: AccountId::from_stored(row.account_id),
            name: row.name,
            secret_hash: hash(row.secret_hash)?,
            is_public: row.is_public,
            redirect_uris: serde_json::from_value(row.redirect_uris).map_err(|e| Error::Internal(Box::new(e)))?,
            scopes: scopes(&row.scopes)?,
            created_at: row.created_at,
        })
    }
}

impl TryFrom<codes::Model> for OAuthCode {
    type Error = Error;

    fn try_from(row: codes::Model) -> Result<Self> {
        Ok(Self {
            code_hash: hash(row.code_hash)?,
            client_id: OAuthClientId::from_stored(row.client_id),
            account_id: AccountId::from_stored(row.account_id),
            redirect_uri: row.redirect_uri,
            scopes: scopes(&row.scopes)?,
            code_challenge: row.code_challenge,
            expires_at: row.expires_at,
            session_id: row.session_id.map(SessionId::from_stored),
        })
    }
}

impl Store {
    /// The program with this id, whoever registered it.
    pub async fn oauth_client(&self, id: &OAuthClientId) -> Result<Option<OAuthClient>> {
        let row = clients::Entity::find_by_id(id.as_str())
            .one(&self.read)
            .await
            .map_err(db_error)?;
        row.map(OAuthClient::try_from).transpose()
    }

    /// The programs that an account registered, newest first.
    pub async fn oauth_clients(&self, account_id: &AccountId) -> Result<Vec<OAuthClient>> {
        let rows = clients::Entity::find()
            .filter(clients::Column::AccountId.eq(account_id.as_str()))
            .order_by_desc(clients::Column::Id)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        rows.into_iter().map(OAuthClient::try_from).collect()
    }

    /// Forgets codes whose time was over before this one.
    pub async fn purge_oauth_codes(&self, before: DateTime<Utc>) -> Result<()> {
        codes::Entity::delete_many()
            .filter(codes::Column::ExpiresAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Registers a program.
    pub async fn insert_oauth_client(&self, client: &OAuthClient) -> Result<()> {
        let row = clients::ActiveModel {
            id: Set(client.id.to_string()),
            account_id: Set(client.account_id.to_string()),
            name: Set(client.name.clone()),
            secret_hash: Set(client.secret_hash.to_vec()),
            is_public: Set(client.is_public),
            redirect_uris: Set(client.redirect_uris.clone().into()),
            scopes: Set(client.scopes.to_string()),
            created_at: Set(client.created_at),
        };
        clients::Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Removes a program of this account with its codes and sessions; false where there is none.
    pub async fn delete_oauth_client(&self, account_id: &AccountId, id: &OAuthClientId) -> Result<bool> {
        let done = clients::Entity::delete_many()
            .filter(clients::Column::AccountId.eq(account_id.as_str()))
            .filter(clients::Column::Id.eq(id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }

    /// Keeps a code until it is fetched.
    pub async fn insert_oauth_code(&self, code: &OAuthCode) -> Result<()> {
        let row = codes::ActiveModel {
            code_hash: Set(code.code_hash.to_vec()),
            client_id: Set(code.client_id.to_string()),
            account_id: Set(code.account_id.to_string()),
            redirect_uri: Set(code.redirect_uri.clone()),
            scopes: Set(code.scopes.to_string()),
            code_challenge: Set(code.code_challenge.clone()),
            expires_at: Set(code.expires_at),
            session_id: Set(None),
        };
        codes::Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Forgets every code of an account that no program has fetched yet.
    pub async fn delete_oauth_codes(&self, account_id: &AccountId) -> Result<()> {
        codes::Entity::delete_many()
            .filter(codes::Column::AccountId.eq(account_id.as_str()))
            .filter(codes::Column::SessionId.is_null())
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// A code, locked against others until the transaction ends.
    pub async fn oauth_code(&self, code_hash: &[u8; 32]) -> Result<Option<OAuthCode>> {
        let row = codes::Entity::find_by_id(code_hash.to_vec())
            .lock_exclusive()
            .one(&self.0)
            .await
            .map_err(db_error)?;
        row.map(OAuthCode::try_from).transpose()
    }

    /// Notes for which session a code was spent.
    pub async fn spend_oauth_code(&self, code_hash: &[u8; 32], session_id: &SessionId) -> Result<()> {
        codes::Entity::update_many()
            .col_expr(codes::Column::SessionId, Expr::value(session_id.as_str()))
            .filter(codes::Column::CodeHash.eq(code_hash.to_vec()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
