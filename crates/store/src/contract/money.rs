//! Money at risk, and prices.

use alerts::money::{MachinePrice, MoneyAtRisk, PriceSource};
use alerts::{AlertId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    DueAlert, MoneyDue, MoneyEntry, MoneyNote, MoneyQuery, MoneyTotals, ObservedPrices, PriceQuery,
    StoreError,
};

/// What the incidents of alerts cost. It is reckoned anew every few minutes, so it is kept beside the alerts and changes
/// none: no version rises, and nobody is told.
#[async_trait]
pub trait MoneyStore: Send + Sync + 'static {
    /// The alerts to reckon: of some subscriptions, of which an alert changed or was not reckoned for long, all open
    /// ones and those that were resolved since, by subscription and age, the oldest first. Those about a tenant cost
    /// nothing. This is work on the whole partner; a narrower scope has none.
    async fn money_due(&self, scope: &Scope, due: &MoneyDue) -> Result<Vec<DueAlert>, StoreError>;

    /// Notes what came of it, in place of what was noted before. An alert that is not the scope's is an error.
    async fn note_money(&self, scope: &Scope, notes: &[MoneyNote]) -> Result<(), StoreError>;

    /// What an alert costs; `None` if the scope has no such alert, or it was never reckoned.
    async fn money_at_risk(&self, scope: &Scope, id: &AlertId) -> Result<Option<MoneyAtRisk>, StoreError>;

    /// The open alerts of the scope that cost something, the most first.
    async fn list_money(&self, scope: &Scope, query: &MoneyQuery) -> Result<Vec<MoneyEntry>, StoreError>;

    /// What the open alerts of the scope cost together.
    async fn money_totals(&self, scope: &Scope) -> Result<MoneyTotals, StoreError>;
}

/// What machines cost by the hour. Prices are the whole partner's: what it pays is not its customers' business. A
/// narrower scope sees none.
#[async_trait]
pub trait PriceStore: Send + Sync + 'static {
    /// Puts what bills say in place of what they said before.
    async fn observe_prices(
        &self,
        scope: &Scope,
        observed: &ObservedPrices,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// When that was last done.
    async fn prices_observed_at(&self, scope: &Scope) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Adds prices of a rate card, each in place of what it said before of the same.
    async fn import_prices(
        &self,
        scope: &Scope,
        prices: &[MachinePrice],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Forgets all prices of a source, and says how many.
    async fn forget_prices(&self, scope: &Scope, source: PriceSource) -> Result<u64, StoreError>;

    /// Prices, by source, size, priority, region and currency.
    async fn prices(&self, scope: &Scope, query: &PriceQuery) -> Result<Vec<MachinePrice>, StoreError>;
}
