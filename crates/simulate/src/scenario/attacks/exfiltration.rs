//! Storage that is opened and emptied.

use serde_json::{Value, json};

use super::keys::copied_away;
use super::targets::services;
use super::worker::{Worker, entry};
use crate::scenario::Stage;

/// The protection of one to four storage accounts is weakened (public access, the firewall, soft delete,
/// shared keys), a container is made public, keys are read, and hundreds of gigabytes leave. Storm-0501
/// exposed accounts so before it copied them (Microsoft, August 2025); Azure Threat Research Matrix
/// AZT605.1, AZT701.2; MITRE T1530, T1537, T1562.007.
pub(crate) fn storage_exfiltration(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let count = stage.dice.between(1, 4) as usize;
    let publishes = stage.dice.chance(0.6);
    let forgets = stage.dice.chance(0.4);
    let signs = stage.dice.chance(0.35);
    for account in services(stage, "Microsoft.Storage/storageAccounts", count) {
        weaken(stage, &mut worker, &account, publishes);
        if forgets {
            drop_soft_delete(stage, &mut worker, &account);
        }
        if publishes {
            publish(stage, &mut worker, &account);
        }
        worker.does(stage, "Microsoft.Storage/storageAccounts/listKeys/action", &account);
        if signs {
            worker.does(stage, "Microsoft.Storage/storageAccounts/listAccountSas/action", &account);
        }
        worker.wait(stage, 200.0, 4_000.0);
        let gigabytes = stage.dice.real(40.0, 1_200.0);
        copied_away(stage, &worker, &account, gigabytes);
    }
}

fn weaken(stage: &mut Stage<'_>, worker: &mut Worker, account: &str, publishes: bool) {
    let region = stage.subscription.regions[0];
    let mut properties = json!({
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"defaultAction": "Allow", "bypass": "AzureServices", "ipRules": [], "virtualNetworkRules": []},
    });
    if publishes {
        properties["allowBlobPublicAccess"] = json!(true);
    }
    if stage.dice.chance(0.5) {
        properties["allowSharedKeyAccess"] = json!(true);
    }
    if stage.dice.chance(0.25) {
        properties["supportsHttpsTrafficOnly"] = json!(false);
        properties["minimumTlsVersion"] = json!("TLS1_0");
    }
    let body = json!({
        "location": region.id,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": properties,
    });
    change(stage, worker, "Microsoft.Storage/storageAccounts/write", account.to_owned(), &body);
}

fn drop_soft_delete(stage: &mut Stage<'_>, worker: &mut Worker, account: &str) {
    let body = json!({
        "properties": {
            "deleteRetentionPolicy": {"enabled": false},
            "containerDeleteRetentionPolicy": {"enabled": false},
            "isVersioningEnabled": false,
        },
    });
    let resource = format!("{account}/blobServices/default");
    change(stage, worker, "Microsoft.Storage/storageAccounts/blobServices/write", resource, &body);
}

fn publish(stage: &mut Stage<'_>, worker: &mut Worker, account: &str) {
    let name = stage.dice.pick(&["data", "backups", "exports", "documents"]);
    let access = stage.dice.pick(&["Container", "Blob"]);
    let body = json!({"properties": {"publicAccess": access}});
    let resource = format!("{account}/blobServices/default/containers/{name}");
    change(stage, worker, "Microsoft.Storage/storageAccounts/blobServices/containers/write", resource, &body);
}

fn change(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    operation: &'static str,
    resource: String,
    body: &Value,
) {
    let resource_type = operation.trim_end_matches("/write");
    stage.uses(&resource);
    let write = worker.act(stage, operation, resource).echoed(body, resource_type);
    stage.script.actions.push(write);
}
