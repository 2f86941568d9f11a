//! Messages and enums as JSON Schema, in the shape that REST reads and writes them.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::OpenApiError;
use super::comments::Comments;
use super::options::Limits;
use crate::rest::{UNSPECIFIED, list_form, omit_empty, words};

/// `google.api.FieldBehavior.REQUIRED`.
const REQUIRED: i32 = 2;

/// Where a message goes: it says which of its fields are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// The component schemas; a message or enum becomes one when something refers to it.
#[derive(Debug)]
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    /// Messages that answers hold.
    answers: BTreeSet<String>,
    components: Map<String, Value>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(pool: &DescriptorPool, comments: &'a Comments) -> Self {
        let mut answers = BTreeSet::new();
        for service in pool.services() {
            for method in service.methods() {
                collect(&method.output(), &mut answers);
            }
        }
        Self {
            comments,
            answers,
            components: Map::new(),
        }
    }

    pub(super) fn into_components(self) -> Map<String, Value> {
        self.components
    }

    /// A reference to a message, without the fields that are given elsewhere.
    pub(super) fn message(
        &mut self,
        message: &MessageDescriptor,
        direction: Direction,
        without: &[String],
    ) -> Result<Value, OpenApiError> {
        let mut name = message.name().to_owned();
        if direction == Direction::Request && self.answers.contains(message.full_name()) {
            name += "Input";
        }
        let reference = reference(&name);
        if self.components.contains_key(&name) {
            return Ok(reference);
        }
        // Before its fields, because a message may hold itself.
        self.components.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in in_order(message) {
            if without.iter().any(|other| other == field.name()) {
                continue;
            }
            if is_required(&field, direction) {
                required.push(field.name().to_owned());
            }
            properties.insert(field.name().to_owned(), self.field(&field, direction)?);
        }
        let mut schema = json!({"type": "object", "properties": properties});
        describe(&mut schema, self.comments.of(&message.parent_file(), message.path()));
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        self.components.insert(name, schema);
        Ok(reference)
    }

    /// A field's schema with its description and limits.
    pub(super) fn field(&mut self, field: &FieldDescriptor, direction: Direction) -> Result<Value, OpenApiError> {
        let limits = match direction {
            Direction::Request => Limits::of(field),
            Direction::Answer => Limits::default(),
        };
        let mut schema = if field.is_map() {
            let entry = field.kind();
            let entry = entry.as_message().ok_or_else(|| unsupported(field))?;
            let values = self.value(&entry.map_entry_value_field(), direction, limits.value)?;
            json!({"type": "object", "additionalProperties": values})
        } else if field.is_list() {
            let mut list = json!({"type": "array", "items": self.value(field, direction, limits.value)?});
            extend(&mut list, limits.list);
            list
        } else {
            self.value(field, direction, limits.value)?
        };
        if direction == Direction::Request
            && let Some(list) = list_form(field)
        {
            schema = json!({"oneOf": [schema, self.field(&list, direction)?]});
        }
        describe(&mut schema, self.comments.of(&field.parent_file(), field.path()));
        Ok(schema)
    }

    fn value(
        &mut self,
        field: &FieldDescriptor,
        direction: Direction,
        limits: Map<String, Value>,
    ) -> Result<Value, OpenApiError> {
        let mut schema = match field.kind() {
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "integer", "format": "int64"}),
            Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => json!({"type": "integer", "minimum": 0}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(enumeration) => self.enumeration(&enumeration),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
                "google.protobuf.Struct" => json!({"type": "object", "additionalProperties": true}),
                "google.protobuf.ListValue" => json!({"type": "array", "items": {}}),
                "google.protobuf.Value" => json!({}),
                other if other.starts_with("google.protobuf.") => return Err(unsupported(field)),
                _ => self.message(&message, direction, &[])?,
            },
        };
        extend(&mut schema, limits);
        Ok(schema)
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptor) -> Value {
        let name = enumeration.name();
        if !self.components.contains_key(name) {
            let file = enumeration.parent_file();
            let mut description = self.comments.of(&file, enumeration.path()).to_owned();
            let mut values = Vec::new();
            for (value, word) in words(enumeration) {
                if word != UNSPECIFIED {
                    let comment = self.comments.of(&file, value.path());
                    description += &format!("\n- `{word}`: {comment}");
                    values.push(word);
                }
            }
            let schema = json!({"type": "string", "enum": values, "description": description});
            self.components.insert(name.to_owned(), schema);
        }
        reference(name)
    }
}

/// A reference to a component schema.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The fields in the order of their declaration.
pub(super) fn in_order(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

/// Whether a request must have the field, or an answer always has it.
pub(super) fn is_required(field: &FieldDescriptor, direction: Direction) -> bool {
    match direction {
        Direction::Answer => !field.supports_presence() && !omit_empty(field),
        Direction::Request => {
            let option = field.parent_pool().get_extension_by_name("google.api.field_behavior");
            let behaviors = option.map(|option| field.options().get_extension(&option).into_owned());
            let behaviors = behaviors.as_ref().and_then(|list| list.as_list()).unwrap_or_default();
            behaviors
                .iter()
                .any(|behavior| behavior.as_enum_number() == Some(REQUIRED))
        }
    }
}

/// The message and all that it holds, by full name.
fn collect(message: &MessageDescriptor, found: &mut BTreeSet<String>) {
    if found.insert(message.full_name().to_owned()) {
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                collect(&inner, found);
            }
        }
    }
}

fn describe(schema: &mut Value, description: &str) {
    if !description.is_empty() {
        schema["description"] = json!(description);
    }
}

fn extend(schema: &mut Value, keywords: Map<String, Value>) {
    if let Some(schema) = schema.as_object_mut() {
        schema.extend(keywords);
    }
}

fn unsupported(field: &FieldDescriptor) -> OpenApiError {
    OpenApiError::Type(field.full_name().to_owned())
}
