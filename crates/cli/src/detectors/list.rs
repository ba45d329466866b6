//! `tenantwatch detectors list`

use clap::Args;
use comfy_table::{Table, presets};
use detect::cases::Case;
use detect::{Detector, Manifest};
use ingest::schema::Kind;
use serde_json::{Value, json};

use crate::installation::Installation;
use crate::output;

/// List the detectors that run here, built-in ones and those of your folders
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch detectors list --detectors ./our-detectors")]
pub(super) struct List {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object a detector
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let catalogue = super::catalogue(&self.installation)?;
        if self.json {
            for detector in catalogue.detectors() {
                output::print(&as_json(detector)?.to_string())?;
            }
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["DETECTOR", "ALERT TYPE", "SEVERITY", "READS", "EVERY", "CASES"]);
        for detector in catalogue.detectors() {
            let manifest = &detector.manifest;
            table.add_row([
                manifest.id.clone(),
                manifest.alert_type.clone(),
                manifest.severity.to_string(),
                inputs(manifest).join(" "),
                output::span(manifest.schedule),
                Case::of(detector)?.len().to_string(),
            ]);
        }
        output::print(&table.trim_fmt())?;
        output::say(&format!(
            "{} detectors; `tenantwatch detectors show ID` says more",
            catalogue.detectors().len()
        ));
        Ok(())
    }
}

/// The names of the tables that a detector reads.
pub(super) fn inputs(manifest: &Manifest) -> Vec<&'static str> {
    manifest.inputs.iter().copied().map(Kind::name).collect()
}

/// A detector as JSON: its manifest, where it comes from, its cases.
pub(super) fn as_json(detector: &Detector) -> anyhow::Result<Value> {
    let manifest = &detector.manifest;
    let cases = Case::of(detector)?;
    let cases: Vec<Value> = cases
        .iter()
        .map(|case| json!({"name": case.name, "fires": case.fires, "description": case.description}))
        .collect();
    Ok(json!({
        "id": manifest.id,
        "version": manifest.version,
        "alertType": manifest.alert_type,
        "title": manifest.title,
        "severity": manifest.severity,
        "confidence": manifest.confidence,
        "inputs": inputs(manifest),
        "indicators": manifest.indicators,
        "lookback": output::span(manifest.lookback),
        "schedule": output::span(manifest.schedule),
        "overlap": output::span(manifest.overlap),
        "grouping": manifest.grouping,
        "meaning": manifest.meaning,
        "response": manifest.response,
        "mitre": manifest.mitre,
        "source": manifest.source,
        "settings": manifest.settings,
        "origin": detector.origin,
        "cases": cases,
    }))
}
