//! From the directory down to the subscription.

use std::sync::Arc;

use super::compute::{Rig, build, dear_sizes};
use super::keys::read_keys;
use super::worker::{Worker, found_after, stolen_owner};
use super::{guest, hasty_name};
use crate::scenario::Stage;
use crate::script::{Action, Role};

/// A stolen global administrator turns the switch that makes it User Access Administrator of everything
/// in the tenant, and grants Owner: to itself, or to somebody it let in. Then it looks around, or makes
/// machines, or waits. Storm-0501 (Microsoft, August 2025); Azure Threat Research Matrix AZT402;
/// MITRE T1098.003, T1548.
///
/// The switch belongs to the tenant: its record has no subscription. It lies among those of the
/// subscription here, as in the export of a whole tenant.
pub(crate) fn elevate_and_grant(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let caller = stolen_owner(stage);
    let mut worker = Worker::new(stage, caller);
    let root = "/providers/Microsoft.Authorization".to_owned();
    let elevate = worker.act(stage, "Microsoft.Authorization/elevateAccess/action", root.clone());
    stage.script.actions.push(elevate);
    let (at, stolen) = (worker.at, worker.caller.clone());
    stage.directory_act(at, &stolen, |by| by.elevates_access());
    worker.wait(stage, 20.0, 5_000.0);

    let address = worker.caller.address.clone().unwrap_or_default();
    let friend = stage.dice.chance(0.6).then(|| guest(stage, &address, Role::Owner));
    if let Some(friend) = &friend {
        let at = worker.at;
        stage.directory_act(at, &stolen, |by| by.invites(friend, &friend.caller));
    }
    let owner = friend.as_ref().unwrap_or(&admin);
    stage.by(owner);
    if stage.dice.chance(0.4) {
        let scope = match stage.dice.chance(0.5) {
            true => String::new(),
            false => format!("/providers/Microsoft.Management/managementGroups/{}", stage.customer.tenant_id),
        };
        grant(stage, &mut worker, owner, &scope);
    }
    let scope = stage.subscription.whole();
    let assignment = grant(stage, &mut worker, owner, &scope);
    stage.uses(&assignment);
    if stage.dice.chance(0.4) {
        // Covers the way it came.
        worker.wait(stage, 60.0, 3_000.0);
        let own = format!("{root}/roleAssignments/{}", stage.dice.guid());
        let removal = worker.act(stage, "Microsoft.Authorization/roleAssignments/delete", own);
        stage.script.actions.push(removal);
    }

    let caller = owner.at(address);
    let mut worker = worker.successor(stage, caller);
    worker.wait(stage, 300.0, 20_000.0);
    match stage.dice.below(3) {
        0 => read_keys(stage, &mut worker, 2, 6),
        1 => machines(stage, &mut worker),
        _ => {}
    }
}

fn grant(stage: &mut Stage<'_>, worker: &mut Worker, to: &crate::estate::Principal, scope: &str) -> String {
    worker.wait(stage, 5.0, 400.0);
    let caller = worker.caller.clone();
    let grant = Action::grant_role(worker.at, caller, (Role::Owner, to), scope, &mut stage.dice);
    let resource = grant.resource.clone();
    stage.script.actions.push(grant);
    resource
}

fn machines(stage: &mut Stage<'_>, worker: &mut Worker) {
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let regions = stage.unused_regions(2);
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let rig = Rig {
        group: &group,
        regions: &regions,
        sizes: &sizes,
        count: stage.dice.between(2, 8),
        refused_share: 0.1,
        pool: Some(&pool),
    };
    build(stage, worker, &rig);
    found_after(stage, 24, 120);
}
