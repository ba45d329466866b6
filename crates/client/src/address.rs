//! Where the server is: its base URL, and which links belong to it.

use url::{Host, Url};

use crate::Error;

/// Microsoft's own servers: worldwide, US government, US defence, China.
/// Source: the page "National cloud deployments" of Microsoft Graph's documentation.
const MICROSOFT_GRAPH: [&str; 4] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

/// The version of Graph that has the partner security API; v1.0 has it not.
const VERSION: &str = "beta";

/// The base URL of a server, such as `https://graph.microsoft.com/beta`.
///
/// Every URL that a [`crate::Client`] asks begins with it or comes from [`Address::follow`].
#[derive(Debug, Clone)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads what a person wrote; the version is added if it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] with the reason.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Address { address: text.to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it must begin with https:// or http:// and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            // The text would be shown with the password in it.
            return Err(Error::Address {
                address: format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default()),
                reason: "it holds a user name; access goes by token".to_owned(),
            });
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it holds a query or a fragment; only the start of the address is needed"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        match path.rsplit('/').next() {
            Some(VERSION) => url.set_path(&path),
            Some("v1.0") => return Err(wrong("the partner security alert API is in 'beta', not in 'v1.0'")),
            _ => url.set_path(&format!("{path}/{VERSION}")),
        }
        Ok(Self(url))
    }

    /// The URL of a path below the base, each segment encoded.
    pub(crate) fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// The URL of a link that the server sent, absolute or relative to `current`.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignLink`] if it leads to another origin (scheme, host and port), where the token must
    /// not go.
    pub(crate) fn follow(&self, current: &Url, link: &str) -> Result<Url, Error> {
        let foreign = || Error::ForeignLink { link: shown(link), origin: self.origin() };
        let url = current.join(link).map_err(|_| foreign())?;
        if url.origin() != self.0.origin() { Err(foreign()) } else { Ok(url) }
    }

    /// The base as a URL.
    pub(crate) fn base(&self) -> &Url {
        &self.0
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether requests are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether requests stay on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether this is Microsoft's server and not one that speaks alike.
    pub(crate) fn is_microsoft(&self) -> bool {
        self.0.host_str().is_some_and(|host| MICROSOFT_GRAPH.contains(&host))
    }
}

/// A link as errors show it: without its query, which may hold page tokens, and of bounded length.
pub(crate) fn shown(link: &str) -> String {
    let end = link.find(['?', '#']).unwrap_or(link.len());
    link[..end].chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_added_where_it_is_missing() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Address::read(text).unwrap().base().as_str(), expected, "{text}");
        };
        check("https://graph.microsoft.com", "https://graph.microsoft.com/beta");
        check("https://graph.microsoft.com/", "https://graph.microsoft.com/beta");
        check(" https://graph.microsoft.com/beta/ ", "https://graph.microsoft.com/beta");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/beta");
        check("https://partner.example/tenantwatch", "https://partner.example/tenantwatch/beta");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let check = |text: &str, words: &str| {
            let error = Address::read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        };
        check("graph.microsoft.com", "https://graph.microsoft.com");
        check("localhost:8080", "must begin with https://");
        check("ftp://host", "must begin with https://");
        check("https://", "empty host");
        check("https://host/v1.0", "'beta'");
        check("https://host/?a=b", "query");
        check("https://ann:secret@host", "token");
        assert!(!Address::read("https://ann:secret@host").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn only_links_of_the_same_origin_are_followed() {
        let address = Address::read("https://host.example:8443").unwrap();
        let current = address.below(&["security", "partner", "securityAlerts"]);
        let check = |link: &str, expected: Option<&str>| {
            let found = address.follow(&current, link).ok();
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{link}");
        };
        check(
            "https://host.example:8443/beta/x?$skiptoken=1",
            Some("https://host.example:8443/beta/x?$skiptoken=1"),
        );
        check(
            "?$skiptoken=1",
            Some("https://host.example:8443/beta/security/partner/securityAlerts?$skiptoken=1"),
        );
        check("https://host.example/beta/x", None);
        check("http://host.example:8443/beta/x", None);
        check("https://evil.example:8443/beta/x", None);
        check("https://host.example:8443@evil.example/beta/x", None);
        check("//evil.example/beta/x", None);
        check("\\\\evil.example\\beta", None);
        check("data:text/plain,x", None);
        check("https://", None);
    }

    #[test]
    fn this_machine_and_microsofts_are_told_apart() {
        let check = |text: &str, loopback: bool, microsoft: bool| {
            let address = Address::read(text).unwrap();
            assert_eq!((address.is_loopback(), address.is_microsoft()), (loopback, microsoft), "{text}");
        };
        check("http://127.0.0.1:8080", true, false);
        check("http://[::1]:8080", true, false);
        check("http://LOCALHOST:8080", true, false);
        check("http://localhost.evil.example", false, false);
        check("http://10.0.0.1", false, false);
        check("https://GRAPH.microsoft.com", false, true);
    }
}
