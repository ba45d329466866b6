//! Keys and disks, taken.

use chrono::TimeDelta;
use serde_json::json;

use super::targets::{disk_of, services, some_machines, things};
use super::worker::{Worker, entry};
use crate::catalog::meter;
use crate::estate::Rhythm;
use crate::scenario::Stage;

/// What hands out its keys: operation, type, how many there are at most.
const KEYS: [(&str, &str, usize); 5] = [
    ("Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts", 6),
    ("Microsoft.DocumentDB/databaseAccounts/listKeys/action", "Microsoft.DocumentDB/databaseAccounts", 2),
    (
        "Microsoft.ContainerRegistry/registries/listCredentials/action",
        "Microsoft.ContainerRegistry/registries",
        2,
    ),
    ("Microsoft.Web/sites/publishxml/action", "Microsoft.Web/sites", 4),
    ("Microsoft.Batch/batchAccounts/listKeys/action", "Microsoft.Batch/batchAccounts", 1),
];

/// The keys of account after account are read within minutes; then disks are copied, straight or by
/// way of snapshots, through addresses that need no further key. Storm-0501 (Microsoft, August 2025);
/// Stratus Red Team `azure.exfiltration.disk-export`; Azure Threat Research Matrix AZT605.1,
/// AZT701.1; MITRE T1552, T1537, T1578.001.
pub(crate) fn key_theft(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let most = stage.dice.between(6, 10);
    read_keys(stage, &mut worker, 4, most);
    worker.wait(stage, 60.0, 9_000.0);
    export_disks(stage, &mut worker, 1, 8);
}

/// Reads the keys of storage accounts, so many, and of some other services.
pub(super) fn read_keys(stage: &mut Stage<'_>, worker: &mut Worker, low: i64, high: i64) {
    let mut wanted = stage.dice.between(low, high) as usize;
    let group = stage.subscription.main_group();
    let (listing, storage, known) = KEYS[0];
    let mut targets: Vec<(&'static str, String)> = Vec::new();
    for account in services(stage, storage, wanted.min(known)) {
        targets.push((listing, account));
    }
    wanted = wanted.saturating_sub(known);
    for account in things(stage, &group, storage, (wanted as i64, wanted as i64)) {
        targets.push((listing, account));
    }
    for (operation, resource_type, most) in &KEYS[1..] {
        if stage.dice.chance(0.4) {
            let count = stage.dice.between(1, *most as i64) as usize;
            for service in services(stage, resource_type, count) {
                targets.push((operation, service));
            }
        }
    }
    for (operation, resource) in targets {
        worker.does(stage, operation, &resource);
    }
}

/// Copies disks away.
pub(super) fn export_disks(stage: &mut Stage<'_>, worker: &mut Worker, low: i64, high: i64) {
    let by_snapshot = stage.dice.chance(0.5);
    let closes = stage.dice.chance(0.4);
    let seconds = stage.dice.pick(&[3_600, 14_400, 86_400, 604_800]);
    for machine in some_machines(stage, low, high) {
        let disk = disk_of(stage, machine);
        let resource = if by_snapshot {
            let name = format!("{}-{:04x}", machine.name, stage.dice.below(1 << 16));
            let group = machine.group.clone();
            let snapshot = stage.subscription.resource(&group, "Microsoft.Compute/snapshots", &name);
            let body = json!({
                "location": machine.region.id,
                "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}},
            });
            let make = worker
                .act(stage, "Microsoft.Compute/snapshots/write", snapshot.clone())
                .accepted(true, &mut stage.dice)
                .echoed(&body, "Microsoft.Compute/snapshots");
            stage.script.actions.push(make);
            snapshot
        } else {
            disk
        };
        stage.uses(&resource);
        let (open, close): (&'static str, &'static str) = if by_snapshot {
            (
                "Microsoft.Compute/snapshots/beginGetAccess/action",
                "Microsoft.Compute/snapshots/endGetAccess/action",
            )
        } else {
            ("Microsoft.Compute/disks/beginGetAccess/action", "Microsoft.Compute/disks/endGetAccess/action")
        };
        let body = json!({"access": "Read", "durationInSeconds": seconds});
        let opened = worker.act(stage, open, resource.clone()).accepted(false, &mut stage.dice).asking(&body);
        stage.script.actions.push(opened);
        if closes {
            worker.wait(stage, 120.0, 1_800.0);
            worker.starts(stage, close, &resource);
        }
    }
}

/// What leaves an account is billed to it.
pub(super) fn copied_away(stage: &mut Stage<'_>, worker: &Worker, account: &str, gigabytes: f64) {
    let hours = stage.dice.real(1.0, 14.0);
    let group = account.split('/').nth(4).unwrap_or_default().to_owned();
    let name = account.rsplit('/').next().unwrap_or_default().to_owned();
    let until = worker.at + TimeDelta::minutes((hours * 60.0) as i64);
    // The meter counts a day's blocks; the copy takes only a part of the day.
    let per_day = gigabytes * 24.0 / hours;
    let mut usage = stage.subscription.usage(meter("storage-egress"), &group, &name, per_day, until);
    usage.from = worker.at;
    usage.rhythm = Rhythm::Flat;
    stage.script.usages.push(usage);
}
