//! The rules that the fields of a request must keep. They collect: an answer names every bad field at once.

use std::borrow::Cow;

use prost_types::{Struct, Timestamp, Value, value::Kind};
use serde_json::{Map, Number};

use chrono::{DateTime, Utc};

use crate::error::{Error, Result, Violation};
use crate::model::{id_fault, is_servable};

/// Characters of an id or a name, at most.
const MAX_VISIBLE: usize = 128;
/// Bytes of an address, a password or a token that is checked, at most.
const MAX_GIVEN_BYTES: usize = 1024;
/// Bytes of a message's content, at most.
pub(super) const MAX_CONTENT_BYTES: usize = 32 << 10;
/// Characters of a query, at most.
pub(super) const MAX_QUERY_CHARS: usize = 4096;
const MAX_METADATA_BYTES: usize = 16 << 10;
const MAX_METADATA_DEPTH: usize = 8;

/// What is wrong with a request so far.
#[derive(Debug, Default)]
pub(super) struct Violations {
    list: Vec<Violation>,
    invalid_category: Option<String>,
    invalid_format: Option<String>,
}

impl Violations {
    pub(super) fn add(&mut self, field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) {
        self.list.push(Violation::new(field, reason));
    }

    /// A word that is no category; an error of its own when nothing else is wrong.
    pub(super) fn add_category(&mut self, field: impl Into<Cow<'static, str>>) {
        let field = field.into();
        self.invalid_category.get_or_insert_with(|| field.clone().into_owned());
        self.add(field, "must be one of the ten categories");
    }

    /// A word that is no format of a biography; an error of its own when nothing else is wrong.
    pub(super) fn add_format(&mut self, field: &'static str) {
        self.invalid_format = Some(field.to_owned());
        self.add(field, "must be one of: full, short, bullets, professional");
    }

    /// The error that names all of it, or `value` when nothing is wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T> {
        match (self.list.len(), self.invalid_category, self.invalid_format) {
            (0, _, _) => Ok(value),
            (1, Some(field), _) => Err(Error::InvalidCategory(field)),
            (1, _, Some(field)) => Err(Error::InvalidFormat(field)),
            _ => Err(Error::Invalid(self.list)),
        }
    }

    /// An id of `min` to 128 characters, which [`id_fault`] finds nothing wrong with.
    pub(super) fn id(&mut self, field: impl Into<Cow<'static, str>>, text: &str, min: usize) {
        let chars = text.chars().take(MAX_VISIBLE + 1).count();
        if chars < min || chars > MAX_VISIBLE {
            self.add(field, format!("must be {min} to {MAX_VISIBLE} characters"));
        } else if let Some(fault) = id_fault(text) {
            self.add(field, fault);
        }
    }

    /// [`Self::id`] where it is given.
    pub(super) fn id_if_some(&mut self, field: impl Into<Cow<'static, str>>, text: Option<&String>) {
        if let Some(text) = text {
            self.id(field, text, 1);
        }
    }

    /// `min` to 128 characters, none of them a control character, not all of them blank: a name, or what is compared with
    /// an id.
    pub(super) fn visible(&mut self, field: impl Into<Cow<'static, str>>, text: &str, min: usize) {
        let chars = text.chars().take(MAX_VISIBLE + 1).count();
        if chars < min || chars > MAX_VISIBLE {
            self.add(field, format!("must be {min} to {MAX_VISIBLE} characters"));
        } else if text.chars().any(is_invisible) {
            self.add(field, "must have no control or invisible characters");
        } else if chars > 0 && text.trim().is_empty() {
            self.add(field, "must not be blank");
        }
    }

    /// Not empty, and not so long that it could only do harm.
    pub(super) fn given(&mut self, field: &'static str, text: &str) {
        if text.is_empty() || text.len() > MAX_GIVEN_BYTES {
            self.add(field, format!("must be 1 to {MAX_GIVEN_BYTES} bytes"));
        }
    }

    /// [`Self::visible`] where it is given.
    pub(super) fn visible_if_some(&mut self, field: impl Into<Cow<'static, str>>, text: Option<&String>) {
        if let Some(text) = text {
            self.visible(field, text, 1);
        }
    }

    /// A whole number from `min` to `max`; `default` when absent.
    pub(super) fn range(&mut self, field: &'static str, value: Option<i32>, default: i32, min: i32, max: i32) -> i32 {
        let value = value.unwrap_or(default);
        if value < min || value > max {
            self.add(field, format!("must be {min} to {max}"));
        }
        value
    }

    /// A share from 0.0 to 1.0.
    pub(super) fn share(&mut self, field: &'static str, value: Option<f64>) -> Option<f32> {
        let value = value?;
        if !(0.0..=1.0).contains(&value) {
            self.add(field, "must be 0.0 to 1.0");
        }
        Some(value as f32)
    }

    /// A time that a calendar has.
    pub(super) fn time(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        value: Option<Timestamp>,
    ) -> Option<DateTime<Utc>> {
        let Timestamp { seconds, nanos } = value?;
        let time = u32::try_from(nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(seconds, nanos));
        let time = time.filter(|time| is_servable(*time));
        if time.is_none() {
            self.add(field, "must be a time between the years 1 and 9999");
        }
        time
    }

    /// A time after `now`.
    pub(super) fn future(
        &mut self,
        field: &'static str,
        value: Option<Timestamp>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let time = self.time(field, value)?;
        if time <= now {
            self.add(field, "must be in the future");
        }
        Some(time)
    }

    /// Free data of the client: at most 16 KiB as JSON and 8 levels deep.
    pub(super) fn metadata(
        &mut self,
        field: &'static str,
        value: Option<Struct>,
    ) -> Option<Map<String, serde_json::Value>> {
        let map = struct_to_json(value?, MAX_METADATA_DEPTH);
        match map {
            None => self.add(field, format!("must be at most {MAX_METADATA_DEPTH} levels deep")),
            Some(map) => {
                let bytes = serde_json::to_vec(&map).map_or(usize::MAX, |json| json.len());
                if bytes <= MAX_METADATA_BYTES {
                    return Some(map);
                }
                self.add(field, "must be at most 16 KiB as JSON");
            }
        }
        None
    }
}

/// Control characters, and the invisible ones that make two ids look alike (bidirectional marks, zero-width marks).
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn struct_to_json(value: Struct, depth: usize) -> Option<Map<String, serde_json::Value>> {
    let depth = depth.checked_sub(1)?;
    value
        .fields
        .into_iter()
        .map(|(key, value)| Some((key, value_to_json(value, depth)?)))
        .collect()
}

fn value_to_json(value: Value, depth: usize) -> Option<serde_json::Value> {
    Some(match value.kind {
        None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
        Some(Kind::BoolValue(b)) => b.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::NumberValue(number)) => json_number(number),
        Some(Kind::StructValue(inner)) => struct_to_json(inner, depth)?.into(),
        Some(Kind::ListValue(list)) => {
            let depth = depth.checked_sub(1)?;
            list.values
                .into_iter()
                .map(|item| value_to_json(item, depth))
                .collect::<Option<Vec<_>>>()?
                .into()
        }
    })
}

/// Whole numbers stay whole: protobuf has only doubles in free data.
fn json_number(number: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        (number as i64).into()
    } else {
        Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
    }
}
