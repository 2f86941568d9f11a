//! Path and query parameters → the fields of a request.
//!
//! Adds to the message that `decode` began. The body's fields go before the query's, the path's before both. Also
//! finds credentials in URLs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;

use super::bindings::Binding;
use super::decoder::{Decoder, MAX_KEY_CHARS};
use super::error::FieldViolation;
use super::misnamed;
use super::scalar::{self, Refusal, Scalar};
use super::schema::{Field, Kind, MessageId, Shape};
use super::wire;

/// Parameters in which people put keys.
const KEY_PARAMETERS: [&str; 4] = ["api_key", "x-api-key", "key", "access_token"];
const SECRET_PREFIX: &str = "memsync_";
/// How every JWT begins.
const TOKEN_PREFIX: &str = "eyJ";

/// Writes the fields that the path gives. `captures` are the still encoded values, in order.
pub(super) fn path(decoder: &mut Decoder<'_>, binding: &Binding, captures: &[&str]) {
    for (indices, raw) in binding.captures.iter().zip(captures) {
        match percent_decode_str(raw).decode_utf8() {
            Ok(text) => put(decoder, binding.input, indices, &text),
            Err(_) => refuse(decoder, binding.input, indices, "is not valid UTF-8".into()),
        }
    }
}

/// Writes the fields that the query gives, except those whose top-level field is in `taken`.
pub(super) fn query(decoder: &mut Decoder<'_>, binding: &Binding, taken: &[usize], query: &str) {
    for (name, value) in pairs(query) {
        let Some(name) = decoded(name) else { continue };
        let Some(indices) = resolve(decoder, binding.input, &name) else {
            if let Some(refusal) = misnamed::refusal(decoder.schema.message(binding.input), &name) {
                decoder.violation(refusal.at(name.chars().take(MAX_KEY_CHARS).collect()));
            }
            continue;
        };
        if indices
            .first()
            .is_some_and(|first| taken.contains(first) || binding.bound.contains(first))
        {
            continue;
        }
        match decoded(value) {
            Some(text) => put(decoder, binding.input, &indices, &text),
            None => refuse(decoder, binding.input, &indices, "is not valid UTF-8".into()),
        }
    }
}

/// Refuses what the body of a request without one says of the person or of what is wanted: it would be passed over.
pub(super) fn stray_body(decoder: &mut Decoder<'_>, binding: &Binding, json: &[u8]) {
    // Null says nothing.
    let Ok(given) = serde_json::from_slice::<BTreeMap<String, Option<IgnoredAny>>>(json) else {
        return;
    };
    let message = decoder.schema.message(binding.input);
    for (name, _) in given.into_iter().filter(|(_, value)| value.is_some()) {
        let refusal = match message.field(&name) {
            Some((index, _)) if binding.bound.contains(&index) => None,
            Some(_) => Some("must be in the query: this request has no body".into()),
            None => misnamed::refusal(message, &name),
        };
        if let Some(refusal) = refusal {
            decoder.violation(refusal.at(name.chars().take(MAX_KEY_CHARS).collect()));
        }
    }
}

/// The parameter that carries an API key, where one does.
pub(super) fn key_parameter(query: &str) -> Option<&'static str> {
    pairs(query).find_map(|(name, value)| {
        let name = decoded(name)?;
        let parameter = KEY_PARAMETERS
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known))?;
        let value = percent_decode_str(value).decode_utf8_lossy();
        let value = value.trim_start();
        (value.starts_with(SECRET_PREFIX) || value.starts_with(TOKEN_PREFIX)).then_some(parameter)
    })
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Form decoding: `+` is a space. `None` where it is not UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode_str(text).decode_utf8().ok();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(|decoded| decoded.into_owned().into())
}

