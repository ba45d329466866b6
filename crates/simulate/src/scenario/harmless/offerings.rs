//! Honest computing power that is not a machine: Batch, containers, machine learning.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::hand::Hand;
use super::{change_ticket, in_office, workdays};
use crate::catalog::meter;
use crate::estate::{Rhythm, Subscription, Workload};
use crate::scenario::Stage;
use crate::script::{Failure, offerings};

const POOL: (&str, &str) =
    ("Microsoft.Batch/batchAccounts/pools/write", "Microsoft.Batch/batchAccounts/pools");
const CONTAINERS: (&str, &str) =
    ("Microsoft.ContainerInstance/containerGroups/write", "Microsoft.ContainerInstance/containerGroups");
const COMPUTE: (&str, &str) = (
    "Microsoft.MachineLearningServices/workspaces/computes/write",
    "Microsoft.MachineLearningServices/workspaces/computes",
);

/// The pipeline makes pools of many nodes in the known region for a job that was planned, on one to
/// three nights, and deletes them when it is done.
pub(crate) fn batch_render_job(stage: &mut Stage<'_>) {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    let ticket = stage.dice.chance(0.5).then(|| change_ticket(stage));
    let (group, name) = stage.subscription.batch_account();
    let account = stage.subscription.resource(&group, "Microsoft.Batch/batchAccounts", &name);
    let is_new = stage.dice.chance(0.3);
    let reads_keys = stage.dice.chance(0.5);
    for night in 0..stage.dice.between(1, 3) {
        let at = stage.start + TimeDelta::days(night) + stage.dice.seconds(0.0, 5_400.0);
        let mut hand = Hand::new(stage, &pipeline, at).under(ticket.as_deref());
        if night == 0 && is_new {
            hand.makes_group(stage, &group);
            hand.starts(stage, "Microsoft.Batch/batchAccounts/write", &account);
        }
        if reads_keys {
            hand.does(stage, "Microsoft.Batch/batchAccounts/listKeys/action", &account);
        }
        let nodes = render(stage, &mut hand, &account);
        bill_batch(stage, (&group, &name), nodes, at, hand.at);
    }
}

/// One night's pools, from making to deletion. Says how many nodes they had.
fn render(stage: &mut Stage<'_>, hand: &mut Hand, account: &str) -> i64 {
    let package = format!("https://{}/packages/render/install.sh", stage.subscription.registry());
    let is_spare = stage.dice.chance(0.7);
    let mut nodes = 0;
    let mut pools = Vec::new();
    for number in 1..=stage.dice.between(1, 5) {
        let count = stage.dice.between(3, 24);
        let (dedicated, spare) = if is_spare { (0, count) } else { (count, 0) };
        let body = offerings::pool("STANDARD_F72S_V2", dedicated, spare, &package);
        let pool = format!("{account}/pools/render-{number}");
        if stage.dice.chance(0.08) {
            // The account is busy; the pipeline tries again.
            let busy = hand.act(stage, POOL.0, &pool).asking(&body).failed(Failure::conflict());
            stage.script.actions.push(busy);
        }
        hand.makes(stage, POOL, &pool, &body);
        if stage.dice.chance(0.3) {
            let larger = offerings::pool("STANDARD_F72S_V2", dedicated * 2, spare * 2, &package);
            let resize = hand.act(stage, POOL.0, &pool);
            let resize = resize.accepted(false, &mut stage.dice).echoed(&larger, POOL.1);
            stage.script.actions.push(resize);
        }
        nodes += count;
        pools.push(pool);
    }
    hand.pause(stage.dice.between(90, 960));
    for pool in pools {
        hand.starts(stage, "Microsoft.Batch/batchAccounts/pools/delete", &pool);
    }
    nodes
}

fn bill_batch(
    stage: &mut Stage<'_>,
    (group, name): (&str, &str),
    nodes: i64,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) {
    let per_day = nodes as f64 * 24.0 * stage.dice.real(0.6, 1.0);
    let mut usage = stage.subscription.usage(meter("batch-compute"), group, name, per_day, until);
    usage.from = from;
    usage.rhythm = Rhythm::Flat;
    stage.script.usages.push(usage);
}

/// At a release the pipeline starts container groups by the dozen, each with a test of the customer's
/// own, and deletes them when the tests are done.
pub(crate) fn container_release(stage: &mut Stage<'_>) {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    let releases = stage.dice.between(1, 3) as usize;
    let code = stage.subscription.workload.code();
    let group = format!("rg-{code}-ci");
    let vcpus = stage.dice.pick(&[1, 2, 2, 4]);
    for (number, day) in workdays(stage, releases).into_iter().enumerate() {
        let at = in_office(stage, day);
        let mut hand = Hand::new(stage, &pipeline, at);
        if number == 0 && stage.dice.chance(0.4) {
            hand.makes_group(stage, &group);
        }
        let version = format!("{}.{}.{}", stage.dice.between(1, 9), stage.dice.between(0, 40), number);
        let image = format!("{}/{code}/tests:{version}", stage.subscription.registry());
        release(stage, &mut hand, &group, &image, vcpus);
    }
}

