//! The author's kit: a detector is made, checked, tested, spoilt, and run.

use std::fs;
use std::path::Path;

use super::{json, ok, path, run};

/// Exit code, standard output, and standard error of a command on detectors.
fn detectors(arguments: &[&str]) -> (i32, String, String) {
    run(&[&["detectors"], arguments].concat())
}

fn replace(file: &Path, what: &str, by: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(what), "{what}");
    fs::write(file, text.replace(what, by)).unwrap();
}

#[test]
fn a_new_detector_works_and_joins_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (data, own) = (path(folder.path(), "data"), path(folder.path(), "own"));
    let made = ok(&["detectors", "new", "odd_hours", "--into", &own]);
    assert_eq!(made.trim(), format!("{own}/odd_hours"));
    assert_eq!(
        detectors(&["lint", made.trim()]),
        (0, String::new(), "1 detectors, nothing wrong\n".to_owned())
    );
    let (code, out, err) = detectors(&["test", &own]);
    assert_eq!((code, err.as_str()), (0, "5 cases passed\n"), "{out}");
    assert!(out.contains("ok    odd_hours/known_caller\n"), "{out}");
    let found = ok(&["detectors", "test", &own, "--case", "new_caller", "--findings"]);
    assert_eq!(json(found.lines().next().unwrap())["grouping_key"], "caller_id=user-eve");

    let list = ["detectors", "list", "--data-dir", &data, "--detectors", &own];
    let listed = ok(&list);
    for id in ["odd_hours", "crypto_mining"] {
        assert!(listed.lines().any(|line| line.trim_start().starts_with(id)), "{listed}");
    }
    let all: Vec<_> = ok(&[&list[..], &["--json"]].concat()).lines().map(json).collect();
    let own_one = all.iter().find(|detector| detector["id"] == "odd_hours").unwrap();
    assert_eq!((&own_one["lookback"], &own_one["inputs"][0]), (&"29days".into(), &"activity".into()));
    assert_eq!(own_one["cases"].as_array().unwrap().len(), 5);
    let shown = ok(&["detectors", "show", "odd_hours", "--data-dir", &data, "--detectors", &own]);
    assert!(shown.contains("Locks_Deleted") && shown.contains("1. Ask the customer by phone"), "{shown}");
    assert!(shown.contains("quiet  refused: ") && shown.contains("fires  new_caller: "), "{shown}");
    assert!(ok(&["detectors", "show", "crypto_mining", "--sql"]).contains("from flow"));
}

