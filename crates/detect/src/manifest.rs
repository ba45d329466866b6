//! `detector.toml`: what a detector says of itself.
//!
//! Every error names the file, the key, and how to mend it; a key that is not known is an error.

use std::collections::BTreeMap;
use std::fmt;

use alerts::{Confidence, Severity};
use chrono::TimeDelta;
use ingest::schema::Kind;
use serde::{Deserialize, Serialize};

use crate::findings::RESERVED;
use crate::{duration, indicators};

/// A checked manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The detector's id: the name of its folder.
    pub id: String,
    /// Counts up when the detector changes what it finds.
    pub version: u32,
    /// Graph's `alertType`.
    pub alert_type: String,
    /// The title of its alerts.
    pub title: String,
    /// How much harm a finding stands for, unless the query says otherwise.
    pub severity: Severity,
    /// How sure a finding is, unless the query says otherwise.
    pub confidence: Confidence,
    /// The kinds of event that the query reads.
    pub inputs: Vec<Kind>,
    /// The indicator tables that the query reads.
    pub indicators: Vec<String>,
    /// How far history reaches back before the evidence; whole days.
    pub lookback: TimeDelta,
    /// How often it should run.
    pub schedule: TimeDelta,
    /// How far a run reaches back into the window of the one before it, for events that came late.
    pub overlap: TimeDelta,
    /// Numbers that the query compares with, and that the operator may choose.
    pub settings: Vec<Setting>,
    /// The columns that tell one incident of a subscription from another.
    pub grouping: Vec<String>,
    /// What a finding means, in plain words.
    pub meaning: String,
    /// What to do about this kind of compromise, step by step.
    pub response: Vec<String>,
    /// MITRE ATT&CK techniques, such as `T1496`.
    pub mitre: Vec<String>,
    /// Where the idea comes from.
    pub source: String,
}

/// A number that the query compares with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What it is, unless the operator says otherwise.
    pub default: f64,
    /// The least that it may be, if that is bounded.
    pub min: Option<f64>,
    /// The most that it may be, if that is bounded.
    pub max: Option<f64>,
    /// What it does, in plain words, with its unit.
    pub meaning: String,
}

impl Setting {
    /// Whether it may be that: a number, and within its bounds.
    #[must_use]
    pub fn allows(&self, value: f64) -> bool {
        value.is_finite()
            && self.min.is_none_or(|min| value >= min)
            && self.max.is_none_or(|max| value <= max)
    }

    /// Its bounds in words, to follow "a number": ` from 1 to 10`, ` of at least 1`; empty if there are none.
    #[must_use]
    pub fn bounds(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!(" from {min} to {max}"),
            (Some(min), None) => format!(" of at least {min}"),
            (None, Some(max)) => format!(" of at most {max}"),
            (None, None) => String::new(),
        }
    }
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not TOML, lacks a key, or has one too many or of the wrong type.
    #[error("{file}, line {line}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the reader says; it names the key.
        problem: String,
    },
    /// A value makes no sense.
    #[error("{file}: key '{key}': {problem}; {remedy}")]
    Value {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// How to mend it.
        remedy: String,
    },
}

/// The longest lookback: more than a year, so that a yearly rhythm fits.
const LOOKBACK_DAYS_MAX: i64 = 400;

/// The manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    version: u32,
    alert_type: String,
    title: String,
    severity: String,
    confidence: String,
    inputs: Vec<String>,
    #[serde(default)]
    indicators: Vec<String>,
    lookback: String,
    schedule: String,
    overlap: String,
    grouping: Vec<String>,
    meaning: String,
    response: Vec<String>,
    mitre: Vec<String>,
    source: String,
    #[serde(default)]
    settings: BTreeMap<String, WrittenSetting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSetting {
    default: f64,
    min: Option<f64>,
    max: Option<f64>,
    meaning: String,
}

impl Manifest {
    /// Reads and checks a manifest. `file` is named in errors; `folder` is the name of its folder.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] for the first thing that is wrong.
    pub fn parse(text: &str, file: &str, folder: &str) -> Result<Self, ManifestError> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let key = text.lines().nth(line - 1).and_then(|line| Some(line.split_once('=')?.0.trim()));
            let key = key.map_or(String::new(), |key| format!("key '{key}': "));
            let problem = format!("{key}{}", error.message().replace('\n', " "));
            ManifestError::Syntax { file: file.to_owned(), line, problem }
        })?;
        Checker { file }.check(written, folder)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

