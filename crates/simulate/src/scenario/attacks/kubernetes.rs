//! Clusters of Kubernetes that mine.

use std::sync::Arc;

use serde_json::{Value, json};

use super::hasty_name;
use super::worker::{Worker, entry, found_after};
use crate::catalog::{Region, Size, SizeClass, of_class};
use crate::estate::{Caller, MachineSpec, Principal, nic};
use crate::scenario::Stage;
use crate::scenario::stage::Pool;
use crate::script::{Action, Failure};

/// Nodes of one pool whose flows are logged: more say nothing new.
const MINERS_A_POOL: i64 = 4;

/// One to three clusters with pools of large or GPU nodes, in unused regions; the nodes are scale sets
/// that the cluster's own identity makes in a group of its own. After the campaigns against clusters
/// that Microsoft saw in April and June 2020 and the deployment of compute by Storm-1283 (Microsoft,
/// December 2023); MITRE T1496.001, T1610.
pub(crate) fn kubernetes_mining(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let pool = stage.pool();
    let class = stage.dice.pick(&[SizeClass::Gpu, SizeClass::Large]);
    let size = stage.dice.pick(&of_class(class));
    let is_spot = stage.dice.chance(0.5);
    let region_count = stage.dice.between(1, 3) as usize;
    let mut clusters = Vec::new();
    for region in stage.unused_regions(region_count) {
        let plan = Plan { region, size, is_spot, group: &group };
        clusters.push(cluster(stage, &mut worker, &plan, &pool));
    }
    found_after(stage, 16, 120);
    drop_clusters(stage, &clusters);
}

struct Plan<'a> {
    region: &'static Region,
    size: &'static Size,
    is_spot: bool,
    group: &'a str,
}

/// Makes a cluster with its pools, and gives its path.
fn cluster(stage: &mut Stage<'_>, worker: &mut Worker, plan: &Plan<'_>, pool: &Pool) -> String {
    const TYPE: &str = "Microsoft.ContainerService/managedClusters";
    let name = format!("aks{:05x}", stage.dice.below(1 << 20));
    let resource = stage.subscription.resource(plan.group, TYPE, &name);
    let first = agent_pool("Standard_D4s_v5", 1, "Regular");
    let mut system = first["properties"].clone();
    system["name"] = json!("agentpool");
    system["mode"] = json!("System");
    let body = json!({
        "location": plan.region.id,
        "identity": {"type": "SystemAssigned"},
        "sku": {"name": "Base", "tier": "Free"},
        "properties": {"dnsPrefix": name, "enableRBAC": true, "agentPoolProfiles": [system]},
    });
    let create = worker
        .act(stage, "Microsoft.ContainerService/managedClusters/write", resource.clone())
        .accepted(true, &mut stage.dice)
        .echoed(&body, TYPE);
    stage.script.actions.push(create);
    stage.uses(&resource);
    worker.wait(stage, 180.0, 420.0);
    worker.does(
        stage,
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        &resource,
    );

    let identity = identity(stage);
    let nodes_group = format!("MC_{}_{name}_{}", plan.group, plan.region.id);
    let refused_share = stage.dice.real(0.0, 0.45);
    for number in 0..stage.dice.between(1, 4) {
        let refused = number > 0 && stage.dice.chance(refused_share);
        nodes(stage, worker, plan, (&resource, &nodes_group, &identity), pool, number, refused);
    }
    resource
}

/// Makes a pool of nodes, or fails to.
fn nodes(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    plan: &Plan<'_>,
    (cluster, nodes_group, identity): (&str, &str, &Arc<Principal>),
    pool: &Pool,
    number: i64,
    refused: bool,
) {
    let count = stage.dice.between(3, 16);
    let name = format!("np{number}");
    let priority = if plan.is_spot { "Spot" } else { "Regular" };
    let body = agent_pool(plan.size.name, count, priority);
    let create = worker
        .act(
            stage,
            "Microsoft.ContainerService/managedClusters/agentPools/write",
            format!("{cluster}/agentPools/{name}"),
        )
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.ContainerService/managedClusters/agentPools");
    if refused {
        let asked = count * i64::from(plan.size.vcpus);
        stage.script.actions.push(create.failed(Failure::kubernetes(plan.region, asked)));
        return;
    }
    let made_at = create.at + stage.dice.seconds(15.0, 90.0);
    stage.script.actions.push(create);
    let spec = MachineSpec {
        name: format!("aks-{name}-{:08}-vmss", stage.dice.below(100_000_000)),
        group: nodes_group,
        region: plan.region,
        size: plan.size,
        from: made_at,
        until: stage.forever(),
        tags: json!({"aks-managed-poolName": name}).to_string(),
    };
    let mut set = stage.subscription.scale_set(spec, count as u32, &mut stage.dice);
    set.spot = plan.is_spot;
    let by_cluster = Caller { principal: Arc::clone(identity), address: None };
    stage.script.actions.push(Action::create_machine(&set, by_cluster, &mut stage.dice));
    for _ in 0..count.min(MINERS_A_POOL) {
        let nic = nic(plan.region, &mut stage.dice);
        let mines_from = made_at + stage.dice.seconds(400.0, 2_000.0);
        stage.mine(&nic, pool, mines_from, set.until);
    }
    stage.script.machines.push(set);
    worker.wait(stage, 60.0, 300.0);
}

fn agent_pool(size: &str, count: i64, priority: &str) -> Value {
    json!({
        "properties": {
            "count": count,
            "vmSize": size,
            "osType": "Linux",
            "mode": "User",
            "type": "VirtualMachineScaleSets",
            "scaleSetPriority": priority,
        },
    })
}

/// The identity under which a cluster looks after its nodes.
fn identity(stage: &mut Stage<'_>) -> Arc<Principal> {
    let tenant = &stage.customer.tenant_id;
    let identity = Principal::application(tenant, "Contributor", vec![], stage.start, &mut stage.dice);
    stage.by(&identity);
    Arc::new(identity)
}

/// Where the nodes were ended, their clusters are, too.
fn drop_clusters(stage: &mut Stage<'_>, clusters: &[String]) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let ended = stage.script.machines.iter().map(|set| set.until).max();
    let Some(at) = ended.filter(|at| *at < stage.period.end) else { return };
    for cluster in clusters {
        let caller = admin.at_usual_address(&mut stage.dice);
        let operation = "Microsoft.ContainerService/managedClusters/delete";
        let at = at + stage.dice.seconds(20.0, 600.0);
        let drop = Action::new(at, caller, operation, cluster.clone(), &mut stage.dice);
        stage.script.actions.push(drop.accepted(false, &mut stage.dice));
    }
}