/// The indices that lead to the field that a parameter names; `None` for an unknown one.
fn resolve(decoder: &Decoder<'_>, input: MessageId, name: &str) -> Option<Vec<usize>> {
    let mut indices = Vec::new();
    let mut message = input;
    let mut names = name.split('.').peekable();
    while let Some(name) = names.next() {
        let (index, field) = decoder.schema.message(message).field(name)?;
        indices.push(index);
        match field.kind {
            Kind::Message(inner) if names.peek().is_some() && is_single(field) => message = inner,
            _ if names.peek().is_some() => return None,
            _ => {}
        }
    }
    Some(indices)
}

fn is_single(field: &Field) -> bool {
    matches!(field.shape, Shape::Implicit | Shape::Optional)
}

/// Writes the text to the field that the indices lead to, within the messages on the way.
fn put(decoder: &mut Decoder<'_>, message: MessageId, indices: &[usize], text: &str) {
    let schema = decoder.schema;
    let mut opened = Vec::new();
    let mut at = message;
    for &index in indices {
        let field = &schema.message(at).fields[index];
        if let (Kind::Message(inner), true) = (field.kind, opened.len() + 1 < indices.len()) {
            opened.push(wire::open(&mut decoder.out, field.number));
            at = inner;
            continue;
        }
        if let Err(refusal) = put_field(decoder, field, text) {
            refuse(decoder, message, indices, refusal);
        }
    }
    for start in opened.into_iter().rev() {
        wire::close(&mut decoder.out, start);
    }
}

fn put_field(decoder: &mut Decoder<'_>, field: &Field, text: &str) -> Result<(), Refusal> {
    if !field.kind.is_scalar() || matches!(field.shape, Shape::Map(_)) {
        return Err("can't be given in the URL".into());
    }
    let mut one = |text| {
        scalar::put(
            &mut decoder.out,
            decoder.schema,
            field.number,
            field.kind,
            from_text(field.kind, text),
        )
    };
    if field.shape == Shape::Repeated {
        return text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .try_for_each(one);
    }
    one(text)
}

/// Text as the scalar that the kind asks for; as text where it is none, so that it is refused by its kind.
fn from_text(kind: Kind, text: &str) -> Scalar<'_> {
    match kind {
        Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Timestamp => Scalar::Text(text),
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Scalar::Bool(true),
            "false" | "0" => Scalar::Bool(false),
            _ => Scalar::Text(text),
        },
        _ => {
            let whole = text
                .parse()
                .map(Scalar::Int)
                .or_else(|_| text.parse().map(Scalar::Uint));
            whole
                .or_else(|_| text.parse().map(Scalar::Float))
                .unwrap_or(Scalar::Text(text))
        }
    }
}

fn refuse(decoder: &mut Decoder<'_>, message: MessageId, indices: &[usize], refusal: Refusal) {
    let mut at = message;
    let mut names: Vec<&str> = Vec::new();
    for &index in indices {
        let field = &decoder.schema.message(at).fields[index];
        names.push(&field.name);
        if let Kind::Message(inner) = field.kind {
            at = inner;
        }
    }
    let violation: FieldViolation = refusal.at(names.join("."));
    decoder.violation(violation);
}

#[cfg(test)]
mod tests {
    use http::Method;
    use prost_reflect::DynamicMessage;

    use super::*;
    use crate::rest::encode;
    use crate::rest::tests::{pool, with_binding};

    fn listed(raw_query: &str) -> Result<serde_json::Value, Vec<String>> {
        with_binding(Method::GET, "/v1/memories", |schema, binding, _| {
            let mut decoder = Decoder::new(schema, Vec::new());
            query(&mut decoder, binding, &[], raw_query);
            let faults =
                |list: Vec<FieldViolation>| list.into_iter().map(|violation| violation.field).collect::<Vec<_>>();
            let bytes = decoder.finish().map_err(faults)?;
            let mut json = Vec::new();
            encode::answer(schema, binding.input, None, &bytes, &mut json).expect("encodes");
            Ok(serde_json::from_slice(&json).expect("JSON"))
        })
    }

