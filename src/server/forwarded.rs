//! What a trusted proxy says of the client before it: `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded`
//! (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// What only a trusted proxy may say.
const HEADERS: [&str; 4] = ["forwarded", FORWARDED_FOR, FORWARDED_PROTO, "x-forwarded-host"];

/// Takes out what somebody who is no trusted proxy says.
pub(super) fn remove(headers: &mut HeaderMap) {
    for name in HEADERS {
        headers.remove(HeaderName::from_static(name));
    }
}

/// The client's address, where the proxies name one, and whether its connection is encrypted.
///
/// `Forwarded` counts only where there is no other header: a proxy that writes those hands on what the client wrote
/// into this one.
pub(super) fn client(headers: &HeaderMap, is_trusted: impl Fn(&IpAddr) -> bool) -> (Option<IpAddr>, bool) {
    if headers.contains_key(FORWARDED_FOR) || headers.contains_key(FORWARDED_PROTO) {
        let hops = entries(headers, FORWARDED_FOR).map(address);
        let protocol = entries(headers, FORWARDED_PROTO).next();
        return (nearest(hops, is_trusted), protocol.is_some_and(is_https));
    }
    let hops = entries(headers, "forwarded").map(|hop| parameter(hop, "for").and_then(address));
    let protocol = entries(headers, "forwarded")
        .next()
        .and_then(|hop| parameter(hop, "proto"));
    (nearest(hops, is_trusted), protocol.is_some_and(is_https))
}

/// The nearest address that is no proxy of ours, else the furthest one that is; a client can write anything before it.
fn nearest(hops: impl Iterator<Item = Option<IpAddr>>, is_trusted: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let mut furthest = None;
    for address in hops.map_while(|hop| hop) {
        furthest = Some(address);
        if !is_trusted(&address) {
            break;
        }
    }
    furthest
}

/// The entries of a header, the nearest proxy's first.
fn entries<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().rev();
    values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',').map(str::trim))
}

/// A parameter of an entry of `Forwarded`, without its quotes.
fn parameter<'h>(hop: &'h str, name: &str) -> Option<&'h str> {
    let mut parameters = hop.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// `ip`, `ip:port`, `[ip]` or `[ip]:port`. What hides the address (`unknown`, `_name`) is none.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let parsed = parsed.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    parsed.map(|address| address.to_canonical())
}

fn is_https(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seen(headers: &[(&'static str, &'static str)]) -> (Option<String>, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let is_ours = |address: &IpAddr| address.to_string().starts_with("10.");
        let (address, secure) = client(&map, is_ours);
        (address.map(|address| address.to_string()), secure)
    }

    #[test]
    fn an_address_is_read_with_and_without_its_port() {
        for (written, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("203.0.113.1, 192.0.2.1:80, 10.0.0.1:80", Some("192.0.2.1")),
            ("10.0.0.2, 10.0.0.1", Some("10.0.0.2")),
            ("192.0.2.1:x", None),
            ("192.0.2.1:99999", None),
            ("unknown", None),
        ] {
            assert_eq!(seen(&[("x-forwarded-for", written)]).0.as_deref(), address, "{written}");
        }
    }

    #[test]
    fn forwarded_is_read_where_it_stands_alone() {
        for (written, address, secure) in [
            ("for=192.0.2.1", Some("192.0.2.1"), false),
            ("For=192.0.2.1;proto=https;by=203.0.113.43", Some("192.0.2.1"), true),
            ("for=\"[2001:db8::1]:4711\"; Proto=\"HTTPS\"", Some("2001:db8::1"), true),
            (
                "for=203.0.113.1, for=192.0.2.1, for=10.0.0.1;proto=http",
                Some("192.0.2.1"),
                false,
            ),
            ("for=192.0.2.1;proto=https, for=10.0.0.1", Some("192.0.2.1"), false),
            ("for=unknown", None, false),
            ("for=_hidden", None, false),
            ("nonsense", None, false),
        ] {
            let expected = (address.map(str::to_owned), secure);
            assert_eq!(seen(&[("forwarded", written)]), expected, "{written}");
        }
        let both = [
            ("forwarded", "for=192.0.2.1;proto=https"),
            ("x-forwarded-for", "192.0.2.2"),
        ];
        assert_eq!(seen(&both), (Some("192.0.2.2".to_owned()), false));
    }

    #[test]
    fn of_several_protocols_the_nearest_proxys_counts() {
        for (written, secure) in [
            ("https", true),
            ("https, http", false),
            ("http, https", true),
            ("", false),
        ] {
            assert_eq!(seen(&[("x-forwarded-proto", written)]).1, secure, "{written}");
        }
        let twice = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert!(!seen(&twice).1);
    }
}
