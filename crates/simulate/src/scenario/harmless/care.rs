//! Honest care of machines: patches, a port for the office, backups under a new policy.

use std::sync::Arc;

use chrono::{DateTime, Days, TimeDelta, Utc};
use serde_json::json;

use super::hand::Hand;
use super::{change_ticket, in_office, lasting_machines, workdays};
use crate::calendar::midnight;
use crate::estate::{Chore, Machine, Subscription};
use crate::scenario::Stage;
use crate::script::upkeep;
use crate::script::{Failure, extension, open_port};

const RULE: (&str, &str) = (
    "Microsoft.Network/networkSecurityGroups/securityRules/write",
    "Microsoft.Network/networkSecurityGroups/securityRules",
);
const EXTENSION: (&str, &str) =
    ("Microsoft.Compute/virtualMachines/extensions/write", "Microsoft.Compute/virtualMachines/extensions");
const ITEM: (&str, &str) = (
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write",
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
);

/// Whether a program patches machines there.
pub(crate) fn patches_machines(subscription: &Subscription) -> bool {
    super::access::has_old_machines(subscription)
        && subscription.upkeep.is_habit(Chore::Commands, &subscription.upkeep.patching)
}

/// The program that patches machines does all of them in one or two nights: commands and extensions on
/// every machine within an hour or two, as one does who takes them over.
pub(crate) fn patching(stage: &mut Stage<'_>) {
    let patcher = Arc::clone(&stage.subscription.upkeep.patching);
    let ticket = stage.dice.chance(0.5).then(|| change_ticket(stage));
    let first = stage.start.date_naive() + Days::new(1);
    let machines = lasting_machines(stage);
    let agent = stage.dice.pick(&[
        ("Microsoft.CPlat.Core", "LinuxPatchExtension", "1.6"),
        ("Microsoft.Azure.Extensions", "CustomScript", "2.1"),
    ]);
    for night in 0..stage.dice.between(1, 2) as u64 {
        let at = midnight(first + Days::new(night)) + stage.dice.seconds(3_600.0, 14_400.0);
        let mut hand = Hand::new(stage, &patcher, at).under(ticket.as_deref());
        for machine in &machines {
            patch(stage, &mut hand, machine, agent);
        }
    }
}

fn patch(stage: &mut Stage<'_>, hand: &mut Hand, machine: &Machine, agent: (&str, &str, &str)) {
    hand.starts(stage, "Microsoft.Compute/virtualMachines/assessPatches/action", &machine.id);
    if stage.dice.chance(0.5) {
        let (publisher, kind, version) = agent;
        let body = extension(machine.region, publisher, kind, version, json!({}));
        hand.makes(stage, EXTENSION, &format!("{}/extensions/{kind}", machine.id), &body);
    }
    for _ in 0..stage.dice.between(1, 3) {
        hand.starts(stage, "Microsoft.Compute/virtualMachines/runCommand/action", &machine.id);
    }
    hand.starts(stage, "Microsoft.Compute/virtualMachines/installPatches/action", &machine.id);
    if stage.dice.chance(0.5) {
        hand.starts(stage, "Microsoft.Compute/virtualMachines/restart/action", &machine.id);
    }
}

/// A known person opens a port for management in one to three networks, to the office and nobody else;
/// often it is closed again the same week. A policy may say no to a first, broader try.
pub(crate) fn firewall_opened_for_office(stage: &mut Stage<'_>) {
    let person = stage.known_person();
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let at = in_office(stage, day);
    let ticket = stage.dice.chance(0.3).then(|| change_ticket(stage));
    let mut hand = Hand::new(stage, &person, at).under(ticket.as_deref());
    let office = stage.subscription.operators[0].addresses[0].clone();
    let port = stage.dice.pick(&["22", "3389", "3389", "5985-5986", "1433"]);
    let source = if stage.dice.chance(0.7) { format!("{office}/32") } else { office };
    let mut opened = Vec::new();
    for region in &stage.subscription.regions {
        let group = stage.subscription.security_group(region);
        let name = stage.dice.pick(&["allow-rdp-office", "allow-ssh-office", "mgmt-office", "AllowMgmt"]);
        let rule = format!("{group}/securityRules/{name}");
        let priority = stage.dice.between(100, 400);
        if stage.dice.chance(0.15) {
            let body = open_port(port, "*", priority);
            let denied = hand.act(stage, RULE.0, &rule).asking(&body);
            stage.script.actions.push(denied.failed(Failure::policy(&rule)));
            hand.wait(stage, 30.0, 600.0);
        }
        hand.makes(stage, RULE, &rule, &open_port(port, &source, priority));
        opened.push(rule);
    }
    if stage.dice.chance(0.6) {
        let at = hand.at + TimeDelta::hours(stage.dice.between(1, 60));
        let mut hand = Hand::new(stage, &person, at);
        for rule in opened {
            hand.starts(stage, "Microsoft.Network/networkSecurityGroups/securityRules/delete", &rule);
        }
    }
}

