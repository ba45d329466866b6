//! Patience in a place where nobody looks.

use chrono::TimeDelta;

use super::compute::dear_sizes;
use super::fleet;
use super::worker::{Worker, entry, found_after};
use crate::estate::MachineSpec;
use crate::scenario::Stage;
use crate::script::tags;

/// Dear machines in one region that the customer never used, one by one with hours to days between,
/// named and tagged as the customer names its own. MITRE T1535; the choice of regions after Microsoft's
/// "Cryptojacking" (July 2023).
pub(crate) fn hidden_region(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let region = stage.unused_regions(1)[0];
    let code = stage.subscription.workload.code();
    let sizes = dear_sizes(stage);
    let pool = stage.pool();
    let group = match stage.dice.chance(0.6) {
        true => format!("rg-{code}-{}", region.id),
        false => format!("rg-{code}-stage"),
    };
    worker.makes_group(stage, &group);
    let gap_hours = (stage.dice.between(3, 8), stage.dice.between(9, 40));
    let first = stage.dice.between(20, 70);
    let environment = stage.dice.pick(&["prod", "test", "dev"]);
    for number in first..first + stage.dice.between(3, 11) {
        worker.wait(stage, 60.0, 2_400.0);
        let spec = MachineSpec {
            name: format!("vm-{code}-{number}"),
            group: &group,
            region,
            size: stage.dice.pick(&sizes),
            from: worker.at,
            until: stage.forever(),
            tags: tags(&[("env", environment), ("app", code)]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        fleet::deploy(stage, machine, &worker.caller, Some(&pool), false);
        worker.at += TimeDelta::hours(stage.dice.between(gap_hours.0, gap_hours.1));
    }
    found_after(stage, 120, 400);
}
