//! Memories as they were at a time: the tables `memories` and `memory_versions` together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect};

use super::memories::{self, Column, is_alive, of_person};
use super::sql::Sql;
use super::{ListQuery, ListSort, MemoryVersion, Store, db_error};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, Owner, PersonId};

/// How much is known of a person at a time, about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// Memories.
    pub memories: u64,
    /// Characters of what they say.
    pub characters: u64,
}

/// Memories in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct KnownPage {
    /// Each as it was, and whether it is so still.
    pub memories: Vec<(Memory, bool)>,
    /// Where the next page starts; none where there is no more.
    pub next: Option<MemoryId>,
}

impl Store {
    /// How much there is to read of a person for [`Self::memories_as_of`].
    pub async fn extent_as_of(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Extent> {
        let characters = "CAST(COALESCE(SUM(LENGTH(text) + LENGTH(CAST(sources AS text)) \
            + COALESCE(LENGTH(CAST(metadata AS text)), 0) + COALESCE(LENGTH(context), 0) \
            + COALESCE(LENGTH(sealed), 0)), 0) AS bigint)";
        let extent: Option<(i64, i64)> = of_person(account_id, person_id)
            .select_only()
            .column_as(Column::Id.count(), "memories")
            .column_as(Expr::cust(characters), "characters")
            .filter(Column::CreatedAt.lte(at))
            .filter(is_alive(now))
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let (memories, characters) = extent.unwrap_or_default();
        Ok(Extent {
            memories: memories.unsigned_abs(),
            characters: characters.unsigned_abs(),
        })
    }

    /// The first `limit` of the person's memories behind `after` as they were at `at`, superseded ones too. What was
    /// deleted since is not among them: nothing is left of it.
    pub async fn memories_as_of(
        &self,
        owner: &Owner,
        person_id: &PersonId,
        at: DateTime<Utc>,
        after: Option<&MemoryId>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<KnownPage> {
        let rows = of_person(&owner.account_id, person_id)
            .filter(Column::CreatedAt.lte(at))
            .filter(Column::Id.gt(after.map_or("", MemoryId::as_str)))
            .filter(is_alive(now))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let next = rows.last().filter(|_| rows.len() as u64 == limit);
        let next = next.map(|row| MemoryId::from_stored(&row.id));
        let memories = self.as_they_were(owner, rows, at).await?;
        Ok(KnownPage { memories, next })
    }

    async fn as_they_were(
        &self,
        owner: &Owner,
        rows: Vec<memories::Model>,
        at: DateTime<Utc>,
    ) -> Result<Vec<(Memory, bool)>> {
        let rows = self.opened(&owner.account_id, &owner.user_id, rows).await?;
        let changed = |memory: &Memory| memory.updated_at > at;
        let ids: Vec<MemoryId> = rows
            .iter()
            .filter(|row| changed(&row.memory))
            .map(|row| row.memory.id.clone())
            .collect();
        let mut earlier = self.earlier_versions(&owner.account_id, &ids, Some(at)).await?;
        let as_they_were = rows.into_iter().filter_map(|row| {
            if !changed(&row.memory) {
                return Some((row.memory, true));
            }
            let version = earlier.remove(&row.memory.id)?.pop()?;
            Some((as_it_was(row.memory, version), false))
        });
        Ok(as_they_were.collect())
    }

    /// One page of the person's memories as they were at `at`, and how many there are in all.
    pub async fn list_memories_as_of(
        &self,
        owner: &Owner,
        person_id: &PersonId,
        query: &ListQuery,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Memory>, u64)> {
        let backend = self.read.get_database_backend();
        let mut counting = Sql::default();
        let known = known_at(&mut counting, owner, person_id, query, at, now);
        let counting = counting.statement(
            backend,
            format!("WITH known AS ({known}) SELECT COUNT(*) AS total FROM known"),
        );
        let counted = self.read.query_one_raw(counting).await.map_err(db_error)?;
        let total: i64 = match &counted {
            Some(row) => row.try_get("", "total").map_err(db_error)?,
            None => 0,
        };
        let mut listing = Sql::default();
        let known = known_at(&mut listing, owner, person_id, query, at, now);
        let column = match query.sort {
            ListSort::CreatedAt => "created_at",
            ListSort::UpdatedAt => "updated_at",
            ListSort::Importance => "importance",
        };
        let order = if query.ascending { "ASC" } else { "DESC" };
        let limit = listing.bind(i64::try_from(query.limit).unwrap_or(i64::MAX));
        let offset = listing.bind(i64::try_from(query.offset).unwrap_or(i64::MAX));
        let page = format!(
            "WITH known AS ({known}) SELECT id FROM known ORDER BY {column} {order}, id {order} LIMIT {limit} OFFSET {offset}"
        );
        let listed = self.read.query_all_raw(listing.statement(backend, page)).await;
        let ids = listed.map_err(db_error)?;
        let ids: Vec<String> = ids
            .iter()
            .map(|row| row.try_get("", "id"))
            .collect::<Result<_, DbErr>>()
            .map_err(db_error)?;
        let rows = of_person(&owner.account_id, person_id)
            .filter(Column::Id.is_in(&ids))
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let memories = self.as_they_were(owner, rows, at).await?;
        let mut memories: HashMap<String, Memory> = memories
            .into_iter()
            .map(|(memory, _)| (memory.id.to_string(), memory))
            .collect();
        let page = ids.iter().filter_map(|id| memories.remove(id)).collect();
        Ok((page, total.unsigned_abs()))
    }
}

/// The ids of what was known, with what a list is sorted by: memories that are so still, and versions of the others.
fn known_at(
    sql: &mut Sql,
    Owner { account_id, .. }: &Owner,
    person_id: &PersonId,
    query: &ListQuery,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> String {
    let (account, person) = (sql.bind(account_id.as_str()), sql.bind(person_id.as_str()));
    let (at, now) = (sql.bind(at), sql.bind(now));
    let mut of_both = format!(
        "m.account_id = {account} AND m.person_id = {person} AND m.created_at <= {at} \
         AND (m.expires_at IS NULL OR m.expires_at > {now})"
    );
    for (column, wanted) in [("agent_id", &query.agent_id), ("thread_id", &query.thread_id)] {
        if let Some(wanted) = wanted {
            of_both += &format!(" AND m.{column} = {}", sql.bind(wanted.as_str()));
        }
    }
    let (mut current, mut earlier) = (String::new(), String::new());
    if !query.include_superseded {
        current += " AND m.superseded_by IS NULL";
        earlier += " AND v.superseded_by IS NULL";
    }
    if let Some(memory_type) = query.memory_type {
        let wanted = sql.bind(memory_type.as_str());
        current += &format!(" AND m.memory_type = {wanted}");
        earlier += &format!(" AND v.memory_type = {wanted}");
    }
    if let Some(is_instruction) = query.is_instruction {
        let wanted = sql.bind(is_instruction);
        current += &format!(" AND m.is_instruction = {wanted}");
        earlier += &format!(" AND v.is_instruction = {wanted}");
    }
    if let Some(category) = query.category {
        current += &format!(" AND (m.category_bits & {}) <> 0", sql.bind(i32::from(category.bit())));
        let word = sql.bind(format!("% {} %", category.as_str()));
        earlier += &format!(" AND ' ' || v.categories || ' ' LIKE {word}");
    }
    format!(
        "SELECT m.id, m.created_at, m.updated_at, m.importance FROM memories m \
         WHERE {of_both} AND m.updated_at <= {at}{current} \
         UNION ALL \
         SELECT m.id, m.created_at, v.changed_at, COALESCE(v.importance, m.importance) FROM memories m \
         JOIN memory_versions v ON v.account_id = m.account_id AND v.memory_id = m.id \
         WHERE {of_both} AND m.updated_at > {at} AND v.changed_at <= {at}{earlier} \
         AND NOT EXISTS (SELECT 1 FROM memory_versions w WHERE w.account_id = v.account_id \
         AND w.memory_id = v.memory_id AND w.version > v.version AND w.changed_at <= {at})"
    )
}

fn as_it_was(memory: Memory, version: MemoryVersion) -> Memory {
    Memory {
        text: version.text,
        memory_type: version.memory_type,
        categories: version.categories,
        importance: version.importance.unwrap_or(memory.importance),
        metadata: version.metadata,
        event_time: version.event_time,
        event_time_precision: version.event_time_precision,
        is_instruction: version.is_instruction,
        superseded_by: version.superseded_by,
        version: version.version,
        updated_at: version.changed_at,
        ..memory
    }
}
