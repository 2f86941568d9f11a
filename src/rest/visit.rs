//! How serde_json hands a body to the `Decoder`: one visitor for each place that a value can stand in.
//!
//! No visitor ever fails: a value of the wrong type is noted as a violation and passed over, so that one pass finds
//! them all. Only malformed JSON ends a pass early.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::decoder::{Decoder, Step};
use super::free_json::{self, FreeValue};
use super::scalar::{self, Refusal, Scalar};
use super::schema::{Field, Kind, MessageId, MessageSchema, Shape};
use super::wire;

/// The scalar methods of a visitor that has `fn scalar(self, Option<Scalar>)`; null is `None`.
macro_rules! visit_scalars {
    () => {
        fn visit_unit<E>(self) -> Result<(), E> {
            self.scalar(None);
            Ok(())
        }

        fn visit_bool<E>(self, value: bool) -> Result<(), E> {
            self.scalar(Some(Scalar::Bool(value)));
            Ok(())
        }

        fn visit_i64<E>(self, value: i64) -> Result<(), E> {
            self.scalar(Some(Scalar::Int(value)));
            Ok(())
        }

        fn visit_u64<E>(self, value: u64) -> Result<(), E> {
            self.scalar(Some(Scalar::Uint(value)));
            Ok(())
        }

        fn visit_f64<E>(self, value: f64) -> Result<(), E> {
            self.scalar(Some(Scalar::Float(value)));
            Ok(())
        }

        fn visit_str<E>(self, value: &str) -> Result<(), E> {
            self.scalar(Some(Scalar::Text(value)));
            Ok(())
        }

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
    };
}
pub(super) use visit_scalars;

/// The seed method of a visitor that takes whatever comes.
macro_rules! deserialize_any {
    () => {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
            json.deserialize_any(self)
        }
    };
}
pub(super) use deserialize_any;

/// The whole body.
pub(super) struct Root<'d, 's, 'b> {
    pub(super) decoder: &'d mut Decoder<'s>,
    pub(super) id: MessageId,
    pub(super) bound: &'b [usize],
    pub(super) set: &'b mut Vec<usize>,
}

impl Root<'_, '_, '_> {
    fn scalar(self, _: Option<Scalar<'_>>) {
        self.decoder.refuse("must be an object".into());
    }
}

impl<'de> DeserializeSeed<'de> for Root<'_, '_, '_> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Root<'_, '_, '_> {
    type Value = ();

    visit_scalars!();

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.decoder.message(self.id, self.bound, map, Some(self.set))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        self.scalar(None);
        skip_seq(seq)
    }
}

/// A key of a message: the index of the field, or the unknown name.
pub(super) struct FieldName<'s>(pub(super) &'s MessageSchema);

impl<'de> DeserializeSeed<'de> for FieldName<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldName<'_> {
    type Value = Result<usize, String>;

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .field(name)
            .map(|(index, _)| index)
            .ok_or_else(|| name.to_owned()))
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
}

/// What stands behind a field's name: a value, a list, a map, or null for none of them.
pub(super) struct FieldValue<'d, 's> {
    pub(super) decoder: &'d mut Decoder<'s>,
    pub(super) field: &'s Field,
}

impl<'d, 's> FieldValue<'d, 's> {
    fn one(self) -> One<'d, 's> {
        One {
            decoder: self.decoder,
            number: self.field.number,
            kind: self.field.kind,
        }
    }

    fn is_single(&self) -> bool {
        matches!(self.field.shape, Shape::Implicit | Shape::Optional)
    }

