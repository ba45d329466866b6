//! Why an alert fired: its detector, the values and thresholds, the events behind it, and how things were before.

use std::fmt::Write as _;

use alerts::money::MoneyAtRisk;
use alerts::{AlertId, PartnerSecurityAlert, Scope};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type};
use arrow_array::{Array as _, RecordBatch, StringArray};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, SessionContext, col, lit};
use detect::{Detector, visible_events};
use ingest::schema::Kind;
use serde_json::{Map, Value, json};
use store::StoreError;

use super::Instance;
use super::detection::{Events, RunError};
use super::money::money_as_json;

/// How many events are shown of each kind.
const EVENTS_MAX: usize = 50;

/// Of how many resources the text tells what they cost.
const MACHINES_SHOWN: usize = 10;

/// How many days the picture spans.
const DAYS: i64 = 42;

/// The entry of an alert's details that names its detector.
const DETECTOR_ID: &str = "DetectorId";

/// Why an alert cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The scope has no such alert.
    #[error("there is no alert '{0}'")]
    NotFound(AlertId),
    /// It was not raised here.
    #[error(
        "alert '{0}' was not raised by a detector of this installation, so nothing is known beyond what it says"
    )]
    NotOurs(AlertId),
    /// The alerts cannot be read.
    #[error("the alert store cannot be read")]
    Store(#[from] StoreError),
    /// What is kept of the alert cannot be read.
    #[error("the alert cannot be read")]
    Damaged(#[from] serde_json::Error),
    /// The events cannot be read.
    #[error("the events cannot be read")]
    Events(#[source] Box<RunError>),
}

/// Why an alert fired.
#[derive(Debug)]
pub struct Explanation {
    /// The alert.
    pub alert: PartnerSecurityAlert,
    /// The detector that raised it, with the numbers that hold now.
    pub detector: Detector,
    /// The numbers that the detector compares with, for this alert's customer and subscription.
    pub thresholds: Vec<Threshold>,
    /// Events of the time of its evidence, by kind; the oldest first.
    pub events: Vec<EventsOfKind>,
    /// How things were in the weeks before; `None` if there is nothing to draw.
    pub series: Option<Series>,
    /// What it costs; `None` if that was not reckoned yet.
    pub money: Option<MoneyAtRisk>,
}

/// A number that a detector compares with.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Its name.
    pub name: String,
    /// The number that holds.
    pub value: f64,
    /// What it does.
    pub meaning: String,
    /// Why it is not the detector's own; `None` if it is.
    pub chosen_because: Option<String>,
}

/// Events of one kind.
#[derive(Debug)]
pub struct EventsOfKind {
    /// The kind.
    pub kind: Kind,
    /// The events, each with the columns that have a value.
    pub rows: Vec<Map<String, Value>>,
    /// Whether there are more than are shown.
    pub more: bool,
}

/// A number for each day.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it counts.
    pub what: String,
    /// The days in their order, each with its number; days without events are zero.
    pub points: Vec<(NaiveDate, f64)>,
    /// The days of the evidence.
    pub evidence: (NaiveDate, NaiveDate),
}

/// Explains an alert to a caller who may see it.
///
/// # Errors
///
/// [`ExplainError`]; also if the alert was brought in from elsewhere.
pub async fn explain(instance: &Instance, scope: &Scope, id: &AlertId) -> Result<Explanation, ExplainError> {
    let body = instance.store.alert(scope, id).await?.ok_or_else(|| ExplainError::NotFound(id.clone()))?;
    let alert: PartnerSecurityAlert = serde_json::from_str(&body.json)?;
    let named = alert.additional_details.as_ref().and_then(|details| details.get(DETECTOR_ID)?.as_str());
    let detector = instance.detectors.iter().find(|detector| Some(detector.manifest.id.as_str()) == named);
    let detector = detector.ok_or_else(|| ExplainError::NotOurs(id.clone()))?;
    let chosen = instance.store.detector_settings(&instance.scope()).await?;
    let detector = detector.with_settings(&chosen);
    let look = Look::new(&alert);
    let failed = |error: RunError| ExplainError::Events(Box::new(error));
    let opened = Events::of(instance);
    let session = opened.session().await.map_err(failed)?;
    let mut events = Vec::new();
    for kind in &detector.manifest.inputs {
        events.push(look.events(session, instance, *kind).await.map_err(|error| failed(error.into()))?);
    }
    let series = match detector.manifest.inputs.first() {
        Some(kind) => look.series(session, instance, *kind).await.map_err(|error| failed(error.into()))?,
        None => None,
    };
    let money = instance.store.money_at_risk(scope, id).await?;
    Ok(Explanation { thresholds: thresholds(&detector, &alert), alert, detector, events, series, money })
}

