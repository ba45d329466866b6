//! Sources of records, keys to push them with, and notices of what is wrong with them.

use alerts::{CustomerTenantId, PartnerTenantId};
use chrono::{DateTime, Utc};

/// How a source fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its name in the settings.
    pub name: String,
    /// `folder`, `azure_blob`, `s3`, `event_hubs`.
    pub kind: String,
    /// The server that reads it, if one does.
    pub holder: Option<String>,
    /// Until when no other server may read it.
    pub held_until: Option<DateTime<Utc>>,
    /// When it was last looked at.
    pub last_polled_at: Option<DateTime<Utc>>,
    /// When that last succeeded.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Why it last failed, and when.
    pub last_error: Option<(String, DateTime<Utc>)>,
    /// Objects or messages taken in since the beginning.
    pub objects: u64,
    /// Records taken in since the beginning.
    pub records: u64,
    /// Bytes taken in since the beginning.
    pub bytes: u64,
}

impl SourceStatus {
    /// Whether it failed when it was last looked at.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.last_error
            .as_ref()
            .is_some_and(|(_, at)| self.last_success_at.is_none_or(|success| *at > success))
    }
}

/// How a look at a source ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceNote {
    /// Objects or messages taken in.
    pub objects: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// A key with which a customer's systems push its records. The key itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestKey {
    /// A GUID by which it is named.
    pub id: String,
    /// The partner.
    pub partner_tenant_id: PartnerTenantId,
    /// Whose records it takes.
    pub customer_tenant_id: CustomerTenantId,
    /// What its maker calls it.
    pub name: Option<String>,
    /// The kinds of record that it takes; all if there are none.
    pub kinds: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it holds.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl IngestKey {
    /// Whether it opens anything.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|until| now < until)
    }
}

/// What the operator must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `silent_customer`, `source_failing`, …
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What is wrong and what to do.
    pub text: String,
    /// Since when.
    pub raised_at: DateTime<Utc>,
    /// When it was over.
    pub cleared_at: Option<DateTime<Utc>>,
}
