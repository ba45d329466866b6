//! Records that could not be taken in: seen, mended where they are kept, and read again.

use std::fs;

use serde_json::Value;

use super::{json, ok, path, run};

fn record(machine: &str, time: &str) -> String {
    format!(
        r#"{{"time":"{time}","resourceId":"/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{machine}","operationName":"Microsoft.Compute/virtualMachines/write","category":"Administrative","resultType":"Success"}}"#
    )
}

#[test]
fn a_record_is_listed_shown_mended_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (path(folder.path(), "data"), path(folder.path(), "PT1H.json"));
    let quarantine = |arguments: &[&str]| {
        let all = [&["quarantine"], arguments, &["--data-dir", &data]].concat();
        let (code, out, err) = run(&all);
        assert_eq!(code, 0, "{all:?}: {err}");
        (out, err)
    };
    assert_eq!(quarantine(&["list"]), (String::new(), "The quarantine is empty.\n".to_owned()));
    let good = record("vm1", "2031-02-03T04:05:06Z");
    fs::write(&file, format!("{good}\n{}\n", record("vm2", "soon"))).unwrap();
    let taken = ok(&["ingest", "--data-dir", &data, &file]);
    assert!(taken.contains("1 stored, 0 duplicates, 1 quarantined"), "{taken}");
    assert!(
        taken.contains(&format!("rejected {file}:2: ")) && taken.contains("`tenantwatch quarantine list`")
    );

    // What there is, as text and as JSON.
    let (listed, _) = quarantine(&["list"]);
    assert!(listed.contains(&format!("from {file}")) && listed.contains("1 × "), "{listed}");
    let line = json(&quarantine(&["list", "--json"]).0);
    assert_eq!(line["file"], file.as_str());
    let reasons: Vec<(&String, &Value)> = line["reasons"].as_object().unwrap().iter().collect();
    assert!(reasons[0].0.contains("soon") && reasons[0].1 == 1, "{line}");
    let name = line["name"].as_str().unwrap().to_owned();
    let (shown, _) = quarantine(&["show", "PT1H"]);
    assert!(shown.starts_with(&format!("{file}:2 (activity): ")) && shown.contains("vm2"), "{shown}");
    let kept = json(&quarantine(&["show", &name, "--json"]).0);
    assert_eq!((&kept["line"], &kept["kind"]), (&2.into(), &"activity".into()));
    let (nothing, more) = quarantine(&["show", &name, "--limit", "0"]);
    assert_eq!((nothing.as_str(), more.as_str()), ("", "… and 1 more; --limit shows them\n"));

    // Nothing is mended yet.
    let again = json(&quarantine(&["retry", "--json"]).0);
    assert_eq!((&again["stored"], &again["quarantined"]), (&0.into(), &1.into()));
    assert_eq!(json(&quarantine(&["list", "--json"]).0)["name"], name.as_str());

    // Mended where it is kept.
    let place = folder.path().join("data/quarantine").join(&name);
    let mended = fs::read_to_string(&place).unwrap().replace("\\\"soon\\\"", "\\\"2031-02-03T05:00:00Z\\\"");
    fs::write(&place, mended).unwrap();
    let (summary, _) = quarantine(&["retry", &name]);
    assert!(summary.contains("1 stored, 0 duplicates, 0 quarantined"), "{summary}");
    assert_eq!(quarantine(&["list"]).0, "");
    assert_eq!(quarantine(&["list", "--json"]), (String::new(), String::new()));
    let activity = json(&ok(&["lake", "status", "--data-dir", &data, "--json", "--kind", "activity"]));
    assert_eq!(activity["events"], 2);

    for arguments in [["show", "nothing"], ["retry", "nothing"]] {
        let (code, out, err) = run(&[&["quarantine"], &arguments[..], &["--data-dir", &data]].concat());
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("no file 'nothing'; `tenantwatch quarantine list` shows what it has"), "{err}");
    }
}
