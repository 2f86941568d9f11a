//! How long memories are kept, and removing what has expired.

use chrono::TimeDelta;

use super::MemoryService;
use crate::error::Result;
use crate::model::AccountId;
use crate::services::Actor;

/// Expired memories that are read at one time.
const EXPIRED_AT_ONCE: u64 = 1_000;

impl MemoryService {
    /// How long the account keeps episodic memories that are stored without an end; for ever when absent.
    pub async fn episodic_lifetime(&self, account_id: &AccountId) -> Result<Option<TimeDelta>> {
        self.people.store.episodic_lifetime(account_id).await
    }

    /// Changes that, for what is stored from now on.
    pub async fn set_episodic_lifetime(
        &self,
        actor: &Actor,
        account_id: &AccountId,
        lifetime: Option<TimeDelta>,
    ) -> Result<()> {
        let transaction = self.people.store.begin().await?;
        transaction.set_episodic_lifetime(account_id, lifetime).await?;
        let event = actor.did("memory_settings.updated", None, account_id, self.people.clock.now());
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await
    }

    /// Deletes memories whose time is over, for good; says how many. What others change meanwhile, the next call sees.
    pub async fn forget_expired(&self) -> Result<usize> {
        let mut forgotten = 0;
        loop {
            let now = self.people.clock.now();
            let expired = self.people.store.expired_memories(now, EXPIRED_AT_ONCE).await?;
            if expired.is_empty() {
                break;
            }
            for (owner, ids) in expired {
                let transaction = self.people.store.begin().await?;
                let person = transaction.advance_person(&owner, now).await?;
                let taken = transaction
                    .take_memories(&owner.account_id, &person.id, person.revision, &ids, now)
                    .await?;
                forgotten += taken.ids().count();
                transaction.commit().await?;
            }
        }
        if forgotten > 0 {
            self.people.store.scrub().await;
        }
        Ok(forgotten)
    }

    /// Forgets backups, tasks and idempotency keys that are too old.
    pub async fn purge(&self) -> Result<()> {
        self.purge_idempotency().await?;
        self.tasks.purge().await?;
        self.people.store.purge_backups(self.people.clock.now()).await?;
        self.people.store.scrub().await;
        Ok(())
    }
}
