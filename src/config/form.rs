//! What values of settings look like.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use ipnet::IpNet;
use url::Url;

const MIN_SECRET_BYTES: usize = 32;
/// A hundred years: sums of times stay far from what a clock can't tell.
const MAX_SECONDS: f64 = 100.0 * 365.0 * 86_400.0;

/// What the values of a setting look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// `true` or `false`.
    Switch,
    /// A whole number, from the first to the second.
    Whole(u64, u64),
    /// Seconds, at least so many; parts of one are allowed.
    Seconds(f64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A file or directory.
    Path,
    /// A host and a port.
    Address,
    /// IP addresses and CIDR blocks.
    Networks,
    /// Origins of browsers.
    Origins,
    /// `sqlite:` or `postgres:`. May hold a password.
    DatabaseUrl,
    /// `http:` or `https:`.
    WebUrl,
    /// What is logged.
    LogFilter,
    /// At least 32 bytes that must not be shown.
    Secret,
    /// 32 bytes in Base64 that must not be shown.
    Key,
}

/// What TOML writes a form as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TomlType {
    Boolean,
    Integer,
    Number,
    String,
    /// An array of strings; one string with commas serves too.
    Strings,
}

impl Form {
    /// Whether messages must not hold its values.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Key | Self::DatabaseUrl)
    }

    /// What is expected, for messages.
    pub fn expected(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Seconds(least) => format!("a number of seconds from {least} to {MAX_SECONDS}"),
            Self::Word(words) => words.join(" or "),
            Self::Path => "a path".to_owned(),
            Self::Address => "an address and a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080".to_owned(),
            Self::Networks => "IP addresses or CIDR blocks, such as 10.0.0.0/8".to_owned(),
            Self::Origins => "origins such as https://app.example.com, or *".to_owned(),
            Self::DatabaseUrl => "sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned(),
            Self::WebUrl => "http:// or https:// with a host and without a query".to_owned(),
            Self::LogFilter => "a level such as info, or a filter such as memsync=debug,info".to_owned(),
            Self::Secret => format!("at least {MIN_SECRET_BYTES} bytes"),
            Self::Key => "32 bytes in Base64".to_owned(),
        }
    }

    pub(super) fn toml_type(self) -> TomlType {
        match self {
            Self::Switch => TomlType::Boolean,
            Self::Whole(..) => TomlType::Integer,
            Self::Seconds(_) => TomlType::Number,
            Self::Networks | Self::Origins => TomlType::Strings,
            _ => TomlType::String,
        }
    }

    /// What is wrong with a value; it says more than that it is not what is expected, where there is more to say.
    pub(super) fn check(self, text: &str) -> Result<(), Option<String>> {
        let holds = |is_good: bool| if is_good { Ok(()) } else { Err(None) };
        if text.contains('\0') {
            return Err(None);
        }
        match self {
            Self::Switch => holds(matches!(text, "true" | "false")),
            Self::Whole(least, most) => {
                holds(is_decimal(text) && text.parse().is_ok_and(|n| (least..=most).contains(&n)))
            }
            Self::Seconds(least) => holds(text.parse().is_ok_and(|s: f64| (least..=MAX_SECONDS).contains(&s))),
            Self::Word(words) => holds(words.contains(&text)),
            Self::Path => holds(!text.is_empty()),
            Self::Address => address(text).map(|_| ()),
            Self::Networks => bad_item(text, |item| network(item).is_some()),
            Self::Origins => bad_item(text, is_origin),
            Self::DatabaseUrl => holds(is_database_url(text)),
            Self::WebUrl => holds(text.parse().is_ok_and(|url: Uri| is_web_url(&url))),
            Self::LogFilter => match tracing_subscriber::EnvFilter::builder().parse(text) {
                Ok(_) => holds(!text.trim().is_empty()),
                Err(error) => Err(Some(error.to_string())),
            },
            Self::Secret => holds(text.len() >= MIN_SECRET_BYTES),
            Self::Key => holds(key(text).is_some()),
        }
    }
}

/// `+1` parses too, and looks like a mistake.
fn is_decimal(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// The items of a list.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn bad_item(list: &str, is_good: impl Fn(&str) -> bool) -> Result<(), Option<String>> {
    match items(list).find(|item| !is_good(item)) {
        None => Ok(()),
        Some(bad) => Err(Some(format!("{bad:?} is none"))),
    }
}

/// An address to listen at. A name is resolved, to an address of IPv4 where it has one.
pub(super) fn address(text: &str) -> Result<SocketAddr, Option<String>> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if !text.is_empty() && is_decimal(text.strip_prefix(':').unwrap_or(text)) {
        let port = text.trim_start_matches(':');
        return Err(Some(format!(
            "write 127.0.0.1:{port} for this machine alone, or 0.0.0.0:{port} for every network"
        )));
    }
    let (host, port) = text.rsplit_once(':').ok_or(None)?;
    let is_name = |host: &str| {
        host.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    let port: u16 = Some(port)
        .filter(|p| is_decimal(p))
        .and_then(|p| p.parse().ok())
        .ok_or(None)?;
    if host.is_empty() || !is_name(host) {
        return Err(None);
    }
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|e| Some(format!("the name {host} can't be resolved: {e}")))?
        .collect();
    let ipv4 = found.iter().find(|address| address.is_ipv4());
    let nothing = || Some(format!("the name {host} has no address"));
    ipv4.or(found.first()).copied().ok_or_else(nothing)
}

/// A CIDR block, or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn is_origin(text: &str) -> bool {
    let is_url = |url: Uri| url.scheme().is_some() && url.path() == "/" && url.query().is_none();
    matches!(text, "*" | "null") || !text.ends_with('/') && text.parse().is_ok_and(is_url)
}

fn is_database_url(text: &str) -> bool {
    if let Some(file) = text.strip_prefix("sqlite:") {
        return !file
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap_or_default()
            .is_empty();
    }
    is_postgres(text) && Url::parse(text).is_ok()
}

pub(super) fn is_postgres(url: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

fn is_web_url(url: &Uri) -> bool {
    matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some() && url.query().is_none()
}

pub(super) fn key(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text.trim()).ok()?.try_into().ok()
}
