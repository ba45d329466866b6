//! `tenantwatch prices`

use std::fs;
use std::path::PathBuf;

use ::alerts::money::PriceSource;
use anyhow::Context as _;
use chrono::Utc;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use server::app::money::{price_as_json, rate_card};
use store::PriceQuery;

use crate::installation::Installation;
use crate::output;

/// Say what machines cost where the bills do not tell it yet
///
/// Prices are read from the cost records by themselves. A rate card fills the gaps: sizes, regions and currencies that
/// were never billed.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch prices import retail-prices.json && tenantwatch prices list --source rate-card"
)]
pub(crate) struct Prices {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(Import),
    List(List),
    Forget(Forget),
}

/// Import a rate card: what Azure's Retail Prices API replies, as JSON or CSV
///
/// Items have armSkuName, armRegionName, retailPrice, currencyCode and unitOfMeasure, and perhaps type, serviceName,
/// productName, skuName, meterName and effectiveStartDate. Taken are machines by the hour, used as they go, without
/// Windows. Each price takes the place of the one that was imported for the same before.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch prices import retail-prices-eur.json")]
struct Import {
    #[command(flatten)]
    installation: Installation,

    /// Files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// List the known prices
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch prices list --size standard_d4s_v5 --json")]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// Those of one source
    #[arg(long, value_name = "SOURCE", value_enum)]
    source: Option<Source>,

    /// Those of this size (may be repeated)
    #[arg(long = "size", value_name = "SIZE")]
    sizes: Vec<String>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    top: u64,

    /// Print one JSON object a price
    #[arg(long)]
    json: bool,
}

/// Forget the rate card: all prices that were imported
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch prices forget")]
struct Forget {
    #[command(flatten)]
    installation: Installation,
}

/// Where prices are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    /// The cost records
    Observed,
    /// What was imported
    RateCard,
}

impl Source {
    fn source(self) -> PriceSource {
        match self {
            Self::Observed => PriceSource::Observed,
            Self::RateCard => PriceSource::RateCard,
        }
    }
}

impl Prices {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Import(import) => import.run().await,
            Command::List(list) => list.run().await,
            Command::Forget(forget) => forget.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        for file in &self.files {
            let named = || format!("reading {}", file.display());
            let text = fs::read_to_string(file).with_context(named)?;
            let card = rate_card::read(&text).with_context(named)?;
            instance.store.import_prices(&instance.scope(), &card.prices, Utc::now()).await?;
            let passed: Vec<String> =
                card.passed_over.iter().map(|(what, count)| format!("{count} {what}")).collect();
            let passed = if passed.is_empty() {
                String::new()
            } else {
                format!("; passed over: {}", passed.join(", "))
            };
            output::say(&format!("{}: {} prices{passed}", file.display(), card.prices.len()));
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let sizes: Vec<String> = self.sizes.iter().map(|size| size.to_lowercase()).collect();
        let query = PriceQuery {
            source: self.source.map(Source::source),
            sizes: (!sizes.is_empty()).then_some(sizes),
            limit: Some(self.top),
        };
        let prices = instance.store.prices(&instance.scope(), &query).await?;
        if self.json {
            for price in &prices {
                output::print(&price_as_json(price).to_string())?;
            }
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["SIZE", "REGION", "PRIORITY", "CURRENCY", "AN HOUR", "SOURCE", "LINES"]);
        for price in &prices {
            table.add_row([
                price.size.clone(),
                price.region.clone(),
                price.priority.as_str().to_owned(),
                price.currency.to_string(),
                format!("{:.4}", price.per_hour.units()),
                price.source.as_str().to_owned(),
                if price.lines == 0 { String::new() } else { price.lines.to_string() },
            ]);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if index == 4 || index == 6 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if prices.is_empty() {
            output::say(
                "No price is known; take in cost records, or a rate card with `tenantwatch prices import`.",
            );
        } else {
            output::print(&table.trim_fmt())?;
        }
        Ok(())
    }
}

impl Forget {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let forgotten = instance.store.forget_prices(&instance.scope(), PriceSource::RateCard).await?;
        output::say(&format!("{forgotten} prices forgotten"));
        Ok(())
    }
}
