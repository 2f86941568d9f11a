//! Protobuf messages ⇄ the types of `model/` and `services/`, for changing, deleting and erasing.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::convert::{self, category, known_id, memory_type, timestamp};
use super::validate::Violations;
use crate::error::Result;
use crate::model::{Memory, MemoryId, OWN_PERSON, Source};
use crate::proto::v1::{self as pb};
use crate::services::{Deletion, ErasedPerson, History, MemoryChange, MemoryVersion};

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
        instruction,
    } = message;
    violations.text(pb::UpdateMemoryRequest::MEMORY_ID, &memory_id);
    violations.text_if_some(pb::UpdateMemoryRequest::CONTENT, content.as_ref());
    let listed = pb::UpdateMemoryRequest::CATEGORIES;
    let categories = violations.categories(listed, &categories);
    if categories.len() > listed.max_distinct_items {
        let reason = format!("must be 1 to {} categories", listed.max_distinct_items);
        violations.add(listed.name, reason);
    }
    let first_category = violations.category(pb::UpdateMemoryRequest::CATEGORY, category);
    if let (Some(expected), Some(if_match)) = (expected_version, if_match)
        && expected != if_match
    {
        violations.add(pb::UpdateMemoryRequest::EXPECTED_VERSION.name, "contradicts If-Match");
    }
    let expires_at = violations.future(pb::UpdateMemoryRequest::EXPIRES_AT, expires_at, now);
    let is_cleared = clear_expires_at.unwrap_or(false);
    if is_cleared && expires_at.is_some() {
        violations.add(pb::UpdateMemoryRequest::CLEAR_EXPIRES_AT.name, "contradicts expires_at");
    }
    let change = MemoryChange {
        text: content,
        metadata: violations.metadata(pb::UpdateMemoryRequest::METADATA, metadata),
        first_category,
        categories: (!categories.is_empty()).then_some(categories),
        memory_type: violations.memory_type(pb::UpdateMemoryRequest::MEMORY_TYPE, memory_type),
        is_instruction: instruction,
        importance: violations.share(pb::UpdateMemoryRequest::IMPORTANCE, importance),
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
        instruction,
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
        instruction,
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
        instruction: version.is_instruction,
        operation: change.into(),
        changed_by: version.changed_by,
        changed_at: Some(timestamp(version.changed_at)),
        superseded_by: version.superseded_by.as_ref().and_then(known_id),
        importance: None,
        metadata: None,
        event_time: None,
        event_time_precision: None,
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

/// The ids, each once.
pub(super) fn memory_ids(ids: Vec<String>, mut violations: Violations) -> Result<Vec<MemoryId>> {
    let listed = pb::BatchDeleteMemoriesRequest::MEMORY_IDS;
    violations.count(listed, "ids", ids.len());
    let mut seen = HashSet::new();
    let mut distinct = Vec::with_capacity(ids.len().min(listed.max_items));
    for (index, id) in ids.into_iter().take(listed.max_items).enumerate() {
        violations.text(listed.item(index), &id);
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

/// Whom the page comes after, and how many are wanted.
pub(super) fn users_page(message: pb::ListUsersRequest) -> Result<(Option<String>, u64)> {
    let pb::ListUsersRequest { limit, cursor } = message;
    let mut violations = Violations::default();
    let limit = violations.number(pb::ListUsersRequest::LIMIT, limit).unwrap_or(50);
    let declared = pb::ListUsersRequest::CURSOR;
    // What was stored before ids had rules is listed too.
    let is_cursor = |cursor: &String| cursor.len() <= declared.max_bytes && !cursor.contains('\0');
    let after = cursor.map(|cursor| Some(cursor).filter(is_cursor)?.strip_prefix(AFTER).map(str::to_owned));
    if after == Some(None) {
        violations.add(declared.name, "must be the `next_cursor` of an earlier page");
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
