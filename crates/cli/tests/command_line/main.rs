//! The binary as a script sees it: what goes to which stream, and the exit codes.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod detectors;
mod progress;
mod quarantine;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    run_with(&[], arguments)
}

/// The same, with variables.
fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_tenantwatch"))
        .args(arguments)
        .env_remove("TENANTWATCH_DATA_DIR")
        .env_remove("TENANTWATCH_SERVER")
        .env_remove("TENANTWATCH_TOKEN")
        .env_remove("RUST_LOG")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn ok(arguments: &[&str]) -> String {
    let (code, out, err) = run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    out
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// A server over the data, and its URL without a slash at the end.
fn serve(data: &str) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_tenantwatch"))
        .args(["serve", "--data-dir", data, "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().trim_end_matches('/').to_owned())
}

#[test]
fn an_estate_becomes_alerts_that_scripts_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, data) = (path(folder.path(), "estate"), path(folder.path(), "data"));
    ok(&["simulate", "--out", &estate, "--seed", "3", "--customers", "6", "--days", "30"]);
    let labels = json(&fs::read_to_string(folder.path().join("estate/labels.json")).unwrap());
    let first = labels[0].as_object().unwrap();
    for key in [
        "scenario",
        "kind",
        "malicious",
        "customer_tenant",
        "subscription",
        "from",
        "until",
        "first_event",
        "principals",
        "resources",
    ] {
        assert!(first.contains_key(key), "{key}");
    }

    let taken = json(&ok(&["ingest", "--data-dir", &data, "--json", &estate]));
    assert_eq!(taken["quarantined"], 0);
    assert_eq!(taken["read"], taken["stored"]);
    for kind in ["activity", "cost", "flow"] {
        assert!(taken["by_kind"][kind]["stored"].as_u64().unwrap() > 0, "{kind}");
    }
    let again = json(&ok(&["ingest", "--data-dir", &data, "--json", &estate]));
    assert_eq!((&again["stored"], &again["duplicates"]), (&Value::from(0), &taken["stored"]));

    let alerts: Vec<Value> = ok(&["detect", "--data-dir", &data, "--json"]).lines().map(json).collect();
    assert!(!alerts.is_empty());
    let attacked = |alert: &Value| {
        labels
            .as_array()
            .unwrap()
            .iter()
            .any(|label| label["malicious"] == true && label["subscription"] == alert["subscriptionId"])
    };
    assert!(alerts.iter().any(attacked), "no alert is of a subscription that was attacked");
    assert_eq!(ok(&["detect", "--data-dir", &data, "--json"]), "", "the same events again raise nothing");

    // The same records, scored by the labels of others.
    let labels = path(folder.path(), "estate/labels.json");
    let scores = json(&ok(&["evaluate", "--labels", &labels, "--data-dir", &data, "--json"]));
    assert!(scores["detected_attacks"].as_u64() > Some(0), "{scores}");
    assert!(scores["clean_subscription_days"].as_u64() > Some(30), "{scores}");
    let (code, _, err) = run(&["evaluate", "--labels", &labels]);
    assert!(code == 2 && err.contains("--data-dir"), "{err}");

    let id = alerts[0]["id"].as_str().unwrap();
    assert_eq!(json(&ok(&["alerts", "show", "--data-dir", &data, id]))["id"], id);
    let updated = ok(&[
        "alerts",
        "update",
        "--data-dir",
        &data,
        id,
        "--status",
        "resolved",
        "--reason",
        "fraud",
        "--by",
        "ann@partner.example",
    ]);
    assert_eq!(json(&updated)["resolvedBy"], "ann@partner.example");
    let resolved = ok(&["alerts", "list", "--data-dir", &data, "--json", "--filter", "status eq 'resolved'"]);
    assert_eq!(resolved.lines().map(|line| json(line)["id"].clone()).collect::<Vec<_>>(), [id]);

    // What was listed can be taken in elsewhere.
    let saved = path(folder.path(), "alerts.ndjson");
    fs::write(&saved, ok(&["alerts", "list", "--data-dir", &data, "--json", "--top", "1000"])).unwrap();
    let elsewhere = path(folder.path(), "elsewhere");
    let (_, _, said) = run(&["alerts", "import", "--data-dir", &elsewhere, &saved]);
    assert!(said.starts_with(&format!("{} added, 0 replaced", alerts.len())), "{said}");
}

