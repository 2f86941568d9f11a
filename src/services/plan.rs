//! What a store will do: each fact held against what is known, before anything is written.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::StoreRequest;
use crate::extraction::{self, Candidate, Decision, Similar};
use crate::model::{Memory, MemoryId, MemoryType, Operation, Source};

/// A fact of this request with its vector.
pub(super) struct Fact {
    pub(super) candidate: Candidate,
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
#[derive(Default)]
pub(super) struct Plan {
    pub(super) added: Vec<(Arc<Memory>, Vec<f32>, Operation)>,
    pub(super) superseded: Vec<Arc<Memory>>,
    pub(super) reinforced: Vec<Arc<Memory>>,
    pub(super) outcome: Vec<(Arc<Memory>, Operation)>,
}

impl Plan {
    pub(super) fn make(
        request: &StoreRequest,
        facts: &[Fact],
        first_position: i64,
        expiry: Expiry,
        now: DateTime<Utc>,
        nearest: impl Fn(&[f32]) -> Vec<(Arc<Memory>, f32)>,
    ) -> Self {
        let mut plan = Self::default();
        let mut changed: HashMap<MemoryId, usize> = HashMap::new();
        for fact in facts {
            let near = nearest(&fact.vector);
            let similar: Vec<Similar<'_>> = near
                .iter()
                .filter(|(memory, _)| !plan.superseded.iter().any(|old| old.id == memory.id))
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
            let sources = sources(request, &fact.candidate, first_position);
            match extraction::decide(&fact.candidate, &similar) {
                Decision::Add => plan.add(request, fact, sources, expiry, now, Operation::Added),
                Decision::Supersede(ids) => {
                    plan.add(request, fact, sources, expiry, now, Operation::Updated);
                    let Some((new, ..)) = plan.added.last() else { continue };
                    for old in ids.iter().filter_map(find) {
                        let closed = Memory {
                            version: old.version + 1,
                            superseded_by: Some(new.id.clone()),
                            updated_at: now,
                            ..Memory::clone(old)
                        };
                        plan.superseded.push(Arc::new(closed));
                    }
                }
                Decision::Unchanged(id) => match (changed.get(&id), find(&id)) {
                    (Some(place), _) => {
                        let confirmed = &mut plan.reinforced[*place];
                        Arc::make_mut(confirmed).sources.extend(sources);
                    }
                    (None, Some(memory)) => {
                        let mut confirmed = Memory::clone(memory);
                        confirmed.sources.extend(sources);
                        confirmed.reinforced += 1;
                        // What is told again lives on; what lives for ever goes on doing so.
                        let renewed = expiry.of(confirmed.memory_type);
                        confirmed.expires_at = confirmed.expires_at.and_then(|at| Some(at.max(renewed?)));
                        let confirmed = Arc::new(confirmed);
                        changed.insert(id, plan.reinforced.len());
                        plan.outcome.push((Arc::clone(&confirmed), Operation::Unchanged));
                        plan.reinforced.push(confirmed);
                    }
                    (None, None) => {}
                },
            }
        }
        plan
    }

    fn add(
        &mut self,
        request: &StoreRequest,
        fact: &Fact,
        sources: Vec<Source>,
        expiry: Expiry,
        now: DateTime<Utc>,
        operation: Operation,
    ) {
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
            sources,
            expires_at: expiry.of(candidate.memory_type),
            superseded_by: None,
            reinforced: 0,
            context: candidate.context.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        });
        self.outcome.push((Arc::clone(&memory), operation));
        self.added.push((memory, fact.vector.clone(), operation));
    }
}

fn sources(request: &StoreRequest, candidate: &Candidate, first_position: i64) -> Vec<Source> {
    let source = |quote: &extraction::Quote| {
        let position = first_position + i64::try_from(quote.turn).unwrap_or(0);
        let given = request.messages.get(quote.turn).and_then(|m| m.id.clone());
        let message_id = given.unwrap_or_else(|| format!("{}#{position}", request.thread_id));
        Source {
            message_id,
            position,
            quote: quote.text.clone(),
        }
    };
    candidate.quotes.iter().map(source).collect()
}
