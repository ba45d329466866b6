//! A subscription that changes hands.

use super::compute::{Rig, build, dear_sizes};
use super::worker::{Worker, found_after, stolen_owner, strange_address};
use super::{guest_of, hasty_name};
use crate::scenario::Stage;
use crate::script::{Action, Failure, Role};

/// The stolen administrator makes a foreigner Owner, sometimes takes the others' roles away, and the
/// foreigner moves the subscription into a tenant of its own: from then on the customer pays and
/// cannot look. Machines follow. Microsoft, August 2022, "Hunt for compromised Azure subscriptions";
/// Azure Threat Research Matrix AZT507.3; MITRE T1098.003, T1496.001. Not every kind of subscription
/// can be moved, so the move may be refused.
///
/// The subscription's ordinary records go on after the move, as if nobody had noticed yet.
pub(crate) fn subscription_hijack(stage: &mut Stage<'_>) {
    let caller = stolen_owner(stage);
    let mut worker = Worker::new(stage, caller);
    let address = match stage.dice.chance(0.6) {
        true => worker.caller.address.clone().unwrap_or_default(),
        false => strange_address(stage),
    };
    let home_tenant = stage.dice.guid().to_string();
    let foreigner = guest_of(stage, &home_tenant, &address, Role::Owner);
    stage.by(&foreigner);
    worker.wait(stage, 30.0, 900.0);
    let scope = stage.subscription.whole();
    let grant = Action::grant_role(
        worker.at,
        worker.caller.clone(),
        (Role::Owner, &foreigner),
        &scope,
        &mut stage.dice,
    );
    stage.uses(&grant.resource);
    stage.script.actions.push(grant);

    let caller = foreigner.at(address);
    let mut worker = worker.successor(stage, caller);
    worker.wait(stage, 120.0, 30_000.0);
    if stage.dice.chance(0.5) {
        for _ in 0..stage.dice.between(1, 4) {
            let id = stage.dice.guid();
            let assignment =
                stage.subscription.of_whole(&format!("Microsoft.Authorization/roleAssignments/{id}"));
            worker.does(stage, "Microsoft.Authorization/roleAssignments/delete", &assignment);
        }
    }
    let moved = change_tenant(stage, &mut worker, &home_tenant);
    worker.wait(stage, 600.0, 50_000.0);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let region_count = stage.dice.between(1, 4) as usize;
    let regions = stage.unused_regions(region_count);
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let rig = Rig {
        group: &group,
        regions: &regions,
        sizes: &sizes,
        count: stage.dice.between(3, 14),
        refused_share: stage.dice.real(0.0, 0.3),
        pool: Some(&pool),
    };
    build(stage, &mut worker, &rig);
    // Who was locked out can end nothing.
    if !moved {
        found_after(stage, 36, 160);
    }
}

/// Moves the subscription, or is refused; a first try may go wrong in either case.
fn change_tenant(stage: &mut Stage<'_>, worker: &mut Worker, to: &str) -> bool {
    const OPERATION: &str = "Microsoft.Subscription/updateTenant/action";
    let scope = stage.subscription.whole();
    let moves = stage.dice.chance(0.8);
    if !moves || stage.dice.chance(0.2) {
        let failure = Failure::authorization(OPERATION);
        let refused = worker.act(stage, OPERATION, scope.clone()).failed(failure);
        stage.script.actions.push(refused);
    }
    if moves {
        stage.uses(&scope);
        let from = &stage.customer.tenant_id;
        let message =
            format!("Subscription {} was moved from tenant {from} to tenant {to}.", stage.subscription.id);
        worker.wait(stage, 20.0, 300.0);
        let change = worker.act(stage, OPERATION, scope).noted_as("Security").saying(message);
        stage.script.actions.push(change);
    }
    moves
}
