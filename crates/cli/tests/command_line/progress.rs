//! Bars with rate and time left on a terminal, and nothing of them anywhere else.

use std::fs;
use std::process::Command;

use super::{json, ok, path, run};

/// Runs the program with a terminal as its output, and gives all that it wrote there.
fn on_a_terminal(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
    let program = env!("CARGO_BIN_EXE_tenantwatch");
    // util-linux: a command with a terminal of its own, whose exit code is given back.
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &format!("'{program}' {quoted}"), "/dev/null"]);
    script.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("RUST_LOG");
    let done = script.output().unwrap_or_else(|error| panic!("`script` of util-linux: {error}"));
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn long_work_shows_a_bar_with_rate_and_time_left_on_a_terminal_only() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, data) = (path(folder.path(), "estate"), path(folder.path(), "data"));
    let alerts = path(folder.path(), "alerts.ndjson");
    let is_drawn = |text: &str, unit: &str| {
        let bar = text.split(['\r', '\n']).find(|line| line.contains(unit) && line.contains(" left"));
        let bar = bar.unwrap_or_else(|| panic!("no bar of {unit}: {text}"));
        assert!(bar.contains("/s"), "no rate: {bar}");
    };
    let shown = on_a_terminal(&["simulate", "--out", &estate, "--customers", "4", "--days", "20"]);
    is_drawn(&shown, "customers");
    is_drawn(&on_a_terminal(&["ingest", "--data-dir", &data, &estate]), "iB");
    is_drawn(&on_a_terminal(&["detect", "--data-dir", &data]), "slices of time");
    is_drawn(&on_a_terminal(&["lake", "compact", "--data-dir", &data, "--all"]), "days");
    is_drawn(&on_a_terminal(&["lake", "vacuum", "--data-dir", &data]), "tables");
    fs::write(&alerts, ok(&["alerts", "list", "--data-dir", &data, "--all", "--output", "json"])).unwrap();
    is_drawn(&on_a_terminal(&["alerts", "import", "--data-dir", &data, &alerts]), "iB");
    let bad = path(folder.path(), "bad.json");
    fs::write(
        &bad,
        "{\"time\":\"soon\",\"operationName\":\"a/b/write\",\"resourceId\":\"/subscriptions/s\"}\n",
    )
    .unwrap();
    ok(&["ingest", "--data-dir", &data, &bad]);
    is_drawn(&on_a_terminal(&["quarantine", "retry", "--data-dir", &data]), " B");
    let scored = on_a_terminal(&["evaluate", "--seeds", "2-2", "--customers", "2", "--days", "3"]);
    is_drawn(&scored, "estates");
    assert!(scored.contains("precision"), "{scored}");
    let customers = path(folder.path(), "customers.csv");
    fs::write(&customers, "customerTenantId\nc-1\n").unwrap();
    assert!(on_a_terminal(&["customers", "import", "--data-dir", &data, &customers]).contains("importing 1"));

    // The same with pipes: not a sign of it.
    for arguments in [
        &["ingest", "--data-dir", &data, &estate][..],
        &["lake", "compact", "--data-dir", &data, "--all"],
        &["lake", "vacuum", "--data-dir", &data],
        &["quarantine", "retry", "--data-dir", &data],
        &["customers", "import", "--data-dir", &data, &customers],
    ] {
        let (code, _, err) = run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    }
    for (arguments, said) in [
        (&["detect", "--data-dir", &data][..], "raised, "),
        (&["alerts", "import", "--data-dir", &data, &alerts], " unchanged"),
        (&["simulate", "--out", &estate, "--customers", "2", "--days", "3"], "Wrote 2 customers"),
        (&["evaluate", "--seeds", "2-2", "--customers", "2", "--days", "3", "--json"], "seed 2: "),
    ] {
        let (code, _, err) = run(arguments);
        assert_eq!(code, 0, "{err}");
        assert!(err.lines().count() == 1 && err.contains(said) && !err.contains(['\r', '\u{1b}']), "{err:?}");
    }
    assert_eq!(json(&ok(&["lake", "status", "--data-dir", &data, "--json", "--kind", "dns"]))["events"], 0);
}