    #[test]
    fn query_parameters_are_typed_and_unknown_ones_ignored() {
        let request = listed("page=2&pageSize=5&category=CAREER&sort=created_at&agent_id=a+b%26c&utm=x&page=3&&x");
        assert_eq!(
            request.expect("valid"),
            serde_json::json!({"page": 3, "page_size": 5, "category": "career", "agent_id": "a b&c", "sort": "created_at"})
        );
    }

    #[test]
    fn every_bad_parameter_is_named() {
        let faults = listed("page=x&page_size=99999999999&category=sports&order=up&agent_id=%ff").expect_err("refused");
        assert_eq!(faults, ["page", "page_size", "category", "order", "agent_id"]);
    }

    #[test]
    fn the_path_wins_over_the_body_and_the_body_over_the_query() {
        with_binding(
            Method::PATCH,
            "/v1/memories/mem%20%C3%A9",
            |schema, binding, captures| {
                let mut decoder = Decoder::new(schema, Vec::new());
                let body = br#"{"memory_id":7,"content":"body","categories":["travel"]}"#;
                let taken = decoder.body(binding.input, &binding.bound, body);
                query(
                    &mut decoder,
                    binding,
                    &taken,
                    "content=query&memory_id=query&categories=career&include_embeddings=True&importance=0.5",
                );
                path(&mut decoder, binding, &captures);
                let bytes = decoder.finish().expect("valid");
                let descriptor = pool()
                    .get_message_by_name("memsync.v1.UpdateMemoryRequest")
                    .expect("declared");
                let message = DynamicMessage::decode(descriptor, &bytes[..]).expect("protobuf bytes");
                let text = |field: &str| {
                    message
                        .get_field_by_name(field)
                        .and_then(|value| value.as_str().map(str::to_owned))
                        .unwrap_or_default()
                };
                assert_eq!(
                    (text("memory_id").as_str(), text("content").as_str()),
                    ("mem é", "body")
                );
                assert_eq!(
                    message
                        .get_field_by_name("include_embeddings")
                        .and_then(|value| value.as_bool()),
                    Some(true)
                );
                assert_eq!(
                    message.get_field_by_name("importance").and_then(|value| value.as_f64()),
                    Some(0.5)
                );
                let categories = message.get_field_by_name("categories").expect("declared");
                assert_eq!(categories.as_list().map(<[_]>::len), Some(1));
            },
        );
    }

    #[test]
    fn lists_come_repeated_or_with_commas() {
        with_binding(Method::POST, "/v1/memories/search", |schema, binding, _| {
            let mut decoder = Decoder::new(schema, Vec::new());
            query(
                &mut decoder,
                binding,
                &[],
                "categories=career,%20travel,&categories=health&created_after=2026-01-01T00:00:00%2B01:00&query=q",
            );
            let bytes = decoder.finish().expect("valid");
            let mut json = Vec::new();
            encode::answer(schema, binding.input, None, &bytes, &mut json).expect("encodes");
            let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(json["categories"], serde_json::json!(["career", "travel", "health"]));
            assert_eq!(json["created_after"], "2025-12-31T23:00:00Z");
        });
    }

    #[test]
    fn objects_do_not_fit_in_a_query() {
        with_binding(Method::POST, "/v1/memories/search", |schema, binding, _| {
            let mut decoder = Decoder::new(schema, Vec::new());
            query(&mut decoder, binding, &[], "metadata=x&metadata.a=b");
            let faults = decoder.finish().expect_err("refused");
            assert_eq!(
                faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(),
                ["metadata", "metadata.a"]
            );
        });
    }

    #[test]
    fn a_key_in_the_url_is_found() {
        assert_eq!(key_parameter("a=b&API_KEY=memsync_sk_live_x"), Some("api_key"));
        assert_eq!(key_parameter("%6bey=memsync%5Fsk_live_x"), Some("key"));
        assert_eq!(
            key_parameter("access_token=eyJhbGciOiJIUzI1NiJ9.e30.x"),
            Some("access_token")
        );
        assert_eq!(key_parameter("key=other&query=memsync_sk_live_x"), None);
    }
}
