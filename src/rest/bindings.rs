//! What `rules` reads from the descriptors, resolved at start-up.
//!
//! Turns every bound method into `Binding`s; `routes` arranges them for matching. What can't be served as declared is
//! a `RouteError`, so that it stops the start and not a request.

use http::{Method, StatusCode, Uri};
use prost_reflect::{DescriptorPool, MethodDescriptor};

use super::rules::{HttpRule, http_option, http_rules, success_status};
use super::schema::{Field, Kind, MessageId, Schema, Shape, UnsupportedType};

/// A declaration that REST can't serve. The service does not start with one.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The descriptors lack the options that routes are read from.
    #[error("the descriptors do not define the option `{0}`")]
    MissingOption(&'static str),
    /// A path template that can't be matched.
    #[error("{method}: the path `{template}` is not supported: {reason}")]
    Template {
        /// The RPC.
        method: String,
        /// Its path.
        template: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two bindings that match the same requests.
    #[error("{method}: `{verb} {template}` is taken by {other}")]
    Conflict {
        /// The RPC.
        method: String,
        /// The HTTP method.
        verb: Method,
        /// Its path.
        template: String,
        /// The RPC that has it already.
        other: String,
    },
    /// A binding that names a field that is not there or can't stand there.
    #[error("{method}: the field `{field}` of its HTTP rule {reason}")]
    Field {
        /// The RPC.
        method: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A binding without a verb, or an HTTP status that is none.
    #[error("{method}: {reason}")]
    Rule {
        /// The RPC.
        method: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A message that has no JSON form here.
    #[error(transparent)]
    Type(#[from] UnsupportedType),
    /// An allowed origin that no browser sends.
    #[error("the allowed origin `{0}` is not an origin")]
    Origin(String),
}

/// One verb and path of one RPC.
#[derive(Debug)]
pub(super) struct Binding {
    /// `/memsync.v1.MemoryService/StoreMemories`.
    pub(super) rpc: Uri,
    pub(super) verb: Method,
    pub(super) template: String,
    pub(super) input: MessageId,
    pub(super) output: MessageId,
    pub(super) body: BodyRule,
    /// The field that the answer consists of; the whole message where there is none.
    pub(super) answer: Option<usize>,
    /// For each `{field}` of the path, the indices that lead to it.
    pub(super) captures: Vec<Vec<usize>>,
    /// The fields of the request itself that the path gives.
    pub(super) bound: Vec<usize>,
    pub(super) streams_answer: bool,
    pub(super) success: StatusCode,
}

/// Where the body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyRule {
    /// Nowhere: it is not read.
    None,
    /// It is the request.
    Whole,
    /// It is this field of the request.
    Field(usize),
    /// Raw pieces of it are this bytes field of a stream of requests.
    Chunks(usize),
}

/// Every binding of every service.
pub(super) fn read(pool: &DescriptorPool) -> Result<(Schema, Vec<Binding>), RouteError> {
    http_option(pool)?;
    let mut schema = Schema::default();
    let mut bindings = Vec::new();
    for service in pool.services() {
        for method in service.methods() {
            for rule in http_rules(&method)? {
                bindings.push(bind(&mut schema, &method, rule)?);
            }
        }
    }
    Ok((schema, bindings))
}

fn bind(schema: &mut Schema, method: &MethodDescriptor, rule: HttpRule) -> Result<Binding, RouteError> {
    let name = method.full_name();
    let HttpRule {
        verb,
        path: template,
        body,
        response_body,
    } = rule;
    let input = schema.add_message(&method.input())?;
    let output = schema.add_message(&method.output())?;
    let captures: Vec<Vec<usize>> = captured_fields(name, &template)?
        .iter()
        .map(|path| resolve(schema, input, name, path))
        .collect::<Result<_, _>>()?;
    let bound = captures
        .iter()
        .filter_map(|path| if let [index] = path[..] { Some(index) } else { None })
        .collect();
    let answer = match response_body.as_str() {
        "" => None,
        field => Some(own_field(schema, output, name, field)?.0),
    };
    let rpc = format!("/{}/{}", method.parent_service().full_name(), method.name());
    Ok(Binding {
        rpc: rpc.parse().map_err(|_| rule_error(name, "its name is no path"))?,
        verb,
        body: body_rule(schema, input, method, &body)?,
        answer,
        template,
        input,
        output,
        captures,
        bound,
        streams_answer: method.is_server_streaming(),
        success: success_status(method)?,
    })
}

fn body_rule(schema: &Schema, input: MessageId, method: &MethodDescriptor, body: &str) -> Result<BodyRule, RouteError> {
    let name = method.full_name();
    if method.is_client_streaming() {
        if method.is_server_streaming() {
            return Err(rule_error(name, "REST can't stream both ways"));
        }
        let (index, field) = own_field(schema, input, name, body)?;
        if field.kind != Kind::Bytes || field.shape == Shape::Repeated {
            return Err(field_error(name, body, "must be of type bytes to take a stream"));
        }
        return Ok(BodyRule::Chunks(index));
    }
    match body {
        "" => Ok(BodyRule::None),
        "*" => Ok(BodyRule::Whole),
        field => Ok(BodyRule::Field(own_field(schema, input, name, field)?.0)),
    }
}

fn own_field<'s>(
    schema: &'s Schema,
    message: MessageId,
    method: &str,
    name: &str,
) -> Result<(usize, &'s Field), RouteError> {
    schema
        .message(message)
        .field(name)
        .ok_or_else(|| field_error(method, name, "does not exist"))
}

/// The indices that lead to a field of the path.
fn resolve(schema: &Schema, input: MessageId, method: &str, path: &str) -> Result<Vec<usize>, RouteError> {
    let mut indices = Vec::new();
    let mut message = input;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let (index, field) = own_field(schema, message, method, name)?;
        indices.push(index);
        let single = matches!(field.shape, Shape::Implicit | Shape::Optional);
        match field.kind {
            kind if names.peek().is_none() && kind.is_scalar() && single => return Ok(indices),
            Kind::Message(inner) if names.peek().is_some() && single => message = inner,
            _ => break,
        }
    }
    Err(field_error(method, path, "can't stand in a path"))
}

/// The names between braces. Everything else in a template must be plain text.
fn captured_fields(method: &str, template: &str) -> Result<Vec<String>, RouteError> {
    let fault = |reason| RouteError::Template {
        method: method.to_owned(),
        template: template.to_owned(),
        reason,
    };
    let path = template
        .strip_prefix('/')
        .ok_or_else(|| fault("it must start with a slash"))?;
    let mut names: Vec<String> = Vec::new();
    for segment in path.split('/') {
        if segment.is_empty() {
            return Err(fault("it has an empty segment"));
        }
        if let Some(capture) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let name = capture.strip_suffix("=*").unwrap_or(capture);
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
            {
                return Err(fault("a capture must be `{field}`"));
            }
            if names.iter().any(|other| other == name) {
                return Err(fault("it captures a field twice"));
            }
            names.push(name.to_owned());
        } else if segment
            .bytes()
            .any(|b| matches!(b, b'{' | b'}' | b'*' | b':' | b'%' | b'?'))
        {
            return Err(fault("a segment must be plain text or `{field}`"));
        }
    }
    Ok(names)
}

pub(super) fn rule_error(method: &str, reason: &'static str) -> RouteError {
    RouteError::Rule {
        method: method.to_owned(),
        reason,
    }
}

fn field_error(method: &str, field: &str, reason: &'static str) -> RouteError {
    RouteError::Field {
        method: method.to_owned(),
        field: field.to_owned(),
        reason,
    }
}
