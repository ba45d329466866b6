//! Clusters of machine learning workspaces.

use serde_json::json;

use super::hasty_name;
use super::worker::{Worker, entry, found_after};
use crate::catalog::{Region, meter};
use crate::estate::Rhythm;
use crate::scenario::Stage;
use crate::script::Failure;

/// What a cluster is made of: meter, size, its family as the service calls it, processors.
struct Nodes {
    meter: &'static str,
    size: &'static str,
    family: &'static str,
    vcpus: i64,
}

const NODES: [Nodes; 2] = [
    Nodes {
        meter: "ml-compute",
        size: "STANDARD_NC24ADS_A100_V4",
        family: "Standard NCADSA100v4 family",
        vcpus: 24,
    },
    Nodes { meter: "ml-cpu", size: "STANDARD_HB120RS_V3", family: "Standard HBrsv3 family", vcpus: 120 },
];

/// Workspaces in one to four regions with clusters of large nodes that never scale down. Their quota is
/// counted apart from that of machines, and few look at it: AMBERSQUID (Sysdig, September 2023) took
/// SageMaker for that, and Microsoft saw Kubeflow taken so (June 2020); MITRE T1496.001.
pub(crate) fn ml_compute(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let nodes = &NODES[usize::from(stage.dice.chance(0.3))];
    let region_count = stage.dice.between(1, 4) as usize;
    let refused_share = stage.dice.real(0.0, 0.5);
    for region in stage.unused_regions(region_count) {
        let name = format!("ml{:06x}", stage.dice.below(1 << 24));
        let workspace = workspace(stage, &mut worker, &group, &name, region);
        let mut running = 0;
        for number in 0..stage.dice.between(1, 4) {
            let refused = number > 0 && stage.dice.chance(refused_share);
            running += cluster(stage, &mut worker, &workspace, number, (region, nodes), refused);
        }
        let per_day = running as f64 * 24.0 * stage.dice.real(0.7, 1.0);
        let forever = stage.forever();
        let mut usage = stage.subscription.usage(meter(nodes.meter), &group, &name, per_day, forever);
        usage.from = worker.at + stage.dice.seconds(200.0, 1_500.0);
        usage.region = region;
        usage.rhythm = Rhythm::Flat;
        usage.noise = stage.dice.real(0.01, 0.12);
        stage.script.usages.push(usage);
    }
    found_after(stage, 16, 140);
}

/// Makes a workspace with the accounts that it needs.
fn workspace(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    group: &str,
    name: &str,
    region: &'static Region,
) -> String {
    const NEEDS: [(&str, &str, &str); 3] = [
        ("Microsoft.Storage/storageAccounts/write", "Microsoft.Storage/storageAccounts", "storageAccount"),
        ("Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults", "keyVault"),
        ("Microsoft.Insights/components/write", "Microsoft.Insights/components", "applicationInsights"),
    ];
    let mut body = json!({
        "location": region.id,
        "identity": {"type": "SystemAssigned"},
        "properties": {"friendlyName": name, "publicNetworkAccess": "Enabled"},
    });
    let correlation = stage.dice.guid();
    for (operation, resource_type, member) in NEEDS {
        let resource = stage.subscription.resource(group, resource_type, &format!("{name}res"));
        body["properties"][member] = json!(resource);
        let make = worker.act(stage, operation, resource).accepted(true, &mut stage.dice).within(correlation);
        stage.script.actions.push(make);
    }
    let resource_type = "Microsoft.MachineLearningServices/workspaces";
    let resource = stage.subscription.resource(group, resource_type, name);
    let create = worker
        .act(stage, "Microsoft.MachineLearningServices/workspaces/write", resource.clone())
        .accepted(true, &mut stage.dice)
        .echoed(&body, resource_type)
        .within(correlation);
    stage.script.actions.push(create);
    resource
}

/// Makes a cluster, or fails to; says how many nodes run.
fn cluster(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    workspace: &str,
    number: i64,
    (region, nodes): (&'static Region, &Nodes),
    refused: bool,
) -> i64 {
    worker.wait(stage, 20.0, 240.0);
    let count = stage.dice.between(2, 14);
    let body = json!({
        "location": region.id,
        "properties": {
            "computeType": "AmlCompute",
            "properties": {
                "osType": "Linux",
                "vmSize": nodes.size,
                "vmPriority": stage.dice.pick(&["Dedicated", "Dedicated", "LowPriority"]),
                "remoteLoginPortPublicAccess": "Enabled",
                "scaleSettings": {
                    "minNodeCount": count,
                    "maxNodeCount": count + stage.dice.between(0, 10),
                    "nodeIdleTimeBeforeScaleDown": "PT12H",
                },
            },
        },
    });
    let resource = format!("{workspace}/computes/cluster{number}");
    let create = worker
        .act(stage, "Microsoft.MachineLearningServices/workspaces/computes/write", resource.clone())
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.MachineLearningServices/workspaces/computes");
    if refused {
        let failure = Failure::learning(nodes.family, count, count * nodes.vcpus);
        stage.script.actions.push(create.failed(failure));
        return 0;
    }
    stage.uses(&resource);
    stage.script.actions.push(create);
    count
}
