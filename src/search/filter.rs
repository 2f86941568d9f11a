//! Which memories a search may return: the filter of a request and the columns that it is checked against.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::model::{Filter, Memory, MemoryType};

/// What a filter reads of one memory, kept side by side so that a scan touches no other memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    categories: u16,
    memory_type: MemoryType,
    is_instruction: bool,
    superseded: bool,
    importance: f32,
    agent: u64,
    thread: u64,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl Columns {
    pub(super) fn of(memory: &Memory) -> Self {
        Self {
            categories: memory.categories.iter().fold(0, |set, category| set | category.bit()),
            memory_type: memory.memory_type,
            is_instruction: memory.is_instruction,
            superseded: memory.superseded_by.is_some(),
            importance: memory.importance,
            agent: key(&memory.agent_id),
            thread: key(&memory.thread_id),
            created_at: memory.created_at,
            expires_at: memory.expires_at,
        }
    }
}

/// A filter made ready for a scan.
pub(super) struct Screen<'a> {
    filter: &'a Filter,
    now: DateTime<Utc>,
    agent: Option<u64>,
    thread: Option<u64>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(filter: &'a Filter, now: DateTime<Utc>) -> Self {
        Self {
            filter,
            now,
            agent: filter.agent_id.as_deref().map(key),
            thread: filter.thread_id.as_deref().map(key),
        }
    }

    /// Whether `memory` may be returned.
    pub(super) fn passes(&self, columns: &Columns, memory: impl Fn() -> Option<&'a Memory>) -> bool {
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
        } = self.filter;
        (*include_superseded || !columns.superseded)
            && columns.expires_at.is_none_or(|at| at > self.now)
            && (*categories == 0 || categories & columns.categories != 0)
            && memory_type.is_none_or(|wanted| wanted == columns.memory_type)
            && is_instruction.is_none_or(|wanted| wanted == columns.is_instruction)
            && created_after.is_none_or(|from| columns.created_at >= from)
            && created_before.is_none_or(|until| columns.created_at <= until)
            && min_importance.is_none_or(|least| columns.importance >= least)
            // Hashes first, so that memories elsewhere are read only where the texts will be equal.
            && self.agent.is_none_or(|wanted| wanted == columns.agent)
            && self.thread.is_none_or(|wanted| wanted == columns.thread)
            && (agent_id.is_none() && thread_id.is_none() && metadata.is_empty()
                || memory().is_some_and(|memory| {
                    agent_id.as_ref().is_none_or(|wanted| *wanted == memory.agent_id)
                        && thread_id.as_ref().is_none_or(|wanted| *wanted == memory.thread_id)
                        && (metadata.is_empty() || memory.metadata.as_ref().is_some_and(|held| contains(held, metadata)))
                }))
    }
}

/// A number for a text, the same within one process.
pub(super) fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn contains(held: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted
        .iter()
        .all(|(name, value)| held.get(name).is_some_and(|found| equal(found, value)))
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && contains(a, b),
        (Value::Null, _) | (Value::Bool(_), _) | (Value::String(_), _) => a == b,
        (Value::Number(_) | Value::Array(_) | Value::Object(_), _) => false,
    }
}
