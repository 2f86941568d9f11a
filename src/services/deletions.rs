//! Deleting memories, and bringing them back from a backup.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Actor;
use super::indexes::{embed, new_embeddings, texts};
use super::memories::MemoryService;
use crate::error::{Error, Result};
use crate::model::{BackupId, Caller, MemoryId, Origin, Owner};
use crate::store::{Backup, MEMORY_DELETED, PersonChange};

/// How long a backup is kept.
const BACKUP_DAYS: i64 = 30;
/// Expired memories that are read at one time.
const EXPIRED_AT_ONCE: u64 = 1_000;

/// What a deletion did.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// The memories that are gone, in the order of the request.
    pub deleted: Vec<MemoryId>,
    /// Ids that name no memory of the person.
    pub not_found: Vec<MemoryId>,
    /// When.
    pub deleted_at: DateTime<Utc>,
    /// The backup, where one was wanted and anything is gone.
    pub backup_id: Option<BackupId>,
    /// Biographies that rested on them and are gone with them.
    pub bios: u64,
    /// Memories whose place they had taken, which hold again.
    pub restored: Vec<MemoryId>,
}

/// How to delete.
#[derive(Clone, Copy, Debug)]
pub struct DeletionOptions {
    /// Keep a backup for 30 days.
    pub backup: bool,
    /// Have what the deleted memories had taken the place of hold again.
    pub restore_superseded: bool,
}

impl MemoryService {
    /// Deletes memories of a person with their versions and vectors: all that there are of these, or none. They leave
    /// search at once. With a backup they can be brought back for 30 days.
    pub async fn delete(
        &self,
        actor: &Actor,
        owner: &Owner,
        ids: &[MemoryId],
        options: DeletionOptions,
    ) -> Result<Deletion> {
        self.delete_as(actor, owner, ids, None, options).await
    }

    /// [`Self::delete`] of one memory. [`Error::DeletionConflict`] where its current version is not `expected`.
    pub async fn delete_one(
        &self,
        actor: &Actor,
        owner: &Owner,
        id: &MemoryId,
        expected: Option<i64>,
        options: DeletionOptions,
    ) -> Result<Deletion> {
        self.delete_as(actor, owner, std::slice::from_ref(id), expected, options)
            .await
    }

    async fn delete_as(
        &self,
        actor: &Actor,
        owner: &Owner,
        ids: &[MemoryId],
        expected: Option<i64>,
        options: DeletionOptions,
    ) -> Result<Deletion> {
        let now = self.clock.now();
        let nothing = || Deletion {
            deleted: Vec::new(),
            not_found: ids.to_vec(),
            deleted_at: now,
            backup_id: None,
            bios: 0,
            restored: Vec::new(),
        };
        if self.store.person(owner).await?.is_none() {
            return Ok(nothing());
        }
        let slot = self.indexes.slot(owner).await;
        let guard = slot.lock().await;
        let account = &owner.account_id;
        let transaction = self.store.begin().await?;
        let person = transaction.advance_person(owner, now).await?;
        let mut taken = transaction
            .take_memories(account, &person.id, person.revision, ids, now)
            .await?;
        let gone: HashSet<String> = taken.ids().map(str::to_owned).collect();
        if gone.is_empty() {
            return Ok(nothing());
        }
        if expected.is_some_and(|version| taken.versions().any(|current| current != version)) {
            return Err(Error::DeletionConflict);
        }
        let (deleted, not_found): (Vec<MemoryId>, Vec<MemoryId>) =
            ids.iter().cloned().partition(|id| gone.contains(id.as_str()));
        let change = PersonChange {
            account_id: account,
            person_id: &person.id,
            revision: person.revision,
            changed_by: actor.credential(),
            now,
        };
        let mut backup_id = None;
        if options.backup {
            let lineages = transaction.lineages(&change, &taken).await?;
            taken = taken.with_lineages(lineages);
            let backup = Backup {
                id: BackupId::generate(),
                owner: owner.clone(),
                expires_at: now + TimeDelta::days(BACKUP_DAYS),
            };
            transaction.insert_backup(&person.id, &backup, &taken, now).await?;
            backup_id = Some(backup.id);
        }
        let restored = transaction
            .settle_predecessors(&change, &taken, options.restore_superseded)
            .await?;
        for id in &deleted {
            let event = actor.did(MEMORY_DELETED, Some(id.as_str()), account, now);
            transaction.insert_audit_event(&event).await?;
        }
        transaction.commit().await?;
        self.indexes.refresh(owner, &slot, &guard).await?;
        self.store.scrub().await;
        Ok(Deletion {
            deleted,
            not_found,
            deleted_at: now,
            backup_id,
            bios: taken.bios(),
            restored,
        })
    }

