//! JSON in: what is taken, what is refused, and the bytes that come of it.

use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::*;
use crate::rest::decoder::MAX_VIOLATIONS;
use crate::rest::encode;
use crate::rest::schema::Schema;
use crate::rest::tests::{everything, real};

type Decoded = Result<DynamicMessage, Vec<(String, String)>>;

fn decode((schema, id, descriptor): &(Schema, MessageId, MessageDescriptor), json: &[u8]) -> Decoded {
    let mut decoder = Decoder::new(schema, Vec::new());
    decoder.body(*id, &[], json);
    let bytes = decoder.finish().map_err(|violations| {
        violations
            .into_iter()
            .map(|violation| (violation.field, violation.reason.into_owned()))
            .collect::<Vec<_>>()
    })?;
    Ok(DynamicMessage::decode(descriptor.clone(), &bytes[..]).expect("protobuf bytes"))
}

fn round_trip(json: &str) -> serde_json::Value {
    let (schema, id, _) = everything();
    let mut decoder = Decoder::new(&schema, Vec::new());
    decoder.body(id, &[], json.as_bytes());
    let bytes = decoder.finish().expect("valid");
    let mut out = Vec::new();
    encode::answer(&schema, id, None, &bytes, &mut out).expect("encodes");
    serde_json::from_slice(&out).expect("JSON")
}

fn fields(result: Decoded) -> Vec<String> {
    result
        .expect_err("refused")
        .into_iter()
        .map(|(field, _)| field)
        .collect()
}

#[test]
fn every_kind_of_value_survives_both_ways() {
    let json = r#"{"double":-1.5,"float":0.1,"int32":-7,"int64":"-9007199254740993","uint32":4294967295,
        "uint64":18446744073709551615,"sint32":-2147483648,"sint64":-9223372036854775808,"fixed32":9,
        "fixed64":"10","sfixed32":-11,"sfixed64":-12,"bool":true,"string":"a\"é\u0000😀","bytes":"_-8",
        "mood":"so_so","maybe_word":"","whole_list":[1,-2,3e2],"words":["","x"],"inner":{"int32":1},
        "children":[{"string":"c"},{}],"counts":{"a":1,"b":2},"by_number":{"-3":{"bool":true}},
        "free":{"a":[1,2.5,null,"x",{"b":false}],"z":null,"big":1e300},"any_value":[null],"any_list":[1,[2]],
        "at":"2026-01-15T18:30:00.120+02:00","last":true}"#;
    let back = round_trip(json);
    let mut expected: serde_json::Value = serde_json::from_str(json).expect("JSON");
    for (field, value) in [
        ("int64", serde_json::json!(-9007199254740993i64)),
        ("fixed64", 10.into()),
        ("bytes", "/+8=".into()),
        ("whole_list", serde_json::json!([1, -2, 300])),
        ("at", "2026-01-15T16:30:00.120Z".into()),
    ] {
        expected[field] = value;
    }
    for (field, value) in expected.as_object().expect("an object") {
        match field.as_str() {
            "inner" => assert_eq!(back["inner"]["int32"], 1),
            "children" => assert_eq!(back["children"][0]["string"], "c"),
            "by_number" => assert_eq!(back["by_number"]["-3"]["bool"], true),
            _ => assert_eq!(&back[field], value, "{field}"),
        }
    }
    assert_eq!(back["children"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_bytes_are_what_protobuf_reads() {
    let store = real("memsync.v1.StoreMemoriesRequest");
    let text = "x".repeat(40_000);
    let json = format!(
        r#"{{"messages":[{{"role":"USER","content":"{text}","timestamp":"2026-01-15T16:30:00Z"}},
            {{"role":"ROLE_ASSISTANT","content":"hi","id":null}}],"agentId":"a","thread_id":"t","source":"s",
            "unknown":{{"deep":[{{}}]}},"metadata":{{"k":null}}}}"#
    );
    let message = decode(&store, json.as_bytes()).expect("valid");
    let messages = message.get_field_by_name("messages").expect("declared").into_owned();
    let messages = messages.as_list().expect("a list");
    let first = messages[0].as_message().expect("a message");
    assert_eq!(
        first.get_field_by_name("content").expect("declared").as_str(),
        Some(text.as_str())
    );
    let second = messages[1].as_message().expect("a message");
    assert_eq!(
        second.get_field_by_name("role").expect("declared").as_enum_number(),
        Some(2)
    );
    assert!(!second.has_field_by_name("id"));
    assert!(message.has_field_by_name("metadata"));
    assert_eq!(
        message.get_field_by_name("agent_id").expect("declared").as_str(),
        Some("a")
    );
}

