//! The table `embeddings`: the vectors of memories, each with the model that made it.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, JoinType, QuerySelect};

use super::{Store, Transaction, db_error, memories};
use crate::error::{Error, Result};
use crate::model::{AccountId, MemoryId, PersonId};

/// A row holds at most 4 bound values, and SQLite takes 32,766 in a statement.
const ROWS_PER_STATEMENT: usize = 4_000;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "embeddings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub memory_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    pub vector: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::memories::Entity",
        from = "(Column::AccountId, Column::MemoryId)",
        to = "(super::memories::Column::AccountId, super::memories::Column::Id)"
    )]
    Memory,
}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// The vectors that `model` made for the person's memories changed after `revision`.
    pub async fn embeddings_since(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        model: &str,
        revision: i64,
    ) -> Result<HashMap<MemoryId, Vec<f32>>> {
        let rows: Vec<(String, Vec<u8>)> = Entity::find()
            .select_only()
            .columns([Column::MemoryId, Column::Vector])
            .join(JoinType::InnerJoin, Relation::Memory.def())
            .filter(memories::Column::AccountId.eq(account_id.as_str()))
            .filter(memories::Column::PersonId.eq(person_id.as_str()))
            .filter(memories::Column::Revision.gt(revision))
            .filter(Column::Model.eq(model))
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        rows.into_iter()
            .map(|(id, bytes)| Ok((MemoryId::from_stored(id), vector_from_bytes(&bytes)?)))
            .collect()
    }
}

impl Transaction {
    /// Puts a vector that `model` made in the place of all that a memory had.
    pub async fn replace_embedding(
        &self,
        account_id: &AccountId,
        model: &str,
        id: &MemoryId,
        vector: &[f32],
    ) -> Result<()> {
        Entity::delete_many()
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::MemoryId.eq(id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        self.insert_embeddings(account_id, model, std::iter::once((id, vector)))
            .await
    }

    /// Stores the vectors that `model` made.
    pub async fn insert_embeddings<'a>(
        &self,
        account_id: &AccountId,
        model: &str,
        vectors: impl Iterator<Item = (&'a MemoryId, &'a [f32])>,
    ) -> Result<()> {
        let rows: Vec<ActiveModel> = vectors
            .map(|(id, vector)| ActiveModel {
                account_id: Set(account_id.to_string()),
                memory_id: Set(id.to_string()),
                model: Set(model.to_owned()),
                vector: Set(vector.iter().flat_map(|x| x.to_le_bytes()).collect()),
            })
            .collect();
        for chunk in rows.chunks(ROWS_PER_STATEMENT) {
            Entity::insert_many(chunk.to_vec())
                .exec_without_returning(&self.0)
                .await
                .map_err(db_error)?;
        }
        Ok(())
    }
}

fn vector_from_bytes(bytes: &[u8]) -> Result<Vec<f32>> {
    let (floats, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() {
        Ok(floats.iter().map(|x| f32::from_le_bytes(*x)).collect())
    } else {
        Err(Error::Internal("a stored vector is not made of whole floats".into()))
    }
}