    /// Brings back what a backup of the caller's account holds. [`Error::BackupNotFound`] also where it is of a person
    /// whom the caller may not touch.
    pub async fn restore_own(&self, caller: &Caller, origin: &Origin, id: &BackupId) -> Result<Vec<MemoryId>> {
        let backup = self
            .store
            .backup(Some(&caller.account_id), id, self.clock.now())
            .await?;
        let backup = backup.filter(|backup| caller.grant.covers_person(&backup.owner.user_id));
        let backup = backup.ok_or(Error::BackupNotFound)?;
        self.bring_back(&Actor::caller(caller, origin), &backup).await
    }

    /// Brings back what a backup holds, whosever it is, for whoever runs the command line. The backup is spent. Gives the
    /// ids.
    pub async fn restore(&self, id: &BackupId) -> Result<Vec<MemoryId>> {
        let backup = self.store.backup(None, id, self.clock.now()).await?;
        let backup = backup.ok_or(Error::BackupNotFound)?;
        self.bring_back(&Actor::operator(), &backup).await
    }

    async fn bring_back(&self, actor: &Actor, backup: &Backup) -> Result<Vec<MemoryId>> {
        let now = self.clock.now();
        let account = &backup.owner.account_id;
        let slot = self.indexes.slot(&backup.owner).await;
        let guard = slot.lock().await;
        let transaction = self.store.begin().await?;
        self.hold_quota(&transaction, account).await?;
        let person = transaction.advance_person(&backup.owner, now).await?;
        let quotas = self.quotas(&transaction, account, &person.id).await?;
        let change = PersonChange {
            account_id: account,
            person_id: &person.id,
            revision: person.revision,
            changed_by: actor.credential(),
            now,
        };
        let memories = transaction
            .restore_backup(backup, &change)
            .await?
            .ok_or(Error::BackupNotFound)?;
        quotas.admit(memories.len())?;
        let vectors = embed(&*self.embedder, &texts(&memories))?;
        let embeddings = new_embeddings(&memories, &vectors);
        self.write_embeddings(&transaction, &backup.owner, &person, &embeddings)
            .await?;
        let event = actor.did("backup.restored", Some(backup.id.as_str()), account, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.indexes.refresh(&backup.owner, &slot, &guard).await?;
        Ok(memories.into_iter().map(|memory| memory.id).collect())
    }

    /// Deletes memories whose time is over, for good; says how many. What others change meanwhile, the next call sees.
    pub async fn forget_expired(&self) -> Result<usize> {
        let mut forgotten = 0;
        loop {
            let now = self.clock.now();
            let expired = self.store.expired_memories(now, EXPIRED_AT_ONCE).await?;
            if expired.is_empty() {
                break;
            }
            for (owner, ids) in expired {
                let transaction = self.store.begin().await?;
                let person = transaction.advance_person(&owner, now).await?;
                let taken = transaction
                    .take_memories(&owner.account_id, &person.id, person.revision, &ids, now)
                    .await?;
                forgotten += taken.ids().count();
                transaction.commit().await?;
            }
        }
        if forgotten > 0 {
            self.store.scrub().await;
        }
        Ok(forgotten)
    }

    /// Forgets backups, tasks and idempotency keys that are too old.
    pub async fn purge(&self) -> Result<()> {
        self.purge_idempotency().await?;
        self.purge_tasks().await?;
        self.store.purge_backups(self.clock.now()).await?;
        self.store.scrub().await;
        Ok(())
    }
}
