//! What the operator says of findings that are not worth an alert, or worth another.
//!
//! A [`TuningRule`] names findings by what they are about: detector, customer, subscription, incident, evidence.
//! Never by their words, which change. [`tune`] tells what becomes of a finding. What is silenced is kept with
//! the rule that did it, so that nothing is silenced without a trace.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Confidence, CustomerTenantId, Finding, Severity, SubscriptionId};

/// One thing that the operator says. What is not named may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TuningRule {
    /// A GUID by which it is named.
    pub id: String,
    /// Which findings it is about.
    pub about: About,
    /// What becomes of them.
    pub effect: Effect,
    /// Why; for those who come after.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was taken back.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which findings a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Those of one detector.
    pub detector_id: Option<String>,
    /// Those of one customer.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// Those of one subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// Those of one incident: what findings of it share beside detector and subscription.
    pub grouping_key: Option<String>,
    /// Those whose evidence of a name holds none but these values, such as the addresses of an office.
    pub evidence: BTreeMap<String, Vec<String>>,
    /// Those whose evidence is not older.
    pub from: Option<DateTime<Utc>>,
    /// Those whose evidence ends before: the end of a snooze, of a change window, of an exception.
    pub until: Option<DateTime<Utc>>,
}

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It raises and continues no alert.
    Silence,
    /// Its alert has this severity.
    Severity(Severity),
}

/// A number of a detector's that the operator chose. The narrowest holds: that for a subscription, then that for a
/// customer, then that for all.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorSetting {
    /// The detector.
    pub detector_id: String,
    /// The setting, as the detector's manifest names it.
    pub name: String,
    /// For one customer.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// For one subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// The number.
    pub value: f64,
    /// Why; for those who come after.
    pub reason: String,
    /// Who chose it.
    pub author: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

impl DetectorSetting {
    /// Of the numbers that were chosen for a setting, the narrowest that holds for a customer and a subscription.
    #[must_use]
    pub fn narrowest<'a>(
        chosen: &'a [Self],
        name: &str,
        customer: Option<&str>,
        subscription: Option<&str>,
    ) -> Option<&'a Self> {
        let holds = |setting: &&Self| {
            let (of_customer, of_subscription) = (&setting.customer_tenant_id, &setting.subscription_id);
            setting.name == name
                && of_customer.as_ref().is_none_or(|id| Some(id.as_str()) == customer)
                && of_subscription.as_ref().is_none_or(|id| Some(id.as_str()) == subscription)
        };
        let wideness =
            |setting: &&Self| (setting.subscription_id.is_none(), setting.customer_tenant_id.is_none());
        chosen.iter().filter(holds).min_by_key(wideness)
    }
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Tuned {
    /// It is looked at, perhaps with another severity.
    Kept(Finding),
    /// A rule silenced it.
    Silenced {
        /// The finding.
        finding: Finding,
        /// The rule's id.
        rule_id: String,
        /// The rule's reason.
        reason: String,
    },
}

/// A finding that a rule silenced, with all later ones of the same incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Silenced {
    /// The latest finding.
    pub finding: Finding,
    /// The rule.
    pub rule_id: String,
    /// Its reason, at that time.
    pub reason: String,
    /// When the first of them was silenced.
    pub first_at: DateTime<Utc>,
    /// When the last of them was silenced.
    pub last_at: DateTime<Utc>,
}

/// The entry of an alert's details that names the rule which gave it its severity.
const TUNED_BY: &str = "TunedBy";

/// The rule's id of findings that no rule of the operator's silenced, but that are too weak by themselves.
const WEAK_SIGN: &str = "weak-sign";

/// Why these are no alerts.
const WEAK_SIGN_REASON: &str = "a sign of low severity and low confidence is daily work more often than not; kept for whoever looks into more";