struct Checker<'a> {
    file: &'a str,
}

impl Checker<'_> {
    fn check(&self, written: Written, folder: &str) -> Result<Manifest, ManifestError> {
        self.id(&written.id, folder)?;
        if written.version == 0 {
            return Err(self.wrong("version", "0 is no version", "start with 1"));
        }
        self.word("alert_type", &written.alert_type)?;
        let lookback = self.span("lookback", &written.lookback)?;
        let whole_days = lookback == TimeDelta::days(lookback.num_days());
        if !whole_days || !(1..=LOOKBACK_DAYS_MAX).contains(&lookback.num_days()) {
            let remedy = format!("give whole days from 1d to {LOOKBACK_DAYS_MAX}d, such as \"28d\"");
            return Err(self.wrong("lookback", format!("'{}' cannot be used", written.lookback), remedy));
        }
        let schedule = self.span("schedule", &written.schedule)?;
        if schedule < TimeDelta::minutes(1) || schedule > TimeDelta::days(7) {
            let problem = format!("'{}' cannot be used", written.schedule);
            return Err(self.wrong("schedule", problem, "give a span from 1m to 7d, such as \"5m\""));
        }
        let overlap = self.span("overlap", &written.overlap)?;
        if overlap > lookback {
            let problem = format!("'{}' is longer than the lookback", written.overlap);
            return Err(self.wrong("overlap", problem, "give at most the lookback"));
        }
        self.grouping(&written.grouping)?;
        self.response(&written.response)?;
        self.mitre(&written.mitre)?;
        Ok(Manifest {
            severity: self.member("severity", &written.severity)?,
            confidence: self.member("confidence", &written.confidence)?,
            inputs: self.inputs(&written.inputs)?,
            indicators: self.indicators(written.indicators)?,
            settings: self.settings(written.settings)?,
            title: self.text("title", written.title)?,
            meaning: self.text("meaning", written.meaning)?,
            source: self.text("source", written.source)?,
            id: written.id,
            version: written.version,
            alert_type: written.alert_type,
            grouping: written.grouping,
            response: written.response,
            mitre: written.mitre,
            lookback,
            schedule,
            overlap,
        })
    }

    fn wrong(
        &self,
        key: &'static str,
        problem: impl fmt::Display,
        remedy: impl fmt::Display,
    ) -> ManifestError {
        ManifestError::Value {
            file: self.file.to_owned(),
            key,
            problem: problem.to_string(),
            remedy: remedy.to_string(),
        }
    }

    fn id(&self, id: &str, folder: &str) -> Result<(), ManifestError> {
        if !is_detector_id(id) {
            let problem = format!("'{id}' is no detector id");
            return Err(self.wrong("id", problem, "use a small letter, then up to 63 of a-z, 0-9 and _"));
        }
        if id != folder {
            let problem = format!("'{id}' differs from the name of its folder, '{folder}'");
            return Err(self.wrong("id", problem, "rename the one or the other"));
        }
        Ok(())
    }

    fn word(&self, key: &'static str, text: &str) -> Result<(), ManifestError> {
        let one_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if text.is_empty() || text.len() > 64 || !one_word {
            let problem = format!("'{text}' is no alert type");
            return Err(self.wrong(
                key,
                problem,
                "use letters, digits and _, such as VM_AnomalousDeployment",
            ));
        }
        Ok(())
    }

    fn text(&self, key: &'static str, text: String) -> Result<String, ManifestError> {
        if text.trim().is_empty() {
            return Err(self.wrong(key, "it is empty", "say it in a sentence"));
        }
        Ok(text.trim().to_owned())
    }

    fn span(&self, key: &'static str, text: &str) -> Result<TimeDelta, ManifestError> {
        duration::parse(text).map_err(|problem| self.wrong(key, problem, "write it as 5m, 12h or 28d"))
    }

    fn member<W: std::str::FromStr<Err = alerts::UnknownMember>>(
        &self,
        key: &'static str,
        text: &str,
    ) -> Result<W, ManifestError> {
        text.parse().map_err(|error: alerts::UnknownMember| {
            self.wrong(key, format!("'{text}' is not known"), format!("use one of {}", error.allowed))
        })
    }

    fn inputs(&self, names: &[String]) -> Result<Vec<Kind>, ManifestError> {
        let all = Kind::ALL.map(Kind::name).join(", ");
        if names.is_empty() {
            return Err(self.wrong("inputs", "it is empty", format!("name one or more of {all}")));
        }
        let mut kinds = Vec::with_capacity(names.len());
        for name in names {
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
                return Err(self.wrong("inputs", format!("'{name}' is not known"), format!("use {all}")));
            };
            if kinds.contains(&kind) {
                return Err(self.wrong("inputs", format!("'{name}' stands there twice"), "name it once"));
            }
            kinds.push(kind);
        }
        Ok(kinds)
    }

    fn indicators(&self, names: Vec<String>) -> Result<Vec<String>, ManifestError> {
        for name in &names {
            if !indicators::TABLES.contains(&name.as_str()) {
                let remedy = format!("use {}", indicators::TABLES.join(", "));
                return Err(self.wrong("indicators", format!("there is no table '{name}'"), remedy));
            }
        }
        Ok(names)
    }

    fn settings(&self, written: BTreeMap<String, WrittenSetting>) -> Result<Vec<Setting>, ManifestError> {
        let check = |(name, setting): (String, WrittenSetting)| {
            if !is_column(&name) {
                let problem = format!("'{name}' is no name");
                return Err(self.wrong("settings", problem, "use a small letter, then a-z, 0-9 and _"));
            }
            if !setting.default.is_finite() {
                let problem = format!("'{name}' has no number as its default");
                return Err(self.wrong("settings", problem, "give a number"));
            }
            let WrittenSetting { default, min, max, meaning } = setting;
            let setting = Setting { default, min, max, meaning: self.text("settings", meaning)?, name };
            if !setting.allows(default) {
                let problem = format!("the default of '{}' lies outside its own min and max", setting.name);
                return Err(self.wrong("settings", problem, "give bounds that hold it"));
            }
            Ok(setting)
        };
        written.into_iter().map(check).collect()
    }

    fn grouping(&self, columns: &[String]) -> Result<(), ManifestError> {
        for column in columns {
            if !is_column(column) {
                let problem = format!("'{column}' is no column name");
                return Err(self.wrong("grouping", problem, "use names of result columns, such as caller"));
            }
            if RESERVED.contains(&column.as_str()) {
                let problem = format!("'{column}' cannot tell incidents apart");
                return Err(self.wrong(
                    "grouping",
                    problem,
                    "leave it out: the subscription is always part of the key, and words and times never are",
                ));
            }
        }
        Ok(())
    }

    fn response(&self, steps: &[String]) -> Result<(), ManifestError> {
        if steps.is_empty() || steps.iter().any(|step| step.trim().is_empty()) {
            return Err(self.wrong(
                "response",
                "a step is missing or empty",
                "say what to do, one sentence a step",
            ));
        }
        Ok(())
    }

    fn mitre(&self, techniques: &[String]) -> Result<(), ManifestError> {
        for technique in techniques {
            if !is_technique(technique) {
                let problem = format!("'{technique}' is no technique");
                return Err(self.wrong("mitre", problem, "write T1496 or T1078.004"));
            }
        }
        Ok(())
    }
}