fn release(stage: &mut Stage<'_>, hand: &mut Hand, group: &str, image: &str, vcpus: i64) {
    let region = stage.subscription.regions[0];
    let run = stage.dice.between(100, 9_999);
    let mut made = Vec::new();
    for number in 1..=stage.dice.between(8, 36) {
        let name = format!("test-{run}-{number:02}");
        let resource = stage.subscription.resource(group, CONTAINERS.1, &name);
        let body = offerings::containers(region, &name, image, vcpus, "Never");
        hand.makes(stage, CONTAINERS, &resource, &body);
        made.push((name, resource, hand.at));
    }
    hand.pause(stage.dice.between(8, 90));
    for (name, resource, from) in made {
        hand.starts(stage, "Microsoft.ContainerInstance/containerGroups/delete", &resource);
        let per_day = (vcpus * 24) as f64;
        let meter = meter("container-vcpu");
        let mut usage = stage.subscription.usage(meter, group, &name, per_day, hand.at);
        usage.from = from;
        usage.noise = 0.01;
        stage.script.usages.push(usage);
    }
}

/// Whether somebody trains models there.
pub(crate) fn has_data_scientists(subscription: &Subscription) -> bool {
    matches!(subscription.workload, Workload::Analytics | Workload::DataPlatform)
}

/// A data scientist makes a cluster of GPU nodes and a machine of their own in the workspace of the
/// team, trains for some days, and deletes the cluster.
pub(crate) fn ml_training(stage: &mut Stage<'_>) {
    let scientist = stage.known_person();
    let (group, name) = stage.subscription.learning_workspace();
    let workspace_type = "Microsoft.MachineLearningServices/workspaces";
    let workspace = stage.subscription.resource(&group, workspace_type, &name);
    let count = stage.dice.between(2, 5) as usize;
    let days = workdays(stage, count);
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else { return };
    let at = in_office(stage, first);
    let mut hand = Hand::new(stage, &scientist, at);
    if stage.dice.chance(0.35) {
        hand.makes_group(stage, &group);
        hand.starts(stage, "Microsoft.MachineLearningServices/workspaces/write", &workspace);
    }
    let nodes = stage.dice.between(1, 8);
    let clusters = make_clusters(stage, &mut hand, &workspace, nodes);
    let from = hand.at;
    for day in days.into_iter().skip(1) {
        let at = in_office(stage, day);
        let mut hand = Hand::new(stage, &scientist, at);
        let person = scientist.caller.split('@').next().unwrap_or("own").replace('.', "-");
        let instance = format!("{workspace}/computes/ci-{person}");
        for operation in [
            "Microsoft.MachineLearningServices/workspaces/computes/start/action",
            "Microsoft.MachineLearningServices/workspaces/computes/stop/action",
        ] {
            hand.starts(stage, operation, &instance);
            hand.pause(stage.dice.between(60, 300));
        }
    }
    let at = in_office(stage, last).max(from) + stage.dice.seconds(3_600.0, 40_000.0);
    let mut hand = Hand::new(stage, &scientist, at);
    for cluster in clusters {
        hand.starts(stage, "Microsoft.MachineLearningServices/workspaces/computes/delete", &cluster);
    }
    let per_day = nodes as f64 * 24.0 * stage.dice.real(0.3, 0.9);
    let mut usage = stage.subscription.usage(meter("ml-compute"), &group, &name, per_day, hand.at);
    usage.from = from;
    usage.noise = stage.dice.real(0.05, 0.4);
    stage.script.usages.push(usage);
}

/// Makes one or two clusters with so many nodes at most; now and then quota is short first.
fn make_clusters(stage: &mut Stage<'_>, hand: &mut Hand, workspace: &str, nodes: i64) -> Vec<String> {
    let region = stage.subscription.regions[0];
    let idle = stage.dice.between(5, 60);
    let mut clusters = Vec::new();
    for number in 1..=stage.dice.between(1, 2) {
        let resource = format!("{workspace}/computes/gpu-train-{number}");
        let least = if stage.dice.chance(0.2) { 1 } else { 0 };
        let body = offerings::cluster(region, "STANDARD_NC24ADS_A100_V4", (least, nodes), idle);
        if stage.dice.chance(0.25) {
            let more = nodes + stage.dice.between(1, 8);
            let failure = Failure::learning("Standard NCADSA100v4 family", more, more * 24);
            let refused = hand.act(stage, COMPUTE.0, &resource).asking(&body).failed(failure);
            stage.script.actions.push(refused);
            hand.wait(stage, 60.0, 1_200.0);
        }
        hand.makes(stage, COMPUTE, &resource, &body);
        clusters.push(resource);
    }
    if stage.dice.chance(0.6) {
        let person = hand.caller.principal.caller.split('@').next().unwrap_or("own").replace('.', "-");
        let resource = format!("{workspace}/computes/ci-{person}");
        let body = offerings::compute_instance(region, "STANDARD_DS3_V2");
        hand.makes(stage, COMPUTE, &resource, &body);
    }
    clusters
}
