//! `tenantwatch alerts list`

use clap::Args;
use client::ListOptions;
use futures::TryStreamExt as _;

use super::access::Access;
use super::output::{Format, Rows};
use crate::output;

/// Alerts a page when all are wanted: few requests, and pages of about a megabyte.
const PAGE_SIZE: u32 = 500;

/// What is shown of alerts that are sorted by their money.
const MONEY_COLUMNS: [&str; 8] = [
    "id",
    "severity",
    "status",
    "moneyAtRisk/currency",
    "moneyAtRisk/perHour",
    "moneyAtRisk/soFar",
    "customerTenantId",
    "displayName",
];

/// List alerts
///
/// Tenantwatch lists the newest first unless told otherwise. What a server does not support it refuses by
/// name: Microsoft documents only filter and select for this list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch alerts list --filter \"severity eq 'high' and status eq 'active'\" --top 20\n  tenantwatch alerts list --order-by-money\n  tenantwatch alerts list --server https://graph.microsoft.com --all --output csv > alerts.csv"
)]
pub(super) struct List {
    #[command(flatten)]
    access: Access,

    /// Which ones: an OData filter, as the API takes it
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// Words to look for, as the API takes them
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// In which order: OData sort keys, as the API takes them
    #[arg(long, value_name = "KEYS")]
    orderby: Option<String>,

    /// Open alerts that cost money, those that cost most first, each with its moneyAtRisk (`tenantwatch money --help`)
    #[arg(long, conflicts_with_all = ["filter", "search", "orderby", "select", "all"])]
    order_by_money: bool,

    /// Properties to show, with commas between them
    #[arg(long, value_name = "PROPERTIES", value_delimiter = ',')]
    select: Vec<String>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,

    /// All there are
    #[arg(long, conflicts_with = "top")]
    all: bool,

    /// table, json (one alert a line) or csv (every property that is one value)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    output: Format,

    /// The same as --output json
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut left = if self.all { usize::MAX } else { self.top as usize };
        let page_size = if self.all { PAGE_SIZE } else { self.top.min(PAGE_SIZE) };
        let format = if self.json { Format::Json } else { self.output };
        if self.order_by_money {
            let columns = if format == Format::Json { &[][..] } else { &MONEY_COLUMNS };
            let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
            let mut rows = Rows::new(format, &columns);
            rows.add(&self.access.open().await?.list_by_money(self.top).await?)?;
            return rows.finish();
        }
        let mut rows = Rows::new(format, &self.select);
        let options = ListOptions {
            filter: self.filter,
            select: self.select,
            orderby: self.orderby,
            search: self.search,
            ..ListOptions::default()
        };
        let mut pages = self.access.open().await?.list(options, page_size);
        let mut more = false;
        while left > 0
            && let Some(page) = pages.try_next().await?
        {
            let shown = page.alerts.len().min(left);
            rows.add(&page.alerts[..shown])?;
            left -= shown;
            more = shown < page.alerts.len() || !page.is_last;
        }
        rows.finish()?;
        if more {
            output::say(&format!(
                "There are more than {}; raise --top, ask for --all or narrow the --filter.",
                self.top
            ));
        }
        Ok(())
    }
}
