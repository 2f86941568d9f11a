//! Messages, fields and enums as the transcoder needs them, compiled once from the descriptors at start-up.
//!
//! Names, wire numbers and words are looked up here; nothing here reads or writes JSON or bytes. `bindings` builds it,
//! `decode`, `params` and `encode` use it.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind as ProtoKind, MessageDescriptor,
};

use super::wire::WireType;

/// The word of an enum's value for "none".
pub(crate) const UNSPECIFIED: &str = "unspecified";

/// Everything that the bound methods take and give.
#[derive(Debug, Default)]
pub(super) struct Schema {
    messages: Vec<MessageSchema>,
    enums: Vec<Enum>,
    known_messages: HashMap<String, MessageId>,
    known_enums: HashMap<String, EnumId>,
}

/// A message of a `Schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageId(usize);

/// An enum of a `Schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EnumId(usize);

/// A message: its fields in declaration order.
#[derive(Debug, Default)]
pub(super) struct MessageSchema {
    pub(super) fields: Vec<Field>,
    by_name: HashMap<Box<str>, usize>,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// The name in JSON, `snake_case`.
    pub(super) name: Box<str>,
    /// The name with quotes and colon, ready to write.
    pub(super) json_key: Box<str>,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// Whether an empty list is left out.
    pub(super) omit_empty: bool,
    /// The number of the field that takes a time's offset from UTC.
    pub(super) utc_offset: Option<u32>,
    /// The field that takes the value where it comes as a list.
    pub(super) list_form: Option<Box<Field>>,
}

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Once; always written to JSON.
    Implicit,
    /// Once or not at all; absent from JSON when unset.
    Optional,
    /// A list.
    Repeated,
    /// A map with keys of this kind.
    Map(Kind),
}

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(EnumId),
    Message(MessageId),
    Timestamp,
    Struct,
    Value,
    ListValue,
}

/// An enum and its words.
#[derive(Debug)]
pub(super) struct Enum {
    /// The error reason for a word that is none of them.
    pub(super) invalid_reason: Option<Box<str>>,
    /// The number that stands for "none", which has no word going in.
    unspecified: Option<i32>,
    words: Vec<(i32, Box<str>)>,
    by_name: HashMap<Box<str>, i32>,
}

/// A message type that JSON can't carry here.
#[derive(Debug, thiserror::Error)]
#[error("`{field}` is a {message}, which has no JSON form here")]
pub struct UnsupportedType {
    field: String,
    message: String,
}

impl Schema {
    pub(super) fn message(&self, id: MessageId) -> &MessageSchema {
        &self.messages[id.0]
    }

