//! Memories as they were at a time: the tables `memories` and `memory_versions` together.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use super::memories::{Column, is_alive, of_person};
use super::{MemoryVersion, Store, db_error};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, PersonId};

impl Store {
    /// The person's memories as they were at `at`, superseded ones too, and whether each is so still. What was deleted
    /// since is not among them: nothing is left of it.
    pub async fn memories_as_of(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Memory, bool)>> {
        let rows = of_person(account_id, person_id)
            .filter(Column::CreatedAt.lte(at))
            .filter(is_alive(now))
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let rows = self.opened(account_id, user_id, rows).await?;
        let changed = |memory: &Memory| memory.updated_at > at;
        let ids: Vec<MemoryId> = rows
            .iter()
            .filter(|row| changed(&row.memory))
            .map(|row| row.memory.id.clone())
            .collect();
        let mut earlier = self.earlier_versions(account_id, &ids, Some(at)).await?;
        let as_of = rows.into_iter().filter_map(|row| {
            if !changed(&row.memory) {
                return Some((row.memory, true));
            }
            let version = earlier.remove(&row.memory.id)?.pop()?;
            Some((as_it_was(row.memory, version), false))
        });
        Ok(as_of.collect())
    }
}

fn as_it_was(memory: Memory, version: MemoryVersion) -> Memory {
    Memory {
        text: version.text,
        memory_type: version.memory_type,
        categories: version.categories,
        importance: version.importance.unwrap_or(memory.importance),
        metadata: version.metadata,
        event_time: version.event_time,
        superseded_by: version.superseded_by,
        version: version.version,
        updated_at: version.changed_at,
        ..memory
    }
}
