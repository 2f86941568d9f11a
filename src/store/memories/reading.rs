//! Reading memories.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{JoinType, Order, PaginatorTrait, QueryOrder, QuerySelect};

use super::{Column, Entity, IDS_PER_STATEMENT, ListQuery, ListSort, MemoryRow, Model, Relation, is_alive, of_person};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, Owner, PersonId};
use crate::store::{Store, db_error, persons};

impl Store {
    /// The person's memories changed after `revision`, superseded ones too; `limit` of them at most.
    pub async fn memories_since(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        revision: i64,
        limit: Option<u64>,
    ) -> Result<Vec<MemoryRow>> {
        let rows = of_person(account_id, person_id)
            .filter(Column::Revision.gt(revision))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        self.opened(account_id, user_id, rows).await
    }

    /// Opens what is sealed among rows of one account and person.
    pub(in crate::store) async fn opened(
        &self,
        account_id: &AccountId,
        user_id: &str,
        rows: Vec<Model>,
    ) -> Result<Vec<MemoryRow>> {
        let cipher = match rows.iter().any(|row| row.sealed.is_some()) {
            true => Some(self.cipher(account_id).await?),
            false => None,
        };
        let opened = rows.into_iter().map(|row| row.opened(user_id, cipher.as_deref()));
        opened.collect()
    }

    /// One memory of the person, also when it is superseded, unless its time is over.
    pub async fn memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        id: &MemoryId,
        now: DateTime<Utc>,
    ) -> Result<Option<Memory>> {
        let row = of_person(account_id, person_id)
            .filter(Column::Id.eq(id.as_str()))
            .filter(is_alive(now))
            .one(&self.read)
            .await
            .map_err(db_error)?;
        let opened = self.opened(account_id, user_id, row.into_iter().collect()).await?;
        Ok(opened.into_iter().next().map(|row| row.memory))
    }

    /// Whose the account's memories with these ids are, by `user_id`; ids of none are passed over.
    pub async fn owners_of(&self, account_id: &AccountId, ids: &[MemoryId]) -> Result<HashMap<MemoryId, String>> {
        let mut owners = HashMap::new();
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let rows: Vec<(String, String, i64)> = Entity::find()
                .select_only()
                .column(Column::Id)
                .column(persons::Column::UserId)
                // In no index. Else SQLite, without statistics, reads all of an index that has the rest.
                .column(Column::Version)
                .join(JoinType::InnerJoin, Relation::Person.def())
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::Id.is_in(chunk.iter().map(MemoryId::as_str)))
                .into_tuple()
                .all(&self.read)
                .await
                .map_err(db_error)?;
            owners.extend(
                rows.into_iter()
                    .map(|(id, user_id, _)| (MemoryId::from_stored(id), user_id)),
            );
        }
        Ok(owners)
    }

    /// How many memories a person has, superseded ones too; everybody of the account where none is named.
    pub async fn count_memories(
        &self,
        account_id: &AccountId,
        user_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let all = Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(is_alive(now));
        let select = match user_id {
            None => all,
            Some(user_id) => all
                .join(JoinType::InnerJoin, Relation::Person.def())
                .filter(persons::Column::UserId.eq(user_id)),
        };
        select.count(&self.read).await.map_err(db_error)
    }

    /// How many memories hold now of each of these people, who have any.
    pub async fn count_current_memories(
        &self,
        account_id: &AccountId,
        person_ids: &[&PersonId],
        now: DateTime<Utc>,
    ) -> Result<HashMap<PersonId, u64>> {
        let counts: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::PersonId)
            .column_as(Column::Id.count(), "count")
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.is_in(person_ids.iter().map(|id| id.as_str())))
            .filter(Column::SupersededBy.is_null())
            .filter(is_alive(now))
            .group_by(Column::PersonId)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let count = |(id, count): (String, i64)| (PersonId::from_stored(id), u64::try_from(count).unwrap_or_default());
        Ok(counts.into_iter().map(count).collect())
    }

    /// The first `limit` memories of a person whose ids come after `after`, by id, superseded ones too.
    pub async fn memories_after(
        &self,
        owner: &Owner,
        person_id: &PersonId,
        after: Option<&MemoryId>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<Vec<MemoryRow>> {
        let rows = of_person(&owner.account_id, person_id)
            .filter(Column::Id.gt(after.map_or("", MemoryId::as_str)))
            .filter(is_alive(now))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        self.opened(&owner.account_id, &owner.user_id, rows).await
    }

    /// The person's newest `limit` memories, and all private ones of those before them: what is known at hand of somebody
    /// whose memories outgrow an instance. Also how many there are in all.
    pub async fn newest_memories(
        &self,
        owner: &Owner,
        person_id: &PersonId,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<(Vec<MemoryRow>, u64)> {
        let all = of_person(&owner.account_id, person_id).filter(is_alive(now));
        let total = all.clone().count(&self.read).await.map_err(db_error)?;
        let newest = all.clone().order_by_desc(Column::CreatedAt).limit(limit);
        let mut rows = newest.all(&self.read).await.map_err(db_error)?;
        if total > limit {
            let private = all.filter(Column::Sealed.is_not_null());
            let held: HashSet<String> = rows.iter().map(|row| row.id.clone()).collect();
            let private = private.all(&self.read).await.map_err(db_error)?;
            rows.extend(private.into_iter().filter(|row| !held.contains(&row.id)));
        }
        Ok((self.opened(&owner.account_id, &owner.user_id, rows).await?, total))
    }

    /// One page of the person's current memories, and how many there are in all.
    pub async fn list_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        query: &ListQuery,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Memory>, u64)> {
        let mut select = of_person(account_id, person_id).filter(is_alive(now));
        if !query.include_superseded {
            select = select.filter(Column::SupersededBy.is_null());
        }
        if let Some(category) = query.category {
            let bit = i32::from(category.bit());
            select = select.filter(Expr::col(Column::CategoryBits).bit_and(bit).ne(0));
        }
        if let Some(memory_type) = query.memory_type {
            select = select.filter(Column::MemoryType.eq(memory_type.as_str()));
        }
        if let Some(is_instruction) = query.is_instruction {
            select = select.filter(Column::IsInstruction.eq(is_instruction));
        }
        if let Some(agent_id) = &query.agent_id {
            select = select.filter(Column::AgentId.eq(agent_id));
        }
        if let Some(thread_id) = &query.thread_id {
            select = select.filter(Column::ThreadId.eq(thread_id));
        }
        let total = select.clone().count(&self.read).await.map_err(db_error)?;
        let column = match query.sort {
            ListSort::CreatedAt => Column::CreatedAt,
            ListSort::UpdatedAt => Column::UpdatedAt,
            ListSort::Importance => Column::Importance,
        };
        let order = if query.ascending { Order::Asc } else { Order::Desc };
        let rows = select
            .order_by(column, order.clone())
            .order_by(Column::Id, order)
            .offset(query.offset)
            .limit(query.limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let opened = self.opened(account_id, user_id, rows).await?;
        Ok((opened.into_iter().map(|row| row.memory).collect(), total))
    }
}
