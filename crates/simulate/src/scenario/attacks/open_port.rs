//! A door into the network.

use chrono::TimeDelta;
use serde_json::json;

use super::run_command::{mine_from_now, run, way};
use super::targets::some_machines;
use super::worker::{Worker, entry};
use crate::estate::Machine;
use crate::scenario::Stage;
use crate::script::{extension, open_port};

/// A port for management is opened to the whole world in front of one to four machines; then a user is
/// put onto them by extension, or a command run. Some mine later. UNC3944 took machines over by
/// extensions (Mandiant, May 2023); Azure Threat Research Matrix AZT501.3, AZT506; MITRE T1562.007, T1133, T1098.
pub(crate) fn rdp_open(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let port = stage.dice.pick(&["3389", "3389", "22", "22", "5985-5986", "*"]);
    let machines = some_machines(stage, 1, 4);
    let mut opened: Vec<String> = Vec::new();
    for machine in &machines {
        let rules = stage.subscription.security_group(machine.region);
        if !opened.contains(&rules) {
            open(stage, &mut worker, &rules, port);
            opened.push(rules);
        }
        if stage.dice.chance(0.4) {
            give_address(stage, &mut worker, machine);
        }
    }
    worker.wait(stage, 30.0, 8_000.0);
    let mines = stage.dice.chance(0.6);
    let pool = stage.pool();
    let by_user = stage.dice.chance(0.6);
    let lasts = TimeDelta::hours(stage.dice.between(12, 300));
    for machine in machines {
        if by_user {
            add_user(stage, &mut worker, machine, port);
        } else {
            let way = way(stage);
            run(stage, &mut worker, machine, way, false);
        }
        if mines {
            worker.wait(stage, 60.0, 2_000.0);
            mine_from_now(stage, &worker, machine, &pool, lasts);
        }
    }
}

/// Adds a rule that lets anybody in.
pub(super) fn open(stage: &mut Stage<'_>, worker: &mut Worker, security_group: &str, port: &str) {
    let name = stage.dice.pick(&["AllowRDP", "Allow-Any", "default-allow-ssh", "Port_8080", "temp", "mgmt"]);
    let source = stage.dice.pick(&["*", "*", "0.0.0.0/0", "Internet"]);
    let body = open_port(port, source, stage.dice.between(100, 400));
    let rule = format!("{security_group}/securityRules/{name}");
    stage.uses(&rule);
    let write = worker
        .act(stage, "Microsoft.Network/networkSecurityGroups/securityRules/write", rule)
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.Network/networkSecurityGroups/securityRules");
    stage.script.actions.push(write);
}

/// A public address for a machine that had none.
fn give_address(stage: &mut Stage<'_>, worker: &mut Worker, machine: &Machine) {
    let name = format!("{}-ip", machine.name);
    let address = stage.subscription.resource(&machine.group, "Microsoft.Network/publicIPAddresses", &name);
    let body = json!({
        "location": machine.region.id,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    });
    stage.uses(&address);
    let make = worker
        .act(stage, "Microsoft.Network/publicIPAddresses/write", address)
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.Network/publicIPAddresses");
    stage.script.actions.push(make);
    let nic = format!("{}-nic", machine.name);
    let nic = stage.subscription.resource(&machine.group, "Microsoft.Network/networkInterfaces", &nic);
    worker.starts(stage, "Microsoft.Network/networkInterfaces/write", &nic);
}

/// Sets a user or a password by the extension that Azure has for those who locked themselves out.
fn add_user(stage: &mut Stage<'_>, worker: &mut Worker, machine: &Machine, port: &str) {
    let (publisher, kind, version, name) = if port == "22" {
        ("Microsoft.OSTCExtensions", "VMAccessForLinux", "1.5", "enablevmaccess")
    } else {
        ("Microsoft.Compute", "VMAccessAgent", "2.4", "enablevmaccess")
    };
    let body = extension(machine.region, publisher, kind, version, json!({}));
    let resource = format!("{}/extensions/{name}", machine.id);
    stage.uses(&machine.id);
    let write = worker
        .act(stage, "Microsoft.Compute/virtualMachines/extensions/write", resource)
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.Compute/virtualMachines/extensions");
    stage.script.actions.push(write);
}
