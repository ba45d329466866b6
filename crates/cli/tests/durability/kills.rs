//! Kills at any moment under load: records that are pushed, records in a folder that is followed, and a compactor
//! that rewrites the same table meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::lake::rows_by_batch;
use crate::server::{Sender, Server, token};
use crate::{RECORDS_PER_BATCH, batch};

const SENDERS: usize = 4;

/// How often something comes to the folder that is followed.
const FOLDER_GROWS_EVERY: Duration = Duration::from_millis(20);

/// How long the last server may take for what is in the folder, and a compaction that is waited for.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);

/// How often the server is killed; `benches/kills` asks for a hundred.
fn kills() -> u64 {
    std::env::var("TENANTWATCH_KILLS").ok().map_or(8, |text| text.parse().unwrap())
}

/// Sends batches until the server is gone; tells which were acknowledged. The first is one that was not
/// acknowledged before, as a sender would send it again.
fn send(sender: &Sender, again: Option<String>, next: &AtomicU64) -> (Vec<String>, Option<String>) {
    let mut acknowledged = Vec::new();
    let mut name = again;
    loop {
        let current =
            name.take().unwrap_or_else(|| format!("batch-{}", next.fetch_add(1, Ordering::Relaxed)));
        match sender.push(&batch(&current)) {
            Ok((200, _)) => acknowledged.push(current),
            Ok((status, reply)) => panic!("{status}: {reply}"),
            Err(_) => return (acknowledged, Some(current)),
        }
    }
}

/// A folder that the server follows: files of lines that grow, and files that appear as a whole.
struct Exports {
    folder: PathBuf,
    batches: u64,
}

impl Exports {
    /// A folder in the data directory, and the settings to follow it.
    fn new(data: &Path) -> Self {
        let folder = data.join("exports");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.display();
        let settings = format!(
            "[[sources]]\nname = 'exports'\ntype = 'folder'\npath = '{path}'\npoll_every = '10ms'\nsettle = '20ms'\n"
        );
        fs::write(data.join("tenantwatch.toml"), settings).unwrap();
        Self { folder, batches: 0 }
    }

    /// Adds batches until told to stop.
    fn grow(&mut self, round: u64, stop: &Receiver<()>) {
        loop {
            let records = batch(&format!("followed-{}", self.batches));
            if self.batches % 4 == 3 {
                let hidden = self.folder.join(".whole.tmp");
                let records = records.replace('\n', ",\n");
                fs::write(&hidden, format!("{{\"records\":[\n{records}\n]}}")).unwrap();
                fs::rename(&hidden, self.folder.join(format!("whole-{}.json", self.batches))).unwrap();
            } else {
                let lines = self.folder.join(format!("lines-{}.json", round / 3));
                let mut file = OpenOptions::new().append(true).create(true).open(lines).unwrap();
                // In two writes, so that a line is unfinished now and then.
                let (first, second) = records.split_at(records.len() / 2);
                file.write_all(first.as_bytes()).unwrap();
                file.write_all(second.as_bytes()).unwrap();
                file.write_all(b"\n").unwrap();
            }
            self.batches += 1;
            if !matches!(stop.recv_timeout(FOLDER_GROWS_EVERY), Err(RecvTimeoutError::Timeout)) {
                return;
            }
        }
    }