    fn scalar(self, value: Option<Scalar<'_>>) {
        match (self.field.shape, value) {
            (_, None) => {}
            (Shape::Repeated, _) => self.decoder.refuse("must be a list".into()),
            (Shape::Map(_), _) => self.decoder.refuse("must be an object".into()),
            (Shape::Implicit | Shape::Optional, Some(value)) => {
                let Self { decoder, field } = self;
                let one = One {
                    decoder: &mut *decoder,
                    number: field.number,
                    kind: field.kind,
                };
                one.scalar(Some(value));
                if let Some(number) = field.utc_offset {
                    scalar::put_utc_offset(&mut decoder.out, number, value);
                }
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for FieldValue<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.is_single() && self.field.kind == Kind::Value {
            return self.one().deserialize(json);
        }
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldValue<'_, '_> {
    type Value = ();

    visit_scalars!();

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.field.shape {
            Shape::Map(key) => self.entries(key, map),
            Shape::Repeated => {
                self.decoder.refuse("must be a list".into());
                skip_map(map)
            }
            Shape::Implicit | Shape::Optional => self.one().visit_map(map),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if let Some(field) = &self.field.list_form {
            let decoder = self.decoder;
            return FieldValue { decoder, field }.visit_seq(seq);
        }
        if self.is_single() {
            return self.one().visit_seq(seq);
        }
        if self.field.shape != Shape::Repeated {
            self.decoder.refuse("must be an object".into());
            return skip_seq(seq);
        }
        let Self { decoder, field } = self;
        if !decoder.enter() {
            return skip_seq(seq);
        }
        decoder.path.push(Step::Index(0));
        while seq
            .next_element_seed(One {
                decoder,
                number: field.number,
                kind: field.kind,
            })?
            .is_some()
        {
            if let Some(Step::Index(index)) = decoder.path.last_mut() {
                *index += 1;
            }
        }
        decoder.path.pop();
        decoder.leave();
        Ok(())
    }
}

impl FieldValue<'_, '_> {
    fn entries<'de, A: MapAccess<'de>>(self, key: Kind, mut map: A) -> Result<(), A::Error> {
        let Self { decoder, field } = self;
        if !decoder.enter() {
            return skip_map(map);
        }
        while let Some(name) = map.next_key::<String>()? {
            let start = wire::open(&mut decoder.out, field.number);
            decoder.path.push(Step::Key(name.clone()));
            if let Err(refusal) = scalar::put(&mut decoder.out, decoder.schema, 1, key, key_scalar(key, &name)) {
                decoder.refuse(refusal);
            }
            map.next_value_seed(One {
                decoder,
                number: 2,
                kind: field.kind,
            })?;
            decoder.path.pop();
            wire::close(&mut decoder.out, start);
        }
        decoder.leave();
        Ok(())
    }
}

/// JSON writes the keys of every map as strings.
fn key_scalar(kind: Kind, name: &str) -> Scalar<'_> {
    match kind {
        Kind::Bool => name.parse().map_or(Scalar::Text(name), Scalar::Bool),
        Kind::String => Scalar::Text(name),
        _ => name.parse().map_or(Scalar::Text(name), Scalar::Int),
    }
}

/// One value: a single field's, or an element of a list or map, where null is no value.
pub(super) struct One<'d, 's> {
    pub(super) decoder: &'d mut Decoder<'s>,
    pub(super) number: u32,
    pub(super) kind: Kind,
}

impl One<'_, '_> {
    fn scalar(self, value: Option<Scalar<'_>>) {
        let Self { decoder, number, kind } = self;
        let put = match value {
            Some(value) => scalar::put(&mut decoder.out, decoder.schema, number, kind, value),
            None => Err(scalar::expected(decoder.schema, kind)),
        };
        if let Err(refusal) = put {
            decoder.refuse(refusal);
        }
    }
}

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.kind == Kind::Value {
            let start = wire::open(&mut self.decoder.out, self.number);
            FreeValue(self.decoder).deserialize(json)?;
            wire::close(&mut self.decoder.out, start);
            return Ok(());
        }
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_> {
    type Value = ();

    visit_scalars!();

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self { decoder, number, kind } = self;
        if !matches!(kind, Kind::Message(_) | Kind::Struct) {
            decoder.refuse(scalar::expected(decoder.schema, kind));
            return skip_map(map);
        }
        let start = wire::open(&mut decoder.out, number);
        match kind {
            Kind::Message(id) => decoder.message(id, &[], map, None)?,
            _ => free_json::object(decoder, map)?,
        }
        wire::close(&mut decoder.out, start);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let Self { decoder, number, kind } = self;
        if kind != Kind::ListValue {
            decoder.refuse(scalar::expected(decoder.schema, kind));
            return skip_seq(seq);
        }
        let start = wire::open(&mut decoder.out, number);
        free_json::list(decoder, seq)?;
        wire::close(&mut decoder.out, start);
        Ok(())
    }
}

/// A value that nobody asked for, where only its depth counts; or the one of a misnamed field, which is refused unless it
/// is null.
pub(super) struct Ignored<'d, 's> {
    pub(super) decoder: &'d mut Decoder<'s>,
    pub(super) refusal: Option<Refusal>,
}

impl Ignored<'_, '_> {
    fn scalar(self, value: Option<Scalar<'_>>) {
        if let (Some(refusal), Some(_)) = (self.refusal, value) {
            self.decoder.refuse(refusal);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Ignored<'_, '_> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Ignored<'_, '_> {
    type Value = ();

    visit_scalars!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { decoder, refusal } = self;
        if let Some(refusal) = refusal {
            decoder.refuse(refusal);
        }
        if !decoder.enter() {
            return skip_map(map);
        }
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Ignored { decoder, refusal: None })?;
        }
        decoder.leave();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { decoder, refusal } = self;
        if let Some(refusal) = refusal {
            decoder.refuse(refusal);
        }
        if !decoder.enter() {
            return skip_seq(seq);
        }
        while seq.next_element_seed(Ignored { decoder, refusal: None })?.is_some() {}
        decoder.leave();
        Ok(())
    }
}

/// Passes over an object without descending by recursion, however deep it is.
pub(super) fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Passes over a list without descending by recursion, however deep it is.
pub(super) fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}
