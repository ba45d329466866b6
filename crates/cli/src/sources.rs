//! `tenantwatch sources`

use std::collections::BTreeMap;

use alerts::{CustomerTenantId, Scope};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use ingest::schema::Kind;
use serde_json::{Value, json};
use server::app::Instance;
use server::config::SilentAfter;
use store::{Coverage, CoverageQuery, CustomerQuery, KnownCustomer, Notice, SourceStatus};

use crate::installation::{Installation, kind};
use crate::output;

/// See where records come from, for which customers, and how fresh they are
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch sources status")]
pub(crate) struct Sources {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(Status),
}

/// Show each source with its state, and for each customer and kind of record how fresh it is
///
/// A customer is silent if nothing came for longer than the settings' silent_after_hours, and for longer than
/// three times as long as usual. Imported customers of whom nothing ever came are never seen; with --kind, those of
/// whom nothing of that kind came.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch sources status --kind activity --silent")]
struct Status {
    #[command(flatten)]
    installation: Installation,

    /// Only this customer
    #[arg(long, value_name = "TENANT")]
    customer: Option<CustomerTenantId>,

    /// Only this kind of record, such as activity, cost or flow
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,

    /// Only what is silent or never seen
    #[arg(long)]
    silent: bool,

    /// One line a subscription instead of a customer
    #[arg(long)]
    subscriptions: bool,

    /// Print one JSON object with sources, coverage, customers never seen, and notices
    #[arg(long)]
    json: bool,
}

impl Sources {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Status(status) => status.run().await,
        }
    }
}

impl Status {
    async fn run(self) -> anyhow::Result<()> {
        let silent_after = self.installation.settings()?.silent_after_hours;
        let instance = self.installation.open().await?;
        let (scope, store, now) = (instance.scope(), &instance.store, Utc::now());
        let sources = store.sources(&scope).await?;
        let notices = store.notices(&scope, false).await?;
        let query = CoverageQuery {
            kind: self.kind.map(|kind| kind.name().to_owned()),
            customer_tenant_id: self.customer.clone(),
            ..CoverageQuery::default()
        };
        let coverage = store.coverage(&scope, &query).await?;
        let lines = if self.subscriptions {
            coverage.iter().map(|entry| Line::of(&[entry], &silent_after, now)).collect()
        } else {
            by_customer(&coverage, &silent_after, now)
        };
        let lines: Vec<Line> = lines.into_iter().filter(|line| !self.silent || line.silent).collect();
        let never_seen = self.never_seen(&instance).await?;
        if self.json {
            return Ok(output::print(&as_json(&sources, &lines, &never_seen, &notices, now).to_string())?);
        }
        show_sources(&sources)?;
        show_notices(&notices)?;
        if lines.is_empty() && never_seen.is_empty() {
            output::say(match (self.silent, &self.customer, self.kind) {
                (true, ..) => "Nothing is silent.",
                (false, None, None) => "No records yet. Take some in: tenantwatch ingest PATH",
                (false, ..) => {
                    "No records of this customer or kind yet; without --customer and --kind all are shown."
                }
            });
            return Ok(());
        }
        show_lines(&lines, &never_seen, now)
    }

    /// Imported customers of whom nothing ever came, of the kind and customer that are asked for.
    async fn never_seen(&self, instance: &Instance) -> anyhow::Result<Vec<KnownCustomer>> {
        let query = CustomerQuery {
            has_records: Some(false),
            kind: self.kind.map(|kind| kind.name().to_owned()),
            ..CustomerQuery::default()
        };
        let scope = match &self.customer {
            Some(customer) => Scope::Customer(instance.partner.clone(), customer.clone()),
            None => instance.scope(),
        };
        Ok(instance.store.customers(&scope, &query).await?)
    }
}

/// What came of one kind, of a customer or of one of its subscriptions.
struct Line {
    customer: String,
    subscription: Option<String>,
    kind: String,
    last_event_at: Option<DateTime<Utc>>,
    last_arrived_at: Option<DateTime<Utc>>,
    per_day: f64,
    stored: u64,
    rejected: u64,
    silent: bool,
}

impl Line {
    fn of(entries: &[&Coverage], silent_after: &SilentAfter, now: DateTime<Utc>) -> Self {
        let text = |id: &dyn ToString| id.to_string();
        let first = entries.first();
        let kind = first.map(|entry| entry.kind.clone()).unwrap_or_default();
        let is_silent =
            |entry: &&Coverage| silent_after.of(&entry.kind).is_some_and(|after| entry.is_silent(after, now));
        let subscription = match entries {
            [entry] => entry.subscription_id.as_ref().map(|id| text(id)),
            _ => None,
        };
        Self {
            customer: first
                .and_then(|entry| entry.customer_tenant_id.as_ref().map(|id| text(id)))
                .unwrap_or_else(|| "(unknown)".to_owned()),
            subscription,
            kind,
            last_event_at: entries.iter().filter_map(|entry| entry.last_event_at).max(),
            last_arrived_at: entries.iter().map(|entry| entry.last_arrived_at).max(),
            per_day: entries.iter().map(|entry| entry.events_per_day(now)).sum(),
            stored: entries.iter().map(|entry| entry.stored).sum(),
            rejected: entries.iter().map(|entry| entry.rejected).sum(),
            silent: entries.iter().all(is_silent),
        }
    }
}