/// Says what becomes of a finding. The first rule that silences it decides; else the last that names a severity.
/// Without a rule, a finding of low severity and low confidence raises nothing: a page for each would train people
/// not to read them.
#[must_use]
pub fn tune(rules: &[TuningRule], mut finding: Finding) -> Tuned {
    let applying: Vec<&TuningRule> = rules.iter().filter(|rule| rule.applies_to(&finding)).collect();
    if let Some(rule) = applying.iter().find(|rule| rule.effect == Effect::Silence) {
        return Tuned::Silenced { finding, rule_id: rule.id.clone(), reason: rule.reason.clone() };
    }
    for rule in applying {
        if let Effect::Severity(severity) = rule.effect {
            finding.severity = severity;
            finding.details.insert(TUNED_BY.to_owned(), Value::from(rule.id.clone()));
        }
    }
    let is_chosen = finding.details.contains_key(TUNED_BY);
    let is_weak = finding.severity.rank() <= Severity::Low.rank() && finding.confidence == Confidence::Low;
    if is_weak && !is_chosen {
        let (rule_id, reason) = (WEAK_SIGN.to_owned(), WEAK_SIGN_REASON.to_owned());
        return Tuned::Silenced { finding, rule_id, reason };
    }
    Tuned::Kept(finding)
}

impl TuningRule {
    /// Whether it holds and is about this finding.
    #[must_use]
    pub fn applies_to(&self, finding: &Finding) -> bool {
        self.ended_at.is_none() && self.about.covers(finding)
    }
}

impl About {
    /// Whether a finding is one of these.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        is(&self.detector_id, Some(&finding.detector_id))
            && is(&self.customer_tenant_id, finding.customer_tenant_id.as_ref())
            && is(&self.subscription_id, Some(&finding.subscription_id))
            && is(&self.grouping_key, Some(&finding.grouping_key))
            && self.from.is_none_or(|from| finding.first_observed_at >= from)
            && self.until.is_none_or(|until| finding.last_observed_at < until)
            && self.evidence.iter().all(|(name, allowed)| holds_none_but(finding, name, allowed))
    }

    /// Whether it says anything at all; a rule about everything would be the end of detection.
    #[must_use]
    pub fn names_something(&self) -> bool {
        self.detector_id.is_some()
            || self.customer_tenant_id.is_some()
            || self.subscription_id.is_some()
            || self.grouping_key.is_some()
            || !self.evidence.is_empty()
    }
}

fn is<T: PartialEq>(wanted: &Option<T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted.as_ref() == found
}

/// Whether a finding has evidence of that name, and all of it is allowed. One address that is not allowed makes a
/// finding worth a look, in whatever company. Names and values are compared without regard to letter case.
fn holds_none_but(finding: &Finding, name: &str, allowed: &[String]) -> bool {
    let entry = finding.details.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let values = entry.map(|(_, value)| values(value)).unwrap_or_default();
    let is_allowed = |value: &String| allowed.iter().any(|one| one.eq_ignore_ascii_case(value));
    !values.is_empty() && values.iter().all(is_allowed)
}

