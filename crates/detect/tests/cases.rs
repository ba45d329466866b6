//! Every detector passes its cases, in one window and in many.

use std::collections::BTreeSet;

use alerts::Finding;
use chrono::TimeDelta;
use detect::cases::Case;
use detect::{Catalogue, Detector, Window};

/// What must not depend on how time is cut: which incident, and on which days it was seen.
fn incidents(findings: &[Finding]) -> BTreeSet<(String, String, String)> {
    findings
        .iter()
        .map(|finding| {
            let day = finding.last_observed_at.date_naive().to_string();
            (finding.subscription_id.to_string(), finding.grouping_key.clone(), day)
        })
        .collect()
}

fn all_cases() -> Vec<(Detector, Case)> {
    let mut all = Vec::new();
    for detector in Catalogue::builtin().detectors() {
        for case in Case::of(detector).expect("cases can be read") {
            all.push((detector.clone(), case));
        }
    }
    all
}

#[test]
fn every_detector_has_cases_of_both_kinds() {
    for detector in Catalogue::builtin().detectors() {
        let cases = Case::of(detector).expect("cases can be read");
        let must_fire = cases.iter().filter(|case| case.fires).count();
        let near_misses = cases.len() - must_fire;
        assert!(must_fire >= 2, "{}: {must_fire} cases that fire", detector.manifest.id);
        assert!(near_misses >= 3, "{}: {near_misses} near misses", detector.manifest.id);
    }
}

#[tokio::test]
async fn all_cases_pass() {
    let mut failures = Vec::new();
    for (detector, case) in all_cases() {
        let name = format!("{}/{}", detector.manifest.id, case.name);
        match case.run(&detector).await {
            Ok(outcome) => failures.extend(outcome.mismatches.iter().map(|words| format!("{name}: {words}"))),
            Err(error) => failures.push(format!("{name}: {error}: {:?}", std::error::Error::source(&error))),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn findings_do_not_depend_on_how_time_is_cut() {
    for (detector, case) in all_cases() {
        let session = case.session(&detector).expect("tables can be made");
        let partner = case.partner();
        let whole = detector.run(&session, &case.window, &partner).await.expect("the whole window runs");
        // Odd parts of an hour for short windows, so that runs end in the middle of a bucket.
        let length = case.window.until - case.window.since;
        for slice in [length / 3, (length / 9).max(TimeDelta::minutes(95))] {
            let mut pieces = Vec::new();
            let mut since = case.window.since;
            while since < case.window.until {
                let until = (since + slice).min(case.window.until);
                pieces.extend(
                    detector.run(&session, &Window::new(since, until), &partner).await.expect("a slice runs"),
                );
                since = until;
            }
            let name = format!("{}/{} in slices of {slice}", detector.manifest.id, case.name);
            assert_eq!(incidents(&pieces), incidents(&whole), "{name}");
        }
    }
}
