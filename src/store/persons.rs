//! The table `persons`: whose memories they are, and the revision that tells an index whether it is current.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, QuerySelect};

use super::{Store, Transaction, db_error};
use crate::error::Result;
use crate::model::{Owner, PersonId};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "persons")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: String,
    pub revision: i64,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A person of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The internal id.
    pub id: PersonId,
    /// Grows with every change of the person's memories.
    pub revision: i64,
}

impl Store {
    /// The person, where anything was ever stored about them.
    pub async fn person(&self, owner: &Owner) -> Result<Option<Person>> {
        let row: Option<(String, i64)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Revision])
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(Column::UserId.eq(&owner.user_id))
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.map(|(id, revision)| Person {
            id: PersonId::from_stored(id),
            revision,
        }))
    }
}

impl Transaction {
    /// The person with a new revision, made where there was none. Until the transaction ends, no other one can
    /// change this person.
    pub async fn advance_person(&self, owner: &Owner, now: DateTime<Utc>) -> Result<Person> {
        let row = ActiveModel {
            account_id: Set(owner.account_id.to_string()),
            id: Set(PersonId::generate().into()),
            user_id: Set(owner.user_id.clone()),
            revision: Set(1),
            created_at: Set(now),
        };
        let advance = OnConflict::columns([Column::AccountId, Column::UserId])
            .value(Column::Revision, Expr::col((Entity, Column::Revision)).add(1))
            .to_owned();
        let row = Entity::insert(row)
            .on_conflict(advance)
            .exec_with_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(Person {
            id: PersonId::from_stored(row.id),
            revision: row.revision,
        })
    }
}
