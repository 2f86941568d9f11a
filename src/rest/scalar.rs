//! One scalar, enum word or time → its wire record, or why it can't be taken.
//!
//! The only place that says what a value of each kind must look like. `decode` hands in JSON scalars, `params` text.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::{FieldViolation, InvalidWord};
use super::schema::{EnumId, Kind, Schema};
use super::wire::{self, WireType};
use crate::model::{time_of_number, time_of_text};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

const TIME: &str = "must be an RFC 3339 time between the years 1 and 9999, such as \"2026-01-15T16:30:00Z\", or the seconds or \
                    milliseconds since 1970";
/// From here on a double no longer holds every whole number.
const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

/// A value as JSON or text gives it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
}

/// Why a value was not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    reason: Cow<'static, str>,
    invalid_word: Option<InvalidWord>,
}

impl Refusal {
    pub(super) fn at(self, field: String) -> FieldViolation {
        FieldViolation {
            field,
            reason: self.reason,
            invalid_word: self.invalid_word,
        }
    }
}

impl From<&'static str> for Refusal {
    fn from(reason: &'static str) -> Self {
        Cow::Borrowed(reason).into()
    }
}

impl From<Cow<'static, str>> for Refusal {
    fn from(reason: Cow<'static, str>) -> Self {
        Self {
            reason,
            invalid_word: None,
        }
    }
}

/// What a value of this kind must be, for one of another type.
pub(super) fn expected(schema: &Schema, kind: Kind) -> Refusal {
    match kind {
        Kind::Double | Kind::Float => "must be a number".into(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => "must be an integer".into(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => "must be an integer".into(),
        Kind::Bool => "must be true or false".into(),
        Kind::String => "must be a string".into(),
        Kind::Bytes => "must be a base64 string".into(),
        Kind::Enum(id) => Refusal {
            reason: one_of(schema, id),
            invalid_word: None,
        },
        Kind::Timestamp => TIME.into(),
        Kind::Message(_) | Kind::Struct => "must be an object".into(),
        Kind::ListValue => "must be a list".into(),
        Kind::Value => "must be a JSON value".into(),
    }
}

/// Appends the record of one value.
pub(super) fn put(
    out: &mut Vec<u8>,
    schema: &Schema,
    number: u32,
    kind: Kind,
    value: Scalar<'_>,
) -> Result<(), Refusal> {
    match kind {
        Kind::Timestamp => put_time(out, number, value),
        Kind::String | Kind::Bytes | Kind::Enum(_) => match value {
            Scalar::Text(text) => put_text(out, schema, number, kind, text),
            _ => Err(expected(schema, kind)),
        },
        Kind::Bool => match value {
            Scalar::Bool(flag) => {
                put_integer(out, number, u64::from(flag));
                Ok(())
            }
            _ => Err(expected(schema, kind)),
        },
        Kind::Double => put_fixed64(out, number, real(value)?.to_bits()),
        Kind::Float => {
            let narrow = real(value)? as f32;
            if narrow.is_infinite() {
                return Err("is out of range".into());
            }
            put_fixed32(out, number, narrow.to_bits())
        }
        Kind::Message(_) | Kind::Struct | Kind::Value | Kind::ListValue => Err(expected(schema, kind)),
        _ => put_whole(out, number, kind, value),
    }
}

fn put_text(out: &mut Vec<u8>, schema: &Schema, number: u32, kind: Kind, text: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Bytes => {
            let bytes = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text));
            wire::put_bytes(out, number, &bytes.map_err(|_| expected(schema, kind))?);
        }
        Kind::Enum(id) => {
            let value = schema
                .enumeration(id)
                .number(text)
                .ok_or_else(|| invalid_word(schema, id))?;
            put_integer(out, number, i64::from(value) as u64);
        }
        _ => wire::put_bytes(out, number, text.as_bytes()),
    }
    Ok(())
}

fn put_time(out: &mut Vec<u8>, number: u32, value: Scalar<'_>) -> Result<(), Refusal> {
    let time = match value {
        Scalar::Text(text) => time_of_text(text).map(|time| time.to_utc()),
        Scalar::Int(whole) => time_of_number(whole as f64),
        Scalar::Uint(whole) => time_of_number(whole as f64),
        Scalar::Float(real) => time_of_number(real),
        Scalar::Bool(_) => None,
    };
    let time = time.ok_or(Refusal::from(TIME))?;
    // A leap second counts beyond the second's end, which protobuf has no place for.
    let nanos = time.timestamp_subsec_nanos().min(999_999_999);
    let start = wire::open(out, number);
    put_integer(out, 1, time.timestamp() as u64);
    put_integer(out, 2, u64::from(nanos));
    wire::close(out, start);
    Ok(())
}

