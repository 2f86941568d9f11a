//! Finding memories by meaning.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::MemoryService;
use crate::error::Result;
use crate::model::{Filter, Owner};
use crate::search::{Hit, PersonIndex, Query};
use crate::services::cpu::on_cpu;
use crate::services::person_store::{CachedProfile, CandidateQuestion, Slot, encode_query};

/// A search, checked.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Whose memories.
    pub owner: Owner,
    /// What to find.
    pub query: String,
    /// How many at most.
    pub limit: usize,
    /// Rank a wider pool by everything known.
    pub rerank: bool,
    /// Tell how each score came about.
    pub explain: bool,
    /// Give the person's biography too.
    pub include_bio: bool,
    /// Which memories count.
    pub filter: Filter,
    /// Search what was known at this time; what is known now when absent.
    pub as_of: Option<DateTime<Utc>>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// The memories, best first.
    pub hits: Vec<Hit>,
    /// The person's biography, where it was asked for, exists and is public.
    pub bio: Option<Arc<str>>,
}

impl MemoryService {
    /// Finds memories by meaning.
    pub async fn search(&self, request: SearchRequest) -> Result<SearchAnswer> {
        let biographed = request.include_bio.then(|| request.owner.clone());
        let hits = match request.as_of {
            Some(at) => self.search_as_of(request, at).await?,
            None => self.with_query(request, PersonIndex::search).await?,
        };
        let bio = match biographed {
            Some(owner) => self.cached_bio(&owner).await,
            None => None,
        };
        Ok(SearchAnswer { hits, bio })
    }

    /// Asks the person's index in any way, with what a search without `as_of` would ask it.
    pub(crate) async fn with_query<T: Default + Send + 'static>(
        &self,
        request: SearchRequest,
        ask: impl FnOnce(&PersonIndex, &Query<'_>) -> T + Send + 'static,
    ) -> Result<T> {
        let slot = self.people.indexes.open(&request.owner).await?;
        if slot.read(|state| state.index.is_empty()) {
            return Ok(T::default());
        }
        let now = self.people.clock.now();
        let vector = encode_query(&*self.people.embedder, &request.query).await?;
        let candidates = self.candidates(&slot, &request, &vector, now).await?;
        on_cpu(move || {
            let query = Query {
                text: &request.query,
                vector: &vector,
                filter: &request.filter,
                limit: request.limit,
                rerank: request.rerank,
                explain: request.explain,
                now,
            };
            Ok(match candidates {
                Some(index) => ask(&index, &query),
                None => slot.read(|state| ask(&state.index, &query)),
            })
        })
        .await
    }

    /// What may answer, where the index does not hold all.
    async fn candidates(
        &self,
        slot: &Slot,
        request: &SearchRequest,
        vector: &[f32],
        now: DateTime<Utc>,
    ) -> Result<Option<PersonIndex>> {
        let person = slot.read(|state| state.person().filter(|_| state.is_window()).cloned());
        let Some(person) = person else { return Ok(None) };
        let asked = CandidateQuestion {
            owner: &request.owner,
            text: &request.query,
            vector,
            filter: &request.filter,
            limit: request.limit,
            rerank: request.rerank,
        };
        let index = self.people.indexes.candidates_for(slot, &person, &asked, now);
        index.await.map(Some)
    }

    /// The biography as the person's index knows it.
    async fn cached_bio(&self, owner: &Owner) -> Option<Arc<str>> {
        let slot = self.people.indexes.slot(owner).await;
        let now = self.people.clock.now();
        slot.read(|state| {
            let CachedProfile { bio, row, .. } = &state.profile;
            let sources = row.as_ref().map_or(&[][..], |row| &row.sources);
            bio.clone().filter(|_| state.index.holds_current(sources, now))
        })
    }
}
