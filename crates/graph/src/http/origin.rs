//! Where the client found this server. Every link in a reply must lead back the way it came.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use crate::error::ApiError;

/// How to tell under which address clients reach this server.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// Whether this server itself ends TLS.
    pub https: bool,
    /// Proxies whose `Forwarded` and `X-Forwarded-*` headers are believed. Anybody else could send
    /// these headers to have links point to a host of their own.
    pub trusted_proxies: Vec<IpNet>,
}

/// The start of every link in a reply: scheme and host as the client used them, such as
/// `https://alerts.partner.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(Arc<str>);

impl Link {
    /// The address of the Graph API: the origin and `/beta`.
    #[must_use]
    pub fn beta(&self) -> String {
        format!("{}/beta", self.0)
    }

    /// Scheme and host, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0
    }
}

impl Origins {
    /// The origin that this request was sent to, as far as it can be believed.
    fn of(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Link> {
        let own_host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let believed = peer.is_some_and(|peer| self.trusted_proxies.iter().any(|net| net.contains(&peer)));
        let forwarded = if believed { Forwarded::read(headers) } else { Forwarded::default() };
        let host = forwarded.host.as_deref().or(own_host)?;
        let scheme = match forwarded.proto.as_deref() {
            Some(proto) if proto.eq_ignore_ascii_case("https") => "https",
            Some(proto) if proto.eq_ignore_ascii_case("http") => "http",
            _ if self.https => "https",
            _ => "http",
        };
        is_plausible(host).then(|| Link(format!("{scheme}://{host}").into()))
    }
}

/// Only what can stand in a link.
fn is_plausible(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
    !host.is_empty() && host.len() <= 255 && host.chars().all(plain)
}

/// What a proxy says of the request that it got.
#[derive(Debug, Default, PartialEq, Eq)]
struct Forwarded {
    proto: Option<String>,
    host: Option<String>,
}

impl Forwarded {
    /// `Forwarded` (RFC 7239) if it is there, `X-Forwarded-Proto` and `X-Forwarded-Host` otherwise.
    ///
    /// Each proxy adds its own entry at the end, and only the proxy that talks to us is known, so the
    /// last entry counts.
    fn read(headers: &HeaderMap) -> Self {
        let last = |name: &str| {
            let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            Some(value.rsplit(',').next()?.trim().to_owned()).filter(|entry| !entry.is_empty())
        };
        let Some(entry) = last("forwarded") else {
            return Self { proto: last("x-forwarded-proto"), host: last("x-forwarded-host") };
        };
        let mut read = Self::default();
        for (name, value) in entry.split(';').filter_map(|pair| pair.split_once('=')) {
            let value = value.trim().trim_matches('"').to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => read.proto = Some(value),
                "host" => read.host = Some(value),
                _ => {}
            }
        }
        read
    }
}

/// Adds the [`Link`] to the request, or refuses a request whose host cannot stand in a link.
pub(super) fn note_origin(origins: &Origins, request: &mut Request) -> Result<(), ApiError> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.ip());
    let link = origins
        .of(peer, request.headers())
        .ok_or_else(|| ApiError::bad_request("The Host header is missing or malformed."))?;
    request.extensions_mut().insert(link);
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn origin(https: bool, peer: &str, sent: &[(&'static str, &'static str)]) -> Option<String> {
        let origins = Origins { https, trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()] };
        let headers = sent
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        origins.of(peer.parse().ok(), &headers).map(|link| link.origin().to_owned())
    }

    #[test]
    fn links_start_with_the_host_that_the_client_used() {
        let check = |https: bool, sent: &[(&'static str, &'static str)], expected: Option<&str>| {
            assert_eq!(origin(https, "192.0.2.1", sent).as_deref(), expected, "{sent:?}");
        };
        check(false, &[("host", "127.0.0.1:8080")], Some("http://127.0.0.1:8080"));
        check(true, &[("host", "[::1]:8443")], Some("https://[::1]:8443"));
        check(false, &[("host", "evil.example/path?")], None);
        check(false, &[("host", "")], None);
        check(false, &[], None);
    }

    #[test]
    fn only_known_proxies_are_believed() {
        let check = |peer: &str, sent: &[(&'static str, &'static str)], expected: &str| {
            let with_host: Vec<_> =
                [("host", "inside:8080")].into_iter().chain(sent.iter().copied()).collect();
            assert_eq!(origin(false, peer, &with_host).as_deref(), Some(expected), "{peer} {sent:?}");
        };
        let x = [("x-forwarded-proto", "https"), ("x-forwarded-host", "alerts.example")];
        check("10.1.2.3", &x, "https://alerts.example");
        check("192.0.2.1", &x, "http://inside:8080");
        check("10.1.2.3", &[("x-forwarded-proto", "https")], "https://inside:8080");
        check("10.1.2.3", &[("x-forwarded-proto", "gopher")], "http://inside:8080");
        // The first entries may be the client's own words.
        check(
            "10.1.2.3",
            &[(
                "forwarded",
                "proto=http;host=evil.example, for=\"[2001:db8::1]\";proto=https;host=\"alerts.example\"",
            )],
            "https://alerts.example",
        );
        check("10.1.2.3", &[("x-forwarded-host", "evil.example, alerts.example")], "http://alerts.example");
    }
}
