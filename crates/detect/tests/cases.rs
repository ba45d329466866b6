//! Every detector is sound, and passes its cases, in one window and in many.

use detect::cases::Case;
use detect::{Catalogue, Detector, lint};
use tokio::task::JoinSet;

#[tokio::test]
async fn every_detector_is_sound() {
    let mut problems = Vec::new();
    for detector in Catalogue::builtin().detectors() {
        let found = lint(detector).await;
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", detector.manifest.id)));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Several at a time, since queries over a few events leave a processor waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_cases_pass_however_time_is_cut() {
    let mut tasks = JoinSet::new();
    for detector in Catalogue::builtin().detectors() {
        tasks.spawn(failures(detector.clone()));
    }
    let mut failures = tasks.join_all().await.concat();
    failures.sort();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn failures(detector: Detector) -> Vec<String> {
    let mut failures = Vec::new();
    for case in Case::of(&detector).expect("cases can be read") {
        let name = format!("{}/{}", detector.manifest.id, case.name);
        let outcome = match case.run(&detector).await {
            Ok(outcome) => outcome,
            Err(error) => {
                failures.push(format!("{name}: {error}: {:?}", std::error::Error::source(&error)));
                continue;
            }
        };
        let differences = case.differs_in_slices(&detector, &outcome.findings).await.expect("slices run");
        let problems = outcome.mismatches.iter().chain(&differences);
        failures.extend(problems.map(|words| format!("{name}: {words}")));
    }
    failures
}
