//! How the built-in detectors did on simulated estates: the last evaluation that was published, `docs/evaluation.json`.
//!
//! It is part of the binary, and says nothing of the partner's own alerts. Whatever else the file has is not looked at.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use detect::Detector;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the origin of a detector that is part of the binary starts with.
const BUILT_IN: &str = "built-in/";

/// What `tenantwatch evaluate --json` says of all.
#[derive(Debug, Deserialize)]
struct Evaluation {
    /// Estates that nothing was tuned on.
    trials: u64,
    attacks: u64,
    clean_subscription_days: f64,
    detectors: Vec<Figures>,
}

/// What it says of a detector.
#[derive(Debug, Default, Deserialize)]
struct Figures {
    detector_id: String,
    alerts: u64,
    false_alerts: u64,
    precision: Option<f64>,
    attacks: u64,
    attacks_told_first: u64,
    attacks_told_alone: u64,
    median_time_to_detect_s: Option<f64>,
}

static EVALUATION: LazyLock<Evaluation> = LazyLock::new(|| {
    let text = include_str!("../../../../docs/evaluation.json");
    serde_json::from_str(text).expect("docs/evaluation.json is as the evaluation writes it; a test reads it")
});

static BY_DETECTOR: LazyLock<BTreeMap<&'static str, &'static Figures>> =
    LazyLock::new(|| EVALUATION.detectors.iter().map(|own| (own.detector_id.as_str(), own)).collect());

/// The figures of a detector as callers see them; null for one that is not part of the binary. One that raised nothing
/// has no line in the evaluation.
pub(crate) fn simulated(detector: &Detector) -> Value {
    if !detector.origin.starts_with(BUILT_IN) {
        return Value::Null;
    }
    let nothing = Figures::default();
    let own = BY_DETECTOR.get(detector.manifest.id.as_str()).copied().unwrap_or(&nothing);
    json!({
        "estates": EVALUATION.trials,
        "attacksInAll": EVALUATION.attacks,
        "cleanSubscriptionDays": EVALUATION.clean_subscription_days,
        "alerts": own.alerts,
        "falseAlerts": own.false_alerts,
        "precision": own.precision,
        "attacksTold": own.attacks,
        "attacksToldFirst": own.attacks_told_first,
        "attacksToldAlone": own.attacks_told_alone,
        "medianSecondsToDetect": own.median_time_to_detect_s,
    })
}

#[cfg(test)]
mod tests {
    use detect::Catalogue;

    use super::*;

    #[test]
    fn the_published_evaluation_is_about_the_detectors_that_there_are() {
        let catalogue = Catalogue::builtin();
        let shown: Vec<(&Detector, Value)> =
            catalogue.detectors().iter().map(|detector| (detector, simulated(detector))).collect();
        assert!(shown.iter().all(|(_, figures)| figures["estates"] == json!(EVALUATION.trials)));
        let told = shown.iter().filter(|(_, figures)| figures["attacksTold"].as_u64() > Some(0)).count();
        assert!(told > 10, "{told} detectors told of an attack");
        for own in &EVALUATION.detectors {
            let (_, figures) =
                shown.iter().find(|(detector, _)| detector.manifest.id == own.detector_id).unwrap();
            assert_eq!(figures["alerts"], json!(own.alerts), "{}", own.detector_id);
            assert!(own.false_alerts <= own.alerts && own.attacks_told_first <= own.attacks);
        }
    }

    #[test]
    fn a_detector_of_the_operators_has_no_figures_and_a_silent_one_has_none_raised() {
        let mut detector = Catalogue::builtin().detectors()[0].clone();
        detector.manifest.id = "never_evaluated".to_owned();
        let silent = simulated(&detector);
        assert_eq!((&silent["alerts"], &silent["precision"]), (&json!(0), &Value::Null));
        detector.origin = "detectors/never_evaluated".to_owned();
        assert_eq!(simulated(&detector), Value::Null);
    }
}
