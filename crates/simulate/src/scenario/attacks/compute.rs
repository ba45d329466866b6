//! Machines that an intruder makes as the last step of an attack that began otherwise.

use super::fleet;
use super::worker::Worker;
use crate::catalog::{Region, Size, SizeClass, of_class};
use crate::estate::MachineSpec;
use crate::scenario::Stage;
use crate::scenario::stage::Pool;

/// What is made.
pub(super) struct Rig<'a> {
    pub(super) group: &'a str,
    pub(super) regions: &'a [&'static Region],
    pub(super) sizes: &'a [&'static Size],
    pub(super) count: i64,
    /// The share that Azure refuses. The first three go through.
    pub(super) refused_share: f64,
    /// What the machines talk to, if anybody can see it.
    pub(super) pool: Option<&'a Pool>,
}

/// Makes the machines, one after the other, at the worker's pace.
pub(super) fn build(stage: &mut Stage<'_>, worker: &mut Worker, rig: &Rig<'_>) {
    let naming = stage.dice.below(4);
    for number in 0..rig.count {
        // The network interface comes some seconds before its machine.
        worker.wait(stage, 5.0, 45.0);
        let region = rig.regions[number as usize * rig.regions.len() / rig.count as usize];
        let spec = MachineSpec {
            name: name(stage, naming, number, region),
            group: rig.group,
            region,
            size: stage.dice.pick(rig.sizes),
            from: worker.at,
            until: stage.forever(),
            tags: "{}".to_owned(),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let refused = number >= 3 && stage.dice.chance(rig.refused_share);
        fleet::deploy(stage, machine, &worker.caller, rig.pool, refused);
    }
}

/// How machines are called: by number and region, by number, at random, or as the customer does it.
fn name(stage: &mut Stage<'_>, naming: usize, number: i64, region: &Region) -> String {
    match naming {
        0 => format!("vm{number:03}-{}", region.id),
        1 => format!("node-{number}"),
        2 => format!("{:08x}-{number}", stage.dice.below(1 << 32)),
        _ => format!("vm-{}-{:02}", stage.subscription.workload.code(), 60 + number),
    }
}

/// One to three sizes that are worth stealing.
pub(super) fn dear_sizes(stage: &mut Stage<'_>) -> Vec<&'static Size> {
    let class = if stage.dice.chance(0.65) { SizeClass::Gpu } else { SizeClass::Large };
    let count = stage.dice.between(1, 3) as usize;
    stage.dice.sample(&of_class(class), count)
}
