//! A disk that fills up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lake::rows_by_batch;
use crate::server::{Server, token};
use crate::{RECORDS_PER_BATCH, batch};

/// Makes a small disk over the data directory that only this process sees, leaves a little free, and
/// becomes the server.
const ON_A_SMALL_DISK: &str = r#"
set -e
cp -r "$DATA" "$DATA.kept"
mount -t tmpfs -o size=24m tmpfs "$DATA"
cp -r "$DATA.kept/." "$DATA"
dd if=/dev/zero of="$DATA/ballast" bs=1M count=18 status=none
exec "$BIN" serve --listen 127.0.0.1:0 --data-dir "$DATA"
"#;

/// Skips this test where nobody may mount a disk, in so many words: set it to 1.
const SKIP: &str = "TENANTWATCH_NO_FULL_DISK";

/// Ways to a shell with mounts of its own: as somebody with the right to namespaces of users, as root without it.
const WAYS: [&[&str]; 2] = [&["unshare", "-rm", "sh", "-c"], &["unshare", "-m", "sh", "-c"]];

/// The way that this machine allows; else what it said to each.
fn way_to_a_disk(folder: &Path) -> Result<&'static [&'static str], String> {
    let mut refusals = String::new();
    for way in WAYS {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg("mount -t tmpfs -o size=1m tmpfs \"$0\"").arg(folder);
        match command.output() {
            Ok(done) if done.status.success() => return Ok(way),
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr);
                refusals += &format!("{}: {} ({})\n", way.join(" "), said.trim(), done.status);
            }
            Err(error) => refusals += &format!("{}: {error}\n", way.join(" ")),
        }
    }
    Err(refusals)
}

/// The files of a process's data directory, copied to where this process can read them.
fn copy_out(seen_by: u32, data: &Path, to: &Path) -> PathBuf {
    let inside = format!("/proc/{seen_by}/root{}/lake", data.display());
    fs::create_dir_all(to).unwrap();
    assert!(Command::new("cp").arg("-r").arg(inside).arg(to).status().unwrap().success());
    to.to_owned()
}

#[test]
fn a_full_disk_is_told_and_loses_nothing_that_was_acknowledged() {
    if std::env::var(SKIP).is_ok_and(|value| value == "1") {
        println!("not run: {SKIP} is 1");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let way = way_to_a_disk(folder.path()).unwrap_or_else(|refusals| {
        panic!(
            "this machine lets nobody mount a disk of 24 MB that only the test sees, so that what happens when it is \
             full was not tested. Run the tests as root or allow namespaces of users, or set {SKIP}=1 to leave this \
             one out.\n{refusals}"
        )
    });
    let data = folder.path().join("data");
    let token = token(&data);
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).arg(ON_A_SMALL_DISK);
    command.env("DATA", &data).env("BIN", env!("CARGO_BIN_EXE_tenantwatch"));
    let server = Server::start_by(command);
    let sender = server.sender(&token);
    let pid = server.process.id();

    let mut acknowledged = Vec::new();
    let mut refusal = None;
    for number in 0..2000 {
        let name = format!("batch-{number}");
        match sender.push(&batch(&name)).unwrap() {
            (200, _) => acknowledged.push(name),
            (status, reply) => {
                refusal = Some((status, reply));
                break;
            }
        }
    }
    let (status, reply) = refusal.expect("the disk is never full");
    assert_eq!(status, 503, "{reply}");
    assert!(reply.contains("the server's disk is full") && reply.contains("retry-after"), "{reply}");
    assert!(!acknowledged.is_empty());

    let kept = copy_out(pid, &data, &folder.path().join("full"));
    let stored = rows_by_batch(&kept);
    assert!(acknowledged.iter().all(|name| stored[name] == (RECORDS_PER_BATCH, RECORDS_PER_BATCH)));

    // With room again, the same server goes on.
    fs::remove_file(format!("/proc/{pid}/root{}/ballast", data.display())).unwrap();
    for number in 0..20 {
        let name = format!("later-{number}");
        let (status, reply) = sender.push(&batch(&name)).unwrap();
        assert_eq!(status, 200, "{reply}");
        acknowledged.push(name);
    }
    let kept = copy_out(pid, &data, &folder.path().join("later"));
    server.kill();
    let stored = rows_by_batch(&kept);
    assert!(acknowledged.iter().all(|name| stored[name] == (RECORDS_PER_BATCH, RECORDS_PER_BATCH)));
    assert!(stored.values().all(|rows| *rows == (RECORDS_PER_BATCH, RECORDS_PER_BATCH)));
}