    pub(super) fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }

    /// Compiles a message and all that it contains.
    pub(super) fn add_message(&mut self, message: &MessageDescriptor) -> Result<MessageId, UnsupportedType> {
        if let Some(&id) = self.known_messages.get(message.full_name()) {
            return Ok(id);
        }
        // Reserved before its fields, because a message may contain itself.
        let id = MessageId(self.messages.len());
        self.messages.push(MessageSchema::default());
        self.known_messages.insert(message.full_name().to_owned(), id);

        let mut compiled = MessageSchema::default();
        let mut declared: Vec<FieldDescriptor> = message.fields().collect();
        declared.sort_by_key(|field| field.path().last().copied());
        for (index, field) in declared.iter().enumerate() {
            compiled.by_name.insert(field.name().into(), index);
            compiled.fields.push(self.field(field)?);
        }
        for (index, field) in declared.iter().enumerate() {
            // Of the one field that says whose memories these are, there is one spelling.
            if field.name() != "user_id" {
                compiled.by_name.entry(field.json_name().into()).or_insert(index);
            }
        }
        self.messages[id.0] = compiled;
        Ok(id)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<Field, UnsupportedType> {
        let name: Box<str> = field.name().into();
        let (kind, shape) = if field.is_map() {
            let entry = field.kind();
            let entry = entry.as_message().ok_or_else(|| unsupported(field, "map"))?;
            let key = self.kind(&entry.map_entry_key_field())?;
            (self.kind(&entry.map_entry_value_field())?, Shape::Map(key))
        } else if field.is_list() {
            (self.kind(field)?, Shape::Repeated)
        } else if field.supports_presence() {
            (self.kind(field)?, Shape::Optional)
        } else {
            (self.kind(field)?, Shape::Implicit)
        };
        Ok(Field {
            json_key: format!("\"{name}\":").into(),
            name,
            number: field.number(),
            kind,
            shape,
            omit_empty: omit_empty(field),
            utc_offset: utc_offset(field),
            list_form: match list_form(field) {
                Some(list) => Some(Box::new(self.field(&list)?)),
                None => None,
            },
        })
    }

    fn kind(&mut self, field: &FieldDescriptor) -> Result<Kind, UnsupportedType> {
        Ok(match field.kind() {
            ProtoKind::Double => Kind::Double,
            ProtoKind::Float => Kind::Float,
            ProtoKind::Int32 => Kind::Int32,
            ProtoKind::Int64 => Kind::Int64,
            ProtoKind::Uint32 => Kind::Uint32,
            ProtoKind::Uint64 => Kind::Uint64,
            ProtoKind::Sint32 => Kind::Sint32,
            ProtoKind::Sint64 => Kind::Sint64,
            ProtoKind::Fixed32 => Kind::Fixed32,
            ProtoKind::Fixed64 => Kind::Fixed64,
            ProtoKind::Sfixed32 => Kind::Sfixed32,
            ProtoKind::Sfixed64 => Kind::Sfixed64,
            ProtoKind::Bool => Kind::Bool,
            ProtoKind::String => Kind::String,
            ProtoKind::Bytes => Kind::Bytes,
            ProtoKind::Enum(enumeration) => Kind::Enum(self.add_enum(&enumeration)),
            ProtoKind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => Kind::Timestamp,
                "google.protobuf.Struct" => Kind::Struct,
                "google.protobuf.Value" => Kind::Value,
                "google.protobuf.ListValue" => Kind::ListValue,
                "google.protobuf.Empty" => Kind::Message(self.add_message(&message)?),
                other if other.starts_with("google.protobuf.") => return Err(unsupported(field, other)),
                _ => Kind::Message(self.add_message(&message)?),
            },
        })
    }

    fn add_enum(&mut self, enumeration: &EnumDescriptor) -> EnumId {
        if let Some(&id) = self.known_enums.get(enumeration.full_name()) {
            return id;
        }
        let id = EnumId(self.enums.len());
        self.enums.push(Enum::compile(enumeration));
        self.known_enums.insert(enumeration.full_name().to_owned(), id);
        id
    }
}

fn unsupported(field: &FieldDescriptor, message: &str) -> UnsupportedType {
    UnsupportedType {
        field: field.full_name().to_owned(),
        message: message.to_owned(),
    }
}

impl MessageSchema {
    /// The field with this JSON name, `snake_case` or `camelCase`.
    pub(super) fn field(&self, name: &str) -> Option<(usize, &Field)> {
        let index = *self.by_name.get(name)?;
        Some((index, &self.fields[index]))
    }

    /// The index of the field with this number. Records come in order, so the search starts behind the last hit.
    pub(super) fn index_of(&self, number: u32, hint: usize) -> Option<usize> {
        let (before, after) = self.fields.split_at(hint.min(self.fields.len()));
        let behind = after
            .iter()
            .position(|field| field.number == number)
            .map(|index| index + before.len());
        behind.or_else(|| before.iter().position(|field| field.number == number))
    }
}

impl Kind {
    pub(super) fn wire_type(self) -> WireType {
        match self {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::Fixed64,
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::Fixed32,
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => WireType::Varint,
            Kind::Sint32 | Kind::Sint64 | Kind::Bool | Kind::Enum(_) => WireType::Varint,
            Kind::String | Kind::Bytes | Kind::Message(_) => WireType::Bytes,
            Kind::Timestamp | Kind::Struct | Kind::Value | Kind::ListValue => WireType::Bytes,
        }
    }

