//! RPCs as operations, by the HTTP rules beside them.

use http::StatusCode;
use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::comments::{Comments, summary};
use super::errors::{Responses, reasons};
use super::headers;
use super::links;
use super::options::Documentation;
use super::schemas::{Direction, Schemas, is_required};
use super::{Examples, OpenApiError, UNPREFIXED, parameters, tag};
use crate::grpc::{Access, declared_access};
use crate::model::ScopeSet;
use crate::rest::{HttpRule, NDJSON, http_rules, success_status};

/// The paths of the document, as they grow.
#[derive(Debug)]
pub(super) struct Operations<'a> {
    pub(super) comments: &'a Comments,
    pub(super) examples: &'a Examples,
    pub(super) schemas: Schemas<'a>,
    pub(super) responses: Responses,
    pub(super) paths: Map<String, Value>,
}

impl Operations<'_> {
    /// Adds every route of an RPC.
    pub(super) fn add(&mut self, method: &MethodDescriptor) -> Result<(), OpenApiError> {
        for (index, rule) in http_rules(method)?.iter().enumerate() {
            let operation = self.operation(method, rule, index)?;
            let path = rule.path.replace("=*}", "}");
            let item = self.paths.entry(path).or_insert_with(|| json!({}));
            item[rule.verb.as_str().to_ascii_lowercase()] = operation;
        }
        Ok(())
    }

    /// `index` counts the rules of the RPC: those after the first are twins.
    fn operation(&mut self, method: &MethodDescriptor, rule: &HttpRule, index: usize) -> Result<Value, OpenApiError> {
        let undeclared = || OpenApiError::Undeclared(method.full_name().to_owned());
        let access = declared_access(method).ok_or_else(undeclared)?;
        let comment = self.comments.of(&method.parent_file(), method.path());
        let tag = match rule.path.starts_with("/v1/") {
            true => tag(method.parent_service()),
            false => UNPREFIXED.to_owned(),
        };
        let mut operation = json!({
            "operationId": operation_id(method, rule, index),
            "tags": [tag],
            "summary": summary(comment),
            "security": security(access),
            "parameters": parameters::of(method, rule, &mut self.schemas)?,
        });
        if comment.trim_end_matches('.') != summary(comment) {
            operation["description"] = json!(comment);
        }
        if parameters::has_body(rule) {
            operation["requestBody"] = self.body(method, rule)?;
        }
        let mut responses = self.success(method, rule, access)?;
        responses.extend(self.responses.of(&reasons(method, rule, access)));
        operation["responses"] = responses.into();
        Ok(operation)
    }

    fn body(&mut self, method: &MethodDescriptor, rule: &HttpRule) -> Result<Value, OpenApiError> {
        let input = method.input();
        let field = input.get_field_by_name(&rule.body);
        if method.is_client_streaming() {
            let description = field.map(|field| self.comments.of(&field.parent_file(), field.path()).to_owned());
            let schema = json!({"type": "string", "format": "binary", "description": description.unwrap_or_default()});
            return Ok(json!({"required": true, "content": {NDJSON: {"schema": schema}}}));
        }
        let captured = parameters::captured(&rule.path);
        let is_needed = |field: FieldDescriptor| {
            let is_captured = captured.iter().any(|name| name == field.name());
            !is_captured && is_required(&field, Direction::Request)
        };
        let needs_fields = input.fields().any(is_needed);
        let schema = match field {
            Some(field) => self.schemas.field(&field, Direction::Request)?,
            None => self.schemas.message(&input, Direction::Request, &captured)?,
        };
        let mut content = json!({ "schema": schema });
        if let Some(example) = self.examples.request(method.name()) {
            content["example"] = example.clone();
        }
        Ok(json!({"required": needs_fields, "content": {"application/json": content}}))
    }

    fn success(
        &mut self,
        method: &MethodDescriptor,
        rule: &HttpRule,
        access: Access,
    ) -> Result<Map<String, Value>, OpenApiError> {
        let output = method.output();
        let answer = match output.get_field_by_name(&rule.response_body) {
            Some(field) => match field.kind() {
                Kind::Message(message) if !field.is_list() => message,
                _ => return Err(OpenApiError::Type(field.full_name().to_owned())),
            },
            None => output,
        };
        let schema = self.schemas.message(&answer, Direction::Answer, &[])?;
        let description = self.comments.of(&answer.parent_file(), answer.path());
        let mut content = Map::new();
        if method.is_server_streaming() {
            let lines = json!({"type": "string", "description": format!("One `{}` a line.", answer.name())});
            content.insert(NDJSON.to_owned(), json!({ "schema": lines }));
        } else {
            let mut json = json!({ "schema": schema });
            if let Some(example) = self.examples.answer(method.name()) {
                json["example"] = example.clone();
            }
            content.insert("application/json".to_owned(), json);
        }
        let status = success_status(method)?;
        let headers = headers::of_answer(status, access != Access::Public, Documentation::of(method).gives_etag);
        let response = json!({"description": description, "headers": headers, "content": content});
        let mut responses = Map::new();
        let later = method.input().get_field_by_name("async");
        if later.is_some_and(|field| field.kind() == Kind::Bool) {
            let mut accepted = response.clone();
            accepted["description"] = json!("With `async`: accepted, and done later. The answer has `task_id`.");
            if let Some(example) = self.examples.accepted(method.name()) {
                accepted["content"]["application/json"]["example"] = example.clone();
            }
            responses.insert(StatusCode::ACCEPTED.as_str().to_owned(), accepted);
        }
        responses.insert(status.as_str().to_owned(), response);
        for (status, response) in &mut responses {
            let links = links::of(method.name(), status);
            if !links.is_empty() {
                response["links"] = links.into();
            }
        }
        Ok(responses)
    }
}

/// `store_memories`; `store_memories_unprefixed` for its twin without `/v1`.
fn operation_id(method: &MethodDescriptor, rule: &HttpRule, index: usize) -> String {
    let id = snake_case(method.name());
    match index {
        0 => id,
        1 if !rule.path.starts_with("/v1/") => id + "_unprefixed",
        _ => format!("{id}_{}", index + 1),
    }
}

/// `StoreMemories` is `store_memories`, `CreateOAuthClient` is `create_oauth_client`.
pub(super) fn snake_case(rpc: &str) -> String {
    let mut snake = String::new();
    for c in rpc.replace("OAuth", "Oauth").chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn security(access: Access) -> Value {
    let bearer = json!({"Bearer": []});
    match access {
        Access::Public => json!([]),
        Access::Authenticated => json!([{"ApiKey": []}, bearer, {"OAuth2": []}]),
        Access::SignedIn => json!([bearer]),
        Access::Scope(scope) => {
            let mut ways = vec![json!({"ApiKey": []}), bearer];
            // Programs are never granted scopes of keys.
            if ScopeSet::for_programs().contains(scope) {
                ways.push(json!({"OAuth2": [scope.as_str()]}));
            }
            json!(ways)
        }
    }
}
