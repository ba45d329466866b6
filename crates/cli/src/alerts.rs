//! `tenantwatch alerts`: import, list, show, update.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use ::alerts::{Alert, Origin, PartnerSecurityAlert, PartnerTenantId};
use anyhow::{Context as _, bail};
use chrono::Utc;
use clap::{Args, Subcommand};
use graph::app::alerts as alert;
use serde_json::{Map, Value};

use crate::installation::Installation;
use crate::output;

/// How many alerts are written in one transaction.
const IMPORT_BATCH: usize = 1_000;

/// Import, list, show and update alerts
#[derive(Debug, Args)]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(Import),
    List(List),
    Show(Show),
    Update(Update),
}

/// Take in alerts from a file: one JSON alert a line, or a saved answer of Microsoft Graph
///
/// An alert whose id is known is replaced.
#[derive(Debug, Args)]
struct Import {
    #[command(flatten)]
    installation: Installation,

    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// List alerts, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch alerts list --filter \"severity eq 'high' and status eq 'active'\" --top 20"
)]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// Which ones: an OData filter, as the API takes it
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// In which order: OData sort keys, as the API takes them
    #[arg(long, value_name = "KEYS")]
    orderby: Option<String>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    top: u32,

    /// One JSON alert a line
    #[arg(long)]
    json: bool,
}

/// Show one alert as JSON
#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    installation: Installation,

    /// The alert's id
    #[arg(value_name = "ID")]
    id: String,
}

/// Change the status of an alert
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch alerts update ID --status resolved --reason fraud --by ann@partner.example"
)]
struct Update {
    #[command(flatten)]
    installation: Installation,

    /// The alert's id
    #[arg(value_name = "ID")]
    id: String,

    /// active, investigating or resolved
    #[arg(long, value_name = "STATUS")]
    status: String,

    /// Why it is resolved: fraud, legitimate or ignore
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,

    /// In whose name, for the activity log
    #[arg(long, value_name = "UPN", default_value = "command-line")]
    by: String,
}

impl Alerts {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Import(import) => import.run().await,
            Action::List(list) => list.run().await,
            Action::Show(show) => show.run().await,
            Action::Update(update) => update.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open()?;
        let (mut added, mut replaced, mut unchanged) = (0, 0, 0);
        let mut batch = Vec::with_capacity(IMPORT_BATCH);
        let mut alerts = Source::open(&self.file)?;
        loop {
            let next = alerts.next(&instance.partner)?;
            let done = next.is_none();
            batch.extend(next);
            if batch.len() == IMPORT_BATCH || (done && !batch.is_empty()) {
                let imported = instance.store.import_alerts(&instance.scope(), &batch).await?;
                added += imported.added;
                replaced += imported.replaced;
                unchanged += imported.unchanged;
                batch.clear();
            }
            if done {
                break;
            }
        }
        output::say(&format!("{added} added, {replaced} replaced, {unchanged} unchanged"));
        Ok(())
    }
}

