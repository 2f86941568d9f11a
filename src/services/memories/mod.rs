//! The memories of people: stored, found, listed, changed, deleted. A use case a file.

mod as_of;
mod backups;
mod delete;
mod erase;
mod history;
mod idempotency;
mod list;
mod plan;
mod preview;
mod retention;
mod search;
mod store;
mod store_async;
mod update;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::person_store::{IndexSettings, PersonStore};
use super::{Receipts, TaskQueue};
use as_of::AsOfSearches;

pub use delete::{Deletion, DeletionOptions};
pub use history::History;
pub use list::{ListQuery, ListRequest, ListSort, MemoryPage};
pub use search::{SearchAnswer, SearchRequest};
pub use store::{ConversationMessage, SkippedMessage, StoreOutcome, StoreRequest};
pub use store_async::{STORE_CONVERSATION, StoreTask, StoreTaskResult};
pub use update::MemoryChange;

/// The memories of people.
pub struct MemoryService {
    people: Arc<PersonStore>,
    tasks: Arc<TaskQueue>,
    receipts: Arc<Receipts>,
    /// Memories that one request may store.
    max_per_request: usize,
    as_of: AsOfSearches,
}

impl MemoryService {
    /// The memories of these people.
    pub fn new(
        people: Arc<PersonStore>,
        tasks: Arc<TaskQueue>,
        receipts: Arc<Receipts>,
        max_per_request: usize,
        settings: IndexSettings,
    ) -> Self {
        Self {
            people,
            tasks,
            receipts,
            max_per_request,
            as_of: AsOfSearches::new(settings.as_of_kib()),
        }
    }

    /// The time by which this service judges what has ended.
    pub fn now(&self) -> DateTime<Utc> {
        self.people.clock.now()
    }
}

impl fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryService")
    }
}
