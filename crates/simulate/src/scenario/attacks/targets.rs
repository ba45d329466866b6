//! What an intruder finds in a subscription.

use crate::estate::{Machine, Subscription};
use crate::scenario::Stage;

/// Accounts and services of one type that the routine has, too; more have names of their own.
const NUMBERED: usize = 6;

/// Whether it has machines from the start on.
pub(crate) fn has_lasting_machines(subscription: &Subscription) -> bool {
    !lasting_machines(subscription).is_empty()
}

/// Machines that were there before the start and stay to the end. Scale sets are left out.
pub(super) fn lasting_machines(subscription: &Subscription) -> Vec<&Machine> {
    let lasting = |machine: &&Machine| machine.capacity.is_none() && machine.from < subscription.since;
    subscription.script.machines.iter().filter(lasting).collect()
}

/// Some of those machines.
pub(super) fn some_machines<'a>(stage: &mut Stage<'a>, low: i64, high: i64) -> Vec<&'a Machine> {
    let count = stage.dice.between(low, high) as usize;
    stage.dice.sample(&lasting_machines(stage.subscription), count)
}

/// Services of a type that people and the pipeline work with, too: `shop01`.
pub(super) fn services(stage: &mut Stage<'_>, resource_type: &str, count: usize) -> Vec<String> {
    let numbers: Vec<usize> = (1..=NUMBERED).collect();
    let numbers = stage.dice.sample(&numbers, count);
    numbers.into_iter().map(|number| stage.subscription.service(resource_type, number)).collect()
}

/// A group of things that are kept and not used: nobody touches them in the ordinary life of the
/// subscription, so nothing in it misses them once they are gone.
pub(super) fn spare_group(stage: &mut Stage<'_>) -> String {
    let purpose = stage.dice.pick(&["archive", "dr", "legacy", "backup2"]);
    format!("rg-{}-{purpose}", stage.subscription.workload.code())
}

/// Things of a type in a group.
pub(super) fn things(
    stage: &mut Stage<'_>,
    group: &str,
    resource_type: &str,
    (low, high): (i64, i64),
) -> Vec<String> {
    let code = stage.subscription.workload.code();
    let purpose = stage.dice.pick(&["archive", "dr", "old", "hist", "copy"]);
    let named = |number| {
        let name = format!("{code}{purpose}{}{number:02}", &stage.subscription.id[..3]);
        stage.subscription.resource(group, resource_type, &name)
    };
    (1..=stage.dice.between(low, high)).map(named).collect()
}

/// The disk that a machine starts from.
pub(super) fn disk_of(stage: &Stage<'_>, machine: &Machine) -> String {
    let name = format!("{}_OsDisk_1", machine.name);
    stage.subscription.resource(&machine.group, "Microsoft.Compute/disks", &name)
}
