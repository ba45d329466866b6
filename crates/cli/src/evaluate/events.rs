//! `tenantwatch evaluate events`

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use detect::{Catalogue, Detector, Sample};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::output;

/// Run the detectors over single events that others have labelled
///
/// Each line is {"rule_id","test_name","expected_match","log":{…}}; `log` is one record as Azure writes it. An event
/// comes alone, without history, so only detectors that need none can fire.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch evaluate events labelled_activity_events.jsonl --rules tests/fixtures/labelled-rules.toml\n\nWith --json: one object a rule: {\"rule\",\"detectors\",\"note\",\"matching\",\"fired\",\"other\",\"fired_on_other\",\"events\":[…]}"
)]
pub(super) struct Events {
    /// Which detectors correspond to a rule: TOML, a table for each rule with `detectors` and a `note`; without it
    /// all detectors correspond to all rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Print one JSON object a rule
    #[arg(long)]
    json: bool,

    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// A labelled event.
#[derive(Debug, Deserialize)]
struct Event {
    rule_id: String,
    test_name: String,
    expected_match: bool,
    log: Value,
}

/// What corresponds to a rule of others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    detectors: Vec<String>,
    #[serde(default)]
    note: String,
}

/// How a rule fared.
#[derive(Debug, Default)]
struct Tally {
    matching: u32,
    fired: u32,
    other: u32,
    fired_on_other: u32,
    events: Vec<Value>,
}

impl Events {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let rules = self.rules()?;
        let catalogue = Catalogue::builtin();
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        for event in self.events()? {
            let own =
                rules.as_ref().map(|rules| rules.get(&event.rule_id).map_or(&[][..], |rule| &rule.detectors));
            let detectors: Vec<&Detector> = catalogue
                .detectors()
                .iter()
                .filter(|detector| own.is_none_or(|own| own.contains(&detector.manifest.id)))
                .collect();
            let fired = fired(&detectors, &event.log).await?;
            tallies.entry(event.rule_id.clone()).or_default().add(&event, &fired);
        }
        for (rule, tally) in &tallies {
            let known = rules.as_ref().and_then(|rules| rules.get(rule));
            if self.json {
                output::print(&tally.as_json(rule, known).to_string())?;
                continue;
            }
            let detectors = known.map_or(String::new(), |rule| rule.detectors.join(" "));
            output::print(&format!(
                "{rule:<62} {:>2} of {:>2} fire, {:>2} of {:>2} others  {detectors}",
                tally.fired, tally.matching, tally.fired_on_other, tally.other
            ))?;
        }
        Ok(())
    }

    fn rules(&self) -> anyhow::Result<Option<BTreeMap<String, Rule>>> {
        let Some(path) = &self.rules else { return Ok(None) };
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let rules: BTreeMap<String, Rule> =
            toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        for (name, rule) in &rules {
            for id in &rule.detectors {
                Catalogue::builtin().get(id).with_context(|| {
                    format!("{}: rule {name}: there is no detector '{id}'", path.display())
                })?;
            }
        }
        Ok(Some(rules))
    }

    fn events(&self) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::new();
        for path in &self.files {
            let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                let event = serde_json::from_str(line);
                events.push(event.with_context(|| format!("{}:{number}", path.display()))?);
            }
        }
        Ok(events)
    }
}

/// The detectors that fire on a record that comes alone; none on one that cannot be read.
async fn fired(detectors: &[&Detector], record: &Value) -> anyhow::Result<Vec<String>> {
    let Ok(sample) = Sample::read(&record.to_string()) else { return Ok(vec!["(unreadable)".to_owned()]) };
    let mut fired = Vec::new();
    for detector in detectors {
        for finding in sample.findings(detector).await? {
            fired.push(format!("{} {}", detector.manifest.id, finding.severity));
        }
    }
    Ok(fired)
}

impl Tally {
    fn add(&mut self, event: &Event, fired: &[String]) {
        let does = u32::from(fired.iter().any(|words| words != "(unreadable)"));
        if event.expected_match {
            self.matching += 1;
            self.fired += does;
        } else {
            self.other += 1;
            self.fired_on_other += does;
        }
        self.events.push(json!({"test": event.test_name, "expected": event.expected_match, "fired": fired}));
    }

    fn as_json(&self, rule: &str, known: Option<&Rule>) -> Value {
        json!({
            "rule": rule,
            "detectors": known.map(|rule| &rule.detectors),
            "note": known.map(|rule| &rule.note),
            "matching": self.matching,
            "fired": self.fired,
            "other": self.other,
            "fired_on_other": self.fired_on_other,
            "events": self.events,
        })
    }
}
