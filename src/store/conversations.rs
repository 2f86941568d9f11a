//! The table `conversations`: how many messages of each thread have come.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};

use super::{Store, Transaction, db_error};
use crate::error::Result;
use crate::model::{AccountId, PersonId};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub person_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub thread_id: String,
    pub next_position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// The position of the next message of a thread. It moves only with the person's revision.
    pub async fn next_position(&self, account_id: &AccountId, person_id: &PersonId, thread_id: &str) -> Result<i64> {
        let key = (account_id.to_string(), person_id.to_string(), thread_id.to_owned());
        let row = Entity::find_by_id(key).one(&self.read).await.map_err(db_error)?;
        Ok(row.map_or(0, |row| row.next_position))
    }
}

impl Transaction {
    /// Counts `messages` more messages of a thread; gives the position of the first of them.
    pub async fn advance_conversation(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        thread_id: &str,
        messages: i64,
    ) -> Result<i64> {
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            person_id: Set(person_id.to_string()),
            thread_id: Set(thread_id.to_owned()),
            next_position: Set(messages),
        };
        let advance = OnConflict::columns([Column::AccountId, Column::PersonId, Column::ThreadId])
            .value(
                Column::NextPosition,
                Expr::col((Entity, Column::NextPosition)).add(messages),
            )
            .to_owned();
        let row = Entity::insert(row)
            .on_conflict(advance)
            .exec_with_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(row.next_position - messages)
    }

    /// Lets a thread go on at `next` at the earliest.
    pub async fn raise_conversation(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        thread_id: &str,
        next: i64,
    ) -> Result<()> {
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            person_id: Set(person_id.to_string()),
            thread_id: Set(thread_id.to_owned()),
            next_position: Set(next),
        };
        let position = || Expr::col((Entity, Column::NextPosition));
        let later = Expr::case(position().lt(next), next).finally(position());
        let raise = OnConflict::columns([Column::AccountId, Column::PersonId, Column::ThreadId])
            .value(Column::NextPosition, later)
            .to_owned();
        Entity::insert(row)
            .on_conflict(raise)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
