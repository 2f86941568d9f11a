//! JSON → protobuf bytes of a request, in one pass, with every violation and its path.
//!
//! `decoder` has the state of the pass; `visit` walks the JSON, `scalar` takes its leaves and `free_json` the insides of
//! `Struct`. `transcode` calls it for bodies; `params` adds path and query parameters to the same `Decoder`.

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::de::StrRead;

use super::decoder::{Decoder, Span, Step};
use super::error::FieldViolation;
use super::misnamed;
use super::scalar::Refusal;
use super::schema::{Field, MessageId};
use super::visit::{self, FieldName, FieldValue, Ignored, Root};

#[cfg(test)]
mod tests;

impl<'s> Decoder<'s> {
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
}
