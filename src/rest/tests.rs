//! What the tests of this room share: the real descriptors, and a message with a field of every kind.

use http::Method;
use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MessageOptions, OneofDescriptorProto,
};

use super::bindings::{self, Binding};
use super::routes::{Found, RouteTable};
use super::schema::{MessageId, Schema};

mod fake;
mod router;

pub(super) fn pool() -> DescriptorPool {
    let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/memsync.fds.bin"));
    DescriptorPool::decode(bytes).expect("the descriptors decode")
}

/// A message of the real descriptors.
pub(super) fn real(name: &str) -> (Schema, MessageId, MessageDescriptor) {
    let descriptor = pool().get_message_by_name(name).expect("it is declared");
    let mut schema = Schema::default();
    let id = schema.add_message(&descriptor).expect("it has a JSON form");
    (schema, id, descriptor)
}

/// The bindings of the real descriptors, by verb and path.
pub(super) fn with_binding<T>(verb: Method, path: &str, check: impl FnOnce(&Schema, &Binding, Vec<&str>) -> T) -> T {
    let (schema, bindings) = bindings::read(&pool()).expect("the rules can be served");
    let routes = RouteTable::new(bindings).expect("no conflicts");
    match routes.find(&verb, path) {
        Found::Route(binding, captures) => check(&schema, binding, captures),
        other => panic!("{verb} {path} leads to {other:?}"),
    }
}

/// `test.Everything`: scalars `double` … `bytes` with implicit presence, and lists, maps, nesting, free JSON.
pub(super) fn everything() -> (Schema, MessageId, MessageDescriptor) {
    let mut pool = pool();
    pool.add_file_descriptor_proto(everything_file()).expect("a valid file");
    let descriptor = pool.get_message_by_name("test.Everything").expect("it is declared");
    let mut schema = Schema::default();
    let id = schema.add_message(&descriptor).expect("it has a JSON form");
    (schema, id, descriptor)
}

const SCALARS: [(&str, Type); 15] = [
    ("double", Type::Double),
    ("float", Type::Float),
    ("int32", Type::Int32),
    ("int64", Type::Int64),
    ("uint32", Type::Uint32),
    ("uint64", Type::Uint64),
    ("sint32", Type::Sint32),
    ("sint64", Type::Sint64),
    ("fixed32", Type::Fixed32),
    ("fixed64", Type::Fixed64),
    ("sfixed32", Type::Sfixed32),
    ("sfixed64", Type::Sfixed64),
    ("bool", Type::Bool),
    ("string", Type::String),
    ("bytes", Type::Bytes),
];

fn everything_file() -> FileDescriptorProto {
    let mut fields: Vec<FieldDescriptorProto> = (1..)
        .zip(SCALARS)
        .map(|(number, (name, kind))| field(name, number, kind, Label::Optional, None))
        .collect();
    fields.push(field("mood", 20, Type::Enum, Label::Optional, Some(".test.Mood")));
    fields.push(FieldDescriptorProto {
        proto3_optional: Some(true),
        oneof_index: Some(0),
        ..field("maybe_word", 21, Type::String, Label::Optional, None)
    });
    fields.push(field("whole_list", 22, Type::Int32, Label::Repeated, None));
    fields.push(field("words", 23, Type::String, Label::Repeated, None));
    fields.push(field(
        "inner",
        24,
        Type::Message,
        Label::Optional,
        Some(".test.Everything"),
    ));
    fields.push(field(
        "children",
        25,
        Type::Message,
        Label::Repeated,
        Some(".test.Everything"),
    ));
    fields.push(field(
        "counts",
        26,
        Type::Message,
        Label::Repeated,
        Some(".test.Everything.CountsEntry"),
    ));
    fields.push(field(
        "by_number",
        27,
        Type::Message,
        Label::Repeated,
        Some(".test.Everything.ByNumberEntry"),
    ));
    fields.push(field(
        "free",
        28,
        Type::Message,
        Label::Optional,
        Some(".google.protobuf.Struct"),
    ));
    fields.push(field(
        "any_value",
        29,
        Type::Message,
        Label::Optional,
        Some(".google.protobuf.Value"),
    ));
    fields.push(field(
        "any_list",
        30,
        Type::Message,
        Label::Optional,
        Some(".google.protobuf.ListValue"),
    ));
    fields.push(field(
        "at",
        31,
        Type::Message,
        Label::Optional,
        Some(".google.protobuf.Timestamp"),
    ));
    // Declared last with a low number: JSON follows the declaration, the wire the number.
    fields.push(field("last", 19, Type::Bool, Label::Optional, None));
    let counts = entry("CountsEntry", Type::String, Type::Int64, None);
    let by_number = entry("ByNumberEntry", Type::Int32, Type::Message, Some(".test.Everything"));
    let message = DescriptorProto {
        name: Some("Everything".into()),
        field: fields,
        nested_type: vec![counts, by_number],
        oneof_decl: vec![OneofDescriptorProto {
            name: Some("_maybe_word".into()),
            options: None,
        }],
        ..Default::default()
    };
    let mood = |name: &str, number| EnumValueDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        options: None,
    };
    FileDescriptorProto {
        name: Some("test/everything.proto".into()),
        package: Some("test".into()),
        dependency: vec![
            "google/protobuf/struct.proto".into(),
            "google/protobuf/timestamp.proto".into(),
        ],
        message_type: vec![message],
        enum_type: vec![EnumDescriptorProto {
            name: Some("Mood".into()),
            value: vec![
                mood("MOOD_UNSPECIFIED", 0),
                mood("MOOD_GOOD", 1),
                mood("MOOD_SO_SO", -2),
            ],
            ..Default::default()
        }],
        syntax: Some("proto3".into()),
        ..Default::default()
    }
}

fn field(name: &str, number: i32, kind: Type, label: Label, type_name: Option<&str>) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(kind.into()),
        type_name: type_name.map(Into::into),
        ..Default::default()
    }
}

fn entry(name: &str, key: Type, value: Type, type_name: Option<&str>) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.into()),
        field: vec![
            field("key", 1, key, Label::Optional, None),
            field("value", 2, value, Label::Optional, type_name),
        ],
        options: Some(MessageOptions {
            map_entry: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    }
}
