//! Candidates for searches over people whose memories outgrow an instance: the tables `candidates_N`, with vectors of N
//! dimensions (pgvector's `halfvec` under HNSW) and index terms (`tsvector` under GIN).
//!
//! On a PostgreSQL with the extension `vector` only. Filters are read from `memories`, so a row changes only with the text
//! of its memory. Private memories have none: vectors and terms would tell of what is sealed.

mod reading;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{DbBackend, QuerySelect, Statement, TransactionTrait};

use super::persons;
use super::sql::Sql;
use super::{MIGRATION_LOCK, Store, Transaction, db_error};
use crate::error::Result;
use crate::model::{AccountId, MemoryId, Owner, PersonId};

pub use reading::{CONTEXT_MARK, CandidateQuery, CandidateTerm, Candidates};

/// Parts of the table, by person: an index holds few people, so that one person's search passes few others'.
const PARTS: u32 = 16;
/// What HNSW takes of a `halfvec`.
const MAX_DIMENSIONS: usize = 4_000;
/// A row holds 8 bound values, and PostgreSQL takes 65,535 in a statement.
const ROWS_PER_STATEMENT: usize = 1_000;
/// Terms longer than this can't be index terms of PostgreSQL, in bytes.
const MAX_TERM_BYTES: usize = 1_000;

/// A memory as a candidate.
#[derive(Clone, Debug)]
pub struct NewCandidate {
    /// The memory.
    pub memory_id: MemoryId,
    /// Its vector.
    pub vector: Vec<f32>,
    /// Its index terms.
    pub terms: Vec<String>,
    /// Its conversation, as a number.
    pub thread: i64,
    /// The place in there of its first source.
    pub position: i64,
}

impl Store {
    /// Makes the table for vectors of so many dimensions where there is none and `may_create` allows it. False where the
    /// database can't have it: then people of any size are searched in memory.
    pub async fn prepare_candidates(&self, dimensions: usize, may_create: bool) -> Result<bool> {
        let connection = self.write.inner();
        if connection.get_database_backend() != DbBackend::Postgres || dimensions > MAX_DIMENSIONS {
            return Ok(false);
        }
        let table = table(dimensions);
        let has = async |sql: String| {
            let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
            Ok::<_, crate::error::Error>(row.await.map_err(db_error)?.is_some())
        };
        if !has(format!("SELECT 1 WHERE to_regclass('{table}') IS NOT NULL")).await? {
            if !may_create || !has("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'".to_owned()).await? {
                return Ok(false);
            }
            let transaction = connection.begin().await.map_err(db_error)?;
            let create = format!(
                "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); {}",
                definition(&table, dimensions)
            );
            if let Err(error) = transaction.execute_unprepared(&create).await {
                tracing::warn!(%error, "the extension vector is installed, but can't be used");
                return Ok(false);
            }
            transaction.commit().await.map_err(db_error)?;
        }
        // Asked again by the same program, the answer is the same.
        let _ = self.candidate_dimensions.set(dimensions);
        Ok(true)
    }

    /// Whether candidates of large people can be kept.
    pub fn keeps_candidates(&self) -> bool {
        self.candidate_dimensions.get().is_some()
    }

