//! Memories without a vector of the model in use: finding them page by page, and giving them one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LockType, Order, Query};
use sea_orm::{ConnectionTrait, JoinType, QueryOrder, QueryResult, QuerySelect};

use super::embeddings::{self, NewEmbedding, kept_as};
use super::{Store, Transaction, accounts, db_error, memories, persons};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, PersonId};

/// Where a walk through the memories of everybody is; the default is before the first.
#[derive(Clone, Debug, Default)]
pub struct Place {
    account_id: String,
    memory_id: String,
}

/// Some memories, one after the other, by whether they have a vector of a model.
#[derive(Clone, Debug)]
pub struct EmbeddedPage {
    /// The last of them.
    pub last: Place,
    /// Those with one, by account.
    pub present: Vec<(AccountId, Vec<MemoryId>)>,
    /// Those without.
    pub missing: Vec<(AccountId, Vec<MemoryId>)>,
}

/// A memory as it was read, to be given a vector.
#[derive(Clone, Debug)]
pub struct Unembedded {
    /// The memory.
    pub memory: Memory,
    person_id: PersonId,
    revision: i64,
}

/// What came of giving memories vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddedEmbeddings {
    /// Vectors that were stored.
    pub stored: u64,
    /// Memories that were changed or deleted since they were read, and were given none.
    pub changed: u64,
}

impl Store {
    /// The next `limit` memories of everybody after a place; none at the end.
    pub async fn embedded_after(&self, model: &str, after: &Place, limit: u64) -> Result<Option<EmbeddedPage>> {
        let of = |column| Expr::col((memories::Entity, column));
        let vector = |column| Expr::col((embeddings::Entity, column));
        let is_its_vector = vector(embeddings::Column::AccountId)
            .equals((memories::Entity, memories::Column::AccountId))
            .and(vector(embeddings::Column::MemoryId).equals((memories::Entity, memories::Column::Id)))
            .and(vector(embeddings::Column::Model).eq(kept_as(model)));
        let place = Expr::tuple([of(memories::Column::AccountId), of(memories::Column::Id)]);
        let select = Query::select()
            .expr(of(memories::Column::AccountId))
            .expr(of(memories::Column::Id))
            .expr(vector(embeddings::Column::MemoryId).is_not_null())
            .from(memories::Entity)
            .join(JoinType::LeftJoin, embeddings::Entity, is_its_vector)
            .and_where(place.gt(Expr::tuple([Expr::val(&after.account_id), Expr::val(&after.memory_id)])))
            .order_by((memories::Entity, memories::Column::AccountId), Order::Asc)
            .order_by((memories::Entity, memories::Column::Id), Order::Asc)
            .limit(limit)
            .to_owned();
        let rows = self.read.query_all(&select).await.map_err(db_error)?;
        let row = |row: QueryResult| -> std::result::Result<(String, String, bool), DbErr> {
            Ok((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            ))
        };
        let rows = rows.into_iter().map(row).collect::<std::result::Result<Vec<_>, _>>();
        Ok(EmbeddedPage::of(rows.map_err(db_error)?))
    }

    /// What memories of an account say now. Those that are sealed under a key that can't be had are left out.
    pub async fn unembedded(&self, account_id: &AccountId, ids: &[MemoryId]) -> Result<Vec<Unembedded>> {
        let mut rows = memories::Entity::find()
            .filter(memories::Column::AccountId.eq(account_id.as_str()))
            .filter(memories::Column::Id.is_in(ids.iter().map(MemoryId::as_str)))
            .order_by_asc(memories::Column::Id)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let is_sealed = |row: &memories::Model| row.sealed.is_some();
        let mut cipher = None;
        if rows.iter().any(is_sealed) {
            match self.cipher(account_id).await {
                Ok(key) => cipher = Some(key),
                Err(error) => {
                    let cause = anyhow::Error::from(error);
                    tracing::warn!(%account_id, "private memories can't be read and get no vectors: {cause:#}");
                    rows.retain(|row| !is_sealed(row));
                }
            }
        }
        let opened = rows.into_iter().map(|row| {
            let (person_id, revision) = (PersonId::from_stored(row.person_id.clone()), row.revision);
            let memory = row.opened("", cipher.as_deref())?.memory;
            Ok(Unembedded {
                memory,
                person_id,
                revision,
            })
        });
        opened.collect()
    }

