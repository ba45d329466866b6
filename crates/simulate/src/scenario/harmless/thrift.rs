//! Honest money: what is cleaned up, and what is asked for in advance.

use std::sync::Arc;

use chrono::TimeDelta;

use super::hand::Hand;
use super::{a_little_later, change_ticket, in_office, workdays};
use crate::catalog::{SizeClass, of_class, size};
use crate::estate::MachineSpec;
use crate::scenario::Stage;
use crate::script::upkeep;
use crate::script::{Action, Failure, tags};

const BUDGET: (&str, &str) = ("Microsoft.Consumption/budgets/write", "Microsoft.Consumption/budgets");

/// What lies about unused: operation, type, how it is called.
const UNUSED: [(&str, &str, &str); 5] = [
    ("Microsoft.Compute/disks/delete", "Microsoft.Compute/disks", "disk-unattached"),
    ("Microsoft.Compute/disks/delete", "Microsoft.Compute/disks", "migrated-osdisk"),
    ("Microsoft.Compute/snapshots/delete", "Microsoft.Compute/snapshots", "snap-manual"),
    ("Microsoft.Network/publicIPAddresses/delete", "Microsoft.Network/publicIPAddresses", "pip-unused"),
    ("Microsoft.Network/networkInterfaces/delete", "Microsoft.Network/networkInterfaces", "nic-orphan"),
];

/// Somebody saves money: budgets are replaced, and disks, snapshots and addresses that nobody uses are
/// deleted by the dozen, on one to three days.
pub(crate) fn cost_cleanup(stage: &mut Stage<'_>) {
    let person = match stage.dice.below(3) {
        0 => stage.subscription.delegated.first().cloned(),
        _ => None,
    };
    let person = person.unwrap_or_else(|| Arc::clone(&stage.subscription.operators[0]));
    let ticket = stage.dice.chance(0.3).then(|| change_ticket(stage));
    let day_count = stage.dice.between(1, 3) as usize;
    for (number, day) in workdays(stage, day_count).into_iter().enumerate() {
        let at = in_office(stage, day);
        let mut hand = Hand::new(stage, &person, at).under(ticket.as_deref());
        if number == 0 {
            replace_budgets(stage, &mut hand);
        }
        let kinds = stage.dice.between(1, 3) as usize;
        for unused in stage.dice.sample(&UNUSED, kinds) {
            delete_unused(stage, &mut hand, unused);
        }
    }
}

fn replace_budgets(stage: &mut Stage<'_>, hand: &mut Hand) {
    let contact = hand.caller.principal.caller.clone();
    let old = ["monthly", "team", "old-project"];
    let count = stage.dice.between(1, 3) as usize;
    let writes_first = stage.dice.chance(0.6);
    for name in stage.dice.sample(&old, count) {
        let old = stage.subscription.of_whole(&format!("Microsoft.Consumption/budgets/{name}"));
        let new = format!("{old}-{}", hand.at.format("%Y"));
        let amount = stage.dice.between(5, 90) * 100;
        let body = upkeep::budget(amount, stage.dice.pick(&[75, 80, 90]), hand.at.date_naive(), &contact);
        if writes_first {
            hand.sets(stage, BUDGET, &new, &body);
        }
        hand.does(stage, "Microsoft.Consumption/budgets/delete", &old);
        if !writes_first {
            hand.sets(stage, BUDGET, &new, &body);
        }
    }
}

/// Deletes things of one kind; some are not so unused after all.
fn delete_unused(
    stage: &mut Stage<'_>,
    hand: &mut Hand,
    (operation, resource_type, name): (&'static str, &str, &str),
) {
    let code = stage.subscription.workload.code();
    let group = stage.dice.pick(&[stage.subscription.main_group(), format!("rg-{code}-legacy")]);
    for number in 1..=stage.dice.between(4, 30) {
        let resource = stage.subscription.resource(&group, resource_type, &format!("{name}-{number:02}"));
        let delete = hand.act(stage, operation, &resource);
        let delete = match stage.dice.chance(0.06) {
            true => delete.failed(Failure::in_use(&resource)),
            false => delete.accepted(false, &mut stage.dice),
        };
        stage.script.actions.push(delete);
    }
}

/// Before a launch the administrator asks for more processors under a change, in the regions in which
/// the subscription is; some days later the pipeline makes the machines that need them.
pub(crate) fn quota_raise_planned(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let ticket = change_ticket(stage);
    let wait = stage.dice.between(2, 5) as usize;
    let days = workdays(stage, wait);
    let (Some(first), Some(launch)) = (days.first().copied(), days.last().copied()) else { return };
    let at = in_office(stage, first);
    let mut hand = Hand::new(stage, &admin, at).under(Some(&ticket));
    let (_, usual) = stage.subscription.workload.machines();
    let wanted = match stage.dice.below(4) {
        0 => stage.dice.pick(&of_class(SizeClass::Large)),
        1 => size("Standard_D16s_v5"),
        _ => stage.dice.pick(&usual),
    };
    for region in &stage.subscription.regions {
        let family = wanted.quota_family;
        let path =
            format!("Microsoft.Compute/locations/{}/providers/Microsoft.Quota/quotas/{family}", region.id);
        let quota = stage.subscription.of_whole(&path);
        let limit = i64::from(wanted.vcpus) * stage.dice.between(6, 30);
        if stage.dice.chance(0.3) {
            // Too much at once: a ticket, and less of it.
            let refused = hand.act(stage, "Microsoft.Quota/quotas/write", &quota);
            let refused = refused.asking(&upkeep::quota(family, limit * 2));
            stage.script.actions.push(refused.failed(Failure::no_more_quota(family, region.id)));
            let name = format!("q{:08x}", stage.dice.below(1 << 32));
            let support = stage.subscription.of_whole(&format!("Microsoft.Support/supportTickets/{name}"));
            hand.starts(stage, "Microsoft.Support/supportTickets/write", &support);
            hand.wait(stage, 3_600.0, 20_000.0);
        }
        let ask = hand.act(stage, "Microsoft.Quota/quotas/write", &quota);
        let ask = ask
            .accepted(false, &mut stage.dice)
            .echoed(&upkeep::quota(family, limit), "Microsoft.Quota/quotas");
        stage.script.actions.push(ask);
    }
    let not_before = hand.at + TimeDelta::hours(1);
    let mut at = in_office(stage, launch).max(not_before);
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    stage.by(&pipeline);
    for number in 1..=stage.dice.between(4, 14) {
        at = a_little_later(stage, at);
        let spec = MachineSpec {
            name: format!("vm-launch-{number:02}"),
            group: &stage.subscription.main_group(),
            region: stage.dice.pick(&stage.subscription.regions),
            size: wanted,
            from: at,
            until: at + TimeDelta::hours(stage.dice.between(48, 400)),
            tags: tags(&[("env", "prod"), ("project", "launch"), ("changeTicket", &ticket)]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let caller = pipeline.at_usual_address(&mut stage.dice);
        let create = Action::create_machine(&machine, caller.clone(), &mut stage.dice).under(Some(&ticket));
        stage.script.actions.push(create);
        stage.script.actions.push(Action::delete_machine(&machine, caller, &mut stage.dice));
        stage.script.machines.push(machine);
    }
}
