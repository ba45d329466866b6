//! Honest machines in numbers.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::{a_little_later, change_ticket, in_office, workdays};
use crate::calendar::{is_month_end, midnight};
use crate::catalog::{REGIONS, SizeClass, of_class, size};
use crate::estate::{Caller, Hours, Machine, MachineSpec};
use crate::scenario::Stage;
use crate::script::{Action, tags};

/// A known administrator moves many machines of usual sizes into the known region, over some workdays,
/// under a change ticket.
pub(crate) fn planned_migration(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    stage.by(&admin);
    let ticket = change_ticket(stage);
    let (_, sizes) = stage.subscription.workload.machines();
    let day_count = stage.dice.between(2, 5) as usize;
    let mut number = 0;
    for day in workdays(stage, day_count) {
        let mut at = in_office(stage, day);
        for _ in 0..stage.dice.between(3, 9) {
            at = a_little_later(stage, at);
            let spec = MachineSpec {
                name: format!("vm-mig-{number:02}"),
                group: "rg-migration",
                region: stage.subscription.regions[0],
                size: stage.dice.pick(&sizes),
                from: at,
                until: stage.forever(),
                tags: tags(&[("env", "prod"), ("project", "datacentre-exit"), ("changeTicket", &ticket)]),
            };
            let machine = stage.subscription.machine(spec, &mut stage.dice);
            let caller = admin.at_usual_address(&mut stage.dice);
            make(stage, machine, caller, Some(&ticket));
            number += 1;
        }
    }
}

