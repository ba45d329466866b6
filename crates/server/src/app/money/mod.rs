//! Money at risk: reckons what open alerts cost, from the activity log, the bills and the known prices.
//!
//! What the rules are is in [`alerts::money`]. Here is where the figures come from, and when they are reckoned anew:
//! soon after an alert changes, and else by the age of its evidence. Reckoning again gives the same, so a crash costs
//! a repeated look, and two servers on one store only do the work twice.

mod bodies;
mod concern;
mod look;
mod observed;
pub mod rate_card;
mod shown;

use std::collections::BTreeMap;

use alerts::money::{PriceBook, PriceSource};
use alerts::{AlertId, PartnerSecurityAlert, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::error::DataFusionError;
use store::{DueAlert, MoneyDue, MoneyNote, PriceQuery, StoreError};

use self::concern::concern;
use super::Instance;
use super::detection::{Events, RunError};

pub use self::shown::{entry_as_json, figures, money_as_json, price_as_json, totals_as_json};

/// How many subscriptions are looked at together.
const SUBSCRIPTIONS_AT_ONCE: u32 = 100;

/// How far back an alert's cost is reckoned at most.
const AGE_MAX: TimeDelta = TimeDelta::days(92);

/// How often an alert is reckoned whose last evidence is so old.
const AGES: [(TimeDelta, TimeDelta); 2] =
    [(TimeDelta::days(3), TimeDelta::minutes(5)), (TimeDelta::days(14), TimeDelta::hours(1))];
const OLDEST_EVERY: TimeDelta = TimeDelta::days(1);

/// Why money could not be reckoned.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    /// The alerts or prices cannot be read or written.
    #[error("the alert store failed while money was reckoned")]
    Store(#[from] StoreError),
    /// The events cannot be read.
    #[error("the events could not be read to reckon money")]
    Events(#[from] RunError),
    /// An alert cannot be read.
    #[error("an alert could not be read to reckon its money")]
    Alert(#[from] serde_json::Error),
}

impl From<DataFusionError> for MoneyError {
    fn from(error: DataFusionError) -> Self {
        Self::Events(error.into())
    }
}

/// Reckons what is due, and says of how many alerts. Prices are observed anew first if bills have come in since, and
/// that was last done at least `observe_every` ago.
///
/// # Errors
///
/// [`MoneyError`]; what was reckoned before it is noted.
pub async fn settle(
    instance: &Instance,
    observe_every: TimeDelta,
    now: DateTime<Utc>,
) -> Result<usize, MoneyError> {
    let due = MoneyDue { now, ages: AGES, oldest_every: OLDEST_EVERY, subscriptions: SUBSCRIPTIONS_AT_ONCE };
    let scope = instance.scope();
    let mut reckoned = 0;
    let mut batch = instance.store.money_due(&scope, &due).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let events = Events::of(instance);
    observed::refresh(instance, &events, observe_every, now).await?;
    while !batch.is_empty() {
        let notes = reckon(instance, &events, batch, now).await?;
        instance.store.note_money(&scope, &notes).await?;
        reckoned += notes.len();
        batch = instance.store.money_due(&scope, &due).await?;
    }
    Ok(reckoned)
}

/// An alert, read.
struct Read {
    version: u64,
    alert: PartnerSecurityAlert,
}

async fn reckon(
    instance: &Instance,
    events: &Events<'_>,
    due: Vec<DueAlert>,
    now: DateTime<Utc>,
) -> Result<Vec<MoneyNote>, MoneyError> {
    let mut of_subscription: BTreeMap<SubscriptionId, Vec<Read>> = BTreeMap::new();
    for one in due {
        let alert = serde_json::from_str(&one.body.json)?;
        of_subscription
            .entry(one.subscription_id)
            .or_default()
            .push(Read { version: one.body.version, alert });
    }
    let concerns: BTreeMap<&SubscriptionId, Vec<_>> = of_subscription
        .iter()
        .map(|(subscription, read)| {
            (subscription, read.iter().map(|read| concern(&read.alert, &instance.detectors, now)).collect())
        })
        .collect();
    let since: BTreeMap<&SubscriptionId, DateTime<Utc>> = concerns
        .iter()
        .filter_map(|(subscription, of)| Some((*subscription, of.iter().map(|concern| concern.since).min()?)))
        .collect();
    let ledgers = look::ledgers(instance, events.session().await?, &since, now).await?;
    let prices = prices(instance, &ledgers).await?;
    let mut notes = Vec::new();
    for (subscription, read) in &of_subscription {
        let (Some(ledger), Some(concerns)) = (ledgers.get(subscription), concerns.get(subscription)) else {
            continue;
        };
        for (read, money) in read.iter().zip(ledger.reckon(concerns, &prices)) {
            let alert_id: AlertId = read.alert.id.clone();
            let is_open = read.alert.is_open();
            notes.push(MoneyNote { alert_id, alert_version: read.version, is_open, reckoned_at: now, money });
        }
    }
    Ok(notes)
}

/// All prices that were observed, and those of the rate card for what runs.
async fn prices(
    instance: &Instance,
    ledgers: &BTreeMap<SubscriptionId, alerts::money::Ledger>,
) -> Result<PriceBook, StoreError> {
    let scope = instance.scope();
    let runs = ledgers.values().flat_map(|ledger| &ledger.runs);
    let mut sizes: Vec<String> =
        runs.flat_map(|run| &run.machines).map(|machines| machines.size.clone()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let observed = PriceQuery { source: Some(PriceSource::Observed), ..PriceQuery::default() };
    let listed = PriceQuery { source: Some(PriceSource::RateCard), sizes: Some(sizes), limit: None };
    let mut prices = instance.store.prices(&scope, &observed).await?;
    prices.extend(instance.store.prices(&scope, &listed).await?);
    Ok(PriceBook::new(prices))
}