fn by_customer(coverage: &[Coverage], silent_after: &SilentAfter, now: DateTime<Utc>) -> Vec<Line> {
    let mut groups: BTreeMap<(Option<&str>, &str), Vec<&Coverage>> = BTreeMap::new();
    for entry in coverage {
        let customer = entry.customer_tenant_id.as_ref().map(CustomerTenantId::as_str);
        groups.entry((customer, entry.kind.as_str())).or_default().push(entry);
    }
    let line = |entries: &Vec<&Coverage>| Line { subscription: None, ..Line::of(entries, silent_after, now) };
    groups.values().map(line).collect()
}

fn table(header: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header.iter().copied());
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn show_sources(sources: &[SourceStatus]) -> anyhow::Result<()> {
    if sources.is_empty() {
        output::say(
            "No source is followed. Name some in the settings under [[sources]]; docs/sources.md shows how.",
        );
        return Ok(());
    }
    let mut table = table(&["source", "type", "state", "last read", "objects", "records", "MB"], &[4, 5, 6]);
    for source in sources {
        let state = match &source.last_error {
            Some((error, _)) if source.is_failing() => format!("failing: {error}"),
            _ => "ok".to_owned(),
        };
        table.add_row([
            source.name.clone(),
            source.kind.clone(),
            state,
            source.last_success_at.map_or_else(|| "never".to_owned(), output::minute),
            source.objects.to_string(),
            source.records.to_string(),
            (source.bytes / 1_000_000).to_string(),
        ]);
    }
    Ok(output::print(&format!("{table}\n"))?)
}

fn show_notices(notices: &[Notice]) -> anyhow::Result<()> {
    for notice in notices {
        output::print(&format!("! {} (since {})", notice.text, output::minute(notice.raised_at)))?;
    }
    if !notices.is_empty() {
        output::print("")?;
    }
    Ok(())
}

fn show_lines(lines: &[Line], never_seen: &[KnownCustomer], now: DateTime<Utc>) -> anyhow::Result<()> {
    let has_subscriptions = lines.iter().any(|line| line.subscription.is_some());
    let mut header = vec!["customer"];
    if has_subscriptions {
        header.push("subscription");
    }
    let first_number = header.len() + 3;
    header.extend(["kind", "last event", "last arrival", "lag", "per day", "stored", "rejected", "state"]);
    let mut table = table(&header, &[first_number, first_number + 1, first_number + 2, first_number + 3]);
    let time = |at: Option<DateTime<Utc>>| at.map_or_else(|| "never".to_owned(), output::minute);
    for line in lines {
        let mut row = vec![line.customer.clone()];
        if has_subscriptions {
            row.push(line.subscription.clone().unwrap_or_default());
        }
        let lag = line.last_event_at.map_or_else(|| "-".to_owned(), |at| short(now - at));
        row.extend([
            line.kind.clone(),
            time(line.last_event_at),
            time(line.last_arrived_at),
            lag,
            format!("{:.0}", line.per_day),
            line.stored.to_string(),
            line.rejected.to_string(),
            if line.silent { "silent" } else { "fresh" }.to_owned(),
        ]);
        table.add_row(row);
    }
    for known in never_seen {
        let mut row = vec![known.customer.customer_tenant_id.to_string()];
        row.extend(has_subscriptions.then(String::new));
        row.extend(["-", "never", "never", "-", "0", "0", "0", "never seen"].map(str::to_owned));
        table.add_row(row);
    }
    Ok(output::print(&table.to_string())?)
}

/// `3 d`, `5 h`, `12 min`
fn short(lag: chrono::TimeDelta) -> String {
    match (lag.num_days(), lag.num_hours(), lag.num_minutes()) {
        (days @ 2.., _, _) => format!("{days} d"),
        (_, hours @ 2.., _) => format!("{hours} h"),
        (_, _, minutes) => format!("{} min", minutes.max(0)),
    }
}

fn as_json(
    sources: &[SourceStatus],
    lines: &[Line],
    never_seen: &[KnownCustomer],
    notices: &[Notice],
    now: DateTime<Utc>,
) -> Value {
    let sources: Vec<Value> = sources
        .iter()
        .map(|source| {
            json!({
                "name": source.name,
                "type": source.kind,
                "failing": source.is_failing(),
                "lastError": source.last_error.as_ref().map(|(error, _)| error),
                "lastSuccessDateTime": source.last_success_at,
                "objects": source.objects,
                "records": source.records,
                "bytes": source.bytes,
            })
        })
        .collect();
    let coverage: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "customerTenantId": line.customer,
                "subscriptionId": line.subscription,
                "kind": line.kind,
                "lastEventDateTime": line.last_event_at,
                "lastArrivalDateTime": line.last_arrived_at,
                "lagSeconds": line.last_event_at.map(|at| (now - at).num_seconds()),
                "eventsPerDay": line.per_day.round(),
                "stored": line.stored,
                "rejected": line.rejected,
                "silent": line.silent,
            })
        })
        .collect();
    let notices: Vec<Value> = notices
        .iter()
        .map(|notice| json!({"kind": notice.kind, "subject": notice.subject, "text": notice.text, "raisedDateTime": notice.raised_at}))
        .collect();
    let never_seen: Vec<Value> = never_seen
        .iter()
        .map(|known| {
            json!({
                "customerTenantId": known.customer.customer_tenant_id,
                "name": known.customer.name,
                "subscriptions": known.subscriptions,
                "importedDateTime": known.imported_at,
            })
        })
        .collect();
    json!({ "sources": sources, "coverage": coverage, "neverSeen": never_seen, "notices": notices })
}
