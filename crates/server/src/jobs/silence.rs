//! Tells the operator of customers whose records stopped coming.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use store::{Coverage, CoverageQuery, Notice, StoreError};
use tokio::task::JoinSet;

use crate::app::Instance;
use crate::config::SilentAfter;

const EVERY: Duration = Duration::from_secs(5 * 60);

/// The kind of notice.
const SILENT: &str = "silent_customer";

/// Starts the work; dropping the set stops it.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>, silent_after: SilentAfter) -> JoinSet<()> {
    let instance = instance.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            if let Err(error) = look(&instance, &silent_after, Utc::now()).await {
                tracing::error!(error = ?error, "Silent customers could not be looked for");
            }
        }
    });
    tasks
}

/// Raises a notice for each customer and kind that is silent, and clears those that are no more.
///
/// # Errors
///
/// [`StoreError`] of the store.
pub(crate) async fn look(
    instance: &Instance,
    silent_after: &SilentAfter,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (scope, store) = (instance.scope(), &instance.store);
    let coverage = store.coverage(&scope, &CoverageQuery::default()).await?;
    let silent = silent(&coverage, silent_after, now);
    for (subject, text) in &silent {
        let notice = Notice {
            kind: SILENT.to_owned(),
            subject: subject.clone(),
            text: text.clone(),
            raised_at: now,
            cleared_at: None,
        };
        if store.raise_notice(&scope, &notice).await? {
            tracing::warn!(subject, "{text}");
        }
    }
    for open in store.notices(&scope, false).await? {
        if open.kind == SILENT && !silent.contains_key(&open.subject) {
            store.clear_notice(&scope, SILENT, &open.subject, now).await?;
            tracing::info!(subject = open.subject, "Records come in again");
        }
    }
    Ok(())
}

/// What is silent, by customer and kind, and what to say of it.
///
/// A customer is silent if all of its subscriptions are: one that was cancelled sends nothing, and rightly.
fn silent(coverage: &[Coverage], after: &SilentAfter, now: DateTime<Utc>) -> BTreeMap<String, String> {
    let mut by_customer: BTreeMap<(&str, &str), Vec<&Coverage>> = BTreeMap::new();
    for entry in coverage {
        let Some(customer) = &entry.customer_tenant_id else { continue };
        by_customer.entry((customer.as_str(), entry.kind.as_str())).or_default().push(entry);
    }
    let mut silent = BTreeMap::new();
    for ((customer, kind), entries) in by_customer {
        let Some(after) = after.of(kind) else { continue };
        let last = entries.iter().map(|entry| entry.last_arrived_at).max();
        if let Some(last) = last
            && entries.iter().all(|entry| entry.is_silent(after, now))
        {
            silent.insert(format!("{customer} {kind}"), text(customer, kind, now - last));
        }
    }
    silent
}

fn text(customer: &str, kind: &str, quiet: TimeDelta) -> String {
    format!(
        "No {kind} records of the customer {customer} for {} hours, longer than usual. Is its export, or the \
         partner's access, still there?",
        quiet.num_hours()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(customer: &str, subscription: &str, quiet_hours: i64, now: DateTime<Utc>) -> Coverage {
        let last = now - TimeDelta::hours(quiet_hours);
        Coverage {
            kind: "activity".to_owned(),
            customer_tenant_id: Some(customer.parse().unwrap()),
            subscription_id: Some(subscription.parse().unwrap()),
            first_event_at: Some(last),
            last_event_at: Some(last),
            first_arrived_at: last - TimeDelta::days(10),
            last_arrived_at: last,
            arrivals: 1000,
            stored: 1000,
            duplicates: 0,
            rejected: 0,
            day: 0,
            on_day: 0,
            on_day_before: 0,
        }
    }

    #[test]
    fn a_customer_is_silent_if_all_its_subscriptions_are() {
        let now: DateTime<Utc> = "2031-02-03T12:00:00Z".parse().unwrap();
        let coverage = [entry("c1", "s1", 50, now), entry("c1", "s2", 1, now), entry("c2", "s3", 30, now)];
        let silent = silent(&coverage, &SilentAfter::default(), now);
        assert_eq!(silent.keys().collect::<Vec<_>>(), ["c2 activity"]);
        assert!(silent["c2 activity"].contains("for 30 hours"), "{silent:?}");
        let never = SilentAfter { activity: 0, ..SilentAfter::default() };
        assert!(super::silent(&coverage, &never, now).is_empty(), "0 switches it off");
    }
}
