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

/// Whether this machine lets a test mount a disk that only it sees.
fn may_mount() -> bool {
    Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|done| done.status.success())
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
    if !may_mount() {
        println!("not run: this machine lets nobody mount a disk of its own (unshare -rm)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let token = token(&data);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK]);
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
