//! What the use cases share of people: the database, the clock, the embedder, the indexes in memory, the quotas.
//!
//! Nothing in here knows a use case.

mod cached_profile;
mod candidates;
mod index_cache;
mod quotas;
mod stored_profile;
mod vectors;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::model::Clock;
use crate::providers::{Embedder, StaticTable};
use crate::store::Store;

pub use index_cache::IndexSettings;
pub use quotas::MemoryQuotas;
pub use stored_profile::{BioView, Privacy};

pub(super) use cached_profile::CachedProfile;
pub(super) use candidates::{CandidateQuestion, candidates};
pub(super) use index_cache::{Change, IndexCache, Slot};
pub(super) use stored_profile::{STALE, StoredBio, new_row, set_by_hand, settings, stored, text_of, to_json, view};
pub(super) use vectors::{encode_documents, encode_query, kept_or_made, new_embeddings, texts};

/// How often a change starts again when another instance changed the same person meanwhile.
pub(super) const ATTEMPTS: usize = 8;

/// The people of a database, as every use case reaches them.
pub struct PersonStore {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) indexes: IndexCache,
    quotas: MemoryQuotas,
    /// Told of each biography that becomes due here.
    pub(super) profile_is_due: Notify,
    /// The table that the classifier of `extraction/` was fitted with, whatever embedder is set.
    table: Arc<StaticTable>,
}

impl PersonStore {
    /// The people of this database.
    pub fn new(
        store: Store,
        clock: Clock,
        embedder: Arc<dyn Embedder>,
        settings: IndexSettings,
        quotas: MemoryQuotas,
    ) -> Self {
        Self {
            indexes: IndexCache::new(store.clone(), clock.clone(), Arc::clone(&embedder), settings),
            store,
            clock,
            embedder,
            quotas,
            profile_is_due: Notify::new(),
            table: StaticTable::built_in(),
        }
    }

    /// The built-in table, which gives the classifier its vectors.
    pub(super) fn table(&self) -> Arc<StaticTable> {
        Arc::clone(&self.table)
    }
}

impl fmt::Debug for PersonStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonStore")
    }
}
