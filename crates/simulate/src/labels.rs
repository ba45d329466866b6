//! The truth about an estate: what was an attack and what only looked like one.
//!
//! A label file is a JSON list. Anyone may write one; [`crate::score()`] takes labels of any making.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One scenario in one subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Unique in the file: `gpu-fleet-03`.
    pub scenario: String,
    /// The class of scenario: `gpu-fleet`.
    pub kind: String,
    /// Whether an alert about it is right.
    pub malicious: bool,
    /// The customer's Entra tenant.
    pub customer_tenant: String,
    /// The Azure subscription.
    pub subscription: String,
    /// No evidence is older. Cost records carry no time of day, so a scenario with cost starts at
    /// midnight of its first day.
    pub from: DateTime<Utc>,
    /// No evidence is younger.
    pub until: DateTime<Utc>,
    /// When it really began; time to detect counts from here.
    pub first_event: DateTime<Utc>,
    /// Who did it: UPNs of people, object ids of applications. Empty if no record names them.
    #[serde(default)]
    pub principals: Vec<String>,
    /// Paths of the resources that it made or misused.
    #[serde(default)]
    pub resources: Vec<String>,
    /// What it costs while it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spend: Vec<Spend>,
}

/// Money that runs at a steady rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// At list prices.
    pub usd_per_hour: f64,
}

impl Label {
    /// What it has cost at a time, in US dollars at list prices.
    #[must_use]
    pub fn usd_by(&self, at: DateTime<Utc>) -> f64 {
        let spent = self.spend.iter().map(|spend| {
            let hours = (spend.until.min(at) - spend.from).num_seconds().max(0) as f64 / 3600.0;
            hours * spend.usd_per_hour
        });
        spent.sum()
    }
}

/// Why labels could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file could not be opened, read or written.
    #[error("labels {path} could not be {action}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a JSON list of labels.
    #[error("{path} is not a list of labels")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Two labels have the same name.
    #[error("{path} has scenario {scenario} twice")]
    Repeated {
        /// Which file.
        path: PathBuf,
        /// The name.
        scenario: String,
    },
    /// A label's times are out of order.
    #[error("{path}: scenario {scenario} must have from ≤ first_event ≤ until")]
    Times {
        /// Which file.
        path: PathBuf,
        /// The label.
        scenario: String,
    },
}

/// Reads a label file.
///
/// # Errors
/// If the file cannot be read, is not a list of labels, names a scenario twice, or has a label whose
/// times are out of order.
pub fn read_labels(path: &Path) -> Result<Vec<Label>, LabelError> {
    let failed = |source| LabelError::File { path: path.to_owned(), action: "read", source };
    let file = File::open(path).map_err(failed)?;
    let labels: Vec<Label> = serde_json::from_reader(BufReader::new(file)).map_err(|error| {
        if error.is_io() {
            failed(error.into())
        } else {
            LabelError::Syntax { path: path.to_owned(), source: error }
        }
    })?;
    let mut names = BTreeSet::new();
    for label in &labels {
        let scenario = || label.scenario.clone();
        if !names.insert(&label.scenario) {
            return Err(LabelError::Repeated { path: path.to_owned(), scenario: scenario() });
        }
        if label.from > label.first_event || label.first_event > label.until {
            return Err(LabelError::Times { path: path.to_owned(), scenario: scenario() });
        }
    }
    Ok(labels)
}

/// Writes a label file, in the order given.
///
/// # Errors
/// If the file cannot be written.
pub fn write_labels(path: &Path, labels: &[Label]) -> Result<(), LabelError> {
    let write = || {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, labels)?;
        file.write_all(b"\n")?;
        file.flush()
    };
    write().map_err(|source| LabelError::File { path: path.to_owned(), action: "written", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(scenario: &str) -> Label {
        let at = |text: &str| text.parse().unwrap();
        Label {
            scenario: scenario.to_owned(),
            kind: "gpu-fleet".to_owned(),
            malicious: true,
            customer_tenant: "t".to_owned(),
            subscription: "s".to_owned(),
            from: at("2026-03-01T00:00:00Z"),
            until: at("2026-03-03T00:00:00Z"),
            first_event: at("2026-03-01T10:00:00Z"),
            principals: vec!["a@b.example".to_owned()],
            resources: vec!["/subscriptions/s".to_owned()],
            spend: vec![Spend {
                from: at("2026-03-01T10:00:00Z"),
                until: at("2026-03-02T10:00:00Z"),
                usd_per_hour: 27.2,
            }],
        }
    }

    #[test]
    fn labels_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.json");
        let labels = vec![label("a"), label("b")];
        write_labels(&path, &labels).unwrap();
        assert_eq!(read_labels(&path).unwrap(), labels);
        let raw: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let keys: Vec<_> = raw[0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "scenario",
                "kind",
                "malicious",
                "customer_tenant",
                "subscription",
                "from",
                "until",
                "first_event",
                "principals",
                "resources",
                "spend"
            ]
        );
        assert_eq!(raw[0]["from"], "2026-03-01T00:00:00Z");
    }

    #[test]
    fn bad_files_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.json");
        let mut late = label("late");
        late.first_event = late.until + chrono::TimeDelta::seconds(1);
        let json = |labels: &[Label]| serde_json::to_string(labels).unwrap();
        let check = |text: &str, expected: &str| {
            std::fs::write(&path, text).unwrap();
            let message = read_labels(&path).unwrap_err().to_string();
            assert_eq!(message.replace(&path.display().to_string(), "FILE"), expected);
        };
        check("{", "FILE is not a list of labels");
        check("[{\"scenario\": \"a\"}]", "FILE is not a list of labels");
        check(&json(&[label("a"), label("a")]), "FILE has scenario a twice");
        check(&json(&[late]), "FILE: scenario late must have from ≤ first_event ≤ until");
        let missing = read_labels(&folder.path().join("none")).unwrap_err();
        assert!(matches!(missing, LabelError::File { action: "read", .. }));
    }
}
