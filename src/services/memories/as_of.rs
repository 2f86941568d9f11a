//! Search and lists of what was known at a time. A list is a page of the database's. A search is rare, so an index is made
//! anew for it from what the database keeps, within a share of the memory that indexes may take.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{ListRequest, MemoryPage, MemoryService, SearchRequest};
use crate::error::{Error, Result, Violation};
use crate::model::PersonId;
use crate::search::{Hit, PersonIndex, Query};
use crate::services::cpu::on_cpu;
use crate::services::person_store::{encode_query, kept_or_made};
use crate::store::Extent;

/// Searches at one time; each computes for long.
const AT_ONCE: usize = 2;
/// Searches that wait for those, and how long each does.
const WAITING: usize = 16;
const PATIENCE: Duration = Duration::from_secs(5);
/// Memories that are read at one time.
const PAGE: u64 = 1_000;
/// What an index takes for a memory beside what it says, and what reading one takes.
const MEMORY_BYTES: u64 = 1_600;
const READING_BYTES: u64 = 4_096;

/// The memory and the turns of such searches.
pub(super) struct AsOfSearches {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    memory_kib: Arc<Semaphore>,
    most_kib: u32,
}

/// A place among the searches, and the memory that it may take. Whatever uses that holds it.
struct Reserved {
    kib: u32,
    _place: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

impl AsOfSearches {
    /// Room for indexes of so much memory in all.
    pub(super) fn new(memory_kib: u64) -> Self {
        let most_kib = u32::try_from(memory_kib).unwrap_or(u32::MAX);
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            memory_kib: Arc::new(Semaphore::new(most_kib as usize)),
            most_kib,
        }
    }

    /// A place among the searches under way, once there is one.
    async fn enter(&self) -> Result<OwnedSemaphorePermit> {
        let Ok(_waiting) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return Err(busy());
        };
        match timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// Memory for an index of so much.
    async fn reserve(&self, place: OwnedSemaphorePermit, extent: Extent) -> Result<Reserved> {
        let bytes = extent.memories * MEMORY_BYTES + 2 * extent.characters;
        let bytes = bytes + extent.memories.min(PAGE) * READING_BYTES;
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        if kib > self.most_kib {
            return Err(self.too_large(kib));
        }
        let memory = Arc::clone(&self.memory_kib).acquire_many_owned(kib);
        match timeout(PATIENCE, memory).await {
            Ok(Ok(memory)) => Ok(Reserved {
                kib,
                _place: place,
                _memory: memory,
            }),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    fn too_large(&self, kib: u32) -> Error {
        let reason = format!(
            "what this person's memories were then takes {} MiB to search, and this server sets aside {} MiB for that",
            kib.div_ceil(1024),
            self.most_kib / 1024
        );
        Error::Invalid(vec![Violation::new("as_of", reason)])
    }
}

fn busy() -> Error {
    Error::Unavailable("too many searches with as_of are under way".into())
}

impl MemoryService {
    pub(super) async fn search_as_of(&self, request: SearchRequest, at: DateTime<Utc>) -> Result<Vec<Hit>> {
        let owner = &request.owner;
        let Some(person) = self.people.store.person(owner).await? else {
            return Ok(Vec::new());
        };
        let now = self.people.clock.now();
        let place = self.as_of.enter().await?;
        let extent = self
            .people
            .store
            .extent_as_of(&owner.account_id, &person.id, at, now)
            .await?;
        let mut reserved = self.as_of.reserve(place, extent).await?;
        let mut index = PersonIndex::new(self.people.embedder.dimensions());
        let mut next = None;
        loop {
            let page = self
                .people
                .store
                .memories_as_of(owner, &person.id, at, next.as_ref(), PAGE, now)
                .await?;
            let unchanged = page.memories.iter().filter(|(_, is_so_still)| *is_so_still);
            let kept = self
                .people
                .store
                .embeddings_of(
                    &owner.account_id,
                    self.people.embedder.model(),
                    unchanged.map(|(memory, _)| &memory.id),
                )
                .await?;
            let memories = page.memories;
            let said = memories.iter().map(|(memory, _)| memory);
            let vectors = kept_or_made(&*self.people.embedder, said, kept).await?;
            // What was reserved goes with the index, for this goes on where whoever asked goes away.
            (index, reserved) = on_cpu(move || {
                for ((memory, _), vector) in memories.into_iter().zip(vectors) {
                    index.upsert(Arc::new(memory), &vector);
                }
                Ok((index, reserved))
            })
            .await?;
            // Earlier versions can say more than what they have become.
            let kib = u32::try_from(index.size_bytes() / 1024).unwrap_or(u32::MAX);
            if kib > reserved.kib {
                return Err(self.as_of.too_large(kib));
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let vector = encode_query(&*self.people.embedder, &request.query).await?;
        on_cpu(move || {
            let _reserved = reserved;
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
        let (memories, total) = self
            .people
            .store
            .list_memories_as_of(&request.owner, person_id, &request.query, at, self.people.clock.now())
            .await?;
        Ok(MemoryPage { memories, total })
    }
}
