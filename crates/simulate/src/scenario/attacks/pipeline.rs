//! A pipeline that somebody else runs.

use serde_json::json;

use super::compute::dear_sizes;
use super::keys::read_keys;
use super::targets::services;
use super::worker::{Worker, found_after, leaked_secret};
use crate::catalog::{Region, Size};
use crate::estate::MachineSpec;
use crate::scenario::Stage;
use crate::scenario::stage::Pool;
use crate::script::{Action, Failure};

/// The secret of the known service principal is used from a new address, for what it does every day:
/// template deployments, only that dear machines come of them, here or in other regions. Sometimes it
/// first tries what it may not do. Storm-1283 added secrets to applications that were there and
/// deployed with them (Microsoft, December 2023); MITRE T1078.004, T1552.001, T1578.002.
pub(crate) fn hijacked_pipeline(stage: &mut Stage<'_>) {
    let caller = leaked_secret(stage);
    let mut worker = Worker::new(stage, caller);
    if stage.dice.chance(0.4) {
        try_for_more(stage, &mut worker);
    }
    if stage.dice.chance(0.4) {
        read_keys(stage, &mut worker, 1, 4);
    }
    let group = stage.subscription.main_group();
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let region_count = stage.dice.between(1, 4) as usize;
    let mut regions = stage.unused_regions(region_count);
    if stage.dice.chance(0.5) {
        regions = vec![stage.subscription.regions[0]];
    }
    let mines = stage.dice.chance(0.8);
    for number in 0..stage.dice.between(1, 5) {
        let plan = Plan {
            group: &group,
            region: stage.dice.pick(&regions),
            sizes: &sizes,
            pool: mines.then_some(&pool),
        };
        deployment(stage, &mut worker, &plan, number);
        worker.wait(stage, 60.0, 6_000.0);
    }
    found_after(stage, 18, 120);
}

struct Plan<'a> {
    group: &'a str,
    region: &'static Region,
    sizes: &'a [&'static Size],
    pool: Option<&'a Pool>,
}

/// What a Contributor is refused.
fn try_for_more(stage: &mut Stage<'_>, worker: &mut Worker) {
    for _ in 0..stage.dice.between(1, 4) {
        let id = stage.dice.guid();
        let resource =
            format!("{}/providers/Microsoft.Authorization/roleAssignments/{id}", stage.subscription.whole());
        let operation = "Microsoft.Authorization/roleAssignments/write";
        let refused = worker.act(stage, operation, resource).failed(Failure::authorization(operation));
        stage.script.actions.push(refused);
    }
}

/// A template, what it makes, and what usually comes with a release.
fn deployment(stage: &mut Stage<'_>, worker: &mut Worker, plan: &Plan<'_>, number: i64) {
    let name = match stage.dice.chance(0.5) {
        true => format!("release-{}", stage.dice.between(1_000, 9_999)),
        false => format!("deploy{number}"),
    };
    let resource = stage.subscription.resource(plan.group, "Microsoft.Resources/deployments", &name);
    stage.uses(&resource);
    let body = json!({"properties": {"mode": "Incremental", "debugSetting": {"detailLevel": "None"}}});
    let parent = worker
        .act(stage, "Microsoft.Resources/deployments/write", resource)
        .accepted(true, &mut stage.dice)
        .asking(&body);
    let correlation = parent.correlation;
    stage.script.actions.push(parent);
    if stage.dice.chance(0.5) {
        let site = services(stage, "Microsoft.Web/sites", 1).remove(0);
        let child = worker.act(stage, "Microsoft.Web/sites/write", site);
        stage.script.actions.push(child.accepted(false, &mut stage.dice).within(correlation));
    }
    // The engine makes all of them at nearly the same moment.
    for machine_number in 0..stage.dice.between(1, 6) {
        let at = worker.at + stage.dice.seconds(2.0, 25.0);
        let spec = MachineSpec {
            name: format!("vm-rel{number}-{machine_number:02}"),
            group: plan.group,
            region: plan.region,
            size: stage.dice.pick(plan.sizes),
            from: at,
            until: stage.forever(),
            tags: "{}".to_owned(),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let nic = stage.subscription.resource(
            plan.group,
            "Microsoft.Network/networkInterfaces",
            &format!("{}-nic", machine.name),
        );
        let operation = "Microsoft.Network/networkInterfaces/write";
        let make_nic = Action::new(worker.at, worker.caller.clone(), operation, nic, &mut stage.dice)
            .accepted(true, &mut stage.dice)
            .within(correlation);
        let create = Action::create_machine(&machine, worker.caller.clone(), &mut stage.dice);
        stage.script.actions.extend([make_nic, create.within(correlation)]);
        if let Some(pool) = plan.pool {
            let from = machine.from + stage.dice.seconds(300.0, 2_400.0);
            stage.mine(&machine.nic, pool, from, machine.until);
        }
        stage.script.machines.push(machine);
    }
}
