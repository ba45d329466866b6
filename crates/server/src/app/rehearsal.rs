//! What a detector would have raised over history, without raising it.

pub mod asked;
mod within;

use std::collections::{BTreeSet, HashMap};

use alerts::{Alert, Decision, Finding, Scope, Tuned, decide, tune};
use arrow_array::cast::AsArray as _;
use arrow_array::types::Date32Type;
use arrow_array::{Array as _, StringArray};
use chrono::NaiveDate;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::prelude::col;
use detect::{Detector, Window, visible_events};
use serde_json::{Value, json};

use self::within::Within;
use super::Instance;
use super::detection::{Events, RunError, slices};

/// What would have come.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// The alerts, in the order in which they would have been raised, as the last finding leaves them.
    pub alerts: Vec<Alert>,
    /// How many findings the operator's rules silence.
    pub silenced: usize,
    /// On how many days of how many subscriptions there were events to look at.
    pub subscription_days: u64,
}

impl Rehearsal {
    /// Alerts for each thousand days of a subscription; `None` if there was nothing to look at.
    #[must_use]
    pub fn alerts_per_1000_subscription_days(&self) -> Option<f64> {
        (self.subscription_days > 0)
            .then(|| self.alerts.len() as f64 * 1000.0 / self.subscription_days as f64)
    }

    /// Its alerts that another rehearsal lacks, by their ids: those of incidents.
    #[must_use]
    pub fn missing_in(&self, other: &Self) -> Vec<&Alert> {
        let known: BTreeSet<&str> = other.alerts.iter().map(|alert| alert.body.id.as_str()).collect();
        self.alerts.iter().filter(|alert| !known.contains(alert.body.id.as_str())).collect()
    }

    /// Its figures, as the API and `--json` show them.
    #[must_use]
    pub fn figures(&self) -> Value {
        json!({
            "alerts": self.alerts.len(),
            "silenced": self.silenced,
            "subscriptionDays": self.subscription_days,
            "alertsPer1000SubscriptionDays": self.alerts_per_1000_subscription_days(),
        })
    }
}

/// What comes of the same events with two sets of numbers.
#[derive(Debug, Default)]
pub struct Comparison {
    /// With today's.
    pub now: Rehearsal,
    /// With others.
    pub changed: Rehearsal,
}

/// Runs a detector over a window of the past. Nothing is written: each alert is raised in memory when its first
/// evidence is complete, and stays open.
///
/// # Errors
///
/// [`RunError`] if a query fails, or the rules cannot be read.
pub async fn rehearse(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
) -> Result<Rehearsal, RunError> {
    let events = Events::of(instance);
    let within = Within::of(instance, &instance.scope()).await?;
    let subscription_days = subscription_days(instance, &events, detector, window, &within).await?;
    let rehearsal = raised(instance, &events, detector, window, &within).await?;
    Ok(Rehearsal { subscription_days, ..rehearsal })
}

/// Rehearses a detector with today's numbers and with others, over the same events; of both, what a scope may see.
///
/// # Errors
///
/// As [`rehearse`].
pub async fn compare(
    instance: &Instance,
    scope: &Scope,
    now: &Detector,
    changed: &Detector,
    window: &Window,
) -> Result<Comparison, RunError> {
    let events = Events::of(instance);
    let within = Within::of(instance, scope).await?;
    let subscription_days = subscription_days(instance, &events, now, window, &within).await?;
    let now = raised(instance, &events, now, window, &within).await?;
    let changed = raised(instance, &events, changed, window, &within).await?;
    Ok(Comparison {
        now: Rehearsal { subscription_days, ..now },
        changed: Rehearsal { subscription_days, ..changed },
    })
}

/// The alerts that a detector's findings raise, without the subscription-days.
async fn raised(
    instance: &Instance,
    events: &Events<'_>,
    detector: &Detector,
    window: &Window,
    within: &Within,
) -> Result<Rehearsal, RunError> {
    let mut findings = Vec::new();
    for slice in slices(instance, detector, window).await? {
        findings.extend(events.findings(detector, &slice).await?);
    }
    let scope = instance.scope();
    let rules = instance.store.tuning_rules(&scope, false).await?;
    instance.owners.fill_customers(&*instance.store, &scope, &mut findings).await?;
    instance.owners.fill_resellers(&*instance.store, &scope, &mut findings).await?;
    findings.retain(|finding| within.covers(finding));
    let mut rehearsal = Rehearsal::default();
    findings.sort_by_key(|finding| finding.last_observed_at);
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for finding in findings {
        match tune(&rules, finding) {
            Tuned::Silenced { .. } => rehearsal.silenced += 1,
            Tuned::Kept(finding) => take(&mut rehearsal.alerts, &mut places, &finding),
        }
    }
    Ok(rehearsal)
}

