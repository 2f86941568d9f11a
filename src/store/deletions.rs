//! The tables `memory_deletions` and `backups`.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};

use super::vault::AccountCipher;
use super::{PersonChange, Store, Transaction, db_error, memories, memory_versions as versions, persons};
use crate::error::{Error, Result};
use crate::model::{AccountId, BackupId, Memory, MemoryId, Owner, PersonId};

/// A statement takes 32,766 bound values on SQLite.
const IDS_PER_STATEMENT: usize = 10_000;

pub(super) mod tombstones {
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

/// Deleted memories with their versions, to seal in a backup.
#[derive(Serialize, Deserialize)]
pub struct DeletedMemories {
    pub(super) memories: Vec<memories::Model>,
    versions: Vec<versions::Model>,
    /// What each had replaced, and what that had replaced, and so on; absent in backups of before they held it.
    #[serde(default)]
    pub(super) lineages: HashMap<String, Vec<String>>,
    /// Biographies that rested on them and went with them.
    #[serde(skip)]
    bios: u64,
}

/// A backup of deleted memories.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// Whose memories.
    pub owner: Owner,
    /// When it is forgotten.
    pub expires_at: DateTime<Utc>,
}

impl DeletedMemories {
    /// Adds what each had replaced, from [`Transaction::lineages`].
    pub fn with_lineages(self, lineages: HashMap<String, Vec<String>>) -> Self {
        Self { lineages, ..self }
    }

    /// Their current versions.
    pub fn versions(&self) -> impl Iterator<Item = i64> {
        self.memories.iter().map(|memory| memory.version)
    }

    /// How many biographies went with them.
    pub const fn bios(&self) -> u64 {
        self.bios
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.memories.iter().map(|memory| memory.id.as_str())
    }
}

