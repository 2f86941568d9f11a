//! Protobuf messages ⇄ the types of `model/` and `services/`, for storing conversations.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use prost::Message as _;

use super::convert::{category, decimal, memory_type, seconds, skipped_message, time_precision, timestamp};
use super::validate::Violations;
use crate::error::Result;
use crate::model::{Category, Operation, Owner, Role, TaskId, time_of_number, time_of_text};
use crate::proto::Field;
use crate::proto::v1::{self as pb};
use crate::services::{ConversationMessage, StoreOutcome, StoreRequest};

/// The type of parts that are read.
const TEXT_PART: &str = "text";
/// The parts of a message by the name that they have in JSON.
const PARTS_IN_JSON: &Field = &Field {
    name: pb::Message::CONTENT.name,
    ..*pb::Message::CONTENT_PARTS
};

/// What an idempotency key stands for: the request, and whom it is about.
pub(super) fn canonical_bytes(message: &pb::StoreMemoriesRequest, owner: &Owner) -> Vec<u8> {
    let mut message = message.clone();
    message.user_id = Some(owner.user_id.clone());
    // Map fields encode in random order; JSON objects of serde_json are sorted.
    let metadata = Violations::default().metadata(pb::StoreMemoriesRequest::METADATA, message.metadata.take());
    let mut bytes = message.encode_to_vec();
    bytes.extend(serde_json::to_vec(&metadata).unwrap_or_default());
    bytes
}

pub(super) fn store_request(
    message: pb::StoreMemoriesRequest,
    owner: Owner,
    idempotency: Option<(String, [u8; 32])>,
    now: DateTime<Utc>,
    mut violations: Violations,
) -> Result<StoreRequest> {
    let pb::StoreMemoriesRequest {
        messages,
        agent_id,
        thread_id,
        source,
        user_id: _,
        metadata,
        // Both are read by the handler.
        r#async,
        preview,
        expires_at,
    } = message;
    if preview == Some(true) && r#async == Some(true) {
        violations.add(pb::StoreMemoriesRequest::PREVIEW.name, "contradicts async");
    }
    violations.count(pb::StoreMemoriesRequest::MESSAGES, "messages", messages.len());
    violations.text(pb::StoreMemoriesRequest::AGENT_ID, &agent_id);
    violations.text(pb::StoreMemoriesRequest::THREAD_ID, &thread_id);
    violations.text(pb::StoreMemoriesRequest::SOURCE, &source);
    let messages = messages
        .into_iter()
        .take(pb::StoreMemoriesRequest::MESSAGES.max_items)
        .enumerate()
        .filter_map(|(index, message)| conversation_message(index, message, &mut violations))
        .collect();
    let metadata = violations.metadata(pb::StoreMemoriesRequest::METADATA, metadata);
    let said_at = metadata
        .as_ref()
        .and_then(|m| m.get("timestamp"))
        .and_then(|timestamp| {
            let time = match timestamp.as_f64() {
                Some(number) => time_of_number(number).map(|time| time.fixed_offset()),
                None => timestamp.as_str().and_then(time_of_text),
            };
            if time.is_none() {
                violations.add(
                    "metadata.timestamp",
                    "must be an RFC 3339 time between the years 1 and 9999, or the seconds or milliseconds since 1970",
                );
            }
            time
        });
    let expires_at = violations.future(pb::StoreMemoriesRequest::EXPIRES_AT, expires_at, now);
    violations.finish(StoreRequest {
        owner,
        messages,
        agent_id,
        thread_id,
        source,
        metadata,
        said_at,
        expires_at,
        idempotency,
    })
}

