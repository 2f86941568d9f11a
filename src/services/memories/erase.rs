//! Erasing a person.

use serde_json::json;

use super::MemoryService;
use crate::error::Result;
use crate::model::Owner;
use crate::services::Actor;
use crate::store::ErasedPerson;

impl MemoryService {
    /// Erases every trace of a person; of nobody is no error. Gives what was erased, and a receipt.
    pub async fn erase(&self, actor: &Actor, owner: &Owner) -> Result<(ErasedPerson, String)> {
        let now = self.people.clock.now();
        let slot = self.people.indexes.slot(owner).await;
        let guard = slot.lock().await;
        let transaction = self.people.store.begin().await?;
        let erased = transaction.delete_person(owner).await?;
        let counts = json!({
            "memories": erased.memories, "versions": erased.versions, "embeddings": erased.embeddings,
            "profiles": erased.bios, "jobs": erased.tasks, "backups": erased.backups,
        });
        let subject = format!("{}/{}", owner.account_id, owner.user_id);
        let receipt = self.receipts.sign(&subject, counts, now)?;
        // The person's name would be a trace of them.
        let event = actor.did("person.erased", None, &owner.account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.people.indexes.refresh(owner, &slot, &guard).await?;
        self.people.store.scrub().await;
        Ok((erased, receipt))
    }
}
