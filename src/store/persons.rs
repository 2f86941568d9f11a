//! The table `persons`: whose memories they are, and the revision that tells an index whether it is current.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait};

use super::deletions::backups;
use super::{Store, Transaction, db_error, embeddings, memories, memory_versions};
use crate::error::Result;
use crate::model::{AccountId, Owner, PersonId};

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
    pub candidate_model: Option<String>,
    pub candidates_since: Option<DateTimeUtc>,
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
    /// The model of the vectors that candidates are written with, for a person whose memories outgrow an instance.
    pub candidate_model: Option<String>,
    /// Whether all of the person's memories have one that can have one.
    pub are_candidates_ready: bool,
}

impl From<Model> for Person {
    fn from(row: Model) -> Self {
        Self {
            id: PersonId::from_stored(row.id),
            revision: row.revision,
            candidate_model: row.candidate_model,
            are_candidates_ready: row.candidates_since.is_some(),
        }
    }
}

impl Store {
    /// The person, where anything was ever stored about them.
    pub async fn person(&self, owner: &Owner) -> Result<Option<Person>> {
        let row = Entity::find()
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(Column::UserId.eq(&owner.user_id))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.map(Person::from))
    }
}

impl Store {
    /// The read replica, where there is one and it knows all of the person's memories up to this revision.
    pub async fn replica_with(&self, owner: &Owner, person: &Person) -> Option<Self> {
        let replica = Self {
            read: self.replica.clone()?,
            ..self.clone()
        };
        let known = replica.person(owner).await.ok().flatten()?;
        (known.id == person.id && known.revision >= person.revision).then_some(replica)
    }

    /// The first `limit` people of an account that come after `user_id`, by that; `among` these alone, where any are
    /// named.
    pub async fn persons_after(
        &self,
        account_id: &AccountId,
        among: &[String],
        user_id: Option<&str>,
        limit: u64,
    ) -> Result<Vec<(Person, Owner)>> {
        let among = Some(among).filter(|among| !among.is_empty());
        let rows = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .apply_if(among, |select, among| select.filter(Column::UserId.is_in(among)))
            .apply_if(user_id, |select, after| select.filter(Column::UserId.gt(after)))
            .order_by_asc(Column::UserId)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let person = |row: Model| {
            let owner = Owner {
                account_id: account_id.clone(),
                user_id: row.user_id.clone(),
            };
            (Person::from(row), owner)
        };
        Ok(rows.into_iter().map(person).collect())
    }
}

/// What was deleted with a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedPerson {
    /// Memories.
    pub memories: u64,
    /// Versions of memories, the current ones included.
    pub versions: u64,
    /// Vectors.
    pub embeddings: u64,
    /// Biographies, earlier ones included.
    pub bios: u64,
    /// Background tasks.
    pub tasks: u64,
    /// Backups.
    pub backups: u64,
}

impl Transaction {
    /// Deletes a person with everything that belongs to them; says how much that was.
    pub async fn delete_person(&self, owner: &Owner) -> Result<ErasedPerson> {
        let tasks = self.delete_tasks(owner).await?;
        self.delete_idempotency_records(owner).await?;
        let of_person = || {
            Entity::find()
                .filter(Column::AccountId.eq(owner.account_id.as_str()))
                .filter(Column::UserId.eq(&owner.user_id))
        };
        let Some(person) = of_person().lock_exclusive().one(&self.0).await.map_err(db_error)? else {
            return Ok(ErasedPerson {
                tasks,
                ..ErasedPerson::default()
            });
        };
        let ids = sea_orm::sea_query::Query::select()
            .column(memories::Column::Id)
            .from(memories::Entity)
            .and_where(memories::Column::AccountId.eq(owner.account_id.as_str()))
            .and_where(memories::Column::PersonId.eq(&person.id))
            .to_owned();
        let memories = memories::Entity::find()
            .filter(memories::Column::AccountId.eq(owner.account_id.as_str()))
            .filter(memories::Column::PersonId.eq(&person.id))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        let earlier = memory_versions::Entity::find()
            .filter(memory_versions::Column::AccountId.eq(owner.account_id.as_str()))
            .filter(memory_versions::Column::MemoryId.in_subquery(ids.clone()))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        let embeddings = embeddings::Entity::find()
            .filter(embeddings::Column::AccountId.eq(owner.account_id.as_str()))
            .filter(embeddings::Column::MemoryId.in_subquery(ids))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        let backups = backups::Entity::find()
            .filter(backups::Column::AccountId.eq(owner.account_id.as_str()))
            .filter(backups::Column::PersonId.eq(&person.id))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        self.redact_deletions(&owner.account_id, &person.id).await?;
        let bios = self.count_bios(owner.account_id.as_str(), &person.id).await?;
        Entity::delete_many()
            .filter(Column::AccountId.eq(owner.account_id.as_str()))
            .filter(Column::Id.eq(&person.id))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(ErasedPerson {
            memories,
            versions: earlier + memories,
            embeddings,
            bios,
            tasks,
            backups,
        })
    }

    /// The person with a new revision, made where there was none. Until the transaction ends, no other one can
    /// change this person.
    pub async fn advance_person(&self, owner: &Owner, now: DateTime<Utc>) -> Result<Person> {
        let row = ActiveModel {
            account_id: Set(owner.account_id.to_string()),
            id: Set(PersonId::generate().into()),
            user_id: Set(owner.user_id.clone()),
            revision: Set(1),
            created_at: Set(now),
            candidate_model: Set(None),
            candidates_since: Set(None),
        };
        let advance = OnConflict::columns([Column::AccountId, Column::UserId])
            .value(Column::Revision, Expr::col((Entity, Column::Revision)).add(1))
            .to_owned();
        let row = Entity::insert(row)
            .on_conflict(advance)
            .exec_with_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(row.into())
    }
}
