//! What records from elsewhere have in common.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Imported;
use super::line::{self, Fault};
use crate::extraction;
use crate::model::{Memory, MemoryId, OWN_PERSON, TimePrecision, is_servable, time_of_number};
use crate::providers::StaticTable;
use crate::store::{MemoryRow, MemoryVersion};

/// A record from elsewhere, as its format has it.
pub(super) struct Foreign {
    pub(super) source: &'static str,
    pub(super) id: String,
    pub(super) text: String,
    pub(super) user_id: Option<String>,
    pub(super) agent_id: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) event_time: Option<DateTime<Utc>>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Whether it holds no more; what took its place is not known.
    pub(super) is_over: bool,
    pub(super) metadata: Map<String, Value>,
}

/// A memory of a foreign record: what the record does not say is found in its text.
pub(super) fn made(foreign: Foreign, table: &StaticTable, now: DateTime<Utc>) -> Result<Imported, Fault> {
    let judged = extraction::judge(&foreign.text, foreign.created_at, &|text| table.encode(text));
    let (event_time, event_time_precision) = match foreign.event_time {
        Some(time) => (Some(time), Some(TimePrecision::Day)),
        None => (judged.event_time, judged.event_time_precision),
    };
    let changed_by = format!("import:{}", foreign.source);
    let id = memory_id(foreign.source, &foreign.id);
    let added = MemoryVersion {
        version: 1,
        text: foreign.text.clone(),
        memory_type: judged.memory_type,
        categories: judged.categories.clone(),
        operation: "added".to_owned(),
        changed_by: changed_by.clone(),
        changed_at: foreign.created_at,
        superseded_by: None,
        importance: Some(judged.importance),
        metadata: None,
        event_time,
        event_time_precision,
        is_instruction: false,
    };
    if foreign.expires_at.is_some_and(|at| at <= now) {
        return Err("it has expired".into());
    }
    line::checked(Imported {
        user_id: foreign.user_id.unwrap_or_else(|| OWN_PERSON.to_owned()),
        row: MemoryRow {
            memory: Memory {
                id,
                text: foreign.text,
                memory_type: judged.memory_type,
                categories: judged.categories,
                importance: judged.importance,
                source: foreign.source.to_owned(),
                agent_id: foreign.agent_id.unwrap_or_else(|| foreign.source.to_owned()),
                thread_id: foreign.thread_id.unwrap_or_else(|| "import".to_owned()),
                user_id: None,
                metadata: Some(foreign.metadata),
                event_time,
                event_time_precision,
                is_instruction: false,
                sources: Vec::new(),
                expires_at: foreign.expires_at,
                superseded_by: foreign.is_over.then(|| MemoryId::from_stored("")),
                reinforced: 0,
                context: None,
                version: if foreign.is_over { 2 } else { 1 },
                created_at: foreign.created_at,
                updated_at: foreign.updated_at,
            },
            operation: if foreign.is_over { "superseded" } else { "added" }.to_owned(),
            changed_by,
        },
        versions: if foreign.is_over { vec![added] } else { Vec::new() },
    })
}

/// The same for the same record each time, so that importing it again changes nothing.
fn memory_id(source: &str, id: &str) -> MemoryId {
    let digest = Sha256::new()
        .chain_update(source)
        .chain_update([0])
        .chain_update(id)
        .finalize();
    let digits: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    MemoryId::from_stored(format!("mem_{digits}"))
}

/// A field that is a text and not empty.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields
        .get(name)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A field that is a time: RFC 3339, one without a zone (UTC then), or a date; as numbers, seconds or milliseconds since
/// 1970.
pub(super) fn time(fields: &Map<String, Value>, name: &str) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(value) = fields.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    if let Some(number) = value.as_f64() {
        let time = time_of_number(number).ok_or_else(|| Fault::from(format!("{name}: must be a time")))?;
        return Ok(Some(time));
    }
    let text = value.as_str().unwrap_or_default();
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc));
    let time = zoned
        .or_else(|_| text.parse::<DateTime<Utc>>())
        .or_else(|_| text.parse::<NaiveDateTime>().map(|time| time.and_utc()))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc()))
        .or_else(|_| {
            text.parse::<NaiveDate>()
                .map(|day| day.and_time(NaiveTime::MIN).and_utc())
        });
    match time {
        Ok(time) if is_servable(time) => Ok(Some(time)),
        Ok(_) => Err(format!("{name}: must be a time between the years 1 and 9999").into()),
        Err(_) => Err(format!("{name}: must be a time").into()),
    }
}
