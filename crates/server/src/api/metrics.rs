//! `GET /metrics`: what operators watch, in OpenMetrics text.
//!
//! The figures are read from the store when they are asked for, so that they are the same on every server,
//! and none is lost by a restart. No customer is named: with 20,000 of them, that is what the coverage is for.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use graph::ApiError;
use graph::auth::Caller;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use store::{KindTotals, MoneyTotals, Notice, SourceStatus};

use super::Api;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCurrency {
    currency: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSource {
    source: String,
}

/// `GET /metrics`; for the partner itself, since the figures are of all its customers.
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<impl IntoResponse, ApiError> {
    caller.permissions.may_read()?;
    let (store, scope) = (&api.instance.store, &caller.scope);
    let totals = store.totals(scope).await.map_err(ApiError::internal)?;
    let sources = store.sources(scope).await.map_err(ApiError::internal)?;
    let notices = store.notices(scope, false).await.map_err(ApiError::internal)?;
    let money = store.money_totals(scope).await.map_err(ApiError::internal)?;
    let text = render(&totals, &sources, &notices, &money, Utc::now());
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

fn render(
    totals: &[KindTotals],
    sources: &[SourceStatus],
    notices: &[Notice],
    money: &MoneyTotals,
    now: DateTime<Utc>,
) -> String {
    let mut registry = Registry::with_prefix("tenantwatch");
    let of_kind = |registry: &mut Registry, name: &str, help: &str, value: &dyn Fn(&KindTotals) -> u64| {
        let family = Family::<OfKind, Counter>::default();
        for kind in totals {
            family.get_or_create(&OfKind { kind: kind.kind.clone() }).inc_by(value(kind));
        }
        registry.register(name, help, family);
    };
    of_kind(&mut registry, "events_stored", "Events in the lake", &|kind| kind.stored);
    of_kind(&mut registry, "events_duplicate", "Events that came again", &|kind| kind.duplicates);
    of_kind(&mut registry, "records_rejected", "Records that could not be read", &|kind| kind.rejected);
    let ages = Family::<OfKind, Gauge>::default();
    let lags = Family::<OfKind, Gauge>::default();
    for kind in totals {
        let labels = OfKind { kind: kind.kind.clone() };
        ages.get_or_create(&labels).set((now - kind.last_arrived_at).num_seconds());
        if let Some(last) = kind.last_event_at {
            lags.get_or_create(&labels).set((now - last).num_seconds());
        }
    }
    registry.register("last_arrival_age_seconds", "Time since something last came in", ages);
    registry.register("last_event_age_seconds", "Time since the last event happened", lags);

    let failing = Family::<OfSource, Gauge>::default();
    let records = Family::<OfSource, Counter>::default();
    for source in sources {
        let labels = OfSource { source: source.name.clone() };
        failing.get_or_create(&labels).set(i64::from(source.is_failing()));
        records.get_or_create(&labels).inc_by(source.records);
    }
    registry.register("source_failing", "1 if the source could not be read when last looked at", failing);
    registry.register("source_records", "Records taken in from the source", records);

    let open = Family::<OfKind, Gauge>::default();
    for notice in notices {
        open.get_or_create(&OfKind { kind: notice.kind.clone() }).inc();
    }
    registry.register("notices_open", "Notices to the operator that are open", open);

    let hourly = Family::<OfCurrency, Gauge<f64, AtomicU64>>::default();
    let so_far = Family::<OfCurrency, Gauge<f64, AtomicU64>>::default();
    for total in &money.currencies {
        let labels = OfCurrency { currency: total.currency.to_string() };
        hourly.get_or_create(&labels).set(total.per_hour.units());
        so_far.get_or_create(&labels).set(total.so_far.units());
    }
    registry.register(
        "money_at_risk_per_hour",
        "What open alerts cost by the hour now, nothing counted twice",
        hourly,
    );
    registry.register("money_at_risk_so_far", "What open alerts cost so far, nothing counted twice", so_far);
    let unpriced = Gauge::<i64>::default();
    unpriced.set(i64::try_from(money.unpriced_alerts).unwrap_or(i64::MAX));
    registry.register("alerts_unpriced", "Open alerts about something that no price is known of", unpriced);
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = encode(&mut text, &registry);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_open_metrics() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let totals = [KindTotals {
            kind: "activity".to_owned(),
            stored: 12,
            duplicates: 3,
            rejected: 1,
            last_event_at: Some(at("2031-02-03T11:58:00Z")),
            last_arrived_at: at("2031-02-03T11:59:00Z"),
        }];
        let source = SourceStatus {
            name: "exports".to_owned(),
            kind: "folder".to_owned(),
            holder: None,
            held_until: None,
            last_polled_at: None,
            last_success_at: None,
            last_error: Some(("gone".to_owned(), at("2031-02-03T11:59:00Z"))),
            objects: 1,
            records: 15,
            bytes: 900,
        };
        let notice = Notice {
            kind: "source_failing".to_owned(),
            subject: "exports".to_owned(),
            text: String::new(),
            raised_at: at("2031-02-03T11:59:00Z"),
            cleared_at: None,
        };
        let micros = alerts::money::Amount::of_micros;
        let money = MoneyTotals {
            currencies: vec![store::CurrencyTotal {
                currency: "EUR".parse().unwrap(),
                so_far: micros(1_234_500_000),
                per_hour: micros(12_250_000),
                alerts: 2,
            }],
            unpriced_alerts: 1,
            oldest_reckoned_at: None,
        };
        let text = render(&totals, &[source], &[notice], &money, at("2031-02-03T12:00:00Z"));
        for line in [
            "tenantwatch_events_stored_total{kind=\"activity\"} 12",
            "tenantwatch_last_event_age_seconds{kind=\"activity\"} 120",
            "tenantwatch_source_failing{source=\"exports\"} 1",
            "tenantwatch_notices_open{kind=\"source_failing\"} 1",
            "tenantwatch_money_at_risk_per_hour{currency=\"EUR\"} 12.25",
            "tenantwatch_money_at_risk_so_far{currency=\"EUR\"} 1234.5",
            "tenantwatch_alerts_unpriced 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
