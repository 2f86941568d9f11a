//! The table of routes: which binding takes a verb and path.
//!
//! A tree of path segments, in which plain text goes before `{field}`. `bindings` says what there is, `transcode` asks.

use std::collections::HashMap;

use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;

use super::bindings::{Binding, RouteError};
use super::planned::PLANNED;

/// Every route.
#[derive(Debug, Default)]
pub(super) struct RouteTable {
    root: Node,
    bindings: Vec<Binding>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    capture: Option<Box<Node>>,
    /// Each with its binding; none where it is not served yet.
    verbs: Vec<(Method, Option<usize>)>,
    /// That of its routes.
    template: Box<str>,
    allow: Option<HeaderValue>,
}

/// What a verb and path lead to.
#[derive(Debug)]
pub(super) enum Found<'t, 'p> {
    /// A route, and the still encoded values of its `{field}`s.
    Route(&'t Binding, Vec<&'p str>),
    /// A route that is not served yet: its template.
    Planned(&'t str),
    /// A path that has other verbs: its template, and these.
    OtherVerbs(&'t str, HeaderValue),
    /// No route.
    Nothing,
}

impl RouteTable {
    pub(super) fn new(bindings: Vec<Binding>) -> Result<Self, RouteError> {
        let mut table = Self {
            root: Node::default(),
            bindings,
        };
        for (index, binding) in table.bindings.iter().enumerate() {
            let node = table.root.at(&binding.template);
            let taken = node.verbs.iter().find(|(verb, _)| *verb == binding.verb);
            if let Some(other) = taken.and_then(|(_, other)| *other) {
                return Err(RouteError::Conflict {
                    method: binding.rpc.path().to_owned(),
                    verb: binding.verb.clone(),
                    template: binding.template.clone(),
                    other: table.bindings[other].rpc.path().to_owned(),
                });
            }
            node.add(&binding.template, binding.verb.clone(), Some(index));
        }
        for (verb, template) in PLANNED {
            let node = table.root.at(template);
            if node.verbs.iter().all(|(served, _)| *served != verb) {
                node.add(template, verb, None);
            }
        }
        Ok(table)
    }

    /// One slash at the end is tolerated; HEAD is taken as GET.
    pub(super) fn find<'p>(&self, verb: &Method, path: &'p str) -> Found<'_, 'p> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<&str> = path.split('/').collect();
        let mut captures = Vec::new();
        let Some(node) = self.root.find(&segments, &mut captures) else {
            return Found::Nothing;
        };
        let exact = node.verbs.iter().find(|(candidate, _)| candidate == verb);
        let as_get = || {
            node.verbs
                .iter()
                .find(|(candidate, _)| verb == Method::HEAD && candidate == Method::GET)
        };
        match (exact.or_else(as_get), &node.allow) {
            (Some((_, Some(index))), _) => Found::Route(&self.bindings[*index], captures),
            (Some((_, None)), _) => Found::Planned(&node.template),
            (None, Some(allow)) => Found::OtherVerbs(&node.template, allow.clone()),
            (None, None) => Found::Nothing,
        }
    }
}

impl Node {
    /// The node of a template, made where there is none.
    fn at(&mut self, template: &str) -> &mut Self {
        let segments = template.trim_start_matches('/').split('/');
        segments.fold(self, |node, segment| {
            if segment.starts_with('{') {
                node.capture.get_or_insert_default()
            } else {
                node.literals.entry(segment.into()).or_default()
            }
        })
    }

    fn add(&mut self, template: &str, verb: Method, binding: Option<usize>) {
        self.template = template.into();
        self.verbs.push((verb, binding));
        self.allow = Some(allow(self.verbs.iter().map(|(verb, _)| verb)));
    }

    fn find<'p>(&self, segments: &[&'p str], captures: &mut Vec<&'p str>) -> Option<&Node> {
        let Some((segment, rest)) = segments.split_first() else {
            return (!self.verbs.is_empty()).then_some(self);
        };
        let literal = percent_decode_str(segment).decode_utf8_lossy();
        if let Some(found) = self
            .literals
            .get(literal.as_ref())
            .and_then(|node| node.find(rest, captures))
        {
            return Some(found);
        }
        let capture = self.capture.as_ref().filter(|_| !segment.is_empty())?;
        captures.push(segment);
        let found = capture.find(rest, captures);
        if found.is_none() {
            captures.pop();
        }
        found
    }
}