/// Backups come under a new policy: the administrator writes it, moves machines to it, sometimes into a
/// new vault, and the program that makes copies prunes old ones on the nights after.
pub(crate) fn backup_policy_change(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let at = in_office(stage, day);
    let ticket = stage.dice.chance(0.6).then(|| change_ticket(stage));
    let mut hand = Hand::new(stage, &admin, at).under(ticket.as_deref());
    let vault_type = "Microsoft.RecoveryServices/vaults";
    let old_vault = stage.subscription.resource("rg-backup", vault_type, "rsv-main");
    let is_moved = stage.dice.chance(0.4);
    let vault = if is_moved {
        let vault = stage.subscription.resource("rg-backup", vault_type, "rsv-long-term");
        hand.starts(stage, "Microsoft.RecoveryServices/vaults/write", &vault);
        vault
    } else {
        old_vault.clone()
    };
    let policy = format!("{vault}/backupPolicies/daily-{:02}", stage.dice.between(14, 60));
    let body = upkeep::backup_policy(stage.dice.between(0, 5), stage.dice.between(14, 60));
    let operation = "Microsoft.RecoveryServices/vaults/backupPolicies/write";
    hand.sets(stage, (operation, "Microsoft.RecoveryServices/vaults/backupPolicies"), &policy, &body);
    for machine in lasting_machines(stage) {
        if is_moved {
            let operation =
                "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete";
            hand.starts(stage, operation, &protected_item(&old_vault, machine));
        }
        let item = protected_item(&vault, machine);
        let body = upkeep::protected_item(&machine.id, &policy);
        hand.makes(stage, ITEM, &item, &body);
    }
    let at = hand.at;
    prune(stage, at);
}

/// Path of what saves a machine.
fn protected_item(vault: &str, machine: &Machine) -> String {
    let name = format!("iaasvmcontainerv2;{};{}", machine.group, machine.name);
    format!(
        "{vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{name}/protectedItems/vm;{name}"
    )
}

/// Old copies go, on one to four nights.
fn prune(stage: &mut Stage<'_>, after: DateTime<Utc>) {
    let backup = Arc::clone(&stage.subscription.upkeep.backup);
    for night in 1..=stage.dice.between(1, 4) as u64 {
        let day = after.date_naive() + Days::new(night);
        let at = midnight(day) + stage.dice.seconds(3_600.0, 12_000.0);
        let mut hand = Hand::new(stage, &backup, at);
        let old = (day - Days::new(45)).format("%Y%m%d");
        let code = stage.subscription.workload.code();
        for number in 1..=stage.dice.between(5, 30) {
            let name = format!("snap-{code}-{old}-{number:02}");
            let snapshot = stage.subscription.resource("rg-backup", "Microsoft.Compute/snapshots", &name);
            hand.starts(stage, "Microsoft.Compute/snapshots/delete", &snapshot);
        }
        let points = format!("rpc-{code}");
        let points =
            stage.subscription.resource("rg-backup", "Microsoft.Compute/restorePointCollections", &points);
        for number in 1..=stage.dice.between(0, 20) {
            let point = format!("{points}/restorePoints/rp-{old}-{number:02}");
            let operation = "Microsoft.Compute/restorePointCollections/restorePoints/delete";
            hand.starts(stage, operation, &point);
        }
    }
}
