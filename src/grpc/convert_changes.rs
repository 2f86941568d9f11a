//! Protobuf messages ⇄ the types of `model/` and `services/`, for changing, deleting and erasing.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::convert::{self, category, category_from_pb, known_id, memory_type, memory_type_of, timestamp};
use super::validate::{MAX_CONTENT_BYTES, Violations};
use crate::error::Result;
use crate::model::{Category, Memory, MemoryId, OWN_PERSON, Source};
use crate::proto::v1::{self as pb};
use crate::services::{Deletion, ErasedPerson, History, MemoryChange, MemoryVersion};

const MAX_CATEGORIES: usize = 3;
const MAX_IDS: usize = 1000;

pub(super) fn memory_change(
    message: pb::UpdateMemoryRequest,
    if_match: Option<i64>,
    now: DateTime<Utc>,
    mut violations: Violations,
) -> Result<(MemoryId, MemoryChange)> {
    let pb::UpdateMemoryRequest {
        memory_id,
        user_id: _,
        content,
        metadata,
        category,
        categories,
        memory_type,
        importance,
        expected_version,
        include_embeddings: _,
        expires_at,
        clear_expires_at,
    } = message;
    violations.id("memory_id", &memory_id, 1);
    if let Some(content) = &content
        && (content.trim().is_empty() || content.len() > MAX_CONTENT_BYTES || content.contains('\0'))
    {
        violations.add("content", "must be 1 to 32768 bytes, not all blank, without NUL");
    }
    let mut distinct: Vec<Category> = Vec::new();
    for (index, word) in categories.iter().enumerate() {
        match category_from_pb(*word) {
            Some(category) if distinct.contains(&category) => {}
            Some(category) => distinct.push(category),
            None => violations.add_category(format!("categories[{index}]")),
        }
    }
    if distinct.len() > MAX_CATEGORIES {
        violations.add("categories", format!("must be 1 to {MAX_CATEGORIES} categories"));
    }
    let first_category = category.and_then(|word| {
        let category = category_from_pb(word);
        if category.is_none() {
            violations.add_category("category");
        }
        category
    });
    if let (Some(expected), Some(if_match)) = (expected_version, if_match)
        && expected != if_match
    {
        violations.add("expected_version", "contradicts If-Match");
    }
    let expires_at = violations.future("expires_at", expires_at, now);
    let is_cleared = clear_expires_at.unwrap_or(false);
    if is_cleared && expires_at.is_some() {
        violations.add("clear_expires_at", "contradicts expires_at");
    }
    let change = MemoryChange {
        text: content,
        metadata: violations.metadata("metadata", metadata),
        first_category,
        categories: (!distinct.is_empty()).then_some(distinct),
        memory_type: memory_type_of("memory_type", memory_type, &mut violations),
        importance: violations.share("importance", importance),
        expires_at: if is_cleared { Some(None) } else { expires_at.map(Some) },
        expected_version: expected_version.or(if_match),
    };
    violations.finish((MemoryId::from_stored(memory_id), change))
}

pub(super) fn update_response(memory: Memory, embeddings: Vec<f32>) -> pb::UpdateMemoryResponse {
    let pb::Memory {
        id,
        memory,
        r#type,
        categories,
        importance,
        metadata,
        version,
        created_at,
        updated_at,
        expires_at,
        ..
    } = convert::memory(&memory);
    pb::UpdateMemoryResponse {
        memory_id: id,
        content: memory,
        category: categories.first().copied().unwrap_or_default(),
        categories,
        memory_type: r#type,
        importance,
        metadata,
        embeddings,
        created_at,
        updated_at,
        version,
        expires_at,
    }
}

pub(super) fn memory_version(version: MemoryVersion) -> pb::MemoryVersion {
    let change = match version.operation.as_str() {
        "updated" => pb::Change::Updated,
        "superseded" => pb::Change::Superseded,
        "reclassified" => pb::Change::Reclassified,
        "deleted" => pb::Change::Deleted,
        "restored" => pb::Change::Restored,
        _ => pb::Change::Added,
    };
    pb::MemoryVersion {
        version: version.version,
        memory: version.text,
        r#type: memory_type(version.memory_type),
        categories: version.categories.into_iter().map(category).collect(),
        operation: change.into(),
        changed_by: version.changed_by,
        changed_at: Some(timestamp(version.changed_at)),
        superseded_by: version.superseded_by.as_ref().and_then(known_id),
        importance: None,
        metadata: None,
        event_time: None,
    }
}

