//! Fleets of large machines, fast or slow.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ask_for_quota, hasty_name, intruder};
use crate::catalog::{Region, Size, SizeClass, of_class};
use crate::estate::{Caller, Machine, MachineSpec};
use crate::scenario::Stage;
use crate::scenario::stage::Pool;
use crate::script::{Action, Failure};

/// Many large or GPU machines in several unused regions within an hour or two, with failures where
/// quota ends; cost follows from the next day, and the machines mine.
pub(crate) fn gpu_fleet(stage: &mut Stage<'_>) {
    let caller = intruder(stage);
    let region_count = stage.dice.between(3, 7) as usize;
    let regions = stage.unused_regions(region_count);
    let sizes = fleet_sizes(stage);
    let pool = stage.pool();
    let group = hasty_name(stage);
    let attempts = stage.dice.between(20, 56);
    let span_s = stage.dice.real(1_500.0, 6_600.0);
    let refused_share = stage.dice.real(0.2, 0.45);
    stage.make_group(&group, stage.start - TimeDelta::seconds(9), caller.clone());
    if stage.dice.chance(0.4) {
        let family = sizes[0].quota_family;
        ask_for_quota(stage, &caller, regions[0].id, family, TimeDelta::seconds(span_s as i64 / 3));
    }
    for number in 0..attempts {
        let step = TimeDelta::milliseconds((span_s * 1_000.0) as i64 / attempts);
        let at = stage.start + step * number as i32 + stage.dice.seconds(0.0, 20.0);
        // Region by region, as a script would.
        let region = regions[number as usize * regions.len() / attempts as usize];
        let size = stage.dice.pick(&sizes);
        let machine = machine(stage, &group, number, region, size, at);
        // The first eight go through: a fleet of which nothing came up would be another scenario.
        let refused = number >= 8 && stage.dice.chance(refused_share);
        deploy(stage, machine, &caller, Some(&pool), refused);
    }
    let found_after = TimeDelta::hours(stage.dice.between(20, 140));
    contain_in_time(stage, found_after);
}

/// A few machines a day for a week or more, one or two regions, nothing refused: each day looks almost
/// ordinary.
pub(crate) fn slow_burn(stage: &mut Stage<'_>) {
    let caller = intruder(stage);
    let region_count = stage.dice.between(1, 2) as usize;
    let regions = stage.unused_regions(region_count);
    let sizes = stage.dice.sample(&of_class(SizeClass::Large), 2);
    let pool = stage.pool();
    let group = hasty_name(stage);
    let days = stage.dice.between(5, 12);
    stage.make_group(&group, stage.start, caller.clone());
    let mut number = 0;
    for day in 0..days {
        for _ in 0..stage.dice.between(1, 4) {
            let first = stage.start + TimeDelta::days(day) + TimeDelta::minutes(2);
            let at = first + stage.dice.seconds(0.0, 18_000.0);
            let region = stage.dice.pick(&regions);
            let size = stage.dice.pick(&sizes);
            let machine = machine(stage, &group, number, region, size, at);
            deploy(stage, machine, &caller, Some(&pool), false);
            number += 1;
        }
    }
    let found_after = TimeDelta::days(days) + TimeDelta::hours(stage.dice.between(5, 90));
    contain_in_time(stage, found_after);
}

fn fleet_sizes(stage: &mut Stage<'_>) -> Vec<&'static Size> {
    let class = if stage.dice.chance(0.7) { SizeClass::Gpu } else { SizeClass::Large };
    let count = stage.dice.between(1, 3) as usize;
    stage.dice.sample(&of_class(class), count)
}

fn machine(
    stage: &mut Stage<'_>,
    group: &str,
    number: i64,
    region: &'static Region,
    size: &'static Size,
    at: DateTime<Utc>,
) -> Machine {
    let spec = MachineSpec {
        name: format!("vm{number:03}-{}", region.id),
        group,
        region,
        size,
        from: at,
        until: stage.forever(),
        tags: "{}".to_owned(),
    };
    stage.subscription.machine(spec, &mut stage.dice)
}

/// Makes a machine with its network interface, or fails to; with a pool, the machine mines once it is
/// set up.
pub(super) fn deploy(
    stage: &mut Stage<'_>,
    machine: Machine,
    caller: &Caller,
    pool: Option<&Pool>,
    refused: bool,
) {
    let create = Action::create_machine(&machine, caller.clone(), &mut stage.dice);
    let nic_id = stage.subscription.resource(
        &machine.group,
        "Microsoft.Network/networkInterfaces",
        &format!("{}-nic", machine.name),
    );
    let nic_at = machine.from - TimeDelta::seconds(4);
    let make_nic = Action::new(
        nic_at,
        caller.clone(),
        "Microsoft.Network/networkInterfaces/write",
        nic_id,
        &mut stage.dice,
    )
    .accepted(true, &mut stage.dice)
    .within(create.correlation);
    stage.script.actions.push(make_nic);
    if refused {
        let no_quota = stage.dice.chance(0.75);
        let failure =
            if no_quota { Failure::quota(&machine, &mut stage.dice) } else { Failure::sku(&machine) };
        stage.script.actions.push(create.failed(failure));
        return;
    }
    stage.script.actions.push(create);
    if let Some(pool) = pool {
        let mines_from = machine.from + stage.dice.seconds(400.0, 2_400.0);
        stage.mine(&machine.nic, pool, mines_from, machine.until);
    }
    stage.script.machines.push(machine);
}

/// Most are found and ended; what would be ended after the period goes on.
fn contain_in_time(stage: &mut Stage<'_>, found_after: TimeDelta) {
    let at = stage.start + found_after;
    if at < stage.period.end - TimeDelta::hours(1) {
        stage.contain(at);
    }
}
