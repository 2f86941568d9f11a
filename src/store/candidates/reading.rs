//! What searches ask of the candidates.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, QueryResult};

use super::{MAX_TERM_BYTES, table, vector_text};
use crate::error::Result;
use crate::model::{Filter, Memory, MemoryId, Owner, PersonId};
use crate::store::connection::Guarded;
use crate::store::sql::Sql;
use crate::store::{Store, db_error, memories};

/// What a context word counts beside an own one, when candidates are chosen.
const CONTEXT_WEIGHT: f32 = 0.6;
/// Marks the words before a memory among its terms.
pub const CONTEXT_MARK: char = '~';
/// Terms of a question that choose candidates.
const MAX_TERMS: usize = 32;
/// Memories that are looked through for terms, about. A question of common words is answered by its rarer ones.
const MAX_MATCHING: usize = 5_000;
/// Of each kind, those whose neighbours are candidates too.
const LEADERS: usize = 100;
/// Neighbours at most.
const MAX_NEIGHBOURS: usize = 1_500;

/// Whose memories are asked for, and for what.
#[derive(Clone, Copy, Debug)]
pub struct CandidateQuery<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// The same person.
    pub person_id: &'a PersonId,
    /// The model of the vectors.
    pub model: &'a str,
    /// Which memories count.
    pub filter: &'a Filter,
    /// The time of the question.
    pub now: DateTime<Utc>,
    /// How many of each kind at most.
    pub limit: usize,
}

/// A term of a question.
#[derive(Clone, Debug)]
pub struct CandidateTerm {
    /// As memories have it.
    pub term: String,
    /// How much it counts.
    pub weight: f32,
    /// In how many of the person's memories it stands, about.
    pub frequency: usize,
}

/// Memories that may answer.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// Each once.
    pub memories: Vec<Memory>,
    /// In how many of the person's memories each term stands; of those that chose no candidates, the estimate.
    pub frequencies: HashMap<String, usize>,
    seen: HashSet<MemoryId>,
    leaders: Vec<MemoryId>,
}

impl Store {
    /// The memories nearest to any of these vectors, as far as an approximate index finds them.
    pub async fn candidates_near(&self, query: &CandidateQuery<'_>, vectors: &[&[f32]]) -> Result<Candidates> {
        let mut found = Candidates::default();
        let reading = self.begin_reading(query.limit).await?;
        for vector in vectors {
            found.add(query, near(&reading, self.table(), query, vector).await?)?;
        }
        reading.commit().await.map_err(db_error)?;
        Ok(found)
    }

    /// The memories nearest to the vector, those that have most of the terms by their rarity among `documents`, and those
    /// that stand at most `reach` turns from any of these.
    pub async fn candidates_for(
        &self,
        query: &CandidateQuery<'_>,
        vector: &[f32],
        terms: &[CandidateTerm],
        documents: usize,
        reach: i64,
    ) -> Result<Candidates> {
        let mut found = Candidates::default();
        let reading = self.begin_reading(query.limit).await?;
        found.add(query, near(&reading, self.table(), query, vector).await?)?;
        let estimates = terms.iter().map(|term| (term.term.clone(), term.frequency));
        found.frequencies.extend(estimates);
        let terms = choosing(terms);
        if !terms.is_empty() {
            let rows = matching(&reading, self.table(), query, &terms, documents).await?;
            let are_all_counted = terms.iter().map(|term| term.frequency).sum::<usize>() <= MAX_MATCHING;
            if let Some(row) = rows.first().filter(|_| are_all_counted) {
                for (at, CandidateTerm { term, .. }) in terms.iter().enumerate() {
                    let frequency: i64 = row.try_get("", &format!("n{at}")).map_err(db_error)?;
                    let frequency = usize::try_from(frequency).unwrap_or(usize::MAX);
                    found.frequencies.insert(term.clone(), frequency);
                }
            }
            found.add(query, rows)?;
        }
        if reach > 0 && !found.memories.is_empty() {
            let rows = beside(&reading, self.table(), query, &found.leaders, reach).await?;
            found.add(query, rows)?;
        }
        reading.commit().await.map_err(db_error)?;
        Ok(found)
    }

