//! A rehearsal that a caller asks for: bounded in time, and only so many at once, since each keeps processors busy.
//!
//! It compares today's numbers with those that a caller would choose, each in the very place where it would be chosen,
//! so that what is shown is what saving would do. Dropping the future ends the work and gives its place to others.

use std::sync::Arc;
use std::time::Duration;

use alerts::{CustomerTenantId, DetectorSetting, Scope, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};
use detect::{Detector, Window};
use store::StoreError;
use tokio::sync::Semaphore;

use super::{Comparison, compare};
use crate::app::Instance;
use crate::app::detection::RunError;
use crate::app::tuning::{UnsoundRule, declared};

/// The longest time that is looked at. A quarter shows a month's rhythm three times.
pub const DAYS_MAX: i64 = 92;

/// How many changes may be tried at once; the console tries all numbers of a detector in one place.
pub const CHANGES_MAX: usize = 50;

/// How many run at once. One keeps about one processor busy, and callers of the API and the scheduled runs need some too.
const AT_ONCE_MAX: usize = 2;

/// How long one may take.
const RUN_MAX: Duration = Duration::from_secs(120);

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The detector.
    pub detector_id: String,
    /// Look at events from this time on.
    pub since: DateTime<Utc>,
    /// Look at events before this time.
    pub until: DateTime<Utc>,
    /// The numbers that would be chosen or taken back.
    pub changes: Vec<Change>,
}

/// A number that would be chosen or taken back: for all, for a customer, or for a subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The setting.
    pub name: String,
    /// For this customer alone.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// For this subscription alone.
    pub subscription_id: Option<SubscriptionId>,
    /// The number; `None` takes back what was chosen.
    pub value: Option<f64>,
}

/// Why there is no rehearsal.
#[derive(Debug, thiserror::Error)]
pub enum AskedError {
    /// There is no such detector.
    #[error("there is no detector '{0}'")]
    NoDetector(String),
    /// A number cannot be chosen so.
    #[error(transparent)]
    Unsound(#[from] UnsoundRule),
    /// The time cannot be looked at.
    #[error("{0}")]
    Time(String),
    /// A change is about two places.
    #[error("a change of '{0}' names a customer and a subscription; name one of them, or none for all")]
    TwoPlaces(String),
    /// There are too many changes.
    #[error("{0} changes are too many to try at once; send up to {CHANGES_MAX}")]
    TooMany(usize),
    /// Others run already.
    #[error("{0} replays run already, as many as may at once; wait for one of them to end, then ask again")]
    Busy(usize),
    /// It took too long.
    #[error("the replay was stopped after {} s; ask for a shorter time", .0.as_secs())]
    TooLong(Duration),
    /// The settings cannot be read.
    #[error("the alert store cannot be read")]
    Store(#[from] StoreError),
    /// The detector failed.
    #[error("the detector failed")]
    Run(#[source] Box<RunError>),
}

/// Room for rehearsals. Cheap to share.
#[derive(Debug, Clone)]
pub struct Rehearsals {
    places: Arc<Semaphore>,
    places_max: usize,
    run_max: Duration,
}

impl Default for Rehearsals {
    fn default() -> Self {
        Self::new(AT_ONCE_MAX, RUN_MAX)
    }
}

impl Rehearsals {
    /// Room for so many at once, each of which may take so long.
    #[must_use]
    pub fn new(places_max: usize, run_max: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places_max)), places_max, run_max }
    }

    /// How many could begin now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// Rehearses what is asked for; of it, what the scope may see.
    ///
    /// # Errors
    ///
    /// [`AskedError`] says what is wrong and how to mend it. Nobody waits for a place: whoever finds none is told so.
    pub async fn run(
        &self,
        instance: &Instance,
        scope: &Scope,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> Result<Comparison, AskedError> {
        let detector = find(instance, &asked.detector_id)?;
        if asked.changes.len() > CHANGES_MAX {
            return Err(AskedError::TooMany(asked.changes.len()));
        }
        for change in &asked.changes {
            check(detector, change)?;
        }
        let window = window(asked, now)?;
        let _place = self.places.try_acquire().map_err(|_| AskedError::Busy(self.places_max))?;
        let chosen = instance.store.detector_settings(&instance.scope()).await?;
        let today = detector.with_settings(&chosen);
        let changed = detector.with_settings(&tried(&asked.detector_id, &chosen, &asked.changes, now));
        let compared = compare(instance, scope, &today, &changed, &window);
        match tokio::time::timeout(self.run_max, compared).await {
            Err(_) => Err(AskedError::TooLong(self.run_max)),
            Ok(Err(error)) => Err(AskedError::Run(Box::new(error))),
            Ok(Ok(comparison)) => Ok(comparison),
        }
    }
}

fn find<'a>(instance: &'a Instance, id: &str) -> Result<&'a Detector, AskedError> {
    let found = instance.detectors.iter().find(|detector| detector.manifest.id == id);
    found.map(AsRef::as_ref).ok_or_else(|| AskedError::NoDetector(id.to_owned()))
}