    /// Waits until all that was written is in the lake.
    fn wait_until_stored(&self, data: &Path) -> BTreeMap<String, (u64, u64)> {
        let begin = Instant::now();
        loop {
            let stored = rows_by_batch(data);
            let complete = |name: String| stored.get(&name) == Some(&(RECORDS_PER_BATCH, RECORDS_PER_BATCH));
            let missing = (0..self.batches).filter(|n| !complete(format!("followed-{n}"))).count();
            if missing == 0 {
                return stored;
            }
            assert!(
                begin.elapsed() < DRAINED_WITHIN,
                "{missing} of {} batches of the folder are not stored",
                self.batches
            );
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A process that merges all files of the lake.
fn compactor(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantwatch"));
    command.args(["lake", "compact", "--all", "--kind", "activity", "--data-dir"]).arg(data);
    command.stdout(Stdio::null());
    command
}

/// Merges all files of the lake again and again, as the server's upkeep does now and then, each time in a process of
/// its own; the one that is at work when it is told to stop is killed. `ended` grows with each that comes to an end.
fn compact(data: &Path, stop: &Receiver<()>, ended: &AtomicU64) {
    loop {
        let mut compactor = compactor(data).stderr(Stdio::piped()).spawn().unwrap();
        let status = loop {
            if let Some(status) = compactor.try_wait().unwrap() {
                break status;
            }
            if !matches!(stop.recv_timeout(Duration::from_millis(5)), Err(RecvTimeoutError::Timeout)) {
                compactor.kill().unwrap();
                compactor.wait().unwrap();
                return;
            }
        };
        let said = std::io::read_to_string(compactor.stderr.take().unwrap()).unwrap();
        assert!(status.success(), "the compactor failed: {said}");
        ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nothing is there twice, and of what was pushed nothing is there in part.
fn check(stored: &BTreeMap<String, (u64, u64)>, round: u64) {
    for (name, (rows, different)) in stored {
        assert_eq!(rows, different, "{name} after {round} kills: some of its records are there twice");
        // A piece of a file may end within a batch; a request may not.
        let is_whole = *rows == RECORDS_PER_BATCH;
        assert!(is_whole || name.starts_with("followed-"), "{name} after {round} kills: {rows} records");
    }
}

#[test]
fn what_was_acknowledged_is_stored_once_however_often_the_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let token = token(data);
    let mut exports = Exports::new(data);
    let next = AtomicU64::new(0);
    let mut acknowledged = BTreeSet::new();
    let mut open: Vec<Option<String>> = vec![None; SENDERS];
    let compactions = AtomicU64::new(0);
    let mut followed_before_a_kill = 0;
    for round in 0..kills() {
        let server = Server::start(data);
        let sender = server.sender(&token);
        // Times that have nothing to do with how long a commit takes.
        let alive = Duration::from_millis(30 + round * 7919 % 900);
        // Most compactors are killed at work. So that what they did to its end is met too, now and then one may end.
        let compactions_first = compactions.load(Ordering::Relaxed) + u64::from(round % 4 == 3);
        let (stop_growing, growing) = channel();
        let (stop_compacting, compacting) = channel();
        thread::scope(|scope| {
            let senders: Vec<_> =
                open.drain(..).map(|again| scope.spawn(|| send(&sender, again, &next))).collect();
            let exports = &mut exports;
            scope.spawn(move || exports.grow(round, &growing));
            let ended = &compactions;
            scope.spawn(move || compact(data, &compacting, ended));
            thread::sleep(alive);
            let begin = Instant::now();
            while ended.load(Ordering::Relaxed) < compactions_first && begin.elapsed() < DRAINED_WITHIN {
                thread::sleep(Duration::from_millis(5));
            }
            server.kill();
            // They notice as well when the sending end is gone.
            let _ = stop_compacting.send(());
            let _ = stop_growing.send(());
            for sender in senders {
                let (done, left) = sender.join().unwrap();
                acknowledged.extend(done);
                open.push(left);
            }
        });
        let stored = rows_by_batch(data);
        check(&stored, round + 1);
        followed_before_a_kill = stored.keys().filter(|name| name.starts_with("followed-")).count();
        let lost: Vec<_> = acknowledged.iter().filter(|name| !stored.contains_key(*name)).collect();
        assert!(lost.is_empty(), "acknowledged and lost after {round} kills: {lost:?}");
    }
    // Whatever was open is sent once more, the folder is read to its end, and then all that there ever was is there,
    // once, also after a compaction that is let come to its end.
    let server = Server::start(data);
    for name in open.into_iter().flatten() {
        assert_eq!(server.sender(&token).push(&batch(&name)).unwrap().0, 200);
    }
    exports.wait_until_stored(data);
    let status = compactor(data).status().unwrap();
    assert!(status.success(), "{status}");
    server.kill();
    let stored = rows_by_batch(data);
    check(&stored, kills());
    assert_eq!(stored.len() as u64, next.load(Ordering::Relaxed) + exports.batches);
    assert!(stored.values().all(|rows| *rows == (RECORDS_PER_BATCH, RECORDS_PER_BATCH)));
    println!(
        "{} kills: {} batches of {RECORDS_PER_BATCH} records, each stored once; {} were pushed, {} of them acknowledged \
         before a kill; {} were in the folder, {followed_before_a_kill} of them stored before the last kill; \
         {} compactions came to an end meanwhile",
        kills(),
        stored.len(),
        next.load(Ordering::Relaxed),
        acknowledged.len(),
        exports.batches,
        compactions.load(Ordering::Relaxed),
    );
}