pub(super) fn delete_response(id: MemoryId, deletion: Deletion) -> pb::DeleteMemoryResponse {
    pb::DeleteMemoryResponse {
        success: true,
        memory_id: id.into(),
        deleted_at: Some(timestamp(deletion.deleted_at)),
        cascade_deletions: deletion.insights.map(|insights| cascade_deletions(&deletion, insights)),
        backup_id: deletion.backup_id.map(String::from),
        restored: deletion.restored.into_iter().map(String::from).collect(),
    }
}

pub(super) fn batch_delete_response(deletion: Deletion) -> pb::BatchDeleteMemoriesResponse {
    pb::BatchDeleteMemoriesResponse {
        success: true,
        cascade_deletions: deletion.insights.map(|insights| cascade_deletions(&deletion, insights)),
        deleted: deletion.deleted.into_iter().map(String::from).collect(),
        not_found: deletion.not_found.into_iter().map(String::from).collect(),
        backup_id: deletion.backup_id.map(String::from),
        restored: deletion.restored.into_iter().map(String::from).collect(),
    }
}

fn cascade_deletions(deletion: &Deletion, insights: usize) -> pb::CascadeDeletions {
    pb::CascadeDeletions {
        profile_updates: i32::try_from(deletion.bios).unwrap_or(i32::MAX),
        derived_insights: i32::try_from(insights).unwrap_or(i32::MAX),
        embeddings: i32::try_from(deletion.deleted.len()).unwrap_or(i32::MAX),
    }
}

/// 1 to 1,000 ids, each once.
pub(super) fn memory_ids(ids: Vec<String>, mut violations: Violations) -> Result<Vec<MemoryId>> {
    if ids.is_empty() || ids.len() > MAX_IDS {
        violations.add("memory_ids", format!("must be 1 to {MAX_IDS} ids"));
    }
    let mut seen = HashSet::new();
    let mut distinct = Vec::with_capacity(ids.len().min(MAX_IDS));
    for (index, id) in ids.into_iter().take(MAX_IDS).enumerate() {
        violations.id(format!("memory_ids[{index}]"), &id, 1);
        if seen.insert(id.clone()) {
            distinct.push(MemoryId::from_stored(id));
        }
    }
    violations.finish(distinct)
}

pub(super) fn erased(erased: ErasedPerson) -> pb::Erased {
    pb::Erased {
        memories: count(erased.memories),
        versions: count(erased.versions),
        embeddings: count(erased.embeddings),
        profiles: count(erased.bios),
        jobs: count(erased.tasks),
        backups: count(erased.backups),
    }
}

/// Before the `user_id` of the last person of a page: the account's own has none.
const AFTER: &str = "after:";
const MAX_CURSOR_BYTES: usize = 1024;

/// Whom the page comes after, and how many are wanted.
pub(super) fn users_page(message: pb::ListUsersRequest) -> Result<(Option<String>, u64)> {
    let pb::ListUsersRequest { limit, cursor } = message;
    let mut violations = Violations::default();
    let limit = violations.range("limit", limit, 50, 1, 100);
    let after = cursor.map(|cursor| cursor.strip_prefix(AFTER).map(str::to_owned));
    match &after {
        // What was stored before ids had rules is listed too.
        Some(Some(user_id)) if user_id.len() <= MAX_CURSOR_BYTES && !user_id.contains('\0') => {}
        Some(_) => violations.add("cursor", "must be the `next_cursor` of an earlier page"),
        None => {}
    }
    violations.finish((after.flatten(), u64::try_from(limit).unwrap_or(1)))
}

pub(super) fn users_response(people: Vec<(String, u64)>, has_more: bool) -> pb::ListUsersResponse {
    let last = people.last().filter(|_| has_more);
    pb::ListUsersResponse {
        next_cursor: last.map(|(user_id, _)| format!("{AFTER}{user_id}")),
        users: people
            .into_iter()
            .map(|(user_id, memories)| pb::User {
                user_id: Some(user_id).filter(|user_id| user_id != OWN_PERSON),
                memory_count: count(memories),
            })
            .collect(),
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn history_response(id: MemoryId, history: History) -> pb::GetMemoryHistoryResponse {
    pb::GetMemoryHistoryResponse {
        memory_id: id.into(),
        versions: history.versions.into_iter().map(memory_version).collect(),
        supersedes: history.supersedes.into_iter().map(String::from).collect(),
        sources: history.sources.into_iter().map(source).collect(),
    }
}

/// The words of a message that a memory was taken from.
pub(super) fn source(source: Source) -> pb::ExportedSource {
    pb::ExportedSource {
        message_id: source.message_id,
        position: source.position,
        quote: source.quote,
    }
}
