//! Writing memories, inside a transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, PaginatorTrait, QuerySelect, QueryTrait};

use super::{
    ActiveModel, Column, Contents, Entity, IDS_PER_STATEMENT, MemoryRow, NewMemory, ROWS_PER_STATEMENT, category_bits,
    category_words, of_person,
};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, PersonId};
use crate::store::vault::AccountCipher;
use crate::store::{PersonChange, Transaction, db_error};

fn precision_word(memory: &Memory) -> Option<String> {
    memory
        .event_time_precision
        .map(|precision| precision.as_str().to_owned())
}

impl Transaction {
    /// How many memories the account, or a person of it, has, superseded ones too.
    pub async fn count_memories(&self, account_id: &AccountId, person_id: Option<&PersonId>) -> Result<u64> {
        Entity::find()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .apply_if(person_id, |select, person_id| {
                select.filter(Column::PersonId.eq(person_id.as_str()))
            })
            .count(&self.0)
            .await
            .map_err(db_error)
    }

    /// Which of these ids the account has already.
    pub async fn known_ids(&self, account_id: &AccountId, ids: &[MemoryId]) -> Result<HashSet<MemoryId>> {
        let mut known = HashSet::new();
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let found: Vec<String> = Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::Id.is_in(chunk.iter().map(MemoryId::as_str)))
                .into_tuple()
                .all(&self.0)
                .await
                .map_err(db_error)?;
            known.extend(found.into_iter().map(MemoryId::from_stored));
        }
        Ok(known)
    }

    /// The versions of these memories of the account, as far as they are there. They stay so until this transaction ends.
    pub async fn hold_versions(
        &self,
        account_id: &AccountId,
        ids: impl Iterator<Item = &MemoryId>,
    ) -> Result<HashMap<MemoryId, i64>> {
        let held: Vec<(String, i64)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Version])
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::Id.is_in(ids.map(MemoryId::as_str)))
            .lock_shared()
            .into_tuple()
            .all(&self.0)
            .await
            .map_err(db_error)?;
        let held = held
            .into_iter()
            .map(|(id, version)| (MemoryId::from_stored(id), version));
        Ok(held.collect())
    }

    /// Stores new memories of a person.
    pub async fn insert_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        memories: &[NewMemory<'_>],
    ) -> Result<()> {
        let private = memories.iter().find(|new| new.memory.is_private());
        let cipher = match private {
            Some(new) => Some(self.cipher(account_id, new.memory.updated_at).await?),
            None => None,
        };
        for chunk in memories.chunks(ROWS_PER_STATEMENT) {
            let mut rows = Vec::with_capacity(chunk.len());
            for new in chunk {
                let memory = new.memory;
                let (contents, sealed) = Contents::stored(memory, cipher.as_deref())?;
                rows.push(ActiveModel {
                    account_id: Set(account_id.to_string()),
                    id: Set(memory.id.to_string()),
                    person_id: Set(person_id.to_string()),
                    revision: Set(revision),
                    version: Set(memory.version),
                    text: Set(contents.text),
                    memory_type: Set(memory.memory_type.as_str().to_owned()),
                    categories: Set(category_words(memory)),
                    category_bits: Set(category_bits(memory)),
                    importance: Set(f64::from(memory.importance)),
                    reinforced: Set(i32::try_from(memory.reinforced).unwrap_or(i32::MAX)),
                    source: Set(memory.source.clone()),
                    agent_id: Set(memory.agent_id.clone()),
                    thread_id: Set(memory.thread_id.clone()),
                    metadata: Set(contents.metadata),
                    event_time: Set(memory.event_time),
                    sources: Set(contents.sources),
                    context: Set(contents.context),
                    operation: Set(new.operation.to_owned()),
                    changed_by: Set(new.changed_by.to_owned()),
                    superseded_by: Set(memory.superseded_by.as_ref().map(ToString::to_string)),
                    created_at: Set(memory.created_at),
                    updated_at: Set(memory.updated_at),
                    expires_at: Set(memory.expires_at),
                    sealed: Set(sealed),
                    event_time_precision: Set(precision_word(memory)),
                    is_instruction: Set(memory.is_instruction),
                });
            }
            Entity::insert_many(rows)
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }

    /// Closes memories whose place newer ones take, keeping the versions until now.
    pub async fn supersede_memories(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        changed_by: &str,
        now: DateTime<Utc>,
        closed: &[Arc<Memory>],
    ) -> Result<()> {
        let change = PersonChange {
            account_id,
            person_id,
            revision,
            changed_by,
            now,
        };
        let ids: Vec<MemoryId> = closed.iter().map(|memory| memory.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.keep_versions(account_id, person_id, &ids).await?;
        for memory in closed {
            let by = memory.superseded_by.as_ref().map(MemoryId::as_str);
            self.write_successor(&change, "superseded", &memory.id, memory.version, by)
                .await?;
        }
        self.forget_bios_of(account_id, person_id, &ids, false, now).await?;
        Ok(())
    }

    /// Says what took the place of a memory, or that nothing did, keeping the version until now.
    pub(in crate::store) async fn replace_memory(
        &self,
        change: &PersonChange<'_>,
        operation: &'static str,
        id: &MemoryId,
        version: i64,
        by: Option<&str>,
    ) -> Result<()> {
        let ids = std::slice::from_ref(id);
        self.keep_versions(change.account_id, change.person_id, ids).await?;
        self.write_successor(change, operation, id, version, by).await?;
        self.forget_bios_of(change.account_id, change.person_id, ids, false, change.now)
            .await?;
        Ok(())
    }

    async fn write_successor(
        &self,
        change: &PersonChange<'_>,
        operation: &'static str,
        id: &MemoryId,
        version: i64,
        by: Option<&str>,
    ) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Revision, Expr::value(change.revision))
            .col_expr(Column::Version, Expr::value(version))
            .col_expr(Column::Operation, Expr::value(operation))
            .col_expr(Column::ChangedBy, Expr::value(change.changed_by))
            .col_expr(Column::SupersededBy, Expr::value(by))
            .col_expr(Column::UpdatedAt, Expr::value(change.now))
            .filter(Column::AccountId.eq(change.account_id.as_str()))
            .filter(Column::PersonId.eq(change.person_id.as_str()))
            .filter(Column::Id.eq(id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// One memory of the person whose revision this transaction advances.
    pub async fn memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        user_id: &str,
        id: &MemoryId,
    ) -> Result<Option<MemoryRow>> {
        let row = of_person(account_id, person_id)
            .filter(Column::Id.eq(id.as_str()))
            .one(&self.0)
            .await
            .map_err(db_error)?;
        let Some(row) = row else { return Ok(None) };
        let cipher = match row.sealed.is_some() {
            true => Some(self.cipher(account_id, row.updated_at).await?),
            false => None,
        };
        row.opened(user_id, cipher.as_deref()).map(Some)
    }

    /// The cipher for a memory that is kept sealed.
    async fn cipher_for(&self, account_id: &AccountId, memory: &Memory) -> Result<Option<Arc<AccountCipher>>> {
        match memory.is_private() {
            true => self.cipher(account_id, memory.updated_at).await.map(Some),
            false => Ok(None),
        }
    }

    /// Writes what can be changed of a memory, keeping the version until now.
    pub async fn update_memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        operation: &str,
        changed_by: &str,
        memory: &Memory,
    ) -> Result<()> {
        let changed = std::slice::from_ref(&memory.id);
        self.keep_versions(account_id, person_id, changed).await?;
        let cipher = self.cipher_for(account_id, memory).await?;
        if let Some(cipher) = &cipher {
            self.seal_versions(account_id, &memory.id, cipher).await?;
        }
        let (contents, sealed) = Contents::stored(memory, cipher.as_deref())?;
        Entity::update_many()
            .col_expr(Column::Revision, Expr::value(revision))
            .col_expr(Column::Version, Expr::value(memory.version))
            .col_expr(Column::Text, Expr::value(contents.text))
            .col_expr(Column::MemoryType, Expr::value(memory.memory_type.as_str()))
            .col_expr(Column::Categories, Expr::value(category_words(memory)))
            .col_expr(Column::CategoryBits, Expr::value(category_bits(memory)))
            .col_expr(Column::Importance, Expr::value(f64::from(memory.importance)))
            .col_expr(Column::Metadata, Expr::value(contents.metadata))
            .col_expr(Column::Sources, Expr::value(contents.sources))
            .col_expr(Column::Context, Expr::value(contents.context))
            .col_expr(Column::Sealed, Expr::value(sealed))
            .col_expr(Column::ExpiresAt, Expr::value(memory.expires_at))
            .col_expr(Column::EventTime, Expr::value(memory.event_time))
            .col_expr(Column::EventTimePrecision, Expr::value(precision_word(memory)))
            .col_expr(Column::IsInstruction, Expr::value(memory.is_instruction))
            .col_expr(Column::Operation, Expr::value(operation))
            .col_expr(Column::ChangedBy, Expr::value(changed_by))
            .col_expr(Column::UpdatedAt, Expr::value(memory.updated_at))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.eq(person_id.as_str()))
            .filter(Column::Id.eq(memory.id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        self.forget_bios_of(account_id, person_id, changed, memory.is_private(), memory.updated_at)
            .await?;
        Ok(())
    }

    /// Notes that a memory was confirmed, by which words, and until when it is kept now.
    pub async fn reinforce_memory(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        revision: i64,
        memory: &Memory,
    ) -> Result<()> {
        let cipher = self.cipher_for(account_id, memory).await?;
        let (contents, sealed) = Contents::stored(memory, cipher.as_deref())?;
        Entity::update_many()
            .col_expr(Column::Revision, Expr::value(revision))
            .col_expr(Column::Reinforced, Expr::col(Column::Reinforced).add(1))
            .col_expr(Column::Sources, Expr::value(contents.sources))
            .col_expr(Column::Sealed, Expr::value(sealed))
            .col_expr(Column::ExpiresAt, Expr::value(memory.expires_at))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.eq(person_id.as_str()))
            .filter(Column::Id.eq(memory.id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}
