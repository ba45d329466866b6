//! Notification subscriptions, and the notifications on their way.

use std::fmt;
use std::str::FromStr;

use alerts::{AlertId, PartnerTenantId, Scope};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Who holds notification subscriptions. One sees only one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Whose alerts the subscriber may see. Subscriptions of another scope are not its own, since they
    /// would tell of other alerts.
    pub scope: Scope,
    /// The application.
    pub application_id: String,
    /// The user on whose behalf it calls; `None` for the application itself, which sees those of its
    /// users too.
    pub user_id: Option<String>,
}

/// A caller's request to be told of changes to alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationSubscription {
    /// Which one it is.
    pub id: Uuid,
    /// Whose alerts it tells of: what its creator might see.
    pub scope: Scope,
    /// The application that subscribed.
    pub application_id: String,
    /// The user or service principal that subscribed.
    pub creator_id: String,
    /// What it watches, as the subscriber wrote it.
    pub resource: String,
    /// The only alert that it watches; all if `None`.
    pub alert_id: Option<AlertId>,
    /// The changes that it tells of.
    pub change_types: ChangeTypes,
    /// Where notifications go.
    pub notification_url: String,
    /// Where notifications of its own life go.
    pub lifecycle_notification_url: Option<String>,
    /// What the receiver recognises us by.
    pub client_state: Option<String>,
    /// Until when it tells.
    pub expires_at: DateTime<Utc>,
    /// When its subscriber is to be reminded to renew it, if at all.
    pub reauthorize_at: Option<DateTime<Utc>>,
    /// For whom notifications carry the alert encrypted; they carry none if `None`.
    pub encryption: Option<EncryptionCertificate>,
    /// The newest version of TLS that the receiver has, as the subscriber told it.
    pub latest_supported_tls_version: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl NotificationSubscription {
    /// Which one it is, for work on the whole store.
    #[must_use]
    pub fn key(&self) -> SubscriptionKey {
        SubscriptionKey { partner_tenant_id: self.scope.partner().clone(), id: self.id }
    }
}

/// For whom resource data is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionCertificate {
    /// An X.509 certificate in base64, as the subscriber sent it.
    pub certificate: String,
    /// What the subscriber calls it.
    pub id: String,
}

/// Kinds of change, in the order in which they were asked for; never none, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTypes(Vec<NotificationEvent>);

impl ChangeTypes {
    /// Those kinds, each once; `None` if there are none, or one is no change of an alert.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = NotificationEvent>) -> Option<Self> {
        let mut unique = Vec::new();
        for kind in kinds {
            if kind.is_lifecycle() {
                return None;
            }
            if !unique.contains(&kind) {
                unique.push(kind);
            }
        }
        (!unique.is_empty()).then_some(Self(unique))
    }

    /// Whether that kind is one of them.
    #[must_use]
    pub fn contains(&self, kind: NotificationEvent) -> bool {
        self.0.contains(&kind)
    }
}

impl fmt::Display for ChangeTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|kind| kind.name()).collect();
        f.write_str(&names.join(","))
    }
}

/// What a notification tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationEvent {
    /// An alert was raised or imported.
    Created,
    /// An alert changed.
    Updated,
    /// An alert is gone.
    Deleted,
    /// The subscription is about to expire.
    ReauthorizationRequired,
    /// The subscription has ended.
    SubscriptionRemoved,
    /// Notifications were given up.
    Missed,
}

impl NotificationEvent {
    const ALL: [Self; 6] = [
        Self::Created,
        Self::Updated,
        Self::Deleted,
        Self::ReauthorizationRequired,
        Self::SubscriptionRemoved,
        Self::Missed,
    ];

    /// Its name, as Graph writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }

    /// Whether it is about the subscription itself, not about an alert.
    #[must_use]
    pub fn is_lifecycle(self) -> bool {
        match self {
            Self::Created | Self::Updated | Self::Deleted => false,
            Self::ReauthorizationRequired | Self::SubscriptionRemoved | Self::Missed => true,
        }
    }
}

/// The text names nothing that a notification tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such event")]
pub struct UnknownEvent;

impl FromStr for NotificationEvent {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.into_iter().find(|event| event.name() == text).ok_or(UnknownEvent)
    }
}

/// What changes in a notification subscription. Any change confirms it: a reminder that waits is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// The new end, and when to remind of it; kept if `None`.
    pub renewal: Option<Renewal>,
    /// The new certificate; kept if `None`.
    pub encryption: Option<EncryptionCertificate>,
}

/// A new end of a notification subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Until when it tells.
    pub expires_at: DateTime<Utc>,
    /// When its subscriber is to be reminded, if at all.
    pub reauthorize_at: Option<DateTime<Utc>>,
}

/// Which notification subscription of all partners'.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionKey {
    /// The partner.
    pub partner_tenant_id: PartnerTenantId,
    /// The subscription.
    pub id: Uuid,
}

/// What is to be done for notification subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationWork {
    /// Those that have expired, or are to be reminded of.
    pub to_tend: Vec<SubscriptionKey>,
    /// Those that have not seen all changes.
    pub behind: Vec<SubscriptionKey>,
    /// Those with a notification to be sent now, the longest waiting first.
    pub due: Vec<SubscriptionKey>,
}

/// Who sends, and until when others are to believe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Never used twice.
    pub id: Uuid,
    /// When it ends by itself, if its holder is gone.
    pub until: DateTime<Utc>,
}

/// Notifications that are leased, and whom they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Whom they are for.
    pub subscription: NotificationSubscription,
    /// The notifications: of each alert the first one only.
    pub notifications: Vec<Notification>,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number, unique within the store.
    pub number: i64,
    /// The alert; `None` if it is about the subscription itself.
    pub alert_id: Option<AlertId>,
    /// What it tells of.
    pub event: NotificationEvent,
    /// The alert's version after the change; 0 without an alert.
    pub version: u64,
    /// When it was put into the outbox.
    pub created_at: DateTime<Utc>,
    /// How many attempts have failed.
    pub attempts: u32,
    /// When the first attempt failed, of this one or of one that it waited behind.
    pub first_failed_at: Option<DateTime<Utc>>,
}

/// What came of sending a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was delivered.
    Delivered,
    /// It was not, and is to be tried again.
    Failed {
        /// Not before.
        again_at: DateTime<Utc>,
    },
    /// It was not, and will not be. Those that wait behind it since that long go with it, and the
    /// subscriber is told that something was missed.
    GivenUp {
        /// Those whose first attempt failed by then.
        with_failed_by: DateTime<Utc>,
    },
}
