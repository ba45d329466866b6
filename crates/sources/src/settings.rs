//! The `[[sources]]` of the settings file, and how they are opened.
//!
//! No secret stands in the settings: they name the environment's variable that holds it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

use crate::objects::{self, Objects, ObjectsOptions};
use crate::{Environment, EventHubs, EventHubsAccess, Folder, Limits, Source, SourceError};

/// One of `[[sources]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceSettings {
    /// `type = "folder"`.
    Folder(FolderSettings),
    /// `type = "azure_blob"`.
    AzureBlob(AzureBlobSettings),
    /// `type = "s3"`.
    S3(S3Settings),
    /// `type = "event_hubs"`.
    EventHubs(EventHubsSettings),
}

/// A folder whose files are followed, or one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    /// Under which positions are saved and people find it; it must not change.
    pub name: String,
    /// The folder, or the file.
    pub path: PathBuf,
    /// How often it is listed.
    #[serde(default = "two_seconds", deserialize_with = "duration")]
    pub poll_every: Duration,
    /// How long a file must not have changed before it is read as a whole.
    #[serde(default = "two_seconds", deserialize_with = "duration")]
    pub settle: Duration,
}

/// A container in Azure Blob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureBlobSettings {
    /// Under which positions are saved and people find it; it must not change.
    pub name: String,
    /// The storage account.
    pub account: String,
    /// The container.
    pub container: String,
    /// Only what is below this folder.
    #[serde(default)]
    pub prefix: String,
    /// Where the account is reached, if not at `https://<account>.blob.core.windows.net`.
    pub endpoint: Option<String>,
    /// The environment's variable with the account's key.
    pub account_key_env: Option<String>,
    /// … with a shared access signature.
    pub sas_token_env: Option<String>,
    /// The Entra tenant of an app registration,
    pub tenant_id: Option<String>,
    /// its application id,
    pub client_id: Option<String>,
    /// and the environment's variable with its secret.
    pub client_secret_env: Option<String>,
    /// How often it is listed.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub poll_every: Duration,
    /// How long after its hour an hourly object may still change.
    #[serde(default = "two_days", deserialize_with = "duration")]
    pub lookback: Duration,
    /// Where the first run begins, if not with the lookback.
    pub since: Option<DateTime<Utc>>,
}

/// A bucket in S3, or in what speaks like it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// Under which positions are saved and people find it; it must not change.
    pub name: String,
    /// The bucket.
    pub bucket: String,
    /// Only what is below this folder.
    #[serde(default)]
    pub prefix: String,
    /// The bucket's region, if not the environment's.
    pub region: Option<String>,
    /// Where the store is reached, if not at AWS.
    pub endpoint: Option<String>,
    /// The bucket is part of the host's name instead of the path.
    #[serde(default)]
    pub virtual_hosted: bool,
    /// The environment's variable with the id of the access key,
    pub access_key_id_env: Option<String>,
    /// with its secret,
    pub secret_access_key_env: Option<String>,
    /// and with the token of a session, if it is for one.
    pub session_token_env: Option<String>,
    /// How often it is listed.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub poll_every: Duration,
    /// How long after its hour an hourly object may still change.
    #[serde(default = "two_days", deserialize_with = "duration")]
    pub lookback: Duration,
    /// Where the first run begins, if not with the lookback.
    pub since: Option<DateTime<Utc>>,
}

/// Event hubs of one namespace, or topics of another Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventHubsSettings {
    /// Under which positions are saved and people find it; it must not change.
    pub name: String,
    /// `host:port` of brokers; for Event Hubs `<namespace>.servicebus.windows.net:9093`.
    pub bootstrap: Vec<String>,
    /// The event hubs.
    pub topics: Vec<String>,
    /// Who we are.
    pub auth: EventHubsAuth,
    /// The environment's variable with the connection string.
    pub connection_string_env: Option<String>,
    /// The Entra tenant of the app registration, if not `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// Its application id, if not `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The environment's variable with its secret, if not `AZURE_CLIENT_SECRET`.
    pub client_secret_env: Option<String>,
    /// Talk TLS; only brokers on this machine may do without.
    #[serde(default = "yes")]
    pub tls: bool,
    /// A file of certificates in PEM to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Where the first run begins.
    #[serde(default)]
    pub start: StartAt,
    /// How often it is polled when there was nothing new.
    #[serde(default = "a_second", deserialize_with = "duration")]
    pub poll_every: Duration,
    /// How often new partitions are looked for.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub discover_every: Duration,
}

