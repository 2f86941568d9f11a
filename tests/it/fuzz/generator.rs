//! What is sent: values that fit their fields, values that fit none, and bodies, queries and headers that are broken.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};

use super::values::{CONTENT_TYPES, FORM_NAMES, HEADERS, NUMBERS, QUERIES, SEGMENTS, TEXTS, TIMES, VERBS};
use crate::support::Binding;

/// Bytes of a body that come with the head of the request.
const READ_WITH_THE_HEAD: usize = 2048;

/// What there is on the server, so that some requests find something.
#[derive(Clone)]
pub struct Known {
    pub memory_id: String,
    pub api_key_id: String,
    pub client_id: String,
    pub refresh_token: String,
}

/// One request.
pub struct Hostile {
    pub verb: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Option<Vec<u8>>,
}

impl Hostile {
    /// A request whose path has a NUL in each of its fields.
    pub fn with_nul(binding: &Binding) -> Self {
        let filled = binding.template.split('/');
        let filled = filled.map(|part| if part.starts_with('{') { "a%00b" } else { part });
        Self {
            verb: VERBS.iter().find(|verb| **verb == binding.verb).unwrap(),
            path: filled.collect::<Vec<_>>().join("/"),
            headers: vec![("content-type", b"application/json".to_vec())],
            body: Some(b"{}".to_vec()),
        }
    }

    /// The request with its headers and its body.
    pub fn complete(&self, request: RequestBuilder) -> RequestBuilder {
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(*name, &value[..]));
        match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.path)?;
        for (name, value) in &self.headers {
            write!(f, " {name}: {:?}", String::from_utf8_lossy(value))?;
        }
        let body = self.body.as_deref().map(String::from_utf8_lossy);
        write!(f, " {:?}", body.map(|body| body.chars().take(600).collect::<String>()))
    }
}

/// Looks random and is the same in every run (splitmix64).
pub struct Generator<'k> {
    state: u64,
    known: &'k Known,
}