/// Whether a text can be a detector's id: a small letter, then up to 63 of `a-z`, `0-9` and `_`.
#[must_use]
pub fn is_detector_id(text: &str) -> bool {
    is_column(text) && text.len() <= 64
}

/// `a-z`, then `a-z`, `0-9` and `_`.
fn is_column(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_technique(text: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = text.strip_prefix('T') else {
        return false;
    };
    match number.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(number, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
id = "odd"
version = 1
alert_type = "Odd_Thing"
title = "An odd thing"
severity = "high"
confidence = "low"
inputs = ["activity"]
lookback = "28d"
schedule = "5m"
overlap = "1h"
grouping = ["caller"]
meaning = "It is odd."
response = ["Look."]
mitre = ["T1078.004"]
source = "Own idea."
"#;

    /// The manifest with one line in place of another.
    fn with(line: &str, instead_of: &str) -> String {
        assert!(GOOD.contains(instead_of), "{instead_of}");
        GOOD.replace(instead_of, line)
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD, "odd/detector.toml", "odd").unwrap();
        assert_eq!(manifest.lookback, TimeDelta::days(28));
        assert_eq!(manifest.inputs, [Kind::Activity]);
        assert!(manifest.indicators.is_empty());
        assert_eq!(manifest.severity, Severity::High);
    }

    #[test]
    fn a_setting_may_have_bounds() {
        let with_setting =
            format!("{GOOD}[settings.points]\ndefault = 4\nmin = 1\nmax = 10\nmeaning = \"Points.\"");
        let manifest = Manifest::parse(&with_setting, "odd/detector.toml", "odd").unwrap();
        let setting = &manifest.settings[0];
        let allowed = [0.5, 1.0, 10.0, 10.5, f64::NAN].map(|value| setting.allows(value));
        assert_eq!(allowed, [false, true, true, false, false]);
        let words = |min, max| Setting { min, max, ..setting.clone() }.bounds();
        assert_eq!(words(Some(1.0), Some(10.0)), " from 1 to 10");
        assert_eq!(words(Some(0.5), None), " of at least 0.5");
        assert_eq!(words(None, Some(3.0)), " of at most 3");
        assert_eq!(words(None, None), "");
    }

    #[test]
    fn a_bad_manifest_is_named() {
        let cases = [
            ("x = ", "id = \"odd\""),
            ("idd = \"odd\"", "id = \"odd\""),
            ("id = \"odd\"\ncolour = \"red\"", "id = \"odd\""),
            ("id = \"Odd One\"", "id = \"odd\""),
            ("id = \"even\"", "id = \"odd\""),
            ("version = 0", "version = 1"),
            ("version = \"1\"", "version = 1"),
            ("alert_type = \"Odd Thing\"", "alert_type = \"Odd_Thing\""),
            ("title = \" \"", "title = \"An odd thing\""),
            ("severity = \"extreme\"", "severity = \"high\""),
            ("confidence = \"sure\"", "confidence = \"low\""),
            ("[settings.Points]\ndefault = 4\nmeaning = \"x\"", "source = \"Own idea.\""),
            ("source = \"x\"\n[settings.Points]\ndefault = 4\nmeaning = \"x\"", "source = \"Own idea.\""),
            ("source = \"x\"\n[settings.points]\ndefault = nan\nmeaning = \"x\"", "source = \"Own idea.\""),
            ("source = \"x\"\n[settings.points]\ndefault = 4\nmeaning = \" \"", "source = \"Own idea.\""),
            (
                "source = \"x\"\n[settings.points]\ndefault = 4\nmin = 5\nmeaning = \"x\"",
                "source = \"Own idea.\"",
            ),
            ("source = \"x\"\n[settings.points]\nvalue = 4\nmeaning = \"x\"", "source = \"Own idea.\""),
            ("inputs = []", "inputs = [\"activity\"]"),
            ("inputs = [\"signin\"]", "inputs = [\"activity\"]"),
            ("inputs = [\"flow\", \"flow\"]", "inputs = [\"activity\"]"),
            ("inputs = [\"flow\"]\nindicators = [\"bad_hosts\"]", "inputs = [\"activity\"]"),
            ("lookback = \"soon\"", "lookback = \"28d\""),
            ("lookback = \"36h\"", "lookback = \"28d\""),
            ("lookback = \"1000d\"", "lookback = \"28d\""),
            ("schedule = \"1s\"", "schedule = \"5m\""),
            ("overlap = \"29d\"", "overlap = \"1h\""),
            ("grouping = [\"The Caller\"]", "grouping = [\"caller\"]"),
            ("grouping = [\"description\"]", "grouping = [\"caller\"]"),
            ("response = []", "response = [\"Look.\"]"),
            ("mitre = [\"1078\"]", "mitre = [\"T1078.004\"]"),
            ("source = \"\"", "source = \"Own idea.\""),
        ];
        let errors: Vec<String> = cases
            .iter()
            .map(|(line, instead_of)| {
                let text = with(line, instead_of);
                let error = Manifest::parse(&text, "odd/detector.toml", "odd").expect_err(line);
                format!("{line}\n  {error}")
            })
            .collect();
        insta::assert_snapshot!(errors.join("\n"));
    }
}
