//! Where an instance keeps its data, and its settings.
//!
//! Settings come from one TOML file: the one named on the command line, or `tenantwatch.toml` in the
//! data directory if it is there. Unknown keys are errors.

mod silence;

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use alerts::PartnerTenantId;
use alerts::score::ResponseTimeTarget;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use detect::{Catalogue, CatalogueError};
use graph::app::subscriptions::PER_APPLICATION_MAX;
use ingest::schema::Kind;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use sources::SourceSettings;
use url::Url;

pub use self::silence::SilentAfter;

/// The partner of an instance that was not told otherwise; a made-up tenant.
pub const DEFAULT_PARTNER_TENANT: &str = "7e4a9c1e-aaaa-4000-8000-000000000001";

/// What can be wrong with settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("settings file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file says something that is not a setting.
    #[error("settings file {}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        message: String,
    },
    /// A data directory that cannot be written as a URL.
    #[error("data directory {} has no absolute path that can be a URL", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
    },
}

/// The settings of an instance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The partner whose records are taken in and whose alerts are raised.
    pub partner_tenant_id: PartnerTenantId,
    /// Folders with detectors of the operator's own, beside the built-in ones.
    pub detector_folders: Vec<PathBuf>,
    /// Whether the built-in detectors run; without them, copies of them may be in a folder of the operator's own.
    pub builtin_detectors: bool,
    /// A database of places by address in MaxMind's format, for detectors that ask where an address is.
    pub geo_database: Option<PathBuf>,
    /// Where the events are: a folder's URL; by default `lake` in the data directory.
    pub lake_url: Option<Url>,
    /// Whether `serve` runs the detectors by their schedules.
    pub scheduled_detection: bool,
    /// Whether `serve` merges small files of the lake and drops cost lines that were stated anew.
    pub compaction: bool,
    /// How long events are kept, by kind.
    pub retention_days: RetentionDays,
    /// Where alerts are kept.
    pub store: StoreLocation,
    /// How much of the SQLite file may be mapped into memory, in MiB. What is mapped counts as memory of
    /// the server, once for each of its connections.
    pub store_map_mib: u32,
    /// Proxies, as addresses or as networks such as `10.0.0.0/8`, whose `Forwarded` and `X-Forwarded-*`
    /// headers are believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Whether change notifications may go to this machine, also over plain HTTP. For development.
    pub allow_receivers_on_loopback: bool,
    /// Networks that are no part of the public internet and yet hold receivers of change notifications.
    #[serde(deserialize_with = "networks")]
    pub receiver_networks: Vec<IpNet>,
    /// How many change notification subscriptions an application may have in one partner.
    pub subscriptions_per_application: u32,
    /// The address under which others reach this server, such as `https://alerts.partner.example/`.
    /// Webhooks of the older Partner Center API need it, and are off without it.
    pub public_url: Option<Url>,
    /// PEM file with the key (PKCS #8, RSA) and the certificate that sign these webhooks; by default
    /// made here and kept with the alerts.
    pub webhook_identity: Option<PathBuf>,
    /// How long resolving an alert may take on average, in hours, for the security score.
    pub response_time_target_hours: u32,
    /// The points for that in the security score.
    pub response_time_points: u32,
    /// How many requests an application may send in ten seconds on behalf of one tenant. By default
    /// 2,000, and no limit where only this machine can reach the server; 0 means no limit.
    pub requests_per_10_seconds: Option<u32>,
    /// How large a body of `POST /ingest/v1/…` may be, decompressed, in MiB.
    pub ingest_body_mib: u32,
    /// How much may come in by `POST /ingest/v1/…` at once, in MiB of its text; whoever sends more is told
    /// to wait. Events on their way into the lake take about four times as much memory.
    pub ingest_room_mib: u32,
    /// Where records are read from while the server runs.
    pub sources: Vec<SourceSettings>,
    /// After how long without records a customer is silent, by kind.
    pub silent_after_hours: SilentAfter,
}