/// Alerts in a file: lines, or the `value` of a saved answer.
enum Source {
    Lines { file: PathBuf, lines: std::io::Lines<BufReader<File>>, number: usize },
    Answer { file: PathBuf, alerts: std::vec::IntoIter<Value>, number: usize },
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let opening = || format!("opening {}", path.display());
        let mut first = String::new();
        BufReader::new(File::open(path).with_context(opening)?)
            .read_line(&mut first)
            .with_context(opening)?;
        let file = path.to_owned();
        // A saved answer is one object with a `value`, on one line or on many.
        let first_is_alert =
            serde_json::from_str::<Value>(&first).is_ok_and(|line| line.get("value").is_none());
        if first_is_alert || first.trim().is_empty() {
            let lines = BufReader::new(File::open(path).with_context(opening)?).lines();
            return Ok(Self::Lines { file, lines, number: 0 });
        }
        let mut text = String::new();
        File::open(path).with_context(opening)?.read_to_string(&mut text).with_context(opening)?;
        let answer: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is neither JSON lines nor one JSON document", path.display()))?;
        match answer {
            Value::Object(mut object) => match object.remove("value") {
                Some(Value::Array(alerts)) => {
                    Ok(Self::Answer { file, alerts: alerts.into_iter(), number: 0 })
                }
                _ => bail!(
                    "{}: the document has no list named 'value'; save the whole answer of a list request",
                    path.display()
                ),
            },
            Value::Array(alerts) => Ok(Self::Answer { file, alerts: alerts.into_iter(), number: 0 }),
            _ => bail!("{}: expected alerts, one a line, or the answer of a list request", path.display()),
        }
    }

    fn next(&mut self, partner: &PartnerTenantId) -> anyhow::Result<Option<Alert>> {
        let body: PartnerSecurityAlert = match self {
            Self::Lines { file, lines, number } => loop {
                let Some(line) = lines.next() else { return Ok(None) };
                *number += 1;
                let place = || format!("{}:{number}", file.display());
                let line = line.with_context(place)?;
                if !line.trim().is_empty() {
                    break serde_json::from_str(&line).with_context(place)?;
                }
            },
            Self::Answer { file, alerts, number } => {
                let Some(alert) = alerts.next() else { return Ok(None) };
                *number += 1;
                serde_json::from_value(alert)
                    .with_context(|| format!("{}: alert {number}", file.display()))?
            }
        };
        Ok(Some(Alert { partner_tenant_id: partner.clone(), origin: Origin::Imported, body }))
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open()?;
        let mut options = vec![format!("$top={}", self.top)];
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        options.extend(self.filter.as_deref().map(|filter| format!("$filter={}", encode(filter))));
        options.extend(self.orderby.as_deref().map(|keys| format!("$orderby={}", encode(keys))));
        let list = alert::list(&*instance.store, &instance.scope(), &options.join("&")).await?;
        for text in &list.alerts {
            if self.json {
                output::print(text)?;
                continue;
            }
            let body: PartnerSecurityAlert = serde_json::from_str(text).context("reading a stored alert")?;
            output::print(&format!(
                "{}  {}  {:<13}  {:<6}  {:<33}  {}",
                body.id,
                body.detected_date_time.format("%Y-%m-%d %H:%M"),
                body.status,
                body.severity,
                body.alert_type,
                body.subscription_id
            ))?;
        }
        if list.next_query.is_some() {
            output::say(&format!("There are more than {}; raise --top or narrow the --filter.", self.top));
        }
        Ok(())
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open()?;
        let reply = alert::show(&*instance.store, &instance.scope(), &self.id, "").await?;
        print_pretty(&reply.body)
    }
}

impl Update {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open()?;
        let mut properties = Map::from_iter([("status".to_owned(), Value::from(self.status))]);
        if let Some(reason) = self.reason {
            properties.insert("resolvedReason".to_owned(), reason.into());
        }
        let reply = alert::update(
            &*instance.store,
            &instance.scope(),
            &self.id,
            "",
            &properties,
            &self.by,
            Utc::now(),
        )
        .await?;
        print_pretty(&reply.body)
    }
}

fn print_pretty(body: &str) -> anyhow::Result<()> {
    let value: Value = serde_json::from_str(body).context("reading a stored alert")?;
    Ok(output::print(&serde_json::to_string_pretty(&value)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &str = r#"{"id":"a-1","alertType":"CryptoMining","displayName":"d","severity":"high","confidenceLevel":"low","status":"active","detectedDateTime":"2031-01-01T00:00:00Z","customerTenantId":"c","subscriptionId":"s"}"#;

    fn ids(text: &str) -> anyhow::Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        std::fs::write(&path, text).unwrap();
        let partner = "p".parse().unwrap();
        let mut source = Source::open(&path)?;
        let mut ids = Vec::new();
        while let Some(alert) = source.next(&partner)? {
            ids.push(alert.body.id.to_string());
        }
        Ok(ids)
    }

    #[test]
    fn alerts_are_read_from_lines_and_from_saved_answers() {
        let other = ALERT.replace("a-1", "a-2");
        assert_eq!(ids(&format!("{ALERT}\n\n{other}\n")).unwrap(), ["a-1", "a-2"]);
        assert_eq!(
            ids(&format!("{{\"@odata.context\":\"x\",\"value\":[{ALERT},{other}]}}")).unwrap(),
            ["a-1", "a-2"]
        );
        assert_eq!(ids(&format!("{{\n\"value\": [\n{ALERT}\n]\n}}\n")).unwrap(), ["a-1"]);
        assert_eq!(ids("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_alert_is_named_with_its_place() {
        let error = ids(&format!("{ALERT}\n{{\"id\":\"a-2\"}}\n")).unwrap_err();
        assert!(error.to_string().ends_with("alerts.json:2"), "{error}");
        assert!(ids("{\"name\":\n1}").unwrap_err().to_string().contains("'value'"));
        assert!(ids("hello").unwrap_err().to_string().contains("neither"));
    }
}
