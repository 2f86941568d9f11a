//! What storing a conversation would do, with nothing written.

use std::sync::Arc;

use super::{MemoryService, StoreOutcome, StoreRequest};
use crate::error::Result;
use crate::model::{MemoryId, Operation};

impl MemoryService {
    /// What [`Self::store`] would do with a conversation now; memories that would be new have an empty id. No quota is
    /// asked, and an idempotency key means nothing.
    pub async fn preview(&self, request: StoreRequest) -> Result<StoreOutcome> {
        let now = self.people.clock.now();
        let request = Arc::new(request);
        let extracted = Arc::new(self.extract(Arc::clone(&request), now).await?);
        let slot = self.people.indexes.open(&request.owner).await?;
        let mut outcome = self.plan(&request, &extracted, &slot, now).await?.outcome;
        for (memory, operation) in &mut outcome.memories {
            match operation {
                Operation::Added | Operation::Updated => Arc::make_mut(memory).id = MemoryId::from_stored(""),
                Operation::Unchanged => {}
            }
        }
        Ok(outcome)
    }
}
