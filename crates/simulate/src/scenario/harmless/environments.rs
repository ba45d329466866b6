//! Whole environments that come and go: a test environment, a rehearsal for the worst day.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::hand::Hand;
use super::{change_ticket, in_office, lasting_machines, workdays};
use crate::catalog::{REGIONS, Region};
use crate::estate::{Machine, MachineSpec};
use crate::scenario::Stage;
use crate::script::{Action, Failure, tags};

/// What a test environment holds beside machines: how it is made and deleted, and its type.
const PARTS: [(&str, &str, &str); 6] = [
    ("Microsoft.Web/sites/write", "Microsoft.Web/sites/delete", "Microsoft.Web/sites"),
    (
        "Microsoft.Storage/storageAccounts/write",
        "Microsoft.Storage/storageAccounts/delete",
        "Microsoft.Storage/storageAccounts",
    ),
    ("Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/delete", "Microsoft.KeyVault/vaults"),
    ("Microsoft.Sql/servers/write", "Microsoft.Sql/servers/delete", "Microsoft.Sql/servers"),
    (
        "Microsoft.Insights/components/write",
        "Microsoft.Insights/components/delete",
        "Microsoft.Insights/components",
    ),
    (
        "Microsoft.Network/virtualNetworks/write",
        "Microsoft.Network/virtualNetworks/delete",
        "Microsoft.Network/virtualNetworks",
    ),
];

/// A test environment of two to six resource groups, made by the pipeline one to four days before, is
/// deleted by it within minutes, with everything in it.
pub(crate) fn environment_teardown(stage: &mut Stage<'_>) {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    let until = stage.start + TimeDelta::hours(stage.dice.between(18, 100));
    let code = stage.subscription.workload.code();
    let run = stage.dice.between(100, 9_999);
    let start = stage.start;
    let mut hand = Hand::new(stage, &pipeline, start);
    let mut groups = Vec::new();
    for number in 1..=stage.dice.between(2, 6) {
        let group = format!("rg-{code}-test{run}-{number}");
        hand.makes_group(stage, &group);
        let parts = parts(stage, &mut hand, &group);
        let has_machines = stage.dice.chance(0.5);
        let machines = if has_machines { machines(stage, &mut hand, &group) } else { Vec::new() };
        groups.push((group, parts, machines));
    }
    let mut hand = Hand::new(stage, &pipeline, until);
    let mut last = Vec::new();
    for (group, parts, machines) in groups {
        last.extend(delete_group(stage, &mut hand, &group, &parts, machines));
    }
    stage.script.machines.extend(last);
}

/// A deployment into a group, and what it makes: operation of deletion and path.
fn parts(stage: &mut Stage<'_>, hand: &mut Hand, group: &str) -> Vec<(&'static str, String)> {
    let deployment = stage.subscription.resource(group, "Microsoft.Resources/deployments", "environment");
    let deploy = hand.act(stage, "Microsoft.Resources/deployments/write", &deployment);
    let deploy = deploy.accepted(true, &mut stage.dice);
    let correlation = deploy.correlation;
    stage.script.actions.push(deploy);
    let count = stage.dice.between(2, 6) as usize;
    let mut made = Vec::new();
    for (make, delete, resource_type) in stage.dice.sample(&PARTS, count) {
        let resource = stage.subscription.resource(group, resource_type, &group.replace("rg-", ""));
        let action = hand.act(stage, make, &resource).accepted(true, &mut stage.dice).within(correlation);
        stage.script.actions.push(action);
        made.push((delete, resource));
    }
    made
}

