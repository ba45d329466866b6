//! Money at risk and prices, on PostgreSQL.

use ::alerts::money::{MachinePrice, MoneyAtRisk, PriceSource};
use ::alerts::{AlertId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::session::Lock;
use crate::logic::{money, prices};
use crate::{
    DueAlert, MoneyDue, MoneyEntry, MoneyNote, MoneyQuery, MoneyStore, MoneyTotals, ObservedPrices,
    PriceQuery, PriceStore, StoreError,
};

/// Work on money; changes of alerts need not wait for it.
fn lock() -> Lock {
    Lock::of_subject("money")
}

#[async_trait]
impl MoneyStore for PostgresStore {
    async fn money_due(&self, scope: &Scope, due: &MoneyDue) -> Result<Vec<DueAlert>, StoreError> {
        money::due(&mut self.reading().await?, scope, due).await
    }

    async fn note_money(&self, scope: &Scope, notes: &[MoneyNote]) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = money::note(&mut session, scope, notes).await;
            session.end(done).await
        })
        .await
    }

    async fn money_at_risk(&self, scope: &Scope, id: &AlertId) -> Result<Option<MoneyAtRisk>, StoreError> {
        money::one(&mut self.reading().await?, scope, id).await
    }

    async fn list_money(&self, scope: &Scope, query: &MoneyQuery) -> Result<Vec<MoneyEntry>, StoreError> {
        money::list(&mut self.reading().await?, scope, query).await
    }

    async fn money_totals(&self, scope: &Scope) -> Result<MoneyTotals, StoreError> {
        money::totals(&mut self.reading().await?, scope).await
    }
}

#[async_trait]
impl PriceStore for PostgresStore {
    async fn observe_prices(
        &self,
        scope: &Scope,
        observed: &ObservedPrices,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = prices::observe(&mut session, scope, observed, at).await;
            session.end(done).await
        })
        .await
    }

    async fn prices_observed_at(&self, scope: &Scope) -> Result<Option<DateTime<Utc>>, StoreError> {
        prices::observed_at(&mut self.reading().await?, scope).await
    }

    async fn import_prices(
        &self,
        scope: &Scope,
        known: &[MachinePrice],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = prices::import(&mut session, scope, known, at).await;
            session.end(done).await
        })
        .await
    }

    async fn forget_prices(&self, scope: &Scope, source: PriceSource) -> Result<u64, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = prices::forget(&mut session, scope, source).await;
            session.end(done).await
        })
        .await
    }

    async fn prices(&self, scope: &Scope, query: &PriceQuery) -> Result<Vec<MachinePrice>, StoreError> {
        prices::list(&mut self.reading().await?, scope, query).await
    }
}
