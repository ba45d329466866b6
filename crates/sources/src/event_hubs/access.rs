//! How a broker is reached: where, over TLS or not, and as whom.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rskafka::BackoffConfig;
use rskafka::client::{Client, ClientBuilder, Credentials, OauthBearerCredentials, SaslConfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use super::token::{ClientSecret, TokenProvider};
use crate::error::with_causes;
use crate::{Environment, EventHubsAuth, EventHubsSettings, SourceError};

/// The user that stands for a connection string
/// (learn.microsoft.com/azure/event-hubs/azure-event-hubs-apache-kafka-overview).
const CONNECTION_STRING_USER: &str = "$ConnectionString";
/// The largest reply of a broker. Metadata and one batch must fit.
const REPLY_BYTES_MAX: usize = 100 << 20;

/// How a broker is reached.
#[derive(Debug)]
pub struct EventHubsAccess {
    bootstrap: Vec<String>,
    tls: Option<Arc<ClientConfig>>,
    auth: Auth,
}

#[derive(Debug)]
enum Auth {
    None,
    /// `SecretString` shows no secret.
    Plain(SecretString),
    Bearer(Arc<dyn TokenProvider>),
}

impl EventHubsAccess {
    pub(crate) fn from_settings(
        settings: &EventHubsSettings,
        env: &Environment,
    ) -> Result<Self, SourceError> {
        let source = &settings.name;
        let bad = |problem: &str| SourceError::settings(source, problem);
        if settings.bootstrap.is_empty() || settings.topics.is_empty() {
            return Err(bad("bootstrap and topics must each name one at least"));
        }
        for broker in &settings.bootstrap {
            let port = broker.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none() {
                return Err(bad(&format!(
                    "'{broker}' in bootstrap is no host:port; Event Hubs has port 9093"
                )));
            }
        }
        if !settings.tls && !settings.bootstrap.iter().all(|broker| is_on_this_machine(broker)) {
            return Err(bad("tls = false is for brokers on this machine only"));
        }
        let auth = match settings.auth {
            EventHubsAuth::None => Auth::None,
            EventHubsAuth::Entra => Auth::Bearer(ClientSecret::from_settings(settings, env)?),
            EventHubsAuth::ConnectionString => {
                let variable = settings.connection_string_env.as_deref();
                let variable = variable
                    .ok_or_else(|| bad("auth = \"connection_string\" needs connection_string_env"))?;
                let secret = env.secret(source, variable)?;
                if !secret.expose_secret().starts_with("Endpoint=") {
                    let problem =
                        format!("{variable} holds no connection string; one begins with 'Endpoint=sb://'");
                    return Err(bad(&problem));
                }
                Auth::Plain(secret)
            }
        };
        let tls = if settings.tls { Some(tls(source, settings.ca_file.as_deref())?) } else { None };
        Ok(Self { bootstrap: settings.bootstrap.clone(), tls, auth })
    }

    /// The same with tokens from elsewhere, such as a managed identity.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.auth = Auth::Bearer(tokens);
        self
    }

    /// The brokers, for people.
    pub(super) fn place(&self) -> String {
        self.bootstrap.join(", ")
    }

    /// What to look at when the broker refuses us.
    pub(super) fn mend(&self) -> &'static str {
        match self.auth {
            Auth::None => "it wants to know who we are: set auth in the settings",
            Auth::Plain(_) => {
                "look whether the connection string is complete, of this namespace, and of a policy with the right to \
                 listen; and whether the namespace still allows shared access keys"
            }
            Auth::Bearer(_) => {
                "look whether the app registration's secret is right and not expired, and whether it has the role \
                 'Azure Event Hubs Data Receiver'"
            }
        }
    }

    /// Connects, trying again for as long as `patience`.
    pub(super) async fn connect(&self, patience: Duration) -> Result<Client, rskafka::client::error::Error> {
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
            deadline: Some(patience),
        };
        let mut builder = ClientBuilder::new(self.bootstrap.clone())
            .client_id("tenantwatch")
            .max_message_size(REPLY_BYTES_MAX)
            .backoff_config(backoff);
        if let Some(tls) = &self.tls {
            builder = builder.tls_config(Arc::clone(tls));
        }
        if let Some(sasl) = self.sasl() {
            builder = builder.sasl_config(sasl);
        }
        builder.build().await
    }

    fn sasl(&self) -> Option<SaslConfig> {
        match &self.auth {
            Auth::None => None,
            Auth::Plain(secret) => {
                let password = secret.expose_secret().to_owned();
                Some(SaslConfig::Plain(Credentials::new(CONNECTION_STRING_USER.to_owned(), password)))
            }
            Auth::Bearer(tokens) => {
                let tokens = Arc::clone(tokens);
                let callback = move || -> futures::future::BoxFuture<'static, _> {
                    let tokens = Arc::clone(&tokens);
                    Box::pin(
                        async move { tokens.token().await.map(|token| token.expose_secret().to_owned()) },
                    )
                };
                Some(SaslConfig::Oauthbearer(OauthBearerCredentials {
                    callback: Arc::new(callback),
                    authz_id: None,
                    bearer_kvs: Vec::new(),
                }))
            }
        }
    }
}

fn is_on_this_machine(broker: &str) -> bool {
    let host = broker.rsplit_once(':').map_or(broker, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn tls(source: &str, ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SourceError> {
    let bad = |problem: String| SourceError::settings(source, problem);
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let unreadable = |error: &dyn std::error::Error| {
                bad(format!("ca_file {} cannot be read: {}", path.display(), error))
            };
            let mut has_one = false;
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
                has_one = true;
            }
            if !has_one {
                return Err(bad(format!("ca_file {} holds no certificate in PEM", path.display())));
            }
        }
        None => {
            // A certificate that this library does not understand is of no use to anybody; the others are.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(bad(
            "there are no certificates to trust; install ca-certificates, or set ca_file".to_owned()
        ));
    }
    // The provider is named: another crate of the program may bring a second one.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| bad(format!("TLS cannot be set up: {}", with_causes(&error))))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
