//! Where records come from, and what came.

use std::collections::BTreeMap;

use alerts::{CustomerTenantId, ResellerTenantId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Arrival, Coverage, CoverageQuery, Customer, CustomerQuery, CustomerSubscription, CustomersImported,
    IngestKey, KindTotals, KnownCustomer, Notice, Owner, SourceNote, SourceStatus, StoreError,
};

/// Sources: up to where they were read, by whom, and how they fare. All of it is the whole partner's.
#[async_trait]
pub trait SourceStore: Send + Sync + 'static {
    /// Lets one server read a source, until that time; the same server may ask again to go on. Says
    /// whether it may.
    async fn lease_source(
        &self,
        scope: &Scope,
        name: &str,
        kind: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Up to where the parts of a source were read: JSON, by key.
    async fn positions(&self, scope: &Scope, source: &str) -> Result<BTreeMap<String, String>, StoreError>;

    /// Notes how far parts of a source were read; `None` forgets one. All or none.
    async fn save_positions(
        &self,
        scope: &Scope,
        source: &str,
        positions: &[(String, Option<String>)],
    ) -> Result<(), StoreError>;

    /// Notes how a look at a source ended.
    async fn note_source(
        &self,
        scope: &Scope,
        name: &str,
        note: &SourceNote,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// All sources that were ever read, by name. A scope narrower than the partner sees none.
    async fn sources(&self, scope: &Scope) -> Result<Vec<SourceStatus>, StoreError>;
}

/// What came in, for whom.
#[async_trait]
pub trait CoverageStore: Send + Sync + 'static {
    /// Adds what came in.
    async fn note_arrivals(
        &self,
        scope: &Scope,
        arrivals: &[Arrival],
        arrived_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What came in of the customers of the scope, in order of its key. What belongs to no known customer
    /// is the partner's alone to see; customers of a reseller are those whose subscriptions the directory
    /// says are.
    async fn coverage(&self, scope: &Scope, query: &CoverageQuery) -> Result<Vec<Coverage>, StoreError>;

    /// What came in of each kind over the whole partner, by kind.
    async fn totals(&self, scope: &Scope) -> Result<Vec<KindTotals>, StoreError>;
}

/// The partner's customers.
#[async_trait]
pub trait CustomerStore: Send + Sync + 'static {
    /// Remembers customers, and subscriptions of these or of customers that are known. What an import leaves out is
    /// kept; what it says wins over what records say, also for subscriptions that are known already. A subscription
    /// of a customer that is not known is passed over.
    async fn import_customers(
        &self,
        scope: &Scope,
        customers: &[Customer],
        subscriptions: &[CustomerSubscription],
        at: DateTime<Utc>,
    ) -> Result<CustomersImported, StoreError>;

    /// The imported customers of the scope, by tenant.
    async fn customers(&self, scope: &Scope, query: &CustomerQuery)
    -> Result<Vec<KnownCustomer>, StoreError>;

    /// Whose each subscription of the partner is, as far as that is known.
    async fn owners(&self, scope: &Scope) -> Result<Vec<Owner>, StoreError>;

    /// Which customers resellers brought, by the partner's own word. A scope narrower than the partner sees none.
    async fn resellers(&self, scope: &Scope)
    -> Result<Vec<(CustomerTenantId, ResellerTenantId)>, StoreError>;
}

/// Keys that let a customer's systems push its records.
#[async_trait]
pub trait IngestKeyStore: Send + Sync + 'static {
    /// Adds a key; `hash` is SHA-256 of it.
    async fn add_ingest_key(&self, scope: &Scope, key: &IngestKey, hash: &[u8]) -> Result<(), StoreError>;

    /// The keys of the scope, oldest first, also those that no longer hold.
    async fn ingest_keys(&self, scope: &Scope) -> Result<Vec<IngestKey>, StoreError>;

    /// The key of that hash, whoever's it is, whether or not it holds.
    async fn ingest_key(&self, hash: &[u8]) -> Result<Option<IngestKey>, StoreError>;

    /// Ends a key; `false` if the scope has none of that id.
    async fn revoke_ingest_key(&self, scope: &Scope, id: &str, at: DateTime<Utc>)
    -> Result<bool, StoreError>;

    /// Notes that a key was used.
    async fn note_ingest_key_use(&self, scope: &Scope, id: &str, at: DateTime<Utc>)
    -> Result<(), StoreError>;
}

/// What the operator must know. All of it is the whole partner's.
#[async_trait]
pub trait NoticeStore: Send + Sync + 'static {
    /// Raises a notice, or says it in other words; `true` if it was not open.
    async fn raise_notice(&self, scope: &Scope, notice: &Notice) -> Result<bool, StoreError>;

    /// Clears a notice; `true` if it was open.
    async fn clear_notice(
        &self,
        scope: &Scope,
        kind: &str,
        subject: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// The open notices, oldest first; with those that are over if asked for. A scope narrower than the
    /// partner sees none.
    async fn notices(&self, scope: &Scope, also_cleared: bool) -> Result<Vec<Notice>, StoreError>;
}
