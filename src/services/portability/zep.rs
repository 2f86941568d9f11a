//! What Zep and Graphiti give: edges of the graph and facts, which are sentences with the time in which they hold.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Imported;
use super::foreign::{Foreign, made, text, time};
use super::line::Fault;
use crate::providers::StaticTable;

const SOURCE: &str = "zep";
/// Kept beside a fact.
const KEPT: &[&str] = &[
    "name",
    "group_id",
    "source_node_uuid",
    "target_node_uuid",
    "valid_at",
    "invalid_at",
    "expired_at",
    "episodes",
    "attributes",
    "rating",
];

/// A record of Zep, or what is wrong with it.
pub(super) fn read(record: &Value, table: &StaticTable, now: DateTime<Utc>) -> Result<Imported, Fault> {
    let fields = record.as_object().ok_or("must be an object")?;
    let said = text(fields, "fact").ok_or("fact: is missing")?;
    let id = text(fields, "uuid")
        .or_else(|| text(fields, "uuid_"))
        .ok_or("uuid: is missing")?;
    let created_at = time(fields, "created_at")?.unwrap_or(now);
    let over = match time(fields, "expired_at")? {
        Some(expired) => Some(expired),
        None => time(fields, "invalid_at")?.filter(|invalid| *invalid <= now),
    };
    let mut kept = Map::from_iter([("id".to_owned(), json!(id))]);
    for name in KEPT {
        if let Some(value) = fields.get(*name).filter(|value| !value.is_null()) {
            kept.insert((*name).to_owned(), value.clone());
        }
    }
    made(
        Foreign {
            source: SOURCE,
            id,
            text: said,
            user_id: text(fields, "user_id"),
            agent_id: None,
            thread_id: text(fields, "session_id").or_else(|| text(fields, "thread_id")),
            created_at,
            updated_at: over.map_or(created_at, |at| at.max(created_at)),
            event_time: time(fields, "valid_at")?,
            expires_at: None,
            is_over: over.is_some(),
            metadata: Map::from_iter([(SOURCE.to_owned(), Value::Object(kept))]),
        },
        table,
        now,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryId;

    #[test]
    fn a_fact_of_zep_keeps_the_time_in_which_it_holds() {
        let now = Utc::now();
        let edge = json!({
            "uuid": "e1", "name": "WORKS_AT", "fact": "Kim works at Acme", "source_node_uuid": "n1",
            "target_node_uuid": "n2", "created_at": "2024-03-01T10:00:00Z", "valid_at": "2023-01-01T00:00:00",
            "invalid_at": null, "expired_at": null, "fact_embedding": [0.1], "episodes": ["p1"],
        });
        let imported = read(&edge, &StaticTable::built_in(), now).unwrap();
        let memory = imported.row.memory;
        assert_eq!((memory.text.as_str(), memory.version), ("Kim works at Acme", 1));
        assert_eq!(memory.event_time.unwrap().to_rfc3339(), "2023-01-01T00:00:00+00:00");
        assert_eq!(memory.superseded_by, None);
        let kept = &memory.metadata.unwrap()["zep"];
        assert_eq!((&kept["name"], kept.get("fact_embedding")), (&json!("WORKS_AT"), None));

        let mut over = edge.clone();
        over["invalid_at"] = json!("2024-06-01 08:00:00+00:00");
        let over = read(&over, &StaticTable::built_in(), now).unwrap();
        assert_eq!(over.row.memory.superseded_by, Some(MemoryId::from_stored("")));
        assert_eq!(
            (over.row.operation.as_str(), over.row.memory.version),
            ("superseded", 2)
        );
        assert_eq!((over.versions.len(), over.versions[0].operation.as_str()), (1, "added"));
        assert_eq!(over.row.memory.updated_at.to_rfc3339(), "2024-06-01T08:00:00+00:00");
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for (record, fault) in [
            (json!({"uuid": "1"}), "fact: is missing"),
            (json!({"fact": "x"}), "uuid: is missing"),
            (
                json!({"fact": "x", "uuid": "1", "valid_at": "soon"}),
                "valid_at: must be a time",
            ),
        ] {
            assert_eq!(
                read(&record, &StaticTable::built_in(), Utc::now()).unwrap_err(),
                fault,
                "{record}"
            );
        }
    }
}
