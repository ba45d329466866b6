//! `tenantwatch alerts import`: files into the data directory.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::alerts::{Alert, Origin, PartnerSecurityAlert, PartnerTenantId};
use anyhow::{Context as _, bail};
use chrono::Utc;
use clap::Args;
use serde_json::Value;

use crate::installation::Installation;
use crate::output;
use crate::progress::Progress;

/// How many alerts are written in one transaction.
const IMPORT_BATCH: usize = 1_000;

/// Take in alerts from a file: one JSON alert a line, or a saved answer of Microsoft Graph
///
/// An alert whose id is known is replaced.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch alerts list --server https://graph.microsoft.com --all --output json > alerts.ndjson\n  tenantwatch alerts import alerts.ndjson"
)]
pub(super) struct Import {
    #[command(flatten)]
    installation: Installation,

    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let (mut added, mut replaced, mut unchanged) = (0, 0, 0);
        let mut batch = Vec::with_capacity(IMPORT_BATCH);
        let mut alerts = Source::open(&self.file)?;
        let done = Arc::new(AtomicU64::new(0));
        let _progress = alerts.progress(done.clone());
        loop {
            let next = alerts.next(&instance.partner)?;
            let is_end = next.is_none();
            batch.extend(next);
            if batch.len() == IMPORT_BATCH || (is_end && !batch.is_empty()) {
                let imported = instance.store.import_alerts(&instance.scope(), &batch, Utc::now()).await?;
                added += imported.added;
                replaced += imported.replaced;
                unchanged += imported.unchanged;
                batch.clear();
                done.store(alerts.done(), Ordering::Relaxed);
            }
            if is_end {
                break;
            }
        }
        output::say(&format!("{added} added, {replaced} replaced, {unchanged} unchanged"));
        Ok(())
    }
}

/// Alerts in a file: lines, or the `value` of a saved answer.
enum Source {
    Lines { file: PathBuf, lines: std::io::Lines<BufReader<File>>, number: usize, bytes: u64, total: u64 },
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
            let text = File::open(path).with_context(opening)?;
            let total = text.metadata().map_or(0, |found| found.len());
            let lines = BufReader::new(text).lines();
            return Ok(Self::Lines { file, lines, number: 0, bytes: 0, total });
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

    /// A bar over all of it, which follows what [`Source::done`] said.
    fn progress(&self, done: Arc<AtomicU64>) -> Progress {
        match self {
            Self::Lines { total, .. } => Progress::bytes(*total, done),
            Self::Answer { alerts, .. } => {
                let total = alerts.len() as u64;
                Progress::things_of("alerts", move || (done.load(Ordering::Relaxed), total))
            }
        }
    }

    /// How far it was read: bytes of lines, alerts of an answer.
    fn done(&self) -> u64 {
        match self {
            Self::Lines { bytes, .. } => *bytes,
            Self::Answer { number, .. } => *number as u64,
        }
    }

    fn next(&mut self, partner: &PartnerTenantId) -> anyhow::Result<Option<Alert>> {
        let body: PartnerSecurityAlert = match self {
            Self::Lines { file, lines, number, bytes, .. } => loop {
                let Some(line) = lines.next() else { return Ok(None) };
                *number += 1;
                let place = || format!("{}:{number}", file.display());
                let line = line.with_context(place)?;
                *bytes += line.len() as u64 + 1;
                if !line.trim().is_empty() {
                    break alert(serde_json::from_str(&line)).with_context(place)?;
                }
            },
            Self::Answer { file, alerts, number } => {
                let Some(alert) = alerts.next() else { return Ok(None) };
                *number += 1;
                self::alert(serde_json::from_value(alert))
                    .with_context(|| format!("{}: alert {number}", file.display()))?
            }
        };
        Ok(Some(Alert { partner_tenant_id: partner.clone(), origin: Origin::Imported, body }))
    }
}

/// An alert that was read, if its values can be taken in. The store looks at them too, but knows no place.
fn alert(read: Result<PartnerSecurityAlert, serde_json::Error>) -> anyhow::Result<PartnerSecurityAlert> {
    let alert = read?;
    alert.check_values()?;
    Ok(alert)
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
        let error = ids(&format!("{ALERT}\n{}\n", ALERT.replace("2031", "0000"))).unwrap_err();
        let why = format!("{error:#}");
        assert!(why.contains("alerts.json:2: alert a-1: detectedDateTime is in the year 0"), "{why}");
        assert!(ids("{\"name\":\n1}").unwrap_err().to_string().contains("'value'"));
        assert!(ids("hello").unwrap_err().to_string().contains("neither"));
    }
}
