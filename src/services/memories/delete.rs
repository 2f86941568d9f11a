//! Deleting memories.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::MemoryService;
use crate::error::{Error, Result};
use crate::model::{BackupId, MemoryId, Owner};
use crate::profile;
use crate::services::Actor;
use crate::services::cpu::on_cpu;
use crate::store::{Backup, MEMORY_DELETED, PersonChange};

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
    /// Biographies that rested on them and are gone with them.
    pub bios: u64,
    /// Memories whose place they had taken, which hold again.
    pub restored: Vec<MemoryId>,
    /// Insights and traits that rested on them, where they were asked for.
    pub insights: Option<usize>,
}

/// How to delete.
#[derive(Clone, Copy, Debug)]
pub struct DeletionOptions {
    /// Keep a backup for 30 days.
    pub backup: bool,
    /// Have what the deleted memories had taken the place of hold again.
    pub restore_superseded: bool,
    /// Count the insights and traits that rest on them.
    pub count_insights: bool,
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
        let now = self.people.clock.now();
        let insights = match options.count_insights {
            true => Some(self.insights_on(owner, ids).await?),
            false => None,
        };
        let nothing = || Deletion {
            deleted: Vec::new(),
            not_found: ids.to_vec(),
            deleted_at: now,
            backup_id: None,
            bios: 0,
            restored: Vec::new(),
            insights,
        };
        if self.people.store.person(owner).await?.is_none() {
            return Ok(nothing());
        }
        let slot = self.people.indexes.slot(owner).await;
        let guard = slot.lock().await;
        let account = &owner.account_id;
        let transaction = self.people.store.begin().await?;
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
        self.people.indexes.refresh(owner, &slot, &guard).await?;
        self.people.store.scrub().await;
        Ok(Deletion {
            deleted,
            not_found,
            deleted_at: now,
            backup_id,
            bios: taken.bios(),
            restored,
            insights,
        })
    }

    /// How many insights and traits rest on any of these memories.
    async fn insights_on(&self, owner: &Owner, ids: &[MemoryId]) -> Result<usize> {
        let slot = self.people.indexes.open(owner).await?;
        let (ids, now) = (ids.to_vec(), self.people.clock.now());
        on_cpu(move || {
            let (memories, _) = slot.read(|state| state.index.current(now));
            let derived = profile::derive(&memories, now);
            let insights = derived.insights.iter().map(|insight| &insight.memories);
            let traits = derived.traits.iter().map(|one| &one.memories);
            let rests = |of: &&Vec<MemoryId>| of.iter().any(|id| ids.contains(id));
            Ok(insights.chain(traits).filter(rests).count())
        })
        .await
    }
}
