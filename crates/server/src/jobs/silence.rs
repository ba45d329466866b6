//! Tells the operator of customers whose records stopped coming, and of those whose records never came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use store::{Coverage, CoverageQuery, CustomerQuery, KnownCustomer, Notice, StoreError};
use tokio::task::JoinSet;

use crate::app::Instance;
use crate::config::SilentAfter;

const EVERY: Duration = Duration::from_secs(5 * 60);

/// The kinds of notice.
const SILENT: &str = "silent_customer";
const UNSEEN: &str = "unseen_customer";

/// Up to so many customers of whom nothing ever came have a notice each. Of more, as when the customers were imported
/// before the exports are set up, one notice tells the number: nobody reads thousands.
const UNSEEN_NAMED_MAX: usize = 50;

/// What that one notice is about.
const ALL: &str = "customers";

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

/// Raises a notice for each customer and kind that is silent, and for customers of whom nothing ever came; clears
/// those that hold no more.
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
    settle(instance, SILENT, &silent(&coverage, silent_after, now), now).await?;
    let query = CustomerQuery { has_records: Some(false), ..CustomerQuery::default() };
    let unseen = unseen(&store.customers(&scope, &query).await?, silent_after, now);
    settle(instance, UNSEEN, &unseen, now).await
}

/// Raises the notices of a kind, by subject, and clears all others of the kind.
async fn settle(
    instance: &Instance,
    kind: &str,
    wanted: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (scope, store) = (instance.scope(), &instance.store);
    for (subject, text) in wanted {
        let notice = Notice {
            kind: kind.to_owned(),
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
        if open.kind == kind && !wanted.contains_key(&open.subject) {
            store.clear_notice(&scope, kind, &open.subject, now).await?;
            tracing::info!(kind, subject = open.subject, "A notice holds no more");
        }
    }
    Ok(())
}

/// Of which customers nothing ever came although all kinds had their time since they were imported, and what to say of
/// it. Which kinds a customer is to send nobody told, so that it is not one notice a kind.
fn unseen(
    without_records: &[KnownCustomer],
    after: &SilentAfter,
    now: DateTime<Utc>,
) -> BTreeMap<String, String> {
    let Some(longest) = after.longest() else { return BTreeMap::new() };
    let is_due = |known: &&KnownCustomer| known.imported_at.is_none_or(|at| now - at > longest);
    let due: Vec<&KnownCustomer> = without_records.iter().filter(is_due).collect();
    if due.len() > UNSEEN_NAMED_MAX {
        let text = format!(
            "{} imported customers never sent a record. `tenantwatch sources status --silent` lists them. Are their \
             exports set up?",
            due.len()
        );
        return BTreeMap::from([(ALL.to_owned(), text)]);
    }
    due.into_iter()
        .map(|known| {
            let tenant = known.customer.customer_tenant_id.to_string();
            let name = known.customer.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            let text = format!(
                "No record of the customer {tenant}{name} ever came since it was imported. Are its exports set up?"
            );
            (tenant, text)
        })
        .collect()
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
    use store::{Arrival, Customer};

    use super::*;
    use crate::config::{DataDir, Settings};

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

    fn imported(customer: &str, imported_at: Option<DateTime<Utc>>) -> KnownCustomer {
        let customer = Customer {
            customer_tenant_id: customer.parse().unwrap(),
            name: None,
            domain: None,
            reseller_tenant_id: None,
            reseller_mpn_id: None,
            country: None,
        };
        KnownCustomer { customer, imported_at, subscriptions: 0, has_records: false }
    }

    #[test]
    fn who_never_sent_is_named_or_counted_once_all_kinds_had_their_time() {
        let now: DateTime<Utc> = "2031-02-03T12:00:00Z".parse().unwrap();
        let hours_ago = |hours| Some(now - TimeDelta::hours(hours));
        let known = [imported("c1", hours_ago(72)), imported("c2", hours_ago(73)), imported("c3", None)];
        let after = SilentAfter::default();
        assert_eq!(unseen(&known, &after, now).keys().collect::<Vec<_>>(), ["c2", "c3"]);
        let shorter = SilentAfter { cost: 0, ..after };
        assert_eq!(unseen(&known, &shorter, now).len(), 3, "48 hours then are the longest");
        let never = SilentAfter {
            activity: 0,
            cost: 0,
            flow: 0,
            sign_in: 0,
            audit: 0,
            dns: 0,
            inventory: 0,
            advisory: 0,
            security_alert: 0,
        };
        assert!(unseen(&known, &never, now).is_empty(), "0 switches it off");

        let many: Vec<_> = (0..=UNSEEN_NAMED_MAX).map(|n| imported(&format!("c{n}"), None)).collect();
        assert_eq!(unseen(&many[1..], &after, now).len(), UNSEEN_NAMED_MAX);
        let one = unseen(&many, &after, now);
        assert_eq!(one.len(), 1);
        assert!(one[ALL].starts_with("51 imported customers"), "{one:?}");
    }

    /// An installation, and what its notices are.
    struct Here {
        instance: Instance,
        _folder: tempfile::TempDir,
    }

    impl Here {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let instance = Instance::open(DataDir::new(folder.path()), &Settings::default()).await.unwrap();
            Self { instance, _folder: folder }
        }

        async fn arrives(&self, customer: &str, at: DateTime<Utc>) {
            let arrival = Arrival {
                kind: "activity".to_owned(),
                customer_tenant_id: Some(customer.parse().unwrap()),
                subscription_id: Some("s-1".parse().unwrap()),
                first_event_at: Some(at),
                last_event_at: Some(at),
                stored: 1,
                duplicates: 0,
                rejected: 0,
            };
            self.instance.store.note_arrivals(&self.instance.scope(), &[arrival], at).await.unwrap();
        }

        /// Looks, and gives the open notices: kind, subject, and the hours since `start` at which each was raised.
        async fn look(&self, start: DateTime<Utc>, hours: i64) -> Vec<(String, String, i64)> {
            let now = start + TimeDelta::hours(hours);
            look(&self.instance, &SilentAfter::default(), now).await.unwrap();
            let open = self.instance.store.notices(&self.instance.scope(), false).await.unwrap();
            open.into_iter().map(|one| (one.kind, one.subject, (one.raised_at - start).num_hours())).collect()
        }
    }

    fn notice(kind: &str, subject: &str, hours: i64) -> (String, String, i64) {
        (kind.to_owned(), subject.to_owned(), hours)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_silent_customer_has_one_notice_until_it_sends_again() {
        let here = Here::new().await;
        let start: DateTime<Utc> = "2031-02-03T12:00:00Z".parse().unwrap();
        let hour = TimeDelta::hours(1);
        here.arrives("c1", start).await;
        here.arrives("c1", start + hour).await;
        here.arrives("c2", start).await;
        assert_eq!(here.look(start, 25).await, [], "24 hours since the last are not over");
        assert_eq!(here.look(start, 26).await, [notice(SILENT, "c1 activity", 26)]);
        assert_eq!(here.look(start, 30).await, [notice(SILENT, "c1 activity", 26)], "raised once");
        here.arrives("c1", start + hour * 31).await;
        assert_eq!(here.look(start, 31).await, [], "and cleared");
        let seen_once = notice(SILENT, "c2 activity", 73);
        assert_eq!(here.look(start, 72).await, [], "who sent once has three times as long");
        assert_eq!(here.look(start, 73).await, [seen_once]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_imported_customer_that_never_sends_has_one_notice_until_it_does() {
        let here = Here::new().await;
        let start: DateTime<Utc> = "2031-02-03T12:00:00Z".parse().unwrap();
        let customers = ["c1", "c2"].map(|id| imported(id, None).customer);
        here.instance.store.import_customers(&here.instance.scope(), &customers, &[], start).await.unwrap();
        here.arrives("c2", start).await;
        assert_eq!(here.look(start, 72).await, []);
        assert_eq!(here.look(start, 73).await, [notice(SILENT, "c2 activity", 73), notice(UNSEEN, "c1", 73)]);
        here.arrives("c2", start + TimeDelta::hours(73)).await;
        assert_eq!(
            here.look(start, 74).await,
            [notice(UNSEEN, "c1", 73)],
            "raised once, for no kind by itself"
        );
        here.arrives("c1", start + TimeDelta::hours(75)).await;
        assert_eq!(here.look(start, 75).await, []);
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
