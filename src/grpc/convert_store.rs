//! Protobuf messages ⇄ the types of `model/` and `services/`, for storing conversations.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use prost::Message as _;

use super::convert::{category, decimal, memory_type, seconds, timestamp};
use super::validate::{MAX_CONTENT_BYTES, Violations};
use crate::error::Result;
use crate::model::{Category, Operation, Owner, Role, TaskId, time_of_number, time_of_text};
use crate::proto::v1::{self as pb};
use crate::services::{ConversationMessage, StoreOutcome, StoreRequest};

const MAX_MESSAGES: usize = 500;
const MAX_PARTS: usize = 100;
/// The type of parts that are read.
const TEXT_PART: &str = "text";

/// What an idempotency key stands for: the request, and whom it is about.
pub(super) fn canonical_bytes(message: &pb::StoreMemoriesRequest, owner: &Owner) -> Vec<u8> {
    let mut message = message.clone();
    message.user_id = Some(owner.user_id.clone());
    // Map fields encode in random order; JSON objects of serde_json are sorted.
    let metadata = Violations::default().metadata("metadata", message.metadata.take());
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
        // Read by the handler.
        r#async: _,
        expires_at,
    } = message;
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        violations.add("messages", format!("must be 1 to {MAX_MESSAGES} messages"));
    }
    for (field, text) in [("agent_id", &agent_id), ("thread_id", &thread_id), ("source", &source)] {
        violations.id(field, text, 1);
    }
    let messages = messages
        .into_iter()
        .take(MAX_MESSAGES)
        .enumerate()
        .filter_map(|(index, message)| conversation_message(index, message, &mut violations))
        .collect();
    let metadata = violations.metadata("metadata", metadata);
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
    let expires_at = violations.future("expires_at", expires_at, now);
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
    let field = |name: &str| format!("messages[{index}].{name}");
    let role = match pb::Role::try_from(role) {
        Ok(pb::Role::User) => Some(Role::User),
        Ok(pb::Role::Assistant) => Some(Role::Assistant),
        Ok(pb::Role::System | pb::Role::Developer | pb::Role::Tool | pb::Role::Function) => Some(Role::System),
        Ok(pb::Role::Unspecified) | Err(_) => None,
    };
    if role.is_none() {
        violations.add(
            field("role"),
            "must be one of: user, assistant, system, developer, tool, function",
        );
    }
    if content_parts.len() > MAX_PARTS {
        violations.add(field("content"), format!("must be at most {MAX_PARTS} parts"));
    }
    if !content.is_empty() && !content_parts.is_empty() {
        violations.add(field("content_parts"), "contradicts content");
    }
    // One that says nothing keeps its place: those behind it are counted by theirs.
    let content = if content_parts.is_empty() {
        content
    } else {
        text_of(content_parts)
    };
    if content.len() > MAX_CONTENT_BYTES {
        violations.add(field("content"), format!("must be at most {MAX_CONTENT_BYTES} bytes"));
    }
    violations.id_if_some(field("id"), id.as_ref());
    violations.visible_if_some(field("name"), name.as_ref());
    let said_at = violations.time(field("timestamp"), timestamp);
    let utc_offset = utc_offset_minutes.and_then(|minutes| {
        let offset = minutes.checked_mul(60).and_then(FixedOffset::east_opt);
        if offset.is_none() {
            violations.add(field("utc_offset_minutes"), "must be -1439 to 1439");
        }
        offset
    });
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
                importance: decimal(memory.importance),
            })
            .collect(),
        task_id: None,
    }
}
