//! Tokens of Entra for SASL OAUTHBEARER.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::error::{Cause, with_causes};
use crate::{Environment, EventHubsSettings, SourceError};

/// How messages of a refusal begin; what Kafka's client says of a failed token is only text.
pub(super) const REFUSED: &str = "Entra gives no token";
/// A token is used until so long before its end: authentication at a slow broker takes a while.
const BEFORE_END: Duration = Duration::from_secs(300);
/// For one request of a token.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Where tokens are had, unless `AZURE_AUTHORITY_HOST` says otherwise.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Gives tokens to show to a broker.
///
/// It is asked at each new connection, and keeps tokens itself while they are good.
#[async_trait]
pub trait TokenProvider: Send + Sync + fmt::Debug {
    /// A token that is good for some minutes at least.
    ///
    /// # Errors
    /// Why there is none, in words for a person.
    async fn token(&self) -> Result<SecretString, Box<dyn std::error::Error + Send + Sync>>;
}

/// Tokens for an app registration with a secret (OAuth 2.0 client credentials, RFC 6749 section 4.4).
pub struct ClientSecret {
    http: reqwest::Client,
    endpoint: Url,
    client_id: String,
    secret: SecretString,
    scope: String,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: SecretString,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl ClientSecret {
    /// Tokens of `tenant_id` for the Event Hubs namespace with this host.
    ///
    /// # Errors
    /// [`SourceError::Settings`], if the authority is no HTTPS address: the secret is sent there.
    pub fn new(
        source: &str,
        authority: &str,
        tenant_id: &str,
        client_id: &str,
        secret: SecretString,
        namespace_host: &str,
    ) -> Result<Self, SourceError> {
        let bad = |problem: String| SourceError::settings(source, problem);
        let endpoint = format!("{}/{tenant_id}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        let endpoint =
            Url::parse(&endpoint).map_err(|error| bad(format!("'{endpoint}' is no address: {error}")))?;
        let on_this_machine = matches!(endpoint.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if endpoint.scheme() != "https" && !on_this_machine {
            return Err(bad(format!("tokens are asked for over HTTPS only, not at {endpoint}")));
        }
        let http =
            reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let http =
            http.map_err(|error| bad(format!("no HTTP client can be made: {}", with_causes(&error))))?;
        Ok(Self {
            http,
            endpoint,
            client_id: client_id.to_owned(),
            secret,
            scope: format!("https://{namespace_host}/.default"),
            kept: Mutex::new(None),
        })
    }

    pub(super) fn from_settings(
        settings: &EventHubsSettings,
        env: &Environment,
    ) -> Result<Arc<dyn TokenProvider>, SourceError> {
        let source = &settings.name;
        let given = |value: &Option<String>, variable: &str, key: &str| {
            value.clone().or_else(|| env.get(variable).map(str::to_owned)).ok_or_else(|| {
                SourceError::settings(
                    source,
                    format!("auth = \"entra\" needs {key}, or the variable {variable}"),
                )
            })
        };
        let tenant_id = given(&settings.tenant_id, "AZURE_TENANT_ID", "tenant_id")?;
        let client_id = given(&settings.client_id, "AZURE_CLIENT_ID", "client_id")?;
        let variable = settings.client_secret_env.as_deref().unwrap_or("AZURE_CLIENT_SECRET");
        let secret = env.secret(source, variable)?;
        let authority = env.get("AZURE_AUTHORITY_HOST").unwrap_or(AUTHORITY);
        let first = settings.bootstrap.first().map(String::as_str).unwrap_or_default();
        let host = first.rsplit_once(':').map_or(first, |(host, _)| host);
        Ok(Arc::new(Self::new(source, authority, &tenant_id, &client_id, secret, host)?))
    }

    async fn ask(&self) -> Result<Granted, Cause> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.secret.expose_secret())
            .append_pair("scope", &self.scope)
            .finish();
        let request = self.http.post(self.endpoint.clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let reply = request
            .send()
            .await
            .map_err(|error| format!("Entra cannot be reached: {}", with_causes(&error)))?;
        let status = reply.status();
        let body = reply
            .bytes()
            .await
            .map_err(|error| format!("Entra's reply broke off: {}", with_causes(&error)))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| {
                format!("the reply of {} is no token; is it Entra's address?", self.endpoint).into()
            });
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(format!("Entra cannot give a token now: status {status}").into());
        }
        let denied: Denied = serde_json::from_slice(&body).unwrap_or_default();
        // Its first line says what is wrong; the rest are numbers of a trace.
        let why = denied.error_description.lines().next().unwrap_or_default().to_owned();
        Err(format!("{REFUSED} for application {}: {} {why}", self.client_id, denied.error)
            .trim_end()
            .to_owned()
            .into())
    }
}

#[async_trait]
impl TokenProvider for ClientSecret {
    async fn token(&self) -> Result<SecretString, Cause> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.token.clone());
        }
        let granted = self.ask().await?;
        let good_for = Duration::from_secs(granted.expires_in).saturating_sub(BEFORE_END);
        let token = SecretString::from(granted.access_token);
        *kept = Some(Kept { token: token.clone(), until: Instant::now() + good_for });
        Ok(token)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret")
            .field("endpoint", &self.endpoint.as_str())
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
