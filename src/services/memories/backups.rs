//! Restoring deleted memories from a backup.

use super::MemoryService;
use crate::error::{Error, Result};
use crate::model::{BackupId, Caller, MemoryId, Origin};
use crate::services::Actor;
use crate::services::person_store::{encode_documents, new_embeddings, texts};
use crate::store::{Backup, PersonChange};

impl MemoryService {
    /// Restores what a backup of the caller's account holds. [`Error::BackupNotFound`] also where it is of a person
    /// whom the caller may not touch.
    pub async fn restore_own(&self, caller: &Caller, origin: &Origin, id: &BackupId) -> Result<Vec<MemoryId>> {
        let backup = self
            .people
            .store
            .backup(Some(&caller.account_id), id, self.people.clock.now())
            .await?;
        let backup = backup.filter(|backup| caller.grant.covers_person(&backup.owner.user_id));
        let backup = backup.ok_or(Error::BackupNotFound)?;
        self.restore_as(&Actor::caller(caller, origin), &backup).await
    }

    /// Restores what a backup holds, whosever it is, for whoever runs the command line. The backup is spent. Gives the
    /// ids.
    pub async fn restore(&self, id: &BackupId) -> Result<Vec<MemoryId>> {
        let backup = self.people.store.backup(None, id, self.people.clock.now()).await?;
        let backup = backup.ok_or(Error::BackupNotFound)?;
        self.restore_as(&Actor::operator(), &backup).await
    }

    async fn restore_as(&self, actor: &Actor, backup: &Backup) -> Result<Vec<MemoryId>> {
        let now = self.people.clock.now();
        let account = &backup.owner.account_id;
        let kept = self.people.store.memories_in_backup(backup).await?;
        let kept = kept.ok_or(Error::BackupNotFound)?;
        let vectors = encode_documents(&*self.people.embedder, &texts(&kept)).await?;
        let slot = self.people.indexes.slot(&backup.owner).await;
        let guard = slot.lock().await;
        let transaction = self.people.store.begin().await?;
        self.people.hold_quota(&transaction, account).await?;
        let person = transaction.advance_person(&backup.owner, now).await?;
        let quotas = self.people.quotas(&transaction, account, &person.id).await?;
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
        let embeddings = new_embeddings(&memories, &vectors);
        self.people
            .write_embeddings(&transaction, &backup.owner, &person, &embeddings)
            .await?;
        let event = actor.did("backup.restored", Some(backup.id.as_str()), account, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.people.indexes.refresh(&backup.owner, &slot, &guard).await?;
        Ok(memories.into_iter().map(|memory| memory.id).collect())
    }
}
