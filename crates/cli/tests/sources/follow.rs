//! `ingest --follow`, as a script would use it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Here, Process, append, record};

/// Starts following, and waits until it does.
fn follow(here: &Here, paths: &[&Path], json: bool) -> Process {
    let mut command = here.command(&["ingest", "--follow"]);
    command.args(json.then_some("--json")).args(paths);
    let process = Process::start(command);
    assert!(process.line(|line| line.starts_with("Following ")).contains("nothing is detected"));
    process
}

/// The next change that stored or rejected something of a source: stored, duplicates, quarantined.
fn change(process: &Process, source: &str) -> [u64; 3] {
    let line = process.line(|line| line.starts_with('{'));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["source"], source, "{line}");
    ["stored", "duplicates", "quarantined"].map(|name| line[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_stored_once_through_stops_and_starts() {
    let here = Here::new();
    let (exports, single) = (here.folder.path().join("exports"), here.folder.path().join("app.json"));
    fs::create_dir(&exports).unwrap();
    let growing = exports.join("PT1H.json");
    append(&growing, &(record("VM1") + "\n" + &record("VM2") + "\n"));
    let names = [&exports, &single].map(|path| format!("follow:{}", path.display()));

    let process = follow(&here, &[&exports], true);
    assert_eq!(change(&process, &names[0]), [2, 0, 0]);
    append(&growing, &(record("VM3") + "\n"));
    assert_eq!(change(&process, &names[0]), [1, 0, 0]);
    append(
        &exports.join("bad.json"),
        "{\"time\":\"soon\",\"operationName\":\"a/b/write\",\"resourceId\":\"/x\"}\n",
    );
    assert_eq!(change(&process, &names[0]), [0, 0, 1]);
    let said = process.stop("-TERM");
    assert!(
        said.iter().any(|line| line == "Stopped: 4 read: 3 stored, 0 duplicates, 1 quarantined"),
        "{said:?}"
    );
    assert!(here.ok(&["quarantine", "list"]).contains("bad.json"));
    assert_eq!(here.machines(3).await, ["vm1", "vm2", "vm3"]);

    // While nobody looks a file grows, and another comes. The lease was given back, so nothing is waited for.
    append(&growing, &(record("VM4") + "\n"));
    append(&single, &(record("VM5") + "\n"));
    let process = follow(&here, &[&exports, &single], true);
    let (mut first, mut second) = ([0; 3], [0; 3]);
    for _ in 0..2 {
        let line: Value = serde_json::from_str(&process.line(|line| line.starts_with('{'))).unwrap();
        let counts = ["stored", "duplicates", "quarantined"].map(|name| line[name].as_u64().unwrap());
        *(if line["source"] == names[0].as_str() { &mut first } else { &mut second }) = counts;
    }
    assert_eq!((first, second), ([1, 0, 0], [1, 0, 0]), "only what is new is read");
    append(&single, &(record("VM6") + "\n"));
    assert_eq!(change(&process, &names[1]), [1, 0, 0]);
    let said = process.stop("-INT");
    assert!(said.iter().all(|line| line.starts_with("Stopped: 3 read")), "{said:?}");
    assert_eq!(here.machines(6).await, ["vm1", "vm2", "vm3", "vm4", "vm5", "vm6"]);
    let positions = here.positions(&names[0]).await;
    assert_eq!(positions["PT1H.json"]["o"], fs::metadata(&growing).unwrap().len());

    // A third start finds nothing to do, and detects nothing.
    let process = follow(&here, &[&exports, &single], false);
    append(&growing, &(record("VM7") + "\n"));
    let line = process.line(|line| line.contains("read from"));
    assert_eq!(
        line,
        format!("{}: 1 read from 1 files: 1 stored, 0 duplicates, 0 quarantined", exports.display())
    );
    process.stop("-TERM");
    assert_eq!(here.machines(7).await.len(), 7);
    assert_eq!(here.ok(&["alerts", "list", "--json"]), "");
    let sources = here.status()["sources"].clone();
    let known: Vec<_> = sources.as_array().unwrap().iter().map(|source| &source["name"]).collect();
    assert_eq!(known, [&Value::from(names[1].as_str()), &Value::from(names[0].as_str())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_follows_the_same_folder_and_this_take_turns() {
    let here = Here::new();
    let exports = here.folder.path().join("exports");
    fs::create_dir(&exports).unwrap();
    let path = exports.display();
    here.set(&format!(
        "scheduled_detection = false\n[[sources]]\ntype = 'folder'\nname = 'exports'\npath = '{path}'\npoll_every = '50ms'\n"
    ));
    let file = exports.join("PT1H.json");
    append(&file, &(record("VM1") + "\n"));
    let server = here.serve(&[]);
    assert_eq!(here.machines(1).await, ["vm1"]);

    // The server reads it, so that this one waits.
    let waiting = follow(&here, &[&exports], true);
    let said = waiting.line(|line| line.contains("another process"));
    assert!(said.starts_with("exports is read by another process on the same alerts"), "{said}");
    append(&file, &(record("VM2") + "\n"));
    assert_eq!(here.machines(2).await, ["vm1", "vm2"]);

    // It stops, and what comes now comes here, from where the server left off.
    server.stop("-TERM");
    append(&file, &(record("VM3") + "\n"));
    assert_eq!(change(&waiting, "exports"), [1, 0, 0]);
    // A server that starts now waits in its turn, and does everything else.
    let server = here.serve(&[]);
    append(&file, &(record("VM4") + "\n"));
    assert_eq!(change(&waiting, "exports"), [1, 0, 0]);
    waiting.stop("-TERM");
    append(&file, &(record("VM5") + "\n"));
    assert_eq!(here.machines(5).await, ["vm1", "vm2", "vm3", "vm4", "vm5"]);
    server.stop("-TERM");
}

#[test]
fn what_cannot_be_followed_is_told() {
    let here = Here::new();
    let check = |paths: &[&str], words: &[&str]| {
        let mut command = here.command(&["ingest", "--follow"]);
        let done = command.args(paths).output().unwrap();
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        assert_eq!((done.status.code(), out.as_str()), (Some(1), ""), "{err}");
        for word in words {
            assert!(err.contains(word), "{word}: {err}");
        }
    };
    check(&["/no/such/folder"], &["/no/such/folder does not exist"]);
    fs::create_dir_all(here.data()).unwrap();
    let around = here.folder.path().to_str().unwrap();
    check(&[around], &[around, "holds the data directory", "--data-dir"]);
}
