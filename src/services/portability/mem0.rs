//! What mem0 gives: `get_all()`, `GET /v1/memories/`, and its exports.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Imported;
use super::foreign::{Foreign, made, text, time};
use super::line::Fault;
use crate::providers::StaticTable;

const SOURCE: &str = "mem0";
/// What becomes a field of its own, or means nothing here.
const TAKEN: &[&str] = &[
    "id",
    "memory",
    "text",
    "data",
    "hash",
    "user_id",
    "agent_id",
    "run_id",
    "metadata",
    "created_at",
    "updated_at",
    "expiration_date",
    "score",
];

/// A record of mem0, or what is wrong with it.
pub(super) fn read(record: &Value, table: &StaticTable, now: DateTime<Utc>) -> Result<Imported, Fault> {
    let fields = record.as_object().ok_or("must be an object")?;
    let said = ["memory", "text", "data"].iter().find_map(|name| text(fields, name));
    let said = said.ok_or("memory: is missing")?;
    let id = text(fields, "id").ok_or("id: is missing")?;
    let created_at = time(fields, "created_at")?.unwrap_or(now);
    let mut metadata = match fields.get("metadata") {
        Some(Value::Object(metadata)) => metadata.clone(),
        _ => Map::new(),
    };
    let rest: Map<String, Value> = fields
        .iter()
        .filter(|(name, value)| !TAKEN.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    metadata.insert(SOURCE.to_owned(), json!({"id": id}));
    if !rest.is_empty()
        && let Some(Value::Object(own)) = metadata.get_mut(SOURCE)
    {
        own.extend(rest);
    }
    made(
        Foreign {
            source: SOURCE,
            id,
            text: said,
            user_id: text(fields, "user_id"),
            agent_id: text(fields, "agent_id"),
            thread_id: text(fields, "run_id"),
            created_at,
            updated_at: time(fields, "updated_at")?.unwrap_or(created_at),
            event_time: None,
            expires_at: time(fields, "expiration_date")?,
            is_over: false,
            metadata,
        },
        table,
        now,
    )
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::model::{Category, MemoryType};

    #[test]
    fn a_memory_of_mem0_keeps_its_words_dates_and_people() {
        let now = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
        let record = json!({
            "id": "9d2a", "memory": "Works as a nurse at a hospital", "hash": "x", "user_id": "alex",
            "agent_id": null, "run_id": "r1", "metadata": {"team": "blue"}, "categories": ["work"],
            "created_at": "2024-07-01T05:06:07.000-07:00", "updated_at": null,
        });
        let read = |record: &Value| super::read(record, &StaticTable::built_in(), now).unwrap();
        let imported = read(&record);
        let memory = &imported.row.memory;
        assert_eq!(imported.user_id, "alex");
        assert_eq!(memory.text, "Works as a nurse at a hospital");
        assert_eq!(
            (memory.memory_type, memory.categories[0]),
            (MemoryType::Semantic, Category::Career)
        );
        assert_eq!(memory.created_at.to_rfc3339(), "2024-07-01T12:06:07+00:00");
        assert_eq!(memory.updated_at, memory.created_at);
        assert_eq!((memory.thread_id.as_str(), memory.source.as_str()), ("r1", "mem0"));
        let metadata = json!({"team": "blue", "mem0": {"id": "9d2a", "categories": ["work"]}});
        assert_eq!(Value::Object(memory.metadata.clone().unwrap()), metadata);
        assert_eq!(read(&record).row.memory.id, memory.id, "the same id each time");
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let now = Utc::now();
        for (record, fault) in [
            (json!({"id": "1"}), "memory: is missing"),
            (json!({"memory": "x"}), "id: is missing"),
            (json!("x"), "must be an object"),
            (
                json!({"id": "1", "memory": "x", "created_at": "then"}),
                "created_at: must be a time",
            ),
        ] {
            assert_eq!(
                super::read(&record, &StaticTable::built_in(), now).unwrap_err(),
                fault,
                "{record}"
            );
        }
    }
}
