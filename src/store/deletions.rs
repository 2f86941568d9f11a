//! The tables `memory_deletions`, `backups` and `account_keys`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, QuerySelect};
use serde::{Deserialize, Serialize};

use super::{Store, Transaction, db_error, memories, memory_versions as versions, persons};
use crate::error::{Error, Result};
use crate::model::{AccountId, BackupId, MemoryId, Owner, PersonId};

/// A statement takes 32,766 bound values on SQLite.
const IDS_PER_STATEMENT: usize = 10_000;

mod tombstones {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "memory_deletions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub memory_id: String,
        pub person_id: String,
        pub revision: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod backups {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "backups")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub person_id: String,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod account_keys {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub wrapped_key: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Deleted memories with their versions, to seal in a backup.
#[derive(Serialize, Deserialize)]
pub struct DeletedMemories {
    memories: Vec<memories::Model>,
    versions: Vec<versions::Model>,
}

/// A sealed backup.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// Whose memories.
    pub owner: Owner,
    /// The memories, sealed.
    pub sealed: Vec<u8>,
    /// When it is forgotten.
    pub expires_at: DateTime<Utc>,
}

impl DeletedMemories {
    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.memories.iter().map(|memory| memory.id.as_str())
    }

    /// Their ids and texts.
    pub fn texts(&self) -> impl Iterator<Item = (MemoryId, &str)> {
        let pair = |memory: &memories::Model| MemoryId::from_stored(&memory.id);
        self.memories
            .iter()
            .map(move |memory| (pair(memory), memory.text.as_str()))
    }
}

impl Store {
    /// Which of the person's memories were deleted after `revision`.
    pub async fn deletions_since(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
    ) -> Result<Vec<MemoryId>> {
        let ids: Vec<String> = tombstones::Entity::find()
            .select_only()
            .column(tombstones::Column::MemoryId)
            .filter(tombstones::Column::AccountId.eq(account_id.as_str()))
            .filter(tombstones::Column::PersonId.eq(person_id.as_str()))
            .filter(tombstones::Column::Revision.gt(revision))
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        Ok(ids.into_iter().map(MemoryId::from_stored).collect())
    }

    /// The backup with this id, whosever it is, unless its time is over.
    pub async fn backup(&self, id: &BackupId, now: DateTime<Utc>) -> Result<Option<Backup>> {
        let row = backups::Entity::find()
            .filter(backups::Column::Id.eq(id.as_str()))
            .filter(backups::Column::ExpiresAt.gt(now))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        let person = persons::Entity::find_by_id((row.account_id.clone(), row.person_id))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(person.map(|person| Backup {
            id: BackupId::from_stored(row.id),
            owner: Owner {
                account_id: AccountId::from_stored(row.account_id),
                user_id: person.user_id,
            },
            sealed: row.sealed,
            expires_at: row.expires_at,
        }))
    }

