//! JSON out: presence, order, numbers and times.

use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::*;
use crate::rest::tests::{everything, real};

fn encoded(build: impl FnOnce(&mut DynamicMessage)) -> String {
    let (schema, id, descriptor) = everything();
    let mut message = DynamicMessage::new(descriptor);
    build(&mut message);
    let mut out = Vec::new();
    answer(&schema, id, None, &message.encode_to_vec(), &mut out).expect("encodes");
    String::from_utf8(out).expect("text")
}

fn time(seconds: i64, nanos: i32) -> String {
    let json = encoded(|message| {
        let field = message.descriptor().get_field_by_name("at").expect("declared");
        let mut at = DynamicMessage::new(field.kind().as_message().expect("a message").clone());
        at.set_field_by_name("seconds", Value::I64(seconds));
        at.set_field_by_name("nanos", Value::I32(nanos));
        message.set_field(&field, Value::Message(at));
    });
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    json["at"].as_str().expect("text").to_owned()
}

#[test]
fn what_has_no_presence_is_always_there_in_the_order_of_declaration() {
    assert_eq!(
        encoded(|_| {}),
        r#"{"double":0.0,"float":0.0,"int32":0,"int64":0,"uint32":0,"uint64":0,"sint32":0,"sint64":0,"fixed32":0,"#
            .to_owned()
            + r#""fixed64":0,"sfixed32":0,"sfixed64":0,"bool":false,"string":"","bytes":"","mood":"unspecified","#
            + r#""whole_list":[],"words":[],"children":[],"counts":{},"by_number":{},"last":false}"#
    );
}

#[test]
fn times_have_a_z_and_no_needless_digits() {
    assert_eq!(time(1_768_494_600, 0), "2026-01-15T16:30:00Z");
    assert_eq!(time(1_768_494_600, 120_000_000), "2026-01-15T16:30:00.120Z");
    assert_eq!(time(1_768_494_600, 120_450_000), "2026-01-15T16:30:00.120450Z");
    assert_eq!(time(-1, 0), "1969-12-31T23:59:59Z");
}

#[test]
fn numbers_are_short_exact_and_finite() {
    let json = encoded(|message| {
        message.set_field_by_name("double", Value::F64(f64::NAN));
        message.set_field_by_name("float", Value::F32(0.1));
        message.set_field_by_name("int64", Value::I64(i64::MIN));
        message.set_field_by_name("uint64", Value::U64(u64::MAX));
        message.set_field_by_name("mood", Value::EnumNumber(77));
    });
    for part in [
        r#""double":null"#,
        r#""float":0.1,"#,
        r#""int64":-9223372036854775808"#,
        r#""uint64":18446744073709551615"#,
        r#""mood":77"#,
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}

#[test]
fn a_response_body_is_the_field_alone() {
    let (schema, id, descriptor) = real("memsync.v1.GetMemoryResponse");
    let mut response = DynamicMessage::new(descriptor);
    let field = response.descriptor().get_field_by_name("memory").expect("declared");
    let mut memory = DynamicMessage::new(field.kind().as_message().expect("a message").clone());
    memory.set_field_by_name("id", Value::String("mem_1".into()));
    memory.set_field_by_name("type", Value::EnumNumber(2));
    memory.set_field_by_name(
        "categories",
        Value::List(vec![Value::EnumNumber(2), Value::EnumNumber(10)]),
    );
    response.set_field(&field, Value::Message(memory));
    let mut out = Vec::new();
    answer(&schema, id, Some(0), &response.encode_to_vec(), &mut out).expect("encodes");
    let out = String::from_utf8(out).expect("text");
    assert!(out.starts_with(r#"{"id":"mem_1","memory":"","type":"episodic","categories":["career","private"],"#));
    assert!(!out.contains("user_id") && !out.contains("created_at"), "{out}");
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    let (schema, id, _) = everything();
    for wire in [&b"\x0a"[..], b"\x72\x02\xff\xfe", b"\x70\x01"] {
        assert_eq!(
            answer(&schema, id, None, wire, &mut Vec::new()),
            Err(Malformed),
            "{wire:?}"
        );
    }
}

#[test]
fn fields_of_a_later_version_are_left_out() {
    let (schema, id, _) = everything();
    let mut out = Vec::new();
    answer(&schema, id, None, b"\xfa\x3f\x01x\x18\x05", &mut out).expect("encodes");
    assert!(String::from_utf8(out).expect("text").contains(r#""int32":5"#));
}
