//! The table `users`: accounts.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::{Store, Transaction, api_keys, db_error, is_unique_violation, memories, persons};
use crate::error::{Error, Result};
use crate::model::AccountId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(unique)]
    pub email: String,
    pub name: Option<String>,
    pub password_hash: Option<String>,
    pub created_at: DateTimeUtc,
    pub episodic_lifetime_s: Option<i64>,
    pub made_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its e-mail address, lower-case, unique.
    pub email: String,
    /// What the person is called.
    pub name: Option<String>,
    /// The hash of the password, as a PHC string; an account without one can't sign in.
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How it was made; programs until 0.1.0 did not write that down.
    pub made_by: Option<MadeBy>,
}

/// How an account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// By the first start on an empty database.
    FirstStart,
    /// By whoever runs the command line.
    CommandLine,
    /// By somebody who registered over the API.
    Registration,
}

impl MadeBy {
    const ALL: [Self; 3] = [Self::FirstStart, Self::CommandLine, Self::Registration];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstStart => "first_start",
            Self::CommandLine => "command_line",
            Self::Registration => "registration",
        }
    }

    fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|made_by| made_by.as_str() == word)
    }
}

impl From<Model> for Account {
    fn from(row: Model) -> Self {
        Self {
            id: AccountId::from_stored(row.id),
            email: row.email,
            name: row.name,
            password_hash: row.password_hash,
            created_at: row.created_at,
            made_by: row.made_by.as_deref().and_then(MadeBy::from_stored),
        }
    }
}

impl Store {
    /// The oldest account that was made so.
    pub async fn first_account_made_by(&self, made_by: MadeBy) -> Result<Option<Account>> {
        let row = Entity::find()
            .filter(Column::MadeBy.eq(made_by.as_str()))
            .order_by_asc(Column::Id)
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.map(Account::from))
    }

    /// The account with this (lower-case) address.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        let row = Entity::find()
            .filter(Column::Email.eq(email))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.map(Account::from))
    }

    /// Every account, oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let rows = Entity::find()
            .order_by_asc(Column::Id)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        Ok(rows.into_iter().map(Account::from).collect())
    }

    /// How long the account keeps episodic memories that are stored without an end; for ever when absent.
    pub async fn episodic_lifetime(&self, account_id: &AccountId) -> Result<Option<TimeDelta>> {
        let row: Option<Option<i64>> = Entity::find_by_id(account_id.as_str())
            .select_only()
            .column(Column::EpisodicLifetimeS)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.flatten().and_then(TimeDelta::try_seconds))
    }

    /// Whether there is no account at all.
    pub async fn has_no_accounts(&self) -> Result<bool> {
        Ok(Entity::find().one(&self.read).await.map_err(db_error)?.is_none())
    }

    /// Deletes an account with everything that belongs to it; says how much that was.
    pub async fn delete_account(&self, account_id: &AccountId) -> Result<ErasedAccount> {
        let transaction = self.begin().await?;
        let persons = persons::Entity::find()
            .filter(persons::Column::AccountId.eq(account_id.as_str()))
            .count(&transaction.0);
        let memories = memories::Entity::find()
            .filter(memories::Column::AccountId.eq(account_id.as_str()))
            .count(&transaction.0);
        let api_keys = api_keys::Entity::find()
            .filter(api_keys::Column::AccountId.eq(account_id.as_str()))
            .count(&transaction.0);
        let mut erased = ErasedAccount {
            accounts: 0,
            persons: persons.await.map_err(db_error)?,
            memories: memories.await.map_err(db_error)?,
            api_keys: api_keys.await.map_err(db_error)?,
        };
        let done = Entity::delete_by_id(account_id.as_str())
            .exec(&transaction.0)
            .await
            .map_err(db_error)?;
        erased.accounts = done.rows_affected;
        transaction.commit().await?;
        Ok(erased)
    }
}

/// What was deleted with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasedAccount {
    /// The account itself; 0 where there was none.
    pub accounts: u64,
    /// People.
    pub persons: u64,
    /// Memories.
    pub memories: u64,
    /// Keys.
    pub api_keys: u64,
}

impl Transaction {
    /// Makes an account. [`Error::EmailTaken`] where the address has one.
    pub async fn insert_account(&self, account: &Account) -> Result<()> {
        let row = ActiveModel {
            id: Set(account.id.to_string()),
            email: Set(account.email.clone()),
            name: Set(account.name.clone()),
            password_hash: Set(account.password_hash.clone()),
            created_at: Set(account.created_at),
            episodic_lifetime_s: Set(None),
            made_by: Set(account.made_by.map(|made_by| made_by.as_str().to_owned())),
        };
        match Entity::insert(row).exec_without_returning(&self.0).await {
            Ok(_) => Ok(()),
            Err(e) if is_unique_violation(&e) => Err(Error::EmailTaken),
            Err(e) => Err(db_error(e)),
        }
    }

    /// Whether an account still has the password that it was read with; until the transaction ends, nobody changes it.
    pub async fn has_same_password(&self, account: &Account) -> Result<bool> {
        let row = Entity::find_by_id(account.id.as_str())
            .lock_exclusive()
            .one(&self.0)
            .await
            .map_err(db_error)?;
        Ok(row.is_some_and(|row| row.password_hash == account.password_hash))
    }

    /// Puts another password hash in the place of `old`; false where the stored one is not `old` any more.
    pub async fn replace_password(&self, id: &AccountId, old: &str, new: &str) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(new))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::PasswordHash.eq(old))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }

    /// Gives an account without a password an address and one; false where it has one. [`Error::EmailTaken`] where the
    /// address has another account.
    pub async fn set_up_account(&self, id: &AccountId, email: &str, password_hash: &str) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::Email, Expr::value(email))
            .col_expr(Column::PasswordHash, Expr::value(password_hash))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::PasswordHash.is_null())
            .exec(&self.0)
            .await;
        match done {
            Ok(done) => Ok(done.rows_affected == 1),
            Err(e) if is_unique_violation(&e) => Err(Error::EmailTaken),
            Err(e) => Err(db_error(e)),
        }
    }

    /// Changes the password, whatever it was.
    pub async fn set_password(&self, id: &AccountId, hash: &str) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(hash))
            .filter(Column::Id.eq(id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Makes others who hold the account wait until this transaction ends.
    pub async fn hold_account(&self, account_id: &AccountId) -> Result<()> {
        Entity::find_by_id(account_id.as_str())
            .select_only()
            .column(Column::Id)
            // Whoever only refers to the account, as a new person does, need not wait.
            .lock(LockType::NoKeyUpdate)
            .into_tuple::<String>()
            .one(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Changes how long the account keeps episodic memories that are stored from now on.
    pub async fn set_episodic_lifetime(&self, account_id: &AccountId, lifetime: Option<TimeDelta>) -> Result<()> {
        let seconds = lifetime.map(|lifetime| lifetime.num_seconds());
        Entity::update_many()
            .col_expr(Column::EpisodicLifetimeS, Expr::value(seconds))
            .filter(Column::Id.eq(account_id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
