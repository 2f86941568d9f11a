//! The options of `memsync/v1/options.proto` that are there for this document.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, Value};
use serde_json::{Map, json};

use crate::proto::v1::ErrorReason;

/// What a caller may meet beside an RPC's answer.
#[derive(Debug, Default)]
pub(super) struct Documentation {
    pub(super) errors: Vec<ErrorReason>,
    pub(super) takes_if_match: bool,
    pub(super) takes_idempotency_key: bool,
    pub(super) gives_etag: bool,
}

impl Documentation {
    pub(super) fn of(method: &MethodDescriptor) -> Self {
        let option = method.parent_pool().get_extension_by_name("memsync.v1.documentation");
        let declared = option.map(|option| method.options().get_extension(&option).into_owned());
        let Some(Value::Message(declared)) = declared else {
            return Self::default();
        };
        let errors = declared.get_field_by_name("errors");
        let errors = errors.as_deref().and_then(Value::as_list).unwrap_or_default();
        let reason = |value: &Value| value.as_enum_number().and_then(|n| ErrorReason::try_from(n).ok());
        Self {
            errors: errors.iter().filter_map(reason).collect(),
            takes_if_match: flag(&declared, "takes_if_match"),
            takes_idempotency_key: flag(&declared, "takes_idempotency_key"),
            gives_etag: flag(&declared, "gives_etag"),
        }
    }
}

fn flag(message: &DynamicMessage, name: &str) -> bool {
    message.get_field_by_name(name).and_then(|value| value.as_bool()) == Some(true)
}

/// The limits of a field as keywords of JSON Schema.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Of a value, or of each item of a list.
    pub(super) value: Map<String, serde_json::Value>,
    /// Of a list.
    pub(super) list: Map<String, serde_json::Value>,
}

impl Limits {
    pub(super) fn of(field: &FieldDescriptor) -> Self {
        let mut limits = Self::default();
        let option = field.parent_pool().get_extension_by_name("memsync.v1.limits");
        let declared = option.map(|option| field.options().get_extension(&option).into_owned());
        let Some(Value::Message(declared)) = declared else {
            return limits;
        };
        for (limit, value) in declared.fields() {
            let number = match value {
                Value::I64(number) => json!(number),
                Value::U64(number) => json!(number),
                _ => continue,
            };
            let (keywords, keyword) = match limit.name() {
                "min_items" | "max_items" => (&mut limits.list, limit.json_name()),
                // No text has more characters than bytes.
                "max_bytes" if field.kind() == Kind::String => (&mut limits.value, "maxLength"),
                // JSON Schema has no keywords for these.
                "max_bytes" | "max_distinct_items" | "max_depth" => continue,
                _ => (&mut limits.value, limit.json_name()),
            };
            keywords.entry(keyword).or_insert(number);
        }
        limits
    }
}
