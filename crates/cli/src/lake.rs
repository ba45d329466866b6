//! `tenantwatch lake`

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use ingest::schema::Kind;
use serde_json::{Value, json};
use server::app::{Compacted, CompactionOptions, Instance};

use crate::installation::{Installation, kind};
use crate::output;
use crate::progress::Progress;

/// How many days are rewritten before it is told how far it is.
const DAYS_AT_ONCE: usize = 8;

/// Look at the tables of events, and do by hand what `serve` does for them every ten minutes
///
/// All of it works beside a running server and beside other writers.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch lake status")]
pub(crate) struct Lake {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(Status),
    Compact(Compact),
    Vacuum(Vacuum),
}

/// Show how much each table holds: events, files, small files, size, first and last day
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch lake status --kind activity --json")]
struct Status {
    #[command(flatten)]
    common: Common,
}

/// Merge small files of each day, sort them, and drop cost lines that were stated anew long ago
///
/// Days that got events in the last two hours are left to fill unless they have very many files.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch lake compact --kind flow")]
struct Compact {
    #[command(flatten)]
    common: Common,

    /// Merge all small files, also those of days that are still filling
    #[arg(long)]
    all: bool,
}

/// Remove files that no version of a table names any more, and old entries of its log
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch lake vacuum --keep-hours 48")]
struct Vacuum {
    #[command(flatten)]
    common: Common,

    /// How long such files stay; longer than any query or ingest runs
    #[arg(long, value_name = "HOURS", default_value_t = 168, value_parser = clap::value_parser!(u32).range(1..))]
    keep_hours: u32,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    installation: Installation,

    /// Only the table of this kind, such as activity, cost or flow (may be repeated)
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<Kind>,

    /// Print one JSON object a table
    #[arg(long)]
    json: bool,
}

impl Lake {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Status(status) => status.run().await,
            Command::Compact(compact) => compact.run().await,
            Command::Vacuum(vacuum) => vacuum.run().await,
        }
    }
}

impl Status {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.common.installation.open().await?;
        let tables = instance.lake.describe().await.context("reading the tables' logs")?;
        let mut shown = Shown::new(
            self.common.json,
            &["KIND", "EVENTS", "FILES", "SMALL", "SIZE (MB)", "FIRST DAY", "LAST DAY", "VERSION"],
        );
        for table in tables.into_iter().filter(|table| self.common.wants(table.kind)) {
            let [first, last] = [table.days.map(|days| days.0), table.days.map(|days| days.1)];
            shown.row(json!({
                "kind": table.kind.name(),
                "events": table.rows,
                "files": table.files,
                "small_files": table.small_files,
                "megabytes": megabytes(table.bytes),
                "first_day": first,
                "last_day": last,
                "version": table.version,
            }))?;
        }
        shown.finish()
    }
}

impl Compact {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.common.installation.open().await?;
        let options = if self.all { CompactionOptions::all() } else { CompactionOptions::default() };
        let columns =
            ["KIND", "DAYS", "FILES", "NOW", "SIZE (MB)", "NOW", "EVENTS", "SUPERSEDED", "OVERTAKEN"];
        let mut shown = Shown::new(self.common.json, &columns);
        for kind in self.common.kinds() {
            let done = compact(&instance, kind, &options).await?;
            shown.row(json!({
                "kind": kind.name(),
                "days": done.days,
                "files_before": done.files_before,
                "files_after": done.files_after,
                "megabytes_before": megabytes(done.bytes_before),
                "megabytes_after": megabytes(done.bytes_after),
                "events": done.rows,
                "superseded": done.superseded_rows,
                "overtaken": done.overtaken.len(),
            }))?;
        }
        shown.finish()
    }
}

/// Merges all small files of all tables: for who reads much right after taking much in.
pub(crate) async fn compact_all(instance: &Instance) -> anyhow::Result<()> {
    for kind in Kind::ALL {
        compact(instance, kind, &CompactionOptions::all()).await?;
    }
    Ok(())
}

/// Compacts a table, some days at a time, with a progress bar over its days.
async fn compact(instance: &Instance, kind: Kind, options: &CompactionOptions) -> anyhow::Result<Compacted> {
    let options = CompactionOptions { days_max: DAYS_AT_ONCE, ..options.clone() };
    let progress = Progress::things(0, "days").named(kind.name());
    let mut all = Compacted::default();
    let mut days_wanted = None;
    loop {
        let done = instance.lake.compact(kind, &options, Utc::now()).await;
        let done = done.with_context(|| format!("merging files of {}", kind.name()))?;
        let looked_at = done.days + done.overtaken.len();
        // What fills up meanwhile is for the next time, or this would have no end.
        let wanted = *days_wanted.get_or_insert(looked_at + done.days_left);
        progress.set_total(wanted as u64);
        progress.add(looked_at as u64);
        let has_more = looked_at > 0 && done.days_left > 0;
        all.days += done.days;
        all.files_before += done.files_before;
        all.files_after += done.files_after;
        all.bytes_before += done.bytes_before;
        all.bytes_after += done.bytes_after;
        all.rows += done.rows;
        all.superseded_rows += done.superseded_rows;
        all.overtaken.extend(done.overtaken);
        if !has_more || all.days + all.overtaken.len() >= wanted {
            return Ok(all);
        }
    }
}

impl Vacuum {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.common.installation.open().await?;
        let (now, keep) = (Utc::now(), TimeDelta::hours(self.keep_hours.into()));
        let mut shown = Shown::new(self.common.json, &["KIND", "FILES", "TORN FILES", "LOG ENTRIES"]);
        let progress = Progress::things(self.common.kinds().count() as u64, "tables");
        for kind in self.common.kinds() {
            let failed = || format!("clearing up {}", kind.name());
            let removed = instance.lake.vacuum(kind, keep, now).await.with_context(failed)?;
            let log = instance.lake.tidy_log(kind, keep.min(TimeDelta::days(1)), now).await;
            let log = log.with_context(failed)?;
            shown.row(json!({
                "kind": kind.name(),
                "files": removed.files,
                "torn_files": removed.torn_files,
                "log_entries": log.entries,
            }))?;
            progress.add(1);
        }
        drop(progress);
        shown.finish()
    }
}

impl Common {
    fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| self.wants(*kind))
    }
}

/// Rows that are shown as a table, or as they come as JSON lines.
struct Shown {
    table: Option<Table>,
}

impl Shown {
    fn new(as_json: bool, columns: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(columns);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self { table: (!as_json).then_some(table) }
    }

    /// An object with a value for each column.
    fn row(&mut self, row: Value) -> anyhow::Result<()> {
        match (&mut self.table, &row) {
            (Some(table), Value::Object(values)) => {
                table.add_row(values.values().map(|value| match value {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                }));
            }
            _ => output::print(&row.to_string())?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Some(table) = self.table {
            output::print(&table.trim_fmt())?;
        }
        Ok(())
    }
}

/// With one decimal.
fn megabytes(bytes: u64) -> f64 {
    (bytes as f64 / 1e5).round() / 10.0
}
