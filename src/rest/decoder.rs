//! The state of decoding a request: the bytes so far, the path to the value at hand, and every violation.
//!
//! `decode` drives it, `visit` and `free_json` write values into it, and `params` adds path and query parameters.

use super::error::FieldViolation;
use super::scalar::Refusal;
use super::schema::Schema;

/// Levels of nesting that a body may have. protobuf's decoder stops at about 100, and a level of a `Struct` costs
/// three.
const MAX_DEPTH: usize = 24;
/// Violations that one answer lists: enough to mend a request, too few to make a large answer out of a small one.
pub(super) const MAX_VIOLATIONS: usize = 100;
/// Characters of a key of the client's that a path repeats.
pub(super) const MAX_KEY_CHARS: usize = 64;

/// Builds one request message and collects what is wrong with it.
#[derive(Debug)]
pub(super) struct Decoder<'s> {
    pub(super) schema: &'s Schema,
    pub(super) out: Vec<u8>,
    pub(super) violations: Vec<FieldViolation>,
    pub(super) path: Vec<Step<'s>>,
    /// What each field of the messages being written has put into `out`, to take it back when the key comes again.
    pub(super) spans: Vec<Span>,
    pub(super) depth: usize,
}

/// A step of the path to a value.
#[derive(Debug)]
pub(super) enum Step<'s> {
    Field(&'s str),
    Index(usize),
    Key(String),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) field: usize,
    pub(super) start: usize,
    pub(super) end: usize,
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

    /// Removes what an earlier occurrence of the same key wrote: the last one wins.
    pub(super) fn take_back(&mut self, base: usize, field: usize) {
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
