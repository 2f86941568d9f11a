//! JSON → protobuf bytes of a request, in one pass, with every violation and its path.
//!
//! The state of the pass is here; `visit` walks the JSON, `scalar` takes its leaves and `free_json` the insides of
//! `Struct`. `transcode` calls it for bodies; `params` adds path and query parameters to the same `Decoder`.

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::de::StrRead;

use super::error::FieldViolation;
use super::misnamed;
use super::scalar::Refusal;
use super::schema::{Field, MessageId, Schema};
use super::visit::{self, FieldName, FieldValue, Ignored, Root};

#[cfg(test)]
mod tests;

/// Levels of nesting that a body may have. protobuf's decoder stops at about 100, and a level of a `Struct` costs
/// three.
const MAX_DEPTH: usize = 24;
/// Violations that one answer lists: enough to mend a request, too few to make a large answer out of a small one.
const MAX_VIOLATIONS: usize = 100;
/// Characters of a key of the client's that a path repeats.
pub(super) const MAX_KEY_CHARS: usize = 64;

/// Builds one request message and collects what is wrong with it.
#[derive(Debug)]
pub(super) struct Decoder<'s> {
    pub(super) schema: &'s Schema,
    pub(super) out: Vec<u8>,
    violations: Vec<FieldViolation>,
    pub(super) path: Vec<Step<'s>>,
    /// What each field of the messages being written has put into `out`, to take it back when the key comes again.
    spans: Vec<Span>,
    depth: usize,
}

/// A step of the path to a value.
#[derive(Debug)]
pub(super) enum Step<'s> {
    Field(&'s str),
    Index(usize),
    Key(String),
}

#[derive(Debug, Clone, Copy)]
struct Span {
    field: usize,
    start: usize,
    end: usize,
}

impl<'s> Decoder<'s> {
    /// Appends to `out`, which may hold a frame's prefix.
    pub(super) fn new(schema: &'s Schema, out: Vec<u8>) -> Self {
        Self {
            schema,
            out,
            violations: Vec::new(),
            path: Vec::new(),
            spans: Vec::new(),
            depth: 0,
        }
    }

    /// Takes a body that is the whole message and returns the indices of the fields that it set. The fields in `bound`
    /// belong to the path, so the body's are ignored.
    pub(super) fn body(&mut self, id: MessageId, bound: &[usize], json: &[u8]) -> Vec<usize> {
        let mut set = Vec::new();
        self.parse(json, |decoder, json| {
            Root {
                decoder,
                id,
                bound,
                set: &mut set,
            }
            .deserialize(json)
        });
        set
    }

    /// Takes a body that is one field of the message.
    pub(super) fn body_field(&mut self, field: &'s Field, json: &[u8]) {
        self.path.push(Step::Field(&field.name));
        self.parse(json, |decoder, json| FieldValue { decoder, field }.deserialize(json));
        self.path.clear();
    }

    /// The bytes, or everything that is wrong.
    pub(super) fn finish(self) -> Result<Vec<u8>, Vec<FieldViolation>> {
        if self.violations.is_empty() {
            Ok(self.out)
        } else {
            Err(self.violations)
        }
    }

    /// Notes a violation of a parameter.
    pub(super) fn violation(&mut self, violation: FieldViolation) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(violation);
        }
    }

    fn parse(
        &mut self,
        json: &[u8],
        read: impl FnOnce(&mut Self, &mut serde_json::Deserializer<StrRead<'_>>) -> serde_json::Result<()>,
    ) {
        let text = match std::str::from_utf8(json) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let reason = format!("is not valid UTF-8 at byte {}", error.valid_up_to());
                return self.violation(FieldViolation::new("body", reason));
            }
        };
        // An empty body stands for `{}`, so that the service names the fields that are missing.
        let text = if text.trim_ascii().is_empty() { "{}" } else { text };
        let mut json = serde_json::Deserializer::from_str(text);
        if let Err(error) = read(self, &mut json).and_then(|()| json.end()) {
            self.violations.clear();
            self.violation(FieldViolation::new("body", format!("is not valid JSON: {error}")));
        }
    }

    /// Notes that the value at the current path can't be taken.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        if self.violations.len() < MAX_VIOLATIONS {
            let path = self.path_text();
            self.violations.push(refusal.at(path));
        }
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Field(name) => push_name(&mut text, name),
                Step::Key(name) => push_name(&mut text, name),
            }
        }
        if text.is_empty() { "body".to_owned() } else { text }
    }

    /// One level deeper; false, with a violation, where that is too deep.
    pub(super) fn enter(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.refuse("is nested too deeply: a request has at most 24 levels".into());
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Writes the content of a message. `set` receives the indices of the fields that it had.
    pub(super) fn message<'de, A: MapAccess<'de>>(
        &mut self,
        id: MessageId,
        bound: &[usize],
        mut map: A,
        set: Option<&mut Vec<usize>>,
    ) -> Result<(), A::Error> {
        if !self.enter() {
            return visit::skip_map(map);
        }
        let message = self.schema.message(id);
        let base = self.spans.len();
        while let Some(name) = map.next_key_seed(FieldName(message))? {
            match name {
                Ok(index) if !bound.contains(&index) => {
                    let field = &message.fields[index];
                    self.take_back(base, index);
                    let start = self.out.len();
                    self.path.push(Step::Field(&field.name));
                    map.next_value_seed(FieldValue { decoder: self, field })?;
                    self.path.pop();
                    if self.out.len() > start {
                        self.spans.push(Span {
                            field: index,
                            start,
                            end: self.out.len(),
                        });
                    }
                }
                Ok(index) => self.ignore(message.fields[index].name.to_string(), None, &mut map)?,
                Err(unknown) => {
                    // Below the request itself nothing names a person.
                    let refusal = match self.depth {
                        1 => misnamed::refusal(message, &unknown),
                        _ => None,
                    };
                    self.ignore(unknown, refusal, &mut map)?;
                }
            }
        }
        if let Some(set) = set {
            set.extend(self.spans[base..].iter().map(|span| span.field));
        }
        self.spans.truncate(base);
        self.leave();
        Ok(())
    }

    /// Passes over a value; with a refusal, notes that.
    fn ignore<'de, A: MapAccess<'de>>(
        &mut self,
        name: String,
        refusal: Option<Refusal>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.path.push(Step::Key(name));
        map.next_value_seed(Ignored { decoder: self, refusal })?;
        self.path.pop();
        Ok(())
    }

    /// Removes what an earlier occurrence of the same key wrote: the last one wins.
    fn take_back(&mut self, base: usize, field: usize) {
        let Some(at) = self.spans[base..].iter().position(|span| span.field == field) else {
            return;
        };
        let removed = self.spans.remove(base + at);
        self.out.drain(removed.start..removed.end);
        let length = removed.end - removed.start;
        for span in &mut self.spans[base..] {
            if span.start > removed.start {
                span.start -= length;
                span.end -= length;
            }
        }
    }
}

fn push_name(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.extend(name.chars().take(MAX_KEY_CHARS));
}
