//! Honest changes of who may do what: a new colleague, a vendor for two days, keys made anew.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use super::hand::Hand;
use super::{change_ticket, in_office, lasting_machines, workdays};
use crate::estate::{Chore, MachineSpec, Principal, Subscription, address, upn};
use crate::scenario::Stage;
use crate::script::upkeep::KEYED;
use crate::script::{Action, Role, extension, open_port, tags};

/// A number that no person of a customer's directory has otherwise.
const NEWCOMER: usize = 7;

/// A new colleague gets roles from the customer's first administrator and works from the next days on:
/// every operation is the first of its kind by that person.
pub(crate) fn new_administrator(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let day_count = stage.dice.between(3, 8) as usize;
    let days = workdays(stage, day_count);
    let Some(first) = days.first().copied() else { return };
    let role = stage.dice.pick(&[Role::Contributor, Role::Contributor, Role::Owner]);
    let colleague = colleague(stage, &admin, role);
    let at = in_office(stage, first);
    let mut hand = Hand::new(stage, &admin, at);
    let caller = hand.caller.clone();
    stage.directory_act(at, &caller, |by| by.adds_user(&colleague));
    let whole = stage.subscription.whole();
    grant(stage, &mut hand, role, &colleague, &whole);
    let others = [Role::UserAccessAdministrator, Role::StorageBlobDataContributor, Role::KeyVaultSecretsUser];
    let more = stage.dice.between(0, 2) as usize;
    for role in stage.dice.sample(&others, more) {
        let scope = if stage.dice.chance(0.5) {
            stage.subscription.group(&stage.subscription.main_group())
        } else {
            whole.clone()
        };
        grant(stage, &mut hand, role, &colleague, &scope);
    }
    let starts_today = stage.dice.chance(0.4);
    for day in days.into_iter().skip(usize::from(!starts_today)) {
        let mut at = in_office(stage, day);
        if at < hand.at {
            at = hand.at + stage.dice.seconds(1_800.0, 10_000.0);
        }
        a_days_work(stage, &colleague, day, at, role);
    }
}

fn colleague(stage: &mut Stage<'_>, admin: &Principal, role: Role) -> Arc<Principal> {
    let name = upn(NEWCOMER, stage.subscription.domain(), &mut stage.dice);
    let office = admin.addresses[0].clone();
    let addresses = vec![office, address::anyone(&mut stage.dice)];
    let role = if role == Role::Owner { "Owner" } else { "Contributor" };
    let tenant = &stage.customer.tenant_id;
    Arc::new(Principal::person(name, tenant, role, addresses, stage.start, &mut stage.dice))
}

/// Gives a role; the path of the assignment.
pub(super) fn grant(
    stage: &mut Stage<'_>,
    hand: &mut Hand,
    role: Role,
    to: &Principal,
    scope: &str,
) -> String {
    hand.wait(stage, 15.0, 200.0);
    let action = Action::grant_role(hand.at, hand.caller.clone(), (role, to), scope, &mut stage.dice);
    stage.uses(&action.resource);
    let assignment = action.resource.clone();
    stage.script.actions.push(action);
    assignment
}

