//! The partner's own access, in other hands.

use std::sync::Arc;

use serde_json::json;

use super::compute::{Rig, build, dear_sizes};
use super::keys::{export_disks, read_keys};
use super::logging::diagnostics_off;
use super::open_port::open;
use super::run_command::{run, way};
use super::targets::{services, some_machines};
use super::worker::{Worker, away_from_home, found_after};
use super::{guest, hasty_name};
use crate::scenario::Stage;
use crate::script::{Action, Role};

/// The partner's delegated administrator is hijacked and does four to seven kinds of things to one
/// customer: keys, disks, secrets, rules, commands, roles, logs, machines. NOBELIUM (Microsoft, October
/// 2021, "targeting delegated administrative privileges") and Silk Typhoon (Microsoft, March 2025) came
/// that way; MITRE T1199, T1078.004.
pub(crate) fn partner_account(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.delegated[0]);
    let caller = away_from_home(stage, &admin);
    let mut worker = Worker::new(stage, caller);
    let deeds: [fn(&mut Stage<'_>, &mut Worker); 8] = [
        |stage, worker| read_keys(stage, worker, 2, 9),
        |stage, worker| export_disks(stage, worker, 1, 4),
        take_secrets,
        open_a_door,
        command,
        let_in,
        diagnostics_off,
        make_machines,
    ];
    let count = stage.dice.between(4, 7) as usize;
    for deed in stage.dice.sample(&deeds, count) {
        deed(stage, &mut worker);
        worker.wait(stage, 60.0, 9_000.0);
    }
    found_after(stage, 40, 160);
}

/// Gives itself the right to read what vaults hold.
fn take_secrets(stage: &mut Stage<'_>, worker: &mut Worker) {
    let count = stage.dice.between(1, 3) as usize;
    for vault in services(stage, "Microsoft.KeyVault/vaults", count) {
        let policies = format!("{vault}/accessPolicies/add");
        stage.uses(&policies);
        let body = json!({
            "properties": {"accessPolicies": [{
                "tenantId": stage.customer.tenant_id,
                "objectId": worker.caller.principal.object_id,
                "permissions": {"secrets": ["get", "list"], "keys": ["get", "list"], "certificates": []},
            }]},
        });
        let operation = "Microsoft.KeyVault/vaults/accessPolicies/write";
        let write = worker.act(stage, operation, policies).asking(&body);
        stage.script.actions.push(write);
    }
}

fn open_a_door(stage: &mut Stage<'_>, worker: &mut Worker) {
    let port = stage.dice.pick(&["3389", "22", "443", "*"]);
    for machine in some_machines(stage, 1, 1) {
        let rules = stage.subscription.security_group(machine.region);
        open(stage, worker, &rules, port);
    }
}

fn command(stage: &mut Stage<'_>, worker: &mut Worker) {
    let way = way(stage);
    for machine in some_machines(stage, 1, 5) {
        run(stage, worker, machine, way, false);
    }
}

/// Lets a friend in, for later.
fn let_in(stage: &mut Stage<'_>, worker: &mut Worker) {
    let address = worker.caller.address.clone().unwrap_or_default();
    let role = stage.dice.pick(&[
        Role::Owner,
        Role::Contributor,
        Role::UserAccessAdministrator,
        Role::VirtualMachineContributor,
        Role::StorageAccountContributor,
    ]);
    let friend = guest(stage, &address, role);
    worker.wait(stage, 5.0, 200.0);
    let scope = stage.subscription.whole();
    let caller = worker.caller.clone();
    let grant = Action::grant_role(worker.at, caller, (role, &friend), &scope, &mut stage.dice);
    stage.uses(&grant.resource);
    stage.script.actions.push(grant);
}

fn make_machines(stage: &mut Stage<'_>, worker: &mut Worker) {
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let regions = stage.unused_regions(2);
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let rig = Rig {
        group: &group,
        regions: &regions,
        sizes: &sizes,
        count: stage.dice.between(1, 6),
        refused_share: 0.1,
        pool: Some(&pool),
    };
    build(stage, worker, &rig);
}