/// For how many days the events of each kind are kept, counted back from today; 0 is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the kinds")]
pub struct RetentionDays {
    pub activity: u32,
    pub cost: u32,
    pub flow: u32,
    pub sign_in: u32,
    pub audit: u32,
    pub dns: u32,
    pub inventory: u32,
    pub advisory: u32,
    pub security_alert: u32,
}

impl Default for RetentionDays {
    /// A year and a month for who did what, two years for what it cost and what was told of it, a quarter for
    /// what there is most of.
    fn default() -> Self {
        Self {
            activity: 400,
            cost: 800,
            flow: 90,
            sign_in: 400,
            audit: 400,
            dns: 90,
            inventory: 90,
            advisory: 800,
            security_alert: 800,
        }
    }
}

impl RetentionDays {
    /// The first day that is kept; `None` if all are.
    #[must_use]
    pub fn first_day(&self, kind: Kind, now: DateTime<Utc>) -> Option<NaiveDate> {
        let days = match kind {
            Kind::Activity => self.activity,
            Kind::Cost => self.cost,
            Kind::Flow => self.flow,
            Kind::SignIn => self.sign_in,
            Kind::Audit => self.audit,
            Kind::Dns => self.dns,
            Kind::Inventory => self.inventory,
            Kind::Advisory => self.advisory,
            Kind::SecurityAlert => self.security_alert,
        };
        let first = now.date_naive().checked_sub_days(Days::new(days.into()));
        first.filter(|_| days > 0)
    }
}

/// Where alerts are kept.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreLocation {
    /// A SQLite file in the data directory.
    #[default]
    Sqlite,
    /// A PostgreSQL server, by its URL.
    Postgres(String),
}

impl FromStr for StoreLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned()))
            }
            // The text is not shown: it may hold a password.
            _ => Err("a store is 'sqlite' or an address such as postgres://user@host/database".to_owned()),
        }
    }
}

impl TryFrom<String> for StoreLocation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres(_) => "Postgres(..)",
        })
    }
}

/// Networks; a single address is a network of its own.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
            let wanted = "is neither an address such as 192.0.2.1 nor a network such as 10.0.0.0/8";
            serde::de::Error::custom(format!("'{text}' {wanted}"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(network).collect()
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            partner_tenant_id: DEFAULT_PARTNER_TENANT.parse().expect("the default is a tenant id"),
            detector_folders: Vec::new(),
            builtin_detectors: true,
            geo_database: None,
            lake_url: None,
            scheduled_detection: true,
            compaction: true,
            retention_days: RetentionDays::default(),
            store: StoreLocation::default(),
            store_map_mib: 0,
            trusted_proxies: Vec::new(),
            allow_receivers_on_loopback: false,
            receiver_networks: Vec::new(),
            subscriptions_per_application: PER_APPLICATION_MAX,
            public_url: None,
            webhook_identity: None,
            response_time_target_hours: 24,
            response_time_points: 20,
            requests_per_10_seconds: None,
            ingest_body_mib: 32,
            ingest_room_mib: 64,
            sources: Vec::new(),
            silent_after_hours: SilentAfter::default(),
        }
    }
}

impl Settings {
    /// The detectors that run: the built-in ones, and those of the operator's folders.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] for the first folder that is wrong.
    pub fn catalogue(&self) -> Result<Catalogue, CatalogueError> {
        let first = if self.builtin_detectors { Catalogue::builtin() } else { Catalogue::default() };
        self.detector_folders.iter().try_fold(first, |all, folder| all.with_folder(folder))
    }

    /// What the security score expects of the response to alerts.
    #[must_use]
    pub fn response_time_target(&self) -> ResponseTimeTarget {
        ResponseTimeTarget {
            response_time: TimeDelta::hours(self.response_time_target_hours.into()),
            max_score: self.response_time_points,
        }
    }

