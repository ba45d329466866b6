//! What callers send to make or change a subscription, read and checked.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde_json::{Map, Value};
use store::{ChangeTypes, EncryptionCertificate, NotificationEvent, NotificationSubscription};

use super::LIFE_MAX;
use super::representation::{Secrets, representation};
use super::resource::{ResourceError, WatchedResource};
use crate::notify::encryption::{Certificate, CertificateError};
use crate::notify::reach::UrlError;
use crate::notify::receivers::Receivers;

/// Longest `clientState`, in characters; Graph's limit.
const CLIENT_STATE_MAX: usize = 128;

/// Longest `encryptionCertificateId`, in characters; Graph's limit.
const CERTIFICATE_ID_MAX: usize = 128;

const CHANGE_TYPE: &str = "changeType";
const NOTIFICATION_URL: &str = "notificationUrl";
const LIFECYCLE_URL: &str = "lifecycleNotificationUrl";
const RESOURCE: &str = "resource";
const EXPIRATION: &str = "expirationDateTime";
const CLIENT_STATE: &str = "clientState";
const INCLUDE_DATA: &str = "includeResourceData";
const CERTIFICATE: &str = "encryptionCertificate";
const CERTIFICATE_ID: &str = "encryptionCertificateId";
const TLS_VERSION: &str = "latestSupportedTlsVersion";
const CONTENT_TYPE: &str = "notificationContentType";

/// What a caller may set when making a subscription.
const WRITABLE: [&str; 11] = [
    CHANGE_TYPE,
    NOTIFICATION_URL,
    LIFECYCLE_URL,
    RESOURCE,
    EXPIRATION,
    CLIENT_STATE,
    INCLUDE_DATA,
    CERTIFICATE,
    CERTIFICATE_ID,
    TLS_VERSION,
    CONTENT_TYPE,
];

/// What the server sets itself; ignored if sent, as OData demands of read-only properties.
const READ_ONLY: [&str; 3] = ["id", "applicationId", "creatorId"];

/// What Graph has and this server does not; null is as good as absent.
const UNSUPPORTED: [&str; 2] = ["notificationQueryOptions", "notificationUrlAppId"];

/// What is wrong with a property. Each text names it and says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// It is missing.
    #[error("Property '{0}' is required.")]
    Missing(&'static str),
    /// It is of the wrong type.
    #[error("Property '{property}' must be a {expected}, not {found}.")]
    Type {
        /// The property.
        property: &'static str,
        /// Its type.
        expected: &'static str,
        /// What was sent.
        found: String,
    },
    /// There is no such property.
    #[error("Property '{0}' does not exist on microsoft.graph.subscription.")]
    Unknown(String),
    /// Graph has it, this server does not.
    #[error("Property '{0}' is not supported; leave it out.")]
    Unsupported(String),
    /// It cannot be changed.
    #[error(
        "Property '{0}' cannot be changed; only expirationDateTime, and encryptionCertificate with \
         encryptionCertificateId, can. Delete the subscription and make another."
    )]
    ReadOnly(String),
    /// Nothing was sent that could be changed.
    #[error("Nothing is to be changed; send expirationDateTime to renew the subscription.")]
    Nothing,
    /// It is no kind of change.
    #[error(
        "Property 'changeType' must be created, updated or deleted, or several with commas between them, not '{0}'."
    )]
    ChangeType(String),
    /// The URL cannot be called.
    #[error("Property '{property}' {cause}.")]
    Url {
        /// Which of the two.
        property: &'static str,
        /// Why.
        cause: UrlError,
    },
    /// The path cannot be watched.
    #[error("Property 'resource' {0}.")]
    Resource(#[from] ResourceError),
    /// It is no time.
    #[error("Property 'expirationDateTime' must be a time such as 2031-02-03T04:05:06Z, not '{0}'.")]
    NoTime(String),
    /// It has passed.
    #[error("Property 'expirationDateTime' must lie in the future; it is {} now.", .0.format("%FT%TZ"))]
    Past(DateTime<Utc>),
    /// It is too far away.
    #[error(
        "Property 'expirationDateTime' may lie at most {} minutes ahead, which is {} now.",
        LIFE_MAX.num_minutes(), .0.format("%FT%TZ")
    )]
    TooFar(DateTime<Utc>),
    /// It is too long.
    #[error("Property '{property}' may have at most {limit} characters.")]
    TooLong {
        /// The property.
        property: &'static str,
        /// How many it may have.
        limit: usize,
    },
    /// It cannot be encrypted for.
    #[error("Property 'encryptionCertificate' {0}.")]
    Certificate(#[from] CertificateError),
    /// A certificate without a use for it.
    #[error("Property '{0}' goes only with 'includeResourceData': true.")]
    NoData(&'static str),
    /// The TLS version is not one that is spoken here.
    #[error(
        "Property 'latestSupportedTlsVersion' must be v1_2 or v1_3, not '{0}'; older versions are not safe."
    )]
    TlsVersion(String),
    /// Notifications are JSON.
    #[error("Property 'notificationContentType' must be application/json, not '{0}'.")]
    ContentType(String),
}

