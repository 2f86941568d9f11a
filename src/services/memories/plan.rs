//! What a store will do: each fact held against what is known, before anything is written.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{SkippedMessage, StoreOutcome, StoreRequest};
use crate::extraction::{self, CandidateFact, Decision, Similar, Skipped};
use crate::model::{Memory, MemoryId, MemoryType, Operation, Source};
use crate::services::person_store::Change;

/// What came of this request's conversation.
pub(super) struct Extracted {
    pub(super) facts: Vec<Fact>,
    pub(super) skipped: Vec<Skipped>,
}

/// A fact of this request with its vector.
pub(super) struct Fact {
    pub(super) candidate: CandidateFact,
    pub(super) vector: Vec<f32>,
}

/// When memories are forgotten, by their type.
#[derive(Clone, Copy)]
pub(super) struct Expiry {
    pub(super) semantic: Option<DateTime<Utc>>,
    pub(super) episodic: Option<DateTime<Utc>>,
}

impl Expiry {
    fn of(self, memory_type: MemoryType) -> Option<DateTime<Utc>> {
        match memory_type {
            MemoryType::Semantic => self.semantic,
            MemoryType::Episodic => self.episodic,
        }
    }
}

/// What is to be done with the facts of a request, decided against one revision of the person.
pub(super) struct Plan {
    /// The place of the request's first message in its thread.
    pub(super) first_position: i64,
    expiry: Expiry,
    pub(super) added: Vec<(Arc<Memory>, Vec<f32>, Operation)>,
    pub(super) superseded: Vec<Arc<Memory>>,
    pub(super) reinforced: Vec<Arc<Memory>>,
    /// Of those superseded, then of those reinforced.
    pub(super) vectors_of_known: Vec<Vec<f32>>,
    pub(super) outcome: StoreOutcome,
    gone: HashSet<MemoryId>,
    /// Where among those reinforced a memory is.
    confirmed: HashMap<MemoryId, usize>,
}

impl Plan {
    /// Nothing is decided yet.
    pub(super) fn new(request: &StoreRequest, skipped: &[Skipped], first_position: i64, expiry: Expiry) -> Self {
        let skipped = skipped.iter().map(|skipped| SkippedMessage {
            message_id: message_id(request, skipped.turn, position(skipped.turn, first_position)),
            reason: skipped.reason,
        });
        Self {
            first_position,
            expiry,
            added: Vec::new(),
            superseded: Vec::new(),
            reinforced: Vec::new(),
            vectors_of_known: Vec::new(),
            outcome: StoreOutcome {
                memories: Vec::new(),
                skipped: skipped.collect(),
            },
            gone: HashSet::new(),
            confirmed: HashMap::new(),
        }
    }

    /// What the known memories say that change.
    pub(super) fn texts_of_known(&self) -> Vec<&str> {
        let known = self.superseded.iter().chain(&self.reinforced);
        known.map(|memory| memory.text.as_str()).collect()
    }

    /// What the index is to show once all of it is stored.
    pub(super) fn into_changes(self) -> impl Iterator<Item = Change> {
        let known = self.superseded.into_iter().chain(self.reinforced);
        let known = known.zip(self.vectors_of_known);
        let added = self.added.into_iter().map(|(memory, vector, _)| (memory, vector));
        known.chain(added).map(|(memory, vector)| Change { memory, vector })
    }

    /// Decides about one fact, of which these are the nearest known memories.
    pub(super) fn decide(
        &mut self,
        request: &StoreRequest,
        fact: &Fact,
        near: Vec<(Arc<Memory>, f32)>,
        now: DateTime<Utc>,
    ) {
        let similar: Vec<Similar<'_>> = near
            .iter()
            .filter(|(memory, _)| !self.gone.contains(&memory.id))
            .map(|(memory, cosine)| Similar {
                memory,
                cosine: *cosine,
            })
            .collect();
        let find = |id: &MemoryId| {
            near.iter()
                .find(|(memory, _)| memory.id == *id)
                .map(|(memory, _)| memory)
        };
        let sources = sources(request, &fact.candidate, self.first_position);
        match extraction::decide(&fact.candidate, &similar) {
            Decision::Add => {
                self.add(request, fact, sources, now, Operation::Added);
            }
            Decision::Supersede(ids) => {
                let by = self.add(request, fact, sources, now, Operation::Updated);
                for old in ids.iter().filter_map(find) {
                    let closed = Memory {
                        version: old.version + 1,
                        superseded_by: Some(by.clone()),
                        updated_at: now,
                        ..Memory::clone(old)
                    };
                    self.gone.insert(closed.id.clone());
                    self.superseded.push(Arc::new(closed));
                }
            }
            Decision::Unchanged(id) => match (self.confirmed.get(&id), find(&id)) {
                (Some(place), _) => {
                    let confirmed = &mut self.reinforced[*place];
                    Arc::make_mut(confirmed).sources.extend(sources);
                }
                (None, Some(memory)) => {
                    let mut confirmed = Memory::clone(memory);
                    confirmed.sources.extend(sources);
                    confirmed.reinforced += 1;
                    // What is told again lives on; what lives for ever goes on doing so.
                    let renewed = self.expiry.of(confirmed.memory_type);
                    confirmed.expires_at = confirmed.expires_at.and_then(|at| Some(at.max(renewed?)));
                    let confirmed = Arc::new(confirmed);
                    self.confirmed.insert(id, self.reinforced.len());
                    self.outcome
                        .memories
                        .push((Arc::clone(&confirmed), Operation::Unchanged));
                    self.reinforced.push(confirmed);
                }
                (None, None) => {}
            },
        }
    }

    fn add(
        &mut self,
        request: &StoreRequest,
        fact: &Fact,
        sources: Vec<Source>,
        now: DateTime<Utc>,
        operation: Operation,
    ) -> MemoryId {
        let candidate = &fact.candidate;
        let memory = Arc::new(Memory {
            id: MemoryId::generate(),
            text: candidate.text.clone(),
            memory_type: candidate.memory_type,
            categories: candidate.categories.clone(),
            importance: candidate.importance,
            source: request.source.clone(),
            agent_id: request.agent_id.clone(),
            thread_id: request.thread_id.clone(),
            user_id: (!request.owner.user_id.is_empty()).then(|| request.owner.user_id.clone()),
            metadata: request.metadata.clone(),
            event_time: candidate.event_time,
            event_time_precision: candidate.event_time_precision,
            is_instruction: candidate.is_instruction,
            sources,
            expires_at: self.expiry.of(candidate.memory_type),
            superseded_by: None,
            reinforced: 0,
            context: candidate.context.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        });
        let id = memory.id.clone();
        self.outcome.memories.push((Arc::clone(&memory), operation));
        self.added.push((memory, fact.vector.clone(), operation));
        id
    }
}

fn sources(request: &StoreRequest, candidate: &CandidateFact, first_position: i64) -> Vec<Source> {
    let source = |quote: &extraction::Quote| {
        let position = position(quote.turn, first_position);
        Source {
            message_id: message_id(request, quote.turn, position),
            position,
            quote: quote.text.clone(),
        }
    };
    candidate.quotes.iter().map(source).collect()
}

/// The place of a message in its thread.
fn position(turn: usize, first_position: i64) -> i64 {
    first_position + i64::try_from(turn).unwrap_or(0)
}

/// What a message is called: as the client says, else by its place.
fn message_id(request: &StoreRequest, turn: usize, position: i64) -> String {
    let given = request.messages.get(turn).and_then(|message| message.id.clone());
    given.unwrap_or_else(|| format!("{}#{position}", request.thread_id))
}
