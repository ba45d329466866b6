//! When an alert would have come, had the detectors run by their schedules as the events were published.
//!
//! Evaluation needs the time to detect. Running every detector at every tick of two months would take
//! hours; but what a run finds grows with its end, so the first run that gives a finding is found by
//! doubling and halving. Azure publishes its records late, and how late differs by kind; see [`publication_lag`].

use alerts::{Alert, Origin, Tuned, TuningRule, tune};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, JoinType, cast};
use datafusion::prelude::{SessionContext, col, lit};
use detect::{Detector, PublicationLag, Window};
use ingest::schema::Kind;

use super::Instance;
use super::detection::{Events, RunError, hold};

/// How long after an event its record can be read.
///
/// Activity log and Entra's logs: minutes. Flow log: written each minute. Cost: a day's lines are complete
/// about 36 hours after the day began plus a reserve; Microsoft's own anomaly detection waits 36 hours after the day's
/// end, which is for invoices; exports come each day. Source: the activity log, flow log and Cost
/// Management pages of Microsoft's documentation.
#[must_use]
pub fn publication_lag() -> PublicationLag {
    PublicationLag {
        activity: TimeDelta::minutes(5),
        flow: TimeDelta::minutes(10),
        cost: TimeDelta::hours(36),
        entra: TimeDelta::minutes(5),
    }
}

/// One customer's events, in memory, in which runs are tried; with the sign-ins to other customers that belong to
/// them (`linked`).
pub struct Replay<'a> {
    instance: &'a Instance,
    rules: Vec<TuningRule>,
    session: SessionContext,
}

impl<'a> Replay<'a> {
    /// Reads all events of the customer and the subscriptions of some alerts, which are of one customer, and what a run
    /// over all customers would join to them.
    ///
    /// # Errors
    ///
    /// [`RunError`] if they, or the rules, cannot be read.
    pub async fn of(
        instance: &'a Instance,
        events: &Events<'_>,
        alerts: &[&Alert],
    ) -> Result<Self, RunError> {
        let customers = alerts.iter().map(|alert| lit(alert.body.customer_tenant_id.as_str())).collect();
        let subscriptions = alerts.iter().map(|alert| lit(alert.body.subscription_id.as_str())).collect();
        let own = col("customer_tenant_id")
            .in_list(customers, false)
            .or(col("subscription_id").in_list(subscriptions, false));
        let session = instance.session()?;
        for kind in Kind::ALL {
            let all = events.session().await?.table(kind.name()).await?;
            hold(&session, kind, all.filter(own.clone())?).await?;
        }
        let all = events.session().await?.table(Kind::SignIn.name()).await?;
        let others = all.filter(own.is_not_true())?;
        let sign_ins = session.table(Kind::SignIn.name()).await?.union(linked(&session, others).await?)?;
        hold(&session, Kind::SignIn, sign_ins).await?;
        let rules = instance.store.tuning_rules(&instance.scope(), false).await?;
        Ok(Self { instance, rules, session })
    }

    /// The first tick of the detector's schedule at which a run finds the incident of this alert.
    ///
    /// `None` if the alert is not one of this detector, or no run up to a day after its last evidence and the
    /// longest lag finds it.
    ///
    /// # Errors
    ///
    /// [`RunError`] if a query fails.
    pub async fn first_detection(
        &self,
        detector: &Detector,
        alert: &Alert,
    ) -> Result<Option<DateTime<Utc>>, RunError> {
        let Origin::Detector { detector_id, grouping_key } = &alert.origin else { return Ok(None) };
        let (Some(first), Some(last)) =
            (alert.body.first_observed_date_time, alert.body.last_observed_date_time)
        else {
            return Ok(None);
        };
        if *detector_id != detector.manifest.id {
            return Ok(None);
        }
        let lag = publication_lag();
        let every = detector.manifest.schedule;
        let slowest = Kind::ALL.map(|kind| lag.of(kind)).into_iter().max().unwrap_or_default();
        let ticks =
            ((last - first) + slowest + TimeDelta::days(1)).num_seconds() / every.num_seconds().max(1) + 1;
        let at = |tick: i64| first + TimeDelta::seconds(every.num_seconds() * tick);

        let found = async |until: DateTime<Utc>| {
            let window = Window { since: first, until, lag };
            // One customer's events are few: to ask first whose they are would take as long as to look at them all.
            let findings = detector.run_on(&self.session, &window, &self.instance.partner, None).await?;
            // A sign that is too weak to raise the alert does not count.
            Ok::<bool, RunError>(findings.into_iter().any(|finding| {
                finding.subscription_id == alert.body.subscription_id
                    && finding.grouping_key == *grouping_key
                    && matches!(tune(&self.rules, finding), Tuned::Kept(_))
            }))
        };
        // Most incidents are found soon after they began: steps that double are tried before halves.
        let (mut none_by, mut found_by) = (0, 1);
        while !found(at(found_by)).await? {
            if found_by == ticks {
                return Ok(None);
            }
            none_by = found_by;
            found_by = (found_by * 2).min(ticks);
        }
        while found_by - none_by > 1 {
            let middle = none_by + (found_by - none_by) / 2;
            if found(at(middle)).await? {
                found_by = middle;
            } else {
                none_by = middle;
            }
        }
        Ok(Some(at(found_by)))
    }
}

/// Of the sign-ins to other customers those of people who sign in or act here, and those from addresses from which
/// somebody does. Delegated administrators work for many customers, and each customer's log has a part of their day; who
/// tries passwords tries them everywhere.
async fn linked(own: &SessionContext, others: DataFrame) -> Result<DataFrame, DataFusionError> {
    let seen = async |places: [(Kind, &str); 2], name: &str| {
        let [one, other] = places.map(|(kind, column)| (kind, cast(col(column), DataType::Utf8).alias(name)));
        let one = own.table(one.0.name()).await?.select(vec![one.1])?;
        let other = own.table(other.0.name()).await?.select(vec![other.1])?;
        one.union_distinct(other)
    };
    let people = seen([(Kind::SignIn, "user_id"), (Kind::Activity, "caller_id")], "person").await?;
    let addresses = seen([(Kind::SignIn, "ip"), (Kind::Activity, "caller_ip")], "address").await?;
    let same = |column: &str, name: &str| -> [Expr; 1] { [col(column).eq(col(name))] };
    let theirs = others.clone().join_on(people.clone(), JoinType::LeftSemi, same("user_id", "person"))?;
    let strangers = others.join_on(people, JoinType::LeftAnti, same("user_id", "person"))?;
    theirs.union(strangers.join_on(addresses, JoinType::LeftSemi, same("ip", "address"))?)
}