fn check(detector: &Detector, change: &Change) -> Result<(), AskedError> {
    let setting = declared(&detector.manifest, &change.name)?;
    if change.customer_tenant_id.is_some() && change.subscription_id.is_some() {
        return Err(AskedError::TwoPlaces(change.name.clone()));
    }
    match change.value {
        Some(value) if !setting.allows(value) => {
            let (name, bounds) = (change.name.clone(), setting.bounds());
            Err(UnsoundRule::Number { name, value, bounds }.into())
        }
        _ => Ok(()),
    }
}

fn window(asked: &Asked, now: DateTime<Utc>) -> Result<Window, AskedError> {
    let until = asked.until.min(now);
    if asked.since >= until {
        let (since, until) = (asked.since, asked.until);
        return Err(AskedError::Time(format!(
            "the replay would begin at {since}, which does not lie before its end, {until}, and before now"
        )));
    }
    if until - asked.since > TimeDelta::days(DAYS_MAX) {
        return Err(AskedError::Time(format!(
            "from {} to {until} are more than the {DAYS_MAX} days that are looked at at once; ask for a shorter time",
            asked.since
        )));
    }
    Ok(Window::new(asked.since, until))
}

/// What was chosen, with each change in the place of what was chosen for the same.
fn tried(
    detector_id: &str,
    chosen: &[DetectorSetting],
    changes: &[Change],
    now: DateTime<Utc>,
) -> Vec<DetectorSetting> {
    let is_changed = |setting: &DetectorSetting| {
        setting.detector_id == detector_id
            && changes.iter().any(|change| {
                change.name == setting.name
                    && change.customer_tenant_id == setting.customer_tenant_id
                    && change.subscription_id == setting.subscription_id
            })
    };
    let kept = chosen.iter().filter(|setting| !is_changed(setting)).cloned();
    let new = changes.iter().filter_map(|change| {
        Some(DetectorSetting {
            detector_id: detector_id.to_owned(),
            name: change.name.clone(),
            customer_tenant_id: change.customer_tenant_id.clone(),
            subscription_id: change.subscription_id.clone(),
            value: change.value?,
            reason: "tried".to_owned(),
            author: "replay".to_owned(),
            changed_at: now,
        })
    });
    kept.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn change(name: &str, customer: Option<&str>, value: Option<f64>) -> Change {
        let customer_tenant_id = customer.map(|id| id.parse().unwrap());
        Change { name: name.to_owned(), customer_tenant_id, subscription_id: None, value }
    }

    #[test]
    fn a_change_takes_the_place_of_what_was_chosen_for_the_same() {
        let chosen = |detector: &str, customer: Option<&str>, value: f64| DetectorSetting {
            detector_id: detector.to_owned(),
            name: "points_min".to_owned(),
            customer_tenant_id: customer.map(|id| id.parse().unwrap()),
            subscription_id: None,
            value,
            reason: "known".to_owned(),
            author: "ann".to_owned(),
            changed_at: at("2031-02-03T00:00:00Z"),
        };
        let today = [chosen("d", None, 5.0), chosen("d", Some("c1"), 6.0), chosen("e", None, 7.0)];
        let check = |changes: &[Change], expected: &[(&str, Option<&str>, f64)]| {
            let tried = tried("d", &today, changes, at("2031-02-03T00:00:00Z"));
            let mut shown: Vec<_> = tried
                .iter()
                .map(|one| {
                    let customer = one.customer_tenant_id.as_ref().map(CustomerTenantId::as_str);
                    (one.detector_id.as_str(), customer, one.value)
                })
                .collect();
            shown.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
            assert_eq!(shown, expected);
        };
        check(&[], &[("d", None, 5.0), ("d", Some("c1"), 6.0), ("e", None, 7.0)]);
        check(
            &[change("points_min", None, Some(9.0))],
            &[("d", None, 9.0), ("d", Some("c1"), 6.0), ("e", None, 7.0)],
        );
        check(&[change("points_min", Some("c1"), None)], &[("d", None, 5.0), ("e", None, 7.0)]);
        check(
            &[change("points_min", Some("c2"), Some(1.0))],
            &[("d", None, 5.0), ("d", Some("c1"), 6.0), ("d", Some("c2"), 1.0), ("e", None, 7.0)],
        );
    }

    #[test]
    fn the_time_lies_in_the_past_and_is_bounded() {
        let now = at("2031-04-01T00:00:00Z");
        let asked = |since: &str, until: &str| Asked {
            detector_id: "d".to_owned(),
            since: at(since),
            until: at(until),
            changes: Vec::new(),
        };
        let good = window(&asked("2031-01-01T00:00:00Z", "2031-04-03T00:00:00Z"), now).unwrap();
        assert_eq!(good.until, now, "what lies ahead has not happened");
        for (since, until, expected) in [
            ("2031-03-01T00:00:00Z", "2031-03-01T00:00:00Z", "does not lie before its end"),
            ("2031-04-02T00:00:00Z", "2031-04-03T00:00:00Z", "and before now"),
            ("2030-12-01T00:00:00Z", "2031-04-01T00:00:00Z", "more than the 92 days"),
        ] {
            let error = window(&asked(since, until), now).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
