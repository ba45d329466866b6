//! Tuning rules at work: made, checked, and applied to findings.

use alerts::{About, DetectorSetting, Effect, Finding, Severity, Silenced, Tuned, TuningRule, tune};
use chrono::{DateTime, SubsecRound as _, Utc};
use detect::{Manifest, Setting};
use serde_json::{Value, json};
use store::StoreError;
use uuid::Uuid;

use super::Instance;

/// The longest reason, and the longest list of values of one name.
const REASON_CHARS_MAX: usize = 1000;
const VALUES_MAX: usize = 1000;

/// A rule that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnsoundRule {
    /// It would silence everything.
    #[error(
        "the rule names nothing that findings are about; name a detector, a customer, a subscription, an incident or evidence"
    )]
    Everything,
    /// Those who come after could not tell why.
    #[error(
        "the rule has no reason; say in a sentence of up to {REASON_CHARS_MAX} characters why it is there"
    )]
    Reason,
    /// There is no such detector.
    #[error("there is no detector '{id}'; there are {known}")]
    Detector {
        /// What was named.
        id: String,
        /// The ids of all.
        known: String,
    },
    /// The detector has no such number to choose.
    #[error("detector {detector} has no setting '{name}'; {known}")]
    Setting {
        /// The detector.
        detector: String,
        /// What was named.
        name: String,
        /// Which it has.
        known: String,
    },
    /// It is no number that can be compared with, or lies outside the setting's bounds.
    #[error("the setting {name} cannot be {value}; give a number{bounds}")]
    Number {
        /// The setting.
        name: String,
        /// What was given.
        value: f64,
        /// What it can be, as [`detect::Setting::bounds`] says it.
        bounds: String,
    },
    /// It ends before it begins.
    #[error("the rule ends before it begins; give an 'until' that is later than 'from'")]
    Times,
    /// Nothing is allowed, or too much.
    #[error("evidence '{name}' has {values} values; give one to {VALUES_MAX}")]
    Evidence {
        /// The name.
        name: String,
        /// How many values.
        values: usize,
    },
}

/// What becomes of findings.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Those that raise and continue alerts.
    pub(crate) kept: Vec<Finding>,
    /// Those that do not, each with its rule.
    pub(crate) silenced: Vec<Silenced>,
}

/// A new rule.
///
/// # Errors
///
/// [`UnsoundRule`] says what is wrong and how to mend it.
pub fn new_rule(
    instance: &Instance,
    about: About,
    effect: Effect,
    reason: &str,
    author: &str,
    now: DateTime<Utc>,
) -> Result<TuningRule, UnsoundRule> {
    if !about.names_something() {
        return Err(UnsoundRule::Everything);
    }
    let reason = sound_reason(reason)?;
    if let Some(id) = &about.detector_id {
        manifest(instance, id)?;
    }
    if about.from.zip(about.until).is_some_and(|(from, until)| from >= until) {
        return Err(UnsoundRule::Times);
    }
    if let Some((name, values)) =
        about.evidence.iter().find(|(_, values)| values.is_empty() || values.len() > VALUES_MAX)
    {
        return Err(UnsoundRule::Evidence { name: name.clone(), values: values.len() });
    }
    Ok(TuningRule {
        id: Uuid::new_v4().to_string(),
        about,
        effect,
        reason,
        author: author.to_owned(),
        // As it is kept: what is answered now is what is listed later.
        created_at: now.trunc_subsecs(6),
        ended_at: None,
    })
}

/// A number that the operator chooses for a detector.
///
/// # Errors
///
/// [`UnsoundRule`] says what is wrong and how to mend it.
pub fn new_setting(instance: &Instance, chosen: DetectorSetting) -> Result<DetectorSetting, UnsoundRule> {
    let declared = declared(manifest(instance, &chosen.detector_id)?, &chosen.name)?;
    if !declared.allows(chosen.value) {
        let (name, value, bounds) = (chosen.name, chosen.value, declared.bounds());
        return Err(UnsoundRule::Number { name, value, bounds });
    }
    let changed_at = chosen.changed_at.trunc_subsecs(6);
    Ok(DetectorSetting { reason: sound_reason(&chosen.reason)?, changed_at, ..chosen })
}

/// A setting of a detector, by its name.
///
/// # Errors
///
/// [`UnsoundRule::Setting`] if it has none of that name.
pub fn declared<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Setting, UnsoundRule> {
    manifest.settings.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let names: Vec<&str> = manifest.settings.iter().map(|setting| setting.name.as_str()).collect();
        let known =
            if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        UnsoundRule::Setting { detector: manifest.id.clone(), name: name.to_owned(), known }
    })
}

