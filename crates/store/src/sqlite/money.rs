//! Money at risk and prices, on the embedded store.

use ::alerts::money::{MachinePrice, MoneyAtRisk, PriceSource};
use ::alerts::{AlertId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::SqliteStore;
use super::session::at_once;
use crate::logic::{money, prices};
use crate::{
    DueAlert, MoneyDue, MoneyEntry, MoneyNote, MoneyQuery, MoneyStore, MoneyTotals, ObservedPrices,
    PriceQuery, PriceStore, StoreError,
};

#[async_trait]
impl MoneyStore for SqliteStore {
    async fn money_due(&self, scope: &Scope, due: &MoneyDue) -> Result<Vec<DueAlert>, StoreError> {
        self.readers.read(|session| at_once(money::due(session, scope, due)))
    }

    async fn note_money(&self, scope: &Scope, notes: &[MoneyNote]) -> Result<(), StoreError> {
        let (scope, notes) = (scope.clone(), notes.to_vec());
        self.writer.write(move |session| at_once(money::note(session, &scope, &notes))).await
    }

    async fn money_at_risk(&self, scope: &Scope, id: &AlertId) -> Result<Option<MoneyAtRisk>, StoreError> {
        self.readers.read(|session| at_once(money::one(session, scope, id)))
    }

    async fn list_money(&self, scope: &Scope, query: &MoneyQuery) -> Result<Vec<MoneyEntry>, StoreError> {
        self.readers.read(|session| at_once(money::list(session, scope, query)))
    }

    async fn money_totals(&self, scope: &Scope) -> Result<MoneyTotals, StoreError> {
        self.readers.read(|session| at_once(money::totals(session, scope)))
    }
}

#[async_trait]
impl PriceStore for SqliteStore {
    async fn observe_prices(
        &self,
        scope: &Scope,
        observed: &ObservedPrices,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, observed) = (scope.clone(), observed.clone());
        self.writer.write(move |session| at_once(prices::observe(session, &scope, &observed, at))).await
    }

    async fn prices_observed_at(&self, scope: &Scope) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.readers.read(|session| at_once(prices::observed_at(session, scope)))
    }

    async fn import_prices(
        &self,
        scope: &Scope,
        known: &[MachinePrice],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, known) = (scope.clone(), known.to_vec());
        self.writer.write_alone(move |session| at_once(prices::import(session, &scope, &known, at))).await
    }

    async fn forget_prices(&self, scope: &Scope, source: PriceSource) -> Result<u64, StoreError> {
        let scope = scope.clone();
        self.writer.write(move |session| at_once(prices::forget(session, &scope, source))).await
    }

    async fn prices(&self, scope: &Scope, query: &PriceQuery) -> Result<Vec<MachinePrice>, StoreError> {
        self.readers.read(|session| at_once(prices::list(session, scope, query)))
    }
}
