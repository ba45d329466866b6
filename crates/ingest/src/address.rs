//! Addresses of clients and interfaces, as records write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The address in its usual spelling; what is no address is none.
pub(crate) fn without_port(text: &str) -> Option<String> {
    // Version 4 has one spelling, so what was read need not be written again.
    if text.parse::<Ipv4Addr>().is_ok() {
        return Some(text.to_owned());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address =
        bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))?;
    Some(address.to_canonical().to_string())
}

/// `00-0D-3A-F8-78-56` and the like as `000D3AF87856`.
pub(crate) fn plain_mac(text: &str) -> Option<String> {
    let mac: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    (!mac.is_empty()).then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_port() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(without_port(text).as_deref(), expected, "{text}");
        };
        check("203.0.113.9", Some("203.0.113.9"));
        check("203.0.113.9:443", Some("203.0.113.9"));
        check("2001:DB8::0001", Some("2001:db8::1"));
        check("[2001:db8::1]:443", Some("2001:db8::1"));
        check("[2001:db8::1]", Some("2001:db8::1"));
        check("::ffff:203.0.113.9", Some("203.0.113.9"));
        check("a proxy", None);
        check("", None);
    }
}
