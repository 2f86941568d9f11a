//! The host that a request names: whether it names one, in one way, and one that can be one.

use std::net::Ipv6Addr;

use axum::extract::Request;
use http::header::HOST;
use http::{HeaderMap, Uri};

const MAX_HOST_BYTES: usize = 255;

/// Whether a request names at most one host. Two `Host` headers, an absolute URI with another host, and what can't be
/// a host are read differently by every program on the way (RFC 9112, 3.2; RFC 9113, 8.3.1).
pub fn names_one_host(request: &Request) -> bool {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = match headers.next().map(|host| host.to_str()) {
        None => None,
        Some(Ok(host)) if is_host(host) && headers.next().is_none() => Some(host),
        Some(_) => return false,
    };
    let uri = request.uri();
    let Some(authority) = uri.authority() else { return true };
    let default_port = match uri.scheme_str() {
        Some("https") => ":443",
        _ => ":80",
    };
    let bare = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    let authority = authority.as_str();
    is_host(authority) && header.is_none_or(|header| bare(header) == bare(authority))
}

/// The host that the client named: to the proxy before this server, else to this server. What nobody vouches for was
/// taken out of the headers before.
pub(super) fn named_host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    // Where proxies add to the header, the last entry is the nearest one's.
    let forwarded = headers.get_all("x-forwarded-host").iter().next_back();
    let forwarded = forwarded.and_then(|hosts| hosts.to_str().ok()?.rsplit(',').next());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(|authority| authority.as_str());
    [forwarded.map(str::trim), host, authority]
        .into_iter()
        .flatten()
        .find(|host| is_host(host))
}

/// Whether this is a name or an address, with a port or without.
fn is_host(text: &str) -> bool {
    if text.len() > MAX_HOST_BYTES {
        return false;
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<Ipv6Addr>().is_ok(),
        Some((address, rest)) => match rest.strip_prefix(':') {
            Some(port) => return address.parse::<Ipv6Addr>().is_ok() && is_port(port),
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(is_name) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts_and_nothing_else_is() {
        for good in [
            "example.com",
            "EXAMPLE.com:8080",
            "memory_service:80",
            "127.0.0.1:1",
            "[::1]",
            "[2001:db8::1]:443",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ":80",
            "a b",
            "user@example.com",
            "example.com/path",
            "example.com:",
            "example.com:99999",
            "example.com:+80",
            "example.com:80:80",
            "\"><script>",
            "[::1",
            "[::1]x",
            "[example.com]",
            "a,b",
            "*.example.com",
            &"a".repeat(256),
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
