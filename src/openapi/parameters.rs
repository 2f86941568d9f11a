//! Path, query and header parameters.

use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor};
use serde_json::{Value, json};

use super::OpenApiError;
use super::headers;
use super::schemas::{Direction, Schemas, in_order, is_required};
use crate::rest::HttpRule;

/// Fields that clients also give in the query beside a body that could hold them.
const BESIDE_THE_BODY: [(&str, &str); 1] = [("UpdateMemory", "include_embeddings")];

/// The fields that the path holds.
pub(super) fn captured(path: &str) -> Vec<String> {
    let segments = path.split('/');
    let captures = segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    captures
        .map(|name| name.strip_suffix("=*").unwrap_or(name).to_owned())
        .collect()
}

/// Every parameter of the operation.
pub(super) fn of(
    method: &MethodDescriptor,
    rule: &HttpRule,
    schemas: &mut Schemas<'_>,
) -> Result<Vec<Value>, OpenApiError> {
    let captured = captured(&rule.path);
    let mut parameters = Vec::new();
    for field in in_order(&method.input()) {
        let name = field.name();
        let place = if captured.iter().any(|other| other == name) {
            "path"
        } else if in_query(method, rule, &field) {
            "query"
        } else {
            continue;
        };
        let mut schema = schemas.field(&field, Direction::Request)?;
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let required = place == "path" || is_required(&field, Direction::Request);
        let mut parameter = json!({"name": name, "in": place, "required": required, "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        if field.is_list() {
            parameter["style"] = json!("form");
            parameter["explode"] = json!(false);
        }
        parameters.push(parameter);
    }
    parameters.extend(headers::of_request(method, &captured));
    Ok(parameters)
}

fn in_query(method: &MethodDescriptor, rule: &HttpRule, field: &FieldDescriptor) -> bool {
    let is_text = !field.is_map()
        && match field.kind() {
            Kind::Message(message) => message.full_name() == "google.protobuf.Timestamp",
            _ => true,
        };
    match rule.body.as_str() {
        "*" => BESIDE_THE_BODY.contains(&(method.name(), field.name())),
        body => is_text && field.name() != body,
    }
}

/// Whether the operation reads a body.
pub(super) fn has_body(rule: &HttpRule) -> bool {
    !rule.body.is_empty() && rule.verb != Method::GET
}
