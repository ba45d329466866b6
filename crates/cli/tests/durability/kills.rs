//! Kills at any moment under load.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::lake::rows_by_batch;
use crate::server::{Sender, Server, token};
use crate::{RECORDS_PER_BATCH, batch};

const SENDERS: usize = 4;

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

#[test]
fn what_was_acknowledged_is_stored_once_however_often_the_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path());
    let next = AtomicU64::new(0);
    let mut acknowledged = BTreeSet::new();
    let mut open: Vec<Option<String>> = vec![None; SENDERS];
    for round in 0..kills() {
        let server = Server::start(folder.path());
        let sender = server.sender(&token);
        // Times that have nothing to do with how long a commit takes.
        let alive = Duration::from_millis(30 + round * 7919 % 900);
        thread::scope(|scope| {
            let senders: Vec<_> =
                open.drain(..).map(|again| scope.spawn(|| send(&sender, again, &next))).collect();
            thread::sleep(alive);
            server.kill();
            for sender in senders {
                let (done, left) = sender.join().unwrap();
                acknowledged.extend(done);
                open.push(left);
            }
        });
        let stored = rows_by_batch(folder.path());
        for (name, rows) in &stored {
            assert_eq!(*rows, (RECORDS_PER_BATCH, RECORDS_PER_BATCH), "{name} after {round} kills");
        }
        let lost: Vec<_> = acknowledged.iter().filter(|name| !stored.contains_key(*name)).collect();
        assert!(lost.is_empty(), "acknowledged and lost after {round} kills: {lost:?}");
    }
    // Whatever was open is sent once more, and then all that was ever sent is there, once.
    let server = Server::start(folder.path());
    for name in open.into_iter().flatten() {
        assert_eq!(server.sender(&token).push(&batch(&name)).unwrap().0, 200);
    }
    server.kill();
    let stored = rows_by_batch(folder.path());
    assert_eq!(stored.len() as u64, next.load(Ordering::Relaxed));
    assert!(stored.values().all(|rows| *rows == (RECORDS_PER_BATCH, RECORDS_PER_BATCH)));
    println!(
        "{} kills: {} batches of {RECORDS_PER_BATCH} records, each stored once; {} had been acknowledged before a kill",
        kills(),
        stored.len(),
        acknowledged.len()
    );
}
