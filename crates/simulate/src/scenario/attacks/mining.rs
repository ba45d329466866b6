//! Miners on machines that are already there: neither the activity log nor the bill shows them.

use chrono::TimeDelta;

use crate::estate::{Hours, Machine, Subscription};
use crate::scenario::Stage;

fn can_be_hijacked(machine: &Machine) -> bool {
    machine.hours == Hours::Always && machine.capacity.is_none()
}

/// Whether the subscription logs flows and has a machine that runs day and night from the start.
pub(crate) fn has_machines_to_hijack(subscription: &Subscription) -> bool {
    let lasting = |machine: &&Machine| can_be_hijacked(machine) && machine.from < subscription.since;
    subscription.flow_shape.is_some() && subscription.script.machines.iter().any(|machine| lasting(&machine))
}

/// One to five machines talk to a pool, low and steady, for days.
pub(crate) fn hijacked_mining(stage: &mut Stage<'_>) {
    let subscription = stage.subscription;
    let lasting: Vec<&Machine> = subscription
        .script
        .machines
        .iter()
        .filter(|machine| can_be_hijacked(machine) && machine.from < subscription.since)
        .collect();
    let pool = stage.pool();
    let count = stage.dice.between(1, 5) as usize;
    let until = stage.start + TimeDelta::hours(stage.dice.between(60, 480));
    for machine in stage.dice.sample(&lasting, count) {
        // One after the other, as the intruder moves on.
        let from = stage.start + stage.dice.seconds(0.0, 5_400.0);
        stage.uses(&machine.id);
        stage.mine(&machine.nic, &pool, from, until);
    }
}
