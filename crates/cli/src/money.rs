//! `tenantwatch money`

use ::alerts::money::Currency;
use chrono::{TimeDelta, Utc};
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use server::app::money::{entry_as_json, settle, totals_as_json};
use store::{MoneyEntry, MoneyOrder, MoneyQuery, MoneyTotals};

use crate::installation::Installation;
use crate::output;

/// Show what the incidents of open alerts cost: sums for each currency, and the alerts that cost most
///
/// The figures are the excess since the first evidence: of bills where a day is billed in full, else of what runs, at
/// the prices that the bills tell or the rate card lists (`tenantwatch prices`). What has no known price is not
/// counted. Amounts of several currencies are never added; they are sorted by their worth in dollars as the bills
/// tell it. Nothing is counted twice in the sums, though alerts may be about the same machines.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch money --order-by so-far --top 20")]
pub(crate) struct Money {
    #[command(flatten)]
    installation: Installation,

    /// In which order, the most first
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderBy::PerHour)]
    order_by: OrderBy,

    /// Only amounts of this currency, such as EUR
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    top: u64,

    /// Print the sums as a JSON object, then one an alert
    #[arg(long)]
    json: bool,
}

/// By what alerts are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderBy {
    /// What they cost by the hour now
    PerHour,
    /// What they have cost so far
    SoFar,
}

impl OrderBy {
    pub(crate) fn order(self) -> MoneyOrder {
        match self {
            Self::PerHour => MoneyOrder::PerHour,
            Self::SoFar => MoneyOrder::SoFar,
        }
    }
}

impl Money {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        settle(&instance, TimeDelta::zero(), Utc::now()).await?;
        let scope = instance.scope();
        let query = MoneyQuery {
            currency: self.currency.clone(),
            order: self.order_by.order(),
            after: None,
            limit: Some(self.top),
        };
        let totals = instance.store.money_totals(&scope).await?;
        let entries = instance.store.list_money(&scope, &query).await?;
        if self.json {
            output::print(&totals_as_json(&totals).to_string())?;
            for entry in &entries {
                output::print(&entry_as_json(entry)?.to_string())?;
            }
            return Ok(());
        }
        if !entries.is_empty() {
            output::print(&table(&entries)?)?;
        }
        say(&totals);
        Ok(())
    }
}

fn table(entries: &[MoneyEntry]) -> anyhow::Result<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["CURRENCY", "AN HOUR", "SO FAR", "BILLED", "SEVERITY", "ALERT", "TITLE"]);
    for entry in entries {
        let alert: ::alerts::PartnerSecurityAlert = serde_json::from_str(&entry.body.json)?;
        let Some(total) = entry.money.totals.iter().find(|total| total.currency == entry.currency) else {
            continue;
        };
        table.add_row([
            total.currency.to_string(),
            total.per_hour.to_string(),
            total.so_far.to_string(),
            total.billed.to_string(),
            alert.severity.to_string(),
            alert.id.to_string(),
            alert.display_name.clone(),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (1..=3).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table.trim_fmt())
}

fn say(totals: &MoneyTotals) {
    for total in &totals.currencies {
        output::say(&format!(
            "{} {} an hour now and {} so far, over {} open alerts",
            total.currency, total.per_hour, total.so_far, total.alerts
        ));
    }
    if totals.currencies.is_empty() {
        output::say("No open alert is known to cost anything.");
    }
    if totals.unpriced_alerts > 0 {
        output::say(&format!(
            "{} open alerts are about something that no price is known of; `tenantwatch prices import` takes a rate card",
            totals.unpriced_alerts
        ));
    }
}
