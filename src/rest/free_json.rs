//! JSON of the client's own shape → `google.protobuf.Struct`, `Value` and `ListValue`.
//!
//! Null is a value here, unlike in messages. `visit` calls it where a field has one of these types.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::decoder::Decoder;
use super::scalar::Scalar;
use super::visit::{deserialize_any, skip_map, skip_seq, visit_scalars};
use super::wire::{self, WireType};

/// `Struct.fields`, a map entry's key and value, `ListValue.values`.
const STRUCT_FIELDS: u32 = 1;
const ENTRY_KEY: u32 = 1;
const ENTRY_VALUE: u32 = 2;
const LIST_VALUES: u32 = 1;

/// The members of `Value`.
pub(super) mod value {
    pub(in crate::rest) const NULL: u32 = 1;
    pub(in crate::rest) const NUMBER: u32 = 2;
    pub(in crate::rest) const STRING: u32 = 3;
    pub(in crate::rest) const BOOL: u32 = 4;
    pub(in crate::rest) const STRUCT: u32 = 5;
    pub(in crate::rest) const LIST: u32 = 6;
}

/// Writes the content of a `Value`.
pub(super) struct FreeValue<'d, 's>(pub(super) &'d mut Decoder<'s>);

impl FreeValue<'_, '_> {
    fn scalar(self, scalar: Option<Scalar<'_>>) {
        let out = &mut self.0.out;
        match scalar {
            None => {
                wire::put_tag(out, value::NULL, WireType::Varint);
                out.push(0);
            }
            Some(Scalar::Bool(flag)) => {
                wire::put_tag(out, value::BOOL, WireType::Varint);
                out.push(u8::from(flag));
            }
            Some(Scalar::Int(whole)) => put_number(out, whole as f64),
            Some(Scalar::Uint(whole)) => put_number(out, whole as f64),
            Some(Scalar::Float(real)) => put_number(out, real),
            Some(Scalar::Text(text)) => wire::put_bytes(out, value::STRING, text.as_bytes()),
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: f64) {
    wire::put_tag(out, value::NUMBER, WireType::Fixed64);
    out.extend_from_slice(&number.to_bits().to_le_bytes());
}

impl<'de> DeserializeSeed<'de> for FreeValue<'_, '_> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for FreeValue<'_, '_> {
    type Value = ();

    visit_scalars!();

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let start = wire::open(&mut self.0.out, value::STRUCT);
        object(self.0, map)?;
        wire::close(&mut self.0.out, start);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let start = wire::open(&mut self.0.out, value::LIST);
        list(self.0, seq)?;
        wire::close(&mut self.0.out, start);
        Ok(())
    }
}

/// Writes the content of a `Struct`.
pub(super) fn object<'de, A: MapAccess<'de>>(decoder: &mut Decoder<'_>, mut map: A) -> Result<(), A::Error> {
    if !decoder.enter() {
        return skip_map(map);
    }
    loop {
        let before = decoder.out.len();
        let start = wire::open(&mut decoder.out, STRUCT_FIELDS);
        if map.next_key_seed(EntryKey(&mut decoder.out))?.is_none() {
            decoder.out.truncate(before);
            break;
        }
        let content = wire::open(&mut decoder.out, ENTRY_VALUE);
        map.next_value_seed(FreeValue(decoder))?;
        wire::close(&mut decoder.out, content);
        wire::close(&mut decoder.out, start);
    }
    decoder.leave();
    Ok(())
}

/// Writes the content of a `ListValue`.
pub(super) fn list<'de, A: SeqAccess<'de>>(decoder: &mut Decoder<'_>, mut seq: A) -> Result<(), A::Error> {
    if !decoder.enter() {
        return skip_seq(seq);
    }
    loop {
        let before = decoder.out.len();
        let start = wire::open(&mut decoder.out, LIST_VALUES);
        if seq.next_element_seed(FreeValue(decoder))?.is_none() {
            decoder.out.truncate(before);
            break;
        }
        wire::close(&mut decoder.out, start);
    }
    decoder.leave();
    Ok(())
}

/// Writes the key of a `Struct` entry.
struct EntryKey<'o>(&'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for EntryKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for EntryKey<'_> {
    type Value = ();

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        wire::put_bytes(self.0, ENTRY_KEY, key.as_bytes());
        Ok(())
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
}
