//! Destruction before a demand.

use serde_json::json;

use super::targets::{some_machines, spare_group, things};
use super::worker::{Worker, away_from_home, stolen_owner};
use crate::scenario::Stage;
use crate::script::Failure;

/// Everything that could bring data back is deleted, and then the data: locks, soft delete and
/// backups, snapshots, restore points, accounts, whole groups. What a lock holds fails first.
/// Storm-0501 (Microsoft, August 2025: "evolving techniques lead to cloud-based ransomware") and
/// DEV-1084 (Microsoft, April 2023); Azure Threat Research Matrix AZT705; MITRE T1485, T1490.
///
/// It hits what the ordinary life of the subscription does not touch, such as archives, because the
/// rest of its records goes on.
pub(crate) fn ransom_deletion(stage: &mut Stage<'_>) {
    let caller = match stage.dice.chance(0.8) {
        true => stolen_owner(stage),
        false => {
            let delegated = stage.subscription.delegated[0].clone();
            away_from_home(stage, &delegated)
        }
    };
    let mut worker = Worker::new(stage, caller);
    let group = spare_group(stage);
    let group_path = stage.subscription.group(&group);
    let accounts = things(stage, &group, "Microsoft.Storage/storageAccounts", (2, 7));
    unlock(stage, &mut worker, &group_path, &accounts);
    unprotect(stage, &mut worker);
    worker.wait(stage, 30.0, 3_000.0);
    delete_copies(stage, &mut worker, &group);
    for account in &accounts {
        worker.does(stage, "Microsoft.Storage/storageAccounts/delete", account);
    }
    if stage.dice.chance(0.3) {
        lock_out(stage, &mut worker);
    }
    for vault in things(stage, &group, "Microsoft.KeyVault/vaults", (0, 2)) {
        worker.does(stage, "Microsoft.KeyVault/vaults/delete", &vault);
    }
    worker.starts(stage, "Microsoft.Resources/subscriptions/resourceGroups/delete", &group_path);
    for number in 1..=stage.dice.between(0, 3) {
        let other = format!("{group_path}-{number}");
        worker.starts(stage, "Microsoft.Resources/subscriptions/resourceGroups/delete", &other);
    }
    // The group that everything runs in is tried, too; its lock is not the intruder's to remove.
    if stage.dice.chance(0.4) {
        let main = stage.subscription.group(&stage.subscription.main_group());
        let operation = "Microsoft.Resources/subscriptions/resourceGroups/delete";
        let failure = Failure::locked(&main, &main);
        let refused = worker.act(stage, operation, main).failed(failure);
        stage.script.actions.push(refused);
    }
}

/// Meets the locks, and removes them.
fn unlock(stage: &mut Stage<'_>, worker: &mut Worker, group: &str, accounts: &[String]) {
    if stage.dice.chance(0.7) {
        for account in accounts.iter().take(2) {
            let failure = Failure::locked(account, group);
            let refused = worker
                .act(stage, "Microsoft.Storage/storageAccounts/delete", account.clone())
                .failed(failure);
            stage.script.actions.push(refused);
        }
    }
    let mut locks = vec![format!("{group}/providers/Microsoft.Authorization/locks/do-not-delete")];
    if let Some(account) = accounts.first().filter(|_| stage.dice.chance(0.6)) {
        locks.push(format!("{account}/providers/Microsoft.Authorization/locks/keep"));
    }
    for lock in &locks {
        worker.does(stage, "Microsoft.Authorization/locks/delete", lock);
    }
    if let Some(account) = accounts.first().filter(|_| stage.dice.chance(0.5)) {
        let policy = format!("{account}/blobServices/default/containers/data/immutabilityPolicies/default");
        let operation =
            "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete";
        worker.does(stage, operation, &policy);
    }
}

/// Turns soft delete off, and deletes what is backed up.
fn unprotect(stage: &mut Stage<'_>, worker: &mut Worker) {
    let code = stage.subscription.workload.code();
    let vault = stage.subscription.resource(
        "rg-backup",
        "Microsoft.RecoveryServices/vaults",
        &format!("rsv-{code}-dr"),
    );
    let settings = format!("{vault}/backupconfig/vaultconfig");
    stage.uses(&settings);
    let body = json!({
        "properties": {"enhancedSecurityState": "Disabled", "softDeleteFeatureState": "Disabled"},
    });
    let weaken =
        worker.act(stage, "Microsoft.RecoveryServices/vaults/backupconfig/write", settings).asking(&body);
    stage.script.actions.push(weaken);
    let drops_containers = stage.dice.chance(0.5);
    for machine in some_machines(stage, 2, 12) {
        let parts = format!("iaasvmcontainerv2;{};{}", machine.group, machine.name);
        let container = format!("{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{parts}");
        let item = format!("{container}/protectedItems/VM;{parts}");
        let operation =
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete";
        worker.starts(stage, operation, &item);
        if drops_containers {
            let operation = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/delete";
            worker.starts(stage, operation, &container);
        }
    }
    if stage.dice.chance(0.5) {
        worker.does(stage, "Microsoft.RecoveryServices/vaults/delete", &vault);
    }
}

/// Deletes snapshots and restore points.
fn delete_copies(stage: &mut Stage<'_>, worker: &mut Worker, group: &str) {
    for machine in some_machines(stage, 2, 10) {
        for age in 1..=stage.dice.between(1, 3) {
            let name = format!("snap-{}-{age}", machine.name);
            let snapshot = stage.subscription.resource(group, "Microsoft.Compute/snapshots", &name);
            worker.starts(stage, "Microsoft.Compute/snapshots/delete", &snapshot);
        }
    }
    for machine in some_machines(stage, 1, 6) {
        let name = format!("AzureBackup_{}_{}", machine.name, stage.dice.between(100_000, 999_999));
        let points = stage.subscription.resource(
            "AzureBackupRG_1",
            "Microsoft.Compute/restorePointCollections",
            &name,
        );
        worker.starts(stage, "Microsoft.Compute/restorePointCollections/delete", &points);
    }
}

/// What cannot be deleted is put under a key of the intruder's own.
fn lock_out(stage: &mut Stage<'_>, worker: &mut Worker) {
    let group = stage.subscription.main_group();
    let name = format!("kv{:06x}", stage.dice.below(1 << 24));
    let vault = stage.subscription.resource(&group, "Microsoft.KeyVault/vaults", &name);
    worker.does(stage, "Microsoft.KeyVault/vaults/write", &vault);
    for account in things(stage, &group, "Microsoft.Storage/storageAccounts", (1, 2)) {
        let scope = format!("{account}/encryptionScopes/s{}", stage.dice.between(1, 99));
        stage.uses(&scope);
        let key = format!("https://{name}.vault.azure.net/keys/k1");
        let body = json!({
            "properties": {"source": "Microsoft.KeyVault", "keyVaultProperties": {"keyUri": key}},
        });
        let operation = "Microsoft.Storage/storageAccounts/encryptionScopes/write";
        let write = worker.act(stage, operation, scope).asking(&body);
        stage.script.actions.push(write);
    }
}