fn conversation_message(
    index: usize,
    message: pb::Message,
    violations: &mut Violations,
) -> Option<ConversationMessage> {
    let pb::Message {
        role,
        content,
        id,
        name,
        timestamp,
        utc_offset_minutes,
        content_parts,
    } = message;
    let at = |field: &'static Field| field.within(pb::StoreMemoriesRequest::MESSAGES, index);
    let role = violations.word(at(pb::Message::ROLE), Some(role), |role| match role {
        pb::Role::User => Some(Role::User),
        pb::Role::Assistant => Some(Role::Assistant),
        pb::Role::System | pb::Role::Developer | pb::Role::Tool | pb::Role::Function => Some(Role::System),
        pb::Role::Unspecified => None,
    });
    violations.count(at(PARTS_IN_JSON), "parts", content_parts.len());
    if !content.is_empty() && !content_parts.is_empty() {
        violations.add(at(pb::Message::CONTENT_PARTS), "contradicts content");
    }
    // One that says nothing keeps its place: those behind it are counted by theirs.
    let content = if content_parts.is_empty() {
        content
    } else {
        text_of(content_parts)
    };
    violations.text(at(pb::Message::CONTENT), &content);
    violations.text_if_some(at(pb::Message::ID), id.as_ref());
    violations.text_if_some(at(pb::Message::NAME), name.as_ref());
    let said_at = violations.time(at(pb::Message::TIMESTAMP), timestamp);
    let utc_offset = violations
        .number(at(pb::Message::UTC_OFFSET_MINUTES), utc_offset_minutes)
        .and_then(|minutes| FixedOffset::east_opt(minutes.checked_mul(60)?));
    Some(ConversationMessage {
        role: role?,
        // PostgreSQL keeps no NUL, and it means nothing in a conversation.
        content: if content.contains('\0') {
            content.replace('\0', " ")
        } else {
            content
        },
        id,
        name,
        said_at,
        utc_offset,
    })
}

fn text_of(parts: Vec<pb::ContentPart>) -> String {
    let texts = parts.into_iter().filter(|part| part.r#type == TEXT_PART);
    let texts: Vec<String> = texts.filter_map(|part| part.text).collect();
    texts.join("\n")
}

pub(super) fn accepted_response(task_id: TaskId, elapsed: Duration) -> pb::StoreMemoriesResponse {
    pb::StoreMemoriesResponse {
        success: true,
        processing_time: seconds(elapsed.as_secs_f64()),
        task_id: Some(task_id.into()),
        ..Default::default()
    }
}

pub(super) fn store_response(outcome: StoreOutcome, elapsed: Duration) -> pb::StoreMemoriesResponse {
    let count = |operation| outcome.memories.iter().filter(|(_, o)| *o == operation).count() as i32;
    let detected = |c: &Category| outcome.memories.iter().any(|(memory, _)| memory.categories.contains(c));
    pb::StoreMemoriesResponse {
        success: true,
        memories_created: count(Operation::Added),
        memories_updated: count(Operation::Updated),
        processing_time: seconds(elapsed.as_secs_f64()),
        categories_detected: Category::ALL.into_iter().filter(detected).map(category).collect(),
        memories: outcome
            .memories
            .iter()
            .map(|(memory, operation)| pb::StoredMemory {
                id: memory.id.to_string(),
                memory: memory.text.clone(),
                categories: memory.categories.iter().map(|c| category(*c)).collect(),
                r#type: memory_type(memory.memory_type),
                created_at: Some(timestamp(memory.created_at)),
                operation: match operation {
                    Operation::Added => pb::Operation::Added,
                    Operation::Updated => pb::Operation::Updated,
                    Operation::Unchanged => pb::Operation::Unchanged,
                }
                .into(),
                event_time: memory.event_time.map(timestamp),
                event_time_precision: memory.event_time_precision.map(time_precision),
                instruction: memory.is_instruction,
                importance: decimal(memory.importance),
            })
            .collect(),
        skipped: outcome
            .skipped
            .into_iter()
            .map(|skipped| skipped_message(skipped.message_id, skipped.reason))
            .collect(),
        task_id: None,
        preview: None,
    }
}

pub(super) fn preview_response(outcome: StoreOutcome, elapsed: Duration) -> pb::StoreMemoriesResponse {
    pb::StoreMemoriesResponse {
        preview: Some(true),
        ..store_response(outcome, elapsed)
    }
}