    /// Asks for candidates of a person, with vectors that `model` makes. From then on whoever writes memories of theirs
    /// writes candidates too; those of earlier memories are for [`Self::candidates_to_build`].
    pub async fn want_candidates(&self, account_id: &AccountId, person_id: &PersonId, model: &str) -> Result<()> {
        let is_other = persons::Column::CandidateModel.is_null();
        persons::Entity::update_many()
            .col_expr(persons::Column::CandidateModel, Expr::value(model))
            .col_expr(
                persons::Column::CandidatesSince,
                Expr::value(Option::<DateTimeUtc>::None),
            )
            .filter(persons::Column::AccountId.eq(account_id.as_str()))
            .filter(persons::Column::Id.eq(person_id.as_str()))
            .filter(is_other.or(persons::Column::CandidateModel.ne(model)))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// A person whose candidates are not all there yet.
    pub async fn candidates_to_build(&self, model: &str) -> Result<Option<(Owner, PersonId)>> {
        let row: Option<(String, String, String)> = persons::Entity::find()
            .select_only()
            .columns([persons::Column::AccountId, persons::Column::UserId, persons::Column::Id])
            .filter(persons::Column::CandidateModel.eq(model))
            .filter(persons::Column::CandidatesSince.is_null())
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(db_error)?;
        Ok(row.map(|(account_id, user_id, person_id)| {
            let account_id = AccountId::from_stored(account_id);
            (Owner { account_id, user_id }, PersonId::from_stored(person_id))
        }))
    }

    /// Notes that all candidates of the person are there.
    pub async fn finish_candidates(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        model: &str,
        now: DateTimeUtc,
    ) -> Result<()> {
        persons::Entity::update_many()
            .col_expr(persons::Column::CandidatesSince, Expr::value(now))
            .filter(persons::Column::AccountId.eq(account_id.as_str()))
            .filter(persons::Column::Id.eq(person_id.as_str()))
            .filter(persons::Column::CandidateModel.eq(model))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// Notes that a person who is new has all candidates: none.
    pub async fn begin_candidates(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        model: &str,
        now: DateTimeUtc,
    ) -> Result<()> {
        persons::Entity::update_many()
            .col_expr(persons::Column::CandidateModel, Expr::value(model))
            .col_expr(persons::Column::CandidatesSince, Expr::value(now))
            .filter(persons::Column::AccountId.eq(account_id.as_str()))
            .filter(persons::Column::Id.eq(person_id.as_str()))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Stores candidates. One that is there already with a vector of `model` stays as it is: it is the later one.
    pub async fn insert_candidates(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        model: &str,
        candidates: &[NewCandidate],
    ) -> Result<()> {
        let Some(dimensions) = self.2 else { return Ok(()) };
        let table = table(dimensions);
        for chunk in candidates.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::default();
            let rows: Vec<String> = chunk
                .iter()
                .map(|candidate| {
                    let terms = candidate.terms.iter().filter(|term| term.len() <= MAX_TERM_BYTES);
                    let terms: Vec<&str> = terms.map(String::as_str).collect();
                    format!(
                        "({}, {}, {}, {}, {}::halfvec, array_to_tsvector(string_to_array({}, ' ')), {}, {})",
                        sql.bind(account_id.as_str()),
                        sql.bind(candidate.memory_id.as_str()),
                        sql.bind(person_id.as_str()),
                        sql.bind(model),
                        sql.bind(vector_text(&candidate.vector)),
                        sql.bind(terms.join(" ")),
                        candidate.thread,
                        candidate.position,
                    )
                })
                .collect();
            let text = format!(
                "INSERT INTO {table} AS held (account_id, memory_id, person_id, model, vector, terms, thread, position) \
                 VALUES {} ON CONFLICT (account_id, memory_id, person_id) DO UPDATE \
                 SET model = EXCLUDED.model, vector = EXCLUDED.vector, terms = EXCLUDED.terms \
                 WHERE held.model <> EXCLUDED.model",
                rows.join(", ")
            );
            self.0.execute_raw(sql.postgres(text)).await.map_err(db_error)?;
        }
        Ok(())
    }

    /// Deletes the candidate of a memory.
    pub async fn remove_candidate(&self, account_id: &AccountId, person_id: &PersonId, id: &MemoryId) -> Result<()> {
        let Some(dimensions) = self.2 else { return Ok(()) };
        let mut sql = Sql::default();
        let text = format!(
            "DELETE FROM {} WHERE account_id = {} AND person_id = {} AND memory_id = {}",
            table(dimensions),
            sql.bind(account_id.as_str()),
            sql.bind(person_id.as_str()),
            sql.bind(id.as_str()),
        );
        self.0.execute_raw(sql.postgres(text)).await.map_err(db_error)?;
        Ok(())
    }
}

fn table(dimensions: usize) -> String {
    format!("candidates_{dimensions}")
}

fn definition(table: &str, dimensions: usize) -> String {
    let parts = (0..PARTS).map(|part| {
        format!(
            "CREATE TABLE IF NOT EXISTS {table}_{part} PARTITION OF {table} \
             FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});"
        )
    });
    format!(
        "CREATE EXTENSION IF NOT EXISTS vector; \
         CREATE TABLE IF NOT EXISTS {table} ( \
             account_id text NOT NULL, memory_id text NOT NULL, person_id text NOT NULL, model text NOT NULL, \
             vector halfvec({dimensions}) NOT NULL, terms tsvector NOT NULL, \
             thread bigint NOT NULL, position bigint NOT NULL, \
             PRIMARY KEY (account_id, memory_id, person_id), \
             FOREIGN KEY (account_id, memory_id) REFERENCES memories (account_id, id) ON DELETE CASCADE \
         ) PARTITION BY HASH (person_id); \
         {} \
         CREATE INDEX IF NOT EXISTS {table}_near ON {table} USING hnsw (vector halfvec_cosine_ops); \
         CREATE INDEX IF NOT EXISTS {table}_terms ON {table} USING gin (terms); \
         CREATE INDEX IF NOT EXISTS {table}_beside ON {table} (person_id, thread, position);",
        parts.collect::<String>()
    )
}

/// A vector as pgvector reads it.
fn vector_text(vector: &[f32]) -> String {
    let components: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", components.join(","))
}