    /// Deletes the vectors of memories that other models made; says how many.
    pub async fn delete_other_embeddings(&self, account_id: &AccountId, model: &str, ids: &[MemoryId]) -> Result<u64> {
        let deleted = embeddings::Entity::delete_many()
            .filter(embeddings::Column::AccountId.eq(account_id.as_str()))
            .filter(embeddings::Column::MemoryId.is_in(ids.iter().map(MemoryId::as_str)))
            .filter(embeddings::Column::Model.ne(kept_as(model)))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(deleted.rows_affected)
    }
}

impl EmbeddedPage {
    fn of(rows: Vec<(String, String, bool)>) -> Option<Self> {
        let (account_id, memory_id, _) = rows.last()?.clone();
        let (mut present, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for (account_id, memory_id, is_present) in rows {
            let side: &mut BTreeMap<String, Vec<MemoryId>> = if is_present { &mut present } else { &mut missing };
            side.entry(account_id)
                .or_default()
                .push(MemoryId::from_stored(memory_id));
        }
        let by_account = |side: BTreeMap<String, Vec<MemoryId>>| {
            let side = side.into_iter();
            side.map(|(account, ids)| (AccountId::from_stored(account), ids))
                .collect()
        };
        Some(Self {
            last: Place { account_id, memory_id },
            present: by_account(present),
            missing: by_account(missing),
        })
    }
}

impl Transaction {
    /// Stores vectors that `model` made of what memories of one account said when they were read. One that has changed
    /// since gets none, and one that has a vector of this model by now keeps it.
    pub async fn add_embeddings(
        &self,
        account_id: &AccountId,
        model: &str,
        read: &[Unembedded],
        vectors: &[Vec<f32>],
    ) -> Result<AddedEmbeddings> {
        let now = self.revisions_of(account_id, read).await?;
        let is_unchanged = |read: &Unembedded| {
            let now = now.get(read.memory.id.as_str());
            now.is_some_and(|(person, revision)| *person == read.person_id.as_str() && *revision == read.revision)
        };
        let unchanged: Vec<NewEmbedding<'_>> = read
            .iter()
            .zip(vectors)
            .filter(|(read, _)| is_unchanged(read))
            .map(|(read, vector)| NewEmbedding {
                memory: &read.memory,
                vector,
            })
            .collect();
        let changed = (read.len() - unchanged.len()) as u64;
        let stored = self.insert_missing_embeddings(account_id, model, &unchanged).await?;
        Ok(AddedEmbeddings { stored, changed })
    }

    /// Whose memories are, and when they last changed; until the transaction ends, nobody changes or deletes them.
    async fn revisions_of(
        &self,
        account_id: &AccountId,
        read: &[Unembedded],
    ) -> Result<HashMap<String, (String, i64)>> {
        // In the order in which whoever deletes an account, or changes a person's memories, takes these locks.
        let account = accounts::Entity::find_by_id(account_id.as_str())
            .lock(LockType::KeyShare)
            .one(&self.0)
            .await
            .map_err(db_error)?;
        if account.is_none() {
            return Ok(HashMap::new());
        }
        let people: BTreeSet<&str> = read.iter().map(|read| read.person_id.as_str()).collect();
        persons::Entity::find()
            .filter(persons::Column::AccountId.eq(account_id.as_str()))
            .filter(persons::Column::Id.is_in(people))
            .order_by_asc(persons::Column::Id)
            .lock_shared()
            .all(&self.0)
            .await
            .map_err(db_error)?;
        let rows: Vec<(String, String, i64)> = memories::Entity::find()
            .select_only()
            .columns([
                memories::Column::Id,
                memories::Column::PersonId,
                memories::Column::Revision,
            ])
            .filter(memories::Column::AccountId.eq(account_id.as_str()))
            .filter(memories::Column::Id.is_in(read.iter().map(|read| read.memory.id.as_str())))
            .into_tuple()
            .all(&self.0)
            .await
            .map_err(db_error)?;
        Ok(rows
            .into_iter()
            .map(|(id, person, revision)| (id, (person, revision)))
            .collect())
    }
}