/// What somebody does who learns the subscription by working on it.
fn a_days_work(
    stage: &mut Stage<'_>,
    colleague: &Arc<Principal>,
    day: NaiveDate,
    at: DateTime<Utc>,
    role: Role,
) {
    let mut hand = Hand::new(stage, colleague, at);
    let code = stage.subscription.workload.code();
    for _ in 0..stage.dice.between(2, 9) {
        hand.wait(stage, 30.0, 2_400.0);
        let number = 1 + stage.dice.below(6);
        match stage.dice.below(12) {
            0..=2 => {
                let account = stage.subscription.service(KEYED[0].resource_type, number);
                hand.does(stage, KEYED[0].list, &account);
            }
            3..=4 => {
                let tags = stage.subscription.of_whole("Microsoft.Resources/tags/default");
                hand.does(stage, "Microsoft.Resources/tags/write", &tags);
            }
            5..=6 => {
                let site = stage.subscription.service("Microsoft.Web/sites", number);
                hand.does(stage, "Microsoft.Web/sites/config/write", &site);
            }
            7 => {
                let alert = stage.subscription.service("Microsoft.Insights/metricAlerts", number);
                hand.does(stage, "Microsoft.Insights/metricAlerts/write", &alert);
            }
            8 => {
                let group = stage.subscription.security_group(stage.subscription.regions[0]);
                let body = open_port("443", "*", stage.dice.between(10, 90) * 10);
                let operation = "Microsoft.Network/networkSecurityGroups/securityRules/write";
                let resource_type = "Microsoft.Network/networkSecurityGroups/securityRules";
                hand.makes(stage, (operation, resource_type), &format!("{group}/securityRules/web"), &body);
            }
            9 => {
                let old = stage.subscription.service("Microsoft.Compute/snapshots", number);
                hand.starts(stage, "Microsoft.Compute/snapshots/delete", &old);
            }
            10 if role == Role::Owner => {
                let to = stage.dice.pick(&stage.subscription.upkeep.grantees);
                let scope = stage.subscription.group(&stage.subscription.main_group());
                grant(stage, &mut hand, Role::Reader, &to, &scope);
            }
            _ => {
                if let Some(machine) = lasting_machines(stage).first() {
                    hand.starts(stage, "Microsoft.Compute/virtualMachines/restart/action", &machine.id);
                }
            }
        }
    }
    if stage.dice.chance(0.15) {
        let (_, sizes) = stage.subscription.workload.machines();
        let spec = MachineSpec {
            name: format!("vm-{code}-t{}", day.format("%m%d")),
            group: &stage.subscription.main_group(),
            region: stage.subscription.regions[0],
            size: stage.dice.pick(&sizes),
            from: hand.at + TimeDelta::seconds(90),
            until: hand.at + stage.dice.seconds(7_200.0, 200_000.0),
            tags: tags(&[("env", "dev"), ("owner", &colleague.caller)]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let caller = hand.caller.clone();
        stage.script.actions.push(Action::create_machine(&machine, caller.clone(), &mut stage.dice));
        stage.script.actions.push(Action::delete_machine(&machine, caller, &mut stage.dice));
        stage.script.machines.push(machine);
    }
}

/// Whether there are machines that were there long before.
pub(crate) fn has_old_machines(subscription: &Subscription) -> bool {
    let old =
        |machine: &crate::estate::Machine| machine.capacity.is_none() && machine.from < subscription.since;
    subscription.script.machines.iter().any(old)
}

/// A guest from the maker of some software becomes Contributor for two or three days, runs commands on
/// machines, and is removed again: a stranger with power, let in by the one who may.
pub(crate) fn vendor_support(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let ticket = stage.dice.chance(0.6).then(|| change_ticket(stage));
    let day_count = stage.dice.between(2, 3) as usize;
    let days = workdays(stage, day_count);
    let Some(first) = days.first().copied() else { return };
    let vendor = vendor(stage);
    let at = in_office(stage, first);
    let mut hand = Hand::new(stage, &admin, at).under(ticket.as_deref());
    let scope = match stage.dice.below(3) {
        0 => stage.subscription.whole(),
        _ => stage.subscription.group(&stage.subscription.main_group()),
    };
    let role = stage.dice.pick(&[Role::Contributor, Role::Contributor, Role::VirtualMachineContributor]);
    let caller = hand.caller.clone();
    stage.directory_act(at, &caller, |by| by.invites(&vendor, &vendor.caller));
    let assignment = grant(stage, &mut hand, role, &vendor, &scope);
    let mut at = hand.at + stage.dice.seconds(600.0, 12_000.0);
    for day in days {
        let begins = in_office(stage, day);
        at = support(stage, &vendor, begins.max(at));
    }
    let removed_at = at + stage.dice.seconds(1_200.0, 60_000.0);
    let mut hand = Hand::new(stage, &admin, removed_at).under(ticket.as_deref());
    hand.does(stage, "Microsoft.Authorization/roleAssignments/delete", &assignment);
}

fn vendor(stage: &mut Stage<'_>) -> Arc<Principal> {
    let company =
        stage.dice.pick(&["stockline-software", "medirec", "fleetplan", "ledgerworks", "scanbridge"]);
    let name = upn(0, &format!("{company}.example"), &mut stage.dice);
    let tenant = stage.dice.guid().to_string();
    let addresses = vec![address::service(&mut stage.dice)];
    Arc::new(Principal::person(name, &tenant, "Contributor", addresses, stage.start, &mut stage.dice))
}

/// A session of the vendor's on some machines; when it is over.
fn support(stage: &mut Stage<'_>, vendor: &Arc<Principal>, at: DateTime<Utc>) -> DateTime<Utc> {
    let mut hand = Hand::new(stage, vendor, at);
    let count = stage.dice.between(1, 4) as usize;
    let all = lasting_machines(stage);
    for machine in stage.dice.sample(&all, count) {
        for _ in 0..stage.dice.between(1, 5) {
            hand.starts(stage, "Microsoft.Compute/virtualMachines/runCommand/action", &machine.id);
            hand.wait(stage, 60.0, 1_500.0);
        }
        if stage.dice.chance(0.3) {
            let body =
                extension(machine.region, "Microsoft.Azure.Extensions", "CustomScript", "2.1", json!({}));
            let operation = "Microsoft.Compute/virtualMachines/extensions/write";
            let resource_type = "Microsoft.Compute/virtualMachines/extensions";
            let resource = format!("{}/extensions/CustomScript", machine.id);
            hand.makes(stage, (operation, resource_type), &resource, &body);
        }
        if stage.dice.chance(0.4) {
            hand.starts(stage, "Microsoft.Compute/virtualMachines/restart/action", &machine.id);
        }
    }
    if stage.dice.chance(0.25) {
        let account = stage.subscription.service(KEYED[0].resource_type, 1 + stage.dice.below(6));
        hand.does(stage, KEYED[0].list, &account);
    }
    hand.at
}

/// Whether keys are made anew by a program there.
pub(crate) fn rotates_keys(subscription: &Subscription) -> bool {
    subscription.upkeep.is_habit(Chore::RotateKeys, &subscription.upkeep.rotation)
}

/// The program that makes some keys anew each week makes all of them anew, twice each, and reads them.
pub(crate) fn key_rotation(stage: &mut Stage<'_>) {
    let rotation = Arc::clone(&stage.subscription.upkeep.rotation);
    let ticket = stage.dice.chance(0.4).then(|| change_ticket(stage));
    let mut hand = Hand::new(stage, &rotation, stage.start).under(ticket.as_deref());
    let mut accounts = Vec::new();
    for service in &KEYED {
        let most = if service == &KEYED[0] { 6 } else { 3 };
        for number in 1..=stage.dice.between(i64::from(most == 6) * 3, most) as usize {
            accounts.push((service, stage.subscription.service(service.resource_type, number)));
        }
    }
    let archive = stage.dice.between(0, 14) as usize;
    for number in 7..7 + archive {
        accounts.push((&KEYED[0], stage.subscription.service(KEYED[0].resource_type, number)));
    }
    let both_at_once = stage.dice.chance(0.5);
    for round in 0..2 {
        for (service, account) in &accounts {
            if stage.dice.chance(0.7) {
                hand.does(stage, service.list, account);
            }
            hand.does(stage, service.regenerate, account);
            if both_at_once {
                hand.does(stage, service.regenerate, account);
            }
            hand.does(stage, service.list, account);
        }
        if both_at_once || round == 1 {
            break;
        }
        // The second key follows once all programs use the first.
        hand.pause(stage.dice.between(30, 1_500));
    }
}
