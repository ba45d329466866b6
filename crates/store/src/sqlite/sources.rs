//! Sources of records and what came of them, on the embedded store.

use std::collections::BTreeMap;

use ::alerts::{CustomerTenantId, ResellerTenantId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::SqliteStore;
use super::session::at_once;
use crate::logic::{coverage, customers, ingest_keys, notices, sources};
use crate::{
    Arrival, Coverage, CoverageQuery, CoverageStore, Customer, CustomerQuery, CustomerStore,
    CustomerSubscription, CustomersImported, IngestKey, IngestKeyStore, KindTotals, KnownCustomer, Notice,
    NoticeStore, Owner, SourceNote, SourceStatus, SourceStore, StoreError,
};

#[async_trait]
impl SourceStore for SqliteStore {
    async fn lease_source(
        &self,
        scope: &Scope,
        name: &str,
        kind: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (scope, name, kind, holder) =
            (scope.clone(), name.to_owned(), kind.to_owned(), holder.to_owned());
        self.writer
            .write(move |session| {
                at_once(sources::lease(session, &scope, (&name, &kind, &holder), now, until))
            })
            .await
    }

    async fn positions(&self, scope: &Scope, source: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.readers.read(|session| at_once(sources::positions(session, scope, source)))
    }

    async fn save_positions(
        &self,
        scope: &Scope,
        source: &str,
        positions: &[(String, Option<String>)],
    ) -> Result<(), StoreError> {
        let (scope, source, positions) = (scope.clone(), source.to_owned(), positions.to_vec());
        self.writer
            .write(move |session| at_once(sources::save_positions(session, &scope, &source, &positions)))
            .await
    }

    async fn note_source(
        &self,
        scope: &Scope,
        name: &str,
        note: &SourceNote,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, name, note) = (scope.clone(), name.to_owned(), note.clone());
        self.writer.write(move |session| at_once(sources::note(session, &scope, &name, &note, at))).await
    }

    async fn sources(&self, scope: &Scope) -> Result<Vec<SourceStatus>, StoreError> {
        self.readers.read(|session| at_once(sources::all(session, scope)))
    }
}

#[async_trait]
impl CoverageStore for SqliteStore {
    async fn note_arrivals(
        &self,
        scope: &Scope,
        arrivals: &[Arrival],
        arrived_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, arrivals) = (scope.clone(), arrivals.to_vec());
        self.writer.write(move |session| at_once(coverage::add(session, &scope, &arrivals, arrived_at))).await
    }

    async fn coverage(&self, scope: &Scope, query: &CoverageQuery) -> Result<Vec<Coverage>, StoreError> {
        self.readers.read(|session| at_once(coverage::list(session, scope, query)))
    }

    async fn totals(&self, scope: &Scope) -> Result<Vec<KindTotals>, StoreError> {
        self.readers.read(|session| at_once(coverage::totals(session, scope)))
    }
}

#[async_trait]
impl CustomerStore for SqliteStore {
    async fn import_customers(
        &self,
        scope: &Scope,
        customers: &[Customer],
        subscriptions: &[CustomerSubscription],
        at: DateTime<Utc>,
    ) -> Result<CustomersImported, StoreError> {
        let (scope, customers, subscriptions) = (scope.clone(), customers.to_vec(), subscriptions.to_vec());
        self.writer
            .write(move |session| at_once(customers::import(session, &scope, &customers, &subscriptions, at)))
            .await
    }

    async fn customers(
        &self,
        scope: &Scope,
        query: &CustomerQuery,
    ) -> Result<Vec<KnownCustomer>, StoreError> {
        self.readers.read(|session| at_once(customers::list(session, scope, query)))
    }

    async fn owners(&self, scope: &Scope) -> Result<Vec<Owner>, StoreError> {
        self.readers.read(|session| at_once(customers::owners(session, scope)))
    }

    async fn resellers(
        &self,
        scope: &Scope,
    ) -> Result<Vec<(CustomerTenantId, ResellerTenantId)>, StoreError> {
        self.readers.read(|session| at_once(customers::resellers(session, scope)))
    }
}

#[async_trait]
impl IngestKeyStore for SqliteStore {
    async fn add_ingest_key(&self, scope: &Scope, key: &IngestKey, hash: &[u8]) -> Result<(), StoreError> {
        let (scope, key, hash) = (scope.clone(), key.clone(), hash.to_vec());
        self.writer.write(move |session| at_once(ingest_keys::add(session, &scope, &key, &hash))).await
    }

    async fn ingest_keys(&self, scope: &Scope) -> Result<Vec<IngestKey>, StoreError> {
        self.readers.read(|session| at_once(ingest_keys::list(session, scope)))
    }

    async fn ingest_key(&self, hash: &[u8]) -> Result<Option<IngestKey>, StoreError> {
        self.readers.read(|session| at_once(ingest_keys::by_hash(session, hash)))
    }

    async fn revoke_ingest_key(
        &self,
        scope: &Scope,
        id: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.writer.write(move |session| at_once(ingest_keys::revoke(session, &scope, &id, at))).await
    }

    async fn note_ingest_key_use(
        &self,
        scope: &Scope,
        id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.writer.write(move |session| at_once(ingest_keys::note_use(session, &scope, &id, at))).await
    }
}

#[async_trait]
impl NoticeStore for SqliteStore {
    async fn raise_notice(&self, scope: &Scope, notice: &Notice) -> Result<bool, StoreError> {
        let (scope, notice) = (scope.clone(), notice.clone());
        self.writer.write(move |session| at_once(notices::raise(session, &scope, &notice))).await
    }

    async fn clear_notice(
        &self,
        scope: &Scope,
        kind: &str,
        subject: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (scope, kind, subject) = (scope.clone(), kind.to_owned(), subject.to_owned());
        self.writer.write(move |session| at_once(notices::clear(session, &scope, &kind, &subject, at))).await
    }

    async fn notices(&self, scope: &Scope, also_cleared: bool) -> Result<Vec<Notice>, StoreError> {
        self.readers.read(|session| at_once(notices::list(session, scope, also_cleared)))
    }
}
