//! `docs/detection.md` has the catalogue as the manifests and the last evaluation say it.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use detect::{Catalogue, Detector};
use serde::Deserialize;

const BEGIN: &str = "<!-- catalogue -->\n";
const END: &str = "<!-- end of the catalogue -->";

/// What `tenantwatch evaluate --json` says of a detector.
#[derive(Deserialize)]
struct Figures {
    detector_id: String,
    alerts: u64,
    false_alerts: u64,
    attacks: u64,
    attacks_told_first: u64,
    median_time_to_detect_s: Option<f64>,
}

#[derive(Deserialize)]
struct Evaluation {
    detectors: Vec<Figures>,
}

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file)
}

fn table() -> String {
    let evaluation: Evaluation =
        serde_json::from_str(&fs::read_to_string(docs("evaluation.json")).unwrap()).unwrap();
    let figures: BTreeMap<String, Figures> =
        evaluation.detectors.into_iter().map(|figures| (figures.detector_id.clone(), figures)).collect();
    let mut table = String::from(
        "| detector | alert type | severity | reads | finds | alerts | false | attacks told of (first) | median time |\n\
         | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |\n",
    );
    for Detector { manifest, .. } in Catalogue::builtin().detectors() {
        let inputs: Vec<&str> = manifest.inputs.iter().map(|kind| kind.name()).collect();
        let own = figures.get(&manifest.id).map_or("0 | | | ".to_owned(), |own| {
            let time = own.median_time_to_detect_s.map_or(String::new(), minutes);
            format!(
                "{} | {} | {} ({}) | {time}",
                own.alerts, own.false_alerts, own.attacks, own.attacks_told_first
            )
        });
        writeln!(
            table,
            "| `{}` | `{}` | {} | {} | {} | {own} |",
            manifest.id,
            manifest.alert_type,
            manifest.severity,
            inputs.join(", "),
            manifest.title
        )
        .unwrap();
    }
    table
}

fn minutes(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

/// With `UPDATE_DOCS=1`, writes the table anew.
#[test]
fn the_catalogue_is_documented() {
    let path = docs("detection.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let expected = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(found, expected, "UPDATE_DOCS=1 cargo test -p detect --test documentation writes it");
}