fn opened(backup: &backups::Model, cipher: &AccountCipher) -> Result<DeletedMemories> {
    let plain = cipher.open(&backup.sealed, &backup.id)?;
    serde_json::from_slice(&plain).map_err(|e| Error::Internal(Box::new(e)))
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

    /// The backup with this id, of this account or whosever it is, unless its time is over.
    pub async fn backup(
        &self,
        account_id: Option<&AccountId>,
        id: &BackupId,
        now: DateTime<Utc>,
    ) -> Result<Option<Backup>> {
        let row = backups::Entity::find()
            .apply_if(account_id, |select, account_id| {
                select.filter(backups::Column::AccountId.eq(account_id.as_str()))
            })
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
            expires_at: row.expires_at,
        }))
    }

    /// Memories whose time is over, at most `limit`, by person.
    pub async fn expired_memories(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<(Owner, Vec<MemoryId>)>> {
        let rows: Vec<(String, String, String)> = memories::Entity::find()
            .select_only()
            .columns([
                memories::Column::AccountId,
                memories::Column::PersonId,
                memories::Column::Id,
            ])
            .filter(memories::Column::ExpiresAt.lte(now))
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let mut of_person: BTreeMap<(String, String), Vec<MemoryId>> = BTreeMap::new();
        for (account_id, person_id, id) in rows {
            let ids = of_person.entry((account_id, person_id)).or_default();
            ids.push(MemoryId::from_stored(id));
        }
        let mut expired = Vec::with_capacity(of_person.len());
        for (key, ids) in of_person {
            let person = persons::Entity::find_by_id(key)
                .one(&self.read)
                .await
                .map_err(db_error)?;
            if let Some(person) = person {
                let owner = Owner {
                    account_id: AccountId::from_stored(person.account_id),
                    user_id: person.user_id,
                };
                expired.push((owner, ids));
            }
        }
        Ok(expired)
    }

    /// The memories that a backup holds, in the order in which [`Transaction::restore_backup`] gives them; nothing where the
    /// backup is gone.
    pub async fn memories_in_backup(&self, backup: &Backup) -> Result<Option<Vec<Memory>>> {
        let Owner { account_id, user_id } = &backup.owner;
        let key = (account_id.to_string(), backup.id.to_string());
        let row = backups::Entity::find_by_id(key)
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        let cipher = self.cipher(account_id).await?;
        let taken = opened(&row, &cipher)?;
        let memory = |memory: memories::Model| Ok(memory.opened(user_id, Some(&cipher))?.memory);
        taken.memories.into_iter().map(memory).collect::<Result<_>>().map(Some)
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
        now: DateTime<Utc>,
    ) -> Result<DeletedMemories> {
        let mut taken = DeletedMemories {
            memories: Vec::new(),
            versions: Vec::new(),
            lineages: HashMap::new(),
            bios: 0,
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
        if !found.is_empty() {
            taken.bios = self.forget_bios_of(account_id, person_id, ids, true, now).await?;
        }
        Ok(taken)
    }

    /// Puts the memories of a backup back, and forgets the backup. They are as they were, but where something newer took
    /// their place meanwhile; what they had replaced is closed again. Gives them; nothing where the backup is gone already.
    pub async fn restore_backup(&self, backup: &Backup, change: &PersonChange<'_>) -> Result<Option<Vec<Memory>>> {
        let PersonChange {
            person_id,
            revision,
            now,
            ..
        } = *change;
        let Owner { account_id, user_id } = &backup.owner;
        let key = (account_id.to_string(), backup.id.to_string());
        let row = backups::Entity::find_by_id(key.clone())
            .lock_exclusive()
            .one(&self.0)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        let cipher = self.cipher(account_id, now).await?;
        let taken = opened(&row, &cipher)?;
        let mut memories = Vec::with_capacity(taken.memories.len());
        // One by one: a restore is rare, and rows are wide.
        for memory in &taken.memories {
            let mut row: memories::ActiveModel = memory.clone().into();
            row.account_id = Set(account_id.to_string());
            row.person_id = Set(person_id.to_string());
            row.revision = Set(revision);
            let inserted = memories::Entity::insert(row.reset_all());
            inserted.exec_without_returning(&self.0).await.map_err(db_error)?;
            memories.push(memory.clone().opened(user_id, Some(&cipher))?.memory);
        }
        for version in &taken.versions {
            let mut row: versions::ActiveModel = version.clone().into();
            row.account_id = Set(account_id.to_string());
            let inserted = versions::Entity::insert(row.reset_all());
            inserted.exec_without_returning(&self.0).await.map_err(db_error)?;
        }
        self.settle_restored(change, &taken).await?;
        backups::Entity::delete_by_id(key)
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(Some(memories))
    }

    /// Keeps a backup of what was taken out, sealed.
    pub async fn insert_backup(
        &self,
        person_id: &PersonId,
        backup: &Backup,
        taken: &DeletedMemories,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let account_id = &backup.owner.account_id;
        let plain = serde_json::to_vec(taken).map_err(|e| Error::Internal(Box::new(e)))?;
        let cipher = self.cipher(account_id, now).await?;
        let row = backups::ActiveModel {
            account_id: Set(account_id.to_string()),
            id: Set(backup.id.to_string()),
            person_id: Set(person_id.to_string()),
            sealed: Set(cipher.seal(&plain, backup.id.as_str())?),
            created_at: Set(now),
            expires_at: Set(backup.expires_at),
        };
        backups::Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_backup_of_before_precision_and_instructions_is_read_without_them() {
        let time = "2026-05-03T00:00:00Z";
        let memory = json!({
            "account_id": "a", "id": "mem_1", "person_id": "p", "revision": 1, "version": 2, "text": "User has a bike.",
            "memory_type": "semantic", "categories": "interests", "category_bits": 4, "importance": 0.5, "reinforced": 0,
            "source": "s", "agent_id": "a", "thread_id": "t", "metadata": null, "event_time": time, "sources": [],
            "context": null, "operation": "updated", "changed_by": "key_1", "superseded_by": null, "created_at": time,
            "updated_at": time, "expires_at": null, "sealed": null,
        });
        let version = json!({
            "account_id": "a", "memory_id": "mem_1", "version": 1, "text": "User bought a bike.",
            "memory_type": "episodic", "categories": "interests", "operation": "added", "changed_by": "key_1",
            "changed_at": time, "sealed": null, "importance": 0.5, "metadata": null, "event_time": time,
            "superseded_by": null,
        });
        let plain = json!({"memories": [memory], "versions": [version]});
        let taken: DeletedMemories = serde_json::from_value(plain).unwrap();
        let (memory, version) = (taken.memories.into_iter().next(), taken.versions.into_iter().next());
        let memory = memory.unwrap().opened("", None).unwrap().memory;
        assert!(memory.event_time.is_some());
        assert_eq!((memory.event_time_precision, memory.is_instruction), (None, false));
        let version = version.unwrap().opened(None).unwrap();
        assert!(version.event_time.is_some());
        assert_eq!((version.event_time_precision, version.is_instruction), (None, false));
    }
}
