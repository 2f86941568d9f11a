//! One line of an export, `docs/EXPORT_FORMAT.md`: how it is written, and what is believed when it is read.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ExportedMemory, Imported};
use crate::extraction;
use crate::model::{
    Category, MAX_CATEGORIES, MAX_METADATA_BYTES, MAX_NAME_CHARS, MAX_TEXT_BYTES, Memory, MemoryId, MemoryType,
    OWN_PERSON, Source, TimePrecision, id_fault, is_servable,
};
use crate::store::{MemoryRow, MemoryVersion};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    format: u32,
    memory: LineMemory,
    #[serde(default)]
    versions: Vec<LineVersion>,
    #[serde(default)]
    sources: Vec<LineSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(default)]
    reinforced: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineMemory {
    id: String,
    memory: String,
    r#type: String,
    categories: Vec<String>,
    importance: f64,
    #[serde(default)]
    source: String,
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    thread_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time_precision: Option<String>,
    #[serde(default)]
    instruction: bool,
    #[serde(default)]
    source_message_ids: Vec<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineVersion {
    version: i64,
    memory: String,
    r#type: String,
    categories: Vec<String>,
    #[serde(default)]
    instruction: bool,
    operation: String,
    #[serde(default)]
    changed_by: String,
    changed_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    importance: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time_precision: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineSource {
    message_id: String,
    position: i64,
    quote: String,
}

/// What is wrong with a line.
pub(super) type Fault = Cow<'static, str>;

impl From<ExportedMemory> for Line {
    fn from(exported: ExportedMemory) -> Self {
        let memory = exported.memory;
        Self {
            format: FORMAT,
            memory: LineMemory {
                id: memory.id.to_string(),
                memory: memory.text,
                r#type: memory.memory_type.as_str().to_owned(),
                categories: words(&memory.categories),
                importance: decimal(memory.importance),
                source: memory.source,
                agent_id: memory.agent_id,
                thread_id: memory.thread_id,
                user_id: memory.user_id,
                metadata: memory.metadata,
                event_time: memory.event_time,
                event_time_precision: memory.event_time_precision.map(precision_word),
                instruction: memory.is_instruction,
                source_message_ids: message_ids(&memory.sources),
                version: memory.version,
                created_at: memory.created_at,
                updated_at: memory.updated_at,
                expires_at: memory.expires_at,
                superseded_by: memory.superseded_by.map(String::from),
            },
            versions: exported.versions.into_iter().map(LineVersion::from).collect(),
            sources: memory.sources.into_iter().map(LineSource::from).collect(),
            context: memory.context,
            reinforced: memory.reinforced,
        }
    }
}

impl From<MemoryVersion> for LineVersion {
    fn from(version: MemoryVersion) -> Self {
        Self {
            version: version.version,
            memory: version.text,
            r#type: version.memory_type.as_str().to_owned(),
            categories: words(&version.categories),
            instruction: version.is_instruction,
            operation: version.operation,
            changed_by: version.changed_by,
            changed_at: version.changed_at,
            superseded_by: version.superseded_by.map(String::from),
            importance: version.importance.map(decimal),
            metadata: version.metadata,
            event_time: version.event_time,
            event_time_precision: version.event_time_precision.map(precision_word),
        }
    }
}

impl From<Source> for LineSource {
    fn from(source: Source) -> Self {
        Self {
            message_id: source.message_id,
            position: source.position,
            quote: source.quote,
        }
    }
}

/// A line as it is read, or what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Imported, Fault> {
    let json = &mut serde_json::Deserializer::from_slice(line);
    let line: Line = serde_path_to_error::deserialize(json).map_err(|e| Fault::from(e.to_string()))?;
    if line.format != FORMAT {
        return Err(format!("format: must be {FORMAT}").into());
    }
    let memory = line.memory;
    let mut versions = line.versions.into_iter().map(version).collect::<Result<Vec<_>, _>>()?;
    versions.sort_by_key(|version| version.version);
    if versions.windows(2).any(|pair| pair[0].version == pair[1].version) {
        return Err("versions: must not name a version twice".into());
    }
    let now = versions.pop_if(|last| last.version == memory.version);
    if versions.last().is_some_and(|last| last.version > memory.version) {
        return Err("versions: must not be later than the memory".into());
    }
    let mut sources: Vec<Source> = line.sources.into_iter().map(Source::from).collect();
    if sources.is_empty() {
        sources.extend(memory.source_message_ids.into_iter().map(unquoted));
    }
    let (operation, changed_by) = match now {
        Some(version) => (version.operation, version.changed_by),
        None => ("added".to_owned(), String::new()),
    };
    let imported = Imported {
        user_id: memory.user_id.clone().unwrap_or_else(|| OWN_PERSON.to_owned()),
        row: MemoryRow {
            memory: Memory {
                id: MemoryId::from_stored(memory.id),
                text: memory.memory,
                memory_type: memory_type("memory.type", &memory.r#type)?,
                categories: categories("memory.categories", &memory.categories)?,
                importance: memory.importance as f32,
                source: memory.source,
                agent_id: memory.agent_id,
                thread_id: memory.thread_id,
                user_id: memory.user_id,
                metadata: memory.metadata,
                event_time: memory.event_time,
                event_time_precision: event_time_precision(
                    "memory.event_time_precision",
                    memory.event_time,
                    memory.event_time_precision.as_deref(),
                )?,
                is_instruction: memory.instruction,
                sources,
                expires_at: memory.expires_at,
                superseded_by: memory.superseded_by.map(MemoryId::from_stored),
                reinforced: line.reinforced,
                context: line.context,
                version: memory.version,
                created_at: memory.created_at,
                updated_at: memory.updated_at,
            },
            operation,
            changed_by,
        },
        versions,
    };
    checked(imported)
}

/// The limits that every memory keeps, wherever it comes from. What is sensitive becomes private.
pub(super) fn checked(mut imported: Imported) -> Result<Imported, Fault> {
    let memory = &mut imported.row.memory;
    if !is_memory_id(memory.id.as_str()) {
        return Err("memory.id: must be mem_…".into());
    }
    let versions = imported.versions.iter().map(|version| &version.superseded_by);
    for id in versions.chain([&memory.superseded_by]).flatten() {
        // What took the place of a foreign record is not known.
        if !id.as_str().is_empty() && !is_memory_id(id.as_str()) {
            return Err("superseded_by: must be mem_…".into());
        }
    }
    text("memory.memory", &memory.text)?;
    for version in &imported.versions {
        text("versions.memory", &version.text)?;
    }
    for (field, value) in [
        ("memory.agent_id", memory.agent_id.as_str()),
        ("memory.thread_id", memory.thread_id.as_str()),
        ("memory.source", memory.source.as_str()),
    ] {
        if value.chars().count() > MAX_NAME_CHARS || value.chars().any(char::is_control) {
            return Err(format!("{field}: must be at most {MAX_NAME_CHARS} visible characters").into());
        }
    }
    let of_memory = [
        ("memory.created_at", Some(memory.created_at)),
        ("memory.updated_at", Some(memory.updated_at)),
        ("memory.event_time", memory.event_time),
        ("memory.expires_at", memory.expires_at),
    ];
    let of_versions = imported.versions.iter().flat_map(|version| {
        [
            ("versions.changed_at", Some(version.changed_at)),
            ("versions.event_time", version.event_time),
        ]
    });
    for (field, time) in of_memory.into_iter().chain(of_versions) {
        if time.is_some_and(|time| !is_servable(time)) {
            return Err(format!("{field}: must be a time between the years 1 and 9999").into());
        }
    }
    if !(0.0..=1.0).contains(&memory.importance) {
        return Err("memory.importance: must be 0.0 to 1.0".into());
    }
    if memory.version < 1 || imported.versions.iter().any(|version| version.version < 1) {
        return Err("memory.version: must be at least 1".into());
    }
    let metadata = imported.versions.iter().map(|version| &version.metadata);
    for metadata in metadata.chain([&memory.metadata]).flatten() {
        let json = serde_json::to_string(metadata).unwrap_or_default();
        if json.len() > MAX_METADATA_BYTES || json.contains("\\u0000") {
            let max = MAX_METADATA_BYTES >> 10;
            return Err(format!("metadata: must be at most {max} KiB as JSON, without NUL").into());
        }
    }
    let is_private = extraction::is_private(&memory.text);
    if is_private && !memory.is_private() {
        memory.categories.truncate(MAX_CATEGORIES - 1);
        memory.categories.push(Category::Private);
    }
    Ok(imported)
}

fn is_memory_id(id: &str) -> bool {
    id.starts_with("mem_") && id.len() <= MAX_NAME_CHARS && id_fault(id).is_none()
}

/// What is wrong with a `user_id` that a record or whoever imports names; nothing where it can be one.
pub(super) fn user_id_fault(user_id: &str) -> Option<Fault> {
    if user_id.chars().count() > MAX_NAME_CHARS {
        return Some(format!("must be at most {MAX_NAME_CHARS} characters").into());
    }
    id_fault(user_id).map(Fault::from)
}

fn version(version: LineVersion) -> Result<MemoryVersion, Fault> {
    let known = ["added", "updated", "superseded", "reclassified", "restored"];
    if !known.contains(&version.operation.as_str()) {
        return Err(format!("versions.operation: must be one of {}", known.join(", ")).into());
    }
    Ok(MemoryVersion {
        version: version.version,
        text: version.memory,
        memory_type: memory_type("versions.type", &version.r#type)?,
        categories: categories("versions.categories", &version.categories)?,
        operation: version.operation,
        changed_by: version.changed_by,
        changed_at: version.changed_at,
        superseded_by: version.superseded_by.map(MemoryId::from_stored),
        importance: version.importance.map(|importance| importance as f32),
        metadata: version.metadata,
        event_time: version.event_time,
        event_time_precision: event_time_precision(
            "versions.event_time_precision",
            version.event_time,
            version.event_time_precision.as_deref(),
        )?,
        is_instruction: version.instruction,
    })
}

fn text(field: &'static str, text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES || text.contains('\0') {
        return Err(format!("{field}: must be 1 to {MAX_TEXT_BYTES} bytes, not all blank, without NUL").into());
    }
    Ok(())
}

fn memory_type(field: &'static str, word: &str) -> Result<MemoryType, Fault> {
    word.parse()
        .map_err(|_| format!("{field}: must be semantic or episodic").into())
}

/// Lines of before there was this field have none.
fn event_time_precision(
    field: &'static str,
    time: Option<DateTime<Utc>>,
    word: Option<&str>,
) -> Result<Option<TimePrecision>, Fault> {
    match word.map(str::parse).transpose() {
        Ok(Some(_)) if time.is_none() => Err(format!("{field}: must not be without event_time").into()),
        Ok(precision) => Ok(precision),
        Err(_) => Err(format!("{field}: must be day, week, month, season or year").into()),
    }
}

fn precision_word(precision: TimePrecision) -> String {
    precision.as_str().to_owned()
}

fn categories(field: &'static str, words: &[String]) -> Result<Vec<Category>, Fault> {
    let categories: Result<Vec<Category>, _> = words.iter().map(|word| word.parse()).collect();
    match categories {
        Ok(categories) if (1..=MAX_CATEGORIES).contains(&categories.len()) => Ok(categories),
        _ => Err(format!("{field}: must be one to three of the ten categories").into()),
    }
}

fn words(categories: &[Category]) -> Vec<String> {
    categories.iter().map(|category| category.as_str().to_owned()).collect()
}

fn message_ids(sources: &[Source]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(sources.len());
    for source in sources {
        if !ids.contains(&source.message_id) {
            ids.push(source.message_id.clone());
        }
    }
    ids
}

fn unquoted(message_id: String) -> Source {
    Source {
        message_id,
        position: 0,
        quote: String::new(),
    }
}

impl From<LineSource> for Source {
    fn from(source: LineSource) -> Self {
        Self {
            message_id: source.message_id,
            position: source.position,
            quote: source.quote,
        }
    }
}

/// As the API shows it: four decimals.
fn decimal(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}
