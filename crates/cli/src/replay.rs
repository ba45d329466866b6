//! `tenantwatch replay`

use ::alerts::{Alert, DetectorSetting};
use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use detect::{Detector, Window};
use serde_json::{Value, json};
use server::app::rehearsal::{Rehearsal, compare, rehearse};
use server::app::tuning::declared;

use crate::installation::{self, Installation};
use crate::output;
use crate::tuning::number;

/// Show which alerts a detector would have raised over history, before anything is switched on
///
/// Nothing is raised or written. With --set, the alerts are held against those of today's numbers.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch replay --detector vm_anomalous_deployment --since 2026-10-01\n  tenantwatch replay --detector vm_anomalous_deployment --since 2026-10-01 --set points_min=5"
)]
pub(crate) struct Replay {
    #[command(flatten)]
    installation: Installation,

    /// The detector's id
    #[arg(long, value_name = "ID")]
    detector: String,

    /// Look at events from this time on: a day, or a time with its zone
    #[arg(long, value_name = "TIME", value_parser = installation::time)]
    since: DateTime<Utc>,

    /// Look at events before this time (default: now)
    #[arg(long, value_name = "TIME", value_parser = installation::time)]
    until: Option<DateTime<Utc>>,

    /// With this number in place of today's, for all subscriptions (may be repeated)
    #[arg(long = "set", value_name = "NAME=NUMBER", value_parser = number)]
    numbers: Vec<(String, f64)>,

    /// Print one JSON object: {"alerts":[…],"silenced","subscriptionDays","alertsPer1000SubscriptionDays","today":{…},"added":[…],"gone":[…]}
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let until = self.until.unwrap_or_else(Utc::now);
        if self.since >= until {
            bail!("--since {} does not lie before --until {until}", self.since);
        }
        let instance = self.installation.open().await?;
        let detector = instance.detectors.iter().find(|detector| detector.manifest.id == self.detector);
        let detector = detector.with_context(|| {
            format!("there is no detector '{}'; `tenantwatch detectors list` names all", self.detector)
        })?;
        let window = Window::new(self.since, until);
        let chosen = instance.store.detector_settings(&instance.scope()).await?;
        let tried = self.tried(detector, &chosen)?;
        let with = detector.with_settings(&tried);
        let (with, today) = if self.numbers.is_empty() {
            (rehearse(&instance, &with, &window).await?, None)
        } else {
            let today = detector.with_settings(&chosen);
            let compared = compare(&instance, &instance.scope(), &today, &with, &window).await?;
            (compared.changed, Some(compared.now))
        };
        if self.json {
            return Ok(output::print(&as_json(&with, today.as_ref()).to_string())?);
        }
        print(&with, today.as_ref())
    }

    /// Today's numbers, with those of the command line in the place of all that were chosen of the same name.
    fn tried(&self, detector: &Detector, chosen: &[DetectorSetting]) -> anyhow::Result<Vec<DetectorSetting>> {
        for (name, value) in &self.numbers {
            let setting = declared(&detector.manifest, name)?;
            if !setting.allows(*value) {
                bail!("the setting {name} cannot be {value}; give a number{}", setting.bounds());
            }
        }
        let is_replaced = |name: &str| self.numbers.iter().any(|(tried, _)| tried == name);
        let kept = chosen
            .iter()
            .filter(|setting| setting.detector_id != self.detector || !is_replaced(&setting.name));
        let tried = self.numbers.iter().map(|(name, value)| DetectorSetting {
            detector_id: self.detector.clone(),
            name: name.clone(),
            customer_tenant_id: None,
            subscription_id: None,
            value: *value,
            reason: "tried".to_owned(),
            author: "replay".to_owned(),
            changed_at: self.since,
        });
        Ok(kept.cloned().chain(tried).collect())
    }
}

fn as_json(with: &Rehearsal, today: Option<&Rehearsal>) -> Value {
    let bodies =
        |alerts: Vec<&Alert>| -> Vec<Value> { alerts.into_iter().map(|alert| json!(alert.body)).collect() };
    let mut shown = with.figures();
    shown["alerts"] = json!(bodies(with.alerts.iter().collect()));
    if let Some(today) = today {
        shown["today"] = today.figures();
        shown["added"] = json!(bodies(with.missing_in(today)));
        shown["gone"] = json!(bodies(today.missing_in(with)));
    }
    shown
}

fn print(with: &Rehearsal, today: Option<&Rehearsal>) -> anyhow::Result<()> {
    match today {
        None => print_alerts(' ', &with.alerts.iter().collect::<Vec<_>>())?,
        Some(today) => {
            print_alerts('+', &with.missing_in(today))?;
            print_alerts('-', &today.missing_in(with))?;
        }
    }
    output::say(&in_words("", with));
    if let Some(today) = today {
        output::say(&in_words("With today's numbers: ", today));
    }
    Ok(())
}

fn print_alerts(mark: char, alerts: &[&Alert]) -> anyhow::Result<()> {
    for alert in alerts {
        let body = &alert.body;
        output::print(&format!(
            "{mark} {}  {:<13}  {}  {}",
            output::minute(body.detected_date_time),
            body.severity,
            body.subscription_id,
            body.description.as_deref().unwrap_or(&body.display_name)
        ))?;
    }
    Ok(())
}

fn in_words(before: &str, rehearsal: &Rehearsal) -> String {
    let noise = rehearsal.alerts_per_1000_subscription_days();
    format!(
        "{before}{} alerts on {} subscription-days, {} for each thousand; {} findings silenced by rules",
        rehearsal.alerts.len(),
        rehearsal.subscription_days,
        noise.map_or("none".to_owned(), |noise| format!("{noise:.2}")),
        rehearsal.silenced
    )
}
