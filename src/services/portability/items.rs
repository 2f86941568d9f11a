//! The records of a foreign export, one by one, however they are wrapped: a list, a list under a name, or one after
//! the other.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::sync::mpsc::Sender;

/// The names under which lists of records stand.
const LISTS: &[&str] = &["results", "memories", "edges", "facts", "data"];

/// Reads records and sends them; ends early when nobody listens any more.
pub(super) fn read(from: impl Read, to: &Sender<Value>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_reader(from);
    // The end of the file is a good end between two records.
    while !is_at_end(&mut json)? {
        Records(to).deserialize(&mut json)?;
    }
    Ok(())
}

fn is_at_end<R: Read>(json: &mut serde_json::Deserializer<serde_json::de::IoRead<R>>) -> serde_json::Result<bool> {
    match json.end() {
        Ok(()) => Ok(true),
        Err(e) if e.is_syntax() => Ok(false),
        Err(e) => Err(e),
    }
}

/// A record, or a list of them.
#[derive(Clone, Copy)]
struct Records<'a>(&'a Sender<Value>);

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a memory or a list of memories")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Value>()? {
            self.send(record)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut record = Map::new();
        let mut is_wrapper = false;
        while let Some(key) = map.next_key::<String>()? {
            if LISTS.contains(&key.as_str()) {
                is_wrapper = true;
                map.next_value_seed(Self(self.0))?;
            } else {
                record.insert(key, map.next_value()?);
            }
        }
        if is_wrapper {
            Ok(())
        } else {
            self.send(Value::Object(record))
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

impl Records<'_> {
    fn send<E: serde::de::Error>(self, record: Value) -> Result<(), E> {
        self.0.blocking_send(record).map_err(|_| E::custom("the import ended"))
    }
}