fn thresholds(detector: &Detector, alert: &PartnerSecurityAlert) -> Vec<Threshold> {
    let (customer, subscription) = (&alert.customer_tenant_id, &alert.subscription_id);
    detector
        .manifest
        .settings
        .iter()
        .map(|setting| {
            let chosen = detector.chosen(&setting.name, customer, subscription);
            Threshold {
                name: setting.name.clone(),
                value: chosen.map_or(setting.default, |chosen| chosen.value),
                meaning: setting.meaning.clone(),
                chosen_because: chosen.map(|chosen| chosen.reason.clone()),
            }
        })
        .collect()
}

/// What to look for in the lake.
struct Look<'a> {
    alert: &'a PartnerSecurityAlert,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl<'a> Look<'a> {
    fn new(alert: &'a PartnerSecurityAlert) -> Self {
        let first = alert.first_observed_date_time.unwrap_or(alert.detected_date_time);
        let last = alert.last_observed_date_time.unwrap_or(alert.detected_date_time);
        Self { alert, first, last }
    }

    /// The events of a kind between two times: those of the subscription, or of the customer where the alert or the
    /// records are about a tenant.
    async fn visible(
        &self,
        session: &SessionContext,
        instance: &Instance,
        kind: Kind,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<DataFrame, DataFusionError> {
        let events = visible_events(session, kind, &instance.partner, since, until).await?;
        let of_tenant = self.alert.subscription_id.is_none() || matches!(kind, Kind::SignIn | Kind::Audit);
        events.filter(if of_tenant {
            col("customer_tenant_id").eq(lit(self.alert.customer_tenant_id.as_str()))
        } else {
            col("subscription_id").eq(lit(self.alert.subscription_id.as_str()))
        })
    }

    async fn events(
        &self,
        session: &SessionContext,
        instance: &Instance,
        kind: Kind,
    ) -> Result<EventsOfKind, DataFusionError> {
        let until = self.last + TimeDelta::microseconds(1);
        let visible = self.visible(session, instance, kind, (self.first, until)).await?;
        let batches = visible
            .sort(vec![col("event_at").sort(true, false)])?
            .limit(0, Some(EVENTS_MAX + 1))?
            .collect()
            .await?;
        let mut rows = Vec::new();
        for batch in &batches {
            rows.extend(as_rows(batch)?);
        }
        let more = rows.len() > EVENTS_MAX;
        rows.truncate(EVENTS_MAX);
        Ok(EventsOfKind { kind, rows, more })
    }

    async fn series(
        &self,
        session: &SessionContext,
        instance: &Instance,
        kind: Kind,
    ) -> Result<Option<Series>, DataFusionError> {
        let last = self.last.date_naive();
        let first = last - TimeDelta::days(DAYS - 1);
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
        let bounds = (midnight(first), midnight(last) + TimeDelta::days(1));
        let (what, number) = match kind {
            Kind::Cost => ("cost a day", "sum(cost)"),
            Kind::Flow => {
                ("bytes a day", "cast(sum(coalesce(bytes_sent, 0) + coalesce(bytes_received, 0)) as double)")
            }
            _ => ("events a day", "cast(count(*) as double)"),
        };
        let visible = self.visible(session, instance, kind, bounds).await?;
        let (day, number) = (visible.parse_sql_expr("day")?, visible.parse_sql_expr(number)?.alias("number"));
        let batches = visible.aggregate(vec![day], vec![number])?.collect().await?;
        let mut points: Vec<(NaiveDate, f64)> =
            first.iter_days().take_while(|day| *day <= last).map(|day| (day, 0.0)).collect();
        let mut is_empty = true;
        for batch in &batches {
            let days = batch["day"].as_primitive::<Date32Type>();
            let numbers = batch["number"].as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let place = days.value_as_date(row).map(|day| (day - first).num_days());
                if let Some(point) = place.and_then(|place| points.get_mut(usize::try_from(place).ok()?)) {
                    point.1 = if numbers.is_valid(row) { numbers.value(row) } else { 0.0 };
                    is_empty = false;
                }
            }
        }
        let evidence = (self.first.date_naive().max(first), last);
        Ok((!is_empty).then(|| Series { what: what.to_owned(), points, evidence }))
    }
}

/// Rows as JSON objects of texts, without what is null and without what only the lake needs.
fn as_rows(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, DataFusionError> {
    const LEFT_OUT: [&str; 4] = ["day", "partner_tenant_id", "event_id", "statement_id"];
    let mut rows = vec![Map::new(); batch.num_rows()];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if LEFT_OUT.contains(&field.name().as_str()) {
            continue;
        }
        let texts = cast(column, &DataType::Utf8)?;
        let texts: &StringArray = texts.as_string();
        for (row, text) in rows.iter_mut().zip(texts.iter()) {
            if let Some(text) = text {
                row.insert(field.name().clone(), Value::from(text));
            }
        }
    }
    Ok(rows)
}

