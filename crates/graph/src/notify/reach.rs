//! Which receivers may be reached at all.
//!
//! A subscriber names the address that this server then calls, so without a guard a caller could make
//! the server talk to whatever only the server can reach: its own host, the network around it, a cloud's
//! metadata service. The guard stands in two places. [`Reach::url`] looks at the text, when a
//! subscription is made and before each call. The resolver of connections looks at the addresses that a name
//! resolves to at the moment of connecting, so a name whose address is changed later passes neither.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Longest URL of a receiver, in bytes; the validation token comes on top.
pub const URL_BYTES_MAX: usize = 2048;

/// What a subscriber may have this server call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether receivers on this machine may be called, also over plain http. For development.
    pub allow_insecure_loopback: bool,
    /// Networks that are no part of the public internet and yet hold receivers, such as the one of the
    /// company's own SIEM. Still over https only.
    pub allowed_networks: Vec<IpNet>,
}

/// Why a URL cannot be a receiver's. The text completes "Property 'notificationUrl' …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is longer than [`URL_BYTES_MAX`].
    #[error("may have at most {URL_BYTES_MAX} bytes")]
    TooLong,
    /// It is no absolute URL.
    #[error("must be an absolute URL such as https://receiver.example/notifications ({0})")]
    Malformed(url::ParseError),
    /// It is not https.
    #[error("must start with https://, not with {0}://")]
    NotHttps(String),
    /// It names a user or a password, which would stand in logs.
    #[error("must hold no user name and no password; put a secret into the query or use clientState")]
    Credentials,
    /// It has a fragment, which is never sent.
    #[error("must have no fragment, since none is ever sent")]
    Fragment,
    /// It names an address that is not called.
    #[error(transparent)]
    Address(#[from] ForbiddenAddress),
}

/// A receiver lies where this server does not call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "leads to {0}, which is no address of the public internet; the server's operator may allow its network"
)]
pub struct ForbiddenAddress(String);

/// Addresses that are not globally reachable, or stand for others that may not be.
/// Source: IANA IPv4 Special-Purpose Address Registry.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Global unicast; everything else of IPv6 is special.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// What is special within it: protocol assignments with Teredo, documentation, 6to4, documentation.
/// Source: IANA IPv6 Special-Purpose Address Registry.
const SPECIAL_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

const fn v4(bytes: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = bytes;
    Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address))
        }
    }
}

impl Reach {
    /// Whether that address may be called.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        // `::ffff:10.0.0.1` is 10.0.0.1 for whoever connects to it.
        let address = address.to_canonical();
        is_public(address)
            || (self.allow_insecure_loopback && address.is_loopback())
            || self.allowed_networks.iter().any(|net| net.contains(&address))
    }

    /// The URL, if its text is one that may be called.
    ///
    /// # Errors
    ///
    /// [`UrlError`], for the caller.
    pub fn url(&self, text: &str) -> Result<Url, UrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        let url = Url::parse(text).map_err(UrlError::Malformed)?;
        let host = url.host().ok_or(UrlError::Malformed(url::ParseError::EmptyHost))?;
        let plain_http_on_this_machine =
            url.scheme() == "http" && self.allow_insecure_loopback && names_this_machine(&host);
        if url.scheme() != "https" && !plain_http_on_this_machine {
            return Err(UrlError::NotHttps(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        if let Some(address) = literal(&host)
            && !self.allows(address)
        {
            return Err(ForbiddenAddress(address.to_string()).into());
        }
        Ok(url)
    }
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}

fn names_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Resolves names as the system does, and leaves out what may not be called.
pub(super) struct GuardedResolver(pub(super) Arc<Reach>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| reach.allows(found.ip())).collect();
            if allowed.is_empty() {
                // The address itself stays inside: it would map the network for whoever asks.
                return Err(ForbiddenAddress(name.as_str().to_owned()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(loopback: bool, networks: &[&str]) -> Reach {
        Reach {
            allow_insecure_loopback: loopback,
            allowed_networks: networks.iter().map(|net| net.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn only_the_public_internet_is_called_unless_the_operator_says_so() {
        let check = |address: &str, expected: bool| {
            assert_eq!(Reach::default().allows(address.parse().unwrap()), expected, "{address}");
        };
        for public in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            check(public, true);
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "100::1",
        ] {
            check(special, false);
        }
        assert!(reach(true, &[]).allows("127.0.0.9".parse().unwrap()));
        assert!(reach(true, &[]).allows("::1".parse().unwrap()));
        assert!(!reach(true, &[]).allows("10.0.0.1".parse().unwrap()));
        assert!(reach(false, &["10.1.0.0/16"]).allows("10.1.9.9".parse().unwrap()));
        assert!(reach(false, &["10.1.0.0/16"]).allows("::ffff:10.1.9.9".parse().unwrap()));
        assert!(!reach(false, &["10.1.0.0/16"]).allows("10.2.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        let check = |reach: &Reach, url: &str, expected: Option<&str>| {
            assert_eq!(reach.url(url).err().map(|error| error.to_string()).as_deref(), expected, "{url}");
        };
        let strict = Reach::default();
        check(&strict, "https://receiver.example/notify?code=1", None);
        check(&strict, "https://8.8.8.8:8443/", None);
        check(&strict, "http://receiver.example/", Some("must start with https://, not with http://"));
        check(&strict, "http://127.0.0.1/", Some("must start with https://, not with http://"));
        check(&strict, "ftp://receiver.example/", Some("must start with https://, not with ftp://"));
        check(
            &strict,
            "receiver.example/notify",
            Some(
                "must be an absolute URL such as https://receiver.example/notifications (relative URL without a base)",
            ),
        );
        check(
            &strict,
            "https://ann:secret@receiver.example/",
            Some("must hold no user name and no password; put a secret into the query or use clientState"),
        );
        check(&strict, "https://receiver.example/#a", Some("must have no fragment, since none is ever sent"));
        check(
            &strict,
            &format!("https://receiver.example/{}", "x".repeat(2048)),
            Some("may have at most 2048 bytes"),
        );
        // Addresses are seen through the ways of writing them that browsers allow.
        for url in ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://127.1/"] {
            check(
                &strict,
                url,
                Some(
                    "leads to 127.0.0.1, which is no address of the public internet; the server's operator may allow its network",
                ),
            );
        }
        check(
            &strict,
            "https://[::ffff:a9fe:a9fe]/",
            Some(
                "leads to ::ffff:169.254.169.254, which is no address of the public internet; the server's operator may allow its network",
            ),
        );
        let local = reach(true, &["10.1.0.0/16"]);
        for url in ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]:9/", "https://10.1.2.3/"] {
            check(&local, url, None);
        }
        check(&local, "http://10.1.2.3/", Some("must start with https://, not with http://"));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_addresses_that_it_has_when_it_is_called() {
        let resolve = |reach: Reach| async move {
            GuardedResolver(Arc::new(reach)).resolve("localhost".parse().unwrap()).await
        };
        let refused = resolve(Reach::default()).await.err().unwrap();
        assert!(refused.is::<ForbiddenAddress>(), "{refused}");
        let mut allowed = resolve(reach(true, &[])).await.ok().unwrap();
        assert!(allowed.all(|address| address.ip().is_loopback()));
    }
}