    /// Forgets backups whose time was over before this one.
    pub async fn purge_backups(&self, before: DateTime<Utc>) -> Result<()> {
        backups::Entity::delete_many()
            .filter(backups::Column::ExpiresAt.lt(before))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Takes memories of a person out of the database, with their versions and vectors; ids of none are passed over.
    pub async fn take_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        ids: &[MemoryId],
    ) -> Result<DeletedMemories> {
        let mut taken = DeletedMemories {
            memories: Vec::new(),
            versions: Vec::new(),
        };
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let found = memories::Entity::find()
                .filter(memories::Column::AccountId.eq(account_id.as_str()))
                .filter(memories::Column::PersonId.eq(person_id.as_str()))
                .filter(memories::Column::Id.is_in(chunk.iter().map(MemoryId::as_str)))
                .all(&self.0)
                .await
                .map_err(db_error)?;
            taken.memories.extend(found);
        }
        let found: Vec<String> = taken.ids().map(str::to_owned).collect();
        for chunk in found.chunks(IDS_PER_STATEMENT) {
            let earlier = versions::Entity::find()
                .filter(versions::Column::AccountId.eq(account_id.as_str()))
                .filter(versions::Column::MemoryId.is_in(chunk))
                .all(&self.0)
                .await
                .map_err(db_error)?;
            taken.versions.extend(earlier);
            memories::Entity::delete_many()
                .filter(memories::Column::AccountId.eq(account_id.as_str()))
                .filter(memories::Column::Id.is_in(chunk))
                .exec(&self.0)
                .await
                .map_err(db_error)?;
            let tombstones = chunk.iter().map(|id| tombstones::ActiveModel {
                account_id: Set(account_id.to_string()),
                memory_id: Set(id.clone()),
                person_id: Set(person_id.to_string()),
                revision: Set(revision),
            });
            let again = OnConflict::columns([tombstones::Column::AccountId, tombstones::Column::MemoryId])
                .update_column(tombstones::Column::Revision)
                .to_owned();
            tombstones::Entity::insert_many(tombstones)
                .on_conflict(again)
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(taken)
    }

    /// Puts memories back that were taken out, as they were.
    pub async fn put_back_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        taken: &DeletedMemories,
    ) -> Result<()> {
        // One by one: a restore is rare, and rows are wide.
        for memory in &taken.memories {
            let mut row: memories::ActiveModel = memory.clone().into();
            row.account_id = Set(account_id.to_string());
            row.person_id = Set(person_id.to_string());
            row.revision = Set(revision);
            let inserted = memories::Entity::insert(row.reset_all());
            inserted.exec_without_returning(&self.0).await.map_err(db_error)?;
        }
        for version in &taken.versions {
            let mut row: versions::ActiveModel = version.clone().into();
            row.account_id = Set(account_id.to_string());
            let inserted = versions::Entity::insert(row.reset_all());
            inserted.exec_without_returning(&self.0).await.map_err(db_error)?;
        }
        Ok(())
    }

    /// Keeps a sealed backup.
    pub async fn insert_backup(&self, person_id: &PersonId, backup: &Backup, now: DateTime<Utc>) -> Result<()> {
        let row = backups::ActiveModel {
            account_id: Set(backup.owner.account_id.to_string()),
            id: Set(backup.id.to_string()),
            person_id: Set(person_id.to_string()),
            sealed: Set(backup.sealed.clone()),
            created_at: Set(now),
            expires_at: Set(backup.expires_at),
        };
        backups::Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Forgets a backup; false where it is gone already.
    pub async fn delete_backup(&self, account_id: &AccountId, id: &BackupId) -> Result<bool> {
        let done = backups::Entity::delete_by_id((account_id.to_string(), id.to_string()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(done.rows_affected == 1)
    }

    /// The account's key, as it is kept.
    pub async fn account_key(&self, account_id: &AccountId) -> Result<Option<Vec<u8>>> {
        let row = account_keys::Entity::find_by_id(account_id.as_str())
            .one(&self.0)
            .await
            .map_err(db_error)?;
        Ok(row.map(|row| row.wrapped_key))
    }

    /// Keeps a key for the account, unless another came first; gives the one that is kept.
    pub async fn insert_account_key(
        &self,
        account_id: &AccountId,
        wrapped_key: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>> {
        let row = account_keys::ActiveModel {
            account_id: Set(account_id.to_string()),
            wrapped_key: Set(wrapped_key.to_vec()),
            created_at: Set(now),
        };
        let first = OnConflict::column(account_keys::Column::AccountId)
            .do_nothing()
            .to_owned();
        let inserted = account_keys::Entity::insert(row)
            .on_conflict(first)
            .exec_without_returning(&self.0)
            .await;
        match inserted {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(e) => return Err(db_error(e)),
        }
        self.account_key(account_id)
            .await?
            .ok_or_else(|| Error::Internal("an account's key is gone".into()))
    }
}