fn take(alerts: &mut Vec<Alert>, places: &mut HashMap<(String, String), usize>, finding: &Finding) {
    let incident = (finding.subscription_id.to_string(), finding.grouping_key.clone());
    let latest = places.get(&incident).copied();
    match decide(latest.map(|place| &alerts[place]), finding, finding.last_observed_at) {
        Decision::Raise(alert) => {
            places.insert(incident, alerts.len());
            alerts.push(alert);
        }
        Decision::Continue(alert) => {
            if let Some(place) = latest {
                alerts[place] = alert;
            }
        }
        Decision::Nothing => {}
    }
}

/// On how many days of how many subscriptions the detector had events of any of its kinds.
async fn subscription_days(
    instance: &Instance,
    events: &Events<'_>,
    detector: &Detector,
    window: &Window,
    within: &Within,
) -> Result<u64, RunError> {
    let session = events.session().await?;
    let mut all: Option<DataFrame> = None;
    for kind in &detector.manifest.inputs {
        let of_kind = visible_events(session, *kind, &instance.partner, window.since, window.until).await?;
        let of_kind = of_kind.filter(col("subscription_id").is_not_null())?;
        let of_kind = match within.events() {
            Some(own) => of_kind.filter(own)?,
            None => of_kind,
        };
        let of_kind = of_kind.select_columns(&["subscription_id", "day"])?;
        all = Some(match all {
            Some(others) => others.union(of_kind)?,
            None => of_kind,
        });
    }
    match all {
        Some(days) => Ok(days.distinct()?.count().await? as u64),
        None => Ok(0),
    }
}

/// A subscription, and on which days there was anything of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSpan {
    /// The customer, if a record named it.
    pub customer_tenant_id: Option<String>,
    /// The subscription.
    pub subscription_id: String,
    /// The first day.
    pub first_day: NaiveDate,
    /// The last day.
    pub last_day: NaiveDate,
}

/// All subscriptions of which there are activities, costs or flows, by id.
///
/// # Errors
///
/// [`RunError`] if they cannot be read.
pub async fn subscription_spans(instance: &Instance) -> Result<Vec<SubscriptionSpan>, RunError> {
    const SPANS: &str = "
select subscription_id, max(customer_tenant_id) as customer, min(day) as first_day, max(day) as last_day
from (
  select partner_tenant_id, subscription_id, customer_tenant_id, day from activity
  union all select partner_tenant_id, subscription_id, customer_tenant_id, day from cost
  union all select partner_tenant_id, subscription_id, customer_tenant_id, day from flow
)
where subscription_id is not null
  and partner_tenant_id = $partner
group by subscription_id
order by subscription_id";
    let events = Events::of(instance);
    let session = events.session().await?;
    let spans = session.sql(SPANS).await?;
    let spans = spans.with_param_values(vec![("partner", ScalarValue::from(instance.partner.as_str()))])?;
    let batches = spans.collect().await?;
    let mut spans = Vec::new();
    for batch in &batches {
        let text = |name: &str| cast(&batch[name], &DataType::Utf8).map_err(DataFusionError::from);
        let (subscriptions, customers) = (text("subscription_id")?, text("customer")?);
        let (subscriptions, customers): (&StringArray, &StringArray) =
            (subscriptions.as_string(), customers.as_string());
        let days = |name: &str| batch[name].as_primitive::<Date32Type>();
        let (first, last) = (days("first_day"), days("last_day"));
        for row in 0..batch.num_rows() {
            let (Some(first_day), Some(last_day)) = (first.value_as_date(row), last.value_as_date(row))
            else {
                continue;
            };
            spans.push(SubscriptionSpan {
                customer_tenant_id: customers.is_valid(row).then(|| customers.value(row).to_owned()),
                subscription_id: subscriptions.value(row).to_owned(),
                first_day,
                last_day,
            });
        }
    }
    Ok(spans)
}
