//! What the lake says of subscriptions: what ran on them and what they were billed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use alerts::SubscriptionId;
use alerts::money::{Act, Amount, ComputeEvent, Currency, LEAD, Ledger, home, runs};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, ArrayRef, RecordBatch, StringArray};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;

use super::bodies::{Columns, machines};
use crate::app::Instance;

/// Over how many days what is usual is measured.
const USUAL_DAYS: i64 = 14;

/// When the bill of a day is as good as complete, counted from the day's start.
const BILLED_AFTER: TimeDelta = TimeDelta::hours(36);

/// What starts, stops or ends something that costs by the hour. The records of a request's start are read for what was
/// asked for: its answer may not repeat it.
const ACTIVITY: &str = "
select
  subscription_id,
  event_at,
  operation,
  resource_id,
  status,
  sub_status,
  correlation_id,
  caller_id,
  caller,
  resource_region,
  vm_size,
  vm_capacity,
  case when operation like '%/write' then properties end as properties
from money_activity
where subscription_id in ({subscriptions})
  and status in ('started', 'accepted', 'succeeded')
  and operation in ({operations})
order by subscription_id, event_at";

/// Up to when the bills of each subscription go, and how late each day's was stated.
const DAYS: &str = "
select
  subscription_id,
  day,
  max(coalesce(stated_at, arrived_at)) as stated_at,
  max(currency) as currency
from money_cost
where subscription_id in ({subscriptions})
group by subscription_id, day
order by subscription_id, day";

/// What each resource was billed: on days before `start` together, then day by day.
const BILLS: &str = "
select
  lines.subscription_id,
  coalesce(lines.resource_id, '') as resource_id,
  lines.currency,
  case when lines.day >= looked_at.start then lines.day end as day,
  sum(try_cast(lines.cost as decimal(24, 6))) as cost
from money_cost as lines
join (values {starts}) as looked_at (subscription_id, start)
  on looked_at.subscription_id = lines.subscription_id
where coalesce(lines.charge_type, 'usage') = 'usage'
  and lines.currency is not null
  and lines.cost is not null
group by
  lines.subscription_id,
  coalesce(lines.resource_id, ''),
  lines.currency,
  case when lines.day >= looked_at.start then lines.day end";

const WRITES: [&str; 8] = [
    "microsoft.compute/virtualmachines/write",
    "microsoft.compute/virtualmachinescalesets/write",
    "microsoft.batch/batchaccounts/write",
    "microsoft.batch/batchaccounts/pools/write",
    "microsoft.containerservice/managedclusters/write",
    "microsoft.containerservice/managedclusters/agentpools/write",
    "microsoft.machinelearningservices/workspaces/write",
    "microsoft.machinelearningservices/workspaces/computes/write",
];

/// Beside [`WRITES`], so that both stay readable.
const CONTAINERS: &str = "microsoft.containerinstance/containergroups/write";

const STOPS: [&str; 5] = [
    "microsoft.compute/virtualmachines/deallocate/action",
    "microsoft.compute/virtualmachinescalesets/deallocate/action",
    "microsoft.containerservice/managedclusters/stop/action",
    "microsoft.machinelearningservices/workspaces/computes/stop/action",
    "microsoft.containerinstance/containergroups/stop/action",
];

const STARTS: [&str; 5] = [
    "microsoft.compute/virtualmachines/start/action",
    "microsoft.compute/virtualmachinescalesets/start/action",
    "microsoft.containerservice/managedclusters/start/action",
    "microsoft.machinelearningservices/workspaces/computes/start/action",
    "microsoft.containerinstance/containergroups/start/action",
];

const ENDS: [&str; 10] = [
    "microsoft.compute/virtualmachines/delete",
    "microsoft.compute/virtualmachinescalesets/delete",
    "microsoft.batch/batchaccounts/delete",
    "microsoft.batch/batchaccounts/pools/delete",
    "microsoft.containerservice/managedclusters/delete",
    "microsoft.containerservice/managedclusters/agentpools/delete",
    "microsoft.machinelearningservices/workspaces/delete",
    "microsoft.machinelearningservices/workspaces/computes/delete",
    "microsoft.containerinstance/containergroups/delete",
    "microsoft.resources/subscriptions/resourcegroups/delete",
];

/// The end of everything.
const CANCEL: &str = "microsoft.subscription/cancel/action";