    /// A transaction whose statements are planned for their values: people differ in size by orders of magnitude. HNSW goes
    /// on until enough of what it finds passes the filter, and keeps an eye on more than are asked for, or it misses some of
    /// the nearest.
    async fn begin_reading(&self, limit: usize) -> Result<Guarded<DatabaseTransaction>> {
        let reading = self.read.begin().await.map_err(db_error)?;
        let settings = format!(
            "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL hnsw.iterative_scan = relaxed_order; \
             SET LOCAL hnsw.max_scan_tuples = 50000; SET LOCAL hnsw.ef_search = {}",
            (3 * limit).clamp(100, 1_000)
        );
        reading.execute_unprepared(&settings).await.map_err(db_error)?;
        Ok(reading)
    }

    fn table(&self) -> String {
        table(self.candidate_dimensions.get().copied().unwrap_or_default())
    }
}

impl Candidates {
    fn add(&mut self, query: &CandidateQuery<'_>, rows: Vec<QueryResult>) -> Result<()> {
        for (rank, row) in rows.iter().enumerate() {
            let row = memories::Model::from_query_result(row, "").map_err(db_error)?;
            let memory = row.opened(&query.owner.user_id, None)?.memory;
            if rank < LEADERS {
                self.leaders.push(memory.id.clone());
            }
            if self.seen.insert(memory.id.clone()) {
                self.memories.push(memory);
            }
        }
        Ok(())
    }
}

/// The rarest of the terms, as far as they stand in few enough memories together; one at least.
fn choosing(terms: &[CandidateTerm]) -> Vec<&CandidateTerm> {
    let mut terms: Vec<_> = terms.iter().filter(|term| term.term.len() <= MAX_TERM_BYTES).collect();
    terms.sort_by_key(|term| term.frequency);
    let mut sum = 0;
    let few = terms.iter().take_while(|term| {
        sum += term.frequency;
        sum <= MAX_MATCHING
    });
    let count = few.count().clamp(1, MAX_TERMS);
    terms.truncate(count);
    terms
}

async fn near(
    reading: &Guarded<DatabaseTransaction>,
    table: String,
    query: &CandidateQuery<'_>,
    vector: &[f32],
) -> Result<Vec<QueryResult>> {
    let mut sql = Sql::default();
    let text = format!(
        "SELECT m.* FROM {table} c JOIN memories m ON m.account_id = c.account_id AND m.id = c.memory_id \
         WHERE {} AND {} ORDER BY c.vector <=> {}::halfvec LIMIT {}",
        of_person(&mut sql, query),
        passing(&mut sql, query),
        sql.bind(vector_text(vector)),
        query.limit
    );
    reading.query_all_raw(sql.postgres(text)).await.map_err(db_error)
}

/// Candidates by how rare those terms are that they have: BM25's inverse document frequency, without its regard for
/// lengths, which [`crate::search`] has once they are chosen.
async fn matching(
    reading: &Guarded<DatabaseTransaction>,
    table: String,
    query: &CandidateQuery<'_>,
    terms: &[&CandidateTerm],
    documents: usize,
) -> Result<Vec<QueryResult>> {
    let mut sql = Sql::default();
    let (mut hits, mut any, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut weights, mut score) = (Vec::new(), Vec::new());
    for (at, CandidateTerm { term, weight, .. }) in terms.iter().enumerate() {
        let (own, context) = (lexeme(term), lexeme(&format!("{CONTEXT_MARK}{term}")));
        hits.push(format!(
            "CASE WHEN c.terms @@ {}::tsquery THEN 1::float8 WHEN c.terms @@ {}::tsquery THEN {CONTEXT_WEIGHT} ELSE 0 END \
             AS h{at}",
            sql.bind(own.clone()),
            sql.bind(context.clone())
        ));
        any.extend([own, context]);
        counts.push(format!("count(*) FILTER (WHERE h{at} > 0) AS n{at}"));
        // Not of `numeric`, whose logarithm takes longer than all else.
        weights.push(format!(
            "{weight} * ln(1 + greatest({documents} - n{at} + 0.5, 0.0)::float8 / (n{at} + 0.5)) AS w{at}"
        ));
        score.push(format!("h{at} * w{at}"));
    }
    // Whole memories are read of the best alone, unless few of those may pass.
    let best = match query.filter.is_wide() {
        true => 3 * query.limit,
        false => 2 * MAX_MATCHING,
    };
    let text = format!(
        "WITH matching AS MATERIALIZED (SELECT c.memory_id, {} FROM {table} c WHERE {} AND c.terms @@ {}::tsquery \
         LIMIT {}), \
         counted AS (SELECT {} FROM matching), \
         weighed AS MATERIALIZED (SELECT *, {} FROM counted), \
         best AS MATERIALIZED (SELECT memory_id, {} AS score FROM matching CROSS JOIN weighed \
         ORDER BY score DESC, memory_id DESC LIMIT {best}) \
         SELECT m.*, weighed.* FROM best CROSS JOIN weighed \
         JOIN memories m ON m.account_id = {} AND m.id = best.memory_id \
         WHERE {} ORDER BY best.score DESC, m.created_at DESC LIMIT {}",
        hits.join(", "),
        of_person(&mut sql, query),
        sql.bind(any.join(" | ")),
        2 * MAX_MATCHING,
        counts.join(", "),
        weights.join(", "),
        score.join(" + "),
        sql.bind(query.owner.account_id.as_str()),
        passing(&mut sql, query),
        query.limit
    );
    reading.query_all_raw(sql.postgres(text)).await.map_err(db_error)
}

