//! The table `users`: accounts.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use super::{Store, db_error, is_unique_violation};
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
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<Model> for Account {
    fn from(row: Model) -> Self {
        Self {
            id: AccountId::from_stored(row.id),
            email: row.email,
            name: row.name,
            created_at: row.created_at,
        }
    }
}

impl Store {
    /// Makes an account. [`Error::Conflict`] where the address is taken.
    pub async fn insert_account(&self, account: &Account) -> Result<()> {
        let row = ActiveModel {
            id: Set(account.id.to_string()),
            email: Set(account.email.clone()),
            name: Set(account.name.clone()),
            password_hash: Set(None),
            created_at: Set(account.created_at),
        };
        match Entity::insert(row).exec_without_returning(&self.write).await {
            Ok(_) => Ok(()),
            Err(e) if is_unique_violation(&e) => Err(Error::Conflict("This e-mail address has an account already")),
            Err(e) => Err(db_error(e)),
        }
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

    /// Whether there is no account at all.
    pub async fn has_no_accounts(&self) -> Result<bool> {
        Ok(Entity::find().one(&self.read).await.map_err(db_error)?.is_none())
    }

    /// Deletes an account with its keys, persons and memories.
    pub async fn delete_account(&self, account_id: &AccountId) -> Result<bool> {
        let done = Entity::delete_by_id(account_id.as_str())
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected > 0)
    }
}