#[test]
fn what_is_wrong_with_a_detector_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let own = path(folder.path(), ".");
    let one = ok(&["detectors", "new", "odd", "--into", &own]);
    let one = Path::new(one.trim());
    let query = one.join("query.sql");
    let sound = fs::read_to_string(&query).unwrap();
    let lint = || detectors(&["lint", one.to_str().unwrap()]);
    let check = |what: &str, by: &str, expected: &str| {
        replace(&query, what, by);
        let (code, out, err) = lint();
        assert_eq!(code, 1, "{expected}");
        assert!(out.contains(expected), "{expected}\n{out}");
        assert!(err.contains("1 of 1 detectors need mending"), "{err}");
        fs::write(&query, &sound).unwrap();
    };
    check("hours.last_at as last_observed_at,", "", "lacks the column 'last_observed_at'");
    check(
        "$since - interval",
        "now() - interval",
        "the query calls now(), which gives something else in each run",
    );
    check("from activity\n", "from activities\n", "activities");
    check(
        "hours.caller_id,\n  hours.caller,",
        "hours.caller,",
        "lacks the column 'caller_id', which the manifest's",
    );
    check("select\n  hours.subscription_id", "selec\n  hours.subscription_id", "the query failed");
    fs::remove_file(one.join("cases/refused.toml")).unwrap();
    fs::remove_file(one.join("cases/known_caller.toml")).unwrap();
    assert!(lint().1.contains("it has 1 near misses; write at least 3"), "{}", lint().1);

    // A case that fails names what was found and what was not.
    replace(&query, "where known.by_caller = 0", "where known.by_caller > 0");
    let (code, out, err) = detectors(&["test", one.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(out.contains("FAIL  odd/new_caller\n      not found: "), "{out}");
    assert!(err.contains("2 of 3 cases failed"), "{err}");

    for (arguments, expected) in [
        (&["new", "Odd-One"][..], "'Odd-One' is no detector id"),
        (&["new", "odd", "--into", &own], "is there already"),
        (&["show", "nothing"], "there is no detector 'nothing'"),
        (&["test", "nothing"], "there is no detector 'nothing'"),
        (&["test", "./nothing"], "./nothing cannot be read"),
        (&["test", one.join("cases").to_str().unwrap()], "holds no detector"),
        (&["test", "crypto_mining", "--case", "nothing"], "no case was run"),
    ] {
        let (code, _, err) = detectors(arguments);
        assert_eq!(code, 1, "{arguments:?}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn events_of_others_are_told_by_their_rules() {
    let folder = tempfile::tempdir().unwrap();
    let (events, rules) = (path(folder.path(), "events.jsonl"), path(folder.path(), "rules.toml"));
    let event = |operation: &str, expected: bool| {
        serde_json::json!({
            "rule_id": "Settings.Deleted",
            "test_name": operation,
            "expected_match": expected,
            "log": {
                "time": "2031-02-03T04:05:06Z",
                "resourceId": "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Insights/diagnosticSettings/all",
                "operationName": format!("Microsoft.Insights/diagnosticSettings/{operation}"),
                "category": "Administrative",
                "resultType": "Success",
            },
        })
    };
    fs::write(&events, format!("{}\n{}\n", event("delete", true), event("write", false))).unwrap();
    fs::write(&rules, "[\"Settings.Deleted\"]\ndetectors = [\"defences_turned_off\"]\n").unwrap();
    let told = json(&ok(&["evaluate", "events", &events, "--rules", &rules, "--json"]));
    for (name, expected) in [("matching", 1), ("fired", 1), ("other", 1), ("fired_on_other", 0)] {
        assert_eq!(told[name], expected, "{name}: {told}");
    }
    fs::write(&rules, "[\"Settings.Deleted\"]\ndetectors = [\"nothing\"]\n").unwrap();
    let (code, _, err) = run(&["evaluate", "events", &events, "--rules", &rules]);
    assert!(code == 1 && err.contains("rule Settings.Deleted: there is no detector 'nothing'"), "{err}");
    fs::write(&events, "{}\n").unwrap();
    let (code, _, err) = run(&["evaluate", "events", &events]);
    assert!(code == 1 && err.contains("events.jsonl:1: missing field"), "{err}");
}

#[test]
fn a_rule_silences_findings_and_leaves_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, data) = (path(folder.path(), "estate"), path(folder.path(), "data"));
    ok(&["simulate", "--out", &estate, "--seed", "5", "--customers", "6", "--days", "30"]);
    ok(&["ingest", "--data-dir", &data, &estate]);
    let tuning = |arguments: &[&str]| {
        let (code, out, err) = run(&[&["tuning"], arguments, &["--data-dir", &data]].concat());
        (code, out, err)
    };
    assert_eq!(tuning(&["list"]).2, "No rules. `tenantwatch tuning add --help` shows how to make one.\n");
    assert_eq!(tuning(&["silenced"]).2, "Nothing was silenced.\n");
    let deployment = ["--detector", "vm_anomalous_deployment"];
    let made =
        tuning(&[&["add"], &deployment[..], &["--reason", "the estate grows", "--by", "ann"]].concat());
    let id = made.1.trim().to_owned();
    assert_eq!((made.0, id.len()), (0, 36), "{}", made.2);
    tuning(&["add", "--detector", "crypto_mining", "--effect", "low", "--reason", "a test", "--by", "ann"]);

    let (code, out, err) = run(&["detect", "--data-dir", &data, "--json"]);
    assert_eq!(code, 0, "{err}");
    let alerts: Vec<_> = out.lines().map(json).collect();
    assert!(alerts.iter().all(|alert| alert["additionalDetails"]["DetectorId"] != "vm_anomalous_deployment"));
    // Why the first of them fired.
    let first = &alerts[0];
    let explain = |more: &[&str]| {
        ok(&[&["explain", "--data-dir", &data, first["id"].as_str().unwrap()], more].concat())
    };
    let explained = json(&explain(&["--json"]));
    assert_eq!(
        (&explained["alert"]["id"], &explained["detector"]["id"]),
        (&first["id"], &first["additionalDetails"]["DetectorId"])
    );
    let points = explained["series"]["points"].as_array().unwrap();
    assert!(
        points.len() == 42 && points.iter().any(|point| point["value"].as_f64() > Some(0.0)),
        "{explained}"
    );
    let events = explained["events"][0]["rows"].as_array().unwrap();
    assert!(!events.is_empty() && events[0]["subscription_id"] == first["subscriptionId"], "{explained}");
    let told = explain(&[]);
    assert!(
        told.contains("Evidence:\n") && told.contains("\nEvents of kind ") && told.contains('█'),
        "{told}"
    );
    let (code, _, refused) = run(&["explain", "--data-dir", &data, "nothing"]);
    assert_eq!((code, refused.trim_end()), (1, "tenantwatch: there is no alert 'nothing'"));

    let mining: Vec<_> =
        alerts.iter().filter(|alert| alert["additionalDetails"]["DetectorId"] == "crypto_mining").collect();
    assert!(!mining.is_empty() && mining.iter().all(|alert| alert["severity"] == "low"), "{mining:?}");
    assert!(err.contains(" silenced (`tenantwatch tuning silenced` lists them)"), "{err}");
    let silenced: Vec<_> = tuning(&["silenced", "--rule", &id, "--json"]).1.lines().map(json).collect();
    assert!(!silenced.is_empty());
    for one in &silenced {
        assert_eq!(
            (&one["detectorId"], &one["suppressedBecause"]),
            (&"vm_anomalous_deployment".into(), &"the estate grows".into())
        );
    }
    assert!(tuning(&["silenced"]).1.contains("suppressed because the estate grows"));

    // Taken back, the same events raise what they are.
    assert_eq!(tuning(&["end", &id]).0, 0);
    let replay =
        ["replay", "--data-dir", &data, "--detector", "vm_anomalous_deployment", "--since", "2026-01-01"];
    let rehearsed = json(&ok(&[&replay[..], &["--json"]].concat()));
    let would_come = rehearsed["alerts"].as_array().unwrap().len();
    assert!(would_come > 0 && rehearsed["subscriptionDays"].as_u64().unwrap() > 100, "{rehearsed}");
    assert_eq!(rehearsed["silenced"], 0);
    let strict = json(&ok(&[&replay[..], &["--set", "points_min=11", "--json"]].concat()));
    assert_eq!(strict["alerts"].as_array().unwrap().len(), 0, "there are ten points");
    assert_eq!(
        (&strict["today"]["alerts"], strict["gone"].as_array().unwrap().len()),
        (&would_come.into(), would_come)
    );
    assert_eq!(
        tuning(&["set", "vm_anomalous_deployment", "points_min=11", "--reason", "none", "--by", "ann"]).0,
        0
    );
    assert_eq!(json(&ok(&[&replay[..], &["--json"]].concat()))["alerts"].as_array().unwrap().len(), 0);
    assert!(tuning(&["settings"]).1.starts_with("vm_anomalous_deployment points_min = 11 for all, by ann, "));
    assert_eq!(tuning(&["unset", "vm_anomalous_deployment", "points_min"]).0, 0);
    let (code, _, err) = run(&[&replay[..], &["--set", "points=4"]].concat());
    assert_eq!(code, 1);
    assert!(err.contains("has no setting 'points'; it has machines_min, points_min"), "{err}");
    let again: Vec<_> =
        ok(&["detect", "--data-dir", &data, "--since", "2026-01-01", "--json"]).lines().map(json).collect();
    assert!(again.iter().any(|alert| alert["additionalDetails"]["DetectorId"] == "vm_anomalous_deployment"));
    assert!(!tuning(&["list"]).1.contains(&id));
    assert!(tuning(&["list", "--ended"]).1.contains(&format!("{id}  silence, ended ")));

    for (arguments, expected) in [
        (&["add", "--reason", "x", "--by", "ann"][..], "the rule names nothing"),
        (&["add", "--detector", "nothing", "--reason", "x", "--by", "ann"], "there is no detector 'nothing'"),
        (&["add", "--detector", "crypto_mining", "--reason", " ", "--by", "ann"], "the rule has no reason"),
        (
            &["add", "--detector", "crypto_mining", "--effect", "loud", "--reason", "x"],
            "The effect 'loud' is not known",
        ),
        (&["add", "--evidence", "caller", "--reason", "x"], "such as caller=deploy@customer.example"),
        (&["end", "nothing"], "there is no tuning rule 'nothing'"),
        (
            &["set", "crypto_mining", "points=4", "--reason", "x", "--by", "ann"],
            "has no setting 'points'; it has none",
        ),
        (&["set", "crypto_mining", "points", "--reason", "x"], "such as points_min=5"),
        (
            &["set", "vm_anomalous_deployment", "points_min=12", "--reason", "x", "--by", "ann"],
            "the setting points_min cannot be 12; give a number from 1 to 11",
        ),
        (&["unset", "vm_anomalous_deployment", "points_min"], "was not chosen for that"),
    ] {
        let (code, _, err) = tuning(arguments);
        assert!(code > 0 && err.contains(expected), "{arguments:?}: {code} {err}");
    }
}

/// Two rules that can be translated, and three that cannot.
const SIGMA: &str = r#"title: Lock Removed
id: 11112222-3333-4444-5555-666677778888
status: test
logsource: {product: azure, service: activitylogs}
detection:
  selection: {operationName: MICROSOFT.AUTHORIZATION/LOCKS/DELETE}
  condition: selection
level: medium
---
title: Tool Signs In
logsource: {product: azure, service: signinlogs}
detection:
  selection: {userAgent|contains: hound, ResultType: 0}
  condition: selection
level: high
---
title: Unknown Field
logsource: {product: azure, service: activitylogs}
detection:
  selection:
    Colour: red
  condition: selection
---
title: Of Windows
logsource: {product: windows}
detection: {s: {Image: x}, condition: s}
"#;

#[test]
fn sigma_rules_become_detectors_that_run() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, own) = (folder.path().join("rules"), path(folder.path(), "own"));
    fs::create_dir_all(rules.join("deep/.hidden")).unwrap();
    fs::write(rules.join("deep/some.yml"), SIGMA).unwrap();
    fs::write(rules.join("deep/.hidden/not.yml"), "title: [").unwrap();
    fs::write(rules.join("broken.YAML"), "title: [").unwrap();
    fs::write(rules.join("latin.yml"), b"title: caf\xe9\n").unwrap();
    fs::write(rules.join("README.md"), "no rules").unwrap();
    let rules = rules.to_str().unwrap();

    let (code, out, err) = detectors(&["import", rules, "--into", &own]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("made      {own}/sigma_lock_removed\n")), "{out}");
    assert!(
        out.contains("some.yml:21: the field 'Colour' is nothing that an activity record has here"),
        "{out}"
    );
    assert!(out.contains("broken.YAML:"), "{out}");
    assert!(out.contains("latin.yml:1: the file is no text in UTF-8"), "{out}");
    assert!(
        err.starts_with(&format!("2 of 6 rules are detectors in {own}\n     2  cannot be read\n")),
        "{err}"
    );
    assert!(err.contains("     1  unknown field\n"), "{err}");
    assert_eq!(detectors(&["lint", &own]).0, 0);
    assert_eq!(detectors(&["test", &own]).0, 0);

    // Again: what is there stays, and what was changed by hand is not written over.
    let (code, out, _) = detectors(&["import", rules, "--into", &own, "--json"]);
    assert_eq!(code, 0);
    let told: Vec<_> = out.lines().map(json).collect();
    assert_eq!(told.len(), 6);
    let of = |title: &str| told.iter().find(|one| one["title"] == title).unwrap();
    assert_eq!(of("Lock Removed")["outcome"], "unchanged");
    assert_eq!(of("Lock Removed")["ruleId"], "11112222-3333-4444-5555-666677778888");
    assert_eq!(
        (&of("Of Windows")["because"], &of("Of Windows")["atLine"]),
        (&"otherLogSource".into(), &25.into())
    );
    let query = Path::new(&own).join("sigma_lock_removed/query.sql");
    replace(&query, "locks/delete", "locks/write");
    let (_, out, _) = detectors(&["import", rules, "--into", &own]);
    assert!(out.contains("sigma_lock_removed is there already and differs"), "{out}");
    assert!(fs::read_to_string(&query).unwrap().contains("locks/write"));

    // The alert of a record of Azure's own shape.
    let data = path(folder.path(), "data");
    let record = folder.path().join("signin.json");
    fs::write(
        &record,
        r#"{"time":"2031-03-01T10:00:00Z","category":"SignInLogs","tenantId":"0a0a0a0a-0000-4000-8000-000000000001","properties":{"id":"s-1","createdDateTime":"2031-03-01T10:00:00Z","userId":"u-1","userPrincipalName":"eve@customer.example","userAgent":"AzureHound/2.1","status":{"errorCode":0}}}"#,
    )
    .unwrap();
    ok(&["ingest", "--data-dir", &data, record.to_str().unwrap()]);
    let found = ok(&[
        "replay",
        "--data-dir",
        &data,
        "--detectors",
        &own,
        "--detector",
        "sigma_tool_signs_in",
        "--since",
        "2031-03-01",
        "--until",
        "2031-03-02",
        "--json",
    ]);
    assert_eq!(json(&found)["alerts"].as_array().unwrap().len(), 1, "{found}");

    for (arguments, expected) in [
        (&["import", "nothing.yml", "--into", &own][..], "reading nothing.yml"),
        (&["import", &own, "--into", &own], "there is no file that ends in .yml or .yaml"),
    ] {
        let (code, _, err) = detectors(arguments);
        assert!(code == 1 && err.contains(expected), "{arguments:?}: {err}");
    }
    let windows = folder.path().join("windows.yml");
    fs::write(&windows, "title: A\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n")
        .unwrap();
    let (code, _, err) = detectors(&["import", windows.to_str().unwrap(), "--into", &own]);
    assert!(code == 1 && err.contains("no rule became a detector"), "{err}");
}
