//! When an alert would have come, had the detectors run by their schedules as the events were published.
//!
//! Evaluation needs the time to detect. Running every detector at every tick of two months would take
//! hours; but what a run finds grows with its end, so the first run that gives a finding is found by
//! halving. Azure publishes its records late, and how late differs by kind; see [`publication_lag`].

use alerts::{Alert, Origin};
use chrono::{DateTime, TimeDelta, Utc};
use detect::{Detector, PublicationLag, Window};
use ingest::schema::Kind;

use super::Instance;
use super::detection::{self, RunError};

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

/// The first tick of the detector's schedule at which a run finds the incident of this alert.
///
/// `None` if the alert is not one of this detector, or no run up to a day after its last evidence and the
/// longest lag finds it.
///
/// # Errors
///
/// [`RunError`] if a query fails.
pub async fn first_detection(
    instance: &Instance,
    detector: &Detector,
    alert: &Alert,
) -> Result<Option<DateTime<Utc>>, RunError> {
    let Origin::Detector { detector_id, grouping_key } = &alert.origin else { return Ok(None) };
    let (Some(first), Some(last)) = (alert.body.first_observed_date_time, alert.body.last_observed_date_time)
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

    let (mut none_by, mut found_by) = (0, ticks);
    let found = |until: DateTime<Utc>| async move {
        let window = Window { since: first, until, lag };
        let findings = detection::findings(instance, detector, &window).await?;
        Ok::<bool, RunError>(findings.iter().any(|finding| {
            finding.subscription_id == alert.body.subscription_id && finding.grouping_key == *grouping_key
        }))
    };
    if !found(at(found_by)).await? {
        return Ok(None);
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
