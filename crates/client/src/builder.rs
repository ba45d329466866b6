//! How a client is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::Certificate;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};

use crate::address::Address;
use crate::retry::{Patience, Sleep};
use crate::{Client, Error};

/// How long to wait for a connection. A server that is up answers within a round trip or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one request may take as a whole; a page is a few megabytes at most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What a client may be told beside server and token; made by [`Client::builder`].
#[must_use]
pub struct Builder {
    address: String,
    token: SecretString,
    ca_pem: Option<Vec<u8>>,
    plain_http: bool,
    timeout: Duration,
    patience: Patience,
    sleep: Sleep,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("address", &self.address)
            .field("token", &self.token)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(address: &str, token: SecretString) -> Self {
        Self {
            address: address.to_owned(),
            token,
            ca_pem: None,
            plain_http: false,
            timeout: REQUEST_TIMEOUT,
            patience: Patience::default(),
            sleep: Arc::new(|wait| Box::pin(tokio::time::sleep(wait))),
        }
    }

    /// Trusts the certificates in this PEM text too, beside those of the system: for servers whose CA is
    /// their own.
    pub fn ca_pem(mut self, pem: Vec<u8>) -> Self {
        self.ca_pem = Some(pem);
        self
    }

    /// Allows `http://` to another machine. Everyone on the way can then read and use the token.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// How long one request may take, from connecting to the last byte; 60 s unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request is sent again to a server that is busy (429 or 503); 4 unless told.
    pub fn retries(mut self, retries: usize) -> Self {
        self.patience.retries = retries;
        self
    }

    /// The longest single wait before a request is sent again, whatever the server asks for; 120 s unless
    /// told. If the server asks for more, its refusal is the result.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.patience.longest_wait = wait;
        self
    }

    /// Waits in another way than by the clock.
    pub fn sleep_with(
        mut self,
        sleep: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Address`], [`Error::Unencrypted`], [`Error::Token`], [`Error::CaCertificate`],
    /// [`Error::Tls`].
    pub fn build(self) -> Result<Client, Error> {
        let address = Address::read(&self.address)?;
        if !address.is_encrypted() && !address.is_loopback() && !self.plain_http {
            return Err(Error::Unencrypted { origin: address.origin() });
        }
        let authorization = authorization(&self.token)?;
        let http = http(&address, self.ca_pem.as_deref(), self.timeout)?;
        Ok(Client {
            http,
            address,
            authorization,
            timeout: self.timeout,
            patience: self.patience,
            sleep: self.sleep,
        })
    }
}

/// The header that carries the token; marked, so that nothing prints it.
fn authorization(token: &SecretString) -> Result<HeaderValue, Error> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        return Err(Error::Token { reason: "is empty" });
    }
    // RFC 6750, 2.1: one word of visible ASCII.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Token { reason: "holds characters that no token has" });
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Error::Token { reason: "cannot stand in a header" })?;
    value.set_sensitive(true);
    Ok(value)
}

fn http(address: &Address, ca_pem: Option<&[u8]>, timeout: Duration) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("tenantwatch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        // A redirect could lead to another origin, or turn a PATCH into a GET.
        .redirect(Policy::none());
    if address.is_loopback() {
        // A proxy has no way back to this machine.
        builder = builder.no_proxy();
    }
    let extra = match ca_pem {
        Some(pem) => certificates(pem)?,
        None => Vec::new(),
    };
    builder = match address.is_encrypted() {
        true => builder.tls_certs_merge(extra),
        // No TLS will happen, so a system without CA certificates is no obstacle.
        false => builder.tls_certs_only(extra),
    };
    builder.build().map_err(Error::Tls)
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Error> {
    let certificates = Certificate::from_pem_bundle(pem).map_err(|_| Error::CaCertificate)?;
    if certificates.is_empty() { Err(Error::CaCertificate) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(address: &str, token: &str) -> Result<Client, String> {
        Client::new(address, token.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_that_cannot_be_one_is_refused_and_none_is_shown() {
        let check = |token: &str, words: &str| {
            let error = build("http://127.0.0.1:1", token).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(token.trim().is_empty() || !error.contains(token), "{error}");
        };
        check("  ", "is empty");
        check("two words", "no token has");
        check("line\r\nHost: evil.example", "no token has");
        check("tökén", "no token has");

        let builder = Client::builder("http://127.0.0.1:1", "s3cr3t\n".into());
        assert!(!format!("{builder:?}").contains("s3cr3t"));
        let client = builder.build().unwrap();
        assert!(!format!("{client:?}").contains("s3cr3t"));
    }

    #[test]
    fn plain_http_to_another_machine_must_be_asked_for() {
        assert!(build("http://127.0.0.1:1", "t").is_ok());
        let error = build("http://partner.example", "t").unwrap_err();
        assert!(error.contains("use https"), "{error}");
        assert!(Client::builder("http://partner.example", "t".into()).allow_plain_http().build().is_ok());
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        let check = |pem: &str| {
            let built = Client::builder("https://127.0.0.1:1", "t".into()).ca_pem(pem.into()).build();
            assert!(matches!(built, Err(Error::CaCertificate)), "{pem}: {built:?}");
        };
        check("");
        check("hello");
        check("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    }
}