    /// Whether a path or query parameter can hold it.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Kind::Message(_) | Kind::Struct | Kind::Value | Kind::ListValue)
    }
}

impl Enum {
    fn compile(enumeration: &EnumDescriptor) -> Self {
        let mut compiled = Self {
            invalid_reason: None,
            unspecified: None,
            words: Vec::new(),
            by_name: HashMap::new(),
        };
        for (value, word) in words(enumeration) {
            let name = value.name();
            if word == UNSPECIFIED {
                compiled.unspecified = Some(value.number());
            } else {
                compiled.by_name.insert(word.as_str().into(), value.number());
                compiled
                    .by_name
                    .insert(name.to_ascii_lowercase().into(), value.number());
            }
            compiled.words.push((value.number(), word.into()));
        }
        compiled.invalid_reason = invalid_reason(enumeration);
        compiled
    }

    /// The number for a word or full name, in any case.
    pub(super) fn number(&self, word: &str) -> Option<i32> {
        match self.by_name.get(word) {
            Some(&number) => Some(number),
            None => self.by_name.get(word.to_ascii_lowercase().as_str()).copied(),
        }
    }

    /// The word for a number.
    pub(super) fn word(&self, number: i32) -> Option<&str> {
        self.words
            .iter()
            .find(|(value, _)| *value == number)
            .map(|(_, word)| word.as_ref())
    }

    /// The words that may be sent.
    pub(super) fn valid_words(&self) -> impl Iterator<Item = &str> {
        self.words
            .iter()
            .filter(|(number, _)| Some(*number) != self.unspecified)
            .map(|(_, word)| word.as_ref())
    }
}

/// The values of an enum with their words in JSON, of which [`UNSPECIFIED`] is no value going in.
pub(crate) fn words(enumeration: &EnumDescriptor) -> Vec<(EnumValueDescriptor, String)> {
    let prefix = format!("{}_", upper_snake(enumeration.name()));
    let word = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_ascii_lowercase();
    let values = enumeration.values();
    values.map(|value| (value.clone(), word(value.name()))).collect()
}

/// Whether JSON leaves this list out when it is empty.
pub(crate) fn omit_empty(field: &FieldDescriptor) -> bool {
    let option = field.parent_pool().get_extension_by_name("memsync.v1.omit_empty");
    option.is_some_and(|option| field.options().get_extension(&option).as_bool() == Some(true))
}

/// The number of the field beside this time that takes its offset from UTC.
fn utc_offset(field: &FieldDescriptor) -> Option<u32> {
    let option = field
        .parent_pool()
        .get_extension_by_name("memsync.v1.utc_offset_field")?;
    let options = field.options();
    let name = options.get_extension(&option);
    let beside = field.parent_message().get_field_by_name(name.as_str()?)?;
    Some(beside.number())
}

/// The field beside this one that takes its value in JSON where that is a list.
pub(crate) fn list_form(field: &FieldDescriptor) -> Option<FieldDescriptor> {
    let option = field.parent_pool().get_extension_by_name("memsync.v1.list_form")?;
    let options = field.options();
    let name = options.get_extension(&option);
    field.parent_message().get_field_by_name(name.as_str()?)
}

/// The error reason for a word that is none of the enum's, where it has one of its own.
pub(crate) fn invalid_reason(enumeration: &EnumDescriptor) -> Option<Box<str>> {
    let pool: &DescriptorPool = enumeration.parent_pool();
    let extension = pool.get_extension_by_name("memsync.v1.invalid_reason")?;
    let options = enumeration.options();
    options
        .get_extension(&extension)
        .as_str()
        .filter(|reason| !reason.is_empty())
        .map(Into::into)
}

/// `MemoryType` → `MEMORY_TYPE`, `OAuthClient` → `O_AUTH_CLIENT`.
fn upper_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_lower = false;
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let next_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if index > 0 && c.is_ascii_uppercase() && (previous_lower || next_lower) {
            out.push('_');
        }
        previous_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_uppercase());
    }
    out
}