impl<'k> Generator<'k> {
    pub fn new(seed: u64, known: &'k Known) -> Self {
        Self {
            state: seed << 32,
            known,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        (0..self.below(longest)).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn text(&mut self) -> String {
        match self.below(12) {
            0 => self.known.memory_id.clone(),
            1 => self.known.api_key_id.clone(),
            2 => self.known.client_id.clone(),
            3 => String::from_utf8_lossy(&self.bytes(60)).into_owned(),
            4 => "x".repeat(self.below(400)),
            5 => format!("memsync_rt_{}_{}.x", self.pick(&TEXTS), self.pick(&TEXTS)),
            _ => self.pick(&TEXTS).to_owned(),
        }
    }

    /// JSON of any kind. A number may be one that no float holds.
    fn anything(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 | 3 => self.number(),
            4 => self.text().into(),
            5 => (0..self.below(4)).map(|_| self.anything(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.text(), self.anything(depth - 1)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    fn number(&mut self) -> Value {
        let number = self.pick(&NUMBERS);
        serde_json::from_str(number).unwrap_or_else(|_| format!("#{number}#").into())
    }

    /// A value for a field, which mostly is of the right kind.
    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        if self.one_in(6) {
            return self.anything(3);
        }
        if field.is_list() {
            let count = if self.one_in(30) { 600 } else { self.below(4) };
            return (0..count).map(|_| self.single(&field.kind(), depth)).collect();
        }
        self.single(&field.kind(), depth)
    }

    fn single(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Bool => json!(self.one_in(2)),
            Kind::String | Kind::Bytes => self.text().into(),
            Kind::Enum(words) => {
                let words: Vec<String> = words.values().map(|value| value.name().to_owned()).collect();
                let word = words[self.below(words.len())].clone();
                let short = word.rsplit('_').next().unwrap_or_default().to_lowercase();
                if self.one_in(4) { word.into() } else { short.into() }
            }
            Kind::Message(message) if depth > 0 && message.package_name() == "memsync.v1" => {
                self.message(message, depth - 1)
            }
            Kind::Message(message) if message.name() == "Timestamp" => self.pick(&TIMES).into(),
            Kind::Message(_) => self.anything(4),
            _ => self.number(),
        }
    }

    fn message(&mut self, message: &MessageDescriptor, depth: usize) -> Value {
        let mut object = Map::new();
        for field in message.fields() {
            if !self.one_in(3) {
                let value = self.value(&field, depth);
                object.insert(field.name().to_owned(), value);
            }
        }
        if self.one_in(4) {
            object.insert(self.text(), self.anything(2));
        }
        object.into()
    }

    fn body(&mut self, message: &MessageDescriptor) -> Vec<u8> {
        // Numbers that serde_json can't hold stand in strings until here.
        let text = self
            .message(message, 3)
            .to_string()
            .replace("\"#", "")
            .replace("#\"", "");
        let mut body = text.into_bytes();
        match self.below(16) {
            0 => body.truncate(self.below(body.len())),
            1 => {
                let (at, byte) = (self.below(body.len()), self.next().to_le_bytes()[0]);
                body[at] = byte;
            }
            2 => {
                let at = self.below(body.len());
                body.splice(
                    at..at,
                    self.pick(&[&b"\xff\xfe"[..], b"\0", b"\xed\xa0\x80", b"\\ud800", b"//", b","])
                        .to_vec(),
                );
            }
            3 => body.extend_from_slice(self.pick(&[&b"{}"[..], b" ", b"\0", b"]"])),
            4 => body = [b"\xef\xbb\xbf", &body[..]].concat(),
            5 => body = self.bytes(300),
            6 => {
                let levels = self.pick(&[9, 130, 2000]);
                body = [b"{\"metadata\":".repeat(levels), body, b"}".repeat(levels)].concat();
            }
            7 if self.one_in(4) => body = serde_json::to_vec(&json!({"query": "x".repeat(30_000)})).unwrap(),
            8 => body = serde_json::to_vec(&self.anything(3)).unwrap(),
            _ => {}
        }
        body
    }

    fn query(&mut self, message: &MessageDescriptor) -> String {
        if self.one_in(3) {
            return self.pick(&QUERIES).to_owned();
        }
        let fields: Vec<FieldDescriptor> = message.fields().collect();
        let mut query = Vec::new();
        for _ in 0..self.below(5) {
            let name = match fields.len() {
                0 => self.text(),
                count => fields[self.below(count)].name().to_owned(),
            };
            let value = if self.one_in(2) {
                self.text()
            } else {
                self.pick(&NUMBERS).to_owned()
            };
            query.push(format!("{name}={}", encoded(&value)));
        }
        query.join("&")
    }

    fn path(&mut self, template: &str) -> String {
        let filled = template.split('/').map(|part| match part.starts_with('{') {
            false => part.to_owned(),
            true if self.one_in(4) => self.pick(&SEGMENTS).to_owned(),
            true => encoded(&self.text()),
        });
        let mut path = filled.collect::<Vec<_>>().join("/");
        if self.one_in(20) {
            path.push_str(self.pick(&["/", "//", "/x", "%20"]));
        }
        path
    }

    fn headers(&mut self, usual: &'static [u8], all: &[(&'static str, &'static [u8])]) -> Vec<(&'static str, Vec<u8>)> {
        let content_type = match self.below(8) {
            0 => Some(self.pick(&CONTENT_TYPES)),
            1 => None,
            _ => Some(usual),
        };
        let mut headers: Vec<_> = content_type
            .map(|value| ("content-type", value.to_vec()))
            .into_iter()
            .collect();
        while self.one_in(3) {
            let (name, value) = self.pick(all);
            headers.push((name, value.to_vec()));
        }
        if self.one_in(20) {
            headers.push(("x-user-id", vec![b'x'; self.below(9000)]));
        }
        headers
    }

    /// A request to this route, or nearly.
    pub fn request(&mut self, binding: &Binding, input: &MessageDescriptor) -> Hostile {
        let usual = VERBS.iter().find(|verb| **verb == binding.verb).unwrap();
        let verb = if self.one_in(10) { self.pick(&VERBS) } else { usual };
        let mut path = self.path(&binding.template);
        if self.one_in(2) {
            path = format!("{path}?{}", self.query(input));
        }
        let headers = self.headers(b"application/json", &HEADERS);
        let mut body = (!self.one_in(8)).then(|| self.body(input));
        // Where nobody reads the body, the connection ends with the answer; a client that still writes hears that only.
        let is_read = matches!(verb, "POST" | "PUT" | "PATCH") && !headers.iter().any(|(name, _)| *name == "expect");
        if let Some(body) = body
            .as_mut()
            .filter(|_| !is_read || binding.template.ends_with("/import"))
        {
            body.truncate(READ_WITH_THE_HEAD);
        }
        Hostile {
            verb,
            path,
            headers,
            body,
        }
    }

    fn form_value(&mut self, name: &str, callback: &str) -> String {
        let challenge = "a".repeat(43);
        let fitting = match name {
            "response_type" => "code",
            "client_id" => &self.known.client_id,
            "redirect_uri" => callback,
            "scope" => "memories:read",
            "code_challenge" | "code_verifier" => &challenge,
            "code_challenge_method" => "S256",
            "decision" => "allow",
            "email" => "ada@example.com",
            "refresh_token" | "token" => &self.known.refresh_token,
            "grant_type" => return self.grant_type(),
            _ => return self.text(),
        };
        if !self.one_in(6) {
            return fitting.to_owned();
        }
        match self.below(3) {
            0 => self.text(),
            1 => format!("{fitting}{}", self.text()),
            _ => format!("{}{fitting}", self.text()),
        }
    }

    fn grant_type(&mut self) -> String {
        let words = [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            "",
        ];
        self.pick(&words).to_owned()
    }

    /// A form of OAuth 2.0, or nearly.
    pub fn form(&mut self, path: &str, callback: &str) -> Hostile {
        let mut pairs = Vec::new();
        for name in FORM_NAMES {
            if self.one_in(8) {
                continue;
            }
            for _ in 0..if self.one_in(30) { 2 } else { 1 } {
                let value = self.form_value(name, callback);
                pairs.push(format!("{name}={}", encoded(&value)));
            }
        }
        let mut form = pairs.join("&").into_bytes();
        match self.below(20) {
            0 => form = self.bytes(200),
            1 => form = self.pick(&QUERIES).into(),
            2 => form.truncate(self.below(form.len().max(1))),
            3 => form.extend_from_slice(b"&x=%ff&%ff=1"),
            4 => form.extend_from_slice(format!("&state={}", "s".repeat(20_000)).as_bytes()),
            _ => {}
        }
        let verb = match self.below(12) {
            0 => self.pick(&VERBS),
            1..4 if path == "/oauth/authorize" => "GET",
            _ => "POST",
        };
        let in_url = verb != "POST" || self.one_in(8);
        let query = encoded_again(&form);
        Hostile {
            verb,
            path: if in_url {
                format!("{path}?{query}")
            } else {
                path.to_owned()
            },
            headers: self.headers(b"application/x-www-form-urlencoded", &HEADERS),
            body: (verb == "POST").then_some(form),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A form as it can stand in a URL.
fn encoded_again(form: &[u8]) -> String {
    let keep = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
    form.iter()
        .filter(|byte| keep(byte))
        .map(|byte| char::from(*byte))
        .collect()
}