/// What stands in the same conversations at most `reach` turns from the leaders.
async fn beside(
    reading: &Guarded<DatabaseTransaction>,
    table: String,
    query: &CandidateQuery<'_>,
    leaders: &[MemoryId],
    reach: i64,
) -> Result<Vec<QueryResult>> {
    let mut sql = Sql::default();
    let of_person_there = of_person(&mut sql, query);
    let ids: Vec<String> = leaders.iter().map(|id| sql.bind(id.as_str())).collect();
    let text = format!(
        "WITH places AS MATERIALIZED (SELECT DISTINCT c.thread, c.position FROM {table} c \
                                      WHERE {of_person_there} AND c.memory_id IN ({})), \
         near AS MATERIALIZED (SELECT DISTINCT c.memory_id FROM places p JOIN {table} c ON c.thread = p.thread \
                               AND c.position BETWEEN p.position - {reach} AND p.position + {reach} \
                               WHERE {of_person_there}) \
         SELECT m.* FROM near JOIN memories m ON m.account_id = {} AND m.id = near.memory_id \
         WHERE {} LIMIT {MAX_NEIGHBOURS}",
        ids.join(", "),
        sql.bind(query.owner.account_id.as_str()),
        passing(&mut sql, query)
    );
    reading.query_all_raw(sql.postgres(text)).await.map_err(db_error)
}

fn of_person(sql: &mut Sql, query: &CandidateQuery<'_>) -> String {
    format!(
        "c.account_id = {} AND c.person_id = {} AND c.model = {}",
        sql.bind(query.owner.account_id.as_str()),
        sql.bind(query.person_id.as_str()),
        sql.bind(query.model)
    )
}

/// The filter as a condition on the memory `m`. Equal to what the index in memory checks, but for arrays in metadata, of
/// which this also passes those that hold more: the index checks again.
fn passing(sql: &mut Sql, query: &CandidateQuery<'_>) -> String {
    let Filter {
        categories,
        memory_type,
        is_instruction,
        agent_id,
        thread_id,
        created_after,
        created_before,
        min_importance,
        metadata,
        include_superseded,
    } = query.filter;
    let mut text = format!("(m.expires_at IS NULL OR m.expires_at > {})", sql.bind(query.now));
    let mut and = |condition: String| {
        // Writing to a string does not fail.
        let _ = write!(text, " AND {condition}");
    };
    if !include_superseded {
        and("m.superseded_by IS NULL".to_owned());
    }
    if *categories != 0 {
        and(format!("m.category_bits & {categories} <> 0"));
    }
    if let Some(wanted) = memory_type {
        and(format!("m.memory_type = {}", sql.bind(wanted.as_str())));
    }
    if let Some(wanted) = is_instruction {
        and(format!("m.is_instruction = {}", sql.bind(*wanted)));
    }
    if let Some(wanted) = agent_id {
        and(format!("m.agent_id = {}", sql.bind(wanted.as_str())));
    }
    if let Some(wanted) = thread_id {
        and(format!("m.thread_id = {}", sql.bind(wanted.as_str())));
    }
    if let Some(from) = created_after {
        and(format!("m.created_at >= {}", sql.bind(*from)));
    }
    if let Some(until) = created_before {
        and(format!("m.created_at <= {}", sql.bind(*until)));
    }
    if let Some(least) = min_importance {
        and(format!("m.importance >= {}", sql.bind(f64::from(*least))));
    }
    if !metadata.is_empty() {
        let wanted = serde_json::Value::Object(metadata.clone()).to_string();
        and(format!("m.metadata::jsonb @> {}::jsonb", sql.bind(wanted)));
    }
    text
}

/// A term as a `tsquery` that asks for it as it is.
fn lexeme(term: &str) -> String {
    format!("'{}'", term.replace('\\', "\\\\").replace('\'', "''"))
}
