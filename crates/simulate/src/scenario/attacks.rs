//! Attacks: ways in which stolen access is turned into money, after published intrusions: fleets of
//! large machines in regions where nobody looks, spare-capacity scale sets, services that bill without
//! machines, miners on machines that are already there, and the patient variant of each; and what is
//! done with access beside mining: keys and disks taken, backups destroyed, logs turned off, doors
//! opened, roles granted, whole subscriptions moved away.

mod automation;
mod batch;
mod compute;
mod containers;
mod cost;
mod elevate;
mod entra;
mod exfiltration;
mod fleet;
mod hidden_region;
mod hijack;
mod keys;
mod kubernetes;
mod logging;
mod machine_learning;
mod mining;
mod open_port;
mod partner;
mod pipeline;
mod quota;
mod ransom;
mod run_command;
mod scale_set;
mod targets;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use automation::automation_backdoor;
pub(crate) use batch::batch_pools;
pub(crate) use containers::container_mining;
pub(crate) use cost::hidden_compute;
pub(crate) use elevate::elevate_and_grant;
pub(crate) use entra::{app_backdoor, password_spray, stolen_token};
pub(crate) use exfiltration::storage_exfiltration;
pub(crate) use fleet::{gpu_fleet, slow_burn};
pub(crate) use hidden_region::hidden_region;
pub(crate) use hijack::subscription_hijack;
pub(crate) use keys::key_theft;
pub(crate) use kubernetes::kubernetes_mining;
pub(crate) use logging::logging_off;
pub(crate) use machine_learning::ml_compute;
pub(crate) use mining::{has_machines_to_hijack, hijacked_mining};
pub(crate) use open_port::rdp_open;
pub(crate) use partner::partner_account;
pub(crate) use pipeline::hijacked_pipeline;
pub(crate) use quota::quota_grab;
pub(crate) use ransom::ransom_deletion;
pub(crate) use run_command::run_command_miner;
pub(crate) use scale_set::scale_set_burst;
pub(crate) use targets::has_lasting_machines;

use quota::ask_for_quota;

use std::sync::Arc;

use crate::estate::{Caller, Principal, address};
use crate::scenario::Stage;
use crate::script::{Action, Role};

/// Somebody with access that is not theirs: a person of the customer whose password was stolen, at an
/// address where that person never was; or a new guest whom the stolen account let in first.
fn intruder(stage: &mut Stage<'_>) -> Caller {
    let victim = stage.known_person();
    let address = address::hostile(&mut stage.dice);
    let stolen = victim.at(address.clone());
    stage.by(&victim);
    if stage.dice.chance(0.65) {
        return stolen;
    }
    let guest = guest(stage, &address, Role::Contributor);
    let at = stage.start;
    stage.directory_act(at, &stolen, |by| by.invites(&guest, &guest.caller));
    // The first machine comes only after the guest has been let in.
    stage.start += stage.dice.seconds(120.0, 1_500.0);
    let scope = stage.subscription.whole();
    let grant = Action::grant_role(at, stolen, (Role::Contributor, &guest), &scope, &mut stage.dice);
    stage.script.actions.push(grant);
    stage.by(&guest);
    guest.at(address)
}

/// Somebody from a tenant that nobody here knows.
fn guest(stage: &mut Stage<'_>, address: &str, role: Role) -> Arc<Principal> {
    let home_tenant = stage.dice.guid().to_string();
    guest_of(stage, &home_tenant, address, role)
}

/// Somebody from this tenant.
fn guest_of(stage: &mut Stage<'_>, home_tenant: &str, address: &str, role: Role) -> Arc<Principal> {
    let upn = format!("svc.{:06x}@mailbox.example", stage.dice.below(1 << 24));
    let addresses = vec![address.to_owned()];
    let since = stage.start;
    Arc::new(Principal::person(upn, home_tenant, role.name(), addresses, since, &mut stage.dice))
}

/// What an intruder calls a resource group.
fn hasty_name(stage: &mut Stage<'_>) -> String {
    let prefix = stage.dice.pick(&["test", "rg", "new", "group", "tmp"]);
    format!("{prefix}{:04x}", stage.dice.below(1 << 16))
}