/// The ledgers of subscriptions, each since the first evidence of its alerts.
pub(super) async fn ledgers(
    instance: &Instance,
    session: &SessionContext,
    since: &BTreeMap<&SubscriptionId, DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<SubscriptionId, Ledger>, DataFusionError> {
    let mut ledgers: BTreeMap<SubscriptionId, Ledger> =
        since.keys().map(|subscription| ((*subscription).clone(), Ledger::default())).collect();
    let Some(first) = since.values().min() else { return Ok(ledgers) };
    let from = *first - LEAD;
    // What happens in this moment counts too.
    let until = now + TimeDelta::microseconds(1);
    let billed_from = from - TimeDelta::days(USUAL_DAYS);
    for (kind, name, from) in
        [(Kind::Activity, "money_activity", from), (Kind::Cost, "money_cost", billed_from)]
    {
        let events = detect::visible_events(session, kind, &instance.partner, from, until).await?;
        session.deregister_table(name)?;
        session.register_table(name, events.into_view())?;
    }
    let subscriptions: Vec<&str> = since.keys().map(|id| id.as_str()).collect();
    let subscriptions = list(&subscriptions);

    for (subscription, events) in activity(session, &subscriptions).await? {
        if let Some(ledger) = ledgers.get_mut(&subscription) {
            let ends = events.iter().filter(|event| event.act == Act::End);
            ledger.ends = ends.map(|event| (event.path.clone(), event.at)).collect();
            ledger.runs = runs(&events);
        }
    }
    let starts: BTreeMap<&SubscriptionId, NaiveDate> =
        since.iter().map(|(subscription, since)| (*subscription, (*since - LEAD).date_naive())).collect();
    let usual_days = days(session, &subscriptions, &starts, &mut ledgers).await?;
    bills(session, &starts, &usual_days, &mut ledgers).await?;
    for ledger in ledgers.values_mut() {
        ledger.gather_clusters();
    }
    Ok(ledgers)
}

/// What was done, by subscription, in order of time.
async fn activity(
    session: &SessionContext,
    subscriptions: &str,
) -> Result<BTreeMap<SubscriptionId, Vec<ComputeEvent>>, DataFusionError> {
    let operations: Vec<&str> = [&WRITES[..], &[CONTAINERS, CANCEL], &STOPS, &STARTS, &ENDS].concat();
    let sql = ACTIVITY.replace("{subscriptions}", subscriptions).replace("{operations}", &list(&operations));
    let mut of_subscription: BTreeMap<SubscriptionId, Vec<ComputeEvent>> = BTreeMap::new();
    // What the start of a request asked for, by its correlation and path.
    let mut asked: HashMap<(String, String), Act> = HashMap::new();
    for batch in session.sql(&sql).await?.collect().await? {
        let rows = ActivityRows::of(&batch)?;
        for row in 0..batch.num_rows() {
            let Some((subscription, event)) = rows.event(row, &mut asked) else { continue };
            of_subscription.entry(subscription).or_default().push(event);
        }
    }
    Ok(of_subscription)
}

/// The columns of [`ACTIVITY`].
struct ActivityRows {
    texts: HashMap<&'static str, StringArray>,
    times: ArrayRef,
    capacities: ArrayRef,
}

impl ActivityRows {
    fn of(batch: &RecordBatch) -> Result<Self, DataFusionError> {
        const TEXTS: [&str; 11] = [
            "subscription_id",
            "operation",
            "resource_id",
            "status",
            "sub_status",
            "correlation_id",
            "caller_id",
            "caller",
            "resource_region",
            "vm_size",
            "properties",
        ];
        let mut texts = HashMap::new();
        for name in TEXTS {
            texts.insert(name, text(batch, name)?);
        }
        let (times, capacities) = (time(batch, "event_at")?, cast(&batch["vm_capacity"], &DataType::Int64)?);
        Ok(Self { texts, times, capacities })
    }

    fn text(&self, name: &'static str, row: usize) -> Option<&str> {
        let column = self.texts.get(name)?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// The event of a row; `None` for the start of a request, and for what cannot be told.
    fn event(
        &self,
        row: usize,
        asked: &mut HashMap<(String, String), Act>,
    ) -> Option<(SubscriptionId, ComputeEvent)> {
        let subscription: SubscriptionId = self.text("subscription_id", row)?.parse().ok()?;
        let operation = self.text("operation", row)?;
        let path = if operation == CANCEL {
            format!("/subscriptions/{subscription}")
        } else {
            self.text("resource_id", row)?.to_lowercase()
        };
        let act = self.act(row, operation)?;
        let key = self.text("correlation_id", row).map(|correlation| (correlation.to_owned(), path.clone()));
        if self.text("status", row) == Some("started") {
            if let (Some(key), Act::Write { machines, .. }) = (key, &act)
                && !machines.is_empty()
            {
                asked.insert(key, act);
            }
            return None;
        }
        let act = match (act, key.and_then(|key| asked.get(&key))) {
            (
                Act::Write { machines, region, created },
                Some(Act::Write { machines: asked, region: asked_region, .. }),
            ) if machines.is_empty() => Act::Write {
                machines: asked.clone(),
                region: region.or_else(|| asked_region.clone()),
                created,
            },
            (act, _) => act,
        };
        let times = self.times.as_primitive::<TimestampMicrosecondType>();
        let at = times.is_valid(row).then(|| DateTime::from_timestamp_micros(times.value(row))).flatten()?;
        let callers = ["caller_id", "caller"].into_iter().filter_map(|name| self.text(name, row));
        let event = ComputeEvent { at, path, callers: callers.map(str::to_lowercase).collect(), act };
        Some((subscription, event))
    }

    fn act(&self, row: usize, operation: &str) -> Option<Act> {
        if STOPS.contains(&operation) {
            return Some(Act::Stop);
        }
        if STARTS.contains(&operation) {
            return Some(Act::Start);
        }
        if ENDS.contains(&operation) || operation == CANCEL {
            return Some(Act::End);
        }
        let capacities = self.capacities.as_primitive::<Int64Type>();
        let columns = Columns {
            size: self.text("vm_size", row),
            capacity: capacities.is_valid(row).then(|| capacities.value(row)),
        };
        let created = match self.text("sub_status", row) {
            Some("created" | "201") => Some(true),
            Some("ok" | "200") => Some(false),
            _ => None,
        };
        Some(Act::Write {
            machines: machines(operation, columns, self.text("properties", row)),
            region: self.text("resource_region", row).map(str::to_owned),
            created,
        })
    }
}

/// Fills in up to when each subscription is billed in full and in which currency. Says on how many days before the
/// alerts there were bills.
async fn days(
    session: &SessionContext,
    subscriptions: &str,
    starts: &BTreeMap<&SubscriptionId, NaiveDate>,
    ledgers: &mut BTreeMap<SubscriptionId, Ledger>,
) -> Result<BTreeMap<SubscriptionId, u32>, DataFusionError> {
    let mut stated: BTreeMap<SubscriptionId, Vec<(NaiveDate, DateTime<Utc>)>> = BTreeMap::new();
    for batch in session.sql(&DAYS.replace("{subscriptions}", subscriptions)).await?.collect().await? {
        let (ids, currencies) = (text(&batch, "subscription_id")?, text(&batch, "currency")?);
        let times = time(&batch, "stated_at")?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let days = batch["day"].as_primitive::<Date32Type>();
        for row in 0..batch.num_rows() {
            let Ok(id) = ids.value(row).parse::<SubscriptionId>() else { continue };
            let at = DateTime::from_timestamp_micros(times.value(row)).filter(|_| times.is_valid(row));
            let (Some(day), Some(at), Some(ledger)) = (days.value_as_date(row), at, ledgers.get_mut(&id))
            else {
                continue;
            };
            if currencies.is_valid(row)
                && let Ok(currency) = currencies.value(row).parse::<Currency>()
            {
                ledger.currency = Some(currency);
            }
            stated.entry(id).or_default().push((day, at));
        }
    }
    let mut usual_days = BTreeMap::new();
    for (id, days) in stated {
        let Some(start) = starts.get(&id) else { continue };
        let before = days.iter().filter(|(day, _)| day < start).count();
        usual_days.insert(id.clone(), u32::try_from(before).unwrap_or(u32::MAX));
        if let Some(ledger) = ledgers.get_mut(&id) {
            ledger.settled_until = settled_until(&days);
        }
    }
    Ok(usual_days)
}

/// The first day that is not billed in full. The last of the days never is: what comes next may add to it. The days
/// are in order.
fn settled_until(days: &[(NaiveDate, DateTime<Utc>)]) -> Option<NaiveDate> {
    let is_complete = |(day, stated_at): &(NaiveDate, DateTime<Utc>)| {
        *stated_at >= day.and_time(chrono::NaiveTime::MIN).and_utc() + BILLED_AFTER
    };
    let (last, before) = days.split_last()?;
    Some(before.iter().find(|day| !is_complete(day)).unwrap_or(last).0)
}

async fn bills(
    session: &SessionContext,
    starts: &BTreeMap<&SubscriptionId, NaiveDate>,
    usual_days: &BTreeMap<SubscriptionId, u32>,
    ledgers: &mut BTreeMap<SubscriptionId, Ledger>,
) -> Result<(), DataFusionError> {
    let mut values = String::new();
    for (subscription, start) in starts {
        let comma = if values.is_empty() { "" } else { ", " };
        let _ = write!(values, "{comma}({}, date '{start}')", quoted(subscription.as_str()));
    }
    for batch in session.sql(&BILLS.replace("{starts}", &values)).await?.collect().await? {
        let texts = |name| text(&batch, name);
        let (ids, resources, currencies) =
            (texts("subscription_id")?, texts("resource_id")?, texts("currency")?);
        let days = batch["day"].as_primitive::<Date32Type>();
        let costs = micros(&batch, "cost")?;
        let costs = costs.as_primitive::<Decimal128Type>();
        for row in 0..batch.num_rows() {
            let (Ok(id), Ok(currency)) =
                (ids.value(row).parse::<SubscriptionId>(), currencies.value(row).parse::<Currency>())
            else {
                continue;
            };
            let Some(ledger) = ledgers.get_mut(&id) else { continue };
            let cost = if costs.is_valid(row) { costs.value(row) } else { 0 };
            let cost = Amount::of_micros(i64::try_from(cost).unwrap_or(i64::MAX));
            let path = resources.value(row).to_lowercase();
            let bill = ledger.bills.entry(home(&path).to_owned()).or_default().entry(currency).or_default();
            match days.is_valid(row).then(|| days.value_as_date(row)).flatten() {
                Some(day) => {
                    let sum = bill.days.entry(day).or_default();
                    *sum = sum.plus(cost);
                }
                None => {
                    let days = usual_days.get(&id).copied().unwrap_or_default();
                    bill.usual_a_day = bill.usual_a_day.plus(cost.part(1, days));
                }
            }
        }
    }
    Ok(())
}

/// A column as text, whatever it is kept as.
pub(super) fn text(batch: &RecordBatch, name: &str) -> Result<StringArray, DataFusionError> {
    let texts = cast(&batch[name], &DataType::Utf8)?;
    Ok(texts.as_string::<i32>().clone())
}

fn time(batch: &RecordBatch, name: &str) -> Result<ArrayRef, DataFusionError> {
    Ok(cast(&batch[name], &DataType::Timestamp(TimeUnit::Microsecond, None))?)
}

/// A column of amounts as decimal numbers with six digits after the point: their values are millionths.
pub(super) fn micros(batch: &RecordBatch, name: &str) -> Result<ArrayRef, DataFusionError> {
    Ok(cast(&batch[name], &DataType::Decimal128(38, 6))?)
}

fn list(texts: &[&str]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

/// A text in SQL. What stands in it are ids that were checked when they came in; it is quoted all the same.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_settled_once_it_was_stated_late_enough_and_another_follows() {
        let day = |number| NaiveDate::from_ymd_opt(2031, 3, number).unwrap();
        let at = |text: &str| format!("2031-03-{text}:00:00Z").parse::<DateTime<Utc>>().unwrap();
        let check = |days: &[(u32, &str)], expected: Option<u32>| {
            let days: Vec<_> = days.iter().map(|(number, stated)| (day(*number), at(stated))).collect();
            assert_eq!(settled_until(&days), expected.map(day), "{days:?}");
        };
        check(&[], None);
        check(&[(1, "09T00")], Some(1));
        check(&[(1, "09T00"), (2, "09T00"), (3, "09T00")], Some(3));
        check(&[(1, "03T05"), (2, "03T05"), (3, "03T05")], Some(2));
        check(&[(1, "02T12"), (2, "02T12")], Some(2));
        check(&[(1, "02T11"), (2, "02T11")], Some(1));
        check(&[(1, "09T00"), (5, "09T00")], Some(5));
    }
}
