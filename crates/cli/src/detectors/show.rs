//! `tenantwatch detectors show`

use anyhow::Context as _;
use clap::Args;
use detect::Detector;
use detect::cases::Case;

use super::list::{as_json, inputs};
use crate::installation::Installation;
use crate::output;

/// Show one detector: what it means, what to do, its cases and its query
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch detectors show crypto_mining --sql")]
pub(super) struct Show {
    #[command(flatten)]
    installation: Installation,

    /// Print its query alone
    #[arg(long, conflicts_with = "json")]
    sql: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// The detector's id, as `list` shows it
    #[arg(value_name = "ID")]
    id: String,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let catalogue = super::catalogue(&self.installation)?;
        let detector = catalogue.get(&self.id).with_context(|| super::unknown(&self.id))?;
        let text = if self.sql {
            detector.sql.trim_end().to_owned()
        } else if self.json {
            as_json(detector)?.to_string()
        } else {
            as_text(detector)?
        };
        Ok(output::print(&text)?)
    }
}

fn as_text(detector: &Detector) -> anyhow::Result<String> {
    let manifest = &detector.manifest;
    let mut lines = vec![
        format!("{}, version {}, from {}", manifest.id, manifest.version, detector.origin),
        manifest.title.clone(),
        String::new(),
        format!("alert type   {}", manifest.alert_type),
        format!("severity     {}, confidence {}", manifest.severity, manifest.confidence),
        format!("reads        {}", [inputs(manifest), words(&manifest.indicators)].concat().join(", ")),
        format!(
            "runs         every {}, looks back {}, and {} into the run before",
            output::span(manifest.schedule),
            output::span(manifest.lookback),
            output::span(manifest.overlap)
        ),
        format!("one alert    for each subscription{}", grouping(&manifest.grouping)),
        format!("techniques   {}", manifest.mitre.join(", ")),
        format!("source       {}", manifest.source),
        String::new(),
        manifest.meaning.clone(),
        String::new(),
        "What to do:".to_owned(),
    ];
    lines.extend((1..).zip(&manifest.response).map(|(number, step)| format!("  {number}. {step}")));
    if !manifest.settings.is_empty() {
        lines.push(String::new());
        lines.push("Numbers that `tenantwatch tuning set` changes:".to_owned());
        let settings = manifest.settings.iter();
        lines.extend(settings.map(|setting| {
            let (default, bounds) = (setting.default, setting.bounds());
            format!("  {} = {default}, a number{bounds}: {}", setting.name, setting.meaning)
        }));
    }
    lines.push(String::new());
    lines.push("Cases:".to_owned());
    for case in Case::of(detector)? {
        let verdict = if case.fires { "fires" } else { "quiet" };
        lines.push(format!("  {verdict}  {}: {}", case.name, case.description));
    }
    lines.push(String::new());
    lines.push(format!("`tenantwatch detectors show {} --sql` prints its query.", manifest.id));
    Ok(lines.join("\n"))
}

fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn grouping(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" and {}", columns.join(", ")) }
}
