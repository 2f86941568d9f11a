//! Protobuf bytes of an answer → JSON text, walking the wire beside the schema.
//!
//! Fields come in declaration order; what has no presence is always there, what has is left out when unset. `transcode`
//! and `stream` call it. Times are UTC; whole numbers of a `Struct` are written as integers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};

use super::free_json::value;
use super::schema::{Field, Kind, MessageId, MessageSchema, Schema, Shape};
use super::wire::{Malformed, Raw, Reader, WireType};

#[cfg(test)]
mod tests;

/// Levels that an answer may have; a service's own messages stay far below.
const MAX_DEPTH: usize = 128;
/// Whole numbers below this are exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// JSON of a message, or of one of its fields where the route says so. Appends to `out`.
pub(super) fn answer(
    schema: &Schema,
    id: MessageId,
    only: Option<usize>,
    wire: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut encoder = Encoder {
        schema,
        out,
        slots: Vec::new(),
        depth: 0,
    };
    match only {
        None => encoder.message(schema.message(id), wire),
        Some(index) => {
            let message = schema.message(id);
            encoder.collect(message, wire)?;
            let slot = encoder.slots[index];
            encoder.field(&message.fields[index], slot, wire)
        }
    }
}

struct Encoder<'s, 'w, 'o> {
    schema: &'s Schema,
    out: &'o mut Vec<u8>,
    /// What was found of each field of the messages being written, innermost last.
    slots: Vec<Slot<'w>>,
    depth: usize,
}

/// What a message holds of a field.
#[derive(Debug, Clone, Copy)]
enum Slot<'w> {
    Unset,
    /// A single field's value, the last one where there are several.
    One(Raw<'w>),
    /// Where the records of a list or map begin and end.
    Region(usize, usize),
}