#[test]
fn evaluation_prints_its_four_figures() {
    let scores = json(&ok(&["evaluate", "--seeds", "2-2", "--customers", "6", "--days", "25", "--json"]));
    for key in
        ["precision", "recall", "median_time_to_detect_s", "false_alerts_per_1000_clean_subscription_days"]
    {
        assert!(scores.get(key).is_some(), "{key} in {scores}");
    }
}

#[test]
fn a_token_is_printed_alone_and_opens_a_server_that_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(folder.path(), "data");
    let token = ok(&["token", "--data-dir", &data, "--scope", "PartnerSecurity.Read.All", "--app"]);
    assert_eq!(token.lines().count(), 1);
    assert_eq!(token.trim().split('.').count(), 3);

    let (mut server, url) = serve(&data);
    let address = url.trim_start_matches("http://").to_owned();
    let ask = |authorization: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!(
            "GET /beta/security/partner/securityAlerts HTTP/1.1\r\nhost: {address}\r\n{authorization}connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    let open = ask(&format!("authorization: Bearer {}\r\n", token.trim()));
    let shut = ask("");
    // Clean up before judging, so that a failure leaves no server behind.
    let stopped = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    let code = server.wait().unwrap();
    assert!(open.starts_with("HTTP/1.1 200") && open.contains("\"value\":[]"), "{open}");
    assert!(shut.starts_with("HTTP/1.1 401"), "{shut}");
    assert!(stopped.success() && code.success(), "{code}");
}

/// Takes in a few alerts and returns the data directory.
fn imported(folder: &Path) -> String {
    let (data, file) = (path(folder, "data"), path(folder, "alerts.ndjson"));
    let alert = |n: u32, severity: &str| {
        serde_json::json!({
            "id": format!("a-{n}"), "alertType": "CryptoMining", "displayName": format!("Mining, case {n}"),
            "severity": severity, "confidenceLevel": "low", "status": "active",
            "detectedDateTime": format!("2031-01-01T0{n}:00:00Z"), "customerTenantId": "customer-a",
            "subscriptionId": "sub-1", "additionalDetails": {"VmCount": "12"}
        })
    };
    let lines = [alert(1, "low"), alert(2, "high"), alert(3, "medium")].map(|alert| alert.to_string());
    fs::write(&file, lines.join("\n")).unwrap();
    ok(&["alerts", "import", "--data-dir", &data, &file]);
    data
}

