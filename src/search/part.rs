//! Indexes that hold some of a person's memories: a sample that tells of all, and candidates that stand for all.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::lexical::{Whole, as_f32};
use super::neighbours::REACH;
use super::question::Question;
use super::words::Analyzer;
use super::{PersonIndex, Row, document};
use crate::model::{Filter, Memory};

/// How far from a memory the turns are that lend it their scores.
pub const NEIGHBOURS: i64 = REACH;

/// What some memories of a person tell of all of them.
#[derive(Clone, Debug)]
pub struct Sample {
    mean_words: (f32, f32),
    mean_cosine: Option<f32>,
}

/// The index terms of a memory: of its own words and date, and of the words before it.
pub fn terms(memory: &Memory) -> (Vec<String>, Vec<String>) {
    let document = document(memory);
    (document.own, document.context)
}

/// The index terms of a question, each with how much it counts.
pub fn question_terms(text: &str, now: DateTime<Utc>) -> Vec<(String, f32)> {
    let question = Question::read(text, now, &Analyzer::new());
    question.terms.into_iter().map(|t| (t.term, t.weight)).collect()
}

/// Where a memory's first source stands: the conversation as a number, the same in every process, and the turn.
pub fn place(memory: &Memory) -> (i64, i64) {
    let position = memory.sources.iter().map(|source| source.position).min();
    (
        thread_number(&memory.agent_id, &memory.thread_id),
        position.unwrap_or(0),
    )
}

impl PersonIndex {
    /// What the memories here tell of all, for a question.
    pub fn sample(&self, vector: &[f32], filter: &Filter, now: DateTime<Utc>) -> Sample {
        let probe = self.vectors.probe(vector);
        let cosines = self.passing(filter, now).map(|slot| self.vectors.cosine(&probe, slot));
        let (count, sum) = cosines.fold((0, 0.0), |(count, sum), cosine| (count + 1, sum + cosine));
        Sample {
            mean_words: self.lexical.mean_words(),
            mean_cosine: (count > 0).then(|| sum / as_f32(count)),
        }
    }

    /// In how many of `documents` memories a term stands, if they are as those here.
    pub fn frequency_among(&self, term: &str, documents: usize) -> usize {
        self.lexical.frequency(term) * documents / self.len().max(1)
    }

    /// Ranks from now on as an index of all `documents` memories would, of which the `sample` tells, and where each term of
    /// the question stands in so many.
    pub fn stand_for(&mut self, sample: &Sample, documents: usize, frequencies: HashMap<String, usize>) {
        self.mean_cosine = sample.mean_cosine;
        self.lexical.stand_for(Whole {
            documents,
            mean_words: sample.mean_words,
            frequencies,
        });
    }

    /// Those memories that are wanted, with their vectors as they are kept.
    pub fn pick(&self, is_wanted: impl Fn(&Memory) -> bool) -> Vec<(Arc<Memory>, Vec<f32>)> {
        let wanted = |(slot, row): (usize, &Option<Row>)| {
            let memory = &row.as_ref()?.memory;
            is_wanted(memory).then(|| (Arc::clone(memory), self.vectors.vector_of(slot)))
        };
        self.rows.iter().enumerate().filter_map(wanted).collect()
    }
}

fn thread_number(agent_id: &str, thread_id: &str) -> i64 {
    let mut hash = Sha256::new_with_prefix(agent_id);
    hash.update([0]);
    hash.update(thread_id);
    let hash: [u8; 32] = hash.finalize().into();
    let (first, _) = hash.split_first_chunk().unwrap_or((&[0; 8], &[]));
    i64::from_be_bytes(*first)
}
