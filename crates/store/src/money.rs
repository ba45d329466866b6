//! Money at risk: what is to be reckoned, what is noted of it, and how it is asked for.

use alerts::money::{Amount, Currency, MachinePrice, MoneyAtRisk, PriceSource};
use alerts::{AlertId, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};

use crate::AlertBody;

/// Which alerts are to be reckoned again, by the age of their last evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyDue {
    /// The clock.
    pub now: DateTime<Utc>,
    /// For each age, the youngest first: up to it, alerts are reckoned so often.
    pub ages: [(TimeDelta, TimeDelta); 2],
    /// How often older ones are.
    pub oldest_every: TimeDelta,
    /// Of how many subscriptions at most.
    pub subscriptions: u32,
}

/// An alert to be reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAlert {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// The alert.
    pub body: AlertBody,
}

/// What came of reckoning an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyNote {
    /// The alert.
    pub alert_id: AlertId,
    /// The version that it was reckoned for.
    pub alert_version: u64,
    /// Whether the alert was open then.
    pub is_open: bool,
    /// The clock.
    pub reckoned_at: DateTime<Utc>,
    /// What it costs.
    pub money: MoneyAtRisk,
}

/// By what the list is sorted; the most comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MoneyOrder {
    /// What it costs by the hour now, then what it cost so far.
    #[default]
    PerHour,
    /// What it cost so far, then by the hour.
    SoFar,
}

/// Which open alerts that cost money to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoneyQuery {
    /// In one currency.
    pub currency: Option<Currency>,
    /// The order.
    pub order: MoneyOrder,
    /// Start after this entry instead of at the first.
    pub after: Option<MoneyPosition>,
    /// How many at most.
    pub limit: Option<u64>,
}

/// Where an entry stands in an order. Amounts of several currencies are compared by their worth in dollars, as the
/// partner's own bills tell it; a currency of which they tell nothing counts as if its units were dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyPosition {
    /// The first key.
    pub first: i64,
    /// The second key.
    pub second: i64,
    /// The alert.
    pub alert_id: String,
    /// The currency.
    pub currency: String,
}

/// An open alert that costs money, in one currency; an alert that costs in two has two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyEntry {
    /// The alert.
    pub body: AlertBody,
    /// The currency that this entry is about.
    pub currency: Currency,
    /// What the alert costs.
    pub money: MoneyAtRisk,
    /// Where it stands in the order.
    pub position: MoneyPosition,
}

/// What the open alerts of a scope cost together. Nothing is counted twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoneyTotals {
    /// By currency.
    pub currencies: Vec<CurrencyTotal>,
    /// How many open alerts have something that no price is known of.
    pub unpriced_alerts: u64,
    /// When the one was reckoned whose figures are the oldest.
    pub oldest_reckoned_at: Option<DateTime<Utc>>,
}

/// A sum over open alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyTotal {
    /// The currency.
    pub currency: Currency,
    /// What they cost so far.
    pub so_far: Amount,
    /// What they cost by the hour.
    pub per_hour: Amount,
    /// How many alerts cost something in it.
    pub alerts: u64,
}

/// What the partner's bills say of prices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedPrices {
    /// What machines cost.
    pub prices: Vec<MachinePrice>,
    /// What a unit of a currency is worth in dollars.
    pub worth: Vec<(Currency, Amount)>,
}

/// Which prices to read. What is not named may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceQuery {
    /// Those of a source.
    pub source: Option<PriceSource>,
    /// Those of these sizes.
    pub sizes: Option<Vec<String>>,
    /// How many at most.
    pub limit: Option<u64>,
}