/// How we show a Kafka broker who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventHubsAuth {
    /// SASL PLAIN with the connection string of a shared access policy.
    ConnectionString,
    /// SASL OAUTHBEARER with a token of Entra for an app registration.
    Entra,
    /// Not at all.
    None,
}

/// Where the first run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartAt {
    /// With the oldest message that is kept.
    #[default]
    Earliest,
    /// With what comes from now on.
    Latest,
}

impl FolderSettings {
    /// What follows `path` if nothing else is said.
    #[must_use]
    pub fn new(name: impl Into<String>, path: PathBuf) -> Self {
        Self { name: name.into(), path, poll_every: two_seconds(), settle: two_seconds() }
    }
}

impl SourceSettings {
    /// The source's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Folder(settings) => &settings.name,
            Self::AzureBlob(settings) => &settings.name,
            Self::S3(settings) => &settings.name,
            Self::EventHubs(settings) => &settings.name,
        }
    }
}

/// Opens a source. Nothing is connected yet.
///
/// # Errors
/// [`SourceError::Settings`], if the settings cannot be used, or a variable that they name is not set.
pub fn open(
    settings: &SourceSettings,
    env: &Environment,
    limits: Limits,
) -> Result<Box<dyn Source>, SourceError> {
    let name = settings.name();
    if name.trim().is_empty() {
        return Err(SourceError::settings(name, "the name is empty; give each source one of its own"));
    }
    match settings {
        SourceSettings::Folder(folder) => {
            Ok(Box::new(Folder::new(folder.path.clone(), folder.poll_every, folder.settle, limits)))
        }
        SourceSettings::AzureBlob(blob) => {
            let store = objects::azure(blob, env)?;
            let place = format!("container {} of storage account {}", blob.container, blob.account);
            let options = options(name, &blob.prefix, blob.poll_every, blob.lookback, blob.since)?;
            Ok(Box::new(Objects::new(store, &place, options, limits, Utc::now)))
        }
        SourceSettings::S3(s3) => {
            let store = objects::s3(s3, env)?;
            let place = format!("bucket {}", s3.bucket);
            let options = options(name, &s3.prefix, s3.poll_every, s3.lookback, s3.since)?;
            Ok(Box::new(Objects::new(store, &place, options, limits, Utc::now)))
        }
        SourceSettings::EventHubs(hubs) => {
            Ok(Box::new(EventHubs::new(EventHubsAccess::from_settings(hubs, env)?, hubs, limits)))
        }
    }
}

fn options(
    name: &str,
    prefix: &str,
    every: Duration,
    lookback: Duration,
    since: Option<DateTime<Utc>>,
) -> Result<ObjectsOptions, SourceError> {
    let lookback = TimeDelta::from_std(lookback)
        .ok()
        .filter(|lookback| *lookback <= LOOKBACK_MAX)
        .ok_or_else(|| SourceError::settings(name, "lookback is longer than a year"))?;
    Ok(ObjectsOptions { prefix: prefix.trim_matches('/').to_owned(), every, lookback, since })
}

/// The longest lookback.
const LOOKBACK_MAX: TimeDelta = TimeDelta::days(366);

/// Reads a length of time such as `90s`, `15m` or `2days`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("'{text}' is no length of time such as \"90s\" or \"2h\": {error}"))
    })
}

fn yes() -> bool {
    true
}

fn a_second() -> Duration {
    Duration::from_secs(1)
}

fn two_seconds() -> Duration {
    Duration::from_secs(2)
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

fn two_days() -> Duration {
    Duration::from_secs(2 * 24 * 3600)
}