/// A subscription that is asked for.
#[derive(Debug)]
pub(super) struct NewSubscription {
    pub(super) change_types: ChangeTypes,
    pub(super) notification_url: String,
    pub(super) lifecycle_notification_url: Option<String>,
    pub(super) resource: WatchedResource,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) client_state: Option<String>,
    pub(super) encryption: Option<EncryptionCertificate>,
    pub(super) latest_supported_tls_version: Option<String>,
}

impl NewSubscription {
    pub(super) fn read(
        properties: &Map<String, Value>,
        receivers: &Receivers,
        now: DateTime<Utc>,
    ) -> Result<Self, PropertyError> {
        for (name, value) in properties.iter().filter(|(name, _)| !name.contains('@')) {
            check_known(name, value)?;
        }
        let url = |property: &'static str| {
            let text = optional_text(properties, property)?.filter(|text| !text.is_empty());
            if let Some(text) = text {
                receivers.check(text).map_err(|cause| PropertyError::Url { property, cause })?;
            }
            Ok::<_, PropertyError>(text.map(str::to_owned))
        };
        if let Some(other) = optional_text(properties, CONTENT_TYPE)?
            && !other.eq_ignore_ascii_case("application/json")
        {
            return Err(PropertyError::ContentType(shown(other)));
        }
        Ok(Self {
            change_types: change_types(text(properties, CHANGE_TYPE)?)?,
            notification_url: url(NOTIFICATION_URL)?.ok_or(PropertyError::Missing(NOTIFICATION_URL))?,
            lifecycle_notification_url: url(LIFECYCLE_URL)?,
            resource: WatchedResource::read(text(properties, RESOURCE)?)?,
            expires_at: expiration(text(properties, EXPIRATION)?, now)?,
            client_state: short_text(properties, CLIENT_STATE, CLIENT_STATE_MAX)?,
            encryption: encryption(properties)?,
            latest_supported_tls_version: tls_version(properties)?,
        })
    }
}

/// A change that is asked for.
#[derive(Debug)]
pub(super) struct ChangedSubscription {
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) encryption: Option<EncryptionCertificate>,
}

impl ChangedSubscription {
    /// Clients send whole subscriptions back, so what cannot be changed may stand there as it is.
    pub(super) fn read(
        properties: &Map<String, Value>,
        current: &NotificationSubscription,
        now: DateTime<Utc>,
    ) -> Result<Self, PropertyError> {
        let shown = representation(current, Secrets::Shown);
        for (name, value) in properties.iter().filter(|(name, _)| !name.contains('@')) {
            let known = shown.get(name).ok_or_else(|| PropertyError::Unknown(self::shown(name)))?;
            let may_change = [EXPIRATION, CERTIFICATE, CERTIFICATE_ID].contains(&name.as_str());
            // The secret is shown as null, and so it comes back.
            if !may_change && known != value && !value.is_null() {
                return Err(PropertyError::ReadOnly(name.clone()));
            }
        }
        let expires_at =
            optional_text(properties, EXPIRATION)?.map(|text| expiration(text, now)).transpose()?;
        let encryption = new_certificate(properties, current)?;
        if expires_at.is_none() && encryption.is_none() {
            return Err(PropertyError::Nothing);
        }
        Ok(Self { expires_at, encryption })
    }
}

fn check_known(name: &str, value: &Value) -> Result<(), PropertyError> {
    if WRITABLE.contains(&name) || READ_ONLY.contains(&name) {
        Ok(())
    } else if !UNSUPPORTED.contains(&name) {
        Err(PropertyError::Unknown(shown(name)))
    } else if value.is_null() {
        Ok(())
    } else {
        Err(PropertyError::Unsupported(name.to_owned()))
    }
}

/// A text of the caller's, fit to stand in a message.
fn shown(text: &str) -> String {
    text.chars().take(60).filter(|c| !c.is_control()).collect()
}

