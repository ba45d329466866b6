//! Detectors that share what they read find what they find alone.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use datafusion::prelude::SessionContext;
use detect::cases::Case;
use detect::{Catalogue, Detector, Looking, Together};
use ingest::schema::Kind;

/// Hides that the tables are in memory, as those of files are not.
async fn behind_views(session: &SessionContext) {
    for kind in Kind::ALL {
        let view = session.table(kind.name()).await.unwrap().into_view();
        session.deregister_table(kind.name()).unwrap();
        session.register_table(kind.name(), view).unwrap();
    }
}

/// Whether the detector shared, and found the same as alone.
async fn shares(detector: &Detector, other: &Detector, case: &Case) -> bool {
    let name = format!("{}/{}", detector.manifest.id, case.name);
    let (window, partner) = (&case.window, &case.partner());
    let session = case.session(detector).unwrap();
    let alone = detector.run(&session, window, partner).await.unwrap();
    behind_views(&session).await;
    let own = detector.candidates(&session, window, partner).await.unwrap().unwrap();
    let others = other.candidates(&session, window, partner).await.unwrap().unwrap();
    let looking = [
        Looking { detector, window, candidates: &own },
        Looking { detector: other, window, candidates: &others },
    ];
    let together =
        Together::hold(&session, partner, Kind::Activity, "subscription_id", &looking).await.unwrap();
    let Some(together) = together else { return false };
    for one in looking {
        let shared = together.session_for(one.detector).unwrap();
        let found = one.detector.run_on(shared, window, partner, Some(one.candidates)).await.unwrap();
        let expected = one.detector.run_on(&session, window, partner, None).await.unwrap();
        assert_eq!(found, expected, "{} in the case {name}", one.detector.manifest.id);
    }
    assert_eq!(detector.run_on(&session, window, partner, None).await.unwrap(), alone, "{name}");
    true
}

#[tokio::test]
async fn what_is_shared_changes_no_finding() {
    let catalogue = Catalogue::builtin();
    let of = |id: &str| catalogue.get(id).unwrap();
    let pairs = [
        ("vm_anomalous_deployment", "expensive_compute_by_new_caller"),
        ("expensive_compute_by_new_caller", "dormant_subscription_wakes"),
        ("dormant_subscription_wakes", "vm_anomalous_deployment"),
        ("attack_chain", "vm_anomalous_deployment"),
    ];
    for (detector, other) in pairs {
        let mut shared = 0;
        for case in Case::of(of(detector)).unwrap() {
            shared += usize::from(shares(of(detector), of(other), &case).await);
        }
        assert!(shared >= 2, "{detector} and {other} shared in {shared} cases");
    }
}

#[tokio::test]
async fn detectors_that_are_restricted_otherwise_read_their_own() {
    let catalogue = Catalogue::builtin();
    let detector = catalogue.get("privileged_role_grant").unwrap();
    let other = catalogue.get("vm_anomalous_deployment").unwrap();
    for case in Case::of(detector).unwrap() {
        assert!(!shares(detector, other, &case).await, "{}", case.name);
    }
}
