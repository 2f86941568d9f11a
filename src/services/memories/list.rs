//! Listing memories, and the people who have some.

use chrono::{DateTime, Utc};

use super::MemoryService;
use crate::error::Result;
use crate::model::{AccountId, Memory, Owner, PersonId};
pub use crate::store::{ListQuery, ListSort};

/// A list, checked.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Whose memories.
    pub owner: Owner,
    /// Which of them, in what order.
    pub query: ListQuery,
    /// List what was known at this time; what is known now when absent.
    pub as_of: Option<DateTime<Utc>>,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct MemoryPage {
    /// The memories.
    pub memories: Vec<Memory>,
    /// How many there are on all pages.
    pub total: u64,
}

impl MemoryService {
    /// One page of a person's current memories.
    pub async fn list(&self, request: ListRequest) -> Result<MemoryPage> {
        let Some(person) = self.people.store.person(&request.owner).await? else {
            return Ok(MemoryPage::default());
        };
        if let Some(at) = request.as_of {
            return self.list_as_of(&request, &person.id, at).await;
        }
        let Owner { account_id, user_id } = &request.owner;
        let (memories, total) = self
            .people
            .store
            .list_memories(account_id, &person.id, user_id, &request.query, self.people.clock.now())
            .await?;
        Ok(MemoryPage { memories, total })
    }

    /// A page of the account's people that the caller may touch, by `user_id`, each with how many of their memories hold
    /// now; and whether more follow.
    pub async fn people(
        &self,
        account: &AccountId,
        among: &[String],
        after: Option<&str>,
        limit: u64,
    ) -> Result<(Vec<(String, u64)>, bool)> {
        let mut people = self
            .people
            .store
            .persons_after(account, among, after, limit + 1)
            .await?;
        let has_more = people.len() as u64 > limit;
        people.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: Vec<&PersonId> = people.iter().map(|(person, _)| &person.id).collect();
        let counts = self
            .people
            .store
            .count_current_memories(account, &ids, self.people.clock.now())
            .await?;
        let people = people.into_iter().map(|(person, owner)| {
            let count = counts.get(&person.id).copied().unwrap_or_default();
            (owner.user_id, count)
        });
        Ok((people.collect(), has_more))
    }
}