impl<'w> Encoder<'_, 'w, '_> {
    fn message(&mut self, message: &MessageSchema, wire: &'w [u8]) -> Result<(), Malformed> {
        self.enter()?;
        let base = self.slots.len();
        self.collect(message, wire)?;
        self.out.push(b'{');
        let mut separator = Separator::default();
        for (index, field) in message.fields.iter().enumerate() {
            let slot = self.slots[base + index];
            if (field.shape == Shape::Optional || field.omit_empty) && matches!(slot, Slot::Unset) {
                continue;
            }
            separator.put(self.out);
            self.out.extend_from_slice(field.json_key.as_bytes());
            self.field(field, slot, wire)?;
        }
        self.out.push(b'}');
        self.slots.truncate(base);
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Malformed) } else { Ok(()) }
    }

    /// Pushes a slot for each field of the message.
    fn collect(&mut self, message: &MessageSchema, wire: &'w [u8]) -> Result<(), Malformed> {
        let base = self.slots.len();
        self.slots.resize(base + message.fields.len(), Slot::Unset);
        let mut reader = Reader::new(wire);
        let mut index = 0;
        loop {
            let start = reader.position();
            let Some((number, raw)) = reader.record()? else {
                return Ok(());
            };
            let Some(found) = message.index_of(number, index) else {
                continue;
            };
            index = found;
            let slot = &mut self.slots[base + index];
            *slot = match (message.fields[index].shape, *slot) {
                (Shape::Implicit | Shape::Optional, _) => Slot::One(raw),
                (_, Slot::Region(first, _)) => Slot::Region(first, reader.position()),
                (_, _) => Slot::Region(start, reader.position()),
            };
        }
    }

    fn field(&mut self, field: &Field, slot: Slot<'w>, wire: &'w [u8]) -> Result<(), Malformed> {
        let region = match slot {
            Slot::Region(start, end) => wire.get(start..end).ok_or(Malformed)?,
            Slot::Unset | Slot::One(_) => &[],
        };
        match (field.shape, slot) {
            (Shape::Repeated, _) => self.list(field, region),
            (Shape::Map(key), _) => self.map(field, key, region),
            (_, Slot::One(raw)) => self.value(field.kind, raw),
            (_, _) => self.default(field.kind),
        }
    }

    fn list(&mut self, field: &Field, region: &'w [u8]) -> Result<(), Malformed> {
        self.out.push(b'[');
        let mut separator = Separator::default();
        let mut reader = Reader::new(region);
        while let Some((number, raw)) = reader.record()? {
            if number != field.number {
                continue;
            }
            match raw {
                Raw::Bytes(packed) if field.kind.wire_type() != WireType::Bytes => {
                    let mut items = Reader::new(packed);
                    while !items.is_empty() {
                        let item = match field.kind.wire_type() {
                            WireType::Fixed64 => Raw::Fixed64(items.fixed64()?),
                            WireType::Fixed32 => Raw::Fixed32(items.fixed32()?),
                            WireType::Varint | WireType::Bytes => Raw::Varint(items.varint()?),
                        };
                        separator.put(self.out);
                        self.value(field.kind, item)?;
                    }
                }
                raw => {
                    separator.put(self.out);
                    self.value(field.kind, raw)?;
                }
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, field: &Field, key_kind: Kind, region: &'w [u8]) -> Result<(), Malformed> {
        self.out.push(b'{');
        let mut separator = Separator::default();
        let mut reader = Reader::new(region);
        while let Some((number, raw)) = reader.record()? {
            if number != field.number {
                continue;
            }
            let (key, value) = entry(raw)?;
            separator.put(self.out);
            // JSON keys are strings, whatever the key's type.
            let quoted = key_kind != Kind::String;
            if quoted {
                self.out.push(b'"');
            }
            self.value_or_default(key_kind, key)?;
            if quoted {
                self.out.push(b'"');
            }
            self.out.push(b':');
            self.value_or_default(field.kind, value)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn value_or_default(&mut self, kind: Kind, raw: Option<Raw<'w>>) -> Result<(), Malformed> {
        match raw {
            Some(raw) => self.value(kind, raw),
            None => self.default(kind),
        }
    }

    fn default(&mut self, kind: Kind) -> Result<(), Malformed> {
        self.value(
            kind,
            match kind.wire_type() {
                WireType::Varint => Raw::Varint(0),
                WireType::Fixed64 => Raw::Fixed64(0),
                WireType::Fixed32 => Raw::Fixed32(0),
                WireType::Bytes => Raw::Bytes(&[]),
            },
        )
    }

    fn value(&mut self, kind: Kind, raw: Raw<'w>) -> Result<(), Malformed> {
        match (kind, raw) {
            (Kind::String, Raw::Bytes(bytes)) => self.text(bytes),
            (Kind::Message(id), Raw::Bytes(bytes)) => self.message(self.schema.message(id), bytes),
            (Kind::Timestamp, Raw::Bytes(bytes)) => self.time(bytes),
            (Kind::Struct, Raw::Bytes(bytes)) => self.free_object(bytes),
            (Kind::Value, Raw::Bytes(bytes)) => self.free_value(bytes),
            (Kind::ListValue, Raw::Bytes(bytes)) => self.free_list(bytes),
            (Kind::Bytes, Raw::Bytes(bytes)) => self.json(&STANDARD.encode(bytes)),
            (Kind::Enum(id), Raw::Varint(bits)) => match self.schema.enumeration(id).word(bits as i32) {
                Some(word) => self.json(word),
                None => self.json(&(bits as i32)),
            },
            (Kind::Bool, Raw::Varint(bits)) => self.json(&(bits != 0)),
            (Kind::Int32, Raw::Varint(bits)) => self.json(&(bits as i32)),
            (Kind::Int64, Raw::Varint(bits)) => self.json(&(bits as i64)),
            (Kind::Uint32, Raw::Varint(bits)) => self.json(&(bits as u32)),
            (Kind::Uint64, Raw::Varint(bits)) => self.json(&bits),
            (Kind::Sint32 | Kind::Sint64, Raw::Varint(bits)) => self.json(&((bits >> 1) as i64 ^ -((bits & 1) as i64))),
            (Kind::Double, Raw::Fixed64(bits)) => self.json(&f64::from_bits(bits)),
            (Kind::Fixed64, Raw::Fixed64(bits)) => self.json(&bits),
            (Kind::Sfixed64, Raw::Fixed64(bits)) => self.json(&(bits as i64)),
            (Kind::Float, Raw::Fixed32(bits)) => self.json(&f32::from_bits(bits)),
            (Kind::Fixed32, Raw::Fixed32(bits)) => self.json(&bits),
            (Kind::Sfixed32, Raw::Fixed32(bits)) => self.json(&(bits as i32)),
            _ => Err(Malformed),
        }
    }

    /// Numbers and short text as serde_json writes them; what is not finite becomes null.
    fn json<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        serde_json::to_writer(&mut *self.out, value).map_err(|_| Malformed)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
        self.json(text)
    }

    fn time(&mut self, wire: &[u8]) -> Result<(), Malformed> {
        let (mut seconds, mut nanos) = (0, 0);
        let mut reader = Reader::new(wire);
        while let Some(record) = reader.record()? {
            match record {
                (1, Raw::Varint(bits)) => seconds = bits as i64,
                (2, Raw::Varint(bits)) => nanos = bits as u32,
                _ => {}
            }
        }
        let time = DateTime::from_timestamp(seconds, nanos).ok_or(Malformed)?;
        self.out.push(b'"');
        self.out
            .extend_from_slice(time.to_rfc3339_opts(SecondsFormat::AutoSi, true).as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    fn free_object(&mut self, wire: &'w [u8]) -> Result<(), Malformed> {
        self.enter()?;
        self.out.push(b'{');
        let mut separator = Separator::default();
        let mut reader = Reader::new(wire);
        while let Some((_, raw)) = reader.record()? {
            let (key, value) = entry(raw)?;
            separator.put(self.out);
            self.value_or_default(Kind::String, key)?;
            self.out.push(b':');
            self.value_or_default(Kind::Value, value)?;
        }
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    fn free_list(&mut self, wire: &'w [u8]) -> Result<(), Malformed> {
        self.enter()?;
        self.out.push(b'[');
        let mut separator = Separator::default();
        let mut reader = Reader::new(wire);
        while let Some((_, raw)) = reader.record()? {
            separator.put(self.out);
            self.value(Kind::Value, raw)?;
        }
        self.out.push(b']');
        self.depth -= 1;
        Ok(())
    }

    fn free_value(&mut self, wire: &'w [u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(wire);
        let mut last = None;
        while let Some(record) = reader.record()? {
            last = Some(record);
        }
        match last {
            None | Some((value::NULL, _)) => self.json(&()),
            Some((value::NUMBER, Raw::Fixed64(bits))) => {
                let number = f64::from_bits(bits);
                if number.fract() == 0.0 && number.abs() < EXACT {
                    return self.json(&(number as i64));
                }
                self.json(&number)
            }
            Some((value::STRING, Raw::Bytes(bytes))) => self.text(bytes),
            Some((value::BOOL, raw)) => self.value(Kind::Bool, raw),
            Some((value::STRUCT, raw)) => self.value(Kind::Struct, raw),
            Some((value::LIST, raw)) => self.value(Kind::ListValue, raw),
            Some(_) => Err(Malformed),
        }
    }
}

/// Key and value of a map entry.
fn entry(raw: Raw<'_>) -> Result<(Option<Raw<'_>>, Option<Raw<'_>>), Malformed> {
    let Raw::Bytes(bytes) = raw else { return Err(Malformed) };
    let (mut key, mut value) = (None, None);
    let mut reader = Reader::new(bytes);
    while let Some((number, raw)) = reader.record()? {
        match number {
            1 => key = Some(raw),
            2 => value = Some(raw),
            _ => {}
        }
    }
    Ok((key, value))
}

/// Commas between items.
#[derive(Default)]
struct Separator(bool);

impl Separator {
    fn put(&mut self, out: &mut Vec<u8>) {
        if self.0 {
            out.push(b',');
        }
        self.0 = true;
    }
}