/// The values of an entry: those of the list that its text holds, or the text.
fn values(entry: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = entry.as_str().and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
    match list {
        Some(items) => items.iter().map(text).collect(),
        None => vec![text(entry)],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2031-02-03T{text}:00Z").parse().unwrap()
    }

    fn finding() -> Finding {
        let details = json!({"Caller": "ann@customer.example", "CallerAddresses": "[\"203.0.113.9\",\"203.0.113.10\"]", "Machines": "3"});
        let Value::Object(details) = details else { unreachable!() };
        Finding {
            detector_id: "d".into(),
            alert_type: "T".into(),
            title: "t".into(),
            description: "words".into(),
            severity: Severity::High,
            confidence: Confidence::Medium,
            partner_tenant_id: "p".parse().unwrap(),
            customer_tenant_id: Some("c".parse().unwrap()),
            reseller_tenant_id: None,
            subscription_id: "s".parse().unwrap(),
            grouping_key: "caller_id=u".into(),
            first_observed_at: at("04:00"),
            last_observed_at: at("05:00"),
            resources: Vec::new(),
            details,
        }
    }

    fn rule(id: &str, effect: Effect, about: About) -> TuningRule {
        TuningRule {
            id: id.into(),
            about,
            effect,
            reason: "known".into(),
            author: "ann".into(),
            created_at: at("00:00"),
            ended_at: None,
        }
    }

    fn with_evidence(name: &str, values: &[&str]) -> About {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        About { evidence: BTreeMap::from([(name.to_owned(), values)]), ..About::default() }
    }

    #[test]
    fn a_rule_covers_what_it_names() {
        let cases = [
            ("everything", About::default(), true),
            ("its detector", About { detector_id: Some("d".into()), ..About::default() }, true),
            ("another detector", About { detector_id: Some("e".into()), ..About::default() }, false),
            ("its customer", About { customer_tenant_id: "c".parse().ok(), ..About::default() }, true),
            ("another customer", About { customer_tenant_id: "b".parse().ok(), ..About::default() }, false),
            ("its subscription", About { subscription_id: "S".parse().ok(), ..About::default() }, true),
            ("another subscription", About { subscription_id: "r".parse().ok(), ..About::default() }, false),
            ("its incident", About { grouping_key: Some("caller_id=u".into()), ..About::default() }, true),
            (
                "another incident",
                About { grouping_key: Some("caller_id=v".into()), ..About::default() },
                false,
            ),
            ("since its start", About { from: Some(at("04:00")), ..About::default() }, true),
            ("since later", About { from: Some(at("04:01")), ..About::default() }, false),
            ("until after its end", About { until: Some(at("05:01")), ..About::default() }, true),
            ("until its end", About { until: Some(at("05:00")), ..About::default() }, false),
            ("its caller", with_evidence("caller", &["Ann@customer.example", "bob@customer.example"]), true),
            ("another caller", with_evidence("caller", &["bob@customer.example"]), false),
            ("all its addresses", with_evidence("CallerAddresses", &["203.0.113.10", "203.0.113.9"]), true),
            ("one of its addresses", with_evidence("CallerAddresses", &["203.0.113.10"]), false),
            ("evidence that it lacks", with_evidence("Region", &["westeurope"]), false),
        ];
        for (what, about, expected) in cases {
            assert_eq!(about.covers(&finding()), expected, "{what}");
        }
    }

    #[test]
    fn the_first_that_silences_decides_and_else_the_last_severity() {
        let detector = || About { detector_id: Some("d".into()), ..About::default() };
        let low = rule("1", Effect::Severity(Severity::Low), detector());
        let medium = rule("2", Effect::Severity(Severity::Medium), detector());
        let silent = rule("3", Effect::Silence, detector());
        let silent_too = rule("4", Effect::Silence, About::default());
        let mut over = rule("5", Effect::Silence, detector());
        over.ended_at = Some(at("01:00"));

        let Tuned::Kept(kept) = tune(&[low.clone(), medium.clone(), over], finding()) else {
            panic!("silenced")
        };
        assert_eq!((kept.severity, &kept.details["TunedBy"]), (Severity::Medium, &json!("2")));
        match tune(&[low, silent, silent_too, medium], finding()) {
            Tuned::Silenced { finding: silenced, rule_id, reason } => {
                assert_eq!((rule_id.as_str(), reason.as_str()), ("3", "known"));
                assert_eq!(silenced, finding());
            }
            Tuned::Kept(_) => panic!("not silenced"),
        }
        assert_eq!(tune(&[], finding()), Tuned::Kept(finding()));

        let mut weak = finding();
        (weak.severity, weak.confidence) = (Severity::Low, Confidence::Low);
        let told = |tuned: Tuned| match tuned {
            Tuned::Kept(_) => None,
            Tuned::Silenced { rule_id, .. } => Some(rule_id),
        };
        assert_eq!(told(tune(&[], weak.clone())).as_deref(), Some(WEAK_SIGN));
        assert_eq!(told(tune(&[rule("6", Effect::Severity(Severity::Low), detector())], weak.clone())), None);
        for (severity, confidence) in
            [(Severity::Low, Confidence::Medium), (Severity::Medium, Confidence::Low)]
        {
            (weak.severity, weak.confidence) = (severity, confidence);
            assert_eq!(told(tune(&[], weak.clone())), None, "{severity} {confidence}");
        }
        assert!(!About { from: Some(at("01:00")), ..About::default() }.names_something());
        assert!(detector().names_something());
    }
}
