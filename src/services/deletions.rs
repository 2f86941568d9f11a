//! Deleting memories, and bringing them back from a backup.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Actor;
use super::indexes::embed;
use super::memories::MemoryService;
use crate::error::{Error, Result};
use crate::model::{BackupId, MemoryId, Owner};
use crate::store::{Backup, DeletedMemories};

/// How long a backup is kept.
const BACKUP_DAYS: i64 = 30;

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
}

impl MemoryService {
    /// Deletes memories of a person with their versions and vectors: all that there are of these, or none. They leave
    /// search at once. With `backup` they can be brought back for 30 days, by whoever runs the command line.
    pub async fn delete(&self, actor: &Actor, owner: &Owner, ids: &[MemoryId], backup: bool) -> Result<Deletion> {
        let now = self.clock.now();
        let nothing = || Deletion {
            deleted: Vec::new(),
            not_found: ids.to_vec(),
            deleted_at: now,
            backup_id: None,
        };
        if self.store.person(owner).await?.is_none() {
            return Ok(nothing());
        }
        let slot = self.indexes.slot(owner).await;
        let guard = slot.lock().await;
        let account = &owner.account_id;
        let transaction = self.store.begin().await?;
        let person = transaction.advance_person(owner, now).await?;
        let taken = transaction
            .take_memories(account, &person.id, person.revision, ids)
            .await?;
        let gone: HashSet<&str> = taken.ids().collect();
        if gone.is_empty() {
            return Ok(nothing());
        }
        let (deleted, not_found): (Vec<MemoryId>, Vec<MemoryId>) =
            ids.iter().cloned().partition(|id| gone.contains(id.as_str()));
        let mut backup_id = None;
        if backup {
            let id = BackupId::generate();
            let vault = self.vault.of(&transaction, account, now).await?;
            let plain = serde_json::to_vec(&taken).map_err(|e| Error::Internal(Box::new(e)))?;
            let backup = Backup {
                sealed: vault.seal(&plain, id.as_str())?,
                owner: owner.clone(),
                expires_at: now + TimeDelta::days(BACKUP_DAYS),
                id: id.clone(),
            };
            transaction.insert_backup(&person.id, &backup, now).await?;
            backup_id = Some(id);
        }
        for id in &deleted {
            let event = actor.did("memory.deleted", Some(id.as_str()), account, now);
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
        })
    }

    /// Brings back what a backup holds, for whoever runs the command line. The backup is spent. Gives the ids.
    pub async fn restore(&self, id: &BackupId) -> Result<Vec<MemoryId>> {
        let now = self.clock.now();
        let backup = self.store.backup(id, now).await?.ok_or(Error::BackupNotFound)?;
        let account = &backup.owner.account_id;
        let transaction = self.store.begin().await?;
        if !transaction.delete_backup(account, id).await? {
            return Err(Error::BackupNotFound);
        }
        let person = transaction.advance_person(&backup.owner, now).await?;
        let vault = self.vault.of(&transaction, account, now).await?;
        let plain = vault.open(&backup.sealed, id.as_str())?;
        let taken: DeletedMemories = serde_json::from_slice(&plain).map_err(|e| Error::Internal(Box::new(e)))?;
        transaction
            .put_back_memories(account, &person.id, person.revision, &taken)
            .await?;
        let (ids, texts): (Vec<MemoryId>, Vec<&str>) = taken.texts().unzip();
        let vectors = embed(&*self.embedder, &texts)?;
        let pairs = ids.iter().zip(&vectors).map(|(id, vector)| (id, vector.as_slice()));
        transaction
            .insert_embeddings(account, self.embedder.model(), pairs)
            .await?;
        let event = Actor::operator().did("backup.restored", Some(id.as_str()), account, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(ids)
    }

    /// Forgets backups that are too old.
    pub async fn purge(&self) -> Result<()> {
        self.store.purge_backups(self.clock.now()).await?;
        self.store.scrub().await;
        Ok(())
    }
}