impl Series {
    /// The series as one line of bars, a character a day.
    #[must_use]
    pub fn bars(&self) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let top = self.points.iter().map(|(_, number)| *number).fold(0.0, f64::max);
        let bar = |number: f64| {
            let place = if top > 0.0 { (number / top * 7.0).round().clamp(0.0, 7.0) as usize } else { 0 };
            BARS[place]
        };
        self.points.iter().map(|(_, number)| bar(*number)).collect()
    }

    /// Marks below the bars: the days of the evidence.
    #[must_use]
    pub fn marks(&self) -> String {
        let (first, last) = self.evidence;
        let mark = |day: &NaiveDate| if (first..=last).contains(day) { '^' } else { ' ' };
        self.points.iter().map(|(day, _)| mark(day)).collect()
    }
}

impl Explanation {
    /// As the API and `--json` show it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let manifest = &self.detector.manifest;
        let threshold = |threshold: &Threshold| {
            json!({
                "name": threshold.name,
                "value": threshold.value,
                "meaning": threshold.meaning,
                "chosenBecause": threshold.chosen_because,
            })
        };
        let events = |events: &EventsOfKind| json!({"kind": events.kind.name(), "rows": events.rows, "more": events.more});
        let point = |(day, number): &(NaiveDate, f64)| json!({"day": day, "value": number});
        let series = self.series.as_ref().map(|series| {
            json!({
                "what": series.what,
                "points": series.points.iter().map(point).collect::<Vec<_>>(),
                "evidenceFrom": series.evidence.0,
                "evidenceUntil": series.evidence.1,
            })
        });
        json!({
            "alert": self.alert,
            "detector": {
                "id": manifest.id,
                "version": manifest.version,
                "title": manifest.title,
                "meaning": manifest.meaning,
                "response": manifest.response,
            },
            "thresholds": self.thresholds.iter().map(threshold).collect::<Vec<_>>(),
            "series": series,
            "moneyAtRisk": money_as_json(self.alert.id.as_str(), self.money.as_ref()),
            "events": self.events.iter().map(events).collect::<Vec<_>>(),
        })
    }

    /// In plain text, for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (alert, manifest) = (&self.alert, &self.detector.manifest);
        let mut text = String::new();
        let mut line = |words: &str| {
            text.push_str(words.trim_end());
            text.push('\n');
        };
        line(&alert.display_name);
        line(alert.description.as_deref().unwrap_or_default());
        line("");
        line(&format!(
            "severity {}, confidence {}, {}",
            alert.severity, alert.confidence_level, alert.status
        ));
        line(&format!("detector {}, version {}: {}", manifest.id, manifest.version, manifest.meaning));
        if let Some(money) = &self.money {
            line("");
            line(&format!("Money at risk: {}", money.in_words()));
            for part in money.parts.iter().filter(|part| !part.machines.is_empty()).take(MACHINES_SHOWN) {
                let figures = part.currency.as_ref().map_or("no known price".to_owned(), |currency| {
                    format!("{currency} {} so far, {} an hour", part.so_far, part.per_hour)
                });
                line(&format!("  {} {}: {figures}  {}", part.machines, part.state.as_str(), part.resource));
            }
        }
        line("");
        line("Evidence:");
        for (name, value) in alert.additional_details.iter().flatten() {
            line(&format!("  {name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        if !self.thresholds.is_empty() {
            line("");
            line("Thresholds:");
        }
        for threshold in &self.thresholds {
            let why =
                threshold.chosen_because.as_ref().map_or(String::new(), |why| format!(" (chosen: {why})"));
            line(&format!("  {} = {}{why}: {}", threshold.name, threshold.value, threshold.meaning));
        }
        if let Some(series) = &self.series {
            let top = series.points.iter().map(|(_, number)| *number).fold(0.0, f64::max);
            line("");
            line(&format!(
                "{} in {DAYS} days, at most {top:.2}; marked is the time of the evidence:",
                series.what
            ));
            line(&format!("  {}", series.bars()));
            line(&format!("  {}", series.marks()));
        }
        for events in self.events.iter().filter(|events| !events.rows.is_empty()) {
            let more = if events.more { " (the first of them)" } else { "" };
            line("");
            line(&format!("Events of kind {}{more}:", events.kind.name()));
            for row in &events.rows {
                line(&format!("  {}", row_in_words(row)));
            }
        }
        text
    }
}

/// The columns of an event that tell most, in a line.
fn row_in_words(row: &Map<String, Value>) -> String {
    const FIRST: [&str; 16] = [
        "event_at",
        "operation",
        "status",
        "caller",
        "caller_ip",
        "user_principal_name",
        "actor",
        "ip",
        "country",
        "src_ip",
        "dst_ip",
        "dst_port",
        "meter_category",
        "cost",
        "currency",
        "resource_id",
    ];
    let mut words = String::new();
    for name in FIRST {
        if let Some(text) = row.get(name).and_then(Value::as_str) {
            let _ = write!(words, "{text}  ");
        }
    }
    words
}