fn manifest<'a>(instance: &'a Instance, id: &str) -> Result<&'a Manifest, UnsoundRule> {
    let mut all = instance.detectors.iter().map(|detector| &detector.manifest);
    all.clone().find(|manifest| manifest.id == id).ok_or_else(|| {
        let known: Vec<&str> = all.by_ref().map(|manifest| manifest.id.as_str()).collect();
        UnsoundRule::Detector { id: id.to_owned(), known: known.join(", ") }
    })
}

fn sound_reason(reason: &str) -> Result<String, UnsoundRule> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(UnsoundRule::Reason);
    }
    Ok(reason.to_owned())
}

/// Sorts findings by the rules of the instance, and notes what they silenced.
pub(crate) async fn sort(
    instance: &Instance,
    mut findings: Vec<Finding>,
    now: DateTime<Utc>,
) -> Result<Sorted, StoreError> {
    let (scope, store) = (instance.scope(), &*instance.store);
    if findings.is_empty() {
        return Ok(Sorted::default());
    }
    let rules = store.tuning_rules(&scope, false).await?;
    if !rules.is_empty() {
        // They may be about customers that only the directory knows.
        instance.owners.fill_customers(store, &scope, &mut findings).await?;
    }
    let mut sorted = Sorted::default();
    for finding in findings {
        match tune(&rules, finding) {
            Tuned::Kept(finding) => sorted.kept.push(finding),
            Tuned::Silenced { finding, rule_id, reason } => {
                sorted.silenced.push(Silenced { finding, rule_id, reason, first_at: now, last_at: now });
            }
        }
    }
    store.note_silenced(&scope, &sorted.silenced).await?;
    Ok(sorted)
}

/// The effect that is no severity, as people write it.
const SILENCE: &str = "silence";

/// Reads an effect: `silence`, or a severity.
///
/// # Errors
///
/// A sentence that says what can be written.
pub fn read_effect(word: &str) -> Result<Effect, String> {
    if word == SILENCE {
        return Ok(Effect::Silence);
    }
    word.parse::<Severity>().map(Effect::Severity).map_err(|unknown| {
        format!("The effect '{word}' is not known; write {SILENCE}, or a severity: {}.", unknown.allowed)
    })
}

/// An effect, as [`read_effect`] reads it.
#[must_use]
pub fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Silence => SILENCE,
        Effect::Severity(severity) => severity.as_str(),
    }
}

/// A rule, as the API and `--json` show it.
#[must_use]
pub fn rule_as_json(rule: &TuningRule) -> Value {
    let about = &rule.about;
    json!({
        "id": rule.id,
        "detectorId": about.detector_id,
        "customerTenantId": about.customer_tenant_id,
        "subscriptionId": about.subscription_id,
        "groupingKey": about.grouping_key,
        "evidence": about.evidence,
        "fromDateTime": about.from,
        "untilDateTime": about.until,
        "effect": effect_word(rule.effect),
        "reason": rule.reason,
        "author": rule.author,
        "createdDateTime": rule.created_at,
        "endedDateTime": rule.ended_at,
    })
}

/// What was silenced, as the API and `--json` show it.
#[must_use]
pub fn silenced_as_json(silenced: &Silenced) -> Value {
    let finding = &silenced.finding;
    json!({
        "detectorId": finding.detector_id,
        "alertType": finding.alert_type,
        "displayName": finding.title,
        "description": finding.description,
        "severity": finding.severity,
        "confidenceLevel": finding.confidence,
        "customerTenantId": finding.customer_tenant_id,
        "subscriptionId": finding.subscription_id,
        "groupingKey": finding.grouping_key,
        "firstObservedDateTime": finding.first_observed_at,
        "lastObservedDateTime": finding.last_observed_at,
        "additionalDetails": finding.details,
        "ruleId": silenced.rule_id,
        "suppressedBecause": silenced.reason,
        "firstSilencedDateTime": silenced.first_at,
        "lastSilencedDateTime": silenced.last_at,
    })
}

/// A chosen number, as the API and `--json` show it.
#[must_use]
pub fn setting_as_json(setting: &DetectorSetting) -> Value {
    json!({
        "detectorId": setting.detector_id,
        "name": setting.name,
        "customerTenantId": setting.customer_tenant_id,
        "subscriptionId": setting.subscription_id,
        "value": setting.value,
        "reason": setting.reason,
        "author": setting.author,
        "changedDateTime": setting.changed_at,
    })
}