/// A property's text; `None` if it is absent or null.
fn optional_text<'a>(
    properties: &'a Map<String, Value>,
    property: &'static str,
) -> Result<Option<&'a str>, PropertyError> {
    match properties.get(property) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            Err(PropertyError::Type { property, expected: "string", found: shown(&other.to_string()) })
        }
    }
}

fn text<'a>(properties: &'a Map<String, Value>, property: &'static str) -> Result<&'a str, PropertyError> {
    optional_text(properties, property)?.ok_or(PropertyError::Missing(property))
}

fn short_text(
    properties: &Map<String, Value>,
    property: &'static str,
    limit: usize,
) -> Result<Option<String>, PropertyError> {
    match optional_text(properties, property)? {
        Some(text) if text.chars().count() > limit => Err(PropertyError::TooLong { property, limit }),
        text => Ok(text.map(str::to_owned)),
    }
}

fn change_types(text: &str) -> Result<ChangeTypes, PropertyError> {
    let wrong = || PropertyError::ChangeType(shown(text));
    let kinds: Option<Vec<NotificationEvent>> =
        text.split(',').map(|kind| kind.trim().to_ascii_lowercase().parse().ok()).collect();
    ChangeTypes::new(kinds.ok_or_else(wrong)?).ok_or_else(wrong)
}

fn expiration(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, PropertyError> {
    let at = text.parse::<DateTime<Utc>>().map_err(|_| PropertyError::NoTime(shown(text)))?;
    // As fine as it is stored.
    let at = at.trunc_subsecs(6);
    if at <= now {
        Err(PropertyError::Past(now))
    } else if at > now + LIFE_MAX {
        Err(PropertyError::TooFar(now + LIFE_MAX))
    } else {
        Ok(at)
    }
}

fn encryption(properties: &Map<String, Value>) -> Result<Option<EncryptionCertificate>, PropertyError> {
    let included = match properties.get(INCLUDE_DATA) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(included)) => *included,
        Some(other) => {
            let found = shown(&other.to_string());
            return Err(PropertyError::Type { property: INCLUDE_DATA, expected: "Boolean", found });
        }
    };
    let given = certificate(properties)?;
    match (included, given) {
        (true, (Some(certificate), Some(id))) => Ok(Some(EncryptionCertificate { certificate, id })),
        (true, (None, _)) => Err(PropertyError::Missing(CERTIFICATE)),
        (true, (_, None)) => Err(PropertyError::Missing(CERTIFICATE_ID)),
        (false, (Some(_), _)) => Err(PropertyError::NoData(CERTIFICATE)),
        (false, (_, Some(_))) => Err(PropertyError::NoData(CERTIFICATE_ID)),
        (false, (None, None)) => Ok(None),
    }
}

/// Certificate and id, as far as they are given; Graph's own examples have empty texts for none.
fn certificate(properties: &Map<String, Value>) -> Result<(Option<String>, Option<String>), PropertyError> {
    let certificate = optional_text(properties, CERTIFICATE)?.filter(|text| !text.is_empty());
    if let Some(certificate) = certificate {
        Certificate::read(certificate)?;
    }
    let id = short_text(properties, CERTIFICATE_ID, CERTIFICATE_ID_MAX)?.filter(|id| !id.is_empty());
    Ok((certificate.map(str::to_owned), id))
}

fn new_certificate(
    properties: &Map<String, Value>,
    current: &NotificationSubscription,
) -> Result<Option<EncryptionCertificate>, PropertyError> {
    let known_id = current.encryption.as_ref().map(|encryption| encryption.id.clone());
    match certificate(properties)? {
        (Some(_), _) if known_id.is_none() => Err(PropertyError::NoData(CERTIFICATE)),
        // A new certificate under the old name could not be told from the old one.
        (Some(certificate), Some(id)) => Ok(Some(EncryptionCertificate { certificate, id })),
        (Some(_), None) => Err(PropertyError::Missing(CERTIFICATE_ID)),
        (None, Some(id)) if Some(&id) != known_id.as_ref() => Err(PropertyError::Missing(CERTIFICATE)),
        (None, _) => Ok(None),
    }
}

fn tls_version(properties: &Map<String, Value>) -> Result<Option<String>, PropertyError> {
    match optional_text(properties, TLS_VERSION)? {
        None => Ok(None),
        Some(version @ ("v1_2" | "v1_3")) => Ok(Some(version.to_owned())),
        Some(other) => Err(PropertyError::TlsVersion(shown(other))),
    }
}
