//! Reading settings one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::settings::{DefaultValue, find};
use super::sources::Given;
use super::{EmbedderConfig, Hidden, HiddenKey, TlsConfig, form};

/// Reads what was given, else what is declared as the default. What was given has the declared form already.
pub(super) struct Reader<'a> {
    pub(super) given: &'a BTreeMap<&'static str, Given>,
    pub(super) faults: Vec<String>,
    /// The names that were asked for.
    pub(super) asked: BTreeSet<&'static str>,
}

/// The value of a setting: what was given, else its default.
pub(super) fn value(given: &BTreeMap<&'static str, Given>, name: &str) -> Option<String> {
    if let Some(given) = given.get(name) {
        return Some(given.text.clone());
    }
    match find(name)?.default {
        DefaultValue::Value(text) => Some(text.to_owned()),
        DefaultValue::Derived(_, make) => Some(make(&|other| value(given, other).unwrap_or_default())),
        DefaultValue::Unset(_) => None,
    }
}

impl Reader<'_> {
    fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked.insert(name);
        if find(name).is_none() {
            self.faults.push(format!("{name}: is not declared"));
        }
        value(self.given, name)
    }

    /// Whether it was given, and does not only have its default.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// A setting that has no default.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.faults.push(format!("{name}: {e}"));
                None
            }
        }
    }

    /// A setting that has a default.
    pub(super) fn get<T: FromStr<Err: Display> + Default>(&mut self, name: &'static str) -> T {
        self.optional(name).unwrap_or_default()
    }

    pub(super) fn seconds(&mut self, name: &'static str) -> Duration {
        let seconds = self.get(name);
        Duration::try_from_secs_f64(seconds).unwrap_or_else(|e| {
            self.faults.push(format!("{name}: {e}"));
            Duration::ZERO
        })
    }

    pub(super) fn secret(&mut self, name: &'static str) -> Option<Hidden> {
        self.text(name).map(Hidden)
    }

    pub(super) fn key(&mut self, name: &'static str) -> Option<HiddenKey> {
        form::key(&self.text(name)?).map(HiddenKey)
    }

    pub(super) fn address(&mut self, name: &'static str) -> SocketAddr {
        let text = self.text(name).unwrap_or_default();
        form::address(&text).unwrap_or_else(|reason| {
            self.faults.push(format!("{name}: {}", reason.unwrap_or_default()));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    pub(super) fn networks(&mut self, name: &'static str) -> Vec<IpNet> {
        self.list(name).iter().filter_map(|item| form::network(item)).collect()
    }

    pub(super) fn list(&mut self, name: &'static str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        form::items(&text).map(str::to_owned).collect()
    }

    pub(super) fn embedder(&mut self) -> EmbedderConfig {
        let path = self.optional("embedder.path");
        let embedder = match self.get::<String>("embedder.kind").as_str() {
            "local" => local_embedder(path),
            _ => Ok(EmbedderConfig::BuiltIn),
        };
        embedder.unwrap_or_else(|fault| {
            self.faults.push(fault);
            EmbedderConfig::BuiltIn
        })
    }

    pub(super) fn tls(&mut self) -> Option<TlsConfig> {
        let (cert, key) = (self.optional("tls.cert"), self.optional("tls.key"));
        let (missing, other) = match (cert, key) {
            (Some(cert), Some(key)) => return Some(TlsConfig { cert, key }),
            (None, None) => return None,
            (Some(_), None) => ("tls.key", "tls.cert"),
            (None, Some(_)) => ("tls.cert", "tls.key"),
        };
        self.faults.push(format!("{missing}: is needed beside {other}"));
        None
    }
}

#[cfg(feature = "local-embedder")]
fn local_embedder(path: Option<PathBuf>) -> Result<EmbedderConfig, String> {
    match path {
        Some(path) if path.is_dir() => Ok(EmbedderConfig::Local(path)),
        Some(path) => Err(format!("embedder.path: {} is not a directory", path.display())),
        None => Err("embedder.path: is needed where embedder.kind is local".to_owned()),
    }
}

#[cfg(not(feature = "local-embedder"))]
fn local_embedder(_: Option<PathBuf>) -> Result<EmbedderConfig, String> {
    Err("embedder.kind: this binary was built without the feature `local-embedder`".to_owned())
}
