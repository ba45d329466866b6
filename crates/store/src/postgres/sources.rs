//! Sources of records and what came of them, on PostgreSQL.

use std::collections::BTreeMap;

use ::alerts::{CustomerTenantId, ResellerTenantId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::session::Lock;
use crate::logic::{coverage, customers, ingest_keys, notices, sources};
use crate::{
    Arrival, Coverage, CoverageQuery, CoverageStore, Customer, CustomerQuery, CustomerStore,
    CustomerSubscription, CustomersImported, IngestKey, IngestKeyStore, KindTotals, KnownCustomer, Notice,
    NoticeStore, Owner, SourceNote, SourceStatus, SourceStore, StoreError,
};

/// Work on sources; changes of alerts need not wait for it.
fn lock() -> Lock {
    Lock::of_subject("sources")
}

#[async_trait]
impl SourceStore for PostgresStore {
    async fn lease_source(
        &self,
        scope: &Scope,
        name: &str,
        kind: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = sources::lease(&mut session, scope, (name, kind, holder), now, until).await;
            session.end(done).await
        })
        .await
    }

    async fn positions(&self, scope: &Scope, source: &str) -> Result<BTreeMap<String, String>, StoreError> {
        sources::positions(&mut self.reading().await?, scope, source).await
    }

    async fn save_positions(
        &self,
        scope: &Scope,
        source: &str,
        positions: &[(String, Option<String>)],
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = sources::save_positions(&mut session, scope, source, positions).await;
            session.end(done).await
        })
        .await
    }

    async fn note_source(
        &self,
        scope: &Scope,
        name: &str,
        note: &SourceNote,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = sources::note(&mut session, scope, name, note, at).await;
            session.end(done).await
        })
        .await
    }

    async fn sources(&self, scope: &Scope) -> Result<Vec<SourceStatus>, StoreError> {
        sources::all(&mut self.reading().await?, scope).await
    }
}

#[async_trait]
impl CoverageStore for PostgresStore {
    async fn note_arrivals(
        &self,
        scope: &Scope,
        arrivals: &[Arrival],
        arrived_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = coverage::add(&mut session, scope, arrivals, arrived_at).await;
            session.end(done).await
        })
        .await
    }

    async fn coverage(&self, scope: &Scope, query: &CoverageQuery) -> Result<Vec<Coverage>, StoreError> {
        coverage::list(&mut self.reading().await?, scope, query).await
    }

    async fn totals(&self, scope: &Scope) -> Result<Vec<KindTotals>, StoreError> {
        coverage::totals(&mut self.reading().await?, scope).await
    }
}

#[async_trait]
impl CustomerStore for PostgresStore {
    async fn import_customers(
        &self,
        scope: &Scope,
        customers: &[Customer],
        subscriptions: &[CustomerSubscription],
        at: DateTime<Utc>,
    ) -> Result<CustomersImported, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = customers::import(&mut session, scope, customers, subscriptions, at).await;
            session.end(done).await
        })
        .await
    }

    async fn customers(
        &self,
        scope: &Scope,
        query: &CustomerQuery,
    ) -> Result<Vec<KnownCustomer>, StoreError> {
        customers::list(&mut self.reading().await?, scope, query).await
    }

    async fn owners(&self, scope: &Scope) -> Result<Vec<Owner>, StoreError> {
        customers::owners(&mut self.reading().await?, scope).await
    }

    async fn resellers(
        &self,
        scope: &Scope,
    ) -> Result<Vec<(CustomerTenantId, ResellerTenantId)>, StoreError> {
        customers::resellers(&mut self.reading().await?, scope).await
    }
}

#[async_trait]
impl IngestKeyStore for PostgresStore {
    async fn add_ingest_key(&self, scope: &Scope, key: &IngestKey, hash: &[u8]) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = ingest_keys::add(&mut session, scope, key, hash).await;
            session.end(done).await
        })
        .await
    }

    async fn ingest_keys(&self, scope: &Scope) -> Result<Vec<IngestKey>, StoreError> {
        ingest_keys::list(&mut self.reading().await?, scope).await
    }

    async fn ingest_key(&self, hash: &[u8]) -> Result<Option<IngestKey>, StoreError> {
        ingest_keys::by_hash(&mut self.reading().await?, hash).await
    }

    async fn revoke_ingest_key(
        &self,
        scope: &Scope,
        id: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = ingest_keys::revoke(&mut session, scope, id, at).await;
            session.end(done).await
        })
        .await
    }

    async fn note_ingest_key_use(
        &self,
        scope: &Scope,
        id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = ingest_keys::note_use(&mut session, scope, id, at).await;
            session.end(done).await
        })
        .await
    }
}

#[async_trait]
impl NoticeStore for PostgresStore {
    async fn raise_notice(&self, scope: &Scope, notice: &Notice) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = notices::raise(&mut session, scope, notice).await;
            session.end(done).await
        })
        .await
    }

    async fn clear_notice(
        &self,
        scope: &Scope,
        kind: &str,
        subject: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = notices::clear(&mut session, scope, kind, subject, at).await;
            session.end(done).await
        })
        .await
    }

    async fn notices(&self, scope: &Scope, also_cleared: bool) -> Result<Vec<Notice>, StoreError> {
        notices::list(&mut self.reading().await?, scope, also_cleared).await
    }
}
