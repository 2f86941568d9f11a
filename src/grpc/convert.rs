//! Protobuf messages ⇄ the types of `model/` and `services/`, field by field.
//!
//! Requests are taken apart whole, so that a new field breaks the build until somebody decides what it means.

use chrono::{DateTime, Utc};
use prost_types::{ListValue, Struct, Timestamp, Value, value::Kind};
use serde_json::Map;

use super::place::Place;
use super::validate::Violations;
use crate::error::Result;
use crate::model::{Category, Filter, Memory, MemoryId, MemoryType, Owner, SkipReason, TaskState, TimePrecision};
use crate::proto::Field;
use crate::proto::v1::{self as pb};
use crate::search::{Explanation, Hit, Part};
use crate::services::{
    ListQuery, ListRequest, ListSort, MemoryPage, SearchAnswer, SearchRequest, StoreTaskResult, TaskReport,
};

/// `0001-01-01T00:00:00Z` and `9999-12-31T23:59:59Z`.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

pub(super) fn task_response(report: TaskReport) -> pb::GetTaskResponse {
    let status = match report.state {
        TaskState::Pending => "PENDING",
        TaskState::Running => "PROCESSING",
        TaskState::Done => "SUCCESS",
        TaskState::Failed => "FAILED",
    };
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let result = report
        .result
        .and_then(|result| serde_json::from_value::<StoreTaskResult>(result).ok());
    let result = result.map(|result| pb::TaskResult {
        indexed_items: count(result.indexed_items),
        processing_time: seconds(result.processing_s),
        memories_created: count(result.memories_created),
        categories_found: result
            .categories_found
            .iter()
            .filter_map(|word| word.parse().ok().map(category))
            .collect(),
        skipped: result
            .skipped
            .into_iter()
            .filter_map(|(message_id, word)| Some(skipped_message(message_id, word.parse().ok()?)))
            .collect(),
    });
    let given_up = report.state == TaskState::Failed;
    pb::GetTaskResponse {
        task_id: report.id.into(),
        status: status.to_owned(),
        result,
        error_message: given_up.then(|| {
            report
                .refused
                .unwrap_or_else(|| "It failed too often and was abandoned".to_owned())
        }),
    }
}

pub(super) fn skipped_message(message_id: String, reason: SkipReason) -> pb::SkippedMessage {
    let reason = match reason {
        SkipReason::Question => pb::SkipReason::Question,
        SkipReason::Request => pb::SkipReason::Request,
        SkipReason::NotToBeRemembered => pb::SkipReason::NotToBeRemembered,
        SkipReason::Quoted => pb::SkipReason::Quoted,
        SkipReason::Fiction => pb::SkipReason::Fiction,
        SkipReason::TextToTransform => pb::SkipReason::TextToTransform,
        SkipReason::Code => pb::SkipReason::Code,
        SkipReason::GivenMemories => pb::SkipReason::GivenMemories,
        SkipReason::SmallTalk => pb::SkipReason::SmallTalk,
        SkipReason::NothingToKeep => pb::SkipReason::NothingToKeep,
    };
    pb::SkippedMessage {
        message_id,
        reason: reason.into(),
    }
}

pub(super) fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}s")
}

