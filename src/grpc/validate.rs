//! Checks a request by what `memsync.v1.limits` declares of its fields. Violations collect: an answer names every bad field
//! at once.

use std::borrow::Cow;

use prost_types::{Struct, Timestamp, Value, value::Kind};
use serde_json::{Map, Number};

use chrono::{DateTime, Utc};

use super::place::Place;
use crate::error::{Error, Result, Violation};
use crate::model::{id_fault, is_servable};
use crate::proto::Field;
use crate::proto::v1::TextForm;

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
    pub(super) fn add_category(&mut self, place: impl Into<Place>) {
        let field = Cow::from(place.into());
        self.invalid_category.get_or_insert_with(|| field.clone().into_owned());
        self.add(field, "must be one of the ten categories");
    }

    /// A word that is no format of a biography; an error of its own when nothing else is wrong.
    pub(super) fn add_format(&mut self, field: &'static Field) {
        self.invalid_format = Some(field.name.to_owned());
        self.add(field.name, one_of(field.words));
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

    /// A text of the declared length and form.
    pub(super) fn text(&mut self, place: impl Into<Place>, text: &str) {
        let place = place.into();
        if let Some(fault) = text_fault(place.field(), text) {
            self.add(place, fault);
        }
    }

    /// [`Self::text`] where it is given.
    pub(super) fn text_if_some(&mut self, place: impl Into<Place>, text: Option<&String>) {
        if let Some(text) = text {
            self.text(place, text);
        }
    }

    /// A text that its use case checks: here only that there is one, and not so long that it could only do harm.
    pub(super) fn given(&mut self, field: &'static Field, text: &str) {
        if text.is_empty() || text.len() > field.max_bytes {
            self.add(field.name, format!("must be 1 to {} bytes", field.max_bytes));
        }
    }

    /// As many items as declared. `noun` is what the answer calls them.
    pub(super) fn count(&mut self, place: impl Into<Place>, noun: &str, count: usize) {
        let place = place.into();
        let Field {
            min_items, max_items, ..
        } = *place.field();
        if !(min_items..=max_items).contains(&count) {
            let wanted = format!("must be {} {noun}", bounds(min_items, max_items));
            self.add(place, wanted.trim_end().to_owned());
        }
    }

    /// A whole number within the declared bounds.
    pub(super) fn number(&mut self, place: impl Into<Place>, value: Option<i32>) -> Option<i32> {
        let (value, place) = (value?, place.into());
        let min = place.field().minimum.max(i32::MIN.into());
        let max = place.field().maximum.min(i32::MAX.into());
        if !(min..=max).contains(&value.into()) {
            self.add(place, format!("must be {min} to {max}"));
        }
        Some(value)
    }

    /// A share within the declared bounds.
    pub(super) fn share(&mut self, field: &'static Field, value: Option<f64>) -> Option<f32> {
        let value = value?;
        let (min, max) = (field.minimum as f64, field.maximum as f64);
        if !(min..=max).contains(&value) {
            self.add(field.name, format!("must be {min:?} to {max:?}"));
        }
        Some(value as f32)
    }

    /// What `meaning` says of a word of the field's enum; nothing, and a violation, where it says nothing.
    pub(super) fn word<E: TryFrom<i32>, T>(
        &mut self,
        place: impl Into<Place>,
        word: Option<i32>,
        meaning: impl FnOnce(E) -> Option<T>,
    ) -> Option<T> {
        let meaning = E::try_from(word?).ok().and_then(meaning);
        if meaning.is_none() {
            let place = place.into();
            self.add(place, one_of(place.field().words));
        }
        meaning
    }

    /// A time that a calendar has.
    pub(super) fn time(&mut self, place: impl Into<Place>, value: Option<Timestamp>) -> Option<DateTime<Utc>> {
        let Timestamp { seconds, nanos } = value?;
        let time = u32::try_from(nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(seconds, nanos));
        let time = time.filter(|time| is_servable(*time));
        if time.is_none() {
            self.add(place.into(), "must be a time between the years 1 and 9999");
        }
        time
    }

    /// A time after `now`.
    pub(super) fn future(
        &mut self,
        field: &'static Field,
        value: Option<Timestamp>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let time = self.time(field, value)?;
        if time <= now {
            self.add(field.name, "must be in the future");
        }
        Some(time)
    }

    /// Free data of the client, as large and as deep as declared.
    pub(super) fn metadata(
        &mut self,
        field: &'static Field,
        value: Option<Struct>,
    ) -> Option<Map<String, serde_json::Value>> {
        let Field {
            max_bytes, max_depth, ..
        } = *field;
        match struct_to_json(value?, max_depth) {
            None => self.add(field.name, format!("must be at most {max_depth} levels deep")),
            Some(map) => {
                let bytes = serde_json::to_vec(&map).map_or(usize::MAX, |json| json.len());
                if bytes <= max_bytes {
                    return Some(map);
                }
                self.add(field.name, format!("must be at most {} KiB as JSON", max_bytes >> 10));
            }
        }
        None
    }
}

/// What is wrong with a text, by what is declared of its field.
fn text_fault(field: &Field, text: &str) -> Option<Cow<'static, str>> {
    let (fits, is_blank) = (has_length_of(field, text), text.trim().is_empty());
    let more = match field.form {
        TextForm::NotBlank if !fits || is_blank => ", not all blank",
        TextForm::Kept if !fits || is_blank || text.contains('\0') => ", not all blank, without NUL",
        _ if !fits => "",
        TextForm::Id => return id_fault(text).map(Cow::from),
        TextForm::Visible => return visible_fault(text).map(Cow::from),
        TextForm::Unspecified | TextForm::NotBlank | TextForm::Kept => return None,
    };
    Some(format!("must be {}{more}", length_of(field)).into())
}

fn has_length_of(field: &Field, text: &str) -> bool {
    let Field {
        min_length,
        max_length,
        max_bytes,
        ..
    } = *field;
    let is_long_enough = text.chars().take(min_length).count() == min_length;
    let is_short_enough = text.len() <= max_length || text.chars().nth(max_length).is_none();
    is_long_enough && is_short_enough && text.len() <= max_bytes
}

fn length_of(field: &Field) -> String {
    let Field {
        min_length,
        max_length,
        max_bytes,
        ..
    } = *field;
    match max_bytes {
        usize::MAX => format!("{min_length} to {max_length} characters"),
        _ => format!("{} bytes", bounds(min_length, max_bytes)),
    }
}

fn bounds(min: usize, max: usize) -> String {
    match min {
        0 => format!("at most {max}"),
        _ => format!("{min} to {max}"),
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [others @ .., last] if words.len() <= 3 => format!("must be {} or {last}", others.join(", ")),
        _ => format!("must be one of: {}", words.join(", ")),
    }
}

fn visible_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(is_invisible) {
        Some("must have no control or invisible characters")
    } else if !text.is_empty() && text.trim().is_empty() {
        Some("must not be blank")
    } else {
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

#[cfg(test)]
mod tests;
