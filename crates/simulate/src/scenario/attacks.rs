//! Attacks: ways in which stolen access is turned into money, after published intrusions: fleets of
//! large machines in regions where nobody looks, spare-capacity scale sets, services that bill without
//! machines, miners on machines that are already there, and the patient variant of each.

mod cost;
mod fleet;
mod mining;
mod scale_set;

pub(crate) use cost::hidden_compute;
pub(crate) use fleet::{gpu_fleet, slow_burn};
pub(crate) use mining::{has_machines_to_hijack, hijacked_mining};
pub(crate) use scale_set::scale_set_burst;

use std::sync::Arc;

use chrono::TimeDelta;

use crate::estate::{Caller, Principal, address};
use crate::scenario::Stage;
use crate::script::Action;

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
    let guest = guest(stage, &address);
    let at = stage.start;
    // The first machine comes only after the guest has been let in.
    stage.start += stage.dice.seconds(120.0, 1_500.0);
    let resource = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleAssignments/{}",
        stage.subscription.id,
        stage.dice.guid()
    );
    let operation = "Microsoft.Authorization/roleAssignments/write";
    let mut grant = Action::new(at, stolen, operation, resource, &mut stage.dice);
    let body =
        serde_json::json!({"properties": {"principalId": guest.object_id, "roleDefinition": "Contributor"}});
    grant.request = Some(body.to_string());
    stage.script.actions.push(grant);
    stage.by(&guest);
    guest.at(address)
}

fn guest(stage: &mut Stage<'_>, address: &str) -> Arc<Principal> {
    let home_tenant = stage.dice.guid().to_string();
    let upn = format!("svc.{:06x}@mailbox.example", stage.dice.below(1 << 24));
    let addresses = vec![address.to_owned()];
    let since = stage.start;
    Arc::new(Principal::person(upn, &home_tenant, "Contributor", addresses, since, &mut stage.dice))
}

/// What an intruder calls a resource group.
fn hasty_name(stage: &mut Stage<'_>) -> String {
    let prefix = stage.dice.pick(&["test", "rg", "new", "group", "tmp"]);
    format!("{prefix}{:04x}", stage.dice.below(1 << 16))
}

/// Asks for more quota; sometimes Azure gives it.
fn ask_for_quota(stage: &mut Stage<'_>, caller: &Caller, region: &str, family: &str, delay: TimeDelta) {
    let resource = format!(
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{region}/providers/Microsoft.Quota/quotas/{family}",
        stage.subscription.id
    );
    let at = stage.start + delay;
    let action = Action::new(at, caller.clone(), "Microsoft.Quota/quotas/write", resource, &mut stage.dice);
    let granted = stage.dice.chance(0.35);
    let action = if granted {
        action.accepted(false, &mut stage.dice)
    } else {
        let message = format!("The request for more {family} in {region} was turned down.");
        action.failed(crate::script::Failure { http: "BadRequest", code: "ContactSupport", message })
    };
    stage.script.actions.push(action);
}
