//! Search over one person's memories, in memory: vectors, BM25 postings, filter columns, and the ranking over them.
//!
//! Everything here is computation on data handed in; loading, embedding and caching are the callers' business
//! (`services::memories`). A [`PersonIndex`] holds one person only, so a search cannot reach anyone else's memories.

mod attribute;
pub(crate) mod calibration;
pub(crate) mod features;
mod filter;
mod lexical;
mod neighbours;
mod part;
pub(crate) mod question;
pub(crate) mod rank;
#[cfg(test)]
mod tests;
mod vectors;
pub(crate) mod words;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::{Filter, Memory, MemoryId};

pub use features::Part;
use filter::{Columns, Screen};
use lexical::{Document, Lexical};
use neighbours::{Neighbours, Place, places};
pub use part::{NEIGHBOURS, Sample, place, question_terms, terms};
use rank::Weights;
use vectors::Vectors;
use words::{Analyzer, is_stop_word, tells_time, words};

/// A search over one person's memories.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The question in words.
    pub text: &'a str,
    /// Its embedding, of the index's dimensions; anything else is compared to nothing.
    pub vector: &'a [f32],
    /// Which memories may be returned.
    pub filter: &'a Filter,
    /// Most results.
    pub limit: usize,
    /// Whether to rank by everything known rather than by vector distance alone.
    pub rerank: bool,
    /// Whether to tell how each score came about; only with `rerank`.
    pub explain: bool,
    /// The time of the search: what "last week" in the question counts from.
    pub now: DateTime<Utc>,
}

/// One result.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The memory.
    pub memory: Arc<Memory>,
    /// Cosine distance of its vector to the question's, clamped: 0 (same direction) to 1.
    pub vector_distance: f32,
    /// Calibrated relevance, 0 to 1; only with [`Query::rerank`].
    pub rerank_score: Option<f32>,
    /// How that came about; only with [`Query::explain`].
    pub explanation: Option<Explanation>,
}

/// How a `rerank_score` came about.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What is known about the memory in the light of the question.
    pub parts: Vec<Part>,
    /// Taken off for repeating what stands before it.
    pub repetition: f32,
    /// The sum of value times weight, less repetition. It only compares within one answer.
    pub score: f32,
    /// How far that is behind the first memory's.
    pub behind: f32,
    /// Relevance of the first memory as a log-odds ratio: how strong the answer is as a whole.
    pub strength: f32,
}

/// The memories of one person, ready for search.
#[derive(Debug)]
pub struct PersonIndex {
    slot_of: HashMap<MemoryId, usize>,
    rows: Vec<Option<Row>>,
    /// Beside the rows, so that a scan reads little; `None` where a slot is free.
    columns: Vec<Option<Columns>>,
    free: Vec<usize>,
    vectors: Vectors,
    lexical: Lexical,
    neighbours: Neighbours,
    /// How many memories each subject has.
    subjects: HashMap<String, usize>,
    /// Of the question to all memories, where these are some of them.
    mean_cosine: Option<f32>,
    text_bytes: usize,
}

#[derive(Debug)]
struct Row {
    memory: Arc<Memory>,
    /// The messages that it was taken from.
    places: Box<[Place]>,
    /// Whom it is about, in lower case.
    subject: Option<String>,
    /// Whether it says when.
    dated: bool,
}

impl PersonIndex {
    /// An index for vectors of `dimensions` components.
    pub fn new(dimensions: usize) -> Self {
        Self {
            slot_of: HashMap::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            free: Vec::new(),
            vectors: Vectors::new(dimensions),
            lexical: Lexical::default(),
            neighbours: Neighbours::default(),
            subjects: HashMap::new(),
            mean_cosine: None,
            text_bytes: 0,
        }
    }

