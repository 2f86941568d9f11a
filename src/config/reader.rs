//! Reading settings one by one, and gathering what is wrong with them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use figment::Figment;
use figment::value::{Dict, Value};
use ipnet::IpNet;

use super::{EmbedderConfig, Hidden, HiddenKey, LimitsConfig, MIN_SECRET_BYTES, TlsConfig};

pub(super) struct Reader {
    pub(super) figment: Figment,
    pub(super) faults: Vec<String>,
    pub(super) known: BTreeSet<&'static str>,
}

impl Reader {
    fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.insert(name);
        let value = self.figment.find_value(name).ok()?;
        let text = match &value {
            Value::String(_, text) => Some(text.clone()),
            Value::Bool(_, b) => Some(b.to_string()),
            Value::Num(_, n) => {
                let whole = n
                    .to_i128()
                    .map(|n| n.to_string())
                    .or_else(|| n.to_u128().map(|n| n.to_string()));
                whole.or_else(|| n.to_f64().map(|n| n.to_string()))
            }
            Value::Array(_, items) => items
                .iter()
                .map(|i| i.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(|i| i.join(",")),
            Value::Char(_, c) => Some(c.to_string()),
            Value::Dict(..) | Value::Empty(..) => None,
        };
        if text.is_none() {
            self.faults.push(format!("{name}: must be a single value"));
        }
        text
    }

    pub(super) fn get<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.faults.push(format!("{name}: {text:?}: {e}"));
                None
            }
        }
    }

    pub(super) fn seconds(&mut self, name: &'static str, default: f64) -> Duration {
        let seconds = self.get(name).unwrap_or(default);
        Duration::try_from_secs_f64(seconds).unwrap_or_else(|e| {
            self.faults.push(format!("{name}: {seconds}: {e}"));
            Duration::ZERO
        })
    }

    /// At least 32 bytes. The value is in no message.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<Hidden> {
        let secret = self.text(name)?;
        if secret.len() < MIN_SECRET_BYTES {
            self.faults
                .push(format!("{name}: must be at least {MIN_SECRET_BYTES} bytes"));
        }
        Some(Hidden(secret))
    }

    /// 32 bytes in Base64. The value is in no message.
    pub(super) fn key(&mut self, name: &'static str) -> Option<HiddenKey> {
        let text = self.text(name)?;
        let key = BASE64.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        if key.is_none() {
            self.faults.push(format!("{name}: must be 32 bytes in Base64"));
        }
        key.map(HiddenKey)
    }

    pub(super) fn embedder(&mut self) -> EmbedderConfig {
        let path = self.get("embedder.path");
        let embedder = match self.text("embedder.kind").as_deref() {
            None | Some("builtin") => Ok(EmbedderConfig::BuiltIn),
            Some("local") => local_embedder(path),
            Some(other) => Err(format!("embedder.kind: {other:?}: must be builtin or local")),
        };
        embedder.unwrap_or_else(|fault| {
            self.faults.push(fault);
            EmbedderConfig::BuiltIn
        })
    }

    pub(super) fn limits(&mut self) -> LimitsConfig {
        let requests = self.get("limits.requests_per_minute");
        let searches = self.get("limits.searches_per_minute");
        let integrations = self.get("limits.integrations_per_minute");
        let requests_per_minute = requests.unwrap_or(100);
        LimitsConfig {
            requests_per_minute,
            searches_per_minute: searches.unwrap_or(50),
            integrations_per_minute: integrations.unwrap_or(10),
            are_set: requests.or(searches).or(integrations).is_some(),
            unauthenticated_per_minute: self
                .get("limits.unauthenticated_per_minute")
                .unwrap_or(requests_per_minute.saturating_mul(12)),
        }
    }

    /// CIDR blocks, or single addresses.
    pub(super) fn networks(&mut self, name: &'static str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for item in self.list(name) {
            match item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => self
                    .faults
                    .push(format!("{name}: {item:?}: must be an IP address or a CIDR block")),
            }
        }
        networks
    }

    pub(super) fn list(&mut self, name: &'static str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Names that were given and never asked for.
    pub(super) fn unknown(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Ok(given) = self.figment.extract::<Dict>() {
            flatten(&given, "", &mut names);
        }
        names.retain(|name| !self.known.contains(name.as_str()));
        names
    }

    pub(super) fn tls(&mut self) -> Option<TlsConfig> {
        match (self.get("tls.cert"), self.get("tls.key")) {
            (Some(cert), Some(key)) => Some(TlsConfig { cert, key }),
            (None, None) => None,
            (Some(_), None) => {
                self.faults.push("tls.key: is needed beside tls.cert".to_owned());
                None
            }
            (None, Some(_)) => {
                self.faults.push("tls.cert: is needed beside tls.key".to_owned());
                None
            }
        }
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

fn flatten(given: &Dict, prefix: &str, names: &mut Vec<String>) {
    for (key, value) in given {
        let name = format!("{prefix}{key}");
        match value.as_dict() {
            Some(inner) => flatten(inner, &format!("{name}."), names),
            None => names.push(name),
        }
    }
}