pub(super) fn search_request(
    message: pb::SearchMemoriesRequest,
    owner: Owner,
    include_bio: bool,
    mut violations: Violations,
) -> Result<SearchRequest> {
    let pb::SearchMemoriesRequest {
        query,
        limit,
        categories,
        r#type,
        rerank,
        // The caller must be allowed it too.
        include_bio: _,
        agent_id,
        thread_id,
        user_id: _,
        created_after,
        created_before,
        min_importance,
        metadata,
        include_superseded,
        as_of,
        explain,
        instruction,
    } = message;
    violations.text(pb::SearchMemoriesRequest::QUERY, &query);
    let limit = violations.number(pb::SearchMemoriesRequest::LIMIT, limit).unwrap_or(10);
    let categories = violations.categories(pb::SearchMemoriesRequest::CATEGORIES, &categories);
    violations.text_if_some(pb::SearchMemoriesRequest::AGENT_ID, agent_id.as_ref());
    violations.text_if_some(pb::SearchMemoriesRequest::THREAD_ID, thread_id.as_ref());
    let filter = Filter {
        categories: categories.into_iter().fold(0, |bits, category| bits | category.bit()),
        memory_type: violations.memory_type(pb::SearchMemoriesRequest::TYPE, r#type),
        is_instruction: instruction,
        agent_id,
        thread_id,
        created_after: violations.time(pb::SearchMemoriesRequest::CREATED_AFTER, created_after),
        created_before: violations.time(pb::SearchMemoriesRequest::CREATED_BEFORE, created_before),
        min_importance: violations.share(pb::SearchMemoriesRequest::MIN_IMPORTANCE, min_importance),
        metadata: violations
            .metadata(pb::SearchMemoriesRequest::METADATA, metadata)
            .unwrap_or_default(),
        include_superseded: include_superseded.unwrap_or(false),
    };
    let limit = usize::try_from(limit).unwrap_or(1);
    let as_of = violations.time(pb::SearchMemoriesRequest::AS_OF, as_of);
    violations.finish(SearchRequest {
        owner,
        query,
        limit,
        rerank: rerank.unwrap_or(false),
        explain: explain.unwrap_or(false),
        include_bio,
        filter,
        as_of,
    })
}

pub(super) fn search_response(answer: SearchAnswer) -> pb::SearchMemoriesResponse {
    let hit = |hit: Hit| pb::Memory {
        vector_distance: Some(decimal(hit.vector_distance)),
        rerank_score: hit.rerank_score.map(decimal),
        explanation: hit.explanation.map(explanation),
        ..memory(&hit.memory)
    };
    pb::SearchMemoriesResponse {
        user_bio: answer.bio.map(|bio| bio.to_string()),
        memories: answer.hits.into_iter().map(hit).collect(),
    }
}

fn explanation(explanation: Explanation) -> pb::ScoreExplanation {
    let Explanation {
        parts,
        repetition,
        score,
        behind,
        strength,
    } = explanation;
    let part = |part: Part| pb::ScorePart {
        name: part.name.to_owned(),
        value: decimal(part.value),
        worth: decimal(part.weight),
    };
    pb::ScoreExplanation {
        parts: parts.into_iter().map(part).collect(),
        repetition: decimal(repetition),
        score: decimal(score),
        behind: decimal(behind),
        strength: decimal(strength),
    }
}

/// Which page was asked for.
pub(super) struct Page {
    page: i32,
    page_size: i32,
}

pub(super) fn list_request(
    message: pb::ListMemoriesRequest,
    owner: Owner,
    mut violations: Violations,
) -> Result<(ListRequest, Page)> {
    let pb::ListMemoriesRequest {
        page,
        page_size,
        category,
        r#type,
        agent_id,
        thread_id,
        sort,
        order,
        user_id: _,
        as_of,
        include_superseded,
        instruction,
    } = message;
    let page = violations.number(pb::ListMemoriesRequest::PAGE, page).unwrap_or(1);
    let page_size = violations
        .number(pb::ListMemoriesRequest::PAGE_SIZE, page_size)
        .unwrap_or(20);
    let category = violations.category(pb::ListMemoriesRequest::CATEGORY, category);
    violations.text_if_some(pb::ListMemoriesRequest::AGENT_ID, agent_id.as_ref());
    violations.text_if_some(pb::ListMemoriesRequest::THREAD_ID, thread_id.as_ref());
    let sort = violations.word(pb::ListMemoriesRequest::SORT, sort, |sort| {
        Some(match sort {
            pb::SortField::Unspecified | pb::SortField::CreatedAt => ListSort::CreatedAt,
            pb::SortField::UpdatedAt => ListSort::UpdatedAt,
            pb::SortField::Importance => ListSort::Importance,
        })
    });
    let order = violations.word(pb::ListMemoriesRequest::ORDER, order, |order: pb::SortOrder| {
        Some(order)
    });
    let query = ListQuery {
        category,
        memory_type: violations.memory_type(pb::ListMemoriesRequest::TYPE, r#type),
        is_instruction: instruction,
        agent_id,
        thread_id,
        include_superseded: include_superseded.unwrap_or(false),
        sort: sort.unwrap_or(ListSort::CreatedAt),
        ascending: order == Some(pb::SortOrder::Asc),
        offset: u64::try_from(i64::from(page - 1) * i64::from(page_size)).unwrap_or(0),
        limit: u64::try_from(page_size).unwrap_or(1),
    };
    let as_of = violations.time(pb::ListMemoriesRequest::AS_OF, as_of);
    violations.finish((ListRequest { owner, query, as_of }, Page { page, page_size }))
}

pub(super) fn list_response(found: MemoryPage, page: Page) -> pb::ListMemoriesResponse {
    let Page { page, page_size } = page;
    let total_items = i64::try_from(found.total).unwrap_or(i64::MAX);
    let total_pages = (total_items + i64::from(page_size) - 1) / i64::from(page_size);
    pb::ListMemoriesResponse {
        data: found.memories.iter().map(memory).collect(),
        pagination: Some(pb::Pagination {
            page,
            page_size,
            total_items,
            total_pages,
            has_next: i64::from(page) < total_pages,
            has_previous: page > 1,
        }),
    }
}

pub(super) fn memory(memory: &Memory) -> pb::Memory {
    let mut source_message_ids: Vec<String> = Vec::with_capacity(memory.sources.len());
    for source in &memory.sources {
        if !source_message_ids.contains(&source.message_id) {
            source_message_ids.push(source.message_id.clone());
        }
    }
    pb::Memory {
        id: memory.id.to_string(),
        memory: memory.text.clone(),
        r#type: memory_type(memory.memory_type),
        categories: memory.categories.iter().map(|c| category(*c)).collect(),
        importance: decimal(memory.importance),
        source: memory.source.clone(),
        agent_id: memory.agent_id.clone(),
        thread_id: memory.thread_id.clone(),
        user_id: memory.user_id.clone(),
        metadata: memory.metadata.as_ref().map(struct_from_json),
        event_time: memory.event_time.map(timestamp),
        event_time_precision: memory.event_time_precision.map(time_precision),
        instruction: memory.is_instruction,
        source_message_ids,
        version: memory.version,
        created_at: Some(timestamp(memory.created_at)),
        updated_at: Some(timestamp(memory.updated_at)),
        vector_distance: None,
        rerank_score: None,
        explanation: None,
        expires_at: memory.expires_at.map(timestamp),
        superseded_by: memory.superseded_by.as_ref().and_then(known_id),
    }
}

/// What took a memory's place is not known of every one that was imported.
pub(super) fn known_id(id: &MemoryId) -> Option<String> {
    Some(id.to_string()).filter(|id| !id.is_empty())
}

pub(super) fn category(category: Category) -> i32 {
    match category {
        Category::Identity => pb::Category::Identity,
        Category::Career => pb::Category::Career,
        Category::Interests => pb::Category::Interests,
        Category::Relationships => pb::Category::Relationships,
        Category::Health => pb::Category::Health,
        Category::Finance => pb::Category::Finance,
        Category::Learning => pb::Category::Learning,
        Category::Travel => pb::Category::Travel,
        Category::Productivity => pb::Category::Productivity,
        Category::Private => pb::Category::Private,
    }
    .into()
}

pub(super) fn memory_type(memory_type: MemoryType) -> i32 {
    match memory_type {
        MemoryType::Semantic => pb::MemoryType::Semantic,
        MemoryType::Episodic => pb::MemoryType::Episodic,
    }
    .into()
}

pub(super) fn time_precision(precision: TimePrecision) -> i32 {
    match precision {
        TimePrecision::Day => pb::TimePrecision::Day,
        TimePrecision::Week => pb::TimePrecision::Week,
        TimePrecision::Month => pb::TimePrecision::Month,
        TimePrecision::Season => pb::TimePrecision::Season,
        TimePrecision::Year => pb::TimePrecision::Year,
    }
    .into()
}

impl Violations {
    pub(super) fn category(&mut self, place: impl Into<Place>, word: Option<i32>) -> Option<Category> {
        let word = word?;
        let known = Category::ALL.into_iter().find(|c| category(*c) == word);
        if known.is_none() {
            self.add_category(place);
        }
        known
    }

    /// The categories of a list, each once.
    pub(super) fn categories(&mut self, field: &'static Field, words: &[i32]) -> Vec<Category> {
        let mut found = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let category = self.category(field.item(index), Some(*word));
            found.extend(category.filter(|category| !found.contains(category)));
        }
        found
    }

    pub(super) fn memory_type(&mut self, field: &'static Field, word: Option<i32>) -> Option<MemoryType> {
        self.word(field, word, |word| match word {
            pb::MemoryType::Semantic => Some(MemoryType::Semantic),
            pb::MemoryType::Episodic => Some(MemoryType::Episodic),
            pb::MemoryType::Unspecified => None,
        })
    }
}

pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    // What was imported before years had bounds, and leap seconds, which protobuf has no place for.
    Timestamp {
        seconds: time.timestamp().clamp(FIRST_SECOND, LAST_SECOND),
        nanos: i32::try_from(time.timestamp_subsec_nanos().min(999_999_999)).unwrap_or(0),
    }
}

/// Four decimals say all that a score or a distance means, without the noise of `f32` widened to `f64`.
pub(super) fn decimal(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}

pub(super) fn struct_from_json(map: &Map<String, serde_json::Value>) -> Struct {
    Struct {
        fields: map
            .iter()
            .map(|(key, value)| (key.clone(), value_from_json(value)))
            .collect(),
    }
}

fn value_from_json(value: &serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(b) => Kind::BoolValue(*b),
        serde_json::Value::Number(n) => Kind::NumberValue(n.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(text) => Kind::StringValue(text.clone()),
        serde_json::Value::Array(items) => Kind::ListValue(ListValue {
            values: items.iter().map(value_from_json).collect(),
        }),
        serde_json::Value::Object(map) => Kind::StructValue(struct_from_json(map)),
    };
    Value { kind: Some(kind) }
}