#[test]
fn a_server_is_listed_shown_and_changed_as_the_data_directory_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = imported(folder.path());
    let token =
        |scope: &str| ok(&["token", "--data-dir", &data, "--scope", scope, "--user", "ann@partner.example"]);
    let (reader, writer) = (token("PartnerSecurity.Read.All"), token("PartnerSecurity.ReadWrite.All"));
    let (mut server, url) = serve(&data);

    let ask = |token: &str, arguments: &[&str]| {
        run_with(
            &[("TENANTWATCH_SERVER", url.as_str()), ("TENANTWATCH_TOKEN", token)],
            &[&["alerts"], arguments].concat(),
        )
    };
    let here = |arguments: &[&str]| {
        let mut all = vec!["alerts"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&["--data-dir", &data]);
        run(&all)
    };
    let mut same = Vec::new();
    for arguments in [
        &["list"][..],
        &["list", "--output", "csv", "--orderby", "detectedDateTime"],
        &["list", "--json", "--filter", "severity eq 'high'"],
        &["list", "--select", "id,additionalDetails/VmCount", "--top", "2"],
        &["list", "--all", "--output", "csv", "--select", "id"],
        &["show", "a-2", "--output", "table"],
    ] {
        same.push((arguments, ask(&reader, arguments), here(arguments)));
    }
    let refused = ask(&reader, &["update", "a-1", "--status", "investigating"]);
    let changed = ask(&writer, &["update", "a-1", "--status", "resolved", "--reason", "fraud"]);
    let expired = ask("none", &["list"]);
    let unknown = ask(&reader, &["show", "none"]);
    let wrong = ask(&reader, &["list", "--filter", "severty eq 'high'"]);
    // Clean up before judging, so that a failure leaves no server behind.
    server.kill().unwrap();
    server.wait().unwrap();

    for (arguments, there, here) in &same {
        assert_eq!(there, here, "{arguments:?}");
        assert_eq!(there.0, 0, "{arguments:?}: {}", there.2);
    }
    insta::assert_snapshot!(same[0].1.1, @r"
    ID   SEVERITY  STATUS  DETECTED (UTC)    CUSTOMER    TYPE          TITLE
    a-3  medium    active  2031-01-01 03:00  customer-a  CryptoMining  Mining, case 3
    a-2  high      active  2031-01-01 02:00  customer-a  CryptoMining  Mining, case 2
    a-1  low       active  2031-01-01 01:00  customer-a  CryptoMining  Mining, case 1
    ");
    insta::assert_snapshot!(same[1].1.1, @r#"
    id,alertType,displayName,description,severity,confidenceLevel,status,detectedDateTime,firstObservedDateTime,lastObservedDateTime,customerTenantId,subscriptionId,valueAddedResellerTenantId,catalogOfferId,resolvedBy,resolvedOnDateTime,resolvedReason,isTest
    a-1,CryptoMining,"Mining, case 1",,low,low,active,2031-01-01T01:00:00Z,,,customer-a,sub-1,,,,,,
    a-2,CryptoMining,"Mining, case 2",,high,low,active,2031-01-01T02:00:00Z,,,customer-a,sub-1,,,,,,
    a-3,CryptoMining,"Mining, case 3",,medium,low,active,2031-01-01T03:00:00Z,,,customer-a,sub-1,,,,,,
    "#);
    assert_eq!(json(&same[2].1.1)["id"], "a-2");
    insta::assert_snapshot!(same[3].1.1, @r"
    id   additionalDetails/VmCount
    a-3  12
    a-2  12
    ");
    assert!(same[3].1.2.starts_with("There are more than 2"), "{}", same[3].1.2);
    assert_eq!(same[4].1.1, "id\na-3\na-2\na-1\n");

    let check = |(code, out, err): (i32, String, String), words: &[&str]| {
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        for word in words {
            assert!(err.contains(word), "{word}: {err}");
        }
    };
    check(refused, &["(403 ", "needs the permission PartnerSecurity.ReadWrite.All"]);
    check(
        expired,
        &["(401 InvalidAuthenticationToken", "tenantwatch token --scope PartnerSecurity.Read.All"],
    );
    check(unknown, &["(404 ", "'none' does not exist"]);
    check(wrong, &["(400 ", "did you mean 'severity'?"]);
    let (code, out, err) = changed;
    assert_eq!(code, 0, "{err}");
    assert_eq!(json(&out)["resolvedBy"], "ann@partner.example", "{out}");
}

#[test]
fn a_server_that_cannot_be_asked_is_told() {
    let check = |variables: &[(&str, &str)], arguments: &[&str], code: i32, words: &str| {
        let (found, out, err) = run_with(variables, arguments);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    };
    let token = [("TENANTWATCH_TOKEN", "s3cr3t")];
    let list = |server| ["alerts", "list", "--server", server];
    check(&[], &list("https://graph.microsoft.com"), 1, "set TENANTWATCH_TOKEN");
    check(&token, &list("graph.microsoft.com"), 1, "write one like https://graph.microsoft.com");
    check(&token, &list("http://partner.example"), 1, "use https");
    check(&token, &[&list("http://127.0.0.1:1")[..], &["--ca", "/no/such.pem"]].concat(), 1, "/no/such.pem");
    check(&[], &["alerts", "list", "--ca", "ca.pem"], 2, "--server");
    check(&[], &["alerts", "list", "--all", "--top", "3"], 2, "--all");
    check(
        &[],
        &["alerts", "update", "a", "--status", "active", "--server", "http://127.0.0.1:1", "--by", "ann"],
        2,
        "--by",
    );
    let help = run_with(&token, &["alerts", "list", "--help"]).1;
    assert!(help.contains("TENANTWATCH_TOKEN") && !help.contains("s3cr3t"), "{help}");
}

#[test]
fn mistakes_are_told_on_standard_error_with_their_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(folder.path(), "data");
    let occupied = path(folder.path(), "occupied");
    fs::create_dir_all(&occupied).unwrap();
    fs::write(folder.path().join("occupied/thesis.txt"), "precious").unwrap();
    let check = |arguments: &[&str], code: i32, words: &str| {
        let (found, out, err) = run(arguments);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    };
    check(&["ingest", "--data-dir", &data], 2, "<PATH>...");
    check(&["ingest", "--data-dir", &data, "/no/such/file"], 1, "/no/such/file does not exist");
    check(&["detect", "--data-dir", &data, "--since", "yesterday"], 2, "2026-11-01T06:00:00Z");
    check(
        &["detect", "--data-dir", &data, "--since", "2026-10-02", "--until", "2026-10-01"],
        1,
        "does not lie before",
    );
    check(&["simulate", "--out", &occupied], 1, "choose another folder");
    check(&["demo", "--data-dir", &occupied, "--listen", "127.0.0.1:0"], 1, "--data-dir");
    check(&["demo", "--listen", "0.0.0.0:0"], 1, "loopback only");
    check(&["serve", "--data-dir", &data, "--store", "postgres://x"], 1, "names no host or no database");
    check(&["alerts", "show", "--data-dir", &data, "none"], 1, "'none' does not exist");
    check(
        &["alerts", "list", "--data-dir", &data, "--filter", "severty eq 'high'"],
        1,
        "did you mean 'severity'?",
    );
    check(
        &["alerts", "update", "--data-dir", &data, "none", "--status", "done"],
        1,
        "use one of active, resolved, investigating",
    );
    check(&["evaluate", "--seeds", "5-1"], 2, "1-5");
    assert_eq!(fs::read_to_string(folder.path().join("occupied/thesis.txt")).unwrap(), "precious");
}

#[test]
fn tables_are_shown_compacted_and_vacuumed_beside_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, data) = (path(folder.path(), "estate"), path(folder.path(), "data"));
    ok(&["simulate", "--out", &estate, "--seed", "3", "--customers", "2", "--days", "3"]);
    let (mut server, _) = serve(&data);
    // Each of these is an append of its own, so that days have several files.
    for kind in ["insights-activity-logs", "exports"] {
        let folder = Path::new(&estate).join(kind);
        if folder.exists() {
            ok(&["ingest", "--data-dir", &data, folder.to_str().unwrap()]);
        }
    }
    ok(&["ingest", "--data-dir", &data, &estate]);
    let status = || -> Vec<Value> {
        ok(&["lake", "status", "--data-dir", &data, "--json"]).lines().map(json).collect()
    };
    let before = status();
    assert_eq!(before.len(), 9);
    assert!(before[0]["events"].as_u64().unwrap() > 0 && before[0]["last_day"].is_string(), "{before:?}");
    let compacted = ok(&["lake", "compact", "--data-dir", &data, "--all", "--json", "--kind", "activity"]);
    assert_eq!(json(&compacted)["kind"], "activity");
    let after = status();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before["kind"], &before["events"]), (&after["kind"], &after["events"]));
    }
    assert_eq!(after[0]["small_files"], 0, "{after:?}");
    let removed = ok(&["lake", "vacuum", "--data-dir", &data, "--keep-hours", "1"]);
    assert!(removed.trim_start().starts_with("KIND"), "{removed}");
    assert_eq!(removed.lines().count(), 10, "{removed}");
    assert!(ok(&["lake", "status", "--data-dir", &data]).contains("security_alert"));

    let (code, _, err) = run(&["lake", "compact", "--data-dir", &data, "--kind", "bills"]);
    assert!(code == 2 && err.contains("the kinds are activity, cost, flow"), "{err}");
    let (code, _, err) = run(&["lake", "vacuum", "--data-dir", &data, "--keep-hours", "0"]);
    assert!(code == 2 && err.contains("--keep-hours"), "{err}");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn customers_keys_and_freshness_are_seen_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(folder.path(), "data");
    let customer = "0f0e0d0c-3333-4000-8000-00000000000c";
    let list = path(folder.path(), "customers.csv");
    fs::write(&list, format!("customerTenantId,name,resellerTenantId\n{customer},Contoso,r-1\n,Nobody,\n"))
        .unwrap();
    let imported = json(&ok(&["customers", "import", "--data-dir", &data, "--json", &list]));
    assert_eq!((&imported["new"], imported["rejected"].as_array().unwrap().len()), (&Value::from(1), 1));
    let again = ok(&["customers", "import", "--data-dir", &data, &list]);
    assert!(again.contains("1 as they were") && again.contains("no tenant"), "{again}");
    assert_eq!(json(&ok(&["customers", "list", "--data-dir", &data, "--json"]))["name"], "Contoso");
    let (code, _, err) = run(&["customers", "import", "--data-dir", &data, &path(folder.path(), "none.csv")]);
    assert!(code == 1 && err.contains("none.csv"), "{err}");

    let (code, key, err) =
        run(&["keys", "create", "--data-dir", &data, "--customer", customer, "--kind", "flow"]);
    assert!(code == 0 && key.starts_with("twk_") && err.contains("shown only now"), "{err}");
    let listed = json(&ok(&["keys", "list", "--data-dir", &data, "--json"]));
    assert_eq!((&listed["customerTenantId"], &listed["holds"]), (&Value::from(customer), &Value::from(true)));
    assert!(!listed.to_string().contains(key.trim()), "the key is kept nowhere");
    let id = listed["id"].as_str().unwrap();
    ok(&["keys", "revoke", "--data-dir", &data, id]);
    assert_eq!(json(&ok(&["keys", "list", "--data-dir", &data, "--json"]))["holds"], false);
    let (code, _, err) = run(&["keys", "revoke", "--data-dir", &data, "nothing"]);
    assert!(code == 1 && err.contains("there is no key nothing"), "{err}");

    let table = ok(&["sources", "status", "--data-dir", &data, "--silent"]);
    assert!(table.contains(customer) && table.contains("never seen"), "{table}");
    let status = json(&ok(&["sources", "status", "--data-dir", &data, "--json"]));
    assert_eq!(status["neverSeen"][0]["name"], "Contoso", "{status}");
    let empty = path(folder.path(), "empty");
    let (code, _, err) = run(&["sources", "status", "--data-dir", &empty]);
    assert!(code == 0 && err.contains("No records yet"), "{err}");
    let record = format!(
        r#"{{"time":"2031-02-03T04:05:06Z","resourceId":"/subscriptions/s-1/resourceGroups/rg","operationName":"A/B/write","category":"Administrative","resultType":"Success","tenantId":"{customer}"}}"#
    );
    let file = path(folder.path(), "PT1H.json");
    fs::write(&file, record).unwrap();
    ok(&["ingest", "--data-dir", &data, &file]);
    let status = json(&ok(&["sources", "status", "--data-dir", &data, "--json"]));
    let line = &status["coverage"][0];
    assert_eq!(
        (&line["customerTenantId"], &line["kind"]),
        (&Value::from(customer), &Value::from("activity"))
    );
    assert_eq!((&line["stored"], &line["silent"]), (&Value::from(1), &Value::from(false)));
    assert_eq!(status["neverSeen"], Value::Array(vec![]));
    let of_costs = json(&ok(&["sources", "status", "--data-dir", &data, "--json", "--kind", "cost"]));
    assert_eq!(of_costs["neverSeen"][0]["customerTenantId"], customer, "{of_costs}");
    let other = path(folder.path(), "subscriptions.csv");
    fs::write(&other, format!("customerTenantId,subscriptionId\n{customer},s-1\n{customer},s-2\n")).unwrap();
    let imported = json(&ok(&["customers", "import", "--data-dir", &data, "--json", &other]));
    assert_eq!((&imported["unchanged"], &imported["subscriptions"]), (&Value::from(1), &Value::from(2)));
    let listed = json(&ok(&["customers", "list", "--data-dir", &data, "--json"]));
    assert_eq!((&listed["subscriptions"], &listed["seen"]), (&Value::from(2), &Value::from(true)));
    let table = ok(&["sources", "status", "--data-dir", &data, "--subscriptions"]);
    assert!(table.contains("s-1") && table.contains("fresh"), "{table}");
}