/// The pipeline opens a new region under a change ticket: some machines of usual sizes in an afternoon.
pub(crate) fn new_region(stage: &mut Stage<'_>) {
    let ticket = change_ticket(stage);
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    stage.by(&pipeline);
    let candidates: Vec<_> =
        REGIONS.iter().filter(|region| region.home && !stage.subscription.regions.contains(region)).collect();
    let region = stage.dice.pick(&candidates);
    let (_, sizes) = stage.subscription.workload.machines();
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let mut at = in_office(stage, day);
    let group = format!("rg-{}-{}", stage.subscription.workload.code(), region.id);
    let caller = pipeline.at_usual_address(&mut stage.dice);
    stage.make_group(&group, at, caller.clone());
    for number in 0..stage.dice.between(4, 10) {
        at = a_little_later(stage, at);
        let spec = MachineSpec {
            name: format!("vm-{}-{number:02}", region.id),
            group: &group,
            region,
            size: stage.dice.pick(&sizes),
            from: at,
            until: stage.forever(),
            tags: tags(&[("env", "prod"), ("changeTicket", &ticket)]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        make(stage, machine, caller.clone(), Some(&ticket));
    }
}

/// A campaign: the known automation raises a scale set many times over for a day or two, and lowers it
/// again.
pub(crate) fn autoscale_burst(stage: &mut Stage<'_>) {
    let automation = Arc::clone(&stage.subscription.automation);
    stage.by(&automation);
    let caller = Caller { principal: automation, address: None };
    let until = stage.start + TimeDelta::hours(stage.dice.between(14, 40));
    let existing = stage.subscription.script.machines.iter().find(|machine| machine.capacity.is_some());
    let mut set = match existing {
        Some(set) => set.clone(),
        None => {
            let spec = MachineSpec {
                name: "vmss-jobs".to_owned(),
                group: "rg-jobs",
                region: stage.subscription.regions[0],
                size: size("Standard_D4s_v5"),
                from: stage.start,
                until,
                tags: tags(&[("env", "prod"), ("app", "jobs")]),
            };
            stage.subscription.scale_set(spec, 2, &mut stage.dice)
        }
    };
    stage.uses(&set.id);
    let usual = set.capacity.unwrap_or(2);
    let peak = usual * stage.dice.between(4, 9) as u32;
    let steps = stage.dice.between(4, 8) as u32;
    let mut at = stage.start;
    for step in 1..=steps {
        at += stage.dice.seconds(240.0, 1_200.0);
        raise(stage, &set, at, usual + (peak - usual) * step / steps, &caller);
    }
    raise(stage, &set, until, usual, &caller);
    // What comes on top of the usual instances is billed for as long as it lasts.
    set.capacity = Some(peak - usual);
    (set.from, set.until) = (at, until);
    stage.script.machines.push(set);
}

fn raise(stage: &mut Stage<'_>, set: &Machine, at: DateTime<Utc>, capacity: u32, caller: &Caller) {
    let mut raised = set.clone();
    raised.capacity = Some(capacity);
    let action = Action::update_machine(at, &raised, caller.clone(), &mut stage.dice);
    stage.script.actions.push(action);
}

/// The pipeline rents a dozen strong machines on the last nights of a month and gives them back.
pub(crate) fn month_end_batch(stage: &mut Stage<'_>) {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    let Some(first) = month_end_within(stage) else { return };
    stage.by(&pipeline);
    let count = stage.dice.between(4, 12);
    let hours = stage.dice.between(3, 6);
    for night in 0..3 {
        let start = midnight(first + Days::new(night)) + TimeDelta::minutes(30);
        for number in 0..count {
            let from = start + stage.dice.seconds(0.0, 400.0);
            let spec = MachineSpec {
                name: format!("vm-closing-{number:02}"),
                group: "rg-closing",
                region: stage.subscription.regions[0],
                size: size("Standard_D16s_v5"),
                from,
                until: from + TimeDelta::hours(hours),
                tags: tags(&[("env", "prod"), ("job", "month-end")]),
            };
            let machine = stage.subscription.machine(spec, &mut stage.dice);
            let caller = pipeline.at_usual_address(&mut stage.dice);
            stage.script.actions.push(Action::delete_machine(&machine, caller.clone(), &mut stage.dice));
            make(stage, machine, caller, None);
        }
    }
}

/// The first night of the month end nearest to the start: after it, or else before it.
fn month_end_within(stage: &Stage<'_>) -> Option<NaiveDate> {
    let begins = |day: &NaiveDate| is_month_end(*day) && !is_month_end(*day - Days::new(1));
    let last = stage.period.last_day - Days::new(2);
    let day = stage.start.date_naive();
    let after = day.iter_days().take_while(|day| *day <= last).find(begins);
    after.or_else(|| {
        let earlier: Vec<NaiveDate> =
            stage.period.days().skip(1).take_while(|before| *before < day).collect();
        earlier.into_iter().rev().find(begins)
    })
}

/// A developer tries one small GPU machine for a few days.
pub(crate) fn gpu_trial(stage: &mut Stage<'_>) {
    let person = stage.known_person();
    stage.by(&person);
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let from = in_office(stage, day);
    let spec = MachineSpec {
        name: format!("vm-gpu-trial-{}", day.format("%m%d")),
        group: "rg-ml-trial",
        region: stage.subscription.regions[0],
        size: stage.dice.pick(&of_class(SizeClass::SmallGpu)),
        from,
        until: from + TimeDelta::hours(stage.dice.between(20, 120)),
        tags: tags(&[("env", "dev"), ("owner", &person.caller)]),
    };
    let mut machine = stage.subscription.machine(spec, &mut stage.dice);
    if stage.dice.chance(0.5) {
        machine.hours = Hours::Office(10);
    }
    let caller = person.at_usual_address(&mut stage.dice);
    stage.script.actions.push(Action::delete_machine(&machine, caller.clone(), &mut stage.dice));
    make(stage, machine, caller, None);
}

fn make(stage: &mut Stage<'_>, machine: Machine, caller: Caller, ticket: Option<&str>) {
    let mut create = Action::create_machine(&machine, caller, &mut stage.dice);
    create.change_ticket = ticket.map(str::to_owned);
    stage.script.actions.push(create);
    stage.script.machines.push(machine);
}