fn machines(stage: &mut Stage<'_>, hand: &mut Hand, group: &str) -> Vec<Machine> {
    let (_, sizes) = stage.subscription.workload.machines();
    let mut machines = Vec::new();
    for number in 1..=stage.dice.between(1, 3) {
        hand.wait(stage, 10.0, 200.0);
        let spec = MachineSpec {
            name: format!("{}-vm{number}", group.replace("rg-", "")),
            group,
            region: stage.subscription.regions[0],
            size: stage.dice.pick(&sizes),
            from: hand.at,
            until: stage.forever(),
            tags: tags(&[("env", "test"), ("purpose", "integration")]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let create = Action::create_machine(&machine, hand.caller.clone(), &mut stage.dice);
        stage.script.actions.push(create);
        machines.push(machine);
    }
    machines
}

/// Deletes a group. Azure deletes what is in it first, all under one correlation.
fn delete_group(
    stage: &mut Stage<'_>,
    hand: &mut Hand,
    group: &str,
    parts: &[(&'static str, String)],
    machines: Vec<Machine>,
) -> Vec<Machine> {
    let path = stage.subscription.group(group);
    let whole = hand.act(stage, "Microsoft.Resources/subscriptions/resourceGroups/delete", &path);
    let whole = whole.accepted(false, &mut stage.dice);
    let correlation = whole.correlation;
    let begun = hand.at;
    if stage.dice.chance(0.1) {
        let mut locked = whole.clone();
        locked.at -= TimeDelta::seconds(30);
        locked.correlation = stage.dice.guid();
        let failure = Failure::locked(&path, &path);
        stage.script.actions.push(locked.failed(failure));
    }
    stage.script.actions.push(whole);
    for (operation, resource) in parts {
        let at = begun + stage.dice.seconds(2.0, 90.0);
        let caller = hand.caller.clone();
        let part = Action::new(at, caller, operation, resource.clone(), &mut stage.dice);
        stage.script.actions.push(part.accepted(false, &mut stage.dice).within(correlation));
    }
    let mut deleted = Vec::new();
    for mut machine in machines {
        machine.until = begun + stage.dice.seconds(2.0, 90.0);
        let action = Action::delete_machine(&machine, hand.caller.clone(), &mut stage.dice);
        stage.script.actions.push(action.within(correlation));
        deleted.push(machine);
    }
    deleted
}

/// Where a region's copies go: Azure's own pair where the estates have it, else a region of the same part
/// of the world, as many customers choose for themselves.
fn recovery_region(region: &Region) -> &'static Region {
    let pair = match region.id {
        "westeurope" => "northeurope",
        "northeurope" => "westeurope",
        "uksouth" => "ukwest",
        "eastus" => "westus2",
        "eastus2" => "centralus",
        "westus2" => "eastus",
        "canadacentral" => "eastus2",
        "australiaeast" => "southeastasia",
        "germanywestcentral" => "francecentral",
        "francecentral" => "germanywestcentral",
        "norwayeast" => "swedencentral",
        _ => "norwayeast",
    };
    REGIONS.iter().find(|region| region.id == pair).unwrap_or(&REGIONS[0])
}

/// Once a year the administrator rehearses a disaster: copies of the machines start in another region
/// within an hour or two, run for some hours or a day, and are deleted.
pub(crate) fn disaster_recovery_test(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let ticket = stage.dice.chance(0.7).then(|| change_ticket(stage));
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let at = in_office(stage, day);
    let mut hand = Hand::new(stage, &admin, at).under(ticket.as_deref());
    let region = recovery_region(stage.subscription.regions[0]);
    let group = format!("rg-{}-dr", stage.subscription.workload.code());
    if stage.dice.chance(0.5) {
        hand.makes_group(stage, &group);
    }
    let originals: Vec<&Machine> = lasting_machines(stage).into_iter().take(20).collect();
    let lasts = stage.dice.seconds(12_000.0, 90_000.0);
    let begins = hand.at;
    for original in originals {
        fail_over(stage, &mut hand, original, &group, region, begins + lasts);
    }
    for machine in &mut stage.script.machines {
        let caller = admin.at_usual_address(&mut stage.dice);
        machine.until = begins + lasts + stage.dice.seconds(0.0, 2_400.0);
        let mut delete = Action::delete_machine(machine, caller, &mut stage.dice);
        delete = delete.under(ticket.as_deref());
        stage.script.actions.push(delete);
    }
}

/// One machine's copy in the other region.
fn fail_over(
    stage: &mut Stage<'_>,
    hand: &mut Hand,
    original: &Machine,
    group: &str,
    region: &'static Region,
    until: DateTime<Utc>,
) {
    let vault = stage.subscription.resource("rg-backup", "Microsoft.RecoveryServices/vaults", "rsv-dr");
    let item = format!(
        "{vault}/replicationFabrics/asr-{}/replicationProtectionContainers/asr-container/replicationProtectedItems/{}",
        original.region.id, original.name
    );
    let operation = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/\
                     replicationProtectedItems/testFailover/action";
    hand.starts(stage, operation, &item);
    let spec = MachineSpec {
        name: format!("{}-test", original.name),
        group,
        region,
        size: original.size,
        from: hand.at + stage.dice.seconds(30.0, 240.0),
        until,
        tags: original.tags.clone(),
    };
    let copy = stage.subscription.machine(spec, &mut stage.dice);
    let create = Action::create_machine(&copy, hand.caller.clone(), &mut stage.dice);
    stage.script.actions.push(create);
    stage.script.machines.push(copy);
}
