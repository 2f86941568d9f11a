//! `google.api.http` and the options of `memsync/v1/options.proto`, as they are declared.
//!
//! `bindings` resolves the rules for serving, the room `openapi` tells of them.

use http::{Method, StatusCode};
use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor};

use super::bindings::{RouteError, rule_error};

/// One verb and path of one RPC.
#[derive(Debug, Clone)]
pub(crate) struct HttpRule {
    pub(crate) verb: Method,
    /// The path template.
    pub(crate) path: String,
    /// The field that the body is; `*` for the whole request, empty for none.
    pub(crate) body: String,
    /// The field that the answer consists of; empty for the whole message.
    pub(crate) response_body: String,
}

/// The rules of an RPC, the main one first; none for one that REST does not serve.
pub(crate) fn http_rules(method: &MethodDescriptor) -> Result<Vec<HttpRule>, RouteError> {
    let http = http_option(method.parent_pool())?;
    let options = method.options();
    if !options.has_extension(&http) {
        return Ok(Vec::new());
    }
    let rule = options.get_extension(&http);
    let Some(rule) = rule.as_message() else {
        return Ok(Vec::new());
    };
    let additional = messages(rule, "additional_bindings");
    let all = std::iter::once(rule).chain(&additional);
    all.map(|rule| http_rule(method.full_name(), rule)).collect()
}

/// The option that rules are declared by.
pub(super) fn http_option(pool: &DescriptorPool) -> Result<ExtensionDescriptor, RouteError> {
    let name = "google.api.http";
    pool.get_extension_by_name(name).ok_or(RouteError::MissingOption(name))
}

fn http_rule(method: &str, rule: &DynamicMessage) -> Result<HttpRule, RouteError> {
    let (verb, path) = pattern(method, rule)?;
    Ok(HttpRule {
        verb,
        path,
        body: text(rule, "body"),
        response_body: text(rule, "response_body"),
    })
}

fn pattern(method: &str, rule: &DynamicMessage) -> Result<(Method, String), RouteError> {
    let verbs = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    for (field, verb) in verbs {
        if rule.has_field_by_name(field) {
            return Ok((verb, text(rule, field)));
        }
    }
    let custom = rule
        .get_field_by_name("custom")
        .filter(|_| rule.has_field_by_name("custom"));
    let custom = custom.as_deref().and_then(|custom| custom.as_message());
    let custom = custom.ok_or_else(|| rule_error(method, "its HTTP rule has no path"))?;
    let verb = Method::from_bytes(text(custom, "kind").as_bytes());
    Ok((
        verb.map_err(|_| rule_error(method, "its HTTP rule has no valid verb"))?,
        text(custom, "path"),
    ))
}

/// The HTTP status of a success.
pub(crate) fn success_status(method: &MethodDescriptor) -> Result<StatusCode, RouteError> {
    let Some(extension) = method.parent_pool().get_extension_by_name("memsync.v1.success_status") else {
        return Ok(StatusCode::OK);
    };
    let options = method.options();
    match options.get_extension(&extension).as_i32() {
        None | Some(0) => Ok(StatusCode::OK),
        Some(code) => {
            let status = u16::try_from(code)
                .ok()
                .and_then(|code| StatusCode::from_u16(code).ok());
            let status = status.filter(StatusCode::is_success);
            status.ok_or_else(|| rule_error(method.full_name(), "its success_status is no status of success"))
        }
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value
        .as_deref()
        .and_then(|value| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(|value| value.as_list()).unwrap_or_default();
    list.iter().filter_map(|item| item.as_message().cloned()).collect()
}