#[test]
fn all_violations_are_named_with_their_paths() {
    let store = real("memsync.v1.StoreMemoriesRequest");
    let json = br#"{"messages":[{"role":"user","content":1},5,{"role":"boss","timestamp":"yesterday"},null],
        "agent_id":[],"thread_id":{"a":1},"metadata":"x","async":"true"}"#;
    assert_eq!(
        decode(&store, json).expect_err("refused"),
        [
            ("messages[0].content", "must be a string"),
            ("messages[1]", "must be an object"),
            (
                "messages[2].role",
                "must be one of: user, assistant, system, developer, tool, function"
            ),
            (
                "messages[2].timestamp",
                "must be an RFC 3339 time between the years 1 and 9999, such as \"2026-01-15T16:30:00Z\", or the seconds or \
                 milliseconds since 1970"
            ),
            ("messages[3]", "must be an object"),
            ("agent_id", "must be a string"),
            ("thread_id", "must be a string"),
            ("metadata", "must be an object"),
            ("async", "must be true or false"),
        ]
        .map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
}

#[test]
fn numbers_out_of_range_or_of_another_kind_are_refused() {
    let everything = everything();
    for (field, value) in [
        ("int32", "2147483648"),
        ("int32", "1.5"),
        ("int32", "\"1\""),
        ("int32", "1e300"),
        ("uint32", "-1"),
        ("uint64", "18446744073709551616"),
        ("int64", "\"x\""),
        ("int64", "9223372036854775808"),
        ("float", "1e39"),
        ("double", "\"NaN\""),
        ("bool", "1"),
        ("bytes", "\"*\""),
        ("mood", "1"),
        ("mood", "\"unspecified\""),
        ("at", "\"0000-01-01T00:00:00Z\""),
        ("whole_list", "1"),
        ("whole_list", "{}"),
        ("counts", "[]"),
    ] {
        let json = format!("{{\"{field}\":{value}}}");
        assert_eq!(fields(decode(&everything, json.as_bytes())), [field], "{json}");
    }
    assert_eq!(
        fields(decode(&everything, br#"{"by_number":{"x":{}},"counts":{"a":"b"}}"#)),
        ["by_number.x", "counts.a"]
    );
}

#[test]
fn malformed_json_names_the_body_and_the_position() {
    let everything = everything();
    for json in [
        &b"{"[..],
        b"[1,2",
        b"{\"a\":}",
        b"{} x",
        b"nul",
        b"{\"string\":\"\\ud800\"}",
        b"{\"double\":1e999}",
    ] {
        let violations = decode(&everything, json).expect_err("refused");
        assert_eq!(violations[0].0, "body");
        assert!(violations[0].1.contains("line 1 column"), "{violations:?}");
    }
    let not_utf8 = decode(&everything, b"{\"string\":\"\xff\"}").expect_err("refused");
    assert_eq!(
        not_utf8,
        [("body".to_owned(), "is not valid UTF-8 at byte 11".to_owned())]
    );
    for json in [&b"[]"[..], b"1", b"\"x\"", b"null"] {
        assert_eq!(fields(decode(&everything, json)), ["body"]);
    }
}

#[test]
fn an_empty_body_is_an_empty_object() {
    for json in [&b""[..], b" \r\n", b"\xef\xbb\xbf{}"] {
        assert!(decode(&everything(), json).is_ok());
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused_by_name_known_or_unknown() {
    let everything = everything();
    let nested = |field: &str, levels: usize| {
        format!("{{\"{field}\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).into_bytes()
    };
    assert!(decode(&everything, &nested("any_list", 23)).is_ok());
    for field in ["any_list", "any_value", "unknown"] {
        assert_eq!(fields(decode(&everything, &nested(field, 24))), [field]);
        assert_eq!(fields(decode(&everything, &nested(field, 100_000))), [field]);
    }
    let objects = format!("{}1{}", "{\"inner\":".repeat(25), "}".repeat(25));
    let path = fields(decode(&everything, objects.as_bytes()));
    assert_eq!(path, [vec!["inner"; 24].join(".")]);
}

#[test]
fn the_last_of_two_keys_wins() {
    let back = round_trip(
        r#"{"int32":1,"words":["a","b"],"string":"x","inner":{"int32":1,"bool":true},"words":["c"],"int32":2,
            "inner":{"string":"y"},"string":null,"free":{"a":1,"a":2}}"#,
    );
    assert_eq!(back["int32"], 2);
    assert_eq!(back["words"], serde_json::json!(["c"]));
    assert_eq!(back["inner"]["bool"], false);
    assert_eq!(back["inner"]["string"], "y");
    assert_eq!(back["string"], "");
}

#[test]
fn a_flood_of_faults_gives_a_short_answer() {
    let json = format!("{{\"whole_list\":[{}0]}}", "\"x\",".repeat(100_000));
    assert_eq!(fields(decode(&everything(), json.as_bytes())).len(), MAX_VIOLATIONS);
}

#[test]
fn a_word_that_is_no_category_lists_the_ten() {
    let (schema, id, _) = real("memsync.v1.SearchMemoriesRequest");
    let mut decoder = Decoder::new(&schema, Vec::new());
    decoder.body(id, &[], br#"{"categories":["Career","sports"]}"#);
    let violations = decoder.finish().expect_err("refused");
    let word = violations[0].invalid_word.as_ref().expect("with its own reason");
    assert_eq!((word.reason.as_str(), word.valid.len()), ("INVALID_CATEGORY", 10));
    assert_eq!(violations[0].field, "categories[1]");
}
