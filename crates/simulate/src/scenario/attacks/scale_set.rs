//! Scale sets of spare GPU capacity, by a service principal whose secret leaked.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{ask_for_quota, hasty_name};
use crate::catalog::{SizeClass, of_class};
use crate::estate::{MachineSpec, address, nic};
use crate::scenario::Stage;
use crate::script::{Action, Failure};

/// Interfaces of one set whose flows are logged: more say nothing new.
const MINERS_A_SET: u32 = 5;

/// One to three sets in each of several unused regions within two hours, raised step by step until
/// quota ends, with requests for more quota between.
pub(crate) fn scale_set_burst(stage: &mut Stage<'_>) {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    stage.by(&pipeline);
    let caller = pipeline.at(address::hostile(&mut stage.dice));
    let region_count = stage.dice.between(2, 5) as usize;
    let regions = stage.unused_regions(region_count);
    let size = stage.dice.pick(&of_class(SizeClass::Gpu));
    let pool = stage.pool();
    let group = hasty_name(stage);
    stage.make_group(&group, stage.start, caller.clone());
    let mut at = stage.start + TimeDelta::seconds(20);
    for region in regions {
        for number in 0..stage.dice.between(1, 3) {
            at += stage.dice.seconds(40.0, 700.0);
            let spec = MachineSpec {
                name: format!("pool{number}-{}", region.id),
                group: &group,
                region,
                size,
                from: at,
                until: stage.forever(),
                tags: "{}".to_owned(),
            };
            let capacity = stage.dice.between(4, 16) as u32;
            let mut set = stage.subscription.scale_set(spec, capacity, &mut stage.dice);
            set.spot = true;
            stage.script.actions.push(Action::create_machine(&set, caller.clone(), &mut stage.dice));

            let mut larger = set.clone();
            larger.capacity = Some(capacity * 2);
            let raise_at = at + stage.dice.seconds(200.0, 900.0);
            let raise = Action::update_machine(raise_at, &larger, caller.clone(), &mut stage.dice);
            if stage.dice.chance(0.5) {
                let failure = Failure::quota(&larger, &mut stage.dice);
                stage.script.actions.push(raise.failed(failure));
                let delay = raise_at - stage.start + TimeDelta::seconds(60);
                ask_for_quota(stage, &caller, region.id, size.quota_family, delay);
            } else {
                stage.script.actions.push(raise);
                set.capacity = larger.capacity;
            }
            let set_nics: Vec<_> =
                (0..capacity.min(MINERS_A_SET)).map(|_| nic(region, &mut stage.dice)).collect();
            for set_nic in set_nics {
                let mines_from = at + stage.dice.seconds(500.0, 2_000.0);
                stage.mine(&set_nic, &pool, mines_from, set.until);
            }
            stage.script.machines.push(set);
        }
    }
    let found_at = stage.start + TimeDelta::hours(stage.dice.between(18, 100));
    if found_at < stage.period.end - TimeDelta::hours(1) {
        stage.contain(found_at);
    }
}
