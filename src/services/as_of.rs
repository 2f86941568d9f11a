//! Search and lists of what was known at a time. Rare, so made anew for each request from what the database keeps.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::cpu::on_cpu;
use super::indexes::{embed_one, kept_or_made};
use super::memories::{ListQuery, ListRequest, ListSort, MemoryPage, MemoryService, SearchRequest};
use crate::error::Result;
use crate::model::{Memory, PersonId};
use crate::search::{Hit, PersonIndex, Query};

impl MemoryService {
    pub(super) async fn search_as_of(&self, request: SearchRequest, at: DateTime<Utc>) -> Result<Vec<Hit>> {
        let owner = &request.owner;
        let Some(person) = self.store.person(owner).await? else {
            return Ok(Vec::new());
        };
        let (account, now) = (&owner.account_id, self.clock.now());
        let known = self
            .store
            .memories_as_of(account, &person.id, &owner.user_id, at, now)
            .await?;
        let unchanged = known.iter().filter(|(_, is_so_still)| *is_so_still);
        let kept = self
            .store
            .embeddings_of(account, self.embedder.model(), unchanged.map(|(memory, _)| &memory.id))
            .await?;
        let embedder = Arc::clone(&self.embedder);
        on_cpu(move || {
            let vectors = kept_or_made(&*embedder, known.iter().map(|(memory, _)| memory), kept)?;
            let mut index = PersonIndex::new(embedder.dimensions());
            for ((memory, _), vector) in known.into_iter().zip(vectors) {
                index.upsert(Arc::new(memory), &vector);
            }
            let vector = embed_one(&*embedder, &request.query)?;
            Ok(index.search(&Query {
                text: &request.query,
                vector: &vector,
                filter: &request.filter,
                limit: request.limit,
                rerank: request.rerank,
                explain: request.explain,
                // "last week" in the question counts from then; what has expired since stays away.
                now: at.min(now),
            }))
        })
        .await
    }

    pub(super) async fn list_as_of(
        &self,
        request: &ListRequest,
        person_id: &PersonId,
        at: DateTime<Utc>,
    ) -> Result<MemoryPage> {
        let (owner, query) = (&request.owner, &request.query);
        let known = self
            .store
            .memories_as_of(&owner.account_id, person_id, &owner.user_id, at, self.clock.now())
            .await?;
        let mut memories: Vec<Memory> = known.into_iter().map(|(memory, _)| memory).collect();
        memories.retain(|memory| is_wanted(query, memory));
        memories.sort_by(|a, b| {
            let order = by(query.sort, a, b).then_with(|| a.id.cmp(&b.id));
            if query.ascending { order } else { order.reverse() }
        });
        let total = memories.len() as u64;
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        Ok(MemoryPage {
            memories: memories.into_iter().skip(offset).take(limit).collect(),
            total,
        })
    }
}

fn is_wanted(query: &ListQuery, memory: &Memory) -> bool {
    (query.include_superseded || memory.superseded_by.is_none())
        && query
            .category
            .is_none_or(|category| memory.categories.contains(&category))
        && query.memory_type.is_none_or(|wanted| memory.memory_type == wanted)
        && query.agent_id.as_ref().is_none_or(|wanted| memory.agent_id == *wanted)
        && query
            .thread_id
            .as_ref()
            .is_none_or(|wanted| memory.thread_id == *wanted)
}

fn by(sort: ListSort, a: &Memory, b: &Memory) -> Ordering {
    match sort {
        ListSort::CreatedAt => a.created_at.cmp(&b.created_at),
        ListSort::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        ListSort::Importance => a.importance.total_cmp(&b.importance),
    }
}