    /// Reads the named file, or the one in the data directory, or takes the defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that names the file, and the key and line.
    pub fn load(named: Option<&Path>, data_dir: &DataDir) -> Result<Self, ConfigError> {
        let path = named.map_or_else(|| data_dir.settings_file(), Path::to_owned);
        match fs::read_to_string(&path) {
            Ok(text) => {
                Self::parse(&text).map_err(|error| ConfigError::Content { path, message: error.to_string() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// The directory in which an instance keeps everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory at that path; it need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The settings, if there are any.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.0.join("tenantwatch.toml")
    }

    /// The database of alerts.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.0.join("alerts.db")
    }

    /// The tables of events.
    #[must_use]
    pub fn lake(&self) -> PathBuf {
        self.0.join("lake")
    }

    /// Records that could not be taken in, with reasons.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.0.join("quarantine")
    }

    /// The development issuer's key.
    #[must_use]
    pub fn issuer(&self) -> PathBuf {
        self.0.join("issuer")
    }

    /// The name of the server that runs here, among those that share a store.
    #[must_use]
    pub fn server_id(&self) -> PathBuf {
        self.0.join("server-id")
    }

    /// The local certificate authority.
    #[must_use]
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The operator's own indicator tables.
    #[must_use]
    pub fn indicators(&self) -> PathBuf {
        self.0.join("indicators")
    }

    /// The URL of the lake.
    ///
    /// # Errors
    ///
    /// [`ConfigError::DataDir`] if the path cannot be made absolute.
    pub fn lake_url(&self) -> Result<Url, ConfigError> {
        std::path::absolute(self.lake())
            .ok()
            .and_then(|path| Url::from_directory_path(path).ok())
            .ok_or_else(|| ConfigError::DataDir { path: self.0.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_unknown_keys_refused() {
        let settings = Settings::parse("partner_tenant_id = \"P-1\"\nscheduled_detection = false").unwrap();
        assert_eq!(settings.partner_tenant_id.as_str(), "p-1");
        assert!(!settings.scheduled_detection);
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
        let proxies =
            Settings::parse("trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\", \"2001:db8::1\"]").unwrap();
        let networks: Vec<_> = proxies.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::1/128"]);
        let error = Settings::parse("receiver_networks = [\"intranet\"]").unwrap_err().to_string();
        assert!(error.contains("'intranet' is neither an address") && error.contains("line 1"), "{error}");
        let secret = Settings::parse("store = \"postgres://a:hidden@db/t\"").unwrap();
        assert_eq!(secret.store, StoreLocation::Postgres("postgres://a:hidden@db/t".to_owned()));
        assert!(!format!("{secret:?}").contains("hidden"));
        let error = Settings::parse("store = \"mysql://x\"").unwrap_err().to_string();
        assert!(error.contains("a store is 'sqlite' or"), "{error}");
        let error = Settings::parse("partner_tenant = \"p\"").unwrap_err().to_string();
        assert!(error.contains("unknown field `partner_tenant`") && error.contains("line 1"), "{error}");
    }

    #[test]
    fn each_kind_is_kept_for_its_time() {
        let settings = Settings::parse("compaction = false\n[retention_days]\nflow = 30\ncost = 0").unwrap();
        assert!(!settings.compaction);
        let first = |kind: Kind| {
            let now = "2026-11-24T23:59:59Z".parse().unwrap();
            settings.retention_days.first_day(kind, now).map(|day| day.to_string())
        };
        assert_eq!(first(Kind::Flow).as_deref(), Some("2026-10-25"));
        assert_eq!(first(Kind::Cost), None);
        assert_eq!(first(Kind::Activity).as_deref(), Some("2025-10-20"));
        let names = Kind::ALL.map(Kind::name);
        let error = Settings::parse("[retention_days]\nsignin = 1").unwrap_err().to_string();
        assert!(names.iter().all(|name| error.contains(name)), "all kinds can be set: {error}");
    }

    #[test]
    fn a_named_file_must_exist_and_the_default_one_need_not() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(folder.path());
        assert_eq!(Settings::load(None, &data_dir).unwrap(), Settings::default());
        let missing = folder.path().join("none.toml");
        assert!(matches!(Settings::load(Some(&missing), &data_dir), Err(ConfigError::Read { .. })));
    }
}
