//! What an index keeps of a person's profile.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::STALE;
use super::stored::{settings, stored, text_of};
use crate::error::Result;
use crate::model::MemoryId;
use crate::profile;
use crate::store::ProfileRow;

/// New memories after which it is written anew: so many, or a fifth of those it was made of if that is more.
const ENOUGH_NEW: usize = 10;

/// What an index keeps of a person's profile, so that reads and searches need not ask for it.
#[derive(Clone, Debug, Default)]
pub(in crate::services) struct ProfileNote {
    pub(super) row: Option<Arc<ProfileRow>>,
    /// The biography, where it may be given with searches.
    pub(super) bio: Option<Arc<str>>,
    /// Whether it is to be written already.
    is_due: bool,
}

impl ProfileNote {
    pub(in crate::services) fn of(row: Option<ProfileRow>) -> Result<Self> {
        let Some(row) = row else { return Ok(Self::default()) };
        let is_public = settings(&row)?.privacy.bio_public;
        Ok(Self {
            bio: stored(&row)?.filter(|_| is_public).map(|bio| text_of(&bio).into()),
            is_due: row
                .due_at
                .is_some_and(|due| row.generated_at.is_none_or(|at| due < at + STALE)),
            row: Some(Arc::new(row)),
        })
    }

    /// What the database keeps of the profile.
    pub(in crate::services) fn row(&self) -> Option<ProfileRow> {
        self.row.as_deref().cloned()
    }

    /// Whether so many memories call for a biography, or for another one.
    pub(in crate::services) fn wants_another(&self, memories: usize) -> bool {
        let known = self.row.as_ref().and_then(|row| usize::try_from(row.memory_count).ok());
        let needed = match known.unwrap_or(0) {
            0 => profile::LEAST_MEMORIES,
            known => known + ENOUGH_NEW.max(known / 5),
        };
        !self.is_due && memories >= needed
    }

    /// As the database has it: the biography is due at `now`.
    pub(in crate::services) fn mark_due(&mut self, now: DateTime<Utc>) {
        self.is_due = true;
        if let Some(row) = &mut self.row {
            Arc::make_mut(row).due_at = Some(now);
        }
    }

    /// A memory changed: a biography that rests on it is not to be shown any more.
    pub(in crate::services) fn memory_changed(&mut self, id: &MemoryId) {
        if let Some(row) = self.row.as_mut().filter(|row| row.sources.contains(id)) {
            let row = Arc::make_mut(row);
            row.bio = None;
            row.sources.clear();
            row.due_at = None;
            self.bio = None;
            self.is_due = true;
        }
    }
}
