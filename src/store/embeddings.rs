//! The table `embeddings`: the vectors of memories, each with the model that made it, a byte a component.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, QuerySelect};

use super::{Store, Transaction, db_error};
use crate::error::Result;
use crate::model::{AccountId, Memory, MemoryId, quantised};

/// A row holds 5 bound values, and SQLite takes 32,766 in a statement.
const ROWS_PER_STATEMENT: usize = 4_000;
const IDS_PER_STATEMENT: usize = 10_000;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "embeddings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub memory_id: String,
    /// As [`kept_as`] has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    pub vector: Vec<u8>,
    pub is_sealed: bool,
}

/// A memory's vector, to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewEmbedding<'a> {
    /// The memory.
    pub memory: &'a Memory,
    /// Its vector.
    pub vector: &'a [f32],
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// The vectors that `model` made for these memories of the account, as they are kept: their length
    /// says nothing.
    pub async fn embeddings_of(
        &self,
        account_id: &AccountId,
        model: &str,
        ids: impl Iterator<Item = &MemoryId>,
    ) -> Result<HashMap<MemoryId, Vec<f32>>> {
        let ids: Vec<&str> = ids.map(MemoryId::as_str).collect();
        let name = kept_as(model);
        let mut rows: Vec<(String, Vec<u8>, bool)> = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let found = Entity::find()
                .select_only()
                .columns([Column::MemoryId, Column::Vector, Column::IsSealed])
                .filter(Column::AccountId.eq(account_id.as_str()))
                .filter(Column::MemoryId.is_in(chunk.iter().copied()))
                .filter(Column::Model.eq(&name))
                .into_tuple::<(String, Vec<u8>, bool)>()
                .all(&self.read)
                .await
                .map_err(db_error)?;
            rows.extend(found);
        }
        let cipher = match rows.iter().any(|(.., is_sealed)| *is_sealed) {
            true => Some(self.cipher(account_id).await?),
            false => None,
        };
        let vector = |(id, bytes, is_sealed): (String, Vec<u8>, bool)| {
            let bytes = match cipher.as_ref().filter(|_| is_sealed) {
                Some(cipher) => cipher.open(&bytes, &sealed_name(&id, &name))?,
                None => bytes,
            };
            let components = bytes.iter().map(|byte| f32::from(byte.cast_signed()));
            Ok((MemoryId::from_stored(id), components.collect()))
        };
        rows.into_iter().map(vector).collect()
    }
}

impl Transaction {
    /// Puts a vector that `model` made in the place of all that a memory had.
    pub async fn replace_embedding(
        &self,
        account_id: &AccountId,
        model: &str,
        embedding: NewEmbedding<'_>,
    ) -> Result<()> {
        Entity::delete_many()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::MemoryId.eq(embedding.memory.id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        self.insert_embeddings(account_id, model, &[embedding]).await
    }

    /// Stores the vectors that `model` made; those of private memories sealed, for a vector tells of its text.
    pub async fn insert_embeddings(
        &self,
        account_id: &AccountId,
        model: &str,
        embeddings: &[NewEmbedding<'_>],
    ) -> Result<()> {
        for chunk in embeddings.chunks(ROWS_PER_STATEMENT) {
            let rows = self.rows(account_id, model, chunk).await?;
            Entity::insert_many(rows)
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }

    /// The same for memories that may have a vector of this model, which they keep; says how many were stored.
    pub(super) async fn insert_missing_embeddings(
        &self,
        account_id: &AccountId,
        model: &str,
        embeddings: &[NewEmbedding<'_>],
    ) -> Result<u64> {
        let mut stored = 0;
        for chunk in embeddings.chunks(ROWS_PER_STATEMENT) {
            let rows = self.rows(account_id, model, chunk).await?;
            let key = [Column::AccountId, Column::MemoryId, Column::Model];
            let inserted = Entity::insert_many(rows)
                .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
                .exec_without_returning(&self.0)
                .await;
            match inserted {
                Ok(rows) => stored += rows,
                Err(DbErr::RecordNotInserted) => {}
                Err(error) => return Err(db_error(error)),
            }
        }
        Ok(stored)
    }

    async fn rows(
        &self,
        account_id: &AccountId,
        model: &str,
        embeddings: &[NewEmbedding<'_>],
    ) -> Result<Vec<ActiveModel>> {
        let private = embeddings.iter().find(|new| new.memory.is_private());
        let cipher = match private {
            Some(new) => Some(self.cipher(account_id, new.memory.updated_at).await?),
            None => None,
        };
        let name = kept_as(model);
        let row = |NewEmbedding { memory, vector }: &NewEmbedding<'_>| {
            let bytes: Vec<u8> = quantised(vector).into_iter().map(i8::cast_unsigned).collect();
            let sealing = cipher.as_ref().filter(|_| memory.is_private());
            Ok(ActiveModel {
                account_id: Set(account_id.to_string()),
                memory_id: Set(memory.id.to_string()),
                model: Set(name.clone()),
                is_sealed: Set(sealing.is_some()),
                vector: Set(match sealing {
                    Some(cipher) => cipher.seal(&bytes, &sealed_name(memory.id.as_str(), &name))?,
                    None => bytes,
                }),
            })
        };
        embeddings.iter().map(row).collect()
    }
}

/// The name that a model's vectors are kept under. Programs that kept four bytes a component used the model's own: what
/// each wrote the other passes over.
pub(super) fn kept_as(model: &str) -> String {
    format!("{model}/i8")
}

fn sealed_name(memory_id: &str, model: &str) -> String {
    format!("{memory_id}/{model}")
}