/// Appends how far the clock of a time stands from UTC, in minutes, where it does.
pub(super) fn put_utc_offset(out: &mut Vec<u8>, number: u32, time: Scalar<'_>) {
    if let Scalar::Text(text) = time
        && let Some(time) = time_of_text(text)
    {
        let minutes = time.offset().local_minus_utc() / 60;
        if minutes != 0 {
            put_integer(out, number, i64::from(minutes) as u64);
        }
    }
}

fn put_whole(out: &mut Vec<u8>, number: u32, kind: Kind, value: Scalar<'_>) -> Result<(), Refusal> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            let whole: i32 = narrow(
                signed(value, false)?,
                "must be an integer from -2147483648 to 2147483647",
            )?;
            match kind {
                Kind::Sfixed32 => return put_fixed32(out, number, whole as u32),
                Kind::Sint32 => put_integer(out, number, u64::from(((whole << 1) ^ (whole >> 31)) as u32)),
                _ => put_integer(out, number, i64::from(whole) as u64),
            }
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            let whole: i64 = narrow(signed(value, true)?, "must be an integer of 64 bits")?;
            match kind {
                Kind::Sfixed64 => return put_fixed64(out, number, whole as u64),
                Kind::Sint64 => put_integer(out, number, ((whole << 1) ^ (whole >> 63)) as u64),
                _ => put_integer(out, number, whole as u64),
            }
        }
        Kind::Uint32 | Kind::Fixed32 => {
            let whole: u32 = narrow(signed(value, false)?, "must be an integer from 0 to 4294967295")?;
            match kind {
                Kind::Fixed32 => return put_fixed32(out, number, whole),
                _ => put_integer(out, number, u64::from(whole)),
            }
        }
        _ => {
            let whole: u64 = narrow(signed(value, true)?, "must be an unsigned integer of 64 bits")?;
            match kind {
                Kind::Fixed64 => return put_fixed64(out, number, whole),
                _ => put_integer(out, number, whole),
            }
        }
    }
    Ok(())
}

/// A whole number, wide enough for both signs of 64 bits. 64-bit kinds also take text, as protobuf's JSON does.
fn signed(value: Scalar<'_>, text_too: bool) -> Result<i128, Refusal> {
    match value {
        Scalar::Int(whole) => Ok(whole.into()),
        Scalar::Uint(whole) => Ok(whole.into()),
        Scalar::Float(real) if real.fract() == 0.0 && real.abs() <= 2.0 * TWO_POW_63 => Ok(real as i128),
        Scalar::Text(text) if text_too => text.parse().map_err(|_| "must be an integer".into()),
        _ => Err("must be an integer".into()),
    }
}

fn narrow<T: TryFrom<i128>>(whole: i128, range: &'static str) -> Result<T, Refusal> {
    T::try_from(whole).map_err(|_| range.into())
}

fn real(value: Scalar<'_>) -> Result<f64, Refusal> {
    match value {
        Scalar::Int(whole) => Ok(whole as f64),
        Scalar::Uint(whole) => Ok(whole as f64),
        Scalar::Float(real) if real.is_finite() => Ok(real),
        _ => Err("must be a number".into()),
    }
}

fn invalid_word(schema: &Schema, id: EnumId) -> Refusal {
    let enumeration = schema.enumeration(id);
    let invalid_word = enumeration.invalid_reason.as_ref().map(|reason| InvalidWord {
        reason: reason.to_string(),
        valid: enumeration.valid_words().map(str::to_owned).collect(),
    });
    Refusal {
        reason: one_of(schema, id),
        invalid_word,
    }
}

fn one_of(schema: &Schema, id: EnumId) -> Cow<'static, str> {
    let words: Vec<&str> = schema.enumeration(id).valid_words().collect();
    format!("must be one of: {}", words.join(", ")).into()
}

fn put_integer(out: &mut Vec<u8>, number: u32, value: u64) {
    wire::put_tag(out, number, WireType::Varint);
    wire::put_varint(out, value);
}

fn put_fixed64(out: &mut Vec<u8>, number: u32, bits: u64) -> Result<(), Refusal> {
    wire::put_tag(out, number, WireType::Fixed64);
    out.extend_from_slice(&bits.to_le_bytes());
    Ok(())
}

fn put_fixed32(out: &mut Vec<u8>, number: u32, bits: u32) -> Result<(), Refusal> {
    wire::put_tag(out, number, WireType::Fixed32);
    out.extend_from_slice(&bits.to_le_bytes());
    Ok(())
}