/// The `Allow` header for these verbs.
pub(super) fn allow<'v>(verbs: impl Iterator<Item = &'v Method>) -> HeaderValue {
    let mut names = Vec::new();
    for verb in verbs {
        names.push(verb.as_str());
        if verb == Method::GET {
            names.push(Method::HEAD.as_str());
        }
    }
    names.push(Method::OPTIONS.as_str());
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use prost_reflect::DescriptorPool;
    use prost_types::FileDescriptorSet;

    use super::super::bindings::{self, BodyRule};
    use super::*;
    use crate::rest::tests::{pool, with_binding};

    fn table() -> RouteTable {
        let (_, bindings) = bindings::read(&pool()).expect("the rules can be served");
        RouteTable::new(bindings).expect("no conflicts")
    }

    fn rpc(table: &RouteTable, verb: Method, path: &str) -> String {
        match table.find(&verb, path) {
            Found::Route(binding, captures) => {
                format!(
                    "{} {captures:?}",
                    binding.rpc.path().rsplit('/').next().unwrap_or_default()
                )
            }
            Found::Planned(_) => "501".to_owned(),
            Found::OtherVerbs(_, allow) => format!("405 {}", allow.to_str().unwrap_or_default()),
            Found::Nothing => "404".to_owned(),
        }
    }

    #[test]
    fn documented_paths_lead_to_their_rpcs() {
        let table = table();
        for (verb, path, expected) in [
            (Method::POST, "/v1/memories", "StoreMemories []"),
            (Method::POST, "/memories/", "StoreMemories []"),
            (Method::HEAD, "/v1/memories", "ListMemories []"),
            (Method::GET, "/v1/memories/mem_1", r#"GetMemory ["mem_1"]"#),
            (Method::GET, "/memories/mem%2F1/", r#"GetMemory ["mem%2F1"]"#),
            (Method::GET, "/v1/memories/m/history", r#"GetMemoryHistory ["m"]"#),
            (Method::POST, "/v1/memories/%73earch", "SearchMemories []"),
            (Method::GET, "/v1/memories/search", "405 POST, OPTIONS"),
            (
                Method::PUT,
                "/v1/memories/mem_1",
                "405 GET, HEAD, PATCH, DELETE, OPTIONS",
            ),
            (Method::DELETE, "/v1/users/u/data", r#"EraseUser ["u"]"#),
            (Method::GET, "/v1/integrations/status/task_1", r#"GetTask ["task_1"]"#),
            (Method::POST, "/v1/integrations/files", "501"),
            (Method::GET, "/v1/integrations/files", "405 POST, OPTIONS"),
            (Method::HEAD, "/v1/integrations/int_1/status", "501"),
            (Method::GET, "/v1/memories//history", "404"),
            (Method::GET, "/v1/memories/a/b", "404"),
            (Method::GET, "/", "404"),
            (Method::GET, "/v1", "404"),
            (Method::GET, "/V1/memories", "404"),
        ] {
            assert_eq!(rpc(&table, verb.clone(), path), expected, "{verb} {path}");
        }
    }

    #[test]
    fn options_of_the_methods_are_read() {
        with_binding(Method::POST, "/v1/api-keys", |_, binding, _| {
            assert_eq!((binding.success, binding.body), (StatusCode::CREATED, BodyRule::Whole));
        });
        with_binding(Method::POST, "/v1/auth/login", |_, binding, _| {
            assert_eq!(binding.success, StatusCode::OK);
        });
        with_binding(Method::POST, "/v1/import", |_, binding, _| {
            assert!(matches!(binding.body, BodyRule::Chunks(_)));
        });
        with_binding(Method::GET, "/v1/export", |_, binding, _| {
            assert!(binding.streams_answer && binding.answer.is_some());
        });
    }

    /// The bindings of the real descriptors with one path changed.
    fn with_path(from: &str, to: &str) -> Result<RouteTable, RouteError> {
        assert_eq!(from.len(), to.len(), "the bytes around it must stay valid");
        let mut bytes = pool().encode_to_vec();
        let mut changed = false;
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                changed = true;
            }
        }
        assert!(changed, "{from} is in the descriptors");
        let pool = DescriptorPool::decode(&bytes[..]).expect("still descriptors");
        let (_, bindings) = bindings::read(&pool)?;
        RouteTable::new(bindings)
    }

    #[test]
    fn what_can_not_be_served_stops_the_start() {
        assert!(matches!(
            with_path("/v1/auth/register", "/v1/auth/login///"),
            Err(RouteError::Template { .. })
        ));
        assert!(matches!(
            with_path("/v1/auth/logout", "/v1/auth/{name}"),
            Err(RouteError::Field { .. })
        ));
        assert!(matches!(
            with_path("/v1/auth/logout", "/v1/auth/lo{a}t"),
            Err(RouteError::Template { .. })
        ));
        assert!(matches!(
            with_path("/v1/oauth/clients/{client_id}", "/v1/oauth/clients/{client_ix}"),
            Err(RouteError::Field { .. })
        ));
        let conflict = with_path("/v1/auth/refresh", "/v1/memories/%%%").expect_err("bad template");
        assert!(conflict.to_string().contains("RefreshToken"), "{conflict}");
        assert!(matches!(
            with_path("/v1/auth/password", "/v1/auth/register"),
            Err(RouteError::Conflict { .. })
        ));
        let empty = DescriptorPool::from_file_descriptor_set(FileDescriptorSet::default()).expect("an empty pool");
        assert!(matches!(
            bindings::read(&empty),
            Err(RouteError::MissingOption("google.api.http"))
        ));
    }
}
