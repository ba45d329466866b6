//! Honest traffic with one address outside.

use std::sync::Arc;

use chrono::{Days, TimeDelta};
use serde_json::json;

use super::{a_little_later, in_office, lasting_machines, workdays};
use crate::calendar::midnight;
use crate::catalog::meter;
use crate::estate::{Conversation, Hours, Machine, Rhythm, Style};
use crate::scenario::Stage;
use crate::script::{self, Action};

/// Machines whose agents are watched at most.
const WATCHED_MAX: usize = 12;

/// One night in which some machines send hundreds of gigabytes to the backup provider.
pub(crate) fn backup_upload(stage: &mut Stage<'_>) {
    let from = midnight(stage.start.date_naive() + Days::new(1)) + stage.dice.seconds(600.0, 10_800.0);
    let until = from + TimeDelta::hours(stage.dice.between(3, 8));
    let provider = stage.customer.services[2].clone();
    let all: Vec<&Machine> = lasting_machines(stage);
    let count = stage.dice.between(1, 3) as usize;
    for machine in stage.dice.sample(&all, count) {
        let sent = stage.dice.real(0.8e9, 6e9);
        stage.uses(&machine.id);
        stage.script.conversations.push(Conversation {
            nic: machine.nic.clone(),
            remote: provider.clone(),
            port: 443,
            style: Style::Standing,
            every: TimeDelta::minutes(10),
            sent,
            received: sent / 400.0,
            noise: 0.2,
            from,
            until,
        });
    }
    let gigabytes = stage.dice.real(300.0, 900.0);
    // The meter counts a day's blocks; the upload takes only a part of the day.
    let hours = (until - from).num_minutes() as f64 / 60.0;
    let mut upload = stage.subscription.usage(
        meter("bandwidth"),
        "rg-backup",
        "pip-backup",
        gigabytes * 24.0 / hours,
        until,
    );
    upload.from = from;
    upload.rhythm = Rhythm::Flat;
    stage.script.usages.push(upload);
}

/// An agent is rolled out by a known administrator, and from then on every machine reports to one
/// address outside: small, steady, the same from all.
pub(crate) fn monitoring_heartbeat(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    stage.by(&admin);
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let mut at = in_office(stage, day);
    let monitor = stage.customer.services[1].clone();
    let every = TimeDelta::minutes(stage.dice.between(60, 150));
    let (sent, received) = (stage.dice.real(600.0, 1_800.0), stage.dice.real(300.0, 900.0));
    let until = stage.forever();
    for machine in lasting_machines(stage).into_iter().take(WATCHED_MAX) {
        at = a_little_later(stage, at);
        let caller = admin.at_usual_address(&mut stage.dice);
        let extension = format!("{}/extensions/WatchAgent", machine.id);
        let operation = "Microsoft.Compute/virtualMachines/extensions/write";
        let body = script::extension(machine.region, "Watchful.Agents", "WatchAgent", "3.1", json!({}));
        let install = Action::new(at, caller, operation, extension, &mut stage.dice)
            .accepted(true, &mut stage.dice)
            .echoed(&body, "Microsoft.Compute/virtualMachines/extensions");
        stage.script.actions.push(install);
        stage.uses(&machine.id);
        // A machine that is off at night does not report then; such machines are left out of the traffic.
        if machine.hours == Hours::Always {
            stage.script.conversations.push(Conversation {
                nic: machine.nic.clone(),
                remote: monitor.clone(),
                port: 443,
                style: Style::Short,
                every,
                sent,
                received,
                noise: 0.05,
                from: at + TimeDelta::minutes(4),
                until,
            });
        }
    }
}