    /// Adds `memory`, in place of an older state of the same id. A superseded one is found only by a filter that
    /// includes such, an expired one by none. A vector of other dimensions is kept as one that is near to nothing.
    pub fn upsert(&mut self, memory: Arc<Memory>, vector: &[f32]) {
        self.remove(&memory.id);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            self.columns.push(None);
            self.rows.len() - 1
        });
        self.vectors.set(slot, vector);
        self.lexical.insert(slot, &document(&memory));
        let places = places(&memory);
        self.neighbours.insert(slot, &places);
        let subject = subject(&memory.text);
        if let Some(subject) = &subject {
            *self.subjects.entry(subject.clone()).or_default() += 1;
        }
        self.text_bytes += weight(&memory);
        self.slot_of.insert(memory.id.clone(), slot);
        self.columns[slot] = Some(Columns::of(&memory));
        let dated = memory.event_time.is_some() || tells_time(&memory.text);
        self.rows[slot] = Some(Row {
            memory,
            places,
            subject,
            dated,
        });
    }

    /// Forgets the memory `id`; nothing happens when it is not here.
    pub fn remove(&mut self, id: &MemoryId) {
        let Some(slot) = self.slot_of.remove(id) else { return };
        let Some(row) = self.rows[slot].take() else { return };
        self.vectors.clear(slot);
        self.lexical.remove(slot);
        self.neighbours.remove(slot, &row.places);
        self.columns[slot] = None;
        if let Some(subject) = row.subject
            && let Some(count) = self.subjects.get_mut(&subject)
        {
            *count -= 1;
            if *count == 0 {
                self.subjects.remove(&subject);
            }
        }
        self.text_bytes -= weight(&row.memory);
        self.free.push(slot);
    }

    /// The memory `id`, superseded or not.
    pub fn get(&self, id: &MemoryId) -> Option<&Arc<Memory>> {
        self.memory(*self.slot_of.get(id)?)
    }

    /// The memories that are current at `now`, and how many there are that newer ones took the place of.
    pub fn current(&self, now: DateTime<Utc>) -> (Vec<Arc<Memory>>, usize) {
        let filter = Filter::default();
        let current = self.passing(&filter, now);
        let current: Vec<Arc<Memory>> = current.filter_map(|slot| self.memory(slot).cloned()).collect();
        let memories = self.rows.iter().flatten();
        let superseded = memories.filter(|row| row.memory.superseded_by.is_some()).count();
        (current, superseded)
    }

    /// Whether all of these are among the memories that are current at `now`.
    pub fn holds_current(&self, ids: &[MemoryId], now: DateTime<Utc>) -> bool {
        ids.iter().all(|id| {
            let memory = self.get(id);
            memory.is_some_and(|memory| memory.superseded_by.is_none() && !memory.is_expired(now))
        })
    }

    /// Number of memories, superseded ones included.
    pub fn len(&self) -> usize {
        self.slot_of.len()
    }

    /// Whether there is no memory.
    pub fn is_empty(&self) -> bool {
        self.slot_of.is_empty()
    }

    /// Bytes held, estimated; for bounding a cache of indexes.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.rows.capacity() * (size_of::<Row>() + 32)
            + self.slot_of.len() * 96
            + self.subjects.len() * 64
            + self.text_bytes
            + self.vectors.size_bytes()
            + self.lexical.size_bytes()
            + self.neighbours.size_bytes()
    }

    /// The memories that answer `query` best, best first.
    pub fn search(&self, query: &Query<'_>) -> Vec<Hit> {
        if query.rerank {
            rank::by_relevance(self, query, &Weights::CHOSEN)
        } else {
            rank::by_distance(self, query)
        }
    }

    /// The memories that are current at `now` and nearest to `vector` with their cosines, −1 to 1, nearest first.
    pub fn nearest(&self, vector: &[f32], limit: usize, now: DateTime<Utc>) -> Vec<(Arc<Memory>, f32)> {
        let probe = self.vectors.probe(vector);
        let filter = Filter::default();
        let mut found: Vec<(f32, usize)> = self
            .passing(&filter, now)
            .map(|slot| (self.vectors.cosine(&probe, slot), slot))
            .collect();
        rank::keep_first(&mut found, limit, |a, b| {
            b.0.total_cmp(&a.0).then_with(|| self.newer_first(a.1, b.1))
        });
        found
            .into_iter()
            .filter_map(|(cosine, slot)| Some((self.memory(slot)?.clone(), cosine)))
            .collect()
    }

    fn row(&self, slot: usize) -> Option<&Row> {
        self.rows[slot].as_ref()
    }

    pub(crate) fn memory(&self, slot: usize) -> Option<&Arc<Memory>> {
        self.row(slot).map(|row| &row.memory)
    }

    const fn slots(&self) -> usize {
        self.rows.len()
    }

    /// Slots of the memories that `filter` lets through and whose time is not over at `now`.
    fn passing<'a>(&'a self, filter: &'a Filter, now: DateTime<Utc>) -> impl Iterator<Item = usize> + 'a {
        let screen = Screen::new(filter, now);
        self.columns.iter().enumerate().filter_map(move |(slot, columns)| {
            let columns = columns.as_ref()?;
            screen
                .passes(columns, || self.memory(slot).map(Arc::as_ref))
                .then_some(slot)
        })
    }

    /// Order of two memories that score the same.
    fn newer_first(&self, a: usize, b: usize) -> Ordering {
        match (self.memory(a), self.memory(b)) {
            (Some(a), Some(b)) => b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)),
            (None, _) | (_, None) => a.cmp(&b),
        }
    }
}

/// Index terms of a memory: its words, the date of the thing, the words before it.
fn document(memory: &Memory) -> Document {
    let analyzer = Analyzer::new();
    let mut own = analyzer.terms(&memory.text);
    own.extend(analyzer.date_terms(memory.event_time.unwrap_or(memory.created_at)));
    let context = memory
        .context
        .as_deref()
        .map(|text| analyzer.terms(text))
        .unwrap_or_default();
    Document { own, context }
}

/// Whom or what a text is about, in lower case: its first word, if that is written as a name.
fn subject(text: &str) -> Option<String> {
    let first = text
        .split_whitespace()
        .next()
        .filter(|word| word.starts_with(|c: char| c.is_uppercase()))?;
    words(first).next().filter(|word| !is_stop_word(word))
}

fn weight(memory: &Memory) -> usize {
    let quotes: usize = memory
        .sources
        .iter()
        .map(|s| s.quote.len() + s.message_id.len() + size_of_val(s))
        .sum();
    let metadata = memory.metadata.as_ref().map_or(0, |map| map.len() * 128);
    size_of::<Memory>()
        + memory.text.len()
        + memory.context.as_ref().map_or(0, String::len)
        + memory.id.as_str().len() * 2
        + memory.agent_id.len()
        + memory.thread_id.len()
        + memory.source.len()
        + quotes
        + metadata
}
