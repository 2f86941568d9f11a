//! The contract's JSON of a protobuf message, written down a second time to hold REST against.

use chrono::{DateTime, SecondsFormat};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value as Proto};
use serde_json::{Map, Value, json};

/// snake_case names, lower-case enum words, RFC 3339 times, whole numbers as integers; absent optional fields are
/// left out, lists and counts are always there.
pub fn proto_json(message: &DynamicMessage) -> Value {
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => time(message),
        "google.protobuf.Struct" => map(message),
        "google.protobuf.Value" => free(message),
        _ => {
            let descriptor = message.descriptor();
            let fields = descriptor
                .fields()
                .filter(|field| message.has_field(field) || !(field.supports_presence() || omit_empty(field)));
            let pairs = fields.map(|field| (field.name().to_owned(), value(&field, &message.get_field(&field))));
            Value::Object(pairs.collect())
        }
    }
}

fn omit_empty(field: &FieldDescriptor) -> bool {
    let option = field.parent_pool().get_extension_by_name("memsync.v1.omit_empty");
    field.options().get_extension(&option.unwrap()).as_bool() == Some(true)
}

fn value(field: &FieldDescriptor, value: &Proto) -> Value {
    match value {
        Proto::List(list) => list.iter().map(|item| single(field, item)).collect(),
        Proto::Map(map) => {
            let Kind::Message(entry) = field.kind() else {
                panic!("{field:?} is no map")
            };
            let value_field = entry.map_entry_value_field();
            let pair = |(key, item): (&MapKey, &Proto)| (key.as_str().unwrap().to_owned(), single(&value_field, item));
            Value::Object(map.iter().map(pair).collect())
        }
        one => single(field, one),
    }
}

fn single(field: &FieldDescriptor, value: &Proto) -> Value {
    match value {
        Proto::Bool(b) => json!(b),
        Proto::I32(n) => json!(n),
        Proto::I64(n) => json!(n),
        Proto::U32(n) => json!(n),
        Proto::U64(n) => json!(n),
        Proto::F32(n) => json!(n),
        Proto::F64(n) => json!(n),
        Proto::String(text) => json!(text),
        Proto::EnumNumber(number) => word(field, *number),
        Proto::Message(message) => proto_json(message),
        Proto::Bytes(_) | Proto::List(_) | Proto::Map(_) => panic!("{field:?} has no JSON form in the contract"),
    }
}

/// `MEMORY_TYPE_SEMANTIC` of `MemoryType` is `semantic`.
fn word(field: &FieldDescriptor, number: i32) -> Value {
    let Kind::Enum(descriptor) = field.kind() else {
        panic!("{field:?} is no enum");
    };
    let unspecified = descriptor.get_value(0).unwrap().name().to_owned();
    let prefix = unspecified.strip_suffix("UNSPECIFIED").unwrap();
    let name = descriptor.get_value(number).unwrap().name().to_owned();
    json!(name.strip_prefix(prefix).unwrap().to_lowercase())
}

fn time(message: &DynamicMessage) -> Value {
    let seconds = message.get_field_by_name("seconds").unwrap().as_i64().unwrap();
    let nanos = message.get_field_by_name("nanos").unwrap().as_i32().unwrap();
    let time = DateTime::from_timestamp(seconds, u32::try_from(nanos).unwrap()).unwrap();
    json!(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn map(message: &DynamicMessage) -> Value {
    let fields = message.get_field_by_name("fields").unwrap();
    let pair = |(key, value): (&MapKey, &Proto)| (key.as_str().unwrap().to_owned(), free(value.as_message().unwrap()));
    Value::Object(fields.as_map().unwrap().iter().map(pair).collect::<Map<_, _>>())
}

/// A `google.protobuf.Value`.
fn free(message: &DynamicMessage) -> Value {
    let Some((field, value)) = message.fields().next() else {
        return Value::Null;
    };
    match (field.name(), value) {
        ("null_value", _) => Value::Null,
        ("number_value", Proto::F64(number)) if number.fract() == 0.0 => json!(*number as i64),
        ("list_value", Proto::Message(list)) => {
            let values = list.get_field_by_name("values").unwrap();
            values
                .as_list()
                .unwrap()
                .iter()
                .map(|item| free(item.as_message().unwrap()))
                .collect()
        }
        (_, value) => single(&field, value),
    }
}
